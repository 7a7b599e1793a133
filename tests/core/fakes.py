"""A kernel of plain counters and lists, for tests of the resource containers."""

from __future__ import annotations

from typing import Any

from personae.core.cls import default_classes
from personae.core.cred import kcred
from personae.core.ctqueue import CtqKind, CtQueue
from personae.core.limits import (
    lwp_limits_enter,
    lwp_limits_exit,
    max_processes_enter,
    max_processes_exit,
    upcount_dec,
    upcount_inc,
)
from personae.core.lwp import Lwp, TState, WhyStop
from personae.core.observers import Observers
from personae.core.pid import PidTable, link_child, unlink_child
from personae.core.pool import Pool
from personae.core.proc import Proc, ProcStat
from personae.core.rctl import (
    rctl_set_dup,
    rctl_set_free,
    rctl_set_init,
    rctlproc_default_init,
)
from personae.core.session import pgexit, pgjoin, sess_create, sess_hold, sess_rele
from personae.core.sync import CondVar, LockOrder, LockSet, Mutex
from personae.core.task import task_attach, task_create, task_detach, task_rele
from personae.core.zone import Zone, ZoneState
from personae.plugins.contract_process import ProcessContracts, sys_process_tmpl


class FakeHw:
    def __init__(self) -> None:
        self.ctxs: dict[int, bytearray] = {}
        self.last = 0

    def ctx_alloc(self) -> int:
        self.last += 1
        self.ctxs[self.last] = bytearray(640)
        return self.last

    def ctx_free(self, ctx: int) -> None:
        del self.ctxs[ctx]

    def ctx_view(self, ctx: int) -> memoryview:
        return memoryview(self.ctxs[ctx]).cast("Q")

    def stat(self, what: int) -> int:
        return len(self.ctxs) if what == 5 else 0

    def acct_used(self, _acct: int) -> int:
        return 0


class FakeDisp:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.nrunnable = 0

    def setrun(self, lwp: Lwp) -> None:
        self.log.append(f"setrun {lwp.proc.pid}/{lwp.tid} pri {lwp.pri}")
        lwp.state = TState.TS_RUN

    def stop(self, lwp: Lwp, why: WhyStop) -> None:
        self.log.append(f"stop {lwp.proc.pid}/{lwp.tid}")
        lwp.state, lwp.whystop = TState.TS_STOPPED, why


class FakeBrand:
    def __init__(self, name: str) -> None:
        self.name = name
        self.plugin = object()


class FakeKernel:
    """Has the attributes of ``Kernel`` that the containers use."""

    def __init__(self) -> None:
        self.locks = LockSet()
        self.pidlock = Mutex(self.locks, "pidlock", LockOrder.PIDLOCK)
        self.nlwps_lock = Mutex(self.locks, "zone_nlwps_lock", LockOrder.NLWPS)
        self.nproc = 0
        self.v_proc = 64
        self.v_maxup = 50
        self.v_maxupttl = 55
        self.ncpus = 1
        self.tick = 1000
        self.quantum = 1 << 40
        self.now = 0
        self.fork_fail_pending = 0
        self.rctl_syslog: set[str] = set()
        self.infos: list[Any] = []
        self.upcount: dict[tuple[int, int], int] = {}
        self.practive: list[Proc] = []
        self.kstat: dict[str, int] = {}
        self.current: Lwp | None = None
        self.hw = FakeHw()
        self.disp = FakeDisp()
        self.observers = Observers()
        self.notices: list[str] = []
        self.signals: list[tuple[int, int]] = []
        self.woken: list[CondVar] = []
        self.preempted: list[Lwp] = []
        self.proc_count = 0
        self.lwp_count = 0
        self.native_brand = FakeBrand("native")
        self.zones: dict[int, Zone] = {}
        self.projects: dict[tuple[int, int], Any] = {}
        self.tasks: dict[int, Any] = {}
        self.pools = {"default": Pool("default", (0,))}
        self.classes = default_classes()
        self.contracts: dict[int, Any] = {}
        self.contract_ops = ProcessContracts()
        self.ct_bundle = CtQueue(CtqKind.BUNDLE)
        self.kcred = kcred()
        self.pids = PidTable(as_kernel(self), 30000, 64)
        self.zones[0] = Zone(as_kernel(self), 0, "global", as_any(self.native_brand))
        self.zones[0].state = ZoneState.RUNNING
        task_create(as_kernel(self), 0, self.zones[0])
        self.p0 = Proc(as_kernel(self))
        self.p0.task = self.tasks[0]

    def new_p_lock(self) -> Mutex:
        return Mutex(self.locks, "p_lock", LockOrder.P_LOCK)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def psignal(self, proc: Proc, sig: int, info: object) -> None:
        self.signals.append((proc.pid, int(sig)))
        self.infos.append(info)

    def tsignal(self, lwp: Lwp, sig: int, info: object) -> None:
        self.psignal(lwp.proc, sig, info)

    def wakeup(self, cv: CondVar) -> None:
        self.woken.append(cv)

    def preempt(self, lwp: Lwp) -> None:
        self.preempted.append(lwp)


