"""Tasks, projects, and the counters of zones."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core import limits
from personae.core.cred import Cred, Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.rctl import rctl_set_value
from personae.core.task import (
    settaskid,
    task_attach,
    task_begin,
    task_create,
    task_detach,
    task_hold,
    task_rele,
)
from tests.core.fakes import (
    FakeKernel,
    add_lwp,
    add_zone,
    as_kernel,
    first_proc,
    fork,
    reap,
)


def test_first_task_is_task_0() -> None:
    k = FakeKernel()
    assert list(k.tasks) == [0]
    assert k.tasks[0].hold_count == 1
    assert (k.projects[0, 0].ref, k.projects[0, 0].ntasks) == (1, 1)
    assert k.zones[0].ntasks == 1


def test_ring_holds_newest_first() -> None:
    k = FakeKernel()
    p = first_proc(k)
    a, b = fork(k, p), fork(k, p)
    assert p.task is not None
    assert p.task.procs == [b, a, p]
    assert (p.task.hold_count, p.task.nprocs) == (3, 3)
    reap(k, a)
    assert p.task.procs == [b, p]


def test_last_hold_destroys_task_and_project() -> None:
    k = FakeKernel()
    p = first_proc(k, projid=77)
    task = p.task
    assert task is not None
    assert k.projects[0, 77].ref == 1
    reap(k, p)
    assert p.task is None
    assert list(k.tasks) == [0]
    assert (0, 77) not in k.projects
    with pytest.raises(Panic, match="dead"):
        task_rele(task)
    with pytest.raises(Panic, match="dead"):
        task_hold(task)


def test_attach_needs_pidlock() -> None:
    k = FakeKernel()
    p = first_proc(k)
    with pytest.raises(Panic, match="pidlock"):
        task_detach(p)
    task = task_create(as_kernel(k), 0, k.zones[0])
    with k.pidlock, pytest.raises(Panic, match="still in"):
        task_attach(task, p)


def test_begin_uses_the_hold_of_the_maker() -> None:
    k = FakeKernel()
    p = first_proc(k)
    task = task_create(as_kernel(k), 10, k.zones[0])
    with k.pidlock:
        old = task_detach(p)
        task_begin(task, p)
    limits.nprocs_move(as_kernel(k), old, task)
    old.nlwps -= 1
    task.nlwps += 1
    assert (old.nprocs, task.nprocs) == (0, 1)
    task_rele(old)
    assert task.hold_count == 1
    assert old.id not in k.tasks


def test_settaskid_moves_everything() -> None:
    k = FakeKernel()
    p = first_proc(k)
    add_lwp(k, p)
    child = fork(k, p)
    old = p.task
    assert old is not None
    task = settaskid(p, 20, final=True)
    assert (task.procs, task.hold_count, task.nprocs, task.nlwps) == ([p], 1, 1, 2)
    assert (task.project.id, task.project.nprocs, task.project.nlwps) == (20, 1, 2)
    assert (old.procs, old.hold_count, old.nprocs, old.nlwps) == ([child], 1, 1, 0)
    with pytest.raises(KernelError) as e:
        settaskid(p, 0)
    assert e.value.errno is Errno.EACCES
    settaskid(child, 30)
    assert old.id not in k.tasks
    assert (0, 10) not in k.projects


def test_settaskid_is_refused() -> None:
    k = FakeKernel()
    p = first_proc(k)
    before = (p.task, dict(k.tasks), dict(k.projects))
    full = settaskid(fork(k, p), 20).project
    rctl_set_value(full.rctls, "project.max-tasks", 1)
    with pytest.raises(KernelError) as e:
        settaskid(p, 20)
    assert e.value.errno is Errno.EAGAIN
    p.cred = Cred(1000, 100)
    with pytest.raises(KernelError) as e:
        settaskid(p, 30)
    assert e.value.errno is Errno.EPERM
    assert p.task is before[0]
    assert (0, 30) not in k.projects
    assert full.ref == 1


def test_nprocs_counts_all_three() -> None:
    k = FakeKernel()
    zone = add_zone(k, 2, "web")
    p = first_proc(k, zone)
    assert p.task is not None
    fork(k, p)
    assert (p.task.nprocs, p.task.project.nprocs, zone.nprocs) == (2, 2, 2)
    assert (p.task.nlwps, p.task.project.nlwps, zone.nlwps) == (1, 1, 1)


@pytest.mark.parametrize("entity", ["task", "project", "zone"])
def test_max_processes(entity: str) -> None:
    k = FakeKernel()
    zone = add_zone(k, 2, "web")
    p = first_proc(k, zone)
    assert p.task is not None
    owner: Any = {"task": p.task, "project": p.task.project, "zone": zone}[entity]
    limits_set(owner, f"{entity}.max-processes", 2)
    child = fork(k, p)
    with pytest.raises(KernelError) as e:
        limits.max_processes_enter(as_kernel(k), p, zone)
    assert e.value.errno is Errno.EAGAIN
    assert (owner.nprocs, zone.ffcap) == (2, 1)
    reap(k, child)
    limits.max_processes_enter(as_kernel(k), p, zone)
    assert owner.nprocs == 2


def limits_set(owner: object, name: str, value: int) -> None:
    from personae.core.rctl import RctlLocal, RctlPriv, RctlVal

    rset = owner.rctls  # type: ignore[attr-defined]
    action = RctlLocal.DENY | RctlLocal.SIGNAL
    rset.rctls[name].insert(RctlVal(value, RctlPriv.PRIVILEGED, action, 38))
    rset.callbacks()


def test_all_three_actions_run() -> None:
    k = FakeKernel()
    zone = add_zone(k, 2, "web")
    p = first_proc(k, zone)
    assert p.task is not None
    for kind, owner in (("task", p.task), ("project", p.task.project), ("zone", zone)):
        limits_set(owner, f"{kind}.max-lwps", 1)
    with pytest.raises(KernelError):
        limits.lwp_limits_enter(as_kernel(k), p)
    assert k.signals == [(p.pid, 38)] * 3
    assert (p.task.nlwps, zone.ffcap) == (1, 1)


def test_project_0_of_the_global_zone_is_free() -> None:
    k = FakeKernel()
    p = first_proc(k, projid=0)
    k.zones[0].set_rctl("zone.max-processes", 1)
    limits.max_processes_enter(as_kernel(k), p, k.zones[0])
    web = add_zone(k, 1, "web")
    web.set_rctl("zone.max-processes", 1)
    q = first_proc(k, web, projid=0)
    with pytest.raises(KernelError):
        limits.max_processes_enter(as_kernel(k), q, web)


def test_lwps_of_kernel_processes_are_not_limited() -> None:
    from personae.core.proc import ProcFlag

    k = FakeKernel()
    zone = add_zone(k, 2, "web")
    p = first_proc(k, zone)
    zone.set_rctl("zone.max-lwps", 1)
    with pytest.raises(KernelError):
        add_lwp(k, p)
    p.flag |= ProcFlag.SSYS
    add_lwp(k, p, "SYS")
    assert zone.nlwps == 2


# ---- the limits of a user ----


def test_upcount_keeps_nothing_of_a_gone_user() -> None:
    k = FakeKernel()
    kernel = as_kernel(k)
    with k.pidlock:
        limits.upcount_inc(kernel, 5, 0)
        limits.upcount_inc(kernel, 5, 0)
        limits.upcount_dec(kernel, 5, 0)
        assert k.upcount == {(5, 0): 1}
        limits.upcount_dec(kernel, 5, 0)
        assert k.upcount == {}
        with pytest.raises(Panic):
            limits.upcount_dec(kernel, 5, 0)


def nproc_denied(k: FakeKernel, cred: Cred, zoneid: int = 0) -> bool:
    try:
        limits.nproc_check(as_kernel(k), cred, k.zones[zoneid])
    except KernelError as e:
        return e.errno is Errno.EAGAIN
    return False


def test_v_maxup_counts_per_user_and_zone() -> None:
    k = FakeKernel()
    add_zone(k, 1, "web")
    k.v_maxup, k.v_maxupttl = 3, 10
    user, other = Cred(5, 5), Cred(6, 6)
    k.upcount = {(5, 0): 3, (6, 0): 1, (5, 1): 1}
    k.nproc = 2
    assert not nproc_denied(k, user)
    k.nproc = 5
    assert nproc_denied(k, user)
    assert not nproc_denied(k, other)
    assert not nproc_denied(k, user, 1)
    k.nproc = 10
    assert nproc_denied(k, other)
    assert not nproc_denied(k, Cred(0, 0))
    holder = other.copy(ppriv=frozenset(Priv)).copy(effective={Priv.SYS_RESOURCE})
    assert not nproc_denied(k, holder)
    assert k.notices == [
        "out of per-user processes for uid 5",
        "out of per-user processes for uid 6",
    ]
    assert k.zones[0].ffnoproc == 2


def test_delay_grows_with_the_number_of_the_punished() -> None:
    k = FakeKernel()
    got = []
    for pending in (1, 2, 3, 4, 5):
        k.fork_fail_pending = pending
        k.ncpus = 2
        got.append(limits.fork_fail_delay(as_kernel(k)))
    assert got == [1, 2, 2, 3, 3]


def test_proc_limits() -> None:
    assert limits.proc_limits(100) == (95, 95)
    assert limits.proc_limits(100, 20) == (20, 95)


def test_rlimit_nproc() -> None:
    from personae.core.rctl import rlimit_set

    k = FakeKernel()
    p = first_proc(k)
    user = Cred(5, 5)
    rlimit_set(p, "NPROC", 1, 2, p.cred)
    limits.rlimit_nproc_check(as_kernel(k), p, user)
    k.upcount[5, 0] = 1
    with pytest.raises(KernelError):
        limits.rlimit_nproc_check(as_kernel(k), p, user)
    limits.rlimit_nproc_check(as_kernel(k), p, Cred(0, 0))
