"""``personae up -M MACHINE``: make a machine that is kept, or let it go on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from personae.core import zoneadm
from personae.core.cli import EXIT_USAGE, CliError, complain
from personae.core.cli.kept import VARIABLE, path_of, save, working
from personae.core.cli.session import Session
from personae.core.cli.zones import ending
from personae.core.errno import KernelError
from personae.core.machine import Deadlock, TimeLimit
from personae.core.zone import ZoneState

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class ZoneDown(Exception):
    """A zone has gone down by itself: zoneadmd's work is to be done."""


class KeptSession(Session):
    """Shows the consoles of all zones; stops when one of them goes down."""

    @override
    def pump(self, idle: bool, until_ns: int | None) -> bool:
        """As a session that listens to nobody."""
        self.flush()
        if any(z.state >= ZoneState.DOWN for z in self.machine.kernel.zones.values()):
            raise ZoneDown
        return False

    def attach_all(self, names: Iterable[str]) -> None:
        """Take part in the inits of these zones, each line with its zone's name."""
        installed = self.machine.kernel.installed
        with_init = [n for n, inst in installed.items() if inst.conf.init is not None]
        width = max(map(len, with_init), default=0)
        for name in names:
            job = installed[name].job
            if job is not None:
                prefix = f"{name:>{width}} | " if len(with_init) > 1 else ""
                self.attach(self.machine.zone(name), job, prefix)


def go_on(machine: Machine, args: argparse.Namespace, path: Path) -> None:
    """Run until nothing can run any more, or the time is over; show the output."""
    session = KeptSession(machine, args.time_limit or RUN_NS, listen=False)
    up = [n for n in machine.kernel.installed if zoneadm.zone_of(machine, n)]
    session.attach_all(up)
    while True:
        try:
            session.run([machine.kernel.p0])
        except ZoneDown:
            session.attach_all(swept(machine, session))
        except (Deadlock, TimeLimit):
            break
    session.flush()
    tell(machine, path)


def swept(machine: Machine, session: KeptSession) -> list[str]:
    """Do zoneadmd's work and tell of it; the zones that were booted again."""
    session.flush()
    names = {id(inst.job): name for name, inst in machine.kernel.installed.items()}
    gone = [p for p in session.programs if p.job.done]
    booted = zoneadm.sweep(machine)
    for program in gone:
        session.programs.remove(program)
        name = names[id(program.job)]
        again = ", and it was booted again" if name in booted else ""
        complain(f"{name}: its init ended, {ending(program.job)}{again}")
    return booted


def tell(machine: Machine, path: Path) -> None:
    """One line on what the file holds now; to stderr."""
    kernel = machine.kernel
    for told in kernel.oopses:
        complain(f"internal error, please report it: {told}")
    zones = sum(zoneadm.state_of(machine, n) == "running" for n in kernel.installed)
    procs = sum(len(kernel.zone_procs(z)) for z in kernel.zones.values())
    complain(
        f"{path}: {zones} zone{'s'[: zones != 1]} running, {procs} processes, "
        f"{kernel.now_ns / 1e9:.3f} s virtual, {machine.digest()}"
    )
