"""Signals: dispositions, posting, choosing and acting (os/sig.c).

The life of a signal: ``psignal`` or ``tsignal`` posts it (it may be discarded, or
start or stop the process at once); on its way back to user mode, or when it
wakes from a wait, the lwp takes the next one it does not block (``issig``) and
acts (``psig``): ignore, stop, end, or run a handler through the brand.

Must not know: the layout of any brand's signal frame.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from personae.core.errno import KernelError
from personae.core.lwp import (
    PR_SUSPENDED,
    T_VFKILL,
    TP_HOLDLWP,
    TS_ONPROC,
    TS_RUN,
    TS_SLEEP,
    TS_STOPPED,
    WhyStop,
)
from personae.core.proc import (
    CLDNOSIGCHLD,
    CLDPEND,
    SIDL,
    SJCTL,
    SKILLED,
    SNOWAIT,
    SRUN,
    SSTOP,
    SSYS,
    SVFWAIT,
    SZOMB,
    Proc,
)
from personae.core.prstop import EVENTS
from personae.core.session import pgorphaned
from personae.core.signo import (
    CANTMASK,
    COREDEFAULT,
    DEFAULT_ACTION,
    IGNOREDEFAULT,
    SIG_DFL,
    SIG_IGN,
    SIGCLD,
    SIGCONT,
    SIGKILL,
    SIGQUEUE_MAX,
    SIGRTMIN,
    STOPDEFAULT,
    CldCode,
    SaFlag,
    Sig,
    SigAction,
    SigInfo,
    sigbit,
    sigset,
)

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


class Action(Enum):
    """What a signal does to the process at this moment."""

    IGNORE = auto()
    STOP = auto()
    CONTINUE = auto()
    TERMINATE = auto()
    CORE = auto()
    HANDLER = auto()


IGNORE, HANDLER = Action.IGNORE, Action.HANDLER


def action_of(proc: Proc, sig: int) -> Action:
    """What ``sig`` would do to ``proc`` now."""
    act = proc.user.u_signal.get(sig)
    bit = 1 << (sig - 1)
    if act is not None:
        if act.handler == SIG_IGN and not bit & CANTMASK:
            return IGNORE
        if act.handler not in (SIG_DFL, SIG_IGN):
            return HANDLER
    if bit & STOPDEFAULT:
        return Action.STOP
    if sig == SIGCONT:
        return Action.CONTINUE
    if bit & IGNOREDEFAULT & ~proc.brand.sig_deadly:
        return IGNORE
    if proc.zone.init is proc and not proc.zone.init_doomed:
        return Action.IGNORE  # nothing from its zone ends the zone's init by default
    return Action.CORE if bit & COREDEFAULT else Action.TERMINATE


# ---- dispositions ----


def set_action(proc: Proc, sig: int, act: SigAction) -> None:
    """Change a disposition (setsigact); a pending signal now ignored is discarded."""
    u = proc.user
    if act.handler == SIG_DFL and not act.flags and not act.mask:
        u.u_signal.pop(sig, None)
    else:
        u.u_signal[sig] = act
    if sig == SIGCLD:
        proc.flag &= ~(SNOWAIT | SJCTL)
        if act.flags & SaFlag.SA_NOCLDSTOP:
            proc.flag |= SJCTL
        if act.flags & SaFlag.SA_NOCLDWAIT or act.handler == SIG_IGN:
            proc.flag |= SNOWAIT
    if action_of(proc, sig) is Action.IGNORE:
        flush(proc, sigbit(sig))
    _cache_ignore(proc)


def _cache_ignore(proc: Proc) -> None:
    """Keep p_ignore: the signals that are explicitly ignored."""
    proc.ignore = sigset(
        *(s for s, a in proc.user.u_signal.items() if a.handler == SIG_IGN)
    )


def sigdefault(proc: Proc) -> None:
    """Set caught signals to default, leave ignored ones (fork.c:502, exec)."""
    u = proc.user
    u.u_signal = {
        s: replace(a, flags=0, mask=0)
        for s, a in u.u_signal.items()
        if a.handler == SIG_IGN
    }
    if not proc.ignore & sigbit(SIGCLD):
        proc.flag &= ~(SNOWAIT | SJCTL)


def flush(proc: Proc, mask: int) -> None:
    """Discard pending signals of a set."""
    proc.sig &= ~mask
    if proc.sigqueue:
        proc.sigqueue = [i for i in proc.sigqueue if not sigbit(i.signo) & mask]
    for t in proc.lwps:
        t.sig &= ~mask
        t.sigqueue = [i for i in t.sigqueue if not sigbit(i.signo) & mask]


# ---- posting ----


def psignal(proc: Proc, sig: int, info: SigInfo | None = None) -> None:
    """Post a signal to a process (sigtoproc).

    To a zombie, a half-made child or a kernel process it is a no-op.
    """
    if not _prepare(proc, sig):
        return
    bit = 1 << (sig - 1)
    blocked = True
    for t in proc.lwps:
        if not t.sigmask & bit:
            blocked = False
    for watch in proc.kernel.observers.personae_signal_send:
        watch(proc, sig)
    traced = sig in proc.sigmask
    if sig == SIGKILL and info is not None:
        # only the global zone reaches others, and is not refused (zones(7))
        foreign = info.zoneid not in (-1, proc.zone.id)
        proc.zone.init_doomed |= foreign and proc.zone.init is proc
    if not (blocked or traced) and action_of(proc, sig) is IGNORE:
        return
    if _may_queue(proc, sig, proc.sig):
        proc.sigqueue.append(info or SigInfo(sig))
    proc.sig |= bit
    takers = [t for t in proc.lwps if not t.sigmask & bit or bit & CANTMASK]
    if sig == SIGKILL:
        for t in takers:
            _notify(t, sig)
    elif takers:
        # One that can take it now, before one that lwp_suspend has stopped.
        _notify(next((t for t in takers if not _suspended(t)), takers[0]), sig)
    else:
        for t in proc.lwps:  # sigwait takes blocked signals
            _wake_sigwait(t)


def tsignal(lwp: Lwp, sig: int, info: SigInfo | None = None) -> None:
    """Post a signal to one lwp (sigtolwp)."""
    proc = lwp.proc
    if not _prepare(proc, sig):
        return
    for watch in proc.kernel.observers.personae_signal_send:
        watch(proc, sig)
    bit = sigbit(sig)
    kept = lwp.sigmask & bit or sig in proc.sigmask
    if not kept and action_of(proc, sig) is Action.IGNORE:
        return
    if _may_queue(lwp, sig, lwp.sig):
        lwp.sigqueue.append(info or SigInfo(sig))
    lwp.sig |= bit
    if not lwp.sigmask & bit or bit & CANTMASK:
        _notify(lwp, sig)
    else:
        _wake_sigwait(lwp)


def _may_queue(holder: Proc | Lwp, sig: int, pending: int) -> bool:
    """Whether one more instance is kept: the first, and more of a realtime signal."""
    if not pending & sigbit(sig):
        return True
    return sig >= SIGRTMIN and len(holder.sigqueue) < SIGQUEUE_MAX


def _prepare(proc: Proc, sig: int) -> bool:
    """Effects of a signal at the moment it is posted; False if it goes nowhere."""
    if sig == 0 or proc.stat in (SIDL, SZOMB):
        return False
    if proc.flag & SSYS or not proc.lwps:
        return False
    bit = sigbit(sig)
    if sig == SIGKILL and action_of(proc, sig) is not Action.IGNORE:
        proc.flag |= SKILLED
    if sig == SIGCONT:
        flush(proc, STOPDEFAULT)
        continue_proc(proc)
    elif bit & STOPDEFAULT:
        flush(proc, sigbit(SIGCONT))
    return True


def _notify(lwp: Lwp, sig: int) -> None:
    """Make the lwp look at its signals: end an interruptible wait, start it to die."""
    lwp.ast = True
    k = lwp.kernel
    if lwp.state is TS_SLEEP and (lwp.interruptible or sig == SIGKILL):
        # An uninterruptible wait is only ever vfwait's or the kernel's own.
        if lwp.interruptible:
            lwp.interrupted = True
            k.disp.unsleep(lwp)
        elif lwp.tflag & T_VFKILL:
            k.disp.unsleep(lwp)
    elif (
        sig == SIGKILL
        and lwp.state is TS_STOPPED
        and (lwp.whystop is WhyStop.PR_JOBCONTROL or lwp.whystop in EVENTS)
    ):
        if lwp.whystop is WhyStop.PR_SYSENTRY:
            lwp.sysent = None  # a call that it stands before is not made
        lwp.proc.stat = SRUN
        k.disp.setrun(lwp)
    elif (
        sig == SIGKILL
        and _suspended(lwp)
        and lwp.tpflag & TP_HOLDLWP
        and not lwp.proc.flag & SVFWAIT
    ):
        # lwp_suspend stopped it, and maybe all the others have ended since.
        k.disp.setrun(lwp)


def _suspended(lwp: Lwp) -> bool:
    return lwp.state is TS_STOPPED and lwp.whystop is PR_SUSPENDED


def _wake_sigwait(lwp: Lwp) -> None:
    """A blocked signal arrived: a lwp in a wait re-checks (sigtimedwait)."""
    if lwp.state is TS_SLEEP and lwp.interruptible and lwp.sigwaiting:
        lwp.kernel.disp.unsleep(lwp)


# ---- job control ----


def continue_proc(proc: Proc) -> None:
    """Start a process that job control stopped, and tell its parent."""
    if proc.stat is not SSTOP:
        return
    proc.stat = SRUN
    proc.stopsig = 0
    for t in proc.lwps:
        if t.state is TS_STOPPED and t.whystop is WhyStop.PR_JOBCONTROL:
            proc.kernel.disp.setrun(t)
    _tell_parent(proc, CldCode.CONTINUED, SIGCONT)


def stop_proc(lwp: Lwp, sig: int) -> None:
    """Stop the process of ``lwp`` by job control, and tell its parent."""
    proc = lwp.proc
    proc.stat = SSTOP
    proc.stopsig = sig
    for t in proc.lwps:
        if t.state in (TS_RUN, TS_ONPROC):
            proc.kernel.disp.stop(t, WhyStop.PR_JOBCONTROL)
    _tell_parent(proc, CldCode.STOPPED, sig)


def _tell_parent(proc: Proc, code: CldCode, status: int) -> None:
    proc.wcode = code
    proc.wdata = status
    proc.newstate = True
    parent = proc.parent
    if parent is None:
        return
    proc.kernel.wakeup(parent.wait_cv)
    if not parent.flag & SJCTL:
        zoneid = proc.zone.id
        info = SigInfo(SIGCLD, code, proc.pid, proc.cred.uid, status, zoneid=zoneid)
        psignal(parent, SIGCLD, info)


def sigcld(proc: Proc, info: SigInfo) -> None:
    """Tell the parent of an exit by SIGCLD (sigcld, os/sig.c).

    A second death while the first signal is still pending is kept (CLDPEND) and
    posted when that has been taken.  Locks: pidlock.
    """
    parent = proc.parent
    if parent is None or proc.pidflag & CLDNOSIGCHLD:
        return
    if parent.sig & sigbit(SIGCLD):
        proc.pidflag |= CLDPEND
        return
    psignal(parent, SIGCLD, info)


def sigcld_repost(parent: Proc) -> None:
    """Post the SIGCLD of the next child whose death is still untold.

    Not while one is pending: that one's turn brings the next.
    """
    if parent.sig & sigbit(SIGCLD):
        return
    for c in parent.children():
        if c.pidflag & CLDPEND:
            c.pidflag &= ~CLDPEND
            if c.stat is SZOMB:
                psignal(parent, SIGCLD, exit_info(c))
                return


def exit_info(proc: Proc) -> SigInfo:
    """The siginfo of a dead child."""
    return SigInfo(
        SIGCLD,
        proc.wcode,
        proc.pid,
        proc.cred.uid,
        proc.wdata,
        utime=proc.utime,
        stime=proc.stime,
        zoneid=proc.zone.id,
    )


def orphan_check(proc: Proc) -> None:
    """Before ``proc`` leaves: groups it orphans get SIGHUP and SIGCONT if stopped."""
    groups = [proc.pgrp] if proc.pgrp is not None else []
    for c in proc.children():
        if c.pgrp is not None and c.pgrp not in groups:
            groups.append(c.pgrp)
    for pgrp in groups:
        for m in pgrp.members:
            if m.stat is SSTOP and m is not proc:
                break
        else:
            continue  # nobody who would be stuck
        if pgorphaned(pgrp) or not pgorphaned(pgrp, leaving=proc):
            continue
        for m in [m for m in pgrp.members if m is not proc]:
            psignal(m, Sig.SIGHUP)
            psignal(m, SIGCONT)


# ---- taking and acting ----


def pending(lwp: Lwp) -> int:
    """Signals that wait for this lwp and are not blocked."""
    return (lwp.sig | lwp.proc.sig) & (~lwp.sigmask | CANTMASK)


def _first(bits: int) -> int:
    """The signal to take first: SIGKILL, then the lowest number."""
    if bits & sigbit(SIGKILL):
        return SIGKILL
    return (bits & -bits).bit_length()


def peek(lwp: Lwp) -> tuple[int, Action] | None:
    """The signal that ``lwp`` would act on, and how; ignored ones are discarded."""
    while bits := pending(lwp):
        own = bits & lwp.sig
        sig = _first(bits if bits & sigbit(SIGKILL) else own or bits)
        if lwp.cursig and bits & sigbit(lwp.cursig) and sig != SIGKILL:
            sig = lwp.cursig
        action = action_of(lwp.proc, sig)
        if action is Action.CONTINUE or action is Action.IGNORE:
            if sig in lwp.proc.sigmask:
                return sig, action  # /proc wants to see it
            take(lwp, sig)
            continue
        if (
            action is Action.STOP
            and sig != Sig.SIGSTOP
            and lwp.proc.pgrp is not None
            and pgorphaned(lwp.proc.pgrp)
        ):
            take(lwp, sig)  # nobody could continue it (POSIX 2.4.3)
            continue
        return sig, action
    return None


def caught(lwp: Lwp) -> bool:
    """Whether the next signal that ``lwp`` would act on has a handler."""
    got = peek(lwp)
    return got is not None and got[1] is Action.HANDLER


def take(lwp: Lwp, sig: int) -> SigInfo:
    """Remove one instance of a pending signal and return its siginfo."""
    holder: Lwp | Proc = lwp if lwp.sig & sigbit(sig) else lwp.proc
    queue = holder.sigqueue
    info = next((i for i in queue if i.signo == sig), None)
    if info is not None:
        queue.remove(info)
    if not any(i.signo == sig for i in queue):
        holder.sig &= ~sigbit(sig)
    if sig == SIGCLD and holder is lwp.proc:
        sigcld_repost(lwp.proc)
    return info or SigInfo(sig)


def act_on(lwp: Lwp, sig: int, action: Action) -> None:
    """Act on the signal that ``peek`` gave (psig)."""
    info = take(lwp, sig)
    lwp.cursig = 0
    if action is Action.CONTINUE or action is Action.IGNORE:
        return
    k = lwp.kernel
    for watch in k.observers.personae_signal:
        watch(lwp, sig, info)
    if action is Action.STOP:
        stop_proc(lwp, sig)
    elif action is Action.HANDLER:
        _run_handler(lwp, sig, info)
    else:
        fatal(lwp, sig, info)


def fatal(lwp: Lwp, sig: int, info: SigInfo | None = None) -> None:
    """End the process by a signal, maybe with a core, and tell its contract.

    The status says DUMPED only if a core was really written.
    """
    k, proc = lwp.kernel, lwp.proc
    info = info or SigInfo(sig)
    sender = info.pid if info.code <= 0 else 0
    dumped = bool(sigbit(sig) & COREDEFAULT) and k.core(lwp, sig, info)
    event = k.contract_ops.contract_process_event
    if dumped:
        event(proc, "core", sig, sender)
    event(proc, "signal", sig, sender)
    k.proc_exit(lwp, CldCode.DUMPED if dumped else CldCode.KILLED, sig)


def _run_handler(lwp: Lwp, sig: int, info: SigInfo) -> None:
    proc = lwp.proc
    act = proc.user.u_signal[sig]
    saved = lwp.sigmask if lwp.sigoldmask is None else lwp.sigoldmask
    try:
        proc.brand.ops.b_sendsig(lwp, sig, info, act, saved)
    except KernelError:
        # No room for the frame: SIGSEGV, and not again to the handler (signal(7)).
        set_action(proc, Sig.SIGSEGV, DEFAULT_ACTION)
        lwp.sigmask &= ~sigbit(Sig.SIGSEGV)
        fatal(lwp, Sig.SIGSEGV)
        return
    lwp.sigoldmask = None
    mask = lwp.sigmask | act.mask
    if not act.flags & SaFlag.SA_NODEFER:
        mask |= sigbit(sig)
    lwp.sigmask = mask & ~CANTMASK
    if act.flags & SaFlag.SA_RESETHAND:
        set_action(proc, sig, DEFAULT_ACTION)


def trapsig(lwp: Lwp, sig: int, code: int, addr: int) -> None:
    """A signal the lwp caused itself, by a fault: never ignored, never blocked.

    If it is, the process ends by it (signal(7), "forced").
    """
    proc = lwp.proc
    act = proc.user.u_signal.get(sig, DEFAULT_ACTION)
    if act.handler == SIG_IGN or lwp.sigmask & sigbit(sig):
        set_action(proc, sig, DEFAULT_ACTION)
        lwp.sigmask &= ~sigbit(sig)
    info = SigInfo(sig, code, addr=addr)
    if proc.zone.init is proc and proc.user.u_signal.get(sig) is None:
        fatal(lwp, sig, info)
        return
    lwp.sigqueue.append(info)
    lwp.sig |= sigbit(sig)
    lwp.ast = True
