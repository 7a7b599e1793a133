"""The results of a suite as a matrix, as JSON and as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from personae.core._version import __version__
from personae.core.conform.result import OUTCOMES

if TYPE_CHECKING:
    from personae.core.conform.result import CaseResult

FORMAT = 1
"""Version of the JSON; raised when a field changes its meaning."""


def in_order(results: Sequence[CaseResult]) -> list[CaseResult]:
    """Sorted: runs in parallel come in any order."""
    return sorted(results, key=lambda r: (r.brand, r.area, r.name, r.cpus))


def matrix(results: Sequence[CaseResult]) -> list[dict[str, Any]]:
    """One row for each brand and area, with the sums of its cases."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for r in in_order(results):
        fresh = {
            "brand": r.brand,
            "area": r.area,
            "cpus": [],
            **dict.fromkeys(OUTCOMES, 0),
            "instructions": 0,
        }
        row = rows.setdefault((r.brand, r.area), fresh)
        if r.cpus not in row["cpus"]:
            row["cpus"].append(r.cpus)
        for check in r.checks:
            row[check.outcome] += 1
        row["instructions"] += r.instructions
    return list(rows.values())


def lines(results: Sequence[CaseResult]) -> list[str]:
    """The matrix as text, one verdict for each brand, and how to replay failures."""
    out = [
        f"{'brand':<10} {'area':<12} {'cpus':<8} {'passed':>7} {'failed':>7} "
        f"{'skipped':>7} {'gaps':>5} {'instructions':>13}"
    ]
    rows = matrix(results)
    for row in rows:
        cpus = ",".join(map(str, sorted(row["cpus"])))
        out.append(
            f"{row['brand']:<10} {row['area']:<12} {cpus:<8} {row['passed']:>7} "
            f"{row['failed']:>7} {row['skipped']:>7} {row['gap']:>5} "
            f"{row['instructions']:>13,}"
        )
    for brand in dict.fromkeys(row["brand"] for row in rows):
        out.append(_verdict(brand, [r for r in rows if r["brand"] == brand]))
    out += [f"replay: {r.replay}" for r in in_order(results) if r.failed]
    return out


def _verdict(brand: str, rows: list[dict[str, Any]]) -> str:
    sums = {o: sum(row[o] for row in rows) for o in OUTCOMES}
    words = [f"{sums['passed']} passed"]
    words += [f"{sums[o]} {o}" for o in ("failed", "skipped") if sums[o]]
    if sums["gap"]:
        words.append(f"{sums['gap']} known gap{'s'[: sums['gap'] > 1]}")
    says = "DOES NOT CONFORM" if sums["failed"] else "CONFORMS"
    return f"{brand}: {says}: {', '.join(words)}"


def to_json(results: Sequence[CaseResult]) -> str:
    """Everything, the same text for the same results."""
    cases = [{**r.as_dict(), "replay": r.replay} for r in in_order(results)]
    data = {
        "format": FORMAT,
        "personae": __version__,
        "matrix": matrix(results),
        "cases": cases,
    }
    return json.dumps(data, indent=1) + "\n"


def to_junit(results: Sequence[CaseResult]) -> str:
    """JUnit XML: a testsuite for each case, a testcase for each check."""
    top = ET.Element("testsuites", name="personae conform")
    for r in in_order(results):
        suite = ET.SubElement(
            top,
            "testsuite",
            name=f"{r.brand}.{r.name}.cpus{r.cpus}",
            tests=str(len(r.checks)),
            failures=str(len(r.failed)),
            errors="0",
            skipped=str(sum(c.outcome in ("skipped", "gap") for c in r.checks)),
        )
        properties = ET.SubElement(suite, "properties")
        for name, value in (
            ("instructions", r.instructions),
            ("digest", r.digest),
            ("cpus", r.cpus),
            ("seed", r.seed),
            ("replay", r.replay),
        ):
            ET.SubElement(properties, "property", name=name, value=str(value))
        for n, c in enumerate(r.checks, 1):
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"{r.brand}.{r.area}",
                name=f"{n} {c.what} [{c.cite}]",
            )
            if c.outcome == "failed":
                failure = ET.SubElement(case, "failure", message=_legal(c.detail))
                failure.text = _legal(f"{c.detail}\nreplay: {r.replay}")
            elif c.outcome != "passed":
                kind = "known gap: " if c.outcome == "gap" else ""
                ET.SubElement(case, "skipped", message=_legal(kind + c.detail))
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 does not allow."""
    return "".join(c if c >= " " or c in "\t\n" else "?" for c in text)
