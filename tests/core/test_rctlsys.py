"""setrctl(2), getrctl(2) and what values of controls do (fork-semantics 6)."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from personae.core import limits
from personae.core.cred import PRIV_ZONE, Cred
from personae.core.errno import Errno, KernelError
from personae.core.proc import Proc
from personae.core.rctl import (
    INFINITY,
    INT_MAX,
    RctlGlobal,
    RctlLocal,
    RctlPriv,
    RctlVal,
    rctl_action,
    rctl_exit,
    rctl_test,
    rlimit_get,
    rlimit_set,
)
from personae.core.rctldefs import RCTLS, RLIMITS, RctlEntity
from personae.core.rctlsys import (
    RctlSetFlag,
    rctl_entity,
    rctl_first,
    rctl_global_get,
    rctl_global_set,
    rctl_list,
    rctl_next,
    rctl_projset,
    rctl_set,
    rctl_usage,
)
from personae.core.signo import SiCode, Sig, SigInfo
from personae.core.task import settaskid
from personae.core.zone import ZoneState
from tests.core.fakes import FakeKernel, add_lwp, add_zone, first_proc, fork, reap

BASIC, PRIV, SYSTEM = RctlPriv.BASIC, RctlPriv.PRIVILEGED, RctlPriv.SYSTEM
NONE, SIGNAL, DENY = RctlLocal.NOACTION, RctlLocal.SIGNAL, RctlLocal.DENY
INSERT, DELETE, REPLACE = RctlSetFlag.INSERT, RctlSetFlag.DELETE, RctlSetFlag.REPLACE


def errno_of(fn: Any, *args: Any, **kw: Any) -> Errno:
    with pytest.raises(KernelError) as e:
        fn(*args, **kw)
    return e.value.errno


def user(p: Proc) -> Proc:
    """The process loses its privileges."""
    p.cred.rele()
    p.cred = Cred(1000, 100, zoneid=p.zone.id, limit=PRIV_ZONE)
    return p


def values(p: Proc, name: str) -> list[tuple[int, RctlPriv]]:
    """What rctl_walk shows, through getrctl alone."""
    out = [rctl_first(p, name)]
    while out[-1].privilege is not SYSTEM:
        out.append(rctl_next(p, name, out[-1]))
    assert errno_of(rctl_next, p, name, out[-1]) is Errno.ENOENT
    return [(v.value, v.privilege) for v in out]


def test_every_control_can_be_walked_and_tested() -> None:
    k = FakeKernel()
    p = first_proc(k)
    assert rctl_list() == list(RCTLS)
    for name, rdef in RCTLS.items():
        seen = values(p, name)
        assert seen[-1] == (rdef.ceiling, SYSTEM)
        assert len(seen) == 1 + (rdef.initial is not None) or name in RLIMITS.values()
        assert not rctl_test(name, rctl_entity(name, p), p, 0, usage=0)


def test_insert_next_delete() -> None:
    k = FakeKernel()
    p = first_proc(k)
    name = "task.max-lwps"
    rctl_set(p, name, RctlVal(30, PRIV, DENY), INSERT)
    rctl_set(p, name, RctlVal(20, PRIV, SIGNAL, Sig.SIGTERM), INSERT)
    rctl_set(p, name, RctlVal(20, BASIC, DENY), INSERT)
    assert values(p, name) == [(20, PRIV), (20, BASIC), (30, PRIV), (INT_MAX, SYSTEM)]
    assert p.task is not None
    assert (p.task.max_lwps, p.task.rctls.recipients) == (20, 1)
    # a process has one basic value: a second one takes its place
    rctl_set(p, name, RctlVal(10, BASIC, DENY), INSERT)
    assert values(p, name)[0] == (10, BASIC)
    assert (p.task.max_lwps, p.task.rctls.recipients) == (10, 1)
    rctl_set(p, name, RctlVal(10, BASIC, DENY), DELETE)
    rctl_set(p, name, RctlVal(20, PRIV, SIGNAL, Sig.SIGTERM), DELETE)
    assert values(p, name) == [(30, PRIV), (INT_MAX, SYSTEM)]
    assert (p.task.max_lwps, p.task.rctls.recipients) == (30, 0)
    assert errno_of(rctl_set, p, name, RctlVal(9, PRIV, DENY), DELETE) is Errno.ESRCH
    assert errno_of(rctl_next, p, name, RctlVal(9, PRIV)) is Errno.ESRCH


def test_replace() -> None:
    k = FakeKernel()
    p = first_proc(k)
    name = "process.max-file-descriptor"
    old = RctlVal(256, BASIC, DENY)
    rctl_set(p, name, RctlVal(100, BASIC, DENY), REPLACE, old=old)
    assert (p.fno_ctl, rlimit_get(p, "NOFILE")) == (100, (100, 65536))
    assert errno_of(rctl_set, p, name, old, REPLACE, old=old) is Errno.ESRCH
    assert errno_of(rctl_set, p, name, old, REPLACE) is Errno.EFAULT
    both = RctlVal(65536, PRIV, DENY)
    assert (
        errno_of(rctl_set, p, name, both, REPLACE, old=RctlVal(100, BASIC, DENY))
        is Errno.EINVAL
    )


def test_names_and_actions() -> None:
    p = first_proc(FakeKernel())
    val = RctlVal(1, PRIV, DENY)
    assert errno_of(rctl_set, p, "process.max-spoons", val, INSERT) is Errno.EINVAL
    assert errno_of(rctl_first, p, "spoons") is Errno.EINVAL
    assert errno_of(rctl_set, p, "task.max-lwps", val, 3) is Errno.EINVAL
    system = RctlVal(INT_MAX, SYSTEM, RctlLocal(DENY | RctlLocal.MAXIMAL))
    for action in (INSERT, DELETE):
        assert errno_of(rctl_set, p, "task.max-lwps", system, action) is Errno.EPERM
    rctl_set(p, "task.max-lwps", val, INSERT)
    assert errno_of(rctl_set, p, "task.max-lwps", val, INSERT) is Errno.EINVAL
    for new, old in ((system, val), (val, system)):
        assert (
            errno_of(rctl_set, p, "task.max-lwps", new, REPLACE, old=old) is Errno.EPERM
        )


@pytest.mark.parametrize(
    ("name", "val"),
    [
        ("zone.max-lwps", RctlVal(5, BASIC, DENY)),  # NOBASIC
        ("process.max-data-size", RctlVal(5, PRIV, NONE)),  # DENY_ALWAYS
        ("process.max-cpu-time", RctlVal(5, PRIV, DENY)),  # DENY_NEVER
        (
            "process.max-data-size",
            RctlVal(5, PRIV, RctlLocal(3), Sig.SIGTERM),
        ),  # SIGNAL_NEVER
        ("task.max-lwps", RctlVal(5, PRIV, SIGNAL)),  # no signal
        ("task.max-lwps", RctlVal(5, PRIV, SIGNAL, Sig.SIGINT)),
        ("task.max-lwps", RctlVal(5, PRIV, SIGNAL, Sig.SIGXCPU)),
        ("process.max-cpu-time", RctlVal(5, PRIV, SIGNAL, Sig.SIGXFSZ)),
        ("task.max-lwps", RctlVal(INT_MAX + 1, PRIV, DENY)),
        ("task.max-lwps", RctlVal(-1, PRIV, DENY)),
        ("task.max-lwps", RctlVal(5, PRIV, RctlLocal(0x10))),
    ],
)
def test_values_that_cannot_be(name: str, val: RctlVal) -> None:
    p = first_proc(FakeKernel())
    assert errno_of(rctl_set, p, name, val, INSERT) is Errno.EINVAL


@pytest.mark.parametrize(
    "sig", ["ABRT", "KILL", "TERM", "STOP", "XRES", "HUP", "XCPU", "XFSZ"]
)
def test_signals_of_a_value(sig: str) -> None:
    """The signal of a value arrives with SI_RCTL and the kind of the entity."""
    k = FakeKernel()
    p = first_proc(k)
    name = {"XCPU": "process.max-cpu-time", "XFSZ": "process.max-file-size"}.get(
        sig, "project.max-lwps"
    )
    number = Sig[f"SIG{sig}"]
    action = SIGNAL if sig != "XFSZ" else RctlLocal(3)
    rctl_set(p, name, RctlVal(3, PRIV, action, number), INSERT)
    usage = None if sig not in ("XCPU", "XFSZ") else 3
    assert rctl_test(name, rctl_entity(name, p), p, 3, usage) is (sig == "XFSZ")
    assert k.signals == [(p.pid, number)]
    [info] = k.infos
    entity = RctlEntity.PROJECT if usage is None else RctlEntity.PROCESS
    assert (info.code, info.entity) == (SiCode.RCTL, entity) == (2049, entity)


def test_privilege() -> None:
    """EACCES without SYS_RESOURCE, but a lowerable value may be lowered."""
    p = user(first_proc(FakeKernel()))
    val = RctlVal(10, PRIV, DENY)
    assert errno_of(rctl_set, p, "task.max-lwps", val, INSERT) is Errno.EACCES
    rctl_set(p, "task.max-lwps", RctlVal(10, BASIC, DENY), INSERT)
    name = "process.max-file-descriptor"
    hard, lower = RctlVal(65536, PRIV, DENY), RctlVal(1000, PRIV, DENY)
    assert errno_of(rctl_set, p, name, hard, DELETE) is Errno.EACCES
    rctl_set(p, name, lower, REPLACE, old=hard)
    assert rlimit_get(p, "NOFILE") == (256, 1000)
    for new in (hard, RctlVal(10, BASIC, DENY), RctlVal(10, PRIV, RctlLocal(3), 9)):
        assert errno_of(rctl_set, p, name, new, REPLACE, old=lower) is Errno.EACCES


def test_zone_values_only_from_the_global_zone() -> None:
    k = FakeKernel()
    p = first_proc(k, add_zone(k, 1, "web"))
    val = RctlVal(10, PRIV, DENY)
    assert errno_of(rctl_set, p, "zone.max-lwps", val, INSERT) is Errno.EACCES
    rctl_set(p, "project.max-lwps", val, INSERT)
    rctl_set(first_proc(k), "zone.max-lwps", val, INSERT)
    assert (p.zone.max_lwps, k.zones[0].max_lwps) == (INT_MAX, 10)


def test_basic_value_of_another_process() -> None:
    k = FakeKernel()
    p = first_proc(k)
    q = fork(k, p)
    val = RctlVal(0, BASIC, DENY)
    rctl_set(p, "task.max-lwps", val, INSERT, pid=q.pid)
    assert p.task is not None
    assert not rctl_test("task.max-lwps", p.task, p)
    p.task.rctls.rctls["task.max-lwps"].cursor = 0
    assert rctl_test("task.max-lwps", p.task, q)
    bad = RctlVal(1, BASIC, DENY)
    fd = "process.max-file-descriptor"
    assert errno_of(rctl_set, p, fd, bad, INSERT, pid=q.pid) is Errno.EINVAL
    for pid in (9999, first_proc(k).pid):
        assert errno_of(rctl_set, p, "task.max-lwps", bad, INSERT, pid=pid) is (
            Errno.ESRCH
        )
    user(p)
    assert (
        errno_of(rctl_set, p, "task.max-lwps", bad, INSERT, pid=q.pid) is Errno.EACCES
    )
    # it goes with its recipient
    rctl_exit(q)
    assert (values(p, "task.max-lwps"), p.task.rctls.recipients) == (
        [(INT_MAX, SYSTEM)],
        0,
    )


def test_basic_values_stay_behind_when_a_process_changes_its_task() -> None:
    k = FakeKernel()
    p = first_proc(k)
    fork(k, p)
    old = p.task
    assert old is not None
    rctl_set(p, "task.max-lwps", RctlVal(5, BASIC, DENY), INSERT)
    settaskid(p, 10)
    assert (old.rctls.recipients, old.max_lwps) == (0, INT_MAX)
    assert values(p, "task.max-lwps") == [(INT_MAX, SYSTEM)]


def test_settaskid_asks_for_processes_too() -> None:
    k = FakeKernel()
    p, other = first_proc(k), first_proc(k, projid=20)
    rctl_set(other, "project.max-processes", RctlVal(1, PRIV, DENY), INSERT)
    assert errno_of(settaskid, p, 20) is Errno.EAGAIN


def test_usage() -> None:
    k = FakeKernel()
    p = first_proc(k)
    fork(k, p)
    assert rctl_usage(p, "project.max-processes").value == 2
    assert rctl_usage(p, "project.max-tasks").value == 1
    assert rctl_usage(p, "zone.max-swap").value == 0
    for name in ("process.max-cpu-time", "zone.cpu-shares", "process.max-data-size"):
        assert errno_of(rctl_usage, p, name) is Errno.ENOTSUP
    assert errno_of(rctl_usage, p, "spoons") is Errno.EINVAL


def test_global_action() -> None:
    k = FakeKernel()
    p = first_proc(k)
    name = "task.max-lwps"
    assert not rctl_global_get(k, name) & RctlGlobal.SYSLOG  # type: ignore[arg-type]
    rctl_global_set(p, name, syslog=True)
    assert rctl_global_get(k, name) & RctlGlobal.SYSLOG  # type: ignore[arg-type]
    rctl_set(p, name, RctlVal(1, PRIV, DENY), INSERT)
    assert p.task is not None
    assert rctl_test(name, p.task, p)
    assert k.notices == [
        f"privileged rctl task.max-lwps (value 1) exceeded by task {p.task.id} "
        "in zone global"
    ]
    rctl_global_set(p, name, syslog=False)
    assert rctl_test(name, p.task, p)
    assert len(k.notices) == 1
    assert errno_of(rctl_global_set, p, "zone.cpu-shares", syslog=True) is Errno.EINVAL
    assert errno_of(rctl_global_set, p, "spoons", syslog=True) is Errno.ESRCH
    assert errno_of(rctl_global_set, user(p), name, syslog=True) is Errno.EPERM


def test_cursor_moves_and_a_change_starts_over() -> None:
    k = FakeKernel()
    p = first_proc(k)
    name = "project.max-lwps"
    rctl_set(p, name, RctlVal(2, PRIV, SIGNAL, Sig.SIGXRES), INSERT)
    rctl_set(p, name, RctlVal(4, PRIV, NONE), INSERT)
    rctl_set(p, name, RctlVal(6, PRIV, DENY), INSERT)
    assert p.task is not None
    project = p.task.project
    assert not rctl_test(name, project, p, 4)
    assert (project.max_lwps, len(k.signals)) == (6, 1)
    assert rctl_test(name, project, p, 6)
    assert not rctl_test(name, project, p, 4)
    assert len(k.signals) == 1  # that value has fired
    rctl_set(p, name, RctlVal(100, PRIV, DENY), INSERT)
    assert project.max_lwps == 2
    assert not rctl_test(name, project, p, 4)
    assert len(k.signals) == 2
    k.now = 77
    rctl_set(p, name, RctlVal(100, PRIV, DENY), DELETE)
    assert not rctl_test(name, project, p, 4)
    assert rctl_first(p, name).fired == 77


def test_p0_is_exempt() -> None:
    k = FakeKernel()
    p, zone = first_proc(k), k.zones[0]
    zone.set_rctl("zone.max-lwps", 0)
    k.pids.allocate(k.p0, 0)
    assert k.p0.pid == 0
    assert not rctl_test("zone.max-lwps", zone, k.p0, 100)
    assert rctl_test("zone.max-lwps", zone, p)


def test_projset() -> None:
    k = FakeKernel()
    p = first_proc(k)
    name = "project.max-tasks"
    rctl_set(p, name, RctlVal(50, PRIV, DENY), INSERT)
    rctl_projset(p, name, [RctlVal(5, PRIV, DENY), RctlVal(3, PRIV, NONE)])
    assert [v for v, _ in values(p, name)] == [3, 5, 50, INT_MAX]
    rctl_projset(p, name, [RctlVal(7, PRIV, DENY)], purge=True)
    assert [v for v, _ in values(p, name)] == [7, 50, INT_MAX]
    assert p.task is not None
    assert p.task.project.max_tasks == 7
    basic = [RctlVal(7, BASIC, DENY)]
    assert errno_of(rctl_projset, p, name, basic) is Errno.EPERM
    assert errno_of(rctl_projset, p, name, []) is Errno.EINVAL
    some = [RctlVal(7, PRIV, DENY)]
    assert errno_of(rctl_projset, p, "task.max-lwps", some) is Errno.EINVAL
    assert errno_of(rctl_projset, user(p), name, some) is Errno.EPERM


def test_action_without_test() -> None:
    """rctl_action: the limit was met elsewhere (write, open)."""
    k = FakeKernel()
    p = first_proc(k)
    rlimit_set(p, "FSIZE", 10, 20, p.cred)
    assert rctl_action("process.max-file-size", p, p)
    assert k.signals == [(p.pid, Sig.SIGXFSZ)]
    assert p.fsz_ctl == 10  # it denies, so the next value is not for it
    rlimit_set(p, "CPU", 10, 20, p.cred)
    assert not rctl_action("process.max-cpu-time", p, p)
    assert p.cpu_ctl == 20
    assert not rctl_action("process.max-cpu-time", p, p)
    assert not rctl_action("process.max-cpu-time", p, p)  # unlimited now
    assert len(k.signals) == 3


@pytest.mark.parametrize("kill", [False, True])
def test_cpu_time(kill: bool) -> None:
    """SIGXCPU when a second is used up; at the hard limit again, or SIGKILL."""
    k = FakeKernel()
    p = first_proc(k)
    lwp = add_lwp(k, p)
    k.config = type("C", (), {"clock_hz": 1000})  # type: ignore[attr-defined]
    rlimit_set(p, "CPU", 2, 3, p.cred, kill=kill)
    for _ in range(19):
        limits.cpu_time_tick(lwp, 100)
    assert k.signals == []
    limits.cpu_time_tick(lwp, 100)
    limits.cpu_time_tick(lwp, 900)
    assert [s for _, s in k.signals] == [Sig.SIGXCPU]
    limits.cpu_time_tick(lwp, 100)
    last = Sig.SIGKILL if kill else Sig.SIGXCPU
    assert [s for _, s in k.signals] == [Sig.SIGXCPU, last]
    limits.cpu_time_tick(lwp, 100_000)
    assert len(k.signals) == 2
    assert p.cpu_ctl == INFINITY


def test_cpu_time_of_a_task() -> None:
    k = FakeKernel()
    p = first_proc(k)
    q = fork(k, p)
    k.config = type("C", (), {"clock_hz": 1000})  # type: ignore[attr-defined]
    val = RctlVal(1, PRIV, SIGNAL, Sig.SIGTERM)
    rctl_set(p, "task.max-cpu-time", val, INSERT)
    limits.cpu_time_tick(add_lwp(k, p), 600)
    limits.cpu_time_tick(add_lwp(k, q), 600)
    assert k.signals == [(q.pid, Sig.SIGTERM)]
    assert k.infos[0].entity == RctlEntity.TASK


def test_fork24_a_set_of_its_own_at_no_cost() -> None:
    """FORK-24: equal values, cursors, caches; a change in one is not the other's."""
    k = FakeKernel()
    p = first_proc(k)
    rlimit_set(p, "FSIZE", 7, 9, p.cred)
    a = fork(k, p)
    b = fork(k, a)
    assert p.rctls is not None
    assert a.rctls is not None
    assert b.rctls is not None
    assert p.rctls.rctls is a.rctls.rctls is b.rctls.rctls  # nothing was copied
    rlimit_set(a, "FSIZE", 1, 2, a.cred)
    rctl_set(p, "process.max-sem-ops", RctlVal(5, PRIV, DENY), INSERT)
    assert [q.fsz_ctl for q in (p, a, b)] == [7, 1, 7]
    assert [len(values(q, "process.max-sem-ops")) for q in (p, a, b)] == [2, 1, 1]
    assert b.rctls.snapshot() != a.rctls.snapshot() != p.rctls.snapshot()
    rlimit_set(b, "FSIZE", 3, 4, b.cred)
    assert [q.fsz_ctl for q in (p, a, b)] == [7, 1, 3]


