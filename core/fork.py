"""fork1, forkall, vfork, newproc: the generic fork machinery (os/fork.c).

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
from personae.core import zone as zones
from personae.core.blame import hook_panic
from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError, Panic
from personae.core.flags import quick_flags
from personae.core.forklwp import (
    continuelwps,
    forklwp,
    holdlwps,
    lwp_create,
    lwpdir_alloc,
    lwpdir_free,
)
from personae.core.getproc import PUNISHED, ForkPunish, getproc, punish, punish_over
from personae.core.limits import nprocs_move
from personae.core.lwp import TFlag, TpFlag
from personae.core.policy import secpolicy_basic_fork
from personae.core.pool import pool_barrier_enter, pool_barrier_exit
from personae.core.proc import PidFlag, Proc, ProcFlag, ProcPrFlag, ProcStat
from personae.core.session import pgjoin
from personae.core.signal import sigdefault
from personae.core.signo import Sig
from personae.core.task import task_attach, task_create, task_detach, task_rele
from personae.core.txn import Transaction
from personae.core.vfork import as_share, as_share_with, as_unshare
from personae.core.vm.as_ import as_dup

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.task import Task


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


ALL_FLAGS = (
    ForkFlag.FORK_NOSIGCHLD
    | ForkFlag.FORK_WAITPID
    | ForkFlag.FORK_KEEPHANDLERS
    | ForkFlag.FORK_CALLERONLY
    | ForkFlag.FORK_SHAREVM
)


def forkall(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:94.  See ``cfork``."""
    return cfork(lwp, ForkKind.FORKALL, flags)


