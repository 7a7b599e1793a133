"""Native system calls about time.  All of it is virtual."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.cputime import lwp_cycles, proc_cycles
from personae.core.cputimer import CpuTimer
from personae.core.errno import Errno, KernelError
from personae.core.ptimer import MAX_NS
from personae.core.signo import Sig
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

NANOSEC = 1_000_000_000
ITIMER_MAX = 100_000_000
"""Longest time of an interval timer in seconds (itimerfix, os/timers.c)."""


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _ns(kernel: Kernel, cycles: int) -> int:
    """Virtual ns of so many cycles."""
    return cycles * NANOSEC // kernel.config.clock_hz


def clock_ns(lwp: Lwp, clock: int) -> int:
    """What a clock shows, in ns; EINVAL if there is no such clock."""
    k = lwp.kernel
    if clock in (0, abi.CLOCK_REALTIME):
        return k.wall_ns
    if clock == abi.CLOCK_MONOTONIC:
        return k.now_ns
    if clock == abi.CLOCK_THREAD_CPUTIME_ID:
        return _ns(k, sum(lwp_cycles(lwp)))
    if clock == abi.CLOCK_VIRTUAL:
        return _ns(k, proc_cycles(lwp.proc)[0])
    if clock == abi.CLOCK_PROCESS_CPUTIME_ID:
        return _ns(k, sum(proc_cycles(lwp.proc)))
    raise KernelError(Errno.EINVAL, f"clock {clock}")


def sys_clock_getres(lwp: Lwp, clock: int, tp: int) -> int:
    """clock_getres(clock, tp): all clocks show every cycle."""
    clock_ns(lwp, s32(clock))
    if tp:
        ns = max(1, NANOSEC // lwp.kernel.config.clock_hz)
        _as(lwp).copyout(tp, abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC))
    return 0


def sys_clock_settime(lwp: Lwp, clock: int, tp: int) -> int:
    """clock_settime(clock, tp): virtual time is never set, EPERM."""
    if s32(clock) not in (0, abi.CLOCK_REALTIME):
        raise KernelError(Errno.EINVAL, f"clock {s32(clock)} can't be set")
    sec, nsec = abi.TIMESPEC.unpack(_as(lwp).copyin(tp, abi.TIMESPEC.size))
    if sec < 0 or not 0 <= nsec < NANOSEC:
        raise KernelError(Errno.EINVAL, "not a time")
    raise KernelError(Errno.EPERM, "virtual time is not set by guests")


def sys_stime(lwp: Lwp, seconds: int) -> int:
    """stime(seconds): virtual time is never set, EPERM."""
    raise KernelError(Errno.EPERM, f"stime({seconds})")


def sys_adjtime(lwp: Lwp, delta: int, olddelta: int) -> int:
    """adjtime(delta, olddelta): there is never an adjustment under way; EPERM."""
    if delta:
        _, usec = _as(lwp).load(delta, "<qq")
        if abs(usec) >= 1_000_000:
            raise KernelError(Errno.EINVAL, "not a time")
        raise KernelError(Errno.EPERM, "virtual time is not adjusted by guests")
    if olddelta:
        _as(lwp).copyout(olddelta, abi.TIMESPEC.pack(0, 0))
    return 0


def sys_clock_gettime(lwp: Lwp, clock: int, tp: int) -> int:
    """clock_gettime(clock, tp)."""
    ns = clock_ns(lwp, s32(clock))
    _as(lwp).copyout(tp, abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC))
    return 0


def sys_gettimeofday(lwp: Lwp, tv: int) -> int:
    """gettimeofday(tv)."""
    if tv:
        ns = clock_ns(lwp, abi.CLOCK_REALTIME)
        _as(lwp).copyout(tv, abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC // 1000))
    return 0


def sys_time(lwp: Lwp) -> int:
    """time(): seconds since 1970."""
    return clock_ns(lwp, abi.CLOCK_REALTIME) // NANOSEC


def deadline_of(lwp: Lwp, tsp: int) -> int:
    """The time, in cycles, that a timespec in memory is from now."""
    sec, nsec = abi.TIMESPEC.unpack(_as(lwp).copyin(tsp, abi.TIMESPEC.size))
    if sec < 0 or not 0 <= nsec < NANOSEC:
        raise KernelError(Errno.EINVAL, "not a time")
    return lwp.kernel.now + lwp.kernel.cycles(min(sec * NANOSEC + nsec, MAX_NS))


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
    values = (c // tick for c in (*proc_cycles(p), p.cutime, p.cstime))
    _as(lwp).store(buf, "<qqqq", *values)
    return k.now // tick


# ---- interval timers ----

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = range(3)
CPU_SIGNALS = {ITIMER_VIRTUAL: Sig.SIGVTALRM, ITIMER_PROF: Sig.SIGPROF}
MICRO = 1_000_000


def _itimer(lwp: Lwp, which: int) -> bytes:
    """A timer as it stands: interval, then what is left.

    That of real time is the process', those of CPU time are the lwp's (setitimer(2)).
    """
    k = lwp.kernel
    if which == ITIMER_REAL:
        deadline, interval = lwp.proc.itimer_real
        left = max(deadline - k.now, 1) if deadline else 0
        times = _ns(k, interval), _ns(k, left)
    elif which in CPU_SIGNALS:
        timer = lwp.brand_lwp.itimers.get(which)
        times = timer.left() if timer is not None else (0, 0)
    else:
        raise KernelError(Errno.EINVAL, f"timer {which}")
    us = [-(-ns // 1000) for ns in times]
    return b"".join(abi.TIMESPEC.pack(u // MICRO, u % MICRO) for u in us)


def sys_getitimer(lwp: Lwp, which: int, valuep: int) -> int:
    """getitimer(which, value)."""
    _as(lwp).copyout(valuep, _itimer(lwp, s32(which)))
    return 0


def sys_setitimer(lwp: Lwp, which: int, valuep: int, ovaluep: int) -> int:
    """setitimer(which, value, ovalue)."""
    k, which = lwp.kernel, s32(which)
    old = _itimer(lwp, which)
    if valuep:
        words = _as(lwp).load(valuep, "<qqqq")
        seconds, micros = max(words[::2]), max(words[1::2])
        if min(words) < 0 or micros >= MICRO or seconds > ITIMER_MAX:
            raise KernelError(Errno.EINVAL, "not a time")
        interval, first = ((words[i] * MICRO + words[i + 1]) * 1000 for i in (0, 2))
        if which == ITIMER_REAL:
            when = k.now + k.cycles(first) if first else 0
            k.set_itimer(lwp.proc, when, k.cycles(interval))
        else:
            timers = lwp.brand_lwp.itimers
            if which not in timers:
                signo = CPU_SIGNALS[which]
                timers[which] = CpuTimer(lwp, signo, which == ITIMER_PROF)
            timers[which].set(first, interval)
    if ovaluep:
        _as(lwp).copyout(ovaluep, old)
    return 0


# ---- usage ----

RUSAGE = Struct("<qqqq14q")
"""ru_utime, ru_stime, and 14 counters."""
RUSAGE_SELF, RUSAGE_CHLD, RUSAGE_LWP = 0, 1, 2


def sys_rusagesys(lwp: Lwp, code: int, buf: int) -> int:
    """rusagesys(code, rusage): of the process 0, its children 1, the lwp 2.

    Only times are counted; the rest is 0.
    """
    code = s32(code)
    p = lwp.proc
    if code == RUSAGE_SELF:
        cycles = proc_cycles(p)
    elif code == RUSAGE_CHLD:
        cycles = p.cutime, p.cstime
    elif code == RUSAGE_LWP:
        cycles = lwp_cycles(lwp)
    else:
        raise KernelError(Errno.EINVAL, f"rusagesys {code}")
    us = [_ns(lwp.kernel, c) // 1000 for c in cycles]
    times = [x for u in us for x in divmod(u, 1_000_000)]
    _as(lwp).copyout(buf, RUSAGE.pack(*times, *[0] * 14))
    return 0


def sys_lwp_info(lwp: Lwp, buf: int) -> int:
    """lwp_info(info): user and system time of the lwp, two timespecs."""
    times = (_ns(lwp.kernel, c) for c in lwp_cycles(lwp))
    _as(lwp).store(buf, "<qqqq", *(x for ns in times for x in divmod(ns, NANOSEC)))
    return 0
