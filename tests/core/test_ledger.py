"""The ledger, and the forks of a real kernel held against it (FORK-92 and on)."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.cls import TS_DEFAULT, TS_DPTBL
from personae.core.contract import contract_abandon
from personae.core.cred import PRIV_ALL, Cred, Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.exit import freeproc, proc_exit
from personae.core.fork import fork1, forkall, vfork
from personae.core.kernel import Kernel
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.limits import crset
from personae.core.lwp import Lwp, TFlag, TState
from personae.core.newproc import newproc
from personae.core.proc import Proc, ProcFlag
from personae.core.rctl import rctl_set_value, rlimit_set
from personae.core.signo import CldCode
from personae.core.sync import Sleep
from personae.core.task import settaskid
from personae.core.vfork import vfwait
from personae.core.zone import ZoneState
from personae.plugins.contract_process import Template
from tests.core.realkernel import Failer, first, kernel, run

FORKS = {"fork1": fork1, "forkall": forkall, "vfork": vfork}


def go(k: Kernel, lwp: Lwp, kind: str) -> Proc:
    """Fork; a punishing delay is waited for."""
    run(k, lwp)
    try:
        return FORKS[kind](lwp)
    except Sleep as s:
        k.now = s.deadline or 0
        return FORKS[kind](lwp)


def end(k: Kernel, lwp: Lwp, p: Proc) -> None:
    """The process exits and is reaped; then ``lwp`` goes on."""
    run(k, p.lwps[0])
    proc_exit(p.lwps[0], CldCode.EXITED, 0)
    if p.pidp is not None:  # not reaped yet by a kernel process that adopted it
        freeproc(p)
    run(k, lwp)
    if lwp.tflag & TFlag.T_VFPARENT:
        vfwait(lwp)


def test_diff_speaks() -> None:
    k = kernel()
    before = ledger(k)
    assert ledger_diff(before, ledger(k)) == []
    k.nproc += 1
    k.kcred.hold()
    k.kstat["x"] = 1
    k.now += 5
    del k.pools["default"]
    lines = ledger_diff(before, ledger(k))
    assert lines[0] == "counters.nproc: 1 -> 2"
    assert lines[1].startswith("containers.pools.default: gone")
    assert len(lines) == 3
    assert "ref=3" in lines[2]
    assert ledger_diff(before, ledger(k), ignore=())[-1].startswith("residue")


def test_new_kernel_is_consistent() -> None:
    k = kernel()
    assert ledger_check(k) == []
    first(k)
    assert ledger_check(k) == []
    k.nproc += 1
    assert ledger_check(k) == ["nproc: counted 3, there are 2"]


@pytest.mark.parametrize("template", [False, True], ids=["plain", "template"])
@pytest.mark.parametrize("kind", list(FORKS))
def test_every_step_of_a_fork_fails_clean(kind: str, template: bool) -> None:
    k = kernel()
    lwp = first(k)
    p = lwp.proc
    if template:
        lwp.ct_active["process"] = Template()
    rlimit_set(p, "NOFILE", 20, 30, lwp.cred)
    failer = Failer()
    k.observers.register(failer)
    end(k, lwp, go(k, lwp, kind))
    steps = k.last_fork_steps
    assert len(steps) > 30
    assert steps[-1] == "contract_process_fork"
    for step in steps:
        before = ledger(k)
        failer.at = step
        with pytest.raises(KernelError):
            go(k, lwp, kind)
        assert (step, ledger_diff(before, ledger(k))) == (step, [])
        assert (step, ledger_check(k)) == (step, [])
        assert failer.seen[-1] == step
        # FORK-119: the next one works
        failer.at = ""
        child = go(k, lwp, kind)
        assert child.parent is p
        assert ledger_check(k) == []
        end(k, lwp, child)
        for ct in p.ct_held[:]:
            contract_abandon(ct)


@pytest.mark.invariant(39)
@pytest.mark.parametrize("kind", list(FORKS))
def test_fork_exit_and_reap_leave_nothing(kind: str) -> None:
    k = kernel()
    lwp = first(k)
    before = ledger(k)
    for _ in range(3):
        child = go(k, lwp, kind)
        assert ledger_check(k) == []
        end(k, lwp, child)
        assert ledger_diff(before, ledger(k)) == []
        assert ledger_check(k) == []


@pytest.mark.invariant(4)
def test_what_a_fork_adds() -> None:
    k = kernel()
    lwp = first(k)
    p = lwp.proc
    before = ledger(k)
    child = go(k, lwp, "fork1")
    lines = ledger_diff(before, ledger(k))
    expected = {
        "counters.nproc: 2 -> 3",
        "counters.lwps: 1 -> 2",
        "counters.upcount.0@0: 2 -> 3",
        f"counters.practive: [{p.pid}, 0] -> [{child.pid}, {p.pid}, 0]",
        "counters.hw.spaces: 1 -> 2",
        "counters.hw.contexts: 1 -> 2",
        f"procs.{p.pid}.family.children: [] -> [{child.pid}]",
        f"procs.{p.pid}.family.orphans: [] -> [{child.pid}]",
        "containers.tasks.1.hold: 1 -> 2",
        f"containers.tasks.1.ring: [{p.pid}] -> [{child.pid}, {p.pid}]",
        "containers.tasks.1.nlwps: 1 -> 2",
        "containers.zones.global.nprocs: 2 -> 3",
        "containers.pools.default: (2, 1, 0) -> (3, 2, 0)",
        "containers.contracts.1.nmembers: 1 -> 2",
        "containers.contracts.1.ref: 2 -> 3",
        "containers.classes.TS: (1, 0) -> (2, 0)",
        "sessions.0.ref: 2 -> 3",
        "objects.files.#0.count: 2 -> 4",
    }
    assert expected - set(lines) == set()


@pytest.mark.invariant(108)
@pytest.mark.parametrize("system", [True, False], ids=["system", "user"])
def test_every_step_of_newproc_fails_clean(system: bool) -> None:
    k = kernel()
    zone = k.zones[0]
    failer = Failer()
    k.observers.register(failer)
    newproc(k, k.p0, system=system, name=b"x", zone=zone)
    for step in k.last_fork_steps:
        failer.at = step
        before = ledger(k)
        with pytest.raises(KernelError) as e:
            newproc(k, k.p0, system=system, name=b"x", zone=zone)
        assert e.value.errno is Errno.EAGAIN
        assert (step, ledger_diff(before, ledger(k))) == (step, [])
        assert (step, ledger_check(k)) == (step, [])


def refused(k: Kernel, lwp: Lwp, kind: str = "fork1") -> tuple[Errno, int]:
    """Errno of a fork that fails, and the ticks its caller was kept.

    The ledger must be what it was.
    """
    before, start = ledger(k), k.now
    with pytest.raises(KernelError) as e:
        go(k, lwp, kind)
    assert ledger_diff(before, ledger(k)) == []
    assert ledger_check(k) == []
    return e.value.errno, (k.now - start) // k.tick


@pytest.mark.invariant(98)
@pytest.mark.parametrize("entity", ["task", "project", "zone"])
def test_max_processes(entity: str) -> None:
    """FORK-98: EAGAIN, a delay, ffcap; project 0 of the global zone is exempt."""
    k = kernel()
    lwp = first(k)
    p, zone = lwp.proc, k.zones[0]
    assert p.task is not None
    owner: Any = {"task": p.task, "project": p.task.project, "zone": zone}[entity]
    rctl_set_value(owner.rctls, f"{entity}.max-processes", owner.nprocs)
    end(k, lwp, go(k, lwp, "fork1"))
    task = settaskid(p, 20)
    rset = {"task": task.rctls, "project": task.project.rctls, "zone": zone.rctls}
    for name, most in (("task", 1), ("project", 1), ("zone", 2)):
        value = most if name == entity else 1000
        rctl_set_value(rset[name], f"{name}.max-processes", value)
    assert refused(k, lwp) == (Errno.EAGAIN, 2)
    assert (zone.ffcap, zone.ffnoproc) == (1, 0)


@pytest.mark.invariant(105)
@pytest.mark.parametrize("kind", list(FORKS))
def test_max_lwps(kind: str) -> None:
    """FORK-105: no delay; forkall needs room for every lwp."""
    k = kernel()
    lwp = first(k)
    zone = k.zones[0]
    zone.set_rctl("zone.max-lwps", zone.nlwps)
    assert refused(k, lwp, kind) == (Errno.EAGAIN, 0)
    assert zone.ffcap == 1
    zone.set_rctl("zone.max-lwps", zone.nlwps + 1)
    go(k, lwp, kind)


@pytest.mark.invariant(100)
def test_processes_of_a_user() -> None:
    """FORK-100: per uid, with a delay; pid and slot go back."""
    k = kernel()
    lwp = first(k)
    k.v_maxup = 2
    end(k, lwp, go(k, lwp, "fork1"))
    crset(lwp.proc, Cred(5, 5))
    go(k, lwp, "fork1")
    assert refused(k, lwp) == (Errno.EAGAIN, 2)
    assert k.notices[-1] == "out of per-user processes for uid 5"
    assert k.zones[0].ffnoproc == 1


@pytest.mark.invariant(99)
def test_no_slot() -> None:
    """FORK-99."""
    k = kernel(max_nprocs=8)
    lwp = first(k)
    children = [go(k, lwp, "fork1") for _ in range(6)]
    assert refused(k, lwp) == (Errno.EAGAIN, 2)
    assert (k.kstat["procovf"], k.notices[-1]) == (1, "out of processes")
    end(k, lwp, children[3])
    go(k, lwp, "fork1")


@pytest.mark.invariant(106, 107)
def test_max_contracts_and_killed_parent() -> None:
    """FORK-106 and 107."""
    k = kernel()
    lwp = first(k)
    p = lwp.proc
    assert p.task is not None
    p.flag |= ProcFlag.SKILLED
    assert refused(k, lwp) == (Errno.EAGAIN, 0)
    lwp.ct_active["process"] = Template()
    child = go(k, lwp, "fork1")
    assert not child.flag & ProcFlag.SKILLED
    rctl_set_value(p.task.project.rctls, "project.max-contracts", 2)
    assert refused(k, lwp) == (Errno.EAGAIN, 0)


@pytest.mark.invariant(94, 96)
def test_no_privilege_and_halting_zone() -> None:
    """FORK-94 and 96."""
    k = kernel()
    lwp = first(k)
    crset(lwp.proc, lwp.cred.copy(effective=PRIV_ALL - {Priv.PROC_FORK}))
    assert refused(k, lwp) == (Errno.EPERM, 0)
    crset(lwp.proc, lwp.cred.copy(aware=False))
    k.zones[0].state = ZoneState.SHUTTING_DOWN
    assert refused(k, lwp) == (Errno.EAGAIN, 0)


@pytest.mark.invariant(69)
def test_child_goes_first() -> None:
    """FORK-69: the parent pays like an expired quantum and yields."""
    k = kernel()
    lwp = first(k)
    k.now += 3 * k.tick
    child = go(k, lwp, "fork1")
    level = TS_DPTBL[TS_DEFAULT]
    assert (lwp.pri, child.lwps[0].pri) == (level.tqexp, TS_DEFAULT)
    assert lwp.cldata.timeleft == TS_DPTBL[level.tqexp].quantum * k.tick
    assert (k.disp.yielding, child.lwps[0].state) == (True, TState.TS_RUN)
    k.disp.yielding = False
    go(k, lwp, "vfork")
    assert (lwp.pri, k.disp.yielding) == (level.tqexp, False)


@pytest.mark.invariant(116)
def test_second_undo_is_an_error() -> None:
    k = kernel()
    lwp = first(k)
    child = go(k, lwp, "fork1")
    end(k, lwp, child)
    with pytest.raises(Panic):
        freeproc(child)
