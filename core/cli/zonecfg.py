"""``personae zonecfg``: a zone's configuration, of a kept machine or of a TOML file.

``info`` prints it as zonecfg(8) does, ``export`` as the commands that make it, ``set``
and ``clear`` change a simple property, ``verify`` checks it.  What is changed in a kept
machine counts from the zone's next boot.  Files are changed in place, comments and all
(extra ``edit``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.core import zoneadm
from personae.core.cli import EXIT_USAGE, CliError
from personae.core.cli.brands import installed
from personae.core.cli.kept import looking, working
from personae.core.config import ConfigError, load, loads
from personae.core.config.errors import did_you_mean
from personae.core.config.schema import ZoneConf
from personae.core.machine import MachineError

if TYPE_CHECKING:
    from personae.core.config.schema import Config

PROGRAM = "zonecfg"
HIDDEN = ("name", "rootfs", "hostname", "init", "brand_table")
"""Fields that zonecfg(8) does not know, printed apart."""
FIXED = ("name", "brand", "rootfs", "zonepath")
"""What an installed zone keeps."""
SIMPLE = (
    "autoboot", "brand", "cpu-shares", "hostname", "ip-type", "limitpriv", "max-lwps",
    "max-processes", "pool", "rootfs", "scheduling-class", "zonepath",
)  # fmt: skip


def fail(text: str, status: int = 1) -> CliError:
    """An error in zonecfg's words."""
    return CliError(text, status, program=PROGRAM)


def command(args: argparse.Namespace) -> int:
    """Run one verb."""
    verb, rest = args.verb, list(args.rest)
    if verb in ("set", "clear"):
        return change(args, verb, rest)
    if rest:
        raise fail(f"{verb}: unexpected: {' '.join(rest)}", EXIT_USAGE)
    conf = find(args)
    if verb == "verify":
        verify(args, conf)
        return 0
    lines = info(conf) if verb == "info" else export(conf)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def find(args: argparse.Namespace) -> ZoneConf:
    """The zone's table."""
    if args.file is not None:
        return of_config(load(args.file, known=installed()), args.zone)
    with looking(args) as machine:
        inst = machine.kernel.installed.get(args.zone)
    if inst is None:
        raise fail(f"zone '{args.zone}': no such zone configured")
    conf: ZoneConf = inst.conf
    return conf


def verify(args: argparse.Namespace, conf: ZoneConf) -> None:
    """What a file must hold was checked when it was read; now for the machine."""
    if args.file is None:
        with looking(args) as machine:
            try:
                zoneadm.check_conf(machine, conf)
            except MachineError as error:
                raise fail(str(error)) from None


def of_config(config: Config, zone: str) -> ZoneConf:
    """A zone of a file."""
    conf = config.zones.get(zone)
    if conf is None:
        raise fail(f"zone '{zone}': no such zone configured in {config.source}")
    return conf


# ---- printing ----


def text(value: object) -> str:
    """A value as zonecfg writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return (
            "-".join(map(str, value))
            if all(isinstance(v, int) for v in value)
            else f"[{','.join(map(str, value))}]"
        )
    return str(value)


def properties(table: Any) -> Iterator[tuple[str, object]]:
    """Names and values of a table that are set and simple."""
    for field in fields(table):
        value = getattr(table, field.name)
        nested = is_dataclass(value) or isinstance(value, dict)
        tables = isinstance(value, tuple) and any(map(is_dataclass, value))
        if value is None or value == () or nested or tables:
            continue
        yield field.name.replace("_", "-"), value


def resources(conf: ZoneConf) -> Iterator[tuple[str, Any]]:
    """Kind and table of each resource."""
    for field in fields(conf):
        value = getattr(conf, field.name)
        kind = field.name.replace("_", "-")
        if is_dataclass(value):
            yield kind, value
        elif isinstance(value, tuple):
            yield from ((kind, one) for one in value if is_dataclass(one))


def defaults(conf: ZoneConf) -> dict[str, object]:
    """Global properties, with where the zone is if the table does not say."""
    path = "/" if conf.name == zoneadm.GLOBAL else f"/zones/{conf.name}"
    found: dict[str, object] = {"zonename": conf.name, "zonepath": path}
    found.update((n, v) for n, v in properties(conf) if n != "name")
    return found


def info(conf: ZoneConf) -> Iterator[str]:
    """``info``: one property a line, resources indented."""
    for name, value in defaults(conf).items():
        yield f"{name}: {text(value)}"
    for kind, table in resources(conf):
        yield f"{kind}:"
        for name, value in properties(table):
            yield f"\t{name}: {text(value)}"


def quoted(value: object) -> str:
    """A value in quotes where zonecfg's language needs them."""
    word = text(value)
    plain = word and all(c.isalnum() or c in "/._-:[]," for c in word)
    return word if plain else '"' + word.replace('"', '\\"') + '"'


