"""Context operations of processes and lwps (struct pctxop, struct ctxop; os/exec.c).

What hangs on a process or lwp and has to follow its forks, execs and exits, as the LDT
of x86 and the user traps of sparc do.  An operation is a plain object with ``fork`` and
``free``; the kernel calls it and never looks inside.

Must not know: what they are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc


class ProcCtx(Protocol):
    """One context of a process."""

    def fork(self, child: Proc) -> ProcCtx:
        """The child's own, after the commit of its fork (C20); can't fail."""

    def free(self, proc: Proc, isexec: bool) -> None:
        """The process execs or exits."""


class LwpCtx(Protocol):
    """One context of a lwp."""

    def fork(self, clone: Lwp) -> LwpCtx:
        """The clone's own; the fork may still fail, then it is freed."""

    def free(self, lwp: Lwp, isexec: bool) -> None:
        """The lwp execs, exits, or was discarded by a fork that failed."""


def installpctx(p: Proc, op: ProcCtx) -> None:
    """Hang a context on a process."""
    p.pctx.append(op)


def freepctx(p: Proc, isexec: bool) -> None:
    """Free all contexts of a process, the newest first."""
    while p.pctx:
        p.pctx.pop().free(p, isexec)


def installctx(lwp: Lwp, op: LwpCtx) -> None:
    """Hang a context on a lwp."""
    lwp.ctxops.append(op)


def freectx(lwp: Lwp, isexec: bool) -> None:
    """Free all contexts of a lwp, the newest first."""
    while lwp.ctxops:
        lwp.ctxops.pop().free(lwp, isexec)
