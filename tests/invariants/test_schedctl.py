"""Slots of schedctl over fork, vfork, exec and exit (fork-semantics 2.2, 2.3)."""

from __future__ import annotations

import pytest

from personae.core import schedctl
from personae.core.errno import Errno
from personae.core.ledgercheck import ledger_check
from tests.invariants.stage import KINDS, Stage, Watch
from tests.invariants.test_failure import FIRST

invariant = pytest.mark.invariant


@pytest.fixture
def s() -> Stage:
    stage = Stage("native")
    schedctl.schedctl(stage.lwp)
    return stage


def mapped(stage: Stage, addr: int) -> bool:
    """Whether the parent's page is in a space."""
    space = stage.p.as_
    assert space is not None
    return any(True for _ in space.overlap(addr, addr + 4096))


@invariant(103, 120)
@pytest.mark.parametrize("kind", KINDS["native"])
def test_each_step_fails_with_a_slot_held(s: Stage, kind: str) -> None:
    """The parent keeps its slot; the child that was not made leaves nothing."""
    addr = s.lwp.schedctl.addr
    watch = Watch(s)
    child = s.fork(kind)
    steps = list(dict.fromkeys(watch.seen))
    s.exit(child)
    for step in steps:
        watch.at = step
        assert s.fails(kind) is FIRST.get(step, Errno.EAGAIN), step
        assert s.lwp.schedctl.addr == addr
        assert mapped(s, addr)
    watch.at = ""
    s.exit(s.fork(kind))
    assert ledger_check(s.k) == []


@pytest.mark.parametrize("kind", ["fork1", "forkall"])
def test_a_child_has_none(s: Stage, kind: str) -> None:
    """Neither slot nor page; its own comes with its own call."""
    addr = s.lwp.schedctl.addr
    child = s.fork(kind)
    assert child.as_ is not None
    assert [t.schedctl for t in child.lwps] == [None]
    assert child.sc_pages == ()
    assert list(child.as_.overlap(addr, addr + 4096)) == []
    assert s.lwp.schedctl.addr == addr
    assert mapped(s, addr)


def test_a_vfork_child_has_a_page_of_its_own(s: Stage) -> None:
    """It is gone from the lent space when the child ends."""
    addr = s.lwp.schedctl.addr
    child = s.fork("vfork")
    other = schedctl.schedctl(child.lwps[0])
    assert other & ~4095 != addr & ~4095
    s.exit(child)
    assert not mapped(s, other)
    assert mapped(s, addr)
    assert s.lwp.schedctl.addr == addr


def test_a_lwp_that_ends_frees_its_slot(s: Stage) -> None:
    """The next lwp that asks gets it."""
    new = s.add_lwp()
    addr = schedctl.schedctl(new)
    schedctl.lwp_cleanup(new)
    assert new.schedctl is None
    assert schedctl.schedctl(new) == addr
