"""POSIX timers (timer_create(2)): signals at a time, again and again.

A timer belongs to its process, is not inherited by fork and ends with exec.  While
its signal is still pending an expiration only counts as an overrun.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.abi import ITIMERSPEC, NSEC
from personae.brands.linux.data import pdata
from personae.brands.linux.ktime import cycles_to_ns, ns_to_cycles, timespec_ns
from personae.brands.linux.pids import find_thread
from personae.brands.linux.sigabi import native_sig
from personae.brands.linux.sys_fd import space_of
from personae.brands.linux.sys_time import clock_ns
from personae.core.disp import Timer
from personae.core.errno import Errno, KernelError
from personae.core.signo import SiCode, SigInfo
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

SIGEVENT = Struct("<Qiii44x")
"""sigev_value signo notify tid."""
_SIGNAL, _NONE, _THREAD, _THREAD_ID = 0, 1, 2, 4
_SIGALRM = 14
_CLOCKS = frozenset(
    (
        abi.CLOCK_REALTIME,
        abi.CLOCK_MONOTONIC,
        abi.CLOCK_BOOTTIME,
        abi.CLOCK_REALTIME_ALARM,
        abi.CLOCK_BOOTTIME_ALARM,
        abi.CLOCK_TAI,
    )
)
MAX_TIMERS = 4096
"""RLIMIT_SIGPENDING counts them on Linux."""
MIN_INTERVAL_NS = 10_000
"""A shorter interval is made this long, lest a timer stops the machine."""


class PosixTimer(Timer):
    """One timer.

    Attributes:
        thread: Who gets the signal; None: the process.
        sent: The siginfo of its last signal, while nobody has taken it.
    """

    def __init__(self, proc: Proc, ident: int, clock: int) -> None:
        self.proc = proc
        self.ident = ident
        self.clock = clock
        self.itimer_real = (0, 0)
        self.notify = _SIGNAL
        self.signo = _SIGALRM
        self.value = 0
        self.thread: Lwp | None = None
        self.sent: SigInfo | None = None
        self.overrun = 0

    def arm(self, deadline: int, interval: int) -> None:
        """Start anew; deadline 0 stops it."""
        self.itimer_real = (deadline, interval)
        self.overrun = 0
        if deadline:
            self.proc.kernel.disp.at(deadline, self)

    def expired(self) -> None:
        """Send the signal, and go on if it repeats."""
        when, interval = self.itimer_real
        self.itimer_real = (when + interval, interval) if interval else (0, 0)
        if interval:
            self.proc.kernel.disp.at(when + interval, self)
        if self.notify == _NONE:
            return
        queue = self.thread.sigqueue if self.thread else self.proc.sigqueue
        if self.sent is not None and any(i is self.sent for i in queue):
            self.overrun += 1
            return
        info = SigInfo(
            self.signo, SiCode.TIMER, self.proc.pid, value=self.value, status=self.ident
        )
        info.utime, self.overrun = self.overrun, 0
        self.sent = info
        if self.thread is not None:
            self.proc.kernel.tsignal(self.thread, self.signo, info)
        else:
            self.proc.kernel.psignal(self.proc, self.signo, info)

    def setting(self) -> bytes:
        """Struct itimerspec: interval and what is left."""
        kernel = self.proc.kernel
        deadline, interval = self.itimer_real
        left = max(deadline - kernel.now, 1) if deadline else 0
        out: list[int] = []
        for cycles in (interval, left):
            ns = cycles_to_ns(kernel, cycles)
            out += (ns // NSEC, ns % NSEC)
        return ITIMERSPEC.pack(*out)


def stop_all(proc: Proc) -> None:
    """Exec or exit: the timers are gone."""
    timers = pdata(proc).timers
    for timer in timers.values():
        timer.itimer_real = (0, 0)
    timers.clear()


def _find(lwp: Lwp, ident: int) -> PosixTimer:
    timer: PosixTimer | None = pdata(lwp.proc).timers.get(s32(ident))
    if timer is None:
        raise KernelError(Errno.EINVAL, f"no timer {s32(ident)}")
    return timer


def sys_timer_create(lwp: Lwp, clock: int, event: int, out: int) -> int:
    """Make a timer; not on CPU clocks."""
    clock = s32(clock)
    if clock not in _CLOCKS:
        clock_ns(lwp, clock)
        raise KernelError(Errno.EOPNOTSUPP, f"timer on clock {clock}")
    timers = pdata(lwp.proc).timers
    if len(timers) >= MAX_TIMERS:
        raise KernelError(Errno.EAGAIN, "too many timers")
    ident = next(i for i in range(MAX_TIMERS) if i not in timers)
    timer = PosixTimer(lwp.proc, ident, clock)
    as_ = space_of(lwp)
    if event:
        _set_event(lwp, timer, as_.copyin(event, SIGEVENT.size))
    else:
        timer.value = ident
    as_.store(out, "<i", ident)
    timers[ident] = timer
    return 0


def _set_event(lwp: Lwp, timer: PosixTimer, raw: bytes) -> None:
    timer.value, signo, notify, tid = SIGEVENT.unpack(raw)
    if notify not in (_SIGNAL, _NONE, _THREAD, _SIGNAL | _THREAD_ID):
        raise KernelError(Errno.EINVAL, "sigev_notify")
    timer.notify = notify
    if notify != _NONE:
        timer.signo = native_sig(signo)
    if notify & _THREAD_ID:
        try:
            thread = find_thread(lwp.proc.zone, tid)
        except KernelError as e:
            raise KernelError(Errno.EINVAL, "thread of a timer") from e
        if thread.proc is not lwp.proc:
            raise KernelError(Errno.EINVAL, "thread of another process")
        timer.thread = thread


def sys_timer_settime(lwp: Lwp, ident: int, flags: int, new: int, old: int) -> int:
    """Start or stop a timer."""
    if not new:
        raise KernelError(Errno.EINVAL, "no new setting")
    as_ = space_of(lwp)
    isec, insec, sec, nsec = ITIMERSPEC.unpack(as_.copyin(new, 32))
    interval, first = timespec_ns(isec, insec), timespec_ns(sec, nsec)
    timer = _find(lwp, ident)
    was = timer.setting()
    kernel = lwp.kernel
    deadline = 0
    if first:
        if s32(flags) & abi.TIMER_ABSTIME:
            first = max(first - clock_ns(lwp, timer.clock), 0)
        deadline = max(kernel.now + ns_to_cycles(kernel, first), 1)
    if interval:
        interval = max(interval, MIN_INTERVAL_NS)
    timer.arm(deadline, ns_to_cycles(kernel, interval))
    if old:
        as_.copyout(old, was)
    return 0


def sys_timer_gettime(lwp: Lwp, ident: int, cur: int) -> int:
    """What is left on a timer."""
    space_of(lwp).copyout(cur, _find(lwp, ident).setting())
    return 0


def sys_timer_getoverrun(lwp: Lwp, ident: int) -> int:
    """Expirations that the last signal taken stands for, besides its own."""
    timer = _find(lwp, ident)
    return timer.sent.utime if timer.sent is not None else 0


def sys_timer_delete(lwp: Lwp, ident: int) -> int:
    """Stop and forget a timer."""
    timer = _find(lwp, ident)
    timer.itimer_real = (0, 0)
    del pdata(lwp.proc).timers[timer.ident]
    return 0
