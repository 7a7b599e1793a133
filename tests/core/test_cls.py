"""Scheduling classes (fork-semantics 4; FORK-68..71)."""

from __future__ import annotations

import pickle

import pytest

from personae.core.cls import TS_DPTBL, SchedClass, TimeShare, default_classes
from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import ClassSpec, hookimpl
from personae.core.lwp import Lwp, TState
from personae.core.plugin import PluginError, spec_args
from tests.core.fakes import FakeKernel, add_lwp, first_proc, fork


def ts_of(k: FakeKernel) -> TimeShare:
    plugin = k.classes["TS"].plugin
    assert isinstance(plugin, TimeShare)
    return plugin


def setup(cls: str = "TS") -> tuple[FakeKernel, Lwp]:
    k = FakeKernel()
    first_proc(k, cls=cls)
    assert k.current is not None
    k.current.state = TState.TS_ONPROC
    return k, k.current


def clone(k: FakeKernel, lwp: Lwp) -> Lwp:
    """A fork as forklwp does it: cl_alloc, then cl_fork under the child's p_lock."""
    child = Lwp(lwp.kernel, fork(k, lwp.proc), k.hw.ctx_alloc())
    assert lwp.cls is not None
    buf = lwp.cls.ops.cl_alloc(lwp)
    with child.proc.lock:
        lwp.cls.ops.cl_fork(lwp, child, buf)
    child.cls = lwp.cls
    child.proc.lwps.append(child)
    return child


def test_table() -> None:
    assert len(TS_DPTBL) == 60
    assert [TS_DPTBL[i].quantum for i in (0, 10, 29, 39, 58, 59)] == [
        20,
        16,
        12,
        8,
        4,
        2,
    ]
    assert [TS_DPTBL[i].tqexp for i in (0, 9, 10, 59)] == [0, 0, 0, 49]
    assert [TS_DPTBL[i].slpret for i in (0, 29, 44, 58, 59)] == [50, 52, 55, 58, 59]


def test_vectors_are_complete() -> None:
    for cls in default_classes().values():
        for name in spec_args(ClassSpec):
            assert callable(getattr(cls.ops, name))


def test_class_of_a_plugin() -> None:
    class Odd:
        @hookimpl
        def cl_quantum(self, lwp: Lwp) -> int:
            return 42

    class Wrong:
        @hookimpl
        def cl_spoon(self) -> None:
            pass

    _, lwp = setup()
    assert SchedClass("ODD", Odd()).ops.cl_quantum(lwp) == 42
    with pytest.raises(PluginError, match="cl_spoon"):
        SchedClass("WRONG", Wrong())


def test_quantum_expiry_demotes() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    ops = lwp.cls.ops
    assert (lwp.pri, ops.cl_quantum(lwp)) == (29, 12 * k.tick)
    k.now = 5 * k.tick
    assert not ops.cl_tick(lwp, 5 * k.tick)
    assert ops.cl_quantum(lwp) == 7 * k.tick
    k.now = 12 * k.tick
    assert ops.cl_tick(lwp, 7 * k.tick)
    assert (lwp.pri, ops.cl_quantum(lwp)) == (19, 16 * k.tick)
    for _ in range(3):
        k.now += 20 * k.tick
        ops.cl_tick(lwp, 20 * k.tick)
    assert lwp.pri == 0


def test_slices_are_parts_of_the_quantum() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    ops = lwp.cls.ops
    k.quantum = 5 * k.tick
    for left in (12, 7, 2):
        assert ops.cl_quantum(lwp) == min(left, 5) * k.tick
        k.now += 5 * k.tick
        assert ops.cl_tick(lwp, 5 * k.tick) == (left == 2)
    assert lwp.pri == 19


def test_fork_inherits_with_a_full_quantum() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    root = Cred(0, 0)
    assert lwp.cls.donice(lwp, root, 5) == 5
    k.now = 3 * k.tick
    lwp.cls.ops.cl_tick(lwp, 3 * k.tick)
    child = clone(k, lwp)
    a, b = lwp.cldata, child.cldata
    assert a is not b
    assert (a.cpupri, a.upri, a.uprilim, a.nice) == (
        b.cpupri,
        b.upri,
        b.uprilim,
        b.nice,
    )
    assert b.timeleft == 12 * k.tick
    assert (child.pri, lwp.pri) == (29 - 15, 29 - 15)
    assert list(ts_of(k).members) == [lwp, child]
    assert ts_of(k).unused == 0


