"""Tracing, and the page on how a fork happens, which shows a trace."""

from __future__ import annotations

import re
from pathlib import Path

from personae.plugins.tracing import Trace, diagram
from tests.core.machines import native

PAGE = Path(__file__).parents[2] / "docs" / "how-a-fork-happens.md"


def traced(**options: object) -> Trace:
    machine, zone = native("forktest")
    trace = Trace(**options)  # type: ignore[arg-type]
    machine.plugins.register(trace)
    zone.run(["/bin/forktest", "1"])
    return trace


def block(kind: str) -> str:
    """The fenced block of the page after its marker."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {kind} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"{PAGE.name} has no block {kind}"
    return found[1]


def from_the_fork(trace: Trace) -> str:
    """The trace from the guest's fork on."""
    lines = trace.text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if "forksys(" in line)
    return "".join(lines[start:])


def test_the_page_shows_what_is_printed() -> None:
    assert block("trace") == from_the_fork(traced())


def test_the_diagram_of_the_page_is_the_traces() -> None:
    assert block("diagram") == diagram(traced().events)


def test_a_traced_machine_runs_as_one_that_is_not() -> None:
    digests = set()
    for plugins in ([], [Trace()]):
        machine, zone = native("forktest", plugins=plugins)
        zone.run(["/bin/forktest", "3"])
        digests.add(machine.digest())
    assert len(digests) == 1


def test_only_some_calls_and_no_steps() -> None:
    trace = traced(steps=False, only=("forksys",))
    calls = [e.text for e in trace.events if e.kind in ("call", "return", "step")]
    assert calls == ["forksys(0, 0)", "forksys = 102"]
