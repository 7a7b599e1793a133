"""The end of a process and of its lwps (os/exit.c).

``proc_exit`` gives up at once what a zombie does not need (memory, files, lwps,
contract) and keeps what it does until it is reaped (pid, slot, counts, task,
credentials: FORK-91).  ``freeproc`` is the reaping.

Order for a branded process: b_lwpexit, b_proc_exit, b_freelwp; the brand's process
data lives until the reap, so that a waiter can still read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core import prstop
from personae.core.contract import contract_abandon, contract_exit
from personae.core.door import door_exit, door_slam
from personae.core.errno import Panic
from personae.core.forklwp import lwp_discard
from personae.core.getproc import ForkPunish, exec_close, punish_end
from personae.core.limits import max_processes_exit, upcount_dec
from personae.core.lwp import TP_DAEMON
from personae.core.msacct import lwp_mstate_exit
from personae.core.pctx import freepctx
from personae.core.pid import unlink_child, unlink_orphan
from personae.core.proc import (
    CLDNOSIGCHLD,
    CLDPEND,
    CLDWAITPID,
    SEXITING,
    SNOWAIT,
    SSYS,
    SVFORK,
    SZOMB,
    Proc,
)
from personae.core.rctl import rctl_exit
from personae.core.regs import INSTRET
from personae.core.sem import semexit
from personae.core.session import pgexit, sess_rele
from personae.core.signal import exit_info, flush, orphan_check
from personae.core.signo import CLD_EXITED, SIGCLD, SIGKILL, CldCode, SigInfo
from personae.core.task import task_detach, task_rele
from personae.core.vfork import relvm

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

EVAPORATE = 0xFFFF0000
"""Exit status with which a vfork child vanishes (posix_spawn of illumos)."""


def exitlwps(lwp: Lwp) -> None:
    """End every other lwp of the process (exitlwps, os/exit.c)."""
    p = lwp.proc
    if p.lwpcnt == 1:
        return
    for t in [t for t in p.lwps if t is not lwp]:
        _end_lwp(t)


def _end_lwp(lwp: Lwp) -> None:
    k = lwp.kernel
    for watch in k.observers.personae_lwp_exit:
        watch(lwp)
    k.disp.forget(lwp)
    door_slam(lwp)
    if isinstance(lwp.sysstate, ForkPunish):
        punish_end(lwp)
    lwp.proc.brand.ops.b_lwpexit(lwp)
    lwp_mstate_exit(lwp)
    lwp.proc.utime += lwp.regs[INSTRET]
    lwp.proc.stime += lwp.stime
    if lwp.tpflag & TP_DAEMON:
        lwp.proc.lwpdaemon -= 1
    lwp_discard(lwp)
    prstop.prnotify(lwp.proc)


def lwp_exit(lwp: Lwp) -> None:
    """End the calling lwp; the last one ends the process with status 0.

    Daemons (lwp_create(2)) do not keep a process alive.
    """
    p = lwp.proc
    daemon = bool(lwp.tpflag & TP_DAEMON)
    if len(p.lwps) == 1 or (not daemon and p.lwpcnt == p.lwpdaemon + 1):
        proc_exit(lwp, CLD_EXITED, p.exit_status)
        return
    _end_lwp(lwp)
    p.kernel.wakeup(p.cv)


def proc_exit(lwp: Lwp, why: int, what: int) -> None:
    """End the process of ``lwp`` (proc_exit, os/exit.c).

    Args:
        lwp: The lwp it ends by: the current one, or any one of a process that is
            ended from outside.
        why: CLD_EXITED, CLD_KILLED or CLD_DUMPED.
        what: Exit status, or the signal.

    Locks: none.
    """
    p = lwp.proc
    k = p.kernel
    if p.flag & SEXITING:
        raise Panic(f"{p!r} exits twice")
    if lwp.sysent is not None and lwp is k.current and why == CLD_EXITED:
        prstop.relvm_barrier(p)  # a call: entered again when /proc lets go
    for watch in k.observers.personae_lwp_exit:
        watch(lwp)
    evaporates = bool(p.flag & SVFORK) and what == EVAPORATE
    p.flag |= SEXITING
    exitlwps(lwp)
    k.disp.forget(lwp)
    door_slam(lwp)
    door_exit(p)
    if isinstance(lwp.sysstate, ForkPunish):
        punish_end(lwp)
    ops = p.brand.ops
    ops.b_lwpexit(lwp)
    ops.b_proc_exit(p)
    k.timers_cancel(p)
    semexit(p)
    p.fds.close_all(lwp)
    p.user.fds = None
    orphan_check(p)
    _leave_session(p)
    relvm(p)
    _drop_uarea(p)
    p.wcode, p.wdata = why, what
    contract_exit(p)
    if p.ct_process is not None:
        k.contract_ops.contract_process_exit(p.ct_process, p)
    lwp_mstate_exit(lwp)
    p.utime += lwp.regs[INSTRET]
    p.stime += lwp.stime
    lwp_discard(lwp)
    rctl_exit(p)
    _reparent(p)
    _become_zombie(p, evaporates)
    if p.zone.init is p:
        k.zone_init_exited(p)


def _leave_session(p: Proc) -> None:
    """The leader of a session takes its terminal away with it."""
    sess = p.sess
    if sess is None or sess.leader is not p:
        return
    tty = sess.s_tty
    if tty is not None:
        tty.session_gone(p)
        sess.s_tty = None


def _drop_uarea(p: Proc) -> None:
    u = p.user
    for vp in (u.u_cdir, u.u_rdir):
        if vp is not None:
            vp.rele()
    u.u_cdir = u.u_rdir = None
    exec_close(p, None)
    if p.corefile is not None:
        p.corefile.rele()
        p.corefile = None
    if p.content is not None:
        p.content.rele()
        p.content = None
    if p.pctx:
        freepctx(p, isexec=False)


def _reparent(p: Proc) -> None:
    """Children go to the zone's init (FORK-90), orphans to the next of kin."""
    if p.child is None and p.orphan is None:
        return
    k = p.kernel
    with k.pidlock:
        reaper = k.reaper_of(p)
        kids = []
        c = p.child
        while c is not None:
            kids.append(c)
            c = c.sibling
        for c in reversed(kids):
            _adopt(reaper, c)
        while (o := p.orphan) is not None:  # no child of ours, we were its kin
            unlink_orphan(o)
    for c in kids:
        if c.stat is SZOMB:
            _notify_or_reap(c)


