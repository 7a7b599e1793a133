"""FORK-103 to FORK-106, FORK-119: each allocation inside each step of a fork fails.

An allocation is the making of any object of the kernel: the profiler of the interpreter
sees each constructor and each copy from the first step to the commit, and raises
ENOMEM in place of the n-th.  So a step that takes several things is caught half-way,
and has to be all or nothing.  The allocations of the hardware are in
``test_failure.test_no_frame_is_left``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError, Panic
from personae.core.ledgercheck import ledger_check
from personae.core.newproc import newproc
from personae.core.sync import Sleep
from personae.core.txn import Transaction
from personae.plugins.contract_process import CtParam, Template
from tests.invariants.stage import EACH_KIND, Stage, Watch

invariant = pytest.mark.invariant
MAKERS = ("__init__", "copy", "dup", "for_child", "cl_alloc", "b_lwpdata_alloc")
"""Names of functions that make an object."""
NOT_MADE = (KernelError, Sleep, Panic, Transaction)
KEEP_EXEC = int(CtParam.KEEP_EXEC)
COPY = ("sprlock", "sprunlock")


class Allocator:
    """Counts the allocations of one fork, and lets one of them fail.

    Attributes:
        fail_at: Which, from 1; 0 for none.
        seen: What was allocated: in which step, by which function.
    """

    def __init__(self) -> None:
        self.fail_at = 0
        self.seen: list[tuple[str, str]] = []
        self.txn: Transaction | None = None

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        if event != "call":
            return
        name, me = frame.f_code.co_name, frame.f_locals.get("self")
        if isinstance(me, Transaction):
            if name == "__enter__":
                self.txn = me
            elif name in ("commit", "__exit__"):
                self.txn = None
        elif self.txn is not None and self.txn.steps and name in MAKERS:
            if isinstance(me, NOT_MADE):
                return
            what = f"{type(me).__name__}.{name}"
            self.seen.append((self.txn.steps[-1], what))
            if len(self.seen) == self.fail_at:
                self.txn = None
                raise KernelError(Errno.ENOMEM, f"injected: {self.seen[-1]}")

    def during(self, call: Callable[[], Any]) -> Any:
        self.seen.clear()
        self.txn = None
        sys.setprofile(self)
        try:
            return call()
        finally:
            sys.setprofile(None)


def errno_in(steps: list[str], step: str) -> Errno:
    """ENOMEM while the memory is copied, else EAGAIN (FORK-120)."""
    if step in ("flags", "agent", "secpolicy_basic_fork", "holdlwps"):
        raise AssertionError(f"{step} allocates")
    if COPY[0] in steps:
        lo, hi = (steps.index(s) for s in COPY)
        if lo <= steps.index(step) <= hi:
            return Errno.ENOMEM
    return Errno.EAGAIN


def fail_each(
    s: Stage, make: Callable[[], Any], errno_of: Callable[[str], Errno]
) -> int:
    """Let each allocation of ``make`` fail; how many there are."""
    allocator = Allocator()
    s.ledger()
    allocator.during(lambda: undone(s, make))
    total, before = len(allocator.seen), s.ledger()
    for n in range(1, total + 1):
        allocator.fail_at = n
        with pytest.raises(KernelError) as e:
            allocator.during(make)
        at = allocator.seen[-1]
        assert (n, at, len(allocator.seen)) == (n, at, n)
        assert (at, e.value.errno) == (at, errno_of(s.steps()[-1]))
        assert (at, s.diff(before), ledger_check(s.k)) == (at, [], [])
    allocator.fail_at = 0
    undone(s, make)
    return total


def undone(s: Stage, make: Callable[[], Any]) -> None:
    made = make()
    s.exit(getattr(made, "proc", made))


@invariant(103, 104, 105, 106, 119)
@pytest.mark.parametrize("template", [False, True], ids=["plain", "contract"])
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_each_allocation(
    brand: str, kind: str, template: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    total = 0
    for lwps in range(1, 7) if kind == "forkall" else (1, 3):
        s = Stage(brand)
        for _ in range(lwps - 1):
            s.add_lwp()
        # a contract that nobody owns after the fork, so that it goes with the child
        s.lwp.ct_active = {"process": Template(params=KEEP_EXEC)} if template else {}
        s.exit(s.fork(kind))
        steps = s.steps()
        if template:  # steps are announced one by one when somebody listens
            Watch(s)
        total += fail_each(s, partial(s.fork, kind), partial(errno_in, steps))
    with capsys.disabled():
        print(f" {total} allocations failed", end="")
    assert total > 20


@invariant(108)
@pytest.mark.parametrize("system", [True, False], ids=["system", "user"])
def test_each_allocation_of_newproc(
    brand: str, system: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    s = Stage(brand)
    zone = s.p.zone
    parent = zone.zsched
    assert parent is not None
    s.k.current = None

    def make() -> Any:
        return newproc(s.k, parent, system=system, name=b"x", zone=zone)

    total = fail_each(s, make, lambda step: Errno.EAGAIN)
    with capsys.disabled():
        print(f" {total} allocations failed", end="")
    assert total > 10
