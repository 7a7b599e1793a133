"""Every bad input gets the message that ``expected.txt`` has: where, what, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bad.cases import Case, all_cases, said

EXPECTED = Path(__file__).with_name("expected.txt")
CASES = all_cases()


def expected() -> dict[str, str]:
    """The messages by case."""
    parts = EXPECTED.read_text(encoding="utf-8").split("== ")[1:]
    return {name: text.strip() for name, _, text in (p.partition("\n") for p in parts)}


def test_the_corpus_is_whole() -> None:
    """Sixty at least, each with a message, and no message without its input."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 60
    assert list(expected()) == names
    assert [name for name, text in expected().items() if not text] == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_what_is_said(case: Case) -> None:
    text = said(case)
    assert text.strip() == expected()[case.name]
    assert "Traceback" not in text
    assert "internal error" not in text


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_where_it_is(case: Case) -> None:
    """A file with its line, a package, a brand or plugin, a command."""
    kind, _, name = case.name.partition("/")
    first = expected()[case.name].splitlines()[0]
    where = {
        "toml": "file.toml:",
        "syscalls.toml": "syscalls.toml:",
        "brand": "brand ",
        "plugin": "p",
        "package": "odd-package-1 1.0",
        "elf": "/program",
        "cli": "personae",
    }[kind]
    assert where in first or name in (
        "two-of-one-name",
        "no-such-file",
        "set-unknown-key",
    )
