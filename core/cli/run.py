"""``personae run``: one program in a zone of its own."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.cli import (
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    EXIT_USAGE,
    STARTED,
    CliError,
    complain,
)
from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.machine import Machine
    from personae.core.zonerun import ZoneHandle

ZONE = "run"
"""The name of the zone that a single program runs in."""

NOT_FOUND = (Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)
READ_ONLY = {"ro": True, "rw": False}


def run(args: argparse.Namespace) -> int:
    """Boot a machine with one zone, run the program, return its status."""
    command = list(args.command)
    if not command:
        raise CliError("run: name a program: personae run [options] -- CMD", EXIT_USAGE)
    program = None if args.rootfs else host_program(command[0], args.brand)
    rootfs = root_folder(args.rootfs) if args.rootfs else None
    mounts = [volume(text) for text in args.volume]
    env = environment(args.env)
    machine = make_machine(args)
    add_plugins(machine, args.plugins)
    from personae.core.cli.session import Session

    with machine:
        zone = machine.add_zone(ZONE, brand=args.brand, rootfs=rootfs, mounts=mounts)
        if program is not None:
            command[0] = plant(zone, program)
        session = Session(machine, args.time_limit)
        try:
            session.start(zone, command, env)
        except KernelError as error:
            failure = not_started(error, command[0], zone, args.rootfs)
            raise CliError(f"run: {failure}", failure.status) from None
        status = session.finish()
        if args.report:
            write_report(machine, args.report, status)
    return status


def make_machine(args: argparse.Namespace) -> Machine:
    """A machine that knows the wanted brand and the native one."""
    from personae.core.brands import brand_points, load_brands

    names = sorted({point.name for point in brand_points()})
    if args.brand not in names:
        from personae.core.config.errors import did_you_mean

        hint = did_you_mean(args.brand, names)
        raise CliError(f"run: no brand {args.brand!r} is installed ({hint})")
    from personae.core.machine import Machine

    return Machine(
        seed=args.seed,
        schedule_seed=args.schedule_seed,
        cpus=args.cpus,
        memory=args.memory,
        brands=load_brands({args.brand, "native"}),
    )


def add_plugins(machine: Machine, picks: Sequence[str]) -> None:
    """What ``-p`` names; there is no file that could ask for more."""
    if picks:
        from personae.core.config.schema import Config
        from personae.core.points import load_plugin, wanted

        for name in wanted(Config(), picks):
            machine.plugins.register(load_plugin(name, Config()), name)


def host_program(name: str, brand: str) -> Path | None:
    """The file of the host that is to run when there is no root file system.

    None when the brand brings a program of this name: a name without a slash that
    is no file here.
    """
    path = Path(name)
    remedy = "without -r ROOTFS the program is a file of the host"
    if not path.exists():
        own = own_programs(brand)
        if name in own:
            return None
        if own and "/" not in name:
            remedy += f", or one that brand {brand!r} brings: {', '.join(own)}"
        raise CliError(
            f"run: {name}: no such file on the host; {remedy}", EXIT_NOT_FOUND
        )
    if not path.is_file():
        raise CliError(f"run: {name}: not a file; {remedy}", EXIT_NOT_EXECUTABLE)
    return path


def own_programs(brand: str) -> tuple[str, ...]:
    """What a zone of a brand finds in an empty root; nothing for an unknown brand."""
    from personae.core.brands import brand_points, load_brand

    points = {point.name: point for point in brand_points()}
    return load_brand(points[brand]).programs if brand in points else ()


def plant(zone: ZoneHandle, program: Path) -> str:
    """Put the program and the folders that programs expect into an empty root."""
    root, cred = zone.zone.root, zone.zone.cred
    assert root is not None
    try:
        root.lookup(b"tmp", cred)
    except KernelError:
        root.mkdir(b"tmp", 0o1777, cred)
    try:
        data = program.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"run: {program}: cannot be read: {reason}"
        raise CliError(text, EXIT_NOT_EXECUTABLE) from None
    name = f"/{program.name}"
    zone.put(name, data)
    return name


def root_folder(name: str) -> str:
    """The root file system: a folder or an archive that is there."""
    path = Path(name)
    if not path.exists():
        raise CliError(
            f"run: -r {name}: no such folder or .tar; "
            f"make one with: personae rootfs {name} busybox-static"
        )
    if not path.is_dir() and path.suffix != ".tar":
        raise CliError(
            f"run: -r {name}: neither a folder nor a .tar; unpack it, or make a plain "
            ".tar of it"
        )
    return name


def volume(text: str) -> tuple[str, str, bool]:
    """``SRC:DST[:ro]`` as (host path, path in the zone, read only)."""
    parts = text.split(":")
    mode = parts.pop() if len(parts) > 2 and parts[-1] in READ_ONLY else "rw"
    if len(parts) != 2 or not all(parts):
        raise CliError(f"run: -v {text!r}: write SRC:DST or SRC:DST:ro", EXIT_USAGE)
    source, target = parts
    if not target.startswith("/") or ".." in target.split("/"):
        message = f"run: -v {text!r}: {target!r} must be an absolute path in the zone"
        raise CliError(message, EXIT_USAGE)
    if not Path(source).is_dir():
        raise CliError(f"run: -v {text!r}: no folder {source!r} on the host; create it")
    return source, target, READ_ONLY[mode]


def environment(settings: list[str]) -> dict[str, str]:
    """The guest's environment: the usual names, then ``-e`` in order."""
    from personae.core.zonerun import DEFAULT_ENV

    env = dict(DEFAULT_ENV)
    if os.isatty(0) and os.isatty(1):
        env["TERM"] = os.environ.get("TERM", "dumb")
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name:
            raise CliError(f"run: -e {setting!r}: write NAME=VALUE", EXIT_USAGE)
        if equals:
            env[name] = value
        elif name in os.environ:
            env[name] = os.environ[name]
    return env


