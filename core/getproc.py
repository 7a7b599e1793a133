"""getproc: the child's proc, half made and half visible (fork.c:853-1118).

Each step here is one of getproc's, in its order, and joins the transaction of
the fork that called it.  The steps G8m (brand data) stand after the pid
lock is dropped, as later kernels have it, so that a brand hook runs without
locks and may fail.

A failure by a limit punishes the caller: it is kept for a moment that grows
with the number of callers being punished (fork.c:1104).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.file import FREAD
from personae.core.limits import (
    fork_fail_delay,
    max_processes_enter,
    max_processes_exit,
    nproc_check,
    upcount_dec,
    upcount_inc,
)
from personae.core.pid import link_child, unlink_child
from personae.core.proc import (
    AFORK,
    P_PR_FORK,
    P_PR_TRACE,
    SJCTL,
    SMSACCT,
    SMSFORK,
    SNOCD,
    SNOWAIT,
    Proc,
    User,
)
from personae.core.session import sess_hold, sess_rele
from personae.core.sync import Sleep
from personae.core.task import task_attach, task_detach, task_rele
from personae.core.txn import Steps
from personae.core.zone import ZoneState

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.txn import Transaction
    from personae.core.zone import Zone

SHUTTING_DOWN = ZoneState.SHUTTING_DOWN
FRAMES_USED = 1
"""Numbers of ``enum hw_stat`` (hw.h)."""
PUNISHED = ("max_processes", "pid_allocate", "nproc_limit")
"""Steps whose failure costs the caller a delay (FORK-102)."""

INHERITED = SJCTL | SNOWAIT | SNOCD


class Birth:
    """What the steps of one fork work on.

    Attributes:
        k: The kernel.
        p: The parent; it runs single, or is a kernel process.
        cp: The child, from the step ``proc_alloc`` on.
        ct: The child's contract, once it has one.
        lwp: The lwp that forks; None for newproc.
        cred: The caller's; the child shares it.
        zone: The child's.
        pool: The child's.
        system: For newproc's kernel branch.
        pid: A fixed pid number.
        flags: What the caller of fork asked for.
        hold: SHOLDFORK or SHOLDFORK1.
        forkall: Whether all lwps are cloned.
        suspended: The caller was to suspend itself (vfork cancels that).
        copies: The address space is copied, not shared.
        woken: Other lwps whose waits forkall ends, here and in the child.
    """

    __slots__ = (
        "copies", "cp", "cred", "ct", "flags", "forkall", "hold", "k", "lwp", "p",
        "pid", "pool", "suspended", "system", "woken", "zone",
    )  # fmt: skip

    cp: Proc
    ct: Any

    def __init__(
        self,
        p: Proc,
        cred: Cred,
        lwp: Lwp | None = None,
        flags: int = 0,
        *,
        system: bool = False,
        pid: int | None = None,
        zone: Zone | None = None,
    ) -> None:
        self.k = p.kernel
        self.p = p
        self.lwp = lwp
        self.cred = cred
        self.flags = flags
        self.system = system
        self.pid = pid
        self.forkall = self.copies = self.suspended = False
        self.woken: list[Lwp] = []
        self.hold = 0
        self.zone = p.zone if zone is None else zone
        pool = p.pool
        if system or pool is None:
            pool = self.k.pools["default"]
        elif zone is not None and zone.pool is not None:
            pool = zone.pool  # the first process of a zone is bound by its zone
        self.pool = pool


def exec_close(p: Proc, lwp: Lwp | None) -> None:
    """Close the executable of a process and let it and its directory go (D9)."""
    if p.exec is not None:
        p.exec.close(lwp, FREAD)
        p.exec.rele()
    if p.execdir is not None:
        p.execdir.rele()
    p.exec = p.execdir = None


class ForkPunish:
    """Kept in ``lwp.sysstate`` while the punishing delay runs."""

    def __init__(self, until: int) -> None:
        self.until = until
        self.errno = Errno.EAGAIN

    def sleep(self, lwp: Lwp) -> Sleep:
        """The wait of the delay: nothing but its end wakes it."""
        return Sleep(deadline=self.until, interruptible=False)


def punish(lwp: Lwp, step: str) -> bool:
    """Begin the punishing delay if the failure of ``step`` asks for it."""
    if step not in PUNISHED:
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


def getproc(txn: Transaction, f: Birth) -> Proc:
    """Make the child's proc (getproc, fork.c:853).

    Returns:
        The child: SIDL, without address space, rctls, lwps, contract and group.

    Raises:
        KernelError: Any step's; cfork makes it EAGAIN.

    Locks: none on entry and return.
    """
    txn.run(_STEPS, f)
    return f.cp


def _mem_avail(f: Birth) -> None:
    """Step G1: enough memory to begin at all, if need be from idle file pages.

    As in the 2006 kernel; a zone with a cap of its own finds that in the copying.
    """
    k = f.k
    while k.frames - k.hw.stat(FRAMES_USED) < k.minarmem:
        if not k.reclaim(f.zone):
            raise KernelError(Errno.EAGAIN, "no memory to fork (t_minarmem)")


def _zone_lives(f: Birth) -> None:
    """Step G2."""
    zone = f.zone
    if zone.state >= SHUTTING_DOWN:
        raise KernelError(Errno.EAGAIN, f"zone {zone.name} is {zone.state.name}")


def _max_processes(f: Birth) -> None:
    max_processes_enter(f.k, f.p, f.zone)


def _max_processes_undo(f: Birth) -> None:
    max_processes_exit(f.k, f.p, f.zone)


def _proc_alloc(f: Birth) -> None:
    """Step G3; zone and brand are set before the pid makes it visible (D11)."""
    p = f.p
    f.cp = cp = Proc(f.k)
    cp.zone = zone = f.zone
    cp.brand = p.brand if p.zone is zone else zone.brand
    cp.mstart = f.k.now
    f.k.proc_count += 1


def _proc_free(f: Birth) -> None:
    f.k.proc_count -= 1


def _pid_allocate(f: Birth) -> None:
    """Step G4."""
    f.k.pids.allocate(f.cp, f.pid)


def _pid_free(f: Birth) -> None:
    f.k.pids.free(f.cp)


def _exec_hold(f: Birth) -> None:
    """Steps G4m and G21; a kernel process has no executable (D2).

    The child opens its executable anew (VOP_OPEN), which the file system may refuse.
    """
    if f.system:
        return
    cp, p = f.cp, f.p
    if p.exec is not None:
        p.exec.open(f.lwp, FREAD)
        cp.exec = p.exec.hold()
    if p.execdir is not None:
        cp.execdir = p.execdir.hold()
    cp.exec_path = p.exec_path


def _exec_rele(f: Birth) -> None:
    cp = f.cp
    exec_close(cp, f.lwp)


def _nproc_limit(f: Birth) -> None:
    """Step G5."""
    nproc_check(f.k, f.cred, f.zone)


def _practive_enter(f: Birth) -> None:
    """Step G6: count it and show it to the walkers, which skip SIDL."""
    k = f.k
    k.pidlock.enter()
    k.nproc += 1
    upcount_inc(k, f.cred.uid, f.zone.id)
    k.practive.insert(0, f.cp)
    k.pidlock.exit()


def _practive_exit(f: Birth) -> None:
    k = f.k
    with k.pidlock:
        k.practive.remove(f.cp)
        upcount_dec(k, f.cred.uid, f.zone.id)
        k.nproc -= 1


def _sess_join(f: Birth) -> None:
    """Step G7, and then what can't fail."""
    p, cp = f.p, f.cp
    if p.sess is None:
        raise Panic(f"{p!r} has no session")
    cp.sess = sess_hold(p.sess)
    _copy_scalars(p, cp)


