"""A controller and a guest: stops, masks, registers, memory, forks, the agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.fork import fork1
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import WhyStop
from personae.core.prctl import Flt, grab
from personae.core.proc import ProcStat
from personae.core.signo import Sig
from tests.core.realkernel import run

FORK = {"native": 142, "linux": 220}
WRITE = {"native": 4, "linux": 64}
USR1 = {"native": 16, "linux": 10}
Traced = Callable[..., Any]
invariant = pytest.mark.invariant


def where(control: Any) -> tuple[WhyStop, int]:
    lwp = control.stopped()
    return (lwp.whystop, lwp.whatstop)


@pytest.mark.parametrize("cpus", [1, 2])
def test_directed_stop_and_run(traced: Traced, cpus: int) -> None:
    t = traced("calls", "loop", cpus=cpus)
    c = t.control
    for _ in range(50):
        t.machine.step()
    c.stop()
    assert c.wait().whystop is WhyStop.PR_REQUESTED
    with pytest.raises(KernelError) as e:
        c.set_regs(t.proc.lwps[0], {0: 1})
    assert e.value.errno is Errno.EINVAL
    c.run()
    with pytest.raises(KernelError) as e:
        c.run()
    assert e.value.errno is Errno.EBUSY
    c.kill(Sig.SIGKILL)
    assert t.finish()[0] == -9


def test_entry_and_exit(brand: str, traced: Traced) -> None:
    """Arguments changed at the entry, a result changed at the exit."""
    t = traced("calls", "write")
    c = t.control
    c.set_entry([WRITE[brand]])
    c.set_exit([WRITE[brand]])
    lwp = c.wait(t.job)
    assert where(c) == (WhyStop.PR_SYSENTRY, WRITE[brand])
    regs = c.regs(lwp)
    assert c.read(regs[11], regs[12]) == b"hello\n"
    c.write(regs[11], b"HELLO\n")
    c.run()
    c.wait(t.job)
    assert where(c) == (WhyStop.PR_SYSEXIT, WRITE[brand])
    assert c.regs(lwp)[10] == 6
    c.set_regs(lwp, {10: 5})
    c.run()
    assert t.finish() == (1, "HELLO\n")
    assert c.gone


def test_abort(brand: str, traced: Traced) -> None:
    t = traced("calls", "write")
    t.control.set_entry([WRITE[brand]])
    t.control.wait(t.job)
    t.control.run(abort=True)
    assert t.finish() == (1, "")


def test_killed_at_the_entry_it_is_not_made(brand: str, traced: Traced) -> None:
    t = traced("calls", "write")
    t.control.set_entry([WRITE[brand]])
    t.control.wait(t.job)
    t.control.kill(Sig.SIGKILL)
    assert t.finish() == (-9, "")


@pytest.mark.parametrize("clear", [False, True])
def test_signals(brand: str, traced: Traced, clear: bool) -> None:
    t = traced("calls", "signal")
    t.control.set_signals([Sig.SIGUSR1, Sig.SIGKILL])
    t.control.wait(t.job)
    assert where(t.control) == (WhyStop.PR_SIGNALLED, Sig.SIGUSR1)
    t.control.run(clear_signal=clear)
    assert t.finish()[0] == (0 if clear else USR1[brand])


def test_an_ignored_signal_is_seen(traced: Traced) -> None:
    t = traced("calls", "loop")
    t.control.set_signals([Sig.SIGWINCH])
    t.control.kill(Sig.SIGWINCH)
    t.control.wait(t.job)
    assert where(t.control) == (WhyStop.PR_SIGNALLED, Sig.SIGWINCH)
    t.control.run()
    for _ in range(20):
        t.machine.step()
    assert t.control.stopped() is None
    t.control.kill_on_close = True
    t.control.release()
    assert t.finish()[0] == -9


def test_faults(traced: Traced) -> None:
    """The controller steps over the store by changing the pc."""
    t = traced("calls", "fault")
    c = t.control
    c.set_faults([Flt.FLTBOUNDS])
    lwp = c.wait(t.job)
    assert where(c) == (WhyStop.PR_FAULTED, Flt.FLTBOUNDS)
    pc = c.regs(lwp)[32]
    size = 4 if c.read(pc, 1)[0] & 3 == 3 else 2
    c.set_regs(lwp, {32: pc + size})
    c.run(clear_fault=True)
    assert t.finish()[0] == 3


def test_a_fault_that_is_not_cleared_is_its_signal(traced: Traced) -> None:
    t = traced("calls", "fault")
    t.control.set_faults([Flt.FLTBOUNDS])
    t.control.wait(t.job)
    t.control.run()
    assert t.finish()[0] == -11


@invariant(21, 38)
def test_fork_stops_both(brand: str, traced: Traced) -> None:
    t = traced("calls", "fork")
    c = t.control
    c.set_exit([FORK[brand]])
    c.inherit_on_fork(True)
    c.wait(t.job)
    assert where(c) == (WhyStop.PR_SYSEXIT, FORK[brand])
    (child,) = t.proc.children()
    cc = grab(child)
    cc.wait(t.job)
    assert where(cc) == (WhyStop.PR_SYSEXIT, FORK[brand])
    cc.run_on_close = True
    cc.release()
    c.run()
    assert t.finish()[0] == 5


@invariant(21, 38)
def test_vfork_stops_both(brand: str, traced: Traced) -> None:
    t = traced("calls", "vfork")
    c = t.control
    c.set_exit([FORK[brand]])
    c.inherit_on_fork(True)
    c.wait(t.job)
    (child,) = t.proc.children()
    cc = grab(child)
    cc.wait(t.job)
    assert where(cc) == (WhyStop.PR_SYSEXIT, FORK[brand])
    c.run()
    for _ in range(20):
        t.machine.step()
    assert child.as_ is t.proc.as_
    cc.run()
    assert t.finish()[0] == 5
    assert cc.gone


@invariant(93)
def test_the_agent_can_not_fork(traced: Traced) -> None:
    t = traced("calls", "loop")
    c = t.control
    c.stop()
    c.wait()
    lwp = t.proc.lwps[0]
    agent = c.agent(dict(enumerate(c.regs(lwp)[1:], 1)))
    with pytest.raises(KernelError) as e:
        c.run(lwp)
    assert e.value.errno is Errno.EBUSY
    run(t.k, agent)
    with pytest.raises(KernelError) as e:
        fork1(agent)
    assert e.value.errno is Errno.ENOTSUP
    assert ledger_check(t.k) == []


@invariant(93)
def test_the_agent_is_told_so(brand: str, traced: Traced) -> None:
    """The call itself, made by the agent: ENOTSUP, which LX guests see as ENOSYS."""
    t = traced("calls", "fork")
    c = t.control
    c.set_entry([FORK[brand]])
    c.set_exit([FORK[brand]])
    c.wait(t.job)
    lwp = t.proc.lwps[0]
    agent = c.agent(dict(enumerate(c.regs(lwp)[1:], 1)))
    c.run(agent)
    while agent.whystop is not WhyStop.PR_SYSEXIT:
        t.machine.step()
        if agent.whystop is WhyStop.PR_SYSENTRY:
            c.run(agent)
    regs = c.regs(agent)
    if brand == "native":
        assert (regs[5], regs[10]) == (1, 48)
    else:
        assert regs[10] == -38 % 2**64
    assert t.proc.children() == []
    assert ledger_check(t.k) == []


@invariant(62)
@pytest.mark.parametrize("how", ["fork", "vfork"])
def test_a_child_waits_for_the_lock_of_its_lender(traced: Traced, how: str) -> None:
    t = traced("calls", how)
    c = t.control
    while not t.proc.children():
        t.machine.step()
    (child,) = t.proc.children()
    c.lock()
    for _ in range(50):
        t.machine.step()
    waits = child.stat is ProcStat.SRUN
    assert waits == (how == "vfork")
    assert not t.k.locks.held
    c.unlock()
    assert t.finish()[0] == 5
    assert c.relvms == 1


@invariant(62)
def test_a_fork_waits_for_the_lock(traced: Traced) -> None:
    t = traced("calls", "fork")
    t.control.lock()
    for _ in range(50):
        t.machine.step()
    assert t.proc.children() == []
    assert t.proc.stat is ProcStat.SRUN
    t.control.unlock()
    assert t.finish()[0] == 5


def test_single_steps(traced: Traced) -> None:
    t = traced("calls", "write")
    c = t.control
    c.set_faults([Flt.FLTTRACE])
    c.stop()
    lwp = c.wait()
    pcs = []
    for _ in range(30):
        c.run(clear_fault=True, step=True)
        c.wait(t.job)
        pcs.append(c.regs(lwp)[32])
    assert lwp.regs[66] == 30
    c.run(clear_fault=True)
    assert t.finish() == (0, "hello\n")
    assert len(set(pcs)) > 20


def test_release_and_run(brand: str, traced: Traced) -> None:
    t = traced("calls", "write")
    t.control.set_entry([WRITE[brand]])
    t.control.run_on_close = True
    t.control.wait(t.job)
    t.control.release()
    assert t.finish() == (0, "hello\n")


def test_who_can_not_be_grabbed(traced: Traced) -> None:
    t = traced("calls", "write")
    with pytest.raises(KernelError) as e:
        grab(t.k.p0)
    assert e.value.errno is Errno.EBUSY
    t.finish()
    with pytest.raises(KernelError) as e:
        grab(t.proc)
    assert e.value.errno is Errno.ENOENT
