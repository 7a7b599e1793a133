"""A zone's table as zonecfg(8) prints it: ``info`` and ``export``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from personae.core import zoneadm
from personae.core.cli.zonelang import quote
from personae.core.config.schema import InitConf
from personae.core.config.zonetable import BRAND_OPTION, BrandOption, option_text

if TYPE_CHECKING:
    from personae.core.config.schema import ZoneConf


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
        if isinstance(table, InitConf) and isinstance(value, dict):
            value = tuple(f"{n}={v}" for n, v in value.items())
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
    for name, value in conf.brand_options.items():
        yield BRAND_OPTION, BrandOption(name, option_text(value))


def defaults(conf: ZoneConf) -> dict[str, object]:
    """Global properties, with where the zone is if the table does not say."""
    path = "/" if conf.name == zoneadm.GLOBAL else f"/zones/{conf.name}"
    found: dict[str, object] = {"zonename": conf.name, "zonepath": path}
    found.update((n, v) for n, v in properties(conf) if n != "name")
    return found


def info(conf: ZoneConf, only: str | None = None) -> Iterator[str]:
    """``info``: one property a line, resources indented; all, or of that name."""
    for name, value in defaults(conf).items():
        if only in (None, name):
            yield f"{name}: {text(value)}"
    for kind, table in resources(conf):
        if only in (None, kind):
            yield f"{kind}:"
            for name, value in properties(table):
                yield f"\t{name}: {text(value)}"


def quoted(value: object) -> str:
    """A value as zonecfg's language needs it."""
    if isinstance(value, tuple) and not all(isinstance(v, int) for v in value):
        return f"[{','.join(quote(str(v)) for v in value)}]"
    return quote(text(value))


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
