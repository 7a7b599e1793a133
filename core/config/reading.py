"""Read a configuration file, its bases and overrides, into a ``Config``.

Everything that can be wrong is collected and raised as one ConfigError; a
problem in a base file names the base file.  Relative host paths start from
the folder of the file in which they stand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as HostPath
from typing import Any

import tomli

from personae.core.config.errors import ConfigError, Path, Problem, Where
from personae.core.config.lines import line_index
from personae.core.config.rules import Known, check_rules, derived
from personae.core.config.schema import Config, place_of
from personae.core.config.walker import Walk

MAX_EXTENDS = 8
OVERRIDE = "override"


@dataclass
class Document:
    """Parsed tables, and the place of each key."""

    tables: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Where] = field(default_factory=dict)


def load(
    path: str | os.PathLike[str],
    overrides: Mapping[str, object] | None = None,
    known: Known | None = None,
) -> Config:
    """Read and validate a file.

    Args:
        path: The TOML file.
        overrides: Values by dotted key, such as ``{"machine.seed": 7}``.
        known: The brands and plugins that exist; None leaves their names unchecked.

    Raises:
        ConfigError: With every problem found.
    """
    source = os.fspath(path)
    return finish(read_document(source, ()), source, overrides or {}, known or Known())


def loads(
    text: str,
    source: str = "<string>",
    overrides: Mapping[str, object] | None = None,
    known: Known | None = None,
) -> Config:
    r"""Validate a text; ``source`` stands for its file name.

    >>> loads('[machine]\ncpus = 2\n').machine.cpus
    2
    """
    document = parse(text, source)
    return finish(
        with_base(document, source, ()), source, overrides or {}, known or Known()
    )


def merged(
    path: HostPath | str, overrides: Mapping[str, object] | None = None
) -> tuple[dict[str, Any], dict[Path, Where]]:
    """A file over what it extends, with overrides: plain tables, and their places.

    Raises:
        ConfigError: It can't be read.  What it says is not checked.
    """
    document = read_document(str(path), ())
    for key, value in (overrides or {}).items():
        override(document, key, value)
    document.tables.pop("extends", None)
    return document.tables, document.places


def finish(
    document: Document,
    source: str,
    overrides: Mapping[str, object],
    known: Known,
) -> Config:
    """Validate a merged document."""
    for key, value in overrides.items():
        override(document, key, value)

    def where(path: Path) -> Where:
        return place_of(document.places, path, source)

    def folder(path: Path) -> str:
        file = where(path).file
        return "" if file == OVERRIDE else str(HostPath(file).parent)

    remarks = {b: f"the table of another brand, {b!r}" for b in known.brands or ()}
    walk = Walk(where, folder, remarks)
    config: Config = walk.value(Config, document.tables, ())
    check_rules(walk, document.tables, config, known)
    problems = sorted(walk.problems, key=lambda p: (p.where.file, p.where.line))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems)
    zones = {name: derived(zone) for name, zone in config.zones.items()}
    return replace(
        config,
        zones=zones,
        source=source,
        places=document.places,
        warnings=tuple(problems),
    )


def read_document(source: str, chain: tuple[str, ...]) -> Document:
    """Read a file and, under it, the file that it extends."""
    try:
        text = HostPath(source).read_bytes().decode("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise trouble(source, 0, f"cannot be read: {reason}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        text = "is not UTF-8 here; TOML files are"
        raise trouble(source, line, text) from None
    return with_base(parse(text, source), source, chain)


def with_base(document: Document, source: str, chain: tuple[str, ...]) -> Document:
    """Merge a document over the one it extends, if it does."""
    base = document.tables.get("extends")
    if not isinstance(base, str):
        return document  # the walker reports a wrong type
    target = HostPath(source).parent / base
    line = document.places[("extends",)].line
    chain = (*chain, str(HostPath(source).resolve()))
    if str(target.resolve()) in chain or len(chain) > MAX_EXTENDS:
        text = f"extends: {base!r} leads back here, or is nested too deeply"
        raise trouble(source, line, text)
    if not target.is_file():
        text = f"extends: {base!r}: no such file (looked for {target})"
        raise trouble(source, line, text)
    merged = read_document(str(target), chain)
    merged.tables.pop("extends", None)
    merge(merged, document, document.tables, ())
    return merged


def merge(under: Document, over: Document, tables: dict[str, Any], at: Path) -> None:
    """Lay one document over another: tables merge, everything else replaces."""
    target: Any = under.tables
    for part in at:
        target = target[part]
    for key, value in tables.items():
        path = (*at, key)
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            if path in over.places:
                under.places[path] = over.places[path]
            merge(under, over, value, path)
            continue
        target[key] = value
        for place in [p for p in under.places if p[: len(path)] == path]:
            del under.places[place]
        for place, where in over.places.items():
            if place[: len(path)] == path:
                under.places[place] = where


def parse(text: str, source: str) -> Document:
    """Parse TOML text and index its lines."""
    text = text.replace("\r\n", "\n")
    try:
        tables = tomli.loads(text)
        lines = line_index(text)
    except RecursionError:
        raise trouble(source, 0, "values are nested too deeply") from None
    except ValueError as error:
        message, line = split_line(str(error), text)
        raise trouble(source, line, f"not TOML: {message}") from None
    places = {path: Where(source, line) for path, line in lines.items()}
    return Document(tables, places)


def split_line(message: str, text: str) -> tuple[str, int]:
    """Take the place out of tomli's message: the words and the line."""
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return f"{message[: found.start()]} (column {found[2]})", int(found[1])
    if message.endswith(" (at end of document)"):
        line = text.rstrip("\n").count("\n") + 1
        return message.replace("end of document", "the end of the file"), line
    return message.partition(";")[0], 0


def override(document: Document, key: str, value: object) -> None:
    """Set one value by its dotted key."""
    parts = tuple(key.split("."))
    table = document.tables
    for part in parts[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            text = f"{key}: {part!r} is not a table"
            raise trouble(OVERRIDE, 0, text)
        table = inner
    table[parts[-1]] = value
    document.places[parts] = Where(OVERRIDE)


def trouble(source: str, line: int, text: str) -> ConfigError:
    """An error that leaves nothing to go on with."""
    return ConfigError([Problem(Where(source, line), "", text)])
