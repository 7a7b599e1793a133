"""Every invariant has a test, or says why there can be none yet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from personae.plugins.pytest_personae import load
from tests import marks
from tests.invariants.test_guests import GUESTS

TESTS = Path(__file__).parents[1]


def _marked() -> Iterator[int]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "invariant":
                args = [a.value for a in node.args if isinstance(a, ast.Constant)]
                yield from (n for n in args if isinstance(n, int))
    for source in GUESTS.rglob("*.c"):
        head = source.read_text(encoding="utf-8").partition("*/")[0]
        yield from (int(n) for n in re.findall(r"FORK-(\d+)", head))
    for table in (marks.BOTH, *marks.ONE.values()):
        for numbers in table.values():
            yield from numbers


def test_each_has_a_test_or_a_reason() -> None:
    tested = set(_marked())
    rows = load()
    assert tested <= set(rows)
    missing = {n for n, r in rows.items() if n not in tested and not r["later"]}
    assert missing == set()
