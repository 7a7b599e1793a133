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


def deadline_of(lwp: Lwp, tsp: int) -> int:
    """The time, in cycles, that a timespec in memory is from now."""
    sec, nsec = abi.TIMESPEC.unpack(_as(lwp).copyin(tsp, abi.TIMESPEC.size))
    if sec < 0 or not 0 <= nsec < NANOSEC:
        raise KernelError(Errno.EINVAL, "not a time")
    return lwp.kernel.now + lwp.kernel.cycles(sec * NANOSEC + nsec)


def sys_nanosleep(lwp: Lwp, rqtp: int, rmtp: int) -> int:
    """nanosleep(rqtp, rmtp)."""
    k = lwp.kernel
    if lwp.sysstate is None:
        lwp.sysstate = deadline_of(lwp, rqtp)
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


def sys_times(lwp: Lwp, buf: int) -> int:
    """times(buf): CPU times in ticks; answers the ticks since the start."""
    k, p = lwp.kernel, lwp.proc
    tick = max(1, k.config.clock_hz // abi.CLK_TCK)
    user = p.utime + sum(t.utime for t in p.lwps)
    system = p.stime + sum(t.stime for t in p.lwps)
    values = (c // tick for c in (user, system, p.cutime, p.cstime))
    _as(lwp).store(buf, "<qqqq", *values)
    return k.now // tick


def _itimer(lwp: Lwp, which: int) -> bytes:
    """ITIMER_REAL as it stands: interval, then what is left."""
    if s32(which) != 0:
        raise KernelError(Errno.EINVAL, f"timer {s32(which)}: only ITIMER_REAL")
    k = lwp.kernel
    deadline, interval = lwp.proc.itimer_real
    left = max(deadline - k.now, 1) if deadline else 0
    us = [-(-_ns(k, c) // 1000) for c in (interval, left)]
    return b"".join(abi.TIMESPEC.pack(u // 1_000_000, u % 1_000_000) for u in us)


def sys_getitimer(lwp: Lwp, which: int, valuep: int) -> int:
    """getitimer(ITIMER_REAL, value)."""
    _as(lwp).copyout(valuep, _itimer(lwp, which))
    return 0


def sys_setitimer(lwp: Lwp, which: int, valuep: int, ovaluep: int) -> int:
    """setitimer(ITIMER_REAL, value, ovalue)."""
    k = lwp.kernel
    old = _itimer(lwp, which)
    if valuep:
        words = _as(lwp).load(valuep, "<qqqq")
        if min(words) < 0 or words[1] >= 1_000_000 or words[3] >= 1_000_000:
            raise KernelError(Errno.EINVAL, "not a time")
        interval, first = (
            k.cycles((words[i] * 1_000_000 + words[i + 1]) * 1000) for i in (0, 2)
        )
        k.set_itimer(lwp.proc, k.now + first if first else 0, interval)
    if ovaluep:
        _as(lwp).copyout(ovaluep, old)
    return 0
