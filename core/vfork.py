"""The hand-over of an address space between a vfork child and its parent.

``as_share`` lends the parent's space to the child; ``relvm`` gives it back at exec
or exit (fork.c:1120); ``vfwait`` keeps the parent from user mode until then
(fork.c:1266).  The child's p_lock is taken before the parent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core import probes, prstop, schedctl, watchpoint
from personae.core.errno import Panic
from personae.core.forklwp import continuelwps
from personae.core.lwp import T_VFKILL, T_VFPARENT
from personae.core.proc import SVFORK, SVFWAIT, Proc
from personae.core.signo import Sig, sigbit
from personae.core.sync import LockOrder, Sleep
from personae.core.vm.as_ import as_free

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.txn import Transaction


def as_share(txn: Transaction, p: Proc, cp: Proc) -> None:
    """Step C8v: the child runs in the parent's space (fork.c:181-209)."""
    txn.call("clearwatch", watchpoint.park, watchpoint.restore, p)
    txn.do("as_share", lambda: _lend(p, cp), lambda _: _unlend(cp))


def _lend(p: Proc, cp: Proc) -> None:
    as_share_with(p, cp)
    cp.flag |= SVFORK
    cp.lender = p


def _unlend(cp: Proc) -> None:
    as_unshare(cp)
    cp.flag &= ~SVFORK
    cp.lender = None


def as_share_with(p: Proc, cp: Proc) -> None:
    """Let ``cp`` use the address space of ``p``: one user more."""
    cp.as_ = p.as_
    if cp.as_ is not None:
        cp.as_.users += 1
        cp.segacct = p.segacct  # borrowed: what is attached belongs to the space


def as_unshare(p: Proc) -> None:
    """``p`` stops using its address space; the last user frees it (shmexit)."""
    space, p.as_ = p.as_, None
    segacct, p.segacct = p.segacct, {}
    if space is None:
        return
    if space.users <= 0:
        raise Panic(f"address space of {p!r} is used by nobody")
    space.users -= 1
    if space.users == 0:
        for seg in segacct.values():
            seg.detach(p.pid)
        as_free(space)


def relvm(p: Proc) -> None:
    """Drop the address space of ``p``: hand a lent one back, free an own one.

    The caller is the only lwp.  Calling it again does nothing.
    """
    prstop.prrelvm(p)
    if p.sc_pages:
        schedctl.proc_cleanup(p)
    probes.helpers_free(p)
    if p.flag & SVFORK:
        _hand_back(p)
        return
    if p.as_ is None:
        return
    if p.warea:
        watchpoint.clear_all(p)
    lock = p.lock
    lock.enter()
    try:
        as_unshare(p)
    finally:
        lock.exit()


def _hand_back(cp: Proc) -> None:
    """The child is done with its parent's space (fork.c:1140-1230).

    A parent that was killed meanwhile has left the space to the child.
    """
    p, cp.lender = cp.lender, None
    if p is None:
        raise Panic(f"{cp!r} holds a lent address space that nobody lent")
    lent = cp.as_
    with cp.lock:
        p.lock.enter_as(LockOrder.P_LOCK)
        cp.flag &= ~SVFORK
        as_unshare(cp)
        if p.as_ is lent:
            p.brkbase, p.brksize, p.stksize = cp.brkbase, cp.brksize, cp.stksize
        p.flag &= ~SVFWAIT
        watchpoint.restore(p)
        p.lock.exit()
    cp.kernel.wakeup(p.cv)


def vfwait(lwp: Lwp) -> None:
    """Keep the parent of a vfork until its child has called relvm.

    Runs on the way back to user mode.  A signal does not end it: it is delivered
    afterwards; but with T_VFKILL a SIGKILL leaves the space to the child.

    Raises:
        Sleep: The child still uses the space.
    """
    p = lwp.proc
    child = lwp.kernel.pids.prfind(lwp.vfork_pid)
    killed = lwp.tflag & T_VFKILL and p.sig & sigbit(Sig.SIGKILL)
    if child is not None and child.lender is p and not killed:
        raise Sleep(p.cv, interruptible=False)
    lwp.tflag &= ~(T_VFPARENT | T_VFKILL)
    lwp.vfork_pid = 0
    if not killed:
        watchpoint.shut(p)
    continuelwps(p)