def test_forkret_runs_the_child_first_and_demotes_the_parent() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    child = clone(k, lwp)
    sibling = add_lwp(k, lwp.proc)
    k.pidlock.enter()
    k.now = 4 * k.tick
    lwp.cls.ops.cl_forkret(lwp, child)
    assert k.locks.held == []
    assert k.disp.log == [
        f"setrun {child.proc.pid}/0 pri 29",
        f"setrun {lwp.proc.pid}/{sibling.tid} pri 29",
    ]
    assert k.preempted == [lwp]
    assert lwp.pri == 19
    # what ran before the fork is not charged to the new quantum
    assert not lwp.cls.ops.cl_tick(lwp, 4 * k.tick)
    assert lwp.cls.ops.cl_quantum(lwp) == 16 * k.tick


def test_forkret_needs_pidlock() -> None:
    for cls in ("TS", "SYS"):
        k, lwp = setup(cls)
        child = clone(k, lwp)
        assert lwp.cls is not None
        with pytest.raises(Panic, match="pidlock"):
            lwp.cls.ops.cl_forkret(lwp, child)


def test_sys_goes_on() -> None:
    k, lwp = setup("SYS")
    assert lwp.cls is not None
    child = clone(k, lwp)
    k.pidlock.enter()
    lwp.cls.ops.cl_forkret(lwp, child)
    assert k.locks.held == []
    assert (k.preempted, lwp.pri, child.pri) == ([], 60, 60)
    assert k.disp.log == [f"setrun {child.proc.pid}/0 pri 60"]
    assert not lwp.cls.ops.cl_tick(lwp, 10**9)


def test_data_is_taken_or_freed_once() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    ops = lwp.cls.ops
    buf = ops.cl_alloc(lwp)
    assert ts_of(k).unused == 1
    ops.cl_free(buf)
    assert ts_of(k).unused == 0
    with pytest.raises(Panic, match="twice"):
        ops.cl_free(buf)
    ops.cl_exitclass(lwp)
    assert (ts_of(k).members, lwp.cldata) == ({}, None)
    with pytest.raises(Panic):
        ops.cl_exitclass(lwp)


def test_long_waiter_goes_up() -> None:
    k, lwp = setup()
    assert lwp.cls is not None
    waiter = add_lwp(k, lwp.proc)
    waiter.state = TState.TS_RUN
    lwp.cldata.cpupri = waiter.cldata.cpupri = 0
    k.disp.log.clear()
    k.now += 100 * k.tick
    lwp.cls.ops.cl_tick(lwp, 1)
    assert waiter.pri == TS_DPTBL[0].lwait == 50
    pid = lwp.proc.pid
    assert k.disp.log[:2] == [f"stop {pid}/2", f"setrun {pid}/2 pri 50"]


def test_sleeper_returns_higher() -> None:
    _, lwp = setup()
    assert lwp.cls is not None
    lwp.cldata.dispwait = 1
    lwp.cls.ops.cl_sleep(lwp)
    assert lwp.cldata.cpupri == TS_DPTBL[29].slpret
    lwp.cls.ops.cl_wakeup(lwp)
    assert lwp.pri == 52
    before = lwp.cldata.cpupri
    lwp.cls.ops.cl_wakeup(lwp)  # it has not waited since
    assert lwp.cldata.cpupri == before


def test_nice() -> None:
    _, lwp = setup()
    cls = lwp.cls
    assert cls is not None
    user = Cred(1000, 100)
    assert cls.donice(lwp, user, 0) == 0
    assert cls.donice(lwp, user, 10) == 10
    assert lwp.pri == 0
    with pytest.raises(KernelError) as e:
        cls.donice(lwp, user, -1)
    assert e.value.errno is Errno.EPERM
    assert cls.donice(lwp, Cred(0, 0), -100) == -20
    assert lwp.pri == 59
    assert cls.donice(lwp, user, 1000) == 19
    sysclass = default_classes()["SYS"]
    with pytest.raises(KernelError) as e:
        sysclass.donice(lwp, user, 1)
    assert e.value.errno is Errno.EINVAL


def test_enter_with_a_priority() -> None:
    _, lwp = setup()
    assert lwp.cls is not None
    lwp.cls.ops.cl_exitclass(lwp)
    with pytest.raises(KernelError):
        lwp.cls.ops.cl_enterclass(lwp, 61)
    lwp.cls.ops.cl_enterclass(lwp, 10)
    assert lwp.pri == 39
    with pytest.raises(Panic):
        lwp.cls.ops.cl_enterclass(lwp, None)


def test_pickles() -> None:
    copy = pickle.loads(pickle.dumps(default_classes()))
    assert copy["TS"].name == "TS"
    assert callable(copy["TS"].ops.cl_forkret)
