"""``personae up`` and ``personae list``: machines described by a file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from personae.core.cli import CliError, complain
from personae.core.cli.brands import brand_names
from personae.core.config import load

if TYPE_CHECKING:
    from personae.core.config.schema import Config, ZoneConf

LIST_FORMAT = "{:>4} {:<16} {:<10} {:<30} {:<8} {:<6}"
"""The columns of zoneadm(8) list -v."""


def list_zones(args: argparse.Namespace) -> int:
    """List the zones of a file, in zoneadm's formats.

    No machine outlives its command, so no zone but those of a running
    ``personae up`` ever runs: all are configured, or installed when their root
    is there.
    """
    config = load(args.file, brands=brand_names())
    rows = [row(zone) for zone in all_zones(config)]
    if args.i and not args.c:
        rows = [one for one in rows if one[2] == "installed"]
    elif not args.c:
        complain(
            "list: no machine is running, machines live as long as 'personae up'; "
            f"-c lists the zones that {args.file} configures"
        )
        rows = []
    if args.v:
        print(
            LIST_FORMAT.format("ID", "NAME", "STATUS", "PATH", "BRAND", "IP").rstrip()
        )
    for ident, name, status, path, brand, ip in rows:
        if args.v:
            print(LIST_FORMAT.format(ident, name, status, path, brand, ip).rstrip())
        elif args.p:
            escaped = path.replace(":", "\\:")
            print(f"{ident}:{name}:{status}:{escaped}::{brand}:{ip}")
        else:
            print(name)
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
