"""fork1, forkall, vfork: the generic fork machinery (os/fork.c).

``cfork`` is one transaction.  Its steps stand in the order of fork.c and carry
the names of what they do; each can fail, and each states its undo.  At
``commit`` stands the line where fork.c says that no fork failure occurs beyond
(fork.c:405); after it only void operations follow (rule R1).

Two phases of visibility (R2): after ``pid_allocate`` the child is in the tables,
but it is SIDL and in no process group, and every walker passes it by.

Locks that straddle calls (R3): the pool barrier is held from step C6 to C24;
P_PR_LOCK over as_dup; pidlock is entered by cfork and dropped by CL_FORKRET.

Must not know: which brand, class or contract type it works for.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import TYPE_CHECKING

from personae.core import probes, prstop, rctl
from personae.core.blame import hook_panic
from personae.core.errno import Errno, KernelError, Panic
from personae.core.flags import quick_flags
from personae.core.forklwp import (
    continuelwps,
    forklwp,
    holdlwps,
    lwpdir_alloc,
    lwpdir_free,
)
from personae.core.getproc import (
    GETPROC,
    PUNISHED,
    Birth,
    ForkPunish,
    punish,
    punish_over,
)
from personae.core.lwp import (
    T_FORKALL,
    T_VFKILL,
    T_VFPARENT,
    TP_DAEMON,
    TP_HOLDLWP,
    TP_PRSTOP,
    TP_TWAIT,
)
from personae.core.policy import secpolicy_basic_fork
from personae.core.pool import pool_barrier_enter, pool_barrier_exit
from personae.core.proc import (
    CLDNOSIGCHLD,
    CLDWAITPID,
    P_PR_ASYNC,
    SFORKING,
    SHOLDFORK,
    SHOLDFORK1,
    SLWPWRAP,
    SRUN,
    SVFWAIT,
    Proc,
)
from personae.core.session import pgjoin
from personae.core.signal import sigdefault
from personae.core.signo import Sig
from personae.core.trap import must_return, set_returned
from personae.core.txn import Steps, Transaction
from personae.core.vfork import as_share, as_share_with, as_unshare
from personae.core.vm.as_ import as_dup

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


class ForkKind(Enum):
    """Which of the three entries of fork.c (lines 94-120)."""

    FORKALL = "forkall"
    FORK1 = "fork1"
    VFORK = "vfork"


@quick_flags
class ForkFlag(IntFlag):
    """Flags of forkx(2), and what a brand may ask for beyond them."""

    FORK_NOSIGCHLD = 1
    FORK_WAITPID = 2
    FORK_KEEPHANDLERS = 0x100
    """vfork: leave the child's handlers (Linux); illumos sets them to default."""
    FORK_CALLERONLY = 0x200
    """vfork: only the calling lwp waits (Linux); illumos holds all of them."""
    FORK_SHAREVM = 0x400
    """The child shares the address space for good (clone with VM alone)."""


FORK_NOSIGCHLD, FORK_WAITPID = 1, 2
FORK_KEEPHANDLERS, FORK_CALLERONLY, FORK_SHAREVM = 0x100, 0x200, 0x400
ALL_FLAGS = sum(int(flag) for flag in ForkFlag)
FORKALL, FORK1, VFORK = ForkKind.FORKALL, ForkKind.FORK1, ForkKind.VFORK
_NAMES = {kind: str(kind.value) for kind in ForkKind}


