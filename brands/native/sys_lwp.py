"""Native system calls about lwps: the threads of illumos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.data import LwpData
from personae.brands.native.sendsig import setcontext
from personae.brands.native.sys_time import deadline_of
from personae.core.errno import Errno, KernelError, Panic
from personae.core.exit import lwp_exit
from personae.core.forklwp import lwp_create, lwp_start
from personae.core.lwp import TpFlag, TState, WhyStop
from personae.core.schedctl import schedctl
from personae.core.signal import tsignal
from personae.core.signo import CANTMASK, NSIG, SiCode, SigInfo
from personae.core.sync import Restart, Sleep
from personae.core.syscall import NORETURN, NoReturnType, s32
from personae.core.txn import Transaction

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

LWP_DAEMON = 0x20
LWP_DETACHED = 0x40
LWP_SUSPENDED = 0x80
LWP_FLAGS = LWP_DAEMON | LWP_DETACHED | LWP_SUSPENDED
LWPID_MAX = (1 << 31) - 1
MAX_UNPARK = 4096


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _data(lwp: Lwp) -> LwpData:
    data = lwp.brand_lwp
    if not isinstance(data, LwpData):
        raise Panic(f"{lwp!r} has no data of the native brand")
    return data


def _find(lwp: Lwp, tid: int) -> Lwp:
    """A lwp of the own process; ESRCH."""
    target = next((t for t in lwp.proc.lwps if t.tid == tid), None)
    if target is None:
        raise KernelError(Errno.ESRCH, f"no lwp {tid}")
    return target


# ---- create and end ----


def _new_lwp(lwp: Lwp) -> Lwp:
    """A stopped lwp more, in the scheduling class of the caller."""
    p, k, cls = lwp.proc, lwp.kernel, lwp.cls
    if cls is None:
        raise Panic(f"{lwp!r} has no scheduling class")
    tid = p.lwpid + 1
    if tid > LWPID_MAX:
        raise KernelError(Errno.EAGAIN, "no lwp id left")
    with Transaction("lwp_create", k.fork_probe()) as txn:
        new = lwp_create(txn, p, tid=tid, source=lwp)
        buf = txn.do(f"cl_alloc:{tid}", lambda: cls.ops.cl_alloc(lwp))
        txn.commit()
    p.lwpid = tid
    with p.lock:
        cls.ops.cl_fork(lwp, new, buf)
        new.cls = cls
    new.pri = lwp.pri
    return new


def sys_lwp_create(lwp: Lwp, ucp: int, flags: int, idp: int) -> int:
    """lwp_create(ucp, flags, &id): a lwp that starts in a context.

    A bad id pointer is EFAULT, and the new lwp ends at once (syslwp_create).
    """
    flags = s32(flags)
    if flags & ~LWP_FLAGS:
        raise KernelError(Errno.EINVAL, f"lwp flags {flags:#x}")
    if lwp.agent:
        raise KernelError(Errno.ENOTSUP, "the agent lwp makes no lwps")
    context = _as(lwp).copyin(ucp, abi.UCONTEXT_SIZE)
    new = _new_lwp(lwp)
    if not flags & LWP_DETACHED:
        new.tpflag |= TpFlag.TP_TWAIT
    if flags & LWP_DAEMON:
        new.tpflag |= TpFlag.TP_DAEMON
        lwp.proc.lwpdaemon += 1
    setcontext(new, context)
    try:
        if idp:
            _as(lwp).store(idp, "<i", new.tid)
    except KernelError:
        new.tpflag &= ~TpFlag.TP_TWAIT
        lwp_exit(new)
        raise
    if not flags & LWP_SUSPENDED:
        new.tpflag &= ~TpFlag.TP_HOLDLWP
        lwp_start(new)
    return new.tid


def sys_lwp_exit(lwp: Lwp) -> NoReturnType:
    """lwp_exit(): the end of the lwp; of the process, if it is the last one."""
    lwp_exit(lwp)
    return NORETURN


def sys_lwp_self(lwp: Lwp) -> int:
    """lwp_self(): the id of the lwp."""
    return lwp.tid


def sys_schedctl(lwp: Lwp) -> int:
    """schedctl(): the address of what this lwp and the kernel share."""
    return schedctl(lwp)


def sys_lwp_detach(lwp: Lwp, tid: int) -> int:
    """lwp_detach(tid): nobody will wait for it."""
    tid = s32(tid)
    zombies = lwp.proc.zombies
    if tid in zombies:
        zombies.remove(tid)
        return 0
    target = _find(lwp, tid)
    if not target.tpflag & TpFlag.TP_TWAIT:
        raise KernelError(Errno.EINVAL, f"lwp {tid} is detached already")
    target.tpflag &= ~TpFlag.TP_TWAIT
    lwp.kernel.wakeup(lwp.proc.cv)
    return 0


def sys_lwp_wait(lwp: Lwp, tid: int, departed: int) -> int:
    """lwp_wait(tid, &departed): until a lwp has ended; 0 is any of them."""
    tid = s32(tid)
    p = lwp.proc
    zombies = p.zombies
    if tid == lwp.tid:
        raise KernelError(Errno.EDEADLK, "wait for oneself")
    got = next((z for z in zombies if tid in (0, z)), None)
    if got is not None:
        if departed:
            _as(lwp).store(departed, "<i", got)
        zombies.remove(got)
        return 0
    if tid:
        if not _find(lwp, tid).tpflag & TpFlag.TP_TWAIT:
            raise KernelError(Errno.EINVAL, f"lwp {tid} is detached")
    elif not any(t is not lwp and t.tpflag & TpFlag.TP_TWAIT for t in p.lwps):
        raise KernelError(Errno.EDEADLK, "there is none to wait for")
    raise Sleep(p.cv)


# ---- suspend and continue ----


def sys_lwp_suspend(lwp: Lwp, tid: int) -> int:
    """lwp_suspend(tid): stop it until lwp_continue()."""
    target = _find(lwp, s32(tid))
    p = lwp.proc
    if not any(t is not target and not t.tpflag & TpFlag.TP_HOLDLWP for t in p.lwps):
        raise KernelError(Errno.EDEADLK, "the last lwp that runs")
    target.tpflag |= TpFlag.TP_HOLDLWP
    target.ast = True
    if target is not lwp and target.state in (TState.TS_RUN, TState.TS_SLEEP):
        lwp.kernel.disp.stop(target, WhyStop.PR_SUSPENDED)
    return 0


def sys_lwp_continue(lwp: Lwp, tid: int) -> int:
    """lwp_continue(tid): let a suspended one go on."""
    target = _find(lwp, s32(tid))
    target.tpflag &= ~TpFlag.TP_HOLDLWP
    stopped = target.state is TState.TS_STOPPED
    if stopped and target.whystop is WhyStop.PR_SUSPENDED:
        lwp_start(target)
    return 0


# ---- signals ----


def sys_lwp_kill(lwp: Lwp, tid: int, sig: int) -> int:
    """lwp_kill(tid, sig): to a lwp of the own process."""
    sig = s32(sig)
    if not 0 <= sig < NSIG:
        raise KernelError(Errno.EINVAL, f"signal {sig}")
    target = _find(lwp, s32(tid))
    if sig:
        info = SigInfo(sig, SiCode.LWP, lwp.proc.pid, lwp.cred.uid)
        tsignal(target, sig, info)
    return 0


def sys_lwp_sigmask(lwp: Lwp, how: int, b0: int, b1: int, b2: int) -> tuple[int, int]:
    """lwp_sigmask(how, bits0, bits1, bits2): change the mask, answer the old one.

    ``how`` as in sigprocmask; 0 only asks.  The results are the first two words.
    """
    words = (b0 & 0xFFFFFFFF, b1 & 0xFFFFFFFF, b2 & 0xFFFFFFFF)
    arg = (words[0] | words[1] << 32 | words[2] << 64) & abi.SIGSET_MASK
    old = lwp.sigmask
    how = s32(how)
    if how == abi.SIG_BLOCK:
        new = old | arg
    elif how == abi.SIG_UNBLOCK:
        new = old & ~arg
    elif how == abi.SIG_SETMASK:
        new = arg
    elif how == 0:
        new = old
    else:
        raise KernelError(Errno.EINVAL, f"lwp_sigmask how {how}")
    lwp.sigmask = new & ~CANTMASK
    lwp.ast = True
    return old & 0xFFFFFFFF, old >> 32 & 0xFFFFFFFF


# ---- park ----


def _unpark(lwp: Lwp, tid: int) -> None:
    target = _find(lwp, tid)
    data = _data(target)
    data.unparked = True
    lwp.kernel.wakeup(data.park)


def _park(lwp: Lwp, timeout: int, tid: int) -> int:
    """Sleep until an unpark; ETIME at the end of the timeout."""
    data = _data(lwp)
    if lwp.sysstate is None:
        deadline = deadline_of(lwp, timeout) if timeout else None
        lwp.sysstate = (deadline,)
        if tid:
            _unpark(lwp, tid)
    (deadline,) = lwp.sysstate
    if data.unparked:
        data.unparked = False
        return 0
    if deadline is not None and lwp.kernel.now >= deadline:
        raise KernelError(Errno.ETIME, "nobody came")
    raise Sleep(data.park, deadline=deadline, restart=Restart.NEVER, user_lock=True)


def sys_lwp_park(lwp: Lwp, which: int, arg1: int, arg2: int) -> int:
    """lwp_park: park 0 (timeout, unpark), unpark 1, unpark_all 2, cancel 3, set 4."""
    which = s32(which)
    if which in (0, 4):
        if which == 0:
            return _park(lwp, arg1, s32(arg2))
        raise KernelError(Errno.EINVAL, "set_park has no use on one host thread")
    if which == 1:
        _unpark(lwp, s32(arg1))
        return 0
    if which == 2:
        count = s32(arg2)
        if not 0 <= count <= MAX_UNPARK:
            raise KernelError(Errno.EINVAL, f"{count} lwps")
        for tid in _as(lwp).load(arg1, f"<{count}i") if count else ():
            _unpark(lwp, tid)
        return 0
    if which == 3:
        data = _data(_find(lwp, s32(arg1)))
        was, data.unparked = data.unparked, False
        return int(was)
    raise KernelError(Errno.EINVAL, f"lwp_park {which}")
