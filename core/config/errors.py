"""What is wrong with a configuration, and where: problems and their exception.

A problem always names the file, the line, the key and the remedy, because it
is read by a person who has the file open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in the document: ``("zone", "web", "fs", 0, "dir")``."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Where:
    """A place in a file; a line of 0 stands for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One finding: an error stops the machine, a warning is printed."""

    where: Where
    path: str
    text: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        key = f"{self.path}: " if self.path else ""
        mark = "warning: " if self.severity == "warning" else ""
        return f"{self.where}: {mark}{key}{self.text}"


class ConfigError(Exception):
    """A configuration that cannot be used; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def dotted(path: Path) -> str:
    """Spell a path as one would in TOML.

    >>> dotted(("zone", "web", "fs", 0, "dir"))
    'zone.web.fs[0].dir'
    >>> dotted(("plugin", "a b"))
    'plugin."a b"'
    """
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
            continue
        name = part if _BARE.fullmatch(part) else '"' + part.replace('"', '\\"') + '"'
        out += f".{name}" if out else name
    return out


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The tail of a message about an unknown word: a guess, or what there is.

    >>> did_you_mean("brnd", ["brand", "hostname"])
    "did you mean 'brand'?"
    >>> did_you_mean("zzz", ["a", "b"])
    'known: a, b'
    """
    folded = {name.lower().replace("_", "-"): name for name in known}
    close = get_close_matches(word.lower().replace("_", "-"), folded, 1, 0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    return f"known: {', '.join(known)}" if known else "none is known here"