def test_memory_of_a_zone() -> None:
    """zone.max-swap and zone.max-physical-memory limit the account of frames."""
    k = FakeKernel()
    log: list[tuple[str, int, int]] = []
    k.hw.acct_create = lambda n: (log.append(("create", 5, n)), 5)[1]  # type: ignore[attr-defined]
    k.hw.acct_limit = lambda a, n: log.append(("limit", a, n))  # type: ignore[attr-defined]
    zone = add_zone(k, 1, "web")
    zone.state = ZoneState.INITIALIZED
    zone.set_rctl("zone.max-swap", 8 << 20)
    zone.set_rctl("zone.max-physical-memory", 4 << 20)
    zone.set_rctl("zone.max-physical-memory", 16 << 20)
    assert (zone.acct, zone.max_swap) == (5, 8 << 20)
    assert log == [("create", 5, 2048), ("limit", 5, 1024), ("limit", 5, 2048)]


def test_queued_signals() -> None:
    k = FakeKernel()
    p = first_proc(k)
    q = fork(k, p)
    val = RctlVal(2, BASIC, DENY)
    rctl_set(p, "process.max-sigqueue-size", val, INSERT)
    q.sigqueue = [SigInfo(42)]
    limits.sigqueue_check(p, q)
    add_lwp(k, q).sigqueue = [SigInfo(43)]
    assert errno_of(limits.sigqueue_check, p, q) is Errno.EAGAIN
    limits.sigqueue_check(q, q)  # the sender's limit counts


def test_shares_are_kept() -> None:
    k = FakeKernel()
    zone = add_zone(k, 1, "web")
    assert (zone.shares, k.zones[0].shares) == (1, 1)
    zone.set_rctl("zone.cpu-shares", 30)
    assert zone.shares == 30
    p = first_proc(k, zone)
    assert p.task is not None
    assert p.task.project.shares == 1


def test_values_pickle_with_their_set() -> None:
    val = RctlVal(3, BASIC, RctlLocal(3), Sig.SIGTERM, None, 5)
    assert pickle.loads(pickle.dumps(val)) == val


def test_exit_frees_the_set() -> None:
    k = FakeKernel()
    p = first_proc(k)
    q = fork(k, p)
    reap(k, q)
    assert q.rctls is None
