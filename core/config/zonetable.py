"""A zone's table on its own: out of its class, word by word, and checked again.

zonecfg(8) edits a zone property by property.  A table under edit is what TOML would
give for ``[zone.NAME]``, so the validator of files is the one that says what is right.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import tomli

from personae.core.config.emit import to_toml, value_text
from personae.core.config.errors import ConfigError
from personae.core.config.markers import Size
from personae.core.config.reading import loads
from personae.core.config.rules import Known
from personae.core.config.schema import Config, ZoneConf
from personae.core.config.walker import fields_of, is_required, key_of


@dataclass(frozen=True)
class BrandOption:
    """One key of the brand's own table, as a resource."""

    name: str
    value: str


@dataclass(frozen=True)
class Kind:
    """A kind of resource: its class, and whether a zone can have several."""

    cls: type
    several: bool = False


BRAND_OPTION = "brand-option"


def bare(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """A hint without Annotated and without None; and the markers it had."""
    markers: tuple[object, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            markers += tuple(more)
        elif get_origin(hint) in (Union, types.UnionType):
            hint = next(arg for arg in get_args(hint) if arg is not types.NoneType)
        else:
            return hint, markers


def kinds() -> dict[str, Kind]:
    """Every kind of resource of a zone."""
    hints = get_type_hints(ZoneConf, include_extras=True)
    found = {BRAND_OPTION: Kind(BrandOption, several=True)}
    for field in fields_of(ZoneConf):
        hint, _ = bare(hints[field.name])
        several = get_origin(hint) is tuple
        cls = get_args(hint)[0] if several else hint
        if is_dataclass(cls) and isinstance(cls, type):
            found[key_of(field)] = Kind(cls, several)
    return found


KINDS = kinds()
KEYS = {kind: tuple(key_of(f) for f in fields_of(k.cls)) for kind, k in KINDS.items()}
"""The properties of each resource."""
REQUIRED = {
    kind: tuple(key_of(f) for f in fields_of(k.cls) if is_required(f))
    for kind, k in KINDS.items()
}
PROPERTIES = tuple(
    sorted(key_of(f) for f in fields_of(ZoneConf) if key_of(f) not in KINDS)
)


# ---- out of the class ----


def tables_of(table: Any) -> dict[str, Any]:
    """What TOML would give for a table, without what is default."""
    out: dict[str, Any] = {}
    for field in fields_of(type(table)):
        value = getattr(table, field.name)
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        if value is not None and (value != default or field.name == "brand"):
            out[key_of(field)] = _plain(value)
    if isinstance(table, ZoneConf) and table.brand_options:
        out[table.brand] = dict(table.brand_options)
    return out


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return tables_of(value)
    if isinstance(value, tuple):
        if value and all(isinstance(v, int) for v in value):
            return "-".join(map(str, value))
        return [_plain(v) for v in value]
    return dict(value) if isinstance(value, Mapping) else value


# ---- words ----


def value_of(cls: type, key: str, words: Sequence[str], is_list: bool) -> object:
    """The raw value of a property from what was written for it.

    Args:
        cls: The class of its table.
        key: The property.
        words: The value; several if it is a list.
        is_list: Whether it was written as one, in brackets.
    """
    hint, markers = bare(get_type_hints(cls, include_extras=True)[_name(cls, key)])
    origin = get_origin(hint)
    if origin is dict:
        return dict(word.partition("=")[::2] for word in words)
    if origin is tuple and get_args(hint)[0] is str:
        return list(words)
    word = f"[{','.join(words)}]" if is_list else words[0]
    if any(isinstance(m, Size) for m in markers):
        return int(word) if word.isdecimal() else word
    if hint is bool:
        return {"true": True, "false": False}.get(word, word)
    if hint in (int, float):
        try:
            return hint(word)
        except ValueError:
            return word
    return word


def property_of(key: str, words: Sequence[str], is_list: bool) -> object:
    """The raw value of a property of the zone itself."""
    return value_of(ZoneConf, key, words, is_list)


def brand_options(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The brand's own keys as resources; a value that is no string as TOML."""
    own = table.get(table["brand"], {})
    return [{"name": n, "value": option_text(v)} for n, v in own.items()]


def option_text(value: object) -> str:
    """A value of the brand's own table in one word."""
    return value if isinstance(value, str) else value_text(value)


def set_brand_options(
    table: dict[str, Any], options: Sequence[Mapping[str, str]]
) -> None:
    """Make the brand's own keys those of resources."""
    table.pop(table["brand"], None)
    if options:
        own = {o["name"]: _option_value(o["value"]) for o in options}
        table[table["brand"]] = own


def _option_value(word: str) -> object:
    try:
        return tomli.loads(f"value = {word}")["value"]
    except tomli.TOMLDecodeError:
        return word


def _name(cls: type, key: str) -> str:
    return next(f.name for f in fields(cls) if key_of(f) == key)


# ---- checked ----


def check(
    name: str, table: Mapping[str, Any], within: Mapping[str, Any], known: Known
) -> tuple[ZoneConf, list[str]]:
    """A table as its class, and what there is to be warned of.

    Args:
        name: The zone's name.
        table: Its table.
        within: Other tables of the file, such as ``machine`` and ``pool``.
        known: The brands that exist.

    Raises:
        ValueError: With every problem.
    """
    document = to_toml({"schema": 1, **within, "zone": {name: dict(table)}}, {})
    try:
        config: Config = loads(document, source="zonecfg", known=known)
    except ConfigError as error:
        told = [
            _text(name, p.path, p.text) for p in error.problems if p.severity == "error"
        ]
        raise ValueError("; ".join(told)) from None
    conf = replace(  # without what follows from the other: that may change
        config.zones[name],
        max_lwps=table.get("max-lwps"),
        max_processes=table.get("max-processes"),
    )
    return conf, [_text(name, w.path, w.text) for w in config.warnings]


def _text(name: str, path: str, text: str) -> str:
    for prefix in (f"zone.{name}.", f'zone."{name}".'):
        path = path.removeprefix(prefix)
    return f"{path}: {text}"