def _copy_scalars(p: Proc, cp: Proc) -> None:
    """Steps G7, G9, G10, G12: plain values, nothing to undo."""
    cp.ignore = p.ignore
    cp.siginfo = p.siginfo
    flag = p.flag
    cp.flag |= flag & INHERITED
    if flag & SMSFORK:  # G20
        cp.flag |= SMSFORK | SMSACCT
    cp.bssbase = p.bssbase
    cp.brkbase, cp.brksize = p.brkbase, p.brksize
    cp.stkbase, cp.stksize = p.stkbase, p.stksize
    cp.stkprot, cp.datprot = p.stkprot, p.datprot
    cp.ppid = cp.ancpid = p.pid


def _sess_leave(f: Birth) -> None:
    cp = f.cp
    if cp.sess is None:
        raise Panic(f"{cp!r} has no session")
    sess_rele(f.k, cp.sess)


def _link(f: Birth) -> None:
    """Step G11."""
    pidlock = f.k.pidlock
    pidlock.enter()
    link_child(f.p, f.cp)
    pidlock.exit()


def _unlink(f: Birth) -> None:
    with f.k.pidlock:
        unlink_child(f.cp)


def _pool_hold(f: Birth) -> None:
    """Step G13, first half."""
    f.cp.pool = f.pool.hold()


def _pool_rele(f: Birth) -> None:
    f.pool.rele()
    f.cp.pool = None


def _task_join(f: Birth) -> None:
    """Step G13, second half: kernel processes are in task 0."""
    k, cp = f.k, f.cp
    task = k.tasks[0] if f.system else f.p.task
    if task is None:
        raise Panic(f"{f.p!r} is in no task")
    k.pidlock.enter()
    cp.lock.enter()
    task_attach(task, cp)
    cp.lock.exit()
    k.pidlock.exit()


