"""RT, the real-time class: before everything else (disp/rt.c).

Sixty priorities above those of the system.  A lwp runs until it sleeps, until a higher
one wakes, which takes the CPU at once, or until its quantum is over; with an infinite
quantum that never comes.  The signal ``tqsignal`` tells it of each quantum's end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from personae.core.cls import setpri
from personae.core.clsparms import TQDEF, ClassInfo, RtParms
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl
from personae.core.policy import secpolicy_setpriority
from personae.core.signo import NSIG
from personae.plugins.sched.members import Members
from personae.plugins.sched.quantum import NANOSEC, Quantum, check_quantum

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp

RT_GLOBAL = 100
"""Global priority of real-time priority 0."""
RT_MAXPRI = 59
RT_QUANTA = (100, 80, 60, 40, 20, 10)
"""Ticks of 10 ms for each ten priorities (rt_dptbl(5))."""


def table_quantum(pri: int) -> int:
    """Nanoseconds of the quantum of a priority."""
    return RT_QUANTA[pri // 10] * (NANOSEC // 100)


@dataclass
class RtProc:
    """Class data of one lwp (rtproc_t)."""

    tq: Quantum
    pri: int = 0
    tqsignal: int = 0


class RealTime(Members[RtProc]):
    """RT.  cl_forkret is the default: the parent goes on (rt_forkret)."""

    name = "RT"

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Priority 0 and the quantum of the table unless ``parms`` says more."""
        rt = RtProc(Quantum(table_quantum(0)))
        self._set(rt, parms or RtParms(), entering=True)
        self.install(lwp, rt)
        lwp.pri = RT_GLOBAL + rt.pri
        rt.tq.renew(lwp)

    @hookimpl
    def cl_alloc(self, lwp: Lwp) -> RtProc:
        """A copy of the data, for the clone."""
        rt = self.data(lwp)
        buf = replace(rt, tq=replace(rt.tq))
        self.unused += 1
        return buf

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: RtProc) -> None:
        """Priority, quantum and signal; the quantum is full (rt_fork)."""
        child.proc.lock.assert_held()
        src = self.data(lwp)
        buf.pri, buf.tqsignal = src.pri, src.tqsignal
        buf.tq = Quantum(src.tq.length)
        self.taken()
        self.install(child, buf)
        child.pri = RT_GLOBAL + buf.pri
        buf.tq.renew(child)

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """At the end of the quantum: the signal, a new one, and to the back."""
        rt = self.data(lwp)
        over = rt.tq.charge(lwp, used)
        if over and rt.tqsignal:
            lwp.kernel.tsignal(lwp, rt.tqsignal)
        return over

    @hookimpl
    def cl_quantum(self, lwp: Lwp) -> int:
        """What is left, but no more than a time slice of the machine."""
        return self.data(lwp).tq.slice(lwp)

    @hookimpl
    def cl_preempt(self, lwp: Lwp) -> bool:
        """An unexpired quantum keeps its place."""
        return self.data(lwp).tq.keeps_place()

    @hookimpl
    def cl_yield(self, lwp: Lwp) -> None:
        """To the back, with a full quantum (rt_yield)."""
        rt = self.data(lwp)
        rt.tq.renew(lwp)
        rt.tq.backq = True

    @hookimpl
    def cl_sleep(self, lwp: Lwp) -> None:
        """What it ran counts."""
        self.data(lwp).tq.asleep(lwp)

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """A full quantum (rt_wakeup)."""
        rt = self.data(lwp)
        rt.tq.renew(lwp)
        lwp.pri = RT_GLOBAL + rt.pri

    @hookimpl
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """At once: that is what real time means."""
        del lwp, running
        return True

    # ---- parameters ----

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """Real time is for the privileged."""
        secpolicy_setpriority(cred)
        self._set(RtProc(Quantum(0)), parms or RtParms(), entering=True)

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> RtParms:
        """Priority, quantum, signal."""
        rt = self.data(lwp)
        return RtParms(rt.pri, rt.tq.length, rt.tqsignal)

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """rt_parmsset: for the privileged."""
        if cred is not None:
            secpolicy_setpriority(cred)
        rt = self.data(lwp)
        self._set(rt, parms or RtParms())
        rt.tq.renew(lwp)
        setpri(lwp, RT_GLOBAL + rt.pri)

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """The class."""
        return ClassInfo(self.name, RT_MAXPRI, privileged=True)

    @hookimpl
    def cl_getclpri(self) -> tuple[int, int]:
        """Above the system's."""
        return RT_GLOBAL, RT_GLOBAL + RT_MAXPRI

    @staticmethod
    def _set(rt: RtProc, parms: RtParms, *, entering: bool = False) -> None:
        pri = rt.pri if parms.pri is None else parms.pri
        if not 0 <= pri <= RT_MAXPRI:
            raise KernelError(Errno.EINVAL, f"RT: priority {pri}")
        if parms.tqsignal is not None and not 0 <= parms.tqsignal < NSIG:
            raise KernelError(Errno.EINVAL, f"RT: signal {parms.tqsignal}")
        check_quantum(parms.quantum)
        if parms.quantum == TQDEF or (parms.quantum is None and entering):
            rt.tq.length = table_quantum(pri)
        elif parms.quantum is not None:
            rt.tq.length = parms.quantum
        rt.pri = pri
        if parms.tqsignal is not None:
            rt.tqsignal = parms.tqsignal
