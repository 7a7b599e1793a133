"""KTAP in, results out: parsing, gaps, matrix, JSON, JUnit."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from personae.core.conform.report import lines, matrix, to_json, to_junit
from personae.core.conform.result import CaseResult, Check, apply_gaps, parse_ktap

GOOD = """KTAP version 1
# area x
ok 1 a file opens # open(2)
not ok 2 it has a size # stat(2)
# line 7: got 3 want 4
ok 3 a tape rewinds # SKIP no tape (here) (mtio(4I))
1..3
"""


def test_lines_become_checks() -> None:
    assert parse_ktap(GOOD, 1) == [
        Check("a file opens", "open(2)", "passed"),
        Check("it has a size", "stat(2)", "failed", "line 7: got 3 want 4\n"),
        Check("a tape rewinds", "mtio(4I)", "skipped", "no tape (here)"),
    ]


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("ok 1 a # b\n1..1\n", 0, "it does not begin with: KTAP version 1"),
        ("KTAP version 1\nok 1 a # b\n", -11, "without its plan, with status -11"),
        ("KTAP version 1\nok 1 a # b\n1..2\n", 0, "its plan is 1..2, and there were 1"),
        ("KTAP version 1\n1..0\n", 0, "it checked nothing"),
        ("KTAP version 1\nok 1 a # b\n1..1\n", 1, "status 1 contradicts"),
        ("KTAP version 1\nnot ok 1 a # b\n1..1\n", 0, "status 0 contradicts"),
        ("KTAP version 1\nok 2 a # b\n1..1\n", 1, "numbered 2, and is number 1"),
        ("KTAP version 1\nok 1 a\n1..1\n", 1, "it cites nothing"),
    ],
)
def test_what_is_wrong_with_the_output_fails(text: str, status: int, says: str) -> None:
    failed = [c for c in parse_ktap(text, status) if c.outcome == "failed"]
    assert says in failed[-1].detail


def test_a_known_gap() -> None:
    checks = parse_ktap(GOOD, 1)
    apply_gaps("x", checks, {"x: it has a size": "not yet", "y: other": "elsewhere"})
    assert checks[1] == Check("it has a size", "stat(2)", "gap", "not yet")
    assert not any(c.outcome == "failed" for c in checks)


def test_a_gap_that_holds_is_a_failure() -> None:
    checks = parse_ktap(GOOD, 1)
    apply_gaps("x", checks, {"x: a file opens": "not yet"})
    assert checks[0].outcome == "failed"
    assert checks[0].detail == "a known gap that holds now: not yet"


def test_a_gap_that_nobody_checks_is_a_failure() -> None:
    checks: list[Check] = []
    apply_gaps("x", checks, {"x: nothing like it": "not yet"})
    assert [(c.what, c.outcome) for c in checks] == [("nothing like it", "failed")]


def results() -> list[CaseResult]:
    one = CaseResult("b", "x", "x", 4, 7, parse_ktap(GOOD, 1), 100, "sha256:1")
    two = CaseResult("b", "x", "x", 1, 7, parse_ktap(GOOD, 1), 90, "sha256:2")
    return [one, two]


def test_matrix() -> None:
    assert matrix(results()) == [
        {
            "brand": "b",
            "area": "x",
            "cpus": [1, 4],
            "passed": 2,
            "failed": 2,
            "skipped": 2,
            "gap": 0,
            "instructions": 190,
        }
    ]
    text = lines(results())
    assert text[1].split() == ["b", "x", "1,4", "2", "2", "2", "0", "190"]
    assert text[2] == "b: DOES NOT CONFORM: 2 passed, 2 failed, 2 skipped"
    assert text[3] == "replay: personae conform b --case x --cpus 1 --seed 7"
    assert text[4] == "replay: personae conform b --case x --cpus 4 --seed 7"


def test_json() -> None:
    data = json.loads(to_json(results()))
    assert [c["cpus"] for c in data["cases"]] == [1, 4]
    case = data["cases"][0]
    assert (case["instructions"], case["digest"]) == (90, "sha256:2")
    assert (
        CaseResult.from_dict({k: case[k] for k in case if k != "replay"})
        == (results()[1])
    )


def test_junit() -> None:
    bad = results()[0]
    bad.checks[1].detail = "a \x00 byte"
    suite = ET.fromstring(to_junit([bad]))[0]
    assert suite.attrib == {
        "name": "b.x.cpus4",
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    found = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert (found["instructions"], found["digest"]) == ("100", "sha256:1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "a ? byte"
    assert "personae conform b --case x --cpus 4 --seed 7" in str(failure.text)
