"""FX, the fixed-priority class: what the user has set stays (disp/fx.c).

A lwp runs at its user priority, 0 to 60, and using up the quantum changes nothing but
its place in the queue.  The quantum is that of the priority's row in the table unless
it was set, and may be infinite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from personae.core.cls import setpri
from personae.core.clsparms import (
    MAXUPRI,
    NZERO,
    TQDEF,
    ClassInfo,
    FxParms,
    may_raise,
    moved_nice,
)
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl
from personae.plugins.sched.members import Members, child_first
from personae.plugins.sched.quantum import NANOSEC, Quantum, check_quantum

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp

FX_QUANTA = (20, 16, 12, 8, 4, 4, 2)
"""Ticks of 10 ms for each ten priorities (fx_dptbl(5))."""


def table_quantum(pri: int) -> int:
    """Nanoseconds of the quantum of a priority."""
    return FX_QUANTA[pri // 10] * (NANOSEC // 100)


@dataclass
class FxProc:
    """Class data of one lwp (fxproc_t)."""

    tq: Quantum
    upri: int = 0
    uprilim: int = 0
    nice: int = NZERO


class FixedPriority(Members[FxProc]):
    """FX."""

    name = "FX"

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Priority 0 unless ``parms`` says more."""
        fx = FxProc(Quantum(table_quantum(0)))
        self._set(fx, parms or FxParms(), None, entering=True)
        self.install(lwp, fx)
        lwp.pri = fx.upri
        fx.tq.renew(lwp)

    @hookimpl
    def cl_alloc(self, lwp: Lwp) -> FxProc:
        """A copy of the data, for the clone."""
        fx = self.data(lwp)
        buf = replace(fx, tq=replace(fx.tq))
        self.unused += 1
        return buf

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: FxProc) -> None:
        """Priority, limit, nice value and quantum; the quantum is full (fx_fork)."""
        child.proc.lock.assert_held()
        src = self.data(lwp)
        buf.upri, buf.uprilim, buf.nice = src.upri, src.uprilim, src.nice
        buf.tq = Quantum(src.tq.length)
        self.taken()
        self.install(child, buf)
        child.pri = buf.upri
        buf.tq.renew(child)

    @hookimpl
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """Child first; the parent goes behind it, and is not demoted (fx_forkret)."""
        child_first(lwp, child)
        fx = self.data(lwp)
        fx.tq.renew(lwp)
        fx.tq.backq = True
        lwp.proc.lock.exit()

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """At the end of the quantum it goes to the back, with a new one."""
        return self.data(lwp).tq.charge(lwp, used, sharing=True)

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
        """To the back."""
        self.data(lwp).tq.backq = True

    @hookimpl
    def cl_sleep(self, lwp: Lwp) -> None:
        """What it ran counts."""
        self.data(lwp).tq.asleep(lwp)

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """The priority is the user's."""
        lwp.pri = self.data(lwp).upri

    @hookimpl
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """A fixed priority is meant: it goes before a lower one at once."""
        del lwp, running
        return True

    # ---- parameters ----

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """As if a lwp of priority 0 asked for them."""
        fx = FxProc(Quantum(table_quantum(0)))
        self._set(fx, parms or FxParms(), cred, entering=True)

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> FxParms:
        """Priority, limit, quantum."""
        fx = self.data(lwp)
        return FxParms(fx.upri, fx.uprilim, fx.tq.length)

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """fx_parmsset: raising the limit and setting a quantum ask for a privilege."""
        fx = self.data(lwp)
        self._set(fx, parms or FxParms(), cred)
        fx.tq.renew(lwp)
        setpri(lwp, fx.upri)

    @hookimpl
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """fx_donice: a nice value below normal is a priority, others are priority 0."""
        fx = self.data(lwp)
        if incr == 0:
            return fx.nice - NZERO
        nice = moved_nice(fx.nice, cred, incr)
        pri = max(0, (NZERO - nice) * MAXUPRI // NZERO)
        self._set(fx, FxParms(pri, pri, TQDEF), None)
        fx.nice = nice
        fx.tq.renew(lwp)
        setpri(lwp, fx.upri)
        return nice - NZERO

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """The class."""
        return ClassInfo(self.name, MAXUPRI, niced=True)

    @hookimpl
    def cl_getclpri(self) -> tuple[int, int]:
        """0 to 60."""
        return 0, MAXUPRI

    @staticmethod
    def _set(
        fx: FxProc, parms: FxParms, cred: Cred | None, *, entering: bool = False
    ) -> None:
        for value in (parms.upri, parms.uprilim):
            if value is not None and not 0 <= value <= MAXUPRI:
                raise KernelError(Errno.EINVAL, f"FX: priority {value}")
        check_quantum(parms.quantum)
        upri = fx.upri if parms.upri is None else parms.upri
        limit = fx.uprilim if parms.uprilim is None else parms.uprilim
        if entering and parms.uprilim is None:
            limit = upri
        may_raise(cred, limit > fx.uprilim or parms.quantum not in (None, TQDEF))
        upri = min(upri, limit)
        if parms.quantum == TQDEF or (parms.quantum is None and entering):
            length = table_quantum(upri)
        else:
            length = fx.tq.length if parms.quantum is None else parms.quantum
        fx.upri, fx.uprilim, fx.nice = upri, limit, NZERO - NZERO * upri // MAXUPRI
        fx.tq.length = length
