"""Scheduling policies and nice values of Linux as classes and parameters.

FIFO and RR are the class RT, with an infinite quantum and one of 100 ms; the
priorities 1 to 99 are spread over its sixty.  Everything else is the class that the
zone has, where the nice value counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.data import ldata, pdata
from personae.core.clsparms import TQINF, RtParms
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.priocntl import parmsset

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

SCHED_OTHER, SCHED_FIFO, SCHED_RR = 0, 1, 2
RESET_ON_FORK = 0x40000000
RR_QUANTUM_NS = 100_000_000
"""RR_TIMESLICE."""
_MAX_PRIO, _MAX_RT = 99, 59


def realtime(policy: int) -> bool:
    """Whether a policy has priorities."""
    return policy & ~RESET_ON_FORK in (SCHED_FIFO, SCHED_RR)


def set_policy(t: Lwp, policy: int, prio: int, cred: Cred) -> None:
    """Give a thread a policy, which has been checked, and its priority.

    Raises:
        KernelError: EPERM, a policy with priorities without PROC_PRIOCNTL, which
            stands for CAP_SYS_NICE.
    """
    if realtime(policy):
        rt = t.kernel.classes.get("RT")
        if rt is None or not cred.has(Priv.PROC_PRIOCNTL):
            raise KernelError(Errno.EPERM, "no realtime policies")
        fifo = policy & ~RESET_ON_FORK == SCHED_FIFO
        pri = (prio - 1) * _MAX_RT // (_MAX_PRIO - 1)
        quantum = TQINF if fifo else RR_QUANTUM_NS
        parmsset(t, rt, RtParms(pri, quantum, 0), t.kernel.kcred)
    else:
        _leave_realtime(t)
    data = ldata(t)
    data.policy, data.rtprio = policy, prio


def _leave_realtime(t: Lwp) -> None:
    """Back to the class of the zone; a thread that never left it stays there."""
    if not realtime(ldata(t).policy):
        return
    parmsset(t, t.kernel.classes[t.proc.zone.class_name()], None, t.kernel.kcred)
    _nice(t, pdata(t.proc).nice)


def set_nice(proc: Proc, nice: int) -> None:
    """The nice value of a process, which its threads follow."""
    pdata(proc).nice = nice
    for t in proc.lwps:
        _nice(t, nice)


def _nice(t: Lwp, nice: int) -> None:
    cls, cred = t.cls, t.kernel.kcred
    if cls is None or not cls.ops.cl_getclinfo().niced:
        return
    incr = nice - cls.donice(t, cred, 0)
    if incr:
        cls.donice(t, cred, incr)


def inherit(src: Lwp, dst: Lwp) -> None:
    """A child or a thread has the policy of who made it."""
    here, there = ldata(src), ldata(dst)
    there.policy, there.rtprio = here.policy, here.rtprio


def reset_on_fork(child: Lwp) -> None:
    """SCHED_RESET_ON_FORK: the child does not run in real time, nor above nice 0."""
    if not ldata(child).policy & RESET_ON_FORK:
        return
    set_policy(child, SCHED_OTHER, 0, child.kernel.kcred)
    if pdata(child.proc).nice < 0:
        set_nice(child.proc, 0)


def interval_ns(t: Lwp) -> int | None:
    """What sched_rr_get_interval says of a realtime policy; None for others."""
    policy = ldata(t).policy
    if not realtime(policy):
        return None
    return 0 if policy & ~RESET_ON_FORK == SCHED_FIFO else RR_QUANTUM_NS
