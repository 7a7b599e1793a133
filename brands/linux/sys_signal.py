"""System calls about signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import TIMESPEC, U64
from personae.brands.linux.ktime import deadline_after, timespec_ns
from personae.brands.linux.pids import (
    find_proc,
    find_thread,
    pid_from_guest,
    pid_to_guest,
    zone_procs,
)
from personae.brands.linux.sigabi import (
    KSIGACTION,
    SI_TKILL,
    SIGINFO_SIZE,
    STACK_T,
    TO_LINUX,
    code_to_native,
    native_sig,
    pack_siginfo,
    sa_flags_to_linux,
    sa_flags_to_native,
    si_pid_uid_value,
    sigset_to_linux,
    sigset_to_native,
)
from personae.brands.linux.signals import (
    _signed,
    altstack_flags,
    set_altstack,
)
from personae.core.errno import Errno, KernelError
from personae.core.limits import sigqueue_check
from personae.core.policy import can_signal
from personae.core.poll import swap_mask
from personae.core.proc import ProcStat
from personae.core.regs import SP
from personae.core.signal import set_action, take
from personae.core.signo import (
    CANTMASK,
    DEFAULT_ACTION,
    SIGRTMIN,
    SaFlag,
    SiCode,
    SigAction,
    SigInfo,
    sigbit,
)
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc


def _check_size(size: int) -> None:
    if size != 8:
        raise KernelError(Errno.EINVAL, "size of a sigset_t")


# ---- dispositions and masks ----


def sys_rt_sigaction(lwp: Lwp, sig: int, act: int, oact: int, size: int) -> int:
    """Change or read a disposition."""
    _check_size(size)
    sig = s32(sig)
    proc = lwp.proc
    as_ = proc.as_
    assert as_ is not None
    new = KSIGACTION.unpack(as_.copyin(act, 24)) if act else None
    nsig = native_sig(sig)
    if new is not None and sigbit(nsig) & CANTMASK:
        raise KernelError(Errno.EINVAL, "SIGKILL and SIGSTOP are fixed")
    old = proc.user.u_signal.get(nsig, DEFAULT_ACTION)
    if new is not None:
        handler, flags, mask = new
        set_action(
            proc,
            nsig,
            SigAction(
                handler,
                SaFlag(sa_flags_to_native(flags)),
                sigset_to_native(mask) & ~CANTMASK,
            ),
        )
    if oact:
        as_.copyout(
            oact,
            KSIGACTION.pack(
                old.handler,
                sa_flags_to_linux(old.flags),
                sigset_to_linux(old.mask),
            ),
        )
    return 0


def sys_rt_sigprocmask(lwp: Lwp, how: int, nset: int, oset: int, size: int) -> int:
    """Change or read the blocked set."""
    if size != 8:
        raise KernelError(Errno.EINVAL, "size of a sigset_t")
    as_ = lwp.proc.as_
    assert as_ is not None
    old = lwp.sigmask
    if nset:
        new = sigset_to_native(int.from_bytes(as_.copyin(nset, 8), "little"))
        how = s32(how)
        if how == 0:
            new |= old
        elif how == 1:
            new = old & ~new
        elif how != 2:
            raise KernelError(Errno.EINVAL, "how")
        lwp.sigmask = new & ~CANTMASK
        lwp.ast = True
    if oset:
        as_.copyout(oset, U64.pack(sigset_to_linux(old)))
    return 0


def sys_rt_sigpending(lwp: Lwp, uset: int, size: int) -> int:
    """Pending signals that are blocked."""
    if size > 8:
        raise KernelError(Errno.EINVAL, "size of a sigset_t")
    pend = (lwp.sig | lwp.proc.sig) & lwp.sigmask
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.copyout(uset, U64.pack(sigset_to_linux(pend))[:size])
    return 0


def sys_rt_sigsuspend(lwp: Lwp, uset: int, size: int) -> int:
    """Wait for a signal with another set blocked."""
    if lwp.sysstate is None:
        _check_size(size)
        as_ = lwp.proc.as_
        assert as_ is not None
        mask = int.from_bytes(as_.copyin(uset, 8), "little")
        swap_mask(lwp, sigset_to_native(mask))
        lwp.sysstate = True
    raise Sleep(CondVar(), restart=Restart.NOHAND)


def sys_sigaltstack(lwp: Lwp, uss: int, uoss: int) -> int:
    """Set or read the alternate stack."""
    as_ = lwp.proc.as_
    assert as_ is not None
    sp: int = lwp.regs[SP]
    base, size, _ = lwp.sigaltstack
    old = STACK_T.pack(base, _signed(altstack_flags(lwp, sp)), size)
    if uss:
        nbase, nflags, nsize = STACK_T.unpack(as_.copyin(uss, 24))
        set_altstack(lwp, nbase, nflags, nsize, sp)
    if uoss:
        as_.copyout(uoss, old)
    return 0


# ---- sending ----


def _sent(lwp: Lwp, nsig: int, code: int) -> SigInfo:
    proc = lwp.proc
    return SigInfo(nsig, code, proc.pid, proc.cred.uid)


def _post(proc: Proc, nsig: int, info: SigInfo, thread: Lwp | None = None) -> None:
    """Post a signal; the zone's init gets none from inside that it has no handler for.

    That holds for SIGKILL and SIGSTOP as well (pid_namespaces(7)).
    """
    if proc.zone.init is proc:
        act = proc.user.u_signal.get(nsig, DEFAULT_ACTION)
        blocked = all(t.sigmask & sigbit(nsig) for t in proc.lwps)
        if act.handler == 0 and not blocked:
            return
    if thread is not None:
        proc.kernel.tsignal(thread, nsig, info)
    else:
        proc.kernel.psignal(proc, nsig, info)


def _number(sig: int) -> int:
    """Native number of a signal to send; 0 only asks whether one could."""
    sig = s32(sig)
    return native_sig(sig) if sig else 0


def sys_kill(lwp: Lwp, pid: int, sig: int) -> int:
    """Send a signal to a process, a group, or all one may."""
    pid = s32(pid)
    if pid == -0x80000000:
        raise KernelError(Errno.ESRCH, "INT_MIN")
    nsig = _number(sig)
    proc = lwp.proc
    zone = proc.zone
    if pid > 0:
        target = find_proc(zone, pid)
        if not can_signal(proc, target, nsig):
            raise KernelError(Errno.EPERM, f"signal to {pid}")
        if nsig:
            _post(target, nsig, _sent(lwp, nsig, SiCode.USER))
        return 0
    if pid == -1:
        targets = [p for p in zone_procs(zone) if p is not proc and p is not zone.init]
    else:
        pgid = proc.pgid if pid == 0 else pid_from_guest(zone, -pid)
        group = lwp.kernel.pids.pgfind(pgid) if pgid > 0 else None
        members = group.members if group is not None else []
        targets = [p for p in members if p.zone is zone and p.stat is not ProcStat.SIDL]
    if not targets:
        raise KernelError(Errno.ESRCH, "no such process or group")
    allowed = [p for p in targets if can_signal(proc, p, nsig)]
    if not allowed:
        raise KernelError(Errno.EPERM, "signal to a group")
    if nsig:
        for p in allowed:
            _post(p, nsig, _sent(lwp, nsig, SiCode.USER))
    return 0


def _to_thread(lwp: Lwp, tgid: int | None, tid: int, sig: int) -> int:
    if tid <= 0 or (tgid is not None and tgid <= 0):
        raise KernelError(Errno.EINVAL, "thread id")
    nsig = _number(sig)
    zone = lwp.proc.zone
    target = find_thread(zone, tid)
    if tgid is not None and target.proc is not find_proc(zone, tgid):
        raise KernelError(Errno.ESRCH, f"thread {tid} is not of {tgid}")
    if not can_signal(lwp.proc, target.proc, nsig):
        raise KernelError(Errno.EPERM, f"signal to {tid}")
    if nsig >= SIGRTMIN:
        sigqueue_check(lwp.proc, target.proc)
    if nsig:
        _post(target.proc, nsig, _sent(lwp, nsig, SiCode.LWP), target)
    return 0


def sys_tkill(lwp: Lwp, tid: int, sig: int) -> int:
    """Send a signal to a thread."""
    return _to_thread(lwp, None, s32(tid), sig)


def sys_tgkill(lwp: Lwp, tgid: int, tid: int, sig: int) -> int:
    """Send a signal to a thread of a process."""
    return _to_thread(lwp, s32(tgid), s32(tid), sig)


def _guest_info(lwp: Lwp, nsig: int, uinfo: int, to_self: bool) -> SigInfo:
    as_ = lwp.proc.as_
    assert as_ is not None
    code, pid, uid, value = si_pid_uid_value(as_.copyin(uinfo, SIGINFO_SIZE))
    if (code >= 0 or code == SI_TKILL) and not to_self:
        raise KernelError(Errno.EPERM, "the kernel's si_code")
    gpid = pid_from_guest(lwp.proc.zone, pid)
    return SigInfo(nsig, code_to_native(code), gpid, uid, value=value)


def sys_rt_sigqueueinfo(lwp: Lwp, tgid: int, sig: int, uinfo: int) -> int:
    """Queue a signal with data to a process."""
    _number(sig)
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.copyin(uinfo, SIGINFO_SIZE)
    return queue_to(lwp, find_proc(lwp.proc.zone, s32(tgid)), sig, uinfo)


def queue_to(lwp: Lwp, target: Proc, sig: int, uinfo: int) -> int:
    """Send a signal with the siginfo at ``uinfo``, or with that of kill if it is 0."""
    nsig = _number(sig)
    if uinfo:
        info = _guest_info(lwp, nsig, uinfo, target is lwp.proc)
    else:
        info = _sent(lwp, nsig, SiCode.USER)
    if not can_signal(lwp.proc, target, nsig):
        raise KernelError(Errno.EPERM, "signal to another's process")
    if nsig >= SIGRTMIN:
        sigqueue_check(lwp.proc, target)
    if nsig:
        _post(target, nsig, info)
    return 0


def sys_rt_tgsigqueueinfo(lwp: Lwp, tgid: int, tid: int, sig: int, uinfo: int) -> int:
    """Queue a signal with data to a thread."""
    tgid, tid = s32(tgid), s32(tid)
    if tgid <= 0 or tid <= 0:
        raise KernelError(Errno.EINVAL, "thread id")
    nsig = _number(sig)
    zone = lwp.proc.zone
    to_self = pid_from_guest(zone, tgid) == lwp.proc.pid
    info = _guest_info(lwp, nsig, uinfo, to_self)
    target = find_thread(zone, tid)
    if target.proc is not find_proc(zone, tgid):
        raise KernelError(Errno.ESRCH, f"thread {tid} is not of {tgid}")
    if not can_signal(lwp.proc, target.proc, nsig):
        raise KernelError(Errno.EPERM, f"signal to {tid}")
    if nsig >= SIGRTMIN:
        sigqueue_check(lwp.proc, target.proc)
    if nsig:
        _post(target.proc, nsig, info, target)
    return 0


# ---- taking ----


def sys_rt_sigtimedwait(lwp: Lwp, uset: int, uinfo: int, uts: int, size: int) -> int:
    """Take a pending signal of a set, or wait for one."""
    as_ = lwp.proc.as_
    assert as_ is not None
    if lwp.sysstate is None:
        _check_size(size)
        these = sigset_to_native(int.from_bytes(as_.copyin(uset, 8), "little"))
        deadline = None
        if uts:
            ns = timespec_ns(*TIMESPEC.unpack(as_.copyin(uts, 16)))
            deadline = deadline_after(lwp.kernel, ns)
        lwp.sysstate = (these & ~CANTMASK, deadline)
    these, deadline = lwp.sysstate
    bits = (lwp.sig | lwp.proc.sig) & these
    if bits:
        lwp.sigwaiting = 0
        info = take(lwp, (bits & -bits).bit_length())
        if uinfo:
            pid = pid_to_guest(lwp.proc.zone, info.pid)
            as_.copyout(uinfo, pack_siginfo(info, pid))
        return TO_LINUX[info.signo]
    if deadline is not None and lwp.kernel.now >= deadline:
        lwp.sigwaiting = 0
        raise KernelError(Errno.EAGAIN, "no signal came")
    lwp.sigwaiting = these
    raise Sleep(CondVar(), deadline=deadline, restart=Restart.NEVER)
