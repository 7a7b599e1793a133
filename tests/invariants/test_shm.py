"""Shared memory attached to a process that forks, vforks, execs and dies."""

from __future__ import annotations

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.exit import proc_exit
from personae.core.ipc import IPC_CREAT, ipc_zone_halt
from personae.core.ledgercheck import ledger_check
from personae.core.rctl import rctl_set_value
from personae.core.savefile import dump, load
from personae.core.shm import Shm, shm_all, shmat, shmdt, shmget, shmrm
from personae.core.signo import CldCode
from personae.core.vm.as_ import As
from tests.core.realkernel import run
from tests.invariants.stage import BRANDS, EACH_KIND, Stage, Watch

each_brand = pytest.mark.parametrize("brand", BRANDS)
each_kind = pytest.mark.parametrize(("brand", "kind"), EACH_KIND)


def staged(brand: str) -> tuple[Stage, Shm, Shm]:
    """A process with one plain and one ISM attachment."""
    s = Stage(brand)
    plain = shmget(s.lwp, 0x77, 3 * 4096, IPC_CREAT | 0o600)
    ism = shmget(s.lwp, 0, 2 * 4096, 0o600)
    space(s).copyout(shmat(s.lwp, plain, 0), b"here")
    shmat(s.lwp, ism, 0, ism=True)
    return s, plain, ism


def space(s: Stage) -> As:
    assert s.p.as_ is not None
    return s.p.as_


@pytest.mark.invariant(27)
@each_brand
def test_a_fork_attaches_once_more(brand: str) -> None:
    s, plain, ism = staged(brand)
    before = s.ledger()
    child = s.fork()
    assert child.as_ is not None
    assert sorted(child.segacct) == sorted(s.p.segacct)
    assert (plain.nattch, plain.ismattch) == (2, 0)
    assert (ism.nattch, ism.ismattch) == (2, 2)
    addr = next(a for a, seg in s.p.segacct.items() if seg.shm is plain)
    child.as_.copyout(addr + 4096, b"child")
    assert space(s).copyin(addr, 4) == child.as_.copyin(addr, 4) == b"here"
    assert space(s).copyin(addr + 4096, 5) == b"child"
    assert ledger_check(s.k) == []
    pid = child.pid
    s.exit(child)
    assert (plain.nattch, ism.nattch, ism.ismattch) == (1, 1, 1)
    assert plain.lpid == ism.lpid == pid
    diff = [d for d in s.diff(before) if ".ipc." not in d]
    assert all("anon maps" in d or "frames" in d for d in diff)


@pytest.mark.invariant(112)
@each_kind
def test_each_step_fails(brand: str, kind: str) -> None:
    s, plain, ism = staged(brand)
    s.exit(s.fork(kind))
    steps, watch = s.steps(), Watch(s)
    assert ("shmfork" in steps) == (kind != "vfork")
    counts = (plain.nattch, ism.nattch, ism.ismattch, plain.amp.refcnt)
    for step in steps:
        watch.at = step
        s.fails(kind)  # the ledgers are equal
        now = (plain.nattch, ism.nattch, ism.ismattch, plain.amp.refcnt)
        assert now == counts
        assert ledger_check(s.k) == []


@pytest.mark.invariant(64)
@each_brand
def test_a_vfork_child_works_on_its_parents(brand: str) -> None:
    s, plain, ism = staged(brand)
    child = s.fork("vfork")
    assert child.segacct is s.p.segacct
    assert plain.nattch == 1
    addr = next(a for a, seg in s.p.segacct.items() if seg.shm is plain)
    shmdt(child.lwps[0], addr)
    more = shmat(child.lwps[0], ism, 0)
    s.exit(child)
    assert (plain.nattch, ism.nattch, ism.ismattch) == (0, 2, 1)
    assert more in s.p.segacct
    assert ledger_check(s.k) == []


@each_brand
def test_a_parent_dies_during_vfork(brand: str) -> None:
    """What is attached stays until the child is done with the space."""
    s, plain, ism = staged(brand)
    child = s.fork("vfork")
    run(s.k, s.lwp)
    proc_exit(s.lwp, CldCode.KILLED, 9)
    assert (plain.nattch, ism.nattch) == (1, 1)
    run(s.k, child.lwps[0])
    proc_exit(child.lwps[0], CldCode.EXITED, 0)
    assert (plain.nattch, ism.nattch, ism.ismattch) == (0, 0, 0)
    assert ledger_check(s.k) == []


@each_brand
def test_removed_with_the_last_attachment(brand: str) -> None:
    s, plain, ism = staged(brand)
    child = s.fork()
    shmrm(s.lwp, plain)
    shmrm(s.lwp, ism)
    run(s.k, s.lwp)
    proc_exit(s.lwp, CldCode.EXITED, 0)
    assert set(shm_all(s.p.zone)) == {plain, ism}
    run(s.k, child.lwps[0])
    proc_exit(child.lwps[0], CldCode.EXITED, 0)
    assert shm_all(s.p.zone) == []
    assert (plain.amp.refcnt, plain.amp.frames) == (0, {})
    assert ledger_check(s.k) == []


def test_limits() -> None:
    s = Stage("native")
    zone, task = s.p.zone, s.p.task
    assert task is not None
    rctl_set_value(zone.rctls, "zone.max-shm-memory", 5 * 4096)
    rctl_set_value(task.project.rctls, "project.max-shm-ids", 2)
    shmget(s.lwp, 0, 4 * 4096, 0o600)
    with pytest.raises(KernelError) as e:
        shmget(s.lwp, 0, 4097, 0o600)
    assert e.value.errno is Errno.EINVAL
    shmget(s.lwp, 0, 4096, 0o600)
    rctl_set_value(zone.rctls, "zone.max-shm-memory", 1 << 30)
    before = s.ledger()
    with pytest.raises(KernelError) as e:
        shmget(s.lwp, 0, 4096, 0o600)
    assert e.value.errno is Errno.ENOSPC
    assert s.diff(before) == []


def test_saved_and_halted() -> None:
    s, plain, _ism = staged("native")
    s.unstage()
    k = load(dump(s.k), s.k.brands.brands.values())
    (again,) = [x for x in shm_all(k.zones[s.p.zone.id]) if x.key == 0x77]
    assert again.ledger() == plain.ledger()
    assert ledger_check(k) == []
    frames = s.k.hw.stat(1)
    s.machine.halt()
    assert s.p.zone.ipc == {}
    assert plain.amp.frames == {}
    assert s.k.hw.stat(1) < frames
    ipc_zone_halt(s.p.zone)  # again: nothing
