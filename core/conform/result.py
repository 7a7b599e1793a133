"""Checks and their results; KTAP in, plain data out.

A check is one statement that held or not: what, and who says that it should.  A
case is one program or function on one machine, with all of its checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from typing_extensions import override

SHOWN = 20
"""Failed checks of a case that are printed; the files have them all."""
OUTCOMES = ("passed", "failed", "skipped", "gap")


@dataclass
class Check:
    """One check.

    Attributes:
        what: What should hold.
        cite: Who says so: a manual page, a section, an invariant (FORK-nn).
        outcome: ``passed``, ``failed``, ``skipped`` or ``gap`` (known not to hold).
        detail: What was found instead, or why it was skipped.
    """

    what: str
    cite: str
    outcome: str
    detail: str = ""


class Checks:
    """Where a Python check writes down what it finds; the interface of ktap.h."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def check(self, holds: object, what: str, cite: str, detail: str = "") -> bool:
        """Note whether something holds.

        Args:
            holds: Its truth.
            what: What should hold.
            cite: Who says so.
            detail: What to print where it does not.
        """
        ok = bool(holds)
        outcome = "passed" if ok else "failed"
        self.checks.append(Check(what, cite, outcome, "" if ok else detail))
        return ok

    def equal(self, got: object, want: object, what: str, cite: str) -> bool:
        """Note whether two values are equal; both are printed where they are not."""
        return self.check(got == want, what, cite, f"got {got!r} want {want!r}")

    def skip(self, what: str, why: str, cite: str) -> None:
        """Note a check that cannot apply, and why."""
        self.checks.append(Check(what, cite, "skipped", why))


@dataclass
class CaseResult:
    """What a case gave on one machine.

    Attributes:
        brand: Whose suite.
        area: What it is about.
        name: The case, as ``personae conform --case`` takes it.
        cpus: How many CPUs the machine had.
        seed: The machine's seed.
        checks: What it found.
        instructions: Retired by its machines.
        digest: Hash over all that its guests did.
        output: What the program printed; kept where a check failed.
    """

    brand: str
    area: str
    name: str
    cpus: int
    seed: int
    checks: list[Check] = field(default_factory=list)
    instructions: int = 0
    digest: str = ""
    output: str = ""

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [c for c in self.checks if c.outcome == "failed"]

    @property
    def replay(self) -> str:
        """The command that runs this case alone, in the same way."""
        words = ["personae conform", self.brand, "--case", self.name]
        words += ["--cpus", str(self.cpus)]
        if self.seed:
            words += ["--seed", str(self.seed)]
        return " ".join(words)

    @override
    def __str__(self) -> str:
        lines = [f"{self.brand} {self.name} on {self.cpus} CPU{'s'[: self.cpus > 1]}:"]
        for c in self.failed[:SHOWN]:
            lines.append(f"  not ok: {c.what} # {c.cite}")
            lines += [f"    {line}" for line in c.detail.splitlines()]
        if len(self.failed) > SHOWN:
            lines.append(f"  and {len(self.failed) - SHOWN} more")
        lines.append(f"replay: {self.replay}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Itself as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CaseResult:
        """What ``as_dict`` gave."""
        got = cls(**data)
        got.checks = [Check(**c) for c in data["checks"]]
        return got


_LINE = re.compile(r"(not )?ok (\d+) (.*?)(?: # (.*))?")
_PLAN = re.compile(r"1\.\.(\d+)")


def parse_ktap(text: str, status: int) -> list[Check]:
    """The checks that a program printed.

    What is wrong with the output itself is a failed check: a line out of order, a plan
    that is missing or different, a citation that is missing, a status that contradicts
    the lines.

    Args:
        text: Its output.
        status: Its exit status, or minus a signal.
    """
    out: list[Check] = []
    plan = -1
    for line in text.splitlines():
        if m := _LINE.fullmatch(line):
            out.append(_check_of(m, len(out) + 1))
        elif m := _PLAN.fullmatch(line):
            plan = int(m[1])
        elif line.startswith("# ") and out and out[-1].outcome == "failed":
            out[-1].detail += line[2:] + "\n"
    wrong = []
    if not text.startswith("KTAP version 1\n"):
        wrong.append("it does not begin with: KTAP version 1")
    if plan == -1:
        wrong.append(f"it ended without its plan, with status {status}")
    elif plan != len(out):
        wrong.append(f"its plan is 1..{plan}, and there were {len(out)} checks")
    elif plan == 0:
        wrong.append("it checked nothing")
    elif (status != 0) != any(c.outcome == "failed" for c in out):
        wrong.append(f"its status {status} contradicts its lines")
    if wrong:
        out.append(Check("the program runs to its end", "KTAP", "failed", wrong[0]))
    return out


def _check_of(m: re.Match[str], number: int) -> Check:
    what, cite = m[3], m[4] or ""
    if int(m[2]) != number:
        return Check(what, cite, "failed", f"numbered {m[2]}, and is number {number}")
    if cite.startswith("SKIP"):
        why, _, source = cite[5:].rpartition(" (")
        return Check(what, source.removesuffix(")"), "skipped", why)
    if not cite:
        return Check(what, cite, "failed", "it cites nothing")
    return Check(what, cite, "failed" if m[1] else "passed")


def apply_gaps(area: str, checks: list[Check], gaps: Mapping[str, str]) -> None:
    """Turn failures that are known into gaps, and gaps that hold into failures.

    A gap ``area: what`` that no check of the area has is a failure too.
    """
    known = {k.partition(": ")[2]: why for k, why in gaps.items() if _area(k) == area}
    for c in checks:
        why = known.pop(c.what, None)
        if why is None:
            continue
        if c.outcome == "failed":
            c.outcome, c.detail = "gap", why
        elif c.outcome == "passed":
            c.outcome, c.detail = "failed", f"a known gap that holds now: {why}"
    for what in known:
        checks.append(
            Check(what, "-", "failed", "a known gap names a check that there is not")
        )


def _area(gap: str) -> str:
    return gap.partition(": ")[0]
