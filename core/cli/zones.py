"""``personae up`` and ``personae list``: machines described by a file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from personae.core.cli import CliError, complain
from personae.core.cli.brands import installed
from personae.core.cli.listing import print_rows
from personae.core.config import load
from personae.core.errno import KernelError
from personae.core.zone import GLOBAL_ZONEID

if TYPE_CHECKING:
    from personae.core.cli.session import Session
    from personae.core.config.schema import Config, ZoneConf
    from personae.core.machine import Machine
    from personae.core.zonerun import Job


def up(args: argparse.Namespace) -> int:
    """Boot the zones with ``autoboot``, run their first processes to the end.

    Returns:
        0, or the status of the first zone, in the order of the file, that failed.
    """
    if args.machine or args.file is None:
        from personae.core.cli import keptup

        keptup.check_usage(args)
        return keptup.up(args)
    settings = overrides(args.set)
    config = load(args.file, overrides=settings, known=installed())
    warn(config)
    chosen = [z for z in config.zones.values() if z.autoboot and z.init is not None]
    if not chosen:
        raise CliError(
            f"up: {args.file}: no zone to start: none has an [zone.NAME.init] table "
            "with autoboot on"
        )
    from personae.core.cli.session import Session
    from personae.core.fromconfig import build
    from personae.core.machine import Machine

    machine = build(Machine, config, args.plugins)
    with machine:
        session = Session(machine, args.time_limit, listen=len(chosen) == 1)
        width = max(len(zone.name) for zone in chosen)
        for zone in chosen:
            prefix = f"{zone.name:>{width}} | " if len(chosen) > 1 else ""
            boot_zone(machine, session, zone, prefix)
        status = session.finish()
        summary(machine, session)
        if args.report:
            from personae.core.cli.run import write_report

            write_report(machine, args.report, status)
    return status


def boot_zone(machine: Machine, session: Session, zone: ZoneConf, prefix: str) -> None:
    """Boot one zone and start its first process."""
    from personae.core.zonerun import DEFAULT_ENV

    handle, init = machine.zone(zone.name), zone.init
    assert init is not None
    if handle.id != GLOBAL_ZONEID:
        machine.kernel.zone_boot(handle.zone)
    env = {**DEFAULT_ENV, **init.env}
    try:
        session.start(handle, init.args, env, cwd=init.cwd, init=True, prefix=prefix)
    except KernelError as error:
        from personae.core.cli.run import not_started

        failure = not_started(error, init.args[0], handle, zone.rootfs)
        raise CliError(f"up: zone {zone.name}: {failure}") from None


def summary(machine: Machine, session: Session) -> None:
    """One line on the run, its digest, and how each zone ended; to stderr."""
    report = machine.report()
    forks = report["forks"] + report["vforks"]
    zones = len(session.programs)
    complain(
        f"{zones} zone{'s'[: zones != 1]}, {forks} forks, "
        f"{report['instructions']:,} instructions, "
        f"{report['virtual_seconds']:.3f} s virtual"
    )
    complain(f"digest {report['digest']}")
    for program in session.programs:
        complain(f"{program.zone.name}: {ending(program.job)}")


def ending(job: Job) -> str:
    """How a zone's first process ended, or that it has not."""
    if not job.done:
        return "still running"
    code = job.result().returncode
    return f"exit {code}" if code >= 0 else f"ended by signal {-code}"


def list_zones(args: argparse.Namespace) -> int:
    """List the zones of a file or, with -M, of a kept machine, in zoneadm's formats.

    In a file none runs: all are configured, or installed when their root is there.
    """
    if args.machine:
        from personae.core.cli.kept import looking
        from personae.core.cli.zoneadm import chosen_rows
        from personae.core.cli.zoneadm import rows as kept_rows

        with looking(args) as machine:
            found = kept_rows(machine)
        shown = chosen_rows(found, args.c, args.i)
        print_rows(shown, "v" if args.v else "p" if args.p else "")
        return 0
    config = load(args.file, known=installed())
    rows = [row(zone) for zone in all_zones(config)]
    if args.i and not args.c:
        rows = [one for one in rows if one[2] == "installed"]
    elif not args.c:
        complain(
            "list: a file runs no zones ('personae zoneadm list' lists those of a "
            f"kept machine); -c lists the zones that {args.file} configures"
        )
        rows = []
    print_rows(rows, "v" if args.v else "p" if args.p else "")
    return 0


def all_zones(config: Config) -> list[ZoneConf]:
    """The zones of a file, the global one first, whether it is written or not."""
    from personae.core.config.schema import ZoneConf

    others = [zone for name, zone in config.zones.items() if name != "global"]
    return [config.zones.get("global", ZoneConf(name="global")), *others]


def row(zone: ZoneConf) -> tuple[str, str, str, str, str, str]:
    """The fields of a zone: id, name, status, path, brand, ip."""
    if zone.name == "global":
        return ("-", "global", "installed", "/", zone.brand, "shared")
    status = "configured" if zone.rootfs is None else "installed"
    ip = "excl" if zone.ip_type == "exclusive" else "shared"
    path = zone.zonepath or f"/zones/{zone.name}"
    return ("-", zone.name, status, path, zone.brand, ip)


def overrides(settings: list[str]) -> dict[str, object]:
    """``--set machine.seed=7``: a TOML value by its dotted key."""
    import tomli

    found: dict[str, object] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not key or not equals:
            raise CliError(f"--set {setting!r}: write KEY=VALUE, as machine.seed=7", 2)
        try:
            found[key] = tomli.loads(f"value = {text}")["value"]
        except tomli.TOMLDecodeError:
            found[key] = text  # a bare word is a string
    return found


def warn(config: Config) -> None:
    """Show what the file asks for and this version does not do."""
    for warning in config.warnings:
        print(warning, file=sys.stderr)
