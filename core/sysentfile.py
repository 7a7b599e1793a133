"""Check a ``syscalls.toml``: every fault of it, each with its line and a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli

from personae.core.config.errors import did_you_mean
from personae.core.plugin import PluginError, place_of
from personae.core.syscall import Level, nargs_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS = ("number", "name", "handler", "level", "note")
LEVELS = tuple(level.value for level in Level)
MAX_ARGS = 6
"""A system call has a0 to a5."""


def read_rows(path: Path, handlers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table of system calls, checked.

    Args:
        path: The file.
        handlers: The functions that a row may name.

    Raises:
        PluginError: It can't be read, or rows are wrong; one line for each fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = tomli.loads(text).get("syscall")
    except (OSError, UnicodeDecodeError) as e:
        raise PluginError(f"{path}: cannot be read: {e}") from e
    except tomli.TOMLDecodeError as e:
        from personae.core.config.reading import split_line

        said, line = split_line(str(e), text)
        raise PluginError(f"{path}:{line}: not TOML: {said}") from e
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise PluginError(
            f"{path}: no array of tables [[syscall]]; each row has number, name, "
            "handler, level and note"
        )
    faults = _faults(rows, handlers)
    if faults:
        lines = _lines(text)
        raise PluginError(
            "\n".join(f"{path}:{lines.get(at, 0)}: {said}" for at, said in faults)
        )
    return rows


def _lines(text: str) -> dict[tuple[int, str], int]:
    """The line of each key, and of each row under the empty key."""
    from personae.core.config.lines import line_index

    found: dict[tuple[int, str], int] = {}
    for place, line in line_index(text).items():
        if len(place) in (2, 3) and place[0] == "syscall":
            found[int(place[1]), str(place[2]) if len(place) == 3 else ""] = line
    return found


Fault = tuple[tuple[int, str], str]
"""Row and key, for the line; what is wrong."""


def _faults(rows: list[dict[str, Any]], handlers: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    taken: dict[int, int] = {}
    for i, row in enumerate(rows):
        name = row.get("name") if isinstance(row.get("name"), str) else f"row {i + 1}"
        said = [*_keys(row), *_kinds(row)]
        if not said:
            said = _handler(row, handlers)
            first = taken.setdefault(row["number"], i)
            if first != i:
                other = rows[first]["name"]
                text = f"number {row['number']} is that of {other} already"
                said.append(("number", f"{text}; a number has one row"))
        faults += [((i, key), f"{name}: {text}") for key, text in said]
    return faults


def _keys(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Keys that are not there, or that nobody knows."""
    said = [
        (key, f"unknown key {key!r} ({did_you_mean(key, KEYS)})")
        for key in row
        if key not in KEYS
    ]
    said += [
        ("", f"the key {key!r} is missing")
        for key in ("number", "name", "level")
        if key not in row
    ]
    return said


def _kinds(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Values of a wrong kind."""
    said = []
    number = row.get("number", 0)
    if type(number) is not int or not 0 <= number < 1 << 32:
        said.append(("number", f"number = {number!r}: a number of 32 bits is wanted"))
    for key in ("name", "handler", "note"):
        if not isinstance(row.get(key, ""), str):
            said.append((key, f"{key} = {row[key]!r}: a string is wanted"))
    if row.get("name") == "":
        said.append(("name", "the name is empty"))
    level = row.get("level", "full")
    if level not in LEVELS:
        hint = did_you_mean(str(level), LEVELS)
        hint = hint if hint.startswith("did") else f"it is one of {', '.join(LEVELS)}"
        said.append(("level", f"no level {level!r} ({hint})"))
    return said


def _handler(row: dict[str, Any], handlers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A handler goes with full and partial, and is a function that can be called."""
    name = row.get("handler", "")
    if row["level"] == Level.ABSENT.value:
        if name:
            return [("handler", "a row of level absent has no handler; remove one")]
        return []
    if not name:
        text = f"level {row['level']!r} needs a handler; without one it is 'absent'"
        return [("", text)]
    if row["level"] == Level.PARTIAL.value and not row.get("note"):
        return [("level", "level 'partial' needs a note that says what is missing")]
    fn = handlers.get(name)
    if fn is None:
        known = [n for n, f in handlers.items() if callable(f) and n.startswith("sys")]
        hint = did_you_mean(name, known)
        hint = hint if hint.startswith("did") else "define it, or correct the name"
        return [("handler", f"there is no handler {name!r} ({hint})")]
    if not callable(fn):
        return [("handler", f"{name} is of type {type(fn).__name__}, and no function")]
    count = nargs_of(fn)
    if not 0 <= count <= MAX_ARGS:
        where = place_of(fn)
        text = f"{name} ({where}) has to take the lwp and up to six arguments"
        return [("handler", text)]
    return []
