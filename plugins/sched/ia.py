"""IA, the interactive class: TS, and the foreground process group goes first.

A member whose process group is in the foreground of its session's terminal runs ten
levels higher (ia_boost, disp/ts.c).  ``mode`` off takes that from a lwp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from personae.core.cls import TimeShare, TsProc, setpri
from personae.core.clsparms import (
    IA_INTERACTIVE_OFF,
    IA_SET_INTERACTIVE,
    IaParms,
    TsParms,
)
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

IA_BOOST = 10


@dataclass
class IaProc(TsProc):
    """Class data of one lwp."""

    mode: int = IA_SET_INTERACTIVE

    def dup(self) -> IaProc:
        """A copy of its own."""
        return replace(self)


class Interactive(TimeShare):
    """IA."""

    name = "IA"

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Enter in the middle."""
        ia = IaProc()
        if parms is not None:
            self._set(ia, parms, None)
        self._install(lwp, ia)

    @hookimpl
    def cl_quantum(self, lwp: Lwp) -> int:
        """As TS; the lwp is put on a CPU, with the boost it has now."""
        ia: IaProc = lwp.cldata
        ia.boost = self._boost_of(lwp, ia)
        ia.newumdpri()
        lwp.pri = ia.umdpri
        return super().cl_quantum(lwp)

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: Any) -> None:
        """As TS; mode and boost are inherited.

        The child is in no process group yet.
        """
        buf.mode = lwp.cldata.mode
        super().cl_fork(lwp, child, buf)
        buf.boost = lwp.cldata.boost
        buf.newumdpri()
        child.pri = buf.umdpri

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """As TS."""
        self._set(IaProc(), parms or IaParms(), cred)

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> IaParms:
        """User priority, limit and mode."""
        ia: IaProc = lwp.cldata
        return IaParms(ia.upri, ia.uprilim, ia.mode)

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """As TS, and the mode."""
        ia: IaProc = lwp.cldata
        self._set(ia, parms or IaParms(), cred)
        self._follow(lwp)

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """As TS; the foreground may have changed meanwhile."""
        self._follow(lwp)
        return super().cl_tick(lwp, used)

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """As TS; the foreground may have changed meanwhile."""
        self._follow(lwp)
        super().cl_wakeup(lwp)

    @hookimpl
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """Who has the boost goes before everybody of a lower priority, at once."""
        del running
        return bool(lwp.cldata.boost)

    @hookimpl
    def cl_set_process_group(
        self, kernel: Kernel, sid: int, background: int, foreground: int
    ) -> None:
        """ia_set_process_group: the boost goes from one group to the other."""
        for pgid in (background, foreground):
            pgrp = kernel.pids.pgfind(pgid) if pgid else None
            for p in pgrp.members if pgrp is not None else ():
                if p.sid != sid:
                    continue
                for t in p.lwps:
                    if t in self.members:
                        self._follow(t)

    @staticmethod
    def _set(ts: TsProc, parms: TsParms, cred: Cred | None) -> None:
        mode = getattr(parms, "mode", None)
        if mode not in (None, IA_INTERACTIVE_OFF, IA_SET_INTERACTIVE):
            raise KernelError(Errno.EINVAL, f"IA: mode {mode}")
        TimeShare._set(ts, parms, cred)
        if mode is not None and isinstance(ts, IaProc):
            ts.mode = mode

    def _fresh(self, lwp: Lwp, ts: TsProc) -> None:
        ts.boost = self._boost_of(lwp, ts)
        super()._fresh(lwp, ts)

    def _follow(self, lwp: Lwp) -> None:
        """Take the boost that the terminal gives now."""
        ia: IaProc = lwp.cldata
        ia.boost = self._boost_of(lwp, ia)
        ia.newumdpri()
        if lwp.pri != ia.umdpri:
            setpri(lwp, ia.umdpri)

    @staticmethod
    def _boost_of(lwp: Lwp, ts: TsProc) -> int:
        sess = lwp.proc.sess
        tty = sess.s_tty if sess is not None else None
        on = isinstance(ts, IaProc) and ts.mode == IA_SET_INTERACTIVE
        return IA_BOOST if on and tty is not None and tty.pgid == lwp.proc.pgid else 0
