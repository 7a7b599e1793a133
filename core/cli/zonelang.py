"""The language of zonecfg(8): commands of words, values that can be lists.

A command ends at a semicolon or the end of its line; ``#`` begins a comment where a
word could.  A word with blanks, semicolons or brackets in it stands in quotes, in which
a backslash takes the next character as it is.  ``[a,b]`` is a list.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = r'"(?:\\.|[^"\\])*"'
_LIST = rf'\[(?:{_QUOTED}|[^\]"\n])*\]'
_TOKEN = re.compile(
    rf"(?P<end>[;\n])|(?P<comment>#[^\n]*)"
    rf'|(?P<word>(?:{_QUOTED}|{_LIST}|[^\s;"])+)|(?P<blank>[^\S\n]+)',
    re.DOTALL,
)
_PIECE = re.compile(rf'(?:{_QUOTED}|[^",])+', re.DOTALL)


class Command(NamedTuple):
    """One command: its words as written, and its line."""

    words: list[str]
    line: int


class LanguageError(Exception):
    """The text is not in the language."""


def parse(text: str) -> list[Command]:
    r"""The commands of a text.

    >>> [c.words for c in parse("create -b; set pool=a  # why\nend")]
    [['create', '-b'], ['set', 'pool=a'], ['end']]

    Raises:
        LanguageError: A quotation does not end.
    """
    found: list[Command] = []
    words: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        line = text.count("\n", 0, at) + 1
        if token is None:
            raise LanguageError(f"line {line}: a quotation begins here and never ends")
        if token["word"]:
            words.append(token["word"])
        elif token["end"] and words:
            found.append(Command(words, line))
            words = []
        at = token.end()
    if words:
        found.append(Command(words, text.rstrip().count("\n") + 1))
    return found


def unquote(word: str) -> str:
    """A word without its quotes.

    >>> unquote('"a b"'), unquote('x="y'), unquote("plain")
    ('a b', 'x="y', 'plain')
    """

    def inner(found: re.Match[str]) -> str:
        return re.sub(r"\\(.)", r"\1", found[0][1:-1], flags=re.DOTALL)

    return re.sub(_QUOTED, inner, word, flags=re.DOTALL)


def values(word: str) -> tuple[list[str], bool]:
    """What is written as a value: its words, and whether it is a list.

    >>> values('[ro,"a,b"]'), values("64M")
    ((['ro', 'a,b'], True), (['64M'], False))
    """
    if not (word.startswith("[") and word.endswith("]")):
        return [unquote(word)], False
    return [unquote(piece.strip()) for piece in _PIECE.findall(word[1:-1])], True


def quote(word: str) -> str:
    r"""A word as it has to be written.

    >>> quote("a.b/c"), quote('say "x"')
    ('a.b/c', '"say \\"x\\""')
    """
    if word and all(c.isalnum() or c in "/._-:" for c in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
