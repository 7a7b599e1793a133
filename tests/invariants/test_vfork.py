"""FORK-52 to FORK-67: vfork (fork-semantics 8.3)."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.exit import freeproc, proc_exit
from personae.core.fork import ForkFlag
from personae.core.lwp import TFlag, TpFlag, TState, WhyStop
from personae.core.proc import Proc, ProcFlag, ProcStat
from personae.core.signal import psignal, set_action
from personae.core.signo import CldCode, Sig, SigAction
from personae.core.sync import Sleep
from personae.core.vfork import vfwait
from tests.core.realkernel import run
from tests.invariants.stage import PC, Stage, Watch

invariant = pytest.mark.invariant
LINUX_FLAGS = int(ForkFlag.FORK_KEEPHANDLERS | ForkFlag.FORK_CALLERONLY)


def vfork(s: Stage) -> Proc:
    """As the brand's own call makes it."""
    return s.fork("vfork", 0 if s.brand == "native" else LINUX_FLAGS)


def waits(s: Stage) -> bool:
    run(s.k, s.lwp)
    try:
        vfwait(s.lwp)
    except Sleep as e:
        return e.cvs == (s.p.cv,) and not e.interruptible
    return False


@invariant(52)
def test_the_space_is_lent(stage: Stage) -> None:
    s, space = stage, stage.p.as_
    assert space is not None
    before = [s.k.hw.stat(n) for n in (1, 3, 4)]
    child = vfork(s)
    assert child.as_ is space
    assert [s.k.hw.stat(n) for n in (1, 3, 4)] == before
    assert child.flag & ProcFlag.SVFORK
    assert s.p.flag & ProcFlag.SVFWAIT
    s.exit(child)
    assert s.p.as_ is space
    assert not s.p.flag & ProcFlag.SVFWAIT
    assert [s.k.hw.stat(n) for n in (1, 3, 4)] == before


@invariant(53, 58)
def test_the_parent_waits_whatever_wakes_it(brand: str) -> None:
    """Until the child has gone the dispatcher never runs it in user mode."""
    s = Stage(brand, "vfork")
    child = vfork(s)
    pc = s.lwp.regs[PC]
    s.goes_on(child.pid)
    s.k.disp.stop(child.lwps[0], WhyStop.PR_REQUESTED)
    for _ in range(5):
        while s.k.disp.nrunnable:
            s.machine.step()
        assert (s.lwp.state, s.lwp.regs[PC]) == (TState.TS_SLEEP, pc + 4)
        s.k.wakeup(s.p.cv)
    s.k.disp.setrun(child.lwps[0])
    assert s.finish() == "vfork 1: child exited with 41\n"


@invariant(54)
def test_stores_and_sizes_come_back(stage: Stage) -> None:
    s = stage
    child = vfork(s)
    assert s.p.as_ is not None
    assert child.as_ is not None
    sp = s.lwp.regs[2]
    child.as_.copyout(sp - 64, b"from the child")
    child.brkbase, child.brksize, child.stksize = 0x7000, 0x3000, s.p.stksize + 4096
    grown = child.stksize
    s.exit(child)
    assert s.p.as_.copyin(sp - 64, 14) == b"from the child"
    assert (s.p.brkbase, s.p.brksize, s.p.stksize) == (0x7000, 0x3000, grown)


@invariant(55, brand="native")
def test_handlers_of_the_child(native: Stage) -> None:
    s, p = native, native.p
    set_action(p, Sig.SIGUSR1, SigAction(0x1000, 4, 7))
    set_action(p, Sig.SIGUSR2, SigAction(1))
    set_action(p, Sig.SIGCLD, SigAction(0x1000, 0x20000))
    mine = dict(p.user.u_signal)
    child = vfork(s)
    assert set(child.user.u_signal) == {Sig.SIGUSR2}
    assert child.ignore == p.ignore
    assert p.user.u_signal == mine
    assert p.flag & ProcFlag.SJCTL
    assert not child.flag & ProcFlag.SJCTL


@invariant(56, brand="native")
def test_siblings_stand_still(native: Stage) -> None:
    s = native
    runs, suspended = s.add_lwp(), s.add_lwp()
    suspended.tpflag |= TpFlag.TP_HOLDLWP
    s.k.disp.stop(suspended, WhyStop.PR_SUSPENDED)
    child = vfork(s)
    assert (runs.state, runs.whystop) == (TState.TS_STOPPED, WhyStop.PR_SUSPENDED)
    assert waits(s)
    assert runs.state is TState.TS_STOPPED
    s.exit(child, reap=False)
    assert runs.state is TState.TS_STOPPED
    assert not waits(s)
    assert runs.state is TState.TS_RUN
    assert suspended.state is TState.TS_STOPPED