def not_started(
    error: KernelError, name: str, zone: ZoneHandle, rootfs: str | None
) -> CliError:
    """Why a program cannot be started: 127 when it is not there, else 126."""
    where = f"in {rootfs}" if rootfs else "in the zone"
    if error.errno in NOT_FOUND:
        text = f"{name}: not found {where}"
        if "/" not in name:
            text = f"{name}: not found in the PATH of the zone"
        elif exists(zone, name):
            text = (
                f"{name}: the loader or interpreter that it names is not there; "
                "a dynamic program needs its libraries: -r ROOTFS"
            )
        return CliError(text, EXIT_NOT_FOUND)
    reason = error.why or error.errno.name
    if error.errno is Errno.EACCES:
        reason = "permission denied: it must be a file with the execute bit set"
    if error.errno is Errno.ENOEXEC:
        brand = zone.zone.brand.name
        reason += f"; brand {brand!r} runs riscv64 programs (file(1) tells which)"
    text = f"{name}: cannot be executed {where}: {reason}"
    return CliError(text, EXIT_NOT_EXECUTABLE)


def exists(zone: ZoneHandle, name: str) -> bool:
    """Whether a path leads to something in a zone."""
    from personae.core.vfs.lookup import lookup

    assert zone.zone.zsched is not None
    try:
        path = name.encode(errors="surrogateescape")
        lookup(zone.machine.kernel, zone.zone.zsched, path)
    except KernelError:
        return False
    return True


def write_report(machine: Machine, target: str, status: int) -> None:
    """Write the JSON report to a file, or to stderr for ``-``."""
    import sys
    import time

    from personae.core.report import to_json

    report = {
        "exit_status": status,
        "host_seconds": round(time.monotonic() - STARTED, 6),
        **machine.report(),
    }
    text = to_json(report)
    if target == "-":
        sys.stderr.write(text)
        return
    try:
        Path(target).write_text(text, encoding="ascii")
    except OSError as error:
        reason = error.strerror or str(error)
        complain(f"--report {target}: cannot be written: {reason}")
        raise CliError("the run itself has ended; its report is lost") from None
