"""Watched areas, by a guest that touches one page in every way (FORK-61)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from personae.core.ledgercheck import ledger_check
from personae.core.lwp import WhyStop
from personae.core.prctl import Flt
from personae.core.vm.watch import WFlag

RW = int(WFlag.WA_READ | WFlag.WA_WRITE)
OUTPUT = (0, "3210 4950 5 7\n")
Traced = Callable[..., Any]
Symbol = Callable[[str, str], int]


def test_untraced(traced: Traced) -> None:
    assert traced("watch").finish()[0] == 0


@pytest.mark.parametrize("cpus", [1, 2])
def test_accesses_beside_the_area_are_made(
    traced: Traced, symbol: Symbol, cpus: int
) -> None:
    """Integers, bytes, reals, amo and lr/sc of a watched page, to the same end."""
    plain = traced("watch", cpus=cpus).finish()
    t = traced("watch", cpus=cpus)
    t.control.watch(symbol("watch", "page") + 4000, 8, RW)
    assert t.finish() == plain
    assert ledger_check(t.k) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("how", ["write", "read and write"])
def test_an_access_stops(traced: Traced, symbol: Symbol, after: bool, how: str) -> None:
    t = traced("watch")
    page, c = symbol("watch", "page"), t.control
    kinds = int(WFlag.WA_WRITE) if how == "write" else RW
    c.watch(page, 8, kinds | (int(WFlag.WA_TRAPAFTER) if after else 0))
    c.set_faults([Flt.FLTWATCH])
    lwp = c.wait(t.job)
    assert (lwp.whystop, lwp.whatstop) == (WhyStop.PR_FAULTED, Flt.FLTWATCH)
    touch = symbol("watch", "touch")
    assert touch <= c.regs(lwp)[32] < touch + 64
    assert c.read(page, 8) == (42 if after else 0).to_bytes(8, "little")
    c.watch(page, 8, 0)
    c.run(clear_fault=True)
    assert t.finish()[0] == 0


def test_without_fltwatch_it_is_a_signal(traced: Traced, symbol: Symbol) -> None:
    t = traced("watch")
    t.control.watch(symbol("watch", "page"), 8, int(WFlag.WA_WRITE))
    assert t.finish()[0] == -5


def test_executing_stops_before(traced: Traced, symbol: Symbol) -> None:
    """The rest of the page, jumps and calls of the system too, is executed."""
    t = traced("watch")
    c, touch = t.control, symbol("watch", "touch")
    c.watch(touch, 2, int(WFlag.WA_EXEC))
    c.set_faults([Flt.FLTWATCH])
    lwp = c.wait(t.job)
    assert c.regs(lwp)[32] == touch
    c.watch(touch, 2, 0)
    c.run(clear_fault=True)
    assert t.finish()[0] == 0


@pytest.mark.invariant(61)
def test_over_fork_and_vfork(traced: Traced, symbol: Symbol) -> None:
    """The children of fork and vfork write freely, the parent is caught."""
    t = traced("watch")
    page, c = symbol("watch", "page"), t.control
    c.watch(page, 8, int(WFlag.WA_WRITE | WFlag.WA_TRAPAFTER))
    c.set_faults([Flt.FLTWATCH])
    stops = []
    for _ in range(2):
        c.wait(t.job)
        stops.append(c.read(page, 8)[0])
        assert len(c.watched()) == 1
        c.run(clear_fault=True)
    code, out = t.finish()
    assert (code, stops) == (0, [42, 42])
    assert out.split()[3] == "7"


def test_a_run_repeats_itself(traced: Traced, symbol: Symbol) -> None:
    digests = set()
    for _ in range(2):
        t = traced("watch")
        t.control.watch(symbol("watch", "page") + 4000, 8, RW)
        t.finish()
        digests.add(t.k.digest())
    assert len(digests) == 1


def test_a_machine_with_watched_areas_is_saved(traced: Traced, symbol: Symbol) -> None:
    """Controls, areas and stops are in the snapshot."""
    t = traced("watch")
    page, c = symbol("watch", "page"), t.control
    c.watch(page, 8, int(WFlag.WA_WRITE))
    c.set_faults([Flt.FLTWATCH])
    c.wait(t.job)
    pid = t.proc.pid
    t.machine.restore(t.machine.snapshot())
    proc = next(p for p in t.machine.kernel.practive if p.pid == pid)
    again = proc.trace[0]
    lwp = again.stopped()
    assert (lwp.whystop, lwp.whatstop) == (WhyStop.PR_FAULTED, Flt.FLTWATCH)
    again.run(clear_fault=True)
    assert again.wait().whystop is WhyStop.PR_FAULTED
    assert again.read(page, 1) == b"\0"
