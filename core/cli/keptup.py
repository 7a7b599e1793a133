"""``personae up -M MACHINE``: make a machine that is kept, or let it go on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core import zoneadm
from personae.core.cli import EXIT_USAGE, CliError, complain
from personae.core.cli.kept import VARIABLE, path_of, save, working
from personae.core.cli.zones import ending
from personae.core.errno import KernelError
from personae.core.machine import Deadlock, TimeLimit

if TYPE_CHECKING:
    from personae.core.cli.session import Session
    from personae.core.machine import Machine

RUN_NS = 10_000_000_000
"""Virtual time that a kept machine goes on by default."""


def check_usage(args: argparse.Namespace) -> None:
    """Without a file there has to be a kept machine."""
    if args.file is None and not args.machine and not os.environ.get(VARIABLE):
        raise CliError(
            f"up: name a FILE.toml, or a kept machine with -M or {VARIABLE}\n"
            "usage: personae up [FILE.toml] [-M MACHINE] [--time-limit VIRTUAL]\n"
            "help:  personae up --help",
            EXIT_USAGE,
        )


def up(args: argparse.Namespace) -> int:
    """Make the machine of a file and boot it, or go on with the one that is there."""
    path = path_of(args)
    if args.file is None:
        with working(args) as machine:
            go_on(machine, args, path)
        return 0
    if path.exists():
        raise CliError(
            f"up: {path} is there already: go on with it (personae up -M {path}), "
            "or remove it"
        )
    if not path.parent.is_dir():
        raise CliError(f"up: {path}: there is no folder {path.parent}; create it")
    machine = describe(args)
    boot(machine)
    go_on(machine, args, path)
    save(machine, path)
    return 0


def describe(args: argparse.Namespace) -> Machine:
    """The machine of a TOML file."""
    from personae.core.cli.brands import installed
    from personae.core.cli.zones import overrides, warn
    from personae.core.config import load
    from personae.core.fromconfig import build
    from personae.core.machine import Machine

    config = load(args.file, overrides=overrides(args.set), known=installed())
    warn(config)
    return build(Machine, config, args.plugins)


def boot(machine: Machine) -> None:
    """Boot the zones with ``autoboot``; the global one runs its init, if it has one."""
    for name, inst in machine.kernel.installed.items():
        try:
            if name == zoneadm.GLOBAL:
                zoneadm.start_init(machine, inst)
            elif inst.conf.autoboot:
                zoneadm.boot(machine, name)
        except KernelError as error:
            why = error.why or error.errno.name
            text = f"up: zone {name}: {inst.conf.init.args[0]}: {why}"
            raise CliError(text) from None


def go_on(machine: Machine, args: argparse.Namespace, path: Path) -> None:
    """Run until nothing can run any more, or the time is over; show the output."""
    from personae.core.cli.session import Session

    session = Session(machine, args.time_limit or RUN_NS, listen=False)
    jobs = {n: i.job for n, i in machine.kernel.installed.items() if i.job is not None}
    width = max((len(name) for name in jobs), default=0)
    for name, job in jobs.items():
        zone = zoneadm.zone_of(machine, name)
        if zone is not None:
            handle = machine.zone(name)
            session.attach(handle, job, f"{name:>{width}} | " if len(jobs) > 1 else "")
    try:
        session.run([machine.kernel.p0])
    except (Deadlock, TimeLimit):
        session.flush()
    zoneadm.sweep(machine)
    tell(machine, session, path)


def tell(machine: Machine, session: Session, path: Path) -> None:
    """One line on what the file holds now; to stderr."""
    kernel = machine.kernel
    for told in kernel.oopses:
        complain(f"internal error, please report it: {told}")
    for program in session.programs:
        if program.job.done:
            name = next(n for n, i in kernel.installed.items() if i.job is program.job)
            complain(f"{name}: its init ended, {ending(program.job)}")
    zones = sum(zoneadm.state_of(machine, n) == "running" for n in kernel.installed)
    procs = sum(len(kernel.zone_procs(z)) for z in kernel.zones.values())
    complain(
        f"{path}: {zones} zone{'s'[: zones != 1]} running, {procs} processes, "
        f"{kernel.now_ns / 1e9:.3f} s virtual, {machine.digest()}"
    )