def fork1(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:115.  See ``cfork``."""
    return cfork(lwp, ForkKind.FORK1, flags)


def vfork(lwp: Lwp, flags: int = 0) -> Proc:
    """fork.c:104.  See ``cfork``."""
    return cfork(lwp, ForkKind.VFORK, flags)


_KEEP_ENOMEM = (Errno.ENOMEM,)


class _Phase:
    """Which errno a failure has at this point of cfork (FORK-120).

    Attributes:
        errno: What a failure becomes.
        keep: But these stay what they are.
    """

    __slots__ = ("errno", "keep")

    def __init__(self) -> None:
        self.errno = Errno.EINVAL
        self.keep: tuple[Errno, ...] = ()

    def count(self, zone: zones.Zone, step: str) -> None:
        """Count the failure of a step in the zone's statistics.

        The limits count theirs themselves (ffcap, ffnoproc).
        """
        if Errno.ENOMEM in self.keep:
            zone.ffnomem += 1
        elif step == "pid_allocate":
            zone.ffnoproc += 1
        elif step not in PUNISHED:
            zone.ffmisc += 1

    def map(self, e: KernelError) -> Errno:
        """The errno the caller gets for this failure."""
        return e.errno if e.errno in self.keep else self.errno


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

    Locks: none on entry and on return.
    """
    if isinstance(lwp.sysstate, ForkPunish):
        punish_over(lwp)
    kernel = lwp.kernel
    phase = _Phase()
    try:
        with Transaction(kind.value, kernel.fork_probe()) as txn:
            child = _fallible(txn, phase, lwp, kind, flags)
            txn.commit()  # no fork failures occur beyond this point (fork.c:405)
    except KernelError as e:
        kernel.last_fork_steps = tuple(txn.steps)
        phase.count(lwp.proc.zone, txn.steps[-1])
        failed = KernelError(phase.map(e), f"{txn.op}:{txn.steps[-1]}: {e.why}")
        if punish(lwp, e):
            raise_after_delay(lwp, failed)
        raise failed from e
    kernel.last_fork_steps = tuple(txn.steps)
    child.exit_signal = exit_signal
    try:
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


def _fallible(
    txn: Transaction, phase: _Phase, lwp: Lwp, kind: ForkKind, flags: int
) -> Proc:
    """Steps C0 to C17: all that may fail."""
    p = lwp.proc
    isvfork = kind is ForkKind.VFORK
    txn.call("flags", _check_flags, None, flags)
    phase.errno = Errno.ENOTSUP
    txn.call("agent", _check_agent, None, lwp)
    phase.errno = Errno.EPERM
    txn.call("secpolicy_basic_fork", secpolicy_basic_fork, None, p.cred)
    phase.errno = Errno.EINTR
    hold = ProcFlag.SHOLDFORK if kind is ForkKind.FORKALL else ProcFlag.SHOLDFORK1
    txn.call("holdlwps", holdlwps, _let_go, lwp, hold)
    phase.errno = Errno.EAGAIN
    if isvfork:
        txn.do(
            "unsuspend",
            lambda: _cancel_suspend(lwp),
            lambda was: _reinstate_suspend(lwp, was),
        )
    txn.call("pool_barrier", pool_barrier_enter, pool_barrier_exit, p)
    cp = getproc(txn, p, lwp.cred)
    if isvfork:
        as_share(txn, p, cp)
    elif flags & ForkFlag.FORK_SHAREVM:
        txn.do("as_share_with", lambda: as_share_with(p, cp), lambda _: as_unshare(cp))
    else:
        phase.keep = _KEEP_ENOMEM
        _dup_memory(txn, p, cp)
        phase.keep = ()
    txn.call("rctl_set_dup", rctl.rctl_set_dup, _free_dup, p, cp)
    txn.call("lwpdir", lwpdir_alloc, lwpdir_free, p, cp, kind)
    _fork_lwps(txn, lwp, cp, kind)
    ops = p.kernel.contract_ops
    txn.do(
        "contract_process_fork",
        lambda: ops.contract_process_fork(None, cp, p, True),
        lambda ct: ops.contract_process_exit(ct, cp),
    )
    return cp


def _let_go(lwp: Lwp, flag: ProcFlag) -> None:
    """Undo of ``holdlwps``."""
    del flag
    continuelwps(lwp.proc)


def _check_flags(flags: int) -> None:
    if flags & ~int(ALL_FLAGS):
        raise KernelError(Errno.EINVAL, f"unknown fork flags {flags:#x}")


def _check_agent(lwp: Lwp) -> None:
    if lwp.agent:
        raise KernelError(Errno.ENOTSUP, "the agent lwp of /proc can't fork")


def _cancel_suspend(lwp: Lwp) -> bool:
    """fork.c:171: a vfork cancels a pending lwp_suspend of the caller."""
    was = bool(lwp.tpflag & TpFlag.TP_HOLDLWP)
    lwp.tpflag &= ~TpFlag.TP_HOLDLWP
    return was


def _reinstate_suspend(lwp: Lwp, was: bool) -> None:
    """The 2006 kernel forgot this one when the vfork failed (D10)."""
    if was:
        lwp.tpflag |= TpFlag.TP_HOLDLWP


def _free_rctls(cp: Proc) -> None:
    if cp.rctls is None:
        raise Panic(f"{cp!r} has no resource controls to free")
    rctl.rctl_set_free(cp.rctls)
    cp.rctls = None


def _free_dup(p: Proc, cp: Proc) -> None:
    del p
    _free_rctls(cp)


def _dup_memory(txn: Transaction, p: Proc, cp: Proc) -> None:
    """Steps C8a to C13: copy the address space (fork.c:211-316)."""
    txn.call("sprlock", _sprlock, _sprunlock, p)
    if p.as_ is not None:
        cp.as_ = as_dup(txn, p.kernel, p.as_, cp.zone.acct, cp)
        txn.owe("as_dup", _drop_as, cp)
    txn.call("shmfork", _shmfork, _shmexit, p, cp)
    txn.call("dtrace_fork", probes.helpers_fork, _helpers_free, p, cp)
    # Both flags go down here; that is a release, and its undo, run before that of
    # ``sprlock``, takes them again.
    txn.call("sprunlock", _sprunlock, _sprlock, p)


def _drop_as(cp: Proc) -> None:
    """Undo of as_dup's own steps frees the space; here only the name goes."""
    cp.as_ = None


def _sprlock(p: Proc) -> None:
    """Keep /proc and relvm away while the space is copied; Sleep while /proc has it."""
    prstop.sprlock(p)
    p.flag |= ProcFlag.SFORKING


def _sprunlock(p: Proc) -> None:
    p.flag &= ~ProcFlag.SFORKING
    prstop.sprunlock(p)


def _shmfork(p: Proc, cp: Proc) -> None:
    """Step C10: one attachment of the child for each of the parent's."""
    if p.segacct:
        cp.segacct = {addr: seg.attach() for addr, seg in p.segacct.items()}


def _shmexit(p: Proc, cp: Proc) -> None:
    del p
    for seg in cp.segacct.values():
        seg.detach()
    cp.segacct = {}


def _helpers_free(p: Proc, cp: Proc) -> None:
    """The 2006 kernel leaked these when a later step failed (D6)."""
    del p
    probes.helpers_free(cp)


def _fork_lwps(txn: Transaction, lwp: Lwp, cp: Proc, kind: ForkKind) -> None:
    """Step C16: clone the caller, or every lwp for forkall (fork.c:356-399)."""
    p = lwp.proc
    if kind is not ForkKind.FORKALL:
        clone = forklwp(txn, lwp, lwp, cp)
        clone.tpflag |= lwp.tpflag & TpFlag.TP_TWAIT
        return
    for src in list(p.lwps):
        clone = forklwp(txn, lwp, src, cp)
        clone.tpflag |= src.tpflag & (TpFlag.TP_TWAIT | TpFlag.TP_DAEMON)
        if src is not lwp:
            clone.tflag |= TFlag.T_FORKALL


def _publish(lwp: Lwp, cp: Proc, kind: ForkKind, flags: int) -> None:
    """Steps C18 to C31: nothing here can fail (fork.c:408-543)."""
    p = lwp.proc
    kernel = p.kernel
    isvfork = kind is ForkKind.VFORK
    cp.lwpid = p.lwpid
    if kind is ForkKind.FORKALL:
        cp.lwpdaemon = p.lwpdaemon
        cp.zombies = p.zombies.copy()
        cp.flag |= p.flag & ProcFlag.SLWPWRAP
    if p.corefile is not None:
        p.corefile.hold()
        cp.corefile = p.corefile
    if p.content is not None:
        p.content.hold()
        cp.content = p.content
    if p.pctx:
        cp.pctx = [op.fork(cp) for op in p.pctx]
    _stop_on_exit(lwp, cp)
    _set_results(lwp, cp)
    pool_barrier_exit(p)

    kernel.pidlock.enter()
    cp.lock.enter()
    if flags & ForkFlag.FORK_NOSIGCHLD:
        cp.pidflag |= PidFlag.CLDNOSIGCHLD
    if flags & ForkFlag.FORK_WAITPID:
        cp.pidflag |= PidFlag.CLDWAITPID
    if p.pgrp is None:
        raise Panic(f"{p!r} forks without a process group")
    pgjoin(cp, p.pgrp)
    cp.stat = ProcStat.SRUN
    for t in cp.lwps:
        if t.tpflag & TpFlag.TP_HOLDLWP:
            t.ast = True  # suspends itself on its way to user mode
    cp.lock.exit()
    kernel.count("sysvfork" if isvfork else "sysfork")
    if isvfork:
        _start_vfork_child(lwp, cp, flags)
    else:
        if lwp.cls is None:
            raise Panic(f"{lwp!r} has no scheduling class")
        lwp.cls.ops.cl_forkret(lwp, cp.lwps[0])
    if kernel.pidlock.owned:
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
    if not (cp.user.u_systrap or p.user.u_systrap):
        return
    number = lwp.sysent.number if lwp.sysent is not None else -1
    targets = [] if p.prflag & ProcPrFlag.P_PR_ASYNC else [p]
    for proc in (cp, *targets):
        if proc.user.u_systrap and number in proc.user.u_exitmask:
            for t in proc.lwps:
                t.tpflag |= TpFlag.TP_PRSTOP
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
        p.flag |= ProcFlag.SVFWAIT
        lwp.tflag |= TFlag.T_VFPARENT
        lwp.vfork_pid = cp.pid
        lwp.ast = True
    kernel.wakeup(p.cv)
    with cp.lock:
        kernel.pidlock.exit()
        if not flags & ForkFlag.FORK_KEEPHANDLERS:
            sigdefault(cp)
        continuelwps(cp)
    if flags & ForkFlag.FORK_CALLERONLY:
        continuelwps(p)


def newproc(
    kernel: Kernel,
    parent: Proc,
    *,
    system: bool,
    name: bytes,
    zone: zones.Zone,
    cls: str | None = None,
    pid: int | None = None,
    cred: Cred | None = None,
) -> Lwp:
    """Make a process that is no copy of its parent (newproc, fork.c:729).

    Args:
        kernel: The kernel.
        parent: Its parent: p0, or the zone's zsched.
        system: A kernel process (first branch), else a user one (init's branch).
        name: Its command name.
        zone: Where it lives.
        cls: Scheduling class of its lwp; by default what its zone says.
        pid: The pid number to give it, for the few that have a fixed one.
        cred: Whose rights it has; by default its parent's.

    Returns:
        Its one lwp, stopped, with tid 1; ``lwp_start`` starts it.

    Raises:
        KernelError: EAGAIN, whatever step failed.
    """
    try:
        with Transaction("newproc", kernel.fork_probe()) as txn:
            cp = getproc(
                txn, parent, cred or parent.cred, system=system, pid=pid, zone=zone
            )
            cp.user.u_comm = cp.user.u_psargs = name
            if system:
                _newproc_system(txn, cp)
            else:
                _newproc_user(txn, cp, zone)
            lwp = lwp_create(
                txn, cp, tid=1, cls="SYS" if system else cls or zone.class_name()
            )
            if not system:
                ops = kernel.contract_ops
                tmpl = kernel.sys_process_tmpl
                txn.do(
                    "contract_process_fork",
                    lambda: ops.contract_process_fork(tmpl, cp, parent, False),
                    lambda ct: ops.contract_process_exit(ct, cp),
                )
            txn.commit()
    except KernelError as e:
        kernel.last_fork_steps = tuple(txn.steps)
        raise KernelError(Errno.EAGAIN, f"newproc:{txn.steps[-1]}: {e.why}") from e
    kernel.last_fork_steps = tuple(txn.steps)
    cp.lwpid = 1
    if parent.pgrp is None:
        raise Panic(f"{parent!r} has no process group")
    with kernel.pidlock:
        pgjoin(cp, parent.pgrp)
        cp.stat = ProcStat.SRUN
        with cp.lock:
            lwp.tpflag &= ~TpFlag.TP_HOLDLWP
    return lwp


def _newproc_system(txn: Transaction, cp: Proc) -> None:
    """Kernel branch (fork.c:745-773): no exec vnodes, no tracing, own controls."""
    cp.flag |= ProcFlag.SNOWAIT | ProcFlag.SSYS
    txn.call("rctl_set_init", rctl.rctl_set_init, _free_rctls, cp)
    cp.sigmask = cp.fltmask = frozenset()
    cp.user.u_systrap = False
    cp.user.u_entrymask = cp.user.u_exitmask = frozenset()


def _newproc_user(txn: Transaction, cp: Proc, zone: zones.Zone) -> None:
    """User branch (fork.c:775-823): a task of its own in project 0."""
    kernel = cp.kernel
    cp.flag &= ~ProcFlag.SNOWAIT  # zsched's, which waits for nobody

    def swap_in() -> tuple[Task, Task]:
        task = task_create(kernel, 0, zone)
        with kernel.pidlock, cp.lock:
            old = task_detach(cp)
            task_attach(task, cp)
        task_rele(task)  # the reference of its making; the process holds it now
        nprocs_move(kernel, old, task)
        task_rele(old)
        return task, old

    # getproc's undo detaches from whatever task the process is in then, and takes
    # the process off the counts of its parent's task.
    txn.do("task_create", swap_in, lambda both: nprocs_move(kernel, *both))
    txn.call("rctl_set_init", rctl.rctl_set_init, _free_rctls, cp)
    txn.call("rctlproc_default_init", rctl.rctlproc_default_init, None, cp)
