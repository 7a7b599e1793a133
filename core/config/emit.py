"""A parsed configuration as TOML again, each value with the place it came from."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from personae.core.config.errors import Path, Where, dotted


def to_toml(tables: Mapping[str, Any], places: Mapping[Path, Where]) -> str:
    """Print a document.

    Args:
        tables: What tomli gives.
        places: Where each key stood, for the comments behind the values.

    Returns:
        Text that tomli reads as the same document.
    """
    lines = list(_table(tables, (), (), places))
    while lines and not lines[0]:
        del lines[0]
    return "\n".join(lines) + "\n"


def _table(
    table: Mapping[str, Any], name: Path, path: Path, places: Mapping[Path, Where]
) -> list[str]:
    """Plain keys first, then the tables below; ``name`` is how a header spells it."""
    plain: list[tuple[str, str]] = []
    below: list[str] = []
    for key, value in table.items():
        at = (*path, key)
        if isinstance(value, Mapping):
            header = (*name, key)
            inner = _table(value, header, at, places)
            if any(not isinstance(v, Mapping) for v in value.values()) or not value:
                below += ["", f"[{dotted(header)}]"]
            below += inner
        elif _is_tables(value):
            for i, one in enumerate(value):
                below += ["", f"[[{dotted((*name, key))}]]"]
                below += _table(one, (*name, key), (*at, i), places)
        else:
            where = places.get(at)
            mark = f"  # {where}" if where is not None else ""
            plain.append((f"{dotted((key,))} = {value_text(value)}", mark))
    return [line + mark for line, mark in plain] + below


def _is_tables(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) for one in value)
    )


def value_text(value: object) -> str:
    """One value as TOML spells it.

    >>> value_text(["a", 1, True])
    '["a", 1, true]'
    >>> value_text({"x y": 1.5})
    '{"x y" = 1.5}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{dotted((k,))} = {value_text(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