def export(conf: ZoneConf) -> Iterator[str]:
    """``export``: the commands that make the zone."""
    yield "create -b"
    for name, value in defaults(conf).items():
        if name != "zonename":
            yield f"set {name}={quoted(value)}"
    for kind, table in resources(conf):
        yield f"add {kind}"
        for name, value in properties(table):
            yield f"set {name}={quoted(value)}"
        yield "end"


# ---- changing ----


def change(args: argparse.Namespace, verb: str, rest: list[str]) -> int:
    """``set NAME=VALUE`` and ``clear NAME``."""
    words = "".join(rest[:1])
    name, equals, value = words.partition("=")
    if len(rest) != 1 or bool(equals) != (verb == "set") or not name:
        usage = "set NAME=VALUE" if verb == "set" else "clear NAME"
        raise fail(f"write: {usage}", EXIT_USAGE)
    if name not in SIMPLE:
        hint = did_you_mean(name, SIMPLE)
        raise fail(f"{name}: not a property that {verb} knows ({hint})")
    if args.file is not None:
        edit(args, name, value if equals else None)
        return 0
    with working(args) as machine:
        inst = machine.kernel.installed.get(args.zone)
        if inst is None:
            raise fail(f"zone '{args.zone}': no such zone configured")
        if name in FIXED:
            raise fail(f"zone '{args.zone}': {name} can't change once it is installed")
        key = name.replace("-", "_")
        new = getattr(one_zone(args.zone, name, value), key) if equals else DEFAULT[key]
        conf = replace(inst.conf, **{key: new})
        try:
            zoneadm.check_conf(machine, conf)
        except MachineError as error:
            raise fail(str(error)) from None
        inst.conf = conf
    return 0


DEFAULT = {f.name: f.default for f in fields(ZoneConf)}


def literal(name: str, value: str) -> str:
    """A value as TOML."""
    numbers = ("cpu-shares", "max-lwps", "max-processes")
    if name == "autoboot" or name in numbers:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_zone(zone: str, name: str, value: str) -> ZoneConf:
    """A zone with that one property, checked as a file's would be."""
    document = f'schema = 1\n[zone."{zone}"]\n{name} = {literal(name, value)}\n'
    try:
        return loads(document, source=f"zonecfg set {name}").zones[zone]
    except ConfigError as error:
        told = "; ".join(problem.text for problem in error.problems)
        raise fail(f"{name}={value}: {told}") from None


def edit(args: argparse.Namespace, name: str, value: str | None) -> None:
    """Change the file, if it is right afterwards."""
    try:
        import tomlkit
    except ImportError:
        raise fail(
            "changing a file needs tomlkit: pip install 'personae[edit]'"
        ) from None
    path = Path(args.file)
    of_config(load(path, known=installed()), args.zone)
    document: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
    table = document["zone"][args.zone]
    if value is None:
        table.pop(name, None)
    else:
        table[name] = tomlkit.value(literal(name, value))
    new = path.with_name(f".{path.name}.new")
    new.write_text(tomlkit.dumps(document), encoding="utf-8")
    try:
        load(new, known=installed())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
