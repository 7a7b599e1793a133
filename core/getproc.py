"""getproc: the child's proc, half made and half visible (fork.c:853-1118).

Each step here is one of getproc's, in its order, and joins the transaction of
the fork that called it.  The steps G8m (brand data) stand after the pid
lock is dropped, as later kernels have it, so that a brand hook runs without
locks and may fail.

A failure by a limit punishes the caller: it is kept for a moment that grows
with the number of callers being punished (fork.c:1104).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.limits import (
    fork_fail_delay,
    max_processes_enter,
    max_processes_exit,
    nproc_check,
    upcount_dec,
    upcount_inc,
)
from personae.core.pid import link_child, unlink_child
from personae.core.proc import AcctFlag, Proc, ProcFlag, ProcPrFlag, User
from personae.core.session import sess_hold, sess_rele
from personae.core.sync import Sleep
from personae.core.task import task_attach, task_detach, task_rele
from personae.core.zone import ZoneState

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import TypeVarTuple, Unpack

    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.pool import Pool
    from personae.core.txn import Transaction
    from personae.core.zone import Zone

    Ts = TypeVarTuple("Ts")

PUNISHED = ("max_processes", "pid_allocate", "nproc_limit")
"""Steps whose failure costs the caller a delay (FORK-102)."""

INHERITED = ProcFlag.SJCTL | ProcFlag.SNOWAIT | ProcFlag.SNOCD


class LimitError(KernelError):
    """A step of ``PUNISHED`` failed."""


class ForkPunish:
    """Kept in ``lwp.sysstate`` while the punishing delay runs."""

    def __init__(self, until: int) -> None:
        self.until = until
        self.errno = Errno.EAGAIN

    def sleep(self, lwp: Lwp) -> Sleep:
        """The wait of the delay: nothing but its end wakes it."""
        return Sleep(deadline=self.until, interruptible=False)


def punish(lwp: Lwp, cause: KernelError) -> bool:
    """Begin the punishing delay if ``cause`` asks for it."""
    if not isinstance(cause, LimitError):
        return False
    k = lwp.kernel
    k.fork_fail_pending += 1
    until = k.now + fork_fail_delay(k) * k.tick
    lwp.sysstate = ForkPunish(until)
    return True


def punish_over(lwp: Lwp) -> None:
    """The caller is entered again: fail if the delay is over, else sleep on.

    Raises:
        KernelError: The failure that the delay belongs to.
        Sleep: It is not over yet.
    """
    state = lwp.sysstate
    if not isinstance(state, ForkPunish):
        raise Panic("no punishing delay")
    if lwp.kernel.now < state.until:
        raise state.sleep(lwp)
    punish_end(lwp)
    raise KernelError(state.errno, "after the punishing delay")


def punish_end(lwp: Lwp) -> None:
    """The delay is over, or its lwp dies in it."""
    lwp.sysstate = None
    lwp.kernel.fork_fail_pending -= 1


def getproc(
    txn: Transaction,
    p: Proc,
    cred: Cred,
    *,
    system: bool = False,
    pid: int | None = None,
    zone: Zone | None = None,
) -> Proc:
    """Make the child's proc (getproc, fork.c:853).

    Args:
        txn: The fork that it is a part of.
        p: The parent; it runs single, or is a kernel process.
        cred: The caller's; the child shares it.
        system: For newproc's kernel branch.
        pid: A fixed pid number.
        zone: The child's zone, by default the parent's.

    Returns:
        The child: SIDL, without address space, rctls, lwps, contract and group.

    Raises:
        KernelError: Any step's; cfork makes it EAGAIN.

    Locks: none on entry and return.
    """
    k = p.kernel
    pool = p.pool
    if system:
        pool = k.pools["default"]
    elif zone is not None and zone.pool is not None:
        pool = zone.pool  # newproc: the first process of a zone is bound by its zone
    zone = zone or p.zone
    txn.call("zone_state", _zone_lives, None, zone)
    _limited(txn, "max_processes", max_processes_enter, max_processes_exit, k, p, zone)
    cp = txn.do("proc_alloc", _proc_alloc, _proc_free, p, zone)
    _limited(txn, "pid_allocate", k.pids.allocate, _pid_free, cp, pid)
    txn.call("exec_hold", _exec_hold, _exec_rele, cp, p, system)
    _limited(txn, "nproc_limit", nproc_check, None, k, cred, zone)
    txn.call("practive", _practive_enter, _practive_exit, cp, cred, zone)
    txn.call("session", _sess_join, _sess_leave, cp, p)
    _copy_scalars(p, cp, zone)
    txn.call("family", _link, _unlink, cp, p)
    txn.call("pool", _pool_hold, _pool_rele, cp, pool or k.pools["default"])
    txn.call("task", _task_join, _task_leave, cp, p, system)
    txn.call("audit", _audit_copy, _audit_free, cp, p)
    txn.call("cred", _cred_hold, _cred_rele, cp, cred)
    _copy_uarea(p, cp)
    txn.call("dirs", _dirs_hold, _dirs_rele, cp)
    txn.call("flist_fork", _flist_fork, _flist_free, cp, p)
    _copy_tracing(p, cp)
    ops = cp.brand.ops
    txn.call("brand_setbrand", _setbrand, ops.b_clearbrand, cp)
    txn.call("b_copy_procdata", ops.b_copy_procdata, None, cp, p)
    return cp


def _limited(
    txn: Transaction,
    step: str,
    acquire: Callable[[Unpack[Ts]], object],
    undo: Callable[[Unpack[Ts]], object] | None,
    *args: Unpack[Ts],
) -> None:
    """A step whose failure, also an injected one, is punished."""
    try:
        txn.call(step, acquire, undo, *args)
    except KernelError as e:
        raise LimitError(e.errno, e.why) from e


def _zone_lives(zone: Zone) -> None:
    """Step G2."""
    if zone.state >= ZoneState.SHUTTING_DOWN:
        raise KernelError(Errno.EAGAIN, f"zone {zone.name} is {zone.state.name}")


def _proc_alloc(p: Proc, zone: Zone) -> Proc:
    """Step G3; zone and brand are set before the pid makes it visible (D11)."""
    cp = Proc(p.kernel)
    cp.zone = zone
    cp.brand = zone.brand if p.zone is not zone else p.brand
    cp.mstart = p.kernel.now
    p.kernel.proc_count += 1
    return cp


def _proc_free(cp: Proc) -> None:
    cp.kernel.proc_count -= 1


def _pid_free(cp: Proc, number: int | None) -> None:
    del number  # fixed or found, it is the one that the child has
    cp.kernel.pids.free(cp)


def _exec_hold(cp: Proc, p: Proc, system: bool) -> None:
    """Steps G4m and G21; a kernel process has no executable (D2)."""
    if system:
        return
    if p.exec is not None:
        cp.exec = p.exec.hold()
    if p.execdir is not None:
        cp.execdir = p.execdir.hold()
    cp.exec_path = p.exec_path


def _exec_rele(cp: Proc, p: Proc, system: bool) -> None:
    del p, system
    for vp in (cp.exec, cp.execdir):
        if vp is not None:
            vp.rele()
    cp.exec = cp.execdir = None


def _practive_enter(cp: Proc, cred: Cred, zone: Zone) -> None:
    """Step G6: count it and show it to the walkers, which skip SIDL."""
    k = cp.kernel
    with k.pidlock:
        k.nproc += 1
        upcount_inc(k, cred.uid, zone.id)
        k.practive.insert(0, cp)


def _practive_exit(cp: Proc, cred: Cred, zone: Zone) -> None:
    k = cp.kernel
    with k.pidlock:
        k.practive.remove(cp)
        upcount_dec(k, cred.uid, zone.id)
        k.nproc -= 1


def _sess_join(cp: Proc, p: Proc) -> None:
    """Step G7."""
    if p.sess is None:
        raise Panic(f"{p!r} has no session")
    cp.sess = sess_hold(p.sess)


def _sess_leave(cp: Proc, p: Proc) -> None:
    del p
    if cp.sess is None:
        raise Panic(f"{cp!r} has no session")
    sess_rele(cp.kernel, cp.sess)


def _copy_scalars(p: Proc, cp: Proc, zone: Zone) -> None:
    """Steps G7, G9, G10, G12: plain values, nothing to undo."""
    cp.ignore = p.ignore
    cp.siginfo = p.siginfo
    cp.flag |= p.flag & INHERITED
    if p.flag & ProcFlag.SMSFORK:  # G20
        cp.flag |= ProcFlag.SMSFORK | ProcFlag.SMSACCT
    cp.fixalignment = p.fixalignment
    cp.bssbase = p.bssbase
    cp.brkbase, cp.brksize = p.brkbase, p.brksize
    cp.stkbase, cp.stksize = p.stkbase, p.stksize
    cp.stkprot, cp.datprot = p.stkprot, p.datprot
    cp.ppid = cp.ancpid = p.pid
    cp.portcnt = p.portcnt
    cp.stk_ctl, cp.fsz_ctl = p.stk_ctl, p.fsz_ctl
    cp.vmem_ctl, cp.fno_ctl = p.vmem_ctl, p.fno_ctl
    cp.prof = p.prof


def _link(cp: Proc, p: Proc) -> None:
    """Step G11."""
    with p.kernel.pidlock:
        link_child(p, cp)


def _unlink(cp: Proc, p: Proc) -> None:
    del p
    with cp.kernel.pidlock:
        unlink_child(cp)


def _pool_hold(cp: Proc, pool: Pool) -> None:
    """Step G13, first half."""
    cp.pool = pool.hold()


def _pool_rele(cp: Proc, pool: Pool) -> None:
    pool.rele()
    cp.pool = None


def _task_join(cp: Proc, p: Proc, system: bool) -> None:
    """Step G13, second half: kernel processes are in task 0."""
    task = p.kernel.tasks[0] if system else p.task
    if task is None:
        raise Panic(f"{p!r} is in no task")
    with p.kernel.pidlock, cp.lock:
        task_attach(task, cp)


def _task_leave(cp: Proc, p: Proc, system: bool) -> None:
    del p, system
    task = cp.task
    if task is None:
        raise Panic(f"{cp!r} is in no task")
    with cp.kernel.pidlock, cp.lock:
        task_detach(cp)
    task_rele(task)  # after pidlock, as fork.c:613


def _audit_copy(cp: Proc, p: Proc) -> None:
    """Step G14."""
    cp.audit = p.audit.copy() if p.audit is not None else None


def _audit_free(cp: Proc, p: Proc) -> None:
    del p
    cp.audit = None


def _cred_hold(cp: Proc, cred: Cred) -> None:
    """Step G15."""
    cp.cred = cred.hold()


def _cred_rele(cp: Proc, cred: Cred) -> None:
    del cp
    cred.rele()


def _copy_uarea(p: Proc, cp: Proc) -> None:
    """Steps G17 and G18: the user area, whole, then what starts anew."""
    u, cu = p.user, User.__new__(User)
    cu.__dict__.update(u.__dict__)
    cu.fds = None
    cu.u_signal = dict(u.u_signal)
    cu.u_start = p.kernel.wall_ns
    cu.u_ticks = p.kernel.now
    cu.u_acflag = AcctFlag.AFORK
    cp.user = cu


def _dirs_hold(cp: Proc) -> None:
    """Step G16: directories."""
    u = cp.user
    if u.u_cdir is not None:
        u.u_cdir.hold()
    if u.u_rdir is not None:
        u.u_rdir.hold()


def _dirs_rele(cp: Proc) -> None:
    for vp in (cp.user.u_cdir, cp.user.u_rdir):
        if vp is not None:
            vp.rele()
    cp.user.u_cdir = cp.user.u_rdir = None


def _flist_fork(cp: Proc, p: Proc) -> None:
    """Steps G16 and G17: open files."""
    cp.user.fds = p.fds.fork()


def _flist_free(cp: Proc, p: Proc) -> None:
    """fork_fail, fork.c:623: f_count down for each file of the child's table."""
    del p
    cp.fds.fork_undo()
    cp.user.fds = None


def _copy_tracing(p: Proc, cp: Proc) -> None:
    """Step G19: what /proc traces is kept only with inherit-on-fork."""
    if p.prflag & ProcPrFlag.P_PR_FORK:
        cp.prflag |= p.prflag & (ProcPrFlag.P_PR_TRACE | ProcPrFlag.P_PR_FORK)
        cp.sigmask, cp.fltmask = p.sigmask, p.fltmask
        return
    cp.sigmask = cp.fltmask = frozenset()
    cp.user.u_systrap = False
    cp.user.u_entrymask = cp.user.u_exitmask = frozenset()


def _setbrand(cp: Proc) -> None:
    """Step G8m: a zeroed block, before the copy."""
    with cp.lock:
        cp.brand.ops.b_setbrand(cp)
