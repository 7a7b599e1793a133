"""The hand-over of an address space between a vfork child and its parent.

``as_share`` lends the parent's space to the child; ``relvm`` gives it back at exec
or exit (fork.c:1120); ``vfwait`` keeps the parent from user mode until then
(fork.c:1266).  The child's p_lock is taken before the parent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Panic
from personae.core.forklwp import continuelwps
from personae.core.lwp import TFlag
from personae.core.proc import Proc, ProcFlag
from personae.core.sync import LockOrder, Sleep
from personae.core.vm.as_ import as_free

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.txn import Transaction


def as_share(txn: Transaction, p: Proc, cp: Proc) -> None:
    """Step C8v: the child runs in the parent's space (fork.c:181-209)."""
    txn.do("clearwatch", lambda: _watch_park(p), lambda _: _watch_restore(p))
    txn.do("as_share", lambda: _lend(p, cp), lambda _: _unlend(cp))


def _watch_park(p: Proc) -> None:
    """Watched pages are the parent's; the child must not trip over them."""
    p.wpage, p.warea = p.warea, []


def _watch_restore(p: Proc) -> None:
    if p.wpage:
        p.warea, p.wpage = p.wpage, []


def _lend(p: Proc, cp: Proc) -> None:
    cp.as_ = p.as_
    cp.flag |= ProcFlag.SVFORK


def _unlend(cp: Proc) -> None:
    cp.as_ = None
    cp.flag &= ~ProcFlag.SVFORK


def relvm(p: Proc) -> None:
    """Drop the address space of ``p``: hand a lent one back, free an own one.

    The caller is the only lwp.  Calling it again does nothing.
    """
    if p.flag & ProcFlag.SVFORK:
        _hand_back(p)
        return
    if p.as_ is None:
        return
    for seg in p.segacct.values():
        seg.detach()
    p.segacct = {}
    with p.lock:
        space, p.as_ = p.as_, None
    as_free(space)


def _hand_back(cp: Proc) -> None:
    """The child is done with its parent's space (fork.c:1140-1230)."""
    p = cp.parent
    if p is None:
        raise Panic(f"{cp!r} holds a lent address space but has no parent")
    k = cp.kernel
    with cp.lock:
        p.lock.enter(LockOrder.P_LOCK)
        cp.flag &= ~ProcFlag.SVFORK
        cp.as_ = None
        p.brkbase, p.brksize, p.stksize = cp.brkbase, cp.brksize, cp.stksize
        p.flag &= ~ProcFlag.SVFWAIT
        _watch_restore(p)
        p.lock.exit()
    k.wakeup(p.cv)


def vfwait(lwp: Lwp) -> None:
    """Keep the parent of a vfork until its child has called relvm.

    Runs on the way back to user mode.  A signal does not end it: it is delivered
    afterwards.

    Raises:
        Sleep: The child still uses the space.
    """
    p = lwp.proc
    child = lwp.kernel.pids.prfind(lwp.vfork_pid)
    if child is not None and child.parent is p and child.flag & ProcFlag.SVFORK:
        raise Sleep(p.cv, interruptible=False)
    lwp.tflag &= ~TFlag.T_VFPARENT
    lwp.vfork_pid = 0
    continuelwps(p)
