"""JSON Schema of the configuration, generated from the schema classes.

For editors: ``#:schema ./zones.schema.json`` in the first line of a file.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from personae.core.config.markers import Check, Reader
from personae.core.config.schema import Config
from personae.core.config.walker import fields_of, is_required, key_of

_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}


def json_schema(plugins: Mapping[str, type | None] | None = None) -> dict[str, object]:
    """The schema of a whole file, draft 7.

    Args:
        plugins: Plugins that are installed, with the dataclass of their options: what
            their tables ``[plugin.NAME]`` may hold.
    """
    found: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "personae machine configuration",
        **of(Config),
    }
    owned = {n: table(cls) for n, cls in (plugins or {}).items() if cls is not None}
    if owned:
        found["properties"]["plugin"]["properties"] = owned
    return found


def of(hint: Any) -> dict[str, object]:
    """The schema of one type hint."""
    markers: tuple[object, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        markers = tuple(rest)
    found: dict[str, object] = {}
    for marker in markers:
        if isinstance(marker, Reader):
            found = marker.schema()
            break
    else:
        found = typed(hint)
    for marker in markers:
        if isinstance(marker, Check):
            found.update(marker.schema())
        elif isinstance(marker, str):
            found["description"] = marker
    return found


def typed(hint: Any) -> dict[str, object]:
    """The schema of a bare type."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return of(next(a for a in get_args(hint) if a is not types.NoneType))
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        return {"type": "array", "items": of(get_args(hint)[0])}
    if origin is dict:
        inner = get_args(hint)[1]
        values = {} if inner is object else {"additionalProperties": of(inner)}
        return {"type": "object", **values}
    if dataclasses.is_dataclass(hint):
        return table(typing.cast(type, hint))
    return {"type": _PLAIN[hint]}


def table(cls: type) -> dict[str, object]:
    """The schema of one dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    fields = fields_of(cls)
    open_ended = any(f.metadata.get("from") == "rest" for f in dataclasses.fields(cls))
    found: dict[str, object] = {
        "type": "object",
        "description": (cls.__doc__ or "").splitlines()[0],
        "properties": {key_of(f): of(hints[f.name]) for f in fields},
        # a brand's own table has the brand's name, which is not known here
        "additionalProperties": {"type": "object"} if open_ended else False,
    }
    required = [key_of(f) for f in fields if is_required(f)]
    if required:
        found["required"] = required
    return found