def forkall(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:94.  See ``cfork``."""
    return cfork(lwp, ForkKind.FORKALL, flags)


def fork1(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:115.  See ``cfork``."""
    return cfork(lwp, ForkKind.FORK1, flags)


def vfork(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:104.  See ``cfork``."""
    return cfork(lwp, ForkKind.VFORK, flags)


_ERRNOS = {
    "flags": Errno.EINVAL,
    "agent": Errno.ENOTSUP,
    "secpolicy_basic_fork": Errno.EPERM,
    "holdlwps": Errno.EINTR,
}
"""Which errno the failure of a step becomes (FORK-120); EAGAIN for all others."""
_MEMORY = frozenset(
    [
        "sprlock",
        "hat_dup",
        "text_dup",
        "clearwatch",
        "shmfork",
        "dtrace_fork",
        "sprunlock",
    ]
)
"""Those of a copy of the address space, beside its segments: ENOMEM stays ENOMEM."""


def _failure(txn: Transaction, f: Birth, e: KernelError) -> KernelError:
    """What the caller gets for a failure; it is counted in the zone's statistics.

    The limits count theirs themselves (ffcap, ffnoproc).
    """
    step, zone = txn.steps[-1], f.p.zone
    memory = f.copies and (step in _MEMORY or step.startswith("seg_dup:"))
    if memory:
        zone.ffnomem += 1
    elif step == "pid_allocate":
        zone.ffnoproc += 1
    elif step not in PUNISHED:
        zone.ffmisc += 1
    errno = _ERRNOS.get(step, Errno.EAGAIN)
    if memory and e.errno is Errno.ENOMEM:
        errno = Errno.ENOMEM
    return KernelError(errno, f"{txn.op}:{step}: {e.why}")


def cfork(
    lwp: Lwp,
    kind: ForkKind,
    flags: int = 0,
    *,
    exit_signal: int = Sig.SIGCLD,
) -> Proc:
    """Make a child of the process of ``lwp`` (cfork, fork.c:142).

    Args:
        lwp: The calling lwp; it is the current one.
        kind: Which fork.
        flags: ``ForkFlag`` bits; others are EINVAL.
        exit_signal: What the parent gets when the child exits; 0 for none.

    Returns:
        The child.  The caller's return values are the brand handler's to give; the
        child's have been set by b_lwp_setrval.

    Raises:
        KernelError: By FORK-120: EINVAL, ENOTSUP, EPERM, EINTR, EAGAIN, ENOMEM.
        Sleep: The pool barrier is up, or the delay after a failure by a limit.

    Locks: none on entry and return.
    """
    if isinstance(lwp.sysstate, ForkPunish):
        punish_over(lwp)
    kernel = lwp.kernel
    f = Birth(lwp.proc, lwp.cred, lwp, flags)
    try:
        with Transaction(_NAMES[kind], kernel.fork_probe()) as txn:
            child = _fallible(txn, f, lwp, kind)
            txn.commit()  # no fork failures occur beyond this point (fork.c:405)
    except KernelError as e:
        kernel.last_fork_steps = tuple(txn.steps)
        failed = _failure(txn, f, e)
        if punish(lwp, txn.steps[-1]):
            raise_after_delay(lwp, failed)
        raise failed from e
    kernel.last_fork_steps = txn.began()
    child.exit_signal = exit_signal
    try:
        for t in f.woken:
            must_return(t)
        _publish(lwp, child, kind, flags)
    except Panic:
        raise
    except Exception as e:  # a hook that may not fail (FORK-117)
        raise hook_panic(kernel, f"{txn.op}: a failure beyond the commit", e) from e
    return child


def raise_after_delay(lwp: Lwp, failed: KernelError) -> None:
    """Keep the caller for the punishing delay; it then fails with ``failed``."""
    state = lwp.sysstate
    if not isinstance(state, ForkPunish):
        raise Panic("a punishing delay without its record")
    state.errno = failed.errno
    raise state.sleep(lwp)


def _fallible(txn: Transaction, f: Birth, lwp: Lwp, kind: ForkKind) -> Proc:
    """Steps C0 to C17: all that may fail."""
    p = f.p
    f.forkall = kind is FORKALL
    f.hold = SHOLDFORK if f.forkall else SHOLDFORK1
    isvfork = kind is VFORK
    if isvfork:
        txn.run(_FIRST_VFORK, f)
        cp = f.cp
        as_share(txn, p, cp)
        txn.run(_CONTAINERS, f)
    elif f.flags & FORK_SHAREVM:
        txn.run(_FIRST, f)
        cp = f.cp
        txn.do("as_share_with", lambda: as_share_with(p, cp), lambda _: as_unshare(cp))
        txn.run(_CONTAINERS, f)
    else:
        f.copies = True
        txn.run(_FIRST_COPY, f)
        cp = f.cp
        if p.as_ is not None:
            cp.as_ = as_dup(txn, f.k, p.as_, f.zone.acct, cp)
            txn.owe("as_dup", _drop_as, cp)
        txn.run(_CONTAINERS_COPY, f)
    _fork_lwps(txn, f, lwp)
    txn.call("contract_process_fork", _contract_fork, _contract_undo, f)
    return cp


def _contract_fork(f: Birth) -> None:
    """Step C17."""
    f.ct = f.k.contract_ops.contract_process_fork(None, f.cp, f.p, True)


def _contract_undo(f: Birth) -> None:
    f.k.contract_ops.contract_process_exit(f.ct, f.cp)


def _hold(f: Birth) -> None:
    """Step C4."""
    if f.lwp is None:
        raise Panic("a fork without a caller")
    f.woken = holdlwps(f.lwp, f.hold)


def _let_go(f: Birth) -> None:
    """Undo of ``_hold``."""
    continuelwps(f.p)


def _check_flags(f: Birth) -> None:
    if f.flags & ~ALL_FLAGS:
        raise KernelError(Errno.EINVAL, f"unknown fork flags {f.flags:#x}")


def _check_agent(f: Birth) -> None:
    if f.lwp is not None and f.lwp.agent:
        raise KernelError(Errno.ENOTSUP, "the agent lwp of /proc can't fork")


def _policy(f: Birth) -> None:
    secpolicy_basic_fork(f.p.cred)


def _barrier_enter(f: Birth) -> None:
    pool_barrier_enter(f.p)


def _barrier_exit(f: Birth) -> None:
    pool_barrier_exit(f.p)


def _cancel_suspend(f: Birth) -> None:
    """fork.c:171: a vfork cancels a pending lwp_suspend of the caller."""
    lwp = f.lwp
    if lwp is not None:
        f.suspended = bool(lwp.tpflag & TP_HOLDLWP)
        lwp.tpflag &= ~TP_HOLDLWP


def _reinstate_suspend(f: Birth) -> None:
    """The 2006 kernel forgot this one when the vfork failed (D10)."""
    if f.lwp is not None and f.suspended:
        f.lwp.tpflag |= TP_HOLDLWP


def _rctls_dup(f: Birth) -> None:
    """Step C14."""
    rctl.rctl_set_dup(f.p, f.cp)


def _rctls_free(f: Birth) -> None:
    rctl.rctl_proc_free(f.cp)


def _lwpdir(f: Birth) -> None:
    """Step C15."""
    lwpdir_alloc(f.p, f.cp, f.forkall)


def _lwpdir_undo(f: Birth) -> None:
    lwpdir_free(f.cp)


def _drop_as(cp: Proc) -> None:
    """Undo of as_dup's own steps frees the space; here only the name goes."""
    cp.as_ = None


def _lock(f: Birth) -> None:
    """Step C8a: keep /proc and relvm away while the space is copied.

    Sleep while /proc has the process.
    """
    prstop.sprlock(f.p)
    f.p.flag |= SFORKING


def _unlock(f: Birth) -> None:
    """Step C13, and the undo of C8a.  Both flags go down here.

    That is a release, and its undo, run before that of ``sprlock``, takes them again.
    """
    f.p.flag &= ~SFORKING
    prstop.sprunlock(f.p)


def _shmfork(f: Birth) -> None:
    """Step C10: one attachment of the child for each of the parent's."""
    if f.p.segacct:
        f.cp.segacct = {addr: seg.attach() for addr, seg in f.p.segacct.items()}


def _shmexit(f: Birth) -> None:
    for seg in f.cp.segacct.values():
        seg.detach()
    f.cp.segacct = {}


def _helpers_fork(f: Birth) -> None:
    probes.helpers_fork(f.p, f.cp)


def _helpers_free(f: Birth) -> None:
    """The 2006 kernel leaked these when a later step failed (D6)."""
    probes.helpers_free(f.cp)


_CALLER = (
    ("flags", _check_flags, None),
    ("agent", _check_agent, None),
    ("secpolicy_basic_fork", _policy, None),
    ("holdlwps", _hold, _let_go),
)
_BARRIER = ("pool_barrier", _barrier_enter, _barrier_exit)
_UNSUSPEND = ("unsuspend", _cancel_suspend, _reinstate_suspend)
_FIRST = Steps(*_CALLER, _BARRIER, *GETPROC)
_FIRST_VFORK = Steps(*_CALLER, _UNSUSPEND, _BARRIER, *GETPROC)
_FIRST_COPY = Steps(*_CALLER, _BARRIER, *GETPROC, ("sprlock", _lock, _unlock))
_CONTAINER_ROWS = (
    ("rctl_set_dup", _rctls_dup, _rctls_free),
    ("lwpdir", _lwpdir, _lwpdir_undo),
)
_CONTAINERS = Steps(*_CONTAINER_ROWS)
_CONTAINERS_COPY = Steps(
    ("shmfork", _shmfork, _shmexit),
    ("dtrace_fork", _helpers_fork, _helpers_free),
    ("sprunlock", _unlock, _lock),
    *_CONTAINER_ROWS,
)


def _fork_lwps(txn: Transaction, f: Birth, lwp: Lwp) -> None:
    """Step C16: clone the caller, or every lwp for forkall (fork.c:356-399).

    A clone of one that waits returns from its call, as its source does.
    """
    cp = f.cp
    if not f.forkall:
        clone = forklwp(txn, lwp, lwp, cp)
        clone.tpflag |= lwp.tpflag & TP_TWAIT
        return
    for src in list(lwp.proc.lwps):
        clone = forklwp(txn, lwp, src, cp)
        clone.tpflag |= src.tpflag & (TP_TWAIT | TP_DAEMON)
        if src is not lwp:
            clone.tflag |= T_FORKALL
        if src in f.woken:
            set_returned(clone, src)


def _publish(lwp: Lwp, cp: Proc, kind: ForkKind, flags: int) -> None:
    """Steps C18 to C31: nothing here can fail (fork.c:408-543)."""
    p = lwp.proc
    kernel = p.kernel
    isvfork = kind is VFORK
    cp.lwpid = p.lwpid
    if kind is FORKALL:
        cp.lwpdaemon = p.lwpdaemon
        cp.zombies = p.zombies.copy()
        cp.flag |= p.flag & SLWPWRAP
    if p.corefile is not None:
        p.corefile.hold()
        cp.corefile = p.corefile
    if p.content is not None:
        p.content.hold()
        cp.content = p.content
    if p.pctx:
        cp.pctx = [op.fork(cp) for op in p.pctx]
    if cp.user.u_systrap or p.user.u_systrap:
        _stop_on_exit(lwp, cp)
    _set_results(lwp, cp)
    pool_barrier_exit(p)

    pidlock = kernel.pidlock
    pidlock.enter()
    cp.lock.enter()
    if flags & FORK_NOSIGCHLD:
        cp.pidflag |= CLDNOSIGCHLD
    if flags & FORK_WAITPID:
        cp.pidflag |= CLDWAITPID
    if p.pgrp is None:
        raise Panic(f"{p!r} forks without a process group")
    pgjoin(cp, p.pgrp)
    cp.stat = SRUN
    for t in cp.lwps:
        if t.tpflag & TP_HOLDLWP:
            t.ast = True  # suspends itself on its way to user mode
    cp.lock.exit()
    kernel.count("sysvfork" if isvfork else "sysfork")
    if isvfork:
        _start_vfork_child(lwp, cp, flags)
    else:
        if lwp.cls is None:
            raise Panic(f"{lwp!r} has no scheduling class")
        lwp.cls.ops.cl_forkret(lwp, cp.lwps[0])
    if pidlock.owned:
        raise Panic("CL_FORKRET returned with pidlock held")
    for watch in kernel.observers.personae_proc_create:
        watch(p, cp)


def _set_results(lwp: Lwp, cp: Proc) -> None:
    """Step C23: what the fork returns in the clone of its caller."""
    for clone in cp.lwps:
        if clone.tid == lwp.tid:
            cp.brand.ops.b_lwp_setrval(clone, lwp.proc.pid, 1)
            return
    raise Panic(f"{cp!r} has no clone of {lwp!r}")


def _stop_on_exit(lwp: Lwp, cp: Proc) -> None:
    """Steps C21 and C22: stop where the exit of this call is traced."""
    p = lwp.proc
    number = lwp.sysent.number if lwp.sysent is not None else -1
    targets = [] if p.prflag & P_PR_ASYNC else [p]
    for proc in (cp, *targets):
        if proc.user.u_systrap and number in proc.user.u_exitmask:
            for t in proc.lwps:
                t.tpflag |= TP_PRSTOP
                t.ast = True
    if cp.user.u_systrap and number in cp.user.u_exitmask:
        for t in cp.lwps:
            if t.tid == lwp.tid:  # the clone leaves this call too
                t.whatstop = number


def _start_vfork_child(lwp: Lwp, cp: Proc, flags: int) -> None:
    """Step C29v: the parent goes to wait, the child starts (fork.c:504-523)."""
    p = lwp.proc
    kernel = p.kernel
    with p.lock:
        p.flag |= SVFWAIT
        lwp.tflag |= T_VFPARENT
        lwp.vfork_pid = cp.pid
        lwp.ast = True
    kernel.wakeup(p.cv)
    with cp.lock:
        kernel.pidlock.exit()
        if not flags & FORK_KEEPHANDLERS:
            sigdefault(cp)
        continuelwps(cp)
    if flags & FORK_CALLERONLY:
        lwp.tflag |= T_VFKILL
        continuelwps(p)