def _adopt(reaper: Proc, c: Proc) -> None:
    kin_is_parent = c.nextofkin is c.parent
    if kin_is_parent:
        unlink_child(c)
    else:
        raise Panic(f"{c!r}: parent and next of kin differ")
    c.pidflag &= ~(CLDNOSIGCHLD | CLDWAITPID | CLDPEND)
    c.ppid = reaper.pid
    c.exit_signal = SIGCLD
    c.parent = reaper
    c.sibling = reaper.child
    if reaper.child is not None:
        reaper.child.psibling = c
    c.psibling = None
    reaper.child = c
    c.nextofkin = reaper
    c.nextorph = reaper.orphan
    reaper.orphan = c


def _become_zombie(p: Proc, evaporates: bool) -> None:
    flush(p, ~0)
    p.sig = 0
    p.stat = SZOMB
    p.newstate = False
    prstop.prexit(p)
    for watch in p.kernel.observers.personae_proc_exit:
        watch(p)
    if evaporates:
        _reap_quietly(p)
        return
    _notify_or_reap(p)


def _notify_or_reap(p: Proc) -> None:
    """Tell the parent; reap at once if it does not want to know (FORK-86)."""
    parent = p.parent
    if parent is None:
        raise Panic(f"{p!r} dies without a parent")
    k = p.kernel
    info: SigInfo = exit_info(p)
    pidlock = k.pidlock
    pidlock.enter()
    try:
        p.brand.ops.b_exit_with_sig(p, info)
    finally:
        pidlock.exit()
    if parent.wait_cv.waiters:
        k.wakeup(parent.wait_cv)
    unwanted = parent.flag & SSYS or (parent.flag & SNOWAIT and p.exit_signal == SIGCLD)
    if unwanted and not p.pidflag & CLDWAITPID:
        _reap_quietly(p)


def _reap_quietly(p: Proc) -> None:
    parent = p.parent
    freeproc(p)
    if parent is None:
        return
    if parent.flag & SSYS:  # zsched takes the EMPTY events of its contracts
        for ct in [ct for ct in parent.ct_held if not ct.nmembers]:
            contract_abandon(ct)
    p.kernel.wakeup(parent.wait_cv)


def freeproc(p: Proc) -> None:
    """Reap a zombie (freeproc): the last of it goes.

    Locks: none.
    """
    k = p.kernel
    if p.stat is not SZOMB:
        raise Panic(f"{p!r} is reaped alive")
    parent = p.parent
    if parent is not None:
        parent.cutime += p.utime + p.cutime
        parent.cstime += p.stime + p.cstime
    p.brand.ops.b_clearbrand(p)
    task = p.task
    if task is None or p.pool is None or p.sess is None:
        raise Panic(f"{p!r} is reaped twice")
    pidlock, p_lock, sess = k.pidlock, p.lock, p.sess
    pidlock.enter()
    unlink_child(p)
    pgexit(p)
    if sess.leader is p:
        sess.leader = None
    sess_rele(k, sess)
    p.sess = None
    k.practive.remove(p)
    upcount_dec(k, p.cred.uid, p.zone.id)
    k.nproc -= 1
    p_lock.enter()
    task_detach(p)
    p_lock.exit()
    pidlock.exit()
    p.pool.ref -= 1
    max_processes_exit(k, p, p.zone, task)
    task_rele(task)
    p.cred.rele()
    p.audit = None
    k.pids.free(p)
    k.proc_count -= 1
    p.task = None
    p.pool = None


def kill_proc(p: Proc) -> None:
    """End a process at once from outside (zone halt)."""
    if p.stat is not SZOMB and p.lwps:
        proc_exit(p.lwps[0], CldCode.KILLED, SIGKILL)
