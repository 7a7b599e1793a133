"""Native system calls about signals."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.sendsig import getcontext, on_altstack, setcontext
from personae.brands.native.sys_proc import find
from personae.brands.native.sys_time import deadline_of
from personae.core.errno import Errno, KernelError
from personae.core.limits import sigqueue_check
from personae.core.policy import can_signal, zone_visible
from personae.core.priocntl import IdType, ProcSet, select
from personae.core.proc import ProcStat
from personae.core.signal import psignal, set_action, take, tsignal
from personae.core.signo import (
    CANTMASK,
    DEFAULT_ACTION,
    NSIG,
    SaFlag,
    SiCode,
    SigAction,
    SigInfo,
    sigbit,
)
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import NORETURN, NoReturnType, s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As

SA_KNOWN = (
    SaFlag.SA_ONSTACK
    | SaFlag.SA_RESETHAND
    | SaFlag.SA_RESTART
    | SaFlag.SA_SIGINFO
    | SaFlag.SA_NODEFER
    | SaFlag.SA_NOCLDWAIT
    | SaFlag.SA_NOCLDSTOP
)


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _signo(sig: int, least: int = 1) -> int:
    """A signal number.

    Raises:
        KernelError: EINVAL, it is none.
    """
    sig = s32(sig)
    if not least <= sig < NSIG:
        raise KernelError(Errno.EINVAL, f"signal {sig}")
    return sig


# ---- dispositions and masks ----


def sys_sigaction(lwp: Lwp, sig: int, act: int, oact: int) -> int:
    """sigaction(sig, act, oact)."""
    sig = _signo(sig)
    as_ = _as(lwp)
    p = lwp.proc
    new = abi.SIGACTION.unpack(as_.copyin(act, abi.SIGACTION.size)) if act else None
    if new is not None and sigbit(sig) & CANTMASK:
        raise KernelError(Errno.EINVAL, "SIGKILL and SIGSTOP are fixed")
    old = p.user.u_signal.get(sig, DEFAULT_ACTION)
    if oact:
        data = abi.SIGACTION.pack(
            int(old.flags), old.handler, abi.pack_sigset(old.mask)
        )
        as_.copyout(oact, data)
    if new is not None:
        flags, handler, mask = new
        mask = abi.unpack_sigset(mask) & ~CANTMASK
        set_action(p, sig, SigAction(handler, SaFlag(flags & SA_KNOWN), mask))
    return 0


def sys_sigprocmask(lwp: Lwp, how: int, setp: int, osetp: int) -> int:
    """sigprocmask(how, set, oset)."""
    as_ = _as(lwp)
    old = lwp.sigmask
    new = old
    if setp:
        arg = abi.unpack_sigset(as_.copyin(setp, abi.SIGSET.size))
        how = s32(how)
        if how == abi.SIG_BLOCK:
            new = old | arg
        elif how == abi.SIG_UNBLOCK:
            new = old & ~arg
        elif how == abi.SIG_SETMASK:
            new = arg
        else:
            raise KernelError(Errno.EINVAL, f"sigprocmask how {how}")
    if osetp:
        as_.copyout(osetp, abi.pack_sigset(old))
    lwp.sigmask = new & ~CANTMASK
    lwp.ast = True
    return 0


def sys_sigsuspend(lwp: Lwp, setp: int) -> int:
    """sigsuspend(set): wait with another mask; always ends by a handler."""
    if lwp.sysstate is None:
        mask = abi.unpack_sigset(_as(lwp).copyin(setp, abi.SIGSET.size))
        lwp.sigoldmask = lwp.sigmask
        lwp.sigmask = mask & ~CANTMASK
        lwp.ast = True
        lwp.sysstate = True
    raise Sleep(CondVar(), restart=Restart.NOHAND)


def sys_pause(lwp: Lwp) -> int:
    """pause(): wait for a handler to run."""
    raise Sleep(CondVar(), restart=Restart.NOHAND)


def sys_sigpending(lwp: Lwp, flag: int, setp: int) -> int:
    """Pending signals (flag 1), or sigfillset (2): all signals there are."""
    flag = s32(flag)
    if flag == 1:
        bits = (lwp.sig | lwp.proc.sig) & lwp.sigmask
    elif flag == 2:
        bits = abi.SIGSET_MASK
    else:
        raise KernelError(Errno.EINVAL, f"sigpending {flag}")
    _as(lwp).copyout(setp, abi.pack_sigset(bits))
    return 0


def sys_sigaltstack(lwp: Lwp, ssp: int, ossp: int) -> int:
    """sigaltstack(ss, oss)."""
    as_ = _as(lwp)
    sp, size, flags = lwp.sigaltstack
    busy = on_altstack(lwp, lwp.regs[abi.REG_SP])
    new = abi.STACK.unpack(as_.copyin(ssp, abi.STACK.size)) if ssp else None
    if new is not None:
        if busy:
            raise KernelError(Errno.EPERM, "the alternate stack is in use")
        if new[2] & ~abi.SS_DISABLE:
            raise KernelError(Errno.EINVAL, f"stack flags {new[2]:#x}")
        if not new[2] and new[1] < abi.MINSIGSTKSZ:
            raise KernelError(Errno.ENOMEM, "alternate stack too small")
    if ossp:
        as_.copyout(ossp, abi.STACK.pack(sp, size, flags | (abi.SS_ONSTACK * busy)))
    if new is not None:
        lwp.sigaltstack = new
    return 0


def sys_context(lwp: Lwp, flag: int, ucp: int) -> int | NoReturnType:
    """Store the context (flag 0), or go there (1), as a handler does at its end."""
    flag = s32(flag)
    if flag == abi.GETCONTEXT:
        _as(lwp).copyout(ucp, getcontext(lwp))
        return 0
    if flag != abi.SETCONTEXT:
        raise KernelError(Errno.EINVAL, f"context {flag}")
    setcontext(lwp, _as(lwp).copyin(ucp, abi.UCONTEXT_SIZE))
    return NORETURN


# ---- sending ----


def _sender(lwp: Lwp, sig: int, code: int) -> SigInfo:
    zoneid = lwp.proc.zone.id
    return SigInfo(sig, code, lwp.proc.pid, lwp.cred.uid, zoneid=zoneid)


def _targets(lwp: Lwp, pid: int) -> list[Proc]:
    """Whom kill(pid) means: a process, a group, or all but system and caller.

    The global zone's caller means those of all zones (dotoprocs, os/procset.c).
    """
    p, k = lwp.proc, lwp.kernel
    if pid > 0:
        return [find(lwp, pid)]
    if pid == -1:
        return [
            q
            for q in k.practive
            if zone_visible(p, q) and q is not p and q is not p.zone.init
        ]
    group = k.pids.pgfind(p.pgid if pid == 0 else -pid)
    members = group.members if group is not None else []
    return [q for q in members if zone_visible(p, q)]


def sys_kill(lwp: Lwp, pid: int, sig: int) -> int:
    """kill(pid, sig)."""
    sig = _signo(sig, least=0)
    pid = s32(pid)
    targets = [q for q in _targets(lwp, pid) if q.stat is not ProcStat.SIDL]
    if not targets:
        raise KernelError(Errno.ESRCH, f"nobody is {pid}")
    allowed = [q for q in targets if can_signal(lwp.proc, q, sig)]
    if not allowed:
        raise KernelError(Errno.EPERM, f"signal to {pid}")
    for q in allowed:
        if sig:
            psignal(q, sig, _sender(lwp, sig, SiCode.USER))
    return 0


def sys_sigqueue(
    lwp: Lwp, pid: int, sig: int, value: int, code: int, block: int
) -> int:
    """sigqueue(pid, sig, value, code, block): a signal with a value.

    With ``block`` it waits while too many are queued, looking at each clock tick.
    """
    sig = _signo(sig, least=0)
    pid, code = s32(pid), s32(code)
    if pid <= 0:
        raise KernelError(Errno.ESRCH, f"sigqueue to {pid}")
    if code not in (SiCode.QUEUE, SiCode.TIMER, SiCode.USER, -4, -5):
        raise KernelError(Errno.EINVAL, f"si_code {code}")
    target = find(lwp, pid)
    if not can_signal(lwp.proc, target, sig):
        raise KernelError(Errno.EPERM, f"signal to {pid}")
    if sig:
        try:
            sigqueue_check(lwp.proc, target)
        except KernelError:
            if s32(block):
                k = lwp.kernel
                raise Sleep(CondVar(), deadline=k.now + k.tick) from None
            raise
        info = _sender(lwp, sig, code)
        info.value = value
        psignal(target, sig, info)
    return 0


PROCSET = Struct("<iiiii")
"""procset_t: p_op, p_lidtype, p_lid, p_ridtype, p_rid (sys/procset.h)."""


def sys_sigsendsys(lwp: Lwp, psp: int, sig: int) -> int:
    """sigsendsys(procset, sig): sigsend(2) and sigsendset(2).

    The zone's init and the caller of a set of all are reached as by kill(2): init
    only by its own id.
    """
    sig = _signo(sig, least=0)
    op, ltype, lid, rtype, rid = PROCSET.unpack(_as(lwp).copyin(psp, PROCSET.size))
    which = ProcSet((ltype, lid), (rtype, rid), op)
    lwps = select(lwp, which)
    if IdType.P_LWPID in (ltype, rtype):
        return _to_lwps(lwp, lwps, sig)
    by_id = (IdType.P_PID, lid) == (ltype, lid) and lid > 0
    targets = [
        p for p in dict.fromkeys(t.proc for t in lwps) if by_id or p is not p.zone.init
    ]
    if not targets:
        raise KernelError(Errno.ESRCH, "nobody")
    allowed = [p for p in targets if can_signal(lwp.proc, p, sig)]
    if not allowed:
        raise KernelError(Errno.EPERM, f"signal {sig}")
    # the caller goes last: it may end by it
    for p in sorted(allowed, key=lambda p: p is lwp.proc):
        if sig:
            psignal(p, sig, _sender(lwp, sig, SiCode.USER))
    return 0


def _to_lwps(lwp: Lwp, lwps: list[Lwp], sig: int) -> int:
    """P_LWPID: lwps of the caller's own process, and whom else the set has."""
    allowed = [t for t in lwps if can_signal(lwp.proc, t.proc, sig)]
    if not allowed:
        raise KernelError(Errno.EPERM, f"signal {sig}")
    for t in sorted(allowed, key=lambda t: t is lwp):
        if sig:
            tsignal(t, sig, _sender(lwp, sig, SiCode.LWP))
    return 0


# ---- taking ----


def sys_sigtimedwait(lwp: Lwp, setp: int, infop: int, timeout: int) -> int:
    """sigtimedwait(set, info, timeout): take a pending signal, or wait for one."""
    as_ = _as(lwp)
    if lwp.sysstate is None:
        these = abi.unpack_sigset(as_.copyin(setp, abi.SIGSET.size)) & ~CANTMASK
        lwp.sysstate = (these, deadline_of(lwp, timeout) if timeout else None)
    these, deadline = lwp.sysstate
    bits = (lwp.sig | lwp.proc.sig) & these
    if bits:
        lwp.sigwaiting = 0
        info = take(lwp, (bits & -bits).bit_length())
        if infop:
            as_.copyout(infop, abi.pack_siginfo(info, lwp.proc.zone.id))
        return info.signo
    if deadline is not None and lwp.kernel.now >= deadline:
        lwp.sigwaiting = 0
        raise KernelError(Errno.EAGAIN, "no signal came")
    lwp.sigwaiting = these
    raise Sleep(CondVar(), deadline=deadline, restart=Restart.NEVER)
