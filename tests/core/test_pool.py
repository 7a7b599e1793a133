"""Pools and the barrier between a fork and a binder."""

from __future__ import annotations

import pytest

from personae.core.errno import Panic
from personae.core.pool import (
    Pool,
    pool_barrier_enter,
    pool_barrier_exit,
    pool_do_bind,
)
from personae.core.sync import Sleep
from tests.core.fakes import FakeKernel, as_kernel, first_proc, fork


def test_barrier_counts() -> None:
    k = FakeKernel()
    p = first_proc(k)
    pool_barrier_enter(p)
    pool_barrier_enter(p)
    assert p.poolcnt == 2
    pool_barrier_exit(p)
    pool_barrier_exit(p)
    assert (p.poolcnt, k.woken, k.locks.held) == (0, [], [])
    with pytest.raises(Panic):
        pool_barrier_exit(p)


def test_references() -> None:
    pool = Pool("a", (0, 1))
    pool.hold().rele()
    assert pool.ref == 0
    with pytest.raises(Panic):
        pool.rele()


def test_bind_moves_the_family() -> None:
    k = FakeKernel()
    p = first_proc(k)
    child = fork(k, p)
    old, new = k.pools["default"], Pool("new", (0,))
    assert old.ref == 2
    pool_do_bind(as_kernel(k), p, new)
    assert (p.pool, child.pool) == (new, new)
    assert (old.ref, new.ref) == (0, 2)
    pool_do_bind(as_kernel(k), p, new)
    assert new.ref == 2


def test_binder_waits_for_the_fork_and_takes_its_child() -> None:
    k = FakeKernel()
    p = first_proc(k)
    old, new = k.pools["default"], Pool("new", (0,))
    pool_barrier_enter(p)
    with pytest.raises(Sleep) as waiting:
        pool_do_bind(as_kernel(k), p, new)
    assert waiting.value.cvs == (old.cv,)
    # a second fork is kept out, and holds no lock while it waits
    with pytest.raises(Sleep):
        pool_barrier_enter(p)
    assert (p.poolcnt, k.locks.held) == (1, [])
    child = fork(k, p)
    assert (child.pool, old.ref) == (old, 2)
    pool_barrier_exit(p)
    assert k.woken == [old.cv]
    pool_do_bind(as_kernel(k), p, new)
    assert (child.pool, old.ref, new.ref) == (new, 0, 2)
    assert old.binding == []
    pool_barrier_enter(p)
