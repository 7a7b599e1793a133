"""Native system calls about time.  All of it is virtual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

NANOSEC = 1_000_000_000


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _ns(kernel: Kernel, cycles: int) -> int:
    """Virtual ns of so many cycles."""
    return cycles * NANOSEC // kernel.config.clock_hz


def _clock(lwp: Lwp, clock: int) -> int:
    """What a clock shows, in ns; EINVAL if there is no such clock."""
    k = lwp.kernel
    if clock in (0, abi.CLOCK_REALTIME):
        return k.wall_ns
    if clock == abi.CLOCK_MONOTONIC:
        return k.now_ns
    if clock == abi.CLOCK_THREAD_CPUTIME_ID:
        return _ns(k, lwp.utime + lwp.stime)
    lwps = lwp.proc.lwps
    user = lwp.proc.utime + sum(t.utime for t in lwps)
    if clock == abi.CLOCK_VIRTUAL:
        return _ns(k, user)
    if clock == abi.CLOCK_PROCESS_CPUTIME_ID:
        return _ns(k, user + lwp.proc.stime + sum(t.stime for t in lwps))
    raise KernelError(Errno.EINVAL, f"clock {clock}")


def sys_clock_gettime(lwp: Lwp, clock: int, tp: int) -> int:
    """clock_gettime(clock, tp)."""
    ns = _clock(lwp, s32(clock))
    _as(lwp).copyout(tp, abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC))
    return 0


def sys_gettimeofday(lwp: Lwp, tv: int) -> int:
    """gettimeofday(tv)."""
    if tv:
        ns = _clock(lwp, abi.CLOCK_REALTIME)
        _as(lwp).copyout(tv, abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC // 1000))
    return 0


def sys_time(lwp: Lwp) -> int:
    """time(): seconds since 1970."""
    return _clock(lwp, abi.CLOCK_REALTIME) // NANOSEC


def sys_nanosleep(lwp: Lwp, rqtp: int, rmtp: int) -> int:
    """nanosleep(rqtp, rmtp)."""
    k = lwp.kernel
    if lwp.sysstate is None:
        sec, nsec = abi.TIMESPEC.unpack(_as(lwp).copyin(rqtp, abi.TIMESPEC.size))
        if sec < 0 or not 0 <= nsec < NANOSEC:
            raise KernelError(Errno.EINVAL, "not a time")
        lwp.sysstate = k.now + k.cycles(sec * NANOSEC + nsec)
    deadline: int = lwp.sysstate
    if k.now >= deadline:
        return 0
    if lwp.interrupted and rmtp:
        left = _ns(k, deadline - k.now)
        _as(lwp).copyout(rmtp, abi.TIMESPEC.pack(left // NANOSEC, left % NANOSEC))
    raise Sleep(CondVar(), deadline=deadline, restart=Restart.NOHAND)


def sys_alarm(lwp: Lwp, seconds: int) -> int:
    """alarm(seconds): SIGALRM then; answers what the old one had left."""
    k, p = lwp.kernel, lwp.proc
    deadline, _ = p.itimer_real
    left = -(-_ns(k, max(deadline - k.now, 1)) // NANOSEC) if deadline else 0
    seconds &= 0xFFFFFFFF
    k.set_itimer(p, k.now + k.cycles(seconds * NANOSEC) if seconds else 0, 0)
    return left
