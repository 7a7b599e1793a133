"""Which line of a TOML text each key stands on.

tomli gives values without places.  This scanner walks a text that tomli has
already accepted and notes the line of every table, key and array element, so
that the validator can say ``zones.toml:12``.  It trusts the text to be valid
TOML and knows nothing of what the keys mean.
"""

from __future__ import annotations

import re
from bisect import bisect_right

import tomli

from personae.core.config.errors import Path

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_MULTI_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)
_MULTI_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def line_index(text: str) -> dict[Path, int]:
    r"""Map each path of a valid TOML text to its line.

    >>> index = line_index("[a]\nb = [1,\n  2]\n[[c.d]]\n[[c.d]]\ne.f = {g = 1}\n")
    >>> index["a", "b", 1], index["c", "d", 1], index["c", "d", 1, "e", "f", "g"]
    (3, 5, 6)
    """
    return _Scanner(text).run()


class _Scanner:
    """One pass over a text; ``index`` is the result."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.newlines = [i for i, char in enumerate(text) if char == "\n"]
        self.index: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.peek("[["):
                table = self.header(2)
            elif self.peek("["):
                table = self.header(1)
            else:
                self.pair(table)
            self.blank()
        return self.index

    def header(self, brackets: int) -> Path:
        line = self.line()
        self.at += brackets
        parts = self.key()
        self.at += brackets
        path: Path = ()
        for number, part in enumerate(parts, 1):
            path = (*path, part)
            self.index.setdefault(path, line)
            if number == len(parts) and brackets == 2:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path])
                self.index.setdefault(path, line)
        if brackets == 1:  # the header itself beats an earlier child's mention
            self.index[path] = line
        return path

    def pair(self, table: Path) -> None:
        line = self.line()
        path = table
        for part in self.key():
            path = (*path, part)
            self.index.setdefault(path, line)
        self.at += 1  # the equals sign, which key() stopped at
        self.value(path)

    def key(self) -> list[str]:
        """Read a dotted key and stop at what follows it."""
        parts = []
        while True:
            self.blank()
            if self.peek('"') or self.peek("'"):
                raw = self.take(_BASIC if self.peek('"') else _LITERAL)
                parts.append(str(tomli.loads(f"key = {raw}")["key"]))
            else:
                parts.append(self.take(_BARE))
            self.blank()
            if not self.peek("."):
                return parts
            self.at += 1

    def value(self, path: Path) -> None:
        self.blank()
        if self.peek("["):
            self.array(path)
        elif self.peek("{"):
            self.inline(path)
        else:
            self.take(self.string() or _SCALAR)

    def string(self) -> re.Pattern[str] | None:
        for start, pattern in (
            ('"""', _MULTI_BASIC),
            ("'''", _MULTI_LITERAL),
            ('"', _BASIC),
            ("'", _LITERAL),
        ):
            if self.peek(start):
                return pattern
        return None

    def array(self, path: Path) -> None:
        self.at += 1
        number = 0
        self.blank()
        while not self.peek("]"):
            element = (*path, number)
            self.index[element] = self.line()
            self.value(element)
            number += 1
            self.separator()
        self.at += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        self.blank()
        while not self.peek("}"):
            self.pair(path)
            self.separator()
        self.at += 1

    def separator(self) -> None:
        self.blank()
        if self.peek(","):
            self.at += 1
            self.blank()

    def peek(self, start: str) -> bool:
        return self.text.startswith(start, self.at)

    def blank(self) -> None:
        self.take(_BLANK)

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:  # tomli accepted what this grammar does not know
            raise ValueError(f"line {self.line()}: cannot follow the TOML here")
        self.at = found.end()
        return found.group()

    def line(self) -> int:
        return bisect_right(self.newlines, self.at - 1) + 1