def _task_leave(f: Birth) -> None:
    cp = f.cp
    task = cp.task
    if task is None:
        raise Panic(f"{cp!r} is in no task")
    with f.k.pidlock, cp.lock:
        task_detach(cp)
    task_rele(task)  # after pidlock, as fork.c:613


def _audit_copy(f: Birth) -> None:
    """Step G14."""
    audit = f.p.audit
    f.cp.audit = audit.copy() if audit is not None else None


def _audit_free(f: Birth) -> None:
    f.cp.audit = None


def _cred_hold(f: Birth) -> None:
    """Step G15, and then what can't fail."""
    f.cp.cred = f.cred.hold()
    _copy_uarea(f.p, f.cp)


def _copy_uarea(p: Proc, cp: Proc) -> None:
    """Steps G17 and G18: the user area, whole, then what starts anew."""
    u, cu = p.user, User.__new__(User)
    cu.__dict__ = u.__dict__.copy()
    cu.fds = None
    cu.u_signal = u.u_signal.copy()
    cu.u_start = p.kernel.wall_ns
    cu.u_ticks = p.kernel.now
    cu.u_acflag = AFORK
    cp.user = cu


def _cred_rele(f: Birth) -> None:
    f.cred.rele()


def _dirs_hold(f: Birth) -> None:
    """Step G16: directories."""
    u = f.cp.user
    if u.u_cdir is not None:
        u.u_cdir.hold()
    if u.u_rdir is not None:
        u.u_rdir.hold()


def _dirs_rele(f: Birth) -> None:
    u = f.cp.user
    for vp in (u.u_cdir, u.u_rdir):
        if vp is not None:
            vp.rele()
    u.u_cdir = u.u_rdir = None


def _flist_fork(f: Birth) -> None:
    """Steps G16 and G17: open files; and then what can't fail."""
    f.cp.user.fds = f.p.fds.fork()
    _copy_tracing(f.p, f.cp)


def _copy_tracing(p: Proc, cp: Proc) -> None:
    """Step G19: what /proc traces is kept only with inherit-on-fork."""
    if p.prflag & P_PR_FORK:
        cp.prflag |= p.prflag & (P_PR_TRACE | P_PR_FORK)
        cp.sigmask, cp.fltmask = p.sigmask, p.fltmask
    elif cp.user.u_systrap:
        untraced(cp)


def untraced(cp: Proc) -> None:
    """A new process is not traced by /proc."""
    cp.sigmask = cp.fltmask = frozenset()
    cp.user.u_systrap = False
    cp.user.u_entrymask = cp.user.u_exitmask = frozenset()


def _flist_free(f: Birth) -> None:
    """fork_fail, fork.c:623: f_count down for each file of the child's table."""
    cp = f.cp
    cp.fds.fork_undo()
    cp.user.fds = None


def _setbrand(f: Birth) -> None:
    """Step G8m: a zeroed block, before the copy."""
    cp = f.cp
    lock = cp.lock
    lock.enter()
    try:
        cp.brand.ops.b_setbrand(cp)
    finally:
        lock.exit()


def _clearbrand(f: Birth) -> None:
    f.cp.brand.ops.b_clearbrand(f.cp)


def _copy_procdata(f: Birth) -> None:
    if f.p.brand is f.cp.brand:  # the first process of a zone is a child of p0
        f.cp.brand.ops.b_copy_procdata(f.cp, f.p)


GETPROC = (
    ("page_mem_avail", _mem_avail, None),
    ("zone_state", _zone_lives, None),
    ("max_processes", _max_processes, _max_processes_undo),
    ("proc_alloc", _proc_alloc, _proc_free),
    ("pid_allocate", _pid_allocate, _pid_free),
    ("exec_hold", _exec_hold, _exec_rele),
    ("nproc_limit", _nproc_limit, None),
    ("practive", _practive_enter, _practive_exit),
    ("session", _sess_join, _sess_leave),
    ("family", _link, _unlink),
    ("pool", _pool_hold, _pool_rele),
    ("task", _task_join, _task_leave),
    ("audit", _audit_copy, _audit_free),
    ("cred", _cred_hold, _cred_rele),
    ("dirs", _dirs_hold, _dirs_rele),
    ("flist_fork", _flist_fork, _flist_free),
    ("brand_setbrand", _setbrand, _clearbrand),
    ("b_copy_procdata", _copy_procdata, None),
)
"""The steps of getproc, in its order; a fork takes them in one row with its own."""
_STEPS = Steps(*GETPROC)
