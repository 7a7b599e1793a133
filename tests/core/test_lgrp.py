"""Load of a pool's locality group, and bindings to CPUs, over forks."""

from __future__ import annotations

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.fork import forkall
from personae.core.forklwp import lwp_create
from personae.core.kernel import Kernel
from personae.core.ledger import ledger, ledger_diff
from personae.core.lwp import Lwp
from personae.core.pool import pool_do_bind
from personae.core.signo import CldCode
from personae.core.txn import Transaction
from tests.core.realkernel import Failer, first, kernel


def with_lwps(k: Kernel, n: int) -> Lwp:
    lwp = first(k)
    for tid in range(2, n + 1):
        with Transaction("lwp_create") as txn:
            lwp_create(txn, lwp.proc, tid=tid, cls="TS", source=lwp)
            txn.commit()
    return lwp


@pytest.mark.invariant(33)
def test_load_goes_up_and_down_by_the_lwps() -> None:
    k = kernel(cpus=2)
    lwp = with_lwps(k, 3)
    pool = k.pools["default"]
    before = pool.load
    child = forkall(lwp)
    assert (pool.load, child.lgrpset) == (before + 3, 0)
    k.proc_exit(child.lwps[0], CldCode.EXITED, 0)
    assert pool.load == before


@pytest.mark.invariant(33)
def test_a_failed_fork_leaves_the_load() -> None:
    k = kernel()
    lwp = with_lwps(k, 3)
    failer = Failer()
    failer.at = "cl_fork:3"
    k.observers.register(failer)
    before, load = ledger(k), k.pools["default"].load
    with pytest.raises(KernelError):
        forkall(lwp)
    assert k.pools["default"].load == load
    assert [d for d in ledger_diff(before, ledger(k)) if "pools" in d] == []


@pytest.mark.invariant(33)
def test_load_moves_with_the_process() -> None:
    k = kernel(cpus=2)
    lwp = with_lwps(k, 2)
    old, new = k.pools["default"], k.pool_create("other", (1,))
    load = old.load
    pool_do_bind(k, lwp.proc, new)
    assert (old.load, new.load) == (load - 2, 2)


@pytest.mark.invariant(36)
def test_bindings_of_the_caller() -> None:
    k = kernel(cpus=4)
    lwp = with_lwps(k, 2)
    k.bind_cpu(lwp, 3)
    k.bind_cpu(lwp.proc.lwps[1], 1)
    assert [t.bind_cpu for t in forkall(lwp).lwps] == [3, 3]
    with pytest.raises(KernelError) as e:
        k.bind_cpu(lwp, 4)
    assert e.value.errno is Errno.EINVAL
