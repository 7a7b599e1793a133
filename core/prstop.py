"""Where a traced process stops (stop() and issig() of os/sig.c, as /proc sees them).

``core.trap`` calls these at the places where an event of interest may happen.  A
process that nobody traces does not come here: entry and exit of calls are guarded by
``u_systrap``, signals by ``p_sigmask``, faults by ``p_fltmask``, requests by the AST.

Must not know: who controls the process (``core.prctl``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.lwp import (
    TP_PRSTOP,
    TS_ONPROC,
    TS_RUN,
    TS_SLEEP,
    TS_STOPPED,
    TS_ZOMB,
    WhyStop,
)
from personae.core.proc import P_PR_ASYNC, P_PR_LOCK, SKILLED, Proc
from personae.core.sync import CondVar, Sleep

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

EVENTS = frozenset(
    {
        WhyStop.PR_REQUESTED,
        WhyStop.PR_SIGNALLED,
        WhyStop.PR_FAULTED,
        WhyStop.PR_SYSENTRY,
        WhyStop.PR_SYSEXIT,
    }
)
"""Stops that only /proc starts again; SIGKILL does too."""


def isstopped(lwp: Lwp) -> bool:
    """Whether it stands on an event of interest (ISTOPPED of sys/proc.h)."""
    return lwp.state is TS_STOPPED and lwp.whystop in EVENTS


def doomed(lwp: Lwp) -> bool:
    """SIGKILL is on its way: nothing stops it any more (stop(), os/sig.c)."""
    return bool(lwp.proc.flag & SKILLED)


def stop(lwp: Lwp, why: WhyStop, what: int) -> None:
    """Stop a lwp on an event; its siblings with it, unless PR_ASYNC (proc(5))."""
    lwp.tpflag &= ~TP_PRSTOP
    lwp.whatstop = what
    lwp.ast = True
    lwp.kernel.disp.stop(lwp, why)
    prnotify(lwp.proc)
    if not lwp.proc.prflag & P_PR_ASYNC:
        for t in lwp.proc.lwps:
            if not t.agent and not isstopped(t):
                request(t)


def request(lwp: Lwp) -> None:
    """Direct a lwp to stop (pr_stop): at once, or on its way to user mode.

    One that runs or that something else has stopped does it when it comes to the end
    of its call; all others stand at a point where they can be stopped.
    """
    if doomed(lwp):
        return
    if lwp.state in (TS_RUN, TS_SLEEP):
        lwp.tpflag &= ~TP_PRSTOP
        lwp.whatstop = 0
        lwp.ast = True
        lwp.kernel.disp.stop(lwp, WhyStop.PR_REQUESTED)
        prnotify(lwp.proc)
    elif lwp.state in (TS_ONPROC, TS_STOPPED) and not isstopped(lwp):
        lwp.tpflag |= TP_PRSTOP
        lwp.ast = True


def requested(lwp: Lwp) -> bool:
    """On the way to user mode: stop if it was asked for, unless it is to die."""
    if not lwp.tpflag & TP_PRSTOP or doomed(lwp):
        return False
    stop(lwp, WhyStop.PR_REQUESTED, 0)
    return True


def sysentry(lwp: Lwp, number: int) -> bool:
    """A call begins; True: it stands before it."""
    user = lwp.proc.user
    if not user.u_systrap or number not in user.u_entrymask or doomed(lwp):
        return False
    stop(lwp, WhyStop.PR_SYSENTRY, number)
    return True


def sysexit(lwp: Lwp, number: int) -> None:
    """A call is over, results in place: stop if that is traced (post_syscall)."""
    if number not in lwp.proc.user.u_exitmask or doomed(lwp):
        return
    if lwp.state is TS_ONPROC:
        stop(lwp, WhyStop.PR_SYSEXIT, number)
    elif lwp.state is not TS_ZOMB:
        lwp.whatstop, lwp.post_sys, lwp.ast = number, True, True


def post_syscall(lwp: Lwp) -> bool:
    """A call ended while the lwp was not on a CPU: stop now, if that is traced.

    So ends the fork of a caller's clone (lwp_rtt), and a call that was aborted.
    """
    lwp.post_sys, number = False, lwp.whatstop
    if not number or not lwp.proc.user.u_systrap:
        return False
    lwp.whatstop = 0
    if number not in lwp.proc.user.u_exitmask or doomed(lwp):
        return False
    stop(lwp, WhyStop.PR_SYSEXIT, number)
    return True


def signalled(lwp: Lwp, sig: int) -> bool:
    """A traced signal is next: stop before it acts, once."""
    if lwp.cursig == sig:
        return False
    if sig not in lwp.proc.sigmask or doomed(lwp):
        return False
    lwp.cursig = sig
    stop(lwp, WhyStop.PR_SIGNALLED, sig)
    return True


def faulted(lwp: Lwp, flt: int, sig: int, code: int, addr: int) -> bool:
    """A traced fault has happened: stop before its signal is posted."""
    if flt not in lwp.proc.fltmask or doomed(lwp):
        return False
    lwp.curflt = (flt, sig, code, addr)
    stop(lwp, WhyStop.PR_FAULTED, flt)
    return True


# ---- P_PR_LOCK ----


def prbarrier(p: Proc) -> None:
    """Wait until /proc lets go of a process (prbarrier, fs/proc/prcontrol.c).

    For the start of an operation: the caller has changed nothing yet.

    Raises:
        Sleep: It is locked; the operation is entered again.
    """
    if p.prflag & P_PR_LOCK:
        raise Sleep(p.cv, interruptible=False)


def sprlock(p: Proc) -> None:
    """Take P_PR_LOCK (sprlock_proc).  Raises Sleep as ``prbarrier``."""
    if p.prflag & P_PR_LOCK:
        prbarrier(p)
    lock = p.lock
    lock.enter()
    p.prflag |= P_PR_LOCK
    lock.exit()


def sprunlock(p: Proc) -> None:
    """Drop P_PR_LOCK and wake who waits for it."""
    lock = p.lock
    lock.enter()
    p.prflag &= ~P_PR_LOCK
    lock.exit()
    if p.cv.waiters:
        p.kernel.wakeup(p.cv)


def relvm_barrier(p: Proc) -> None:
    """What relvm waits for, before exec or exit change anything (FORK-62).

    relvm of fork.c waits for /proc in its middle, dropping the child's lock to do so;
    here its callers wait before their first step, with no lock at all.

    Raises:
        Sleep: /proc holds the process, or the lender of its address space.
    """
    prbarrier(p)
    if p.lender is not None:
        prbarrier(p.lender)


def prrelvm(p: Proc) -> None:
    """The process gives up its address space: tell who controls it (prrelvm)."""
    for control in p.trace:
        control.relvm()


def prexit(p: Proc) -> None:
    """The process is a zombie: it is controlled no more (prexit)."""
    for control in p.trace:
        control.gone = True
    p.trace = []
    prnotify(p)


def prinvalidate(p: Proc) -> None:
    """It has gained rights by an exec: who controls it has to ask anew."""
    for control in p.trace:
        control.invalid = True
    prnotify(p)


# ---- waiting for a stop ----


def pr_wait(p: Proc) -> CondVar:
    """Where to wait for the process, or one of its lwps, to stop or to go."""
    if p.pr_cv is None:
        p.pr_cv = CondVar()
    return p.pr_cv


def prnotify(p: Proc) -> None:
    """Something that is waited for may have happened (prnotify)."""
    if p.pr_cv is not None:
        p.kernel.wakeup(p.pr_cv)
