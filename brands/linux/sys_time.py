"""System calls about time: clocks, sleeping, interval timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.abi import ITIMERVAL, NSEC, TIMESPEC, TIMEVAL, TIMEZONE, TMS
from personae.brands.linux.ktime import (
    KTIME_MAX,
    cycles_to_ns,
    cycles_to_ticks,
    ns_to_cycles,
    realtime_ns,
    timespec_ns,
    timeval_ns,
)
from personae.brands.linux.pids import find_proc, find_thread
from personae.core.cputime import lwp_cycles, proc_cycles
from personae.core.errno import Errno, KernelError
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

_WALL = frozenset(
    (
        abi.CLOCK_REALTIME,
        abi.CLOCK_REALTIME_COARSE,
        abi.CLOCK_REALTIME_ALARM,
        abi.CLOCK_TAI,
    )
)
_MONO = frozenset(
    (
        abi.CLOCK_MONOTONIC,
        abi.CLOCK_MONOTONIC_RAW,
        abi.CLOCK_MONOTONIC_COARSE,
        abi.CLOCK_BOOTTIME,
        abi.CLOCK_BOOTTIME_ALARM,
    )
)
_SLEEPABLE = frozenset(
    (
        abi.CLOCK_REALTIME,
        abi.CLOCK_MONOTONIC,
        abi.CLOCK_BOOTTIME,
        abi.CLOCK_REALTIME_ALARM,
        abi.CLOCK_BOOTTIME_ALARM,
        abi.CLOCK_TAI,
    )
)


def clock_ns(lwp: Lwp, clock: int) -> int:
    """What a clock shows.

    Raises:
        KernelError: EINVAL, there is no such clock.
    """
    kernel = lwp.kernel
    if clock in _MONO:
        now: int = kernel.now_ns
        return now
    if clock in _WALL:
        return realtime_ns(kernel)
    if clock == abi.CLOCK_PROCESS_CPUTIME_ID:
        return cycles_to_ns(kernel, sum(proc_cycles(lwp.proc)))
    if clock == abi.CLOCK_THREAD_CPUTIME_ID:
        return cycles_to_ns(kernel, sum(lwp_cycles(lwp)))
    if clock < 0 and clock & 3 < 3:
        return _cpu_clock(lwp, clock)
    raise KernelError(Errno.EINVAL, f"clock {clock}")


def _cpu_clock(lwp: Lwp, clock: int) -> int:
    """The CPU clock of another process or thread (clock_getcpuclockid(3))."""
    pid = ~(clock >> 3)
    zone = lwp.proc.zone
    try:
        if clock & 4:
            t = find_thread(zone, pid) if pid else lwp
            return cycles_to_ns(lwp.kernel, sum(lwp_cycles(t)))
        proc = find_proc(zone, pid) if pid else lwp.proc
        return cycles_to_ns(lwp.kernel, sum(proc_cycles(proc)))
    except KernelError as e:
        raise KernelError(Errno.EINVAL, str(e)) from e


def sys_clock_gettime(lwp: Lwp, clock: int, tp: int) -> int:
    """Read a clock."""
    ns = clock_ns(lwp, s32(clock))
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.copyout(tp, TIMESPEC.pack(ns // NSEC, ns % NSEC))
    return 0


def sys_clock_getres(lwp: Lwp, clock: int, tp: int) -> int:
    """Resolution of a clock; a coarse one ticks every 4 ms."""
    clock = s32(clock)
    clock_ns(lwp, clock)
    coarse = clock in (abi.CLOCK_REALTIME_COARSE, abi.CLOCK_MONOTONIC_COARSE)
    if tp:
        as_ = lwp.proc.as_
        assert as_ is not None
        as_.copyout(tp, TIMESPEC.pack(0, 4_000_000 if coarse else 1))
    return 0


def sys_clock_settime(lwp: Lwp, clock: int, tp: int) -> int:
    """Virtual time is never set: EPERM, as for who lacks CAP_SYS_TIME."""
    clock = s32(clock)
    if clock != abi.CLOCK_REALTIME:
        raise KernelError(Errno.EINVAL, "clock cannot be set")
    as_ = lwp.proc.as_
    assert as_ is not None
    timespec_ns(*TIMESPEC.unpack(as_.copyin(tp, 16)))
    raise KernelError(Errno.EPERM, "virtual time is not set by guests")


def sys_gettimeofday(lwp: Lwp, tv: int, tz: int) -> int:
    """Wall-clock time."""
    as_ = lwp.proc.as_
    assert as_ is not None
    if tv:
        ns = realtime_ns(lwp.kernel)
        as_.copyout(tv, TIMEVAL.pack(ns // NSEC, ns % NSEC // 1000))
    if tz:
        as_.copyout(tz, TIMEZONE.pack(0, 0))
    return 0


def sys_settimeofday(lwp: Lwp, tv: int, tz: int) -> int:
    """As clock_settime; setting the time zone alone is refused too."""
    as_ = lwp.proc.as_
    assert as_ is not None
    if tv:
        timeval_ns(*TIMEVAL.unpack(as_.copyin(tv, 16)))
    if tz:
        as_.copyin(tz, 8)
    raise KernelError(Errno.EPERM, "virtual time is not set by guests")


# ---- sleeping ----


def sys_nanosleep(lwp: Lwp, req: int, rem: int) -> int:
    """Sleep on the monotonic clock."""
    return _nanosleep(lwp, abi.CLOCK_MONOTONIC, 0, req, rem)


def sys_clock_nanosleep(lwp: Lwp, clock: int, flags: int, req: int, rem: int) -> int:
    """Sleep on a clock, for a time or until a time."""
    return _nanosleep(lwp, s32(clock), s32(flags), req, rem)


def _nanosleep(lwp: Lwp, clock: int, flags: int, req: int, rem: int) -> int:
    """State between entries is the absolute deadline in cycles."""
    kernel = lwp.kernel
    as_ = lwp.proc.as_
    assert as_ is not None
    deadline: int
    if lwp.sysstate is None:
        if clock == abi.CLOCK_THREAD_CPUTIME_ID:
            raise KernelError(Errno.EINVAL, "sleep on one's own CPU time")
        if clock not in _SLEEPABLE:
            clock_ns(lwp, clock)
            raise KernelError(Errno.EOPNOTSUPP, f"sleep on clock {clock}")
        ns = timespec_ns(*TIMESPEC.unpack(as_.copyin(req, 16)))
        if flags & abi.TIMER_ABSTIME:
            ns = max(ns - clock_ns(lwp, clock), 0)
        deadline = kernel.now + ns_to_cycles(kernel, ns)
        lwp.sysstate = deadline
    else:
        deadline = lwp.sysstate
    if kernel.now >= deadline:
        return 0
    if lwp.interrupted and rem and not flags & abi.TIMER_ABSTIME:
        left = cycles_to_ns(kernel, deadline - kernel.now)
        as_.copyout(rem, TIMESPEC.pack(left // NSEC, left % NSEC))
    raise Sleep(CondVar(), deadline=deadline, restart=Restart.NOHAND)


# ---- accounting and timers ----


def sys_times(lwp: Lwp, buf: int) -> int:
    """CPU times in ticks; the result is the ticks since boot."""
    kernel, proc = lwp.kernel, lwp.proc
    if buf:
        as_ = proc.as_
        assert as_ is not None
        cycles = (*proc_cycles(proc), proc.cutime, proc.cstime)
        as_.copyout(buf, TMS.pack(*(cycles_to_ticks(kernel, c) for c in cycles)))
    return cycles_to_ticks(kernel, kernel.now)


_ITIMER_REAL = 0


def _get_itimer(lwp: Lwp, which: int) -> bytes:
    kernel, proc = lwp.kernel, lwp.proc
    if which == _ITIMER_REAL:
        deadline, interval = proc.itimer_real
        left = max(deadline - kernel.now, 1) if deadline else 0
    else:
        raise KernelError(Errno.EINVAL, "only ITIMER_REAL")
    out: list[int] = []
    for cycles in (interval, left):
        us = -(-cycles_to_ns(kernel, cycles) // 1000)
        out += (us // 1_000_000, us % 1_000_000)
    return ITIMERVAL.pack(*out)


def _which(which: int) -> int:
    which = s32(which)
    if not 0 <= which <= 2:
        raise KernelError(Errno.EINVAL, "which timer")
    return which


def sys_getitimer(lwp: Lwp, which: int, value: int) -> int:
    """Time left on an interval timer."""
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.copyout(value, _get_itimer(lwp, _which(which)))
    return 0


def sys_setitimer(lwp: Lwp, which: int, value: int, ovalue: int) -> int:
    """Start or stop an interval timer."""
    which = _which(which)
    kernel, proc = lwp.kernel, lwp.proc
    as_ = proc.as_
    assert as_ is not None
    isec = iusec = vsec = vusec = 0
    if value:
        isec, iusec, vsec, vusec = ITIMERVAL.unpack(as_.copyin(value, 32))
    interval, first = timeval_ns(isec, iusec), timeval_ns(vsec, vusec)
    old = _get_itimer(lwp, which)
    if first > KTIME_MAX // 2:
        first = KTIME_MAX // 2
    deadline = kernel.now + ns_to_cycles(kernel, first) if first else 0
    kernel.set_itimer(proc, deadline, ns_to_cycles(kernel, interval))
    if ovalue:
        as_.copyout(ovalue, old)
    return 0


def sys_adjtimex(lwp: Lwp, buf: int) -> int:
    """Reading with modes 0 is the only use: nothing is adjusted, all zeros."""
    return _adjtime(lwp, buf)


def sys_clock_adjtime(lwp: Lwp, clock: int, buf: int) -> int:
    """As adjtimex, for CLOCK_REALTIME."""
    if s32(clock) != abi.CLOCK_REALTIME:
        raise KernelError(Errno.EINVAL, "clock cannot be adjusted")
    return _adjtime(lwp, buf)


_TIMEX_SIZE = 208


def _adjtime(lwp: Lwp, buf: int) -> int:
    as_ = lwp.proc.as_
    assert as_ is not None
    raw = as_.copyin(buf, _TIMEX_SIZE)
    if int.from_bytes(raw[:4], "little"):
        raise KernelError(Errno.EPERM, "virtual time is not adjusted by guests")
    ns = realtime_ns(lwp.kernel)
    out = bytearray(_TIMEX_SIZE)
    out[72:88] = TIMEVAL.pack(ns // NSEC, ns % NSEC // 1000)
    out[88:96] = (10_000).to_bytes(8, "little")
    as_.copyout(buf, bytes(out))
    return 5  # TIME_ERROR: not synchronised