@invariant(57)
@pytest.mark.parametrize("sig", [Sig.SIGTERM, Sig.SIGKILL])
def test_a_signal_waits(brand: str, sig: Sig) -> None:
    s = Stage(brand, "vfork")
    child = vfork(s)
    s.goes_on(child.pid)
    s.k.disp.stop(child.lwps[0], WhyStop.PR_REQUESTED)
    while s.k.disp.nrunnable:
        s.machine.step()
    psignal(s.p, sig)
    while s.k.disp.nrunnable:
        s.machine.step()
    if sig is Sig.SIGKILL and s.p.stat is ProcStat.SZOMB:
        # killed at once; the space is the child's now (see test_guests of the brands)
        assert child.as_ is not None
        assert child.as_.users == 1
    else:
        assert s.lwp.state is TState.TS_SLEEP
    s.k.disp.setrun(child.lwps[0])
    s.finish()
    assert (s.p.wcode, s.p.wdata) == (CldCode.KILLED, sig)


@invariant(59)
def test_a_killed_child_releases(brand: str) -> None:
    s = Stage(brand, "vfork")
    child = vfork(s)
    s.goes_on(child.pid)
    psignal(child, Sig.SIGKILL)
    assert s.finish() == "vfork 1: child exited with 0\n"


@invariant(60, brand="native")
@pytest.mark.parametrize("fails", [False, True])
def test_a_pending_suspension_is_cancelled(native: Stage, fails: bool) -> None:
    """And put back if the vfork fails, which the kernel of 2006 forgot (D10)."""
    s = native
    s.lwp.tpflag |= TpFlag.TP_HOLDLWP
    if fails:
        Watch(s).at = "lwpdir"
        s.fails("vfork")
        assert s.lwp.tpflag & TpFlag.TP_HOLDLWP
        return
    child = s.fork("vfork")
    assert not s.lwp.tpflag & TpFlag.TP_HOLDLWP
    assert not child.lwps[0].tpflag & TpFlag.TP_HOLDLWP
    assert child.lwps[0].state is TState.TS_RUN


@invariant(61)
@pytest.mark.parametrize("fails", [False, True])
def test_watched_pages(stage: Stage, fails: bool) -> None:
    s, p = stage, stage.p
    areas: list[Any] = [object(), object()]
    p.warea = list(areas)
    if fails:
        Watch(s).at = "contract_process_fork"
        s.fails("vfork")
    else:
        child = vfork(s)
        assert (p.wpage, p.warea) == (areas, [])
        assert (child.wpage, child.warea) == ([], [])
        s.exit(child)
    assert (p.wpage, p.warea) == ([], areas)


@invariant(63)
@pytest.mark.parametrize("how", ["reaped", "ignored"])
def test_a_child_that_is_gone_already(stage: Stage, how: str) -> None:
    s = stage
    if how == "ignored":
        s.p.flag |= ProcFlag.SNOWAIT
    before = s.ledger()
    child = vfork(s)
    run(s.k, child.lwps[0])
    proc_exit(child.lwps[0], CldCode.EXITED, 0)
    if how == "reaped":
        freeproc(child)
    assert child.pidp is None
    assert not waits(s)
    assert s.diff(before) == []


@invariant(64)
def test_no_shared_memory_is_attached(stage: Stage) -> None:
    """Not even a step for it; what is lent is in test_shm."""
    s = stage
    vfork(s)
    assert "shmfork" not in s.steps()


@invariant(65)
def test_failures_leave_no_wait(stage: Stage) -> None:
    s = stage
    s.exit(vfork(s))
    watch = Watch(s)
    for step in s.steps():
        watch.at = step
        s.fails("vfork")
        assert not s.p.flag & ProcFlag.SVFWAIT
        assert not s.lwp.tflag & TFlag.T_VFPARENT
        assert s.lwp.vfork_pid == 0
        assert not waits(s)


@invariant(66, brand="native")
def test_evaporation(native: Stage) -> None:
    s = native
    before = s.ledger()
    child = s.fork("vfork")
    s.exit(child, 0xFFFF0000, reap=False)
    assert child.pidp is None
    assert s.p.sig == 0
    assert not waits(s)
    assert s.diff(before) == []
    ordinary = s.fork("fork1")
    s.exit(ordinary, 0xFFFF0000, reap=False)
    assert ordinary.stat is ProcStat.SZOMB