def as_kernel(k: object) -> Any:
    return k


as_any = as_kernel


def add_zone(k: FakeKernel, zoneid: int, name: str) -> Zone:
    zone = Zone(as_kernel(k), zoneid, name, as_any(FakeBrand("linux")))
    zone.state = ZoneState.RUNNING
    k.zones[zoneid] = zone
    return zone


def add_lwp(k: FakeKernel, p: Proc, cls: str = "TS") -> Lwp:
    """A lwp of ``p`` in a class, counted in the containers."""
    lwp_limits_enter(as_kernel(k), p)
    lwp = Lwp(as_kernel(k), p, k.hw.ctx_alloc())
    lwp.cred = p.cred.hold()
    k.lwp_count += 1
    lwp.tid = p.lwpcnt + 1
    with p.lock:
        lwp.cls = k.classes[cls]
        lwp.cls.ops.cl_enterclass(lwp, None)
        p.lwps.append(lwp)
        p.lwpdir.append(lwp)
        p.lwpcnt += 1
    return lwp


def del_lwp(k: FakeKernel, lwp: Lwp) -> None:
    p = lwp.proc
    assert lwp.cls is not None
    lwp.cls.ops.cl_exitclass(lwp)
    p.lwps.remove(lwp)
    p.lwpdir.remove(lwp)
    p.lwpcnt -= 1
    lwp_limits_exit(as_kernel(k), p)
    lwp.cred.rele()
    k.lwp_count -= 1
    k.hw.ctx_free(lwp.ctx)


def _pids(k: FakeKernel, p: Proc) -> None:
    k.pids.allocate(p)
    k.proc_count += 1
    with k.pidlock:
        k.nproc += 1
        upcount_inc(as_kernel(k), p.cred.uid, p.zone.id)
        k.practive.insert(0, p)


def first_proc(
    k: FakeKernel, zone: Zone | None = None, projid: int = 10, cls: str = "TS"
) -> Proc:
    """A process as newproc makes it: own task, default limits, own contract."""
    zone = zone or k.zones[0]
    p = Proc(as_kernel(k))
    p.zone = zone
    p.cred = zone.cred.hold()
    _pids(k, p)
    task = task_create(as_kernel(k), projid, zone)
    with k.pidlock:
        task_attach(task, p)
    task_rele(task)
    p.pool = k.pools["default"].hold()
    max_processes_enter(as_kernel(k), p, zone)
    rctl_set_init(p)
    rctlproc_default_init(p)
    sess_create(p)
    k.current = None
    k.contract_ops.contract_process_fork(sys_process_tmpl(), p, k.p0, False)
    p.stat = ProcStat.SRUN
    k.current = add_lwp(k, p, cls)
    return p


def fork(k: FakeKernel, parent: Proc) -> Proc:
    """The container half of a fork that succeeds; the child has no lwp."""
    max_processes_enter(as_kernel(k), parent, parent.zone)
    cp = Proc(as_kernel(k))
    cp.zone, cp.pool = parent.zone, parent.pool
    cp.cred = parent.cred.hold()
    _pids(k, cp)
    assert parent.sess is not None
    assert parent.task is not None
    assert parent.pgrp is not None
    parent.pool.hold() if parent.pool is not None else None
    cp.sess = sess_hold(parent.sess)
    with k.pidlock:
        link_child(parent, cp)
        task_attach(parent.task, cp)
    rctl_set_dup(parent, cp)
    k.contract_ops.contract_process_fork(None, cp, parent, True)
    with k.pidlock:
        pgjoin(cp, parent.pgrp)
    cp.stat = ProcStat.SRUN
    return cp


def reap(k: FakeKernel, p: Proc) -> None:
    """Exit and reap."""
    if p.ct_process is not None:
        k.contract_ops.contract_process_exit(p.ct_process, p)
    for lwp in p.lwps[:]:
        del_lwp(k, lwp)
    if p.rctls is not None:
        rctl_set_free(p.rctls)
    task = p.task
    assert task is not None
    assert p.sess is not None
    assert p.pool is not None
    p.stat = ProcStat.SZOMB
    with k.pidlock:
        if p.parent is not None:
            unlink_child(p)
        pgexit(p)
        sess_rele(as_kernel(k), p.sess)
        k.practive.remove(p)
        upcount_dec(as_kernel(k), p.cred.uid, p.zone.id)
        k.nproc -= 1
        task_detach(p)
    p.pool.rele()
    max_processes_exit(as_kernel(k), p, p.zone, task)
    task_rele(task)
    p.cred.rele()
    k.pids.free(p)
    k.proc_count -= 1
