"""POSIX timers (timer_create(2)) that send signals."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.abi import ITIMERSPEC, NSEC
from personae.brands.linux.ktime import timespec_ns
from personae.brands.linux.pids import find_thread
from personae.brands.linux.sigabi import native_sig
from personae.brands.linux.sys_fd import space_of
from personae.brands.linux.sys_time import clock_ns
from personae.core.errno import Errno, KernelError
from personae.core.ptimer import (
    PosixTimer,
    timer_add,
    timer_delete,
    timer_find,
    timer_number,
)
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


class LinuxTimer(PosixTimer):
    """One timer.

    Attributes:
        thread: Who gets the signal; None: the process.
    """

    def __init__(self, proc: Proc, ident: int, clock: int) -> None:
        super().__init__(proc, ident, clock)
        self.how = _SIGNAL
        self.signo = _SIGALRM
        self.value = ident
        self.thread: Lwp | None = None

    def notify(self) -> None:
        """Send the signal; while it is pending it only counts as an overrun."""
        if self.how == _NONE:
            return
        if self.pending(self.thread.sigqueue if self.thread else self.proc.sigqueue):
            self.overrun += 1
            return
        info = SigInfo(
            self.signo, SiCode.TIMER, self.proc.pid, value=self.value, status=self.ident
        )
        info.utime = self.taking_overrun()
        self.sent = info
        if self.thread is not None:
            self.proc.kernel.tsignal(self.thread, self.signo, info)
        else:
            self.proc.kernel.psignal(self.proc, self.signo, info)


def _setting(timer: PosixTimer) -> bytes:
    """Struct itimerspec: interval and what is left."""
    interval, left = timer.left()
    return ITIMERSPEC.pack(interval // NSEC, interval % NSEC, left // NSEC, left % NSEC)


def sys_timer_create(lwp: Lwp, clock: int, event: int, out: int) -> int:
    """Make a timer; not on CPU clocks."""
    clock = s32(clock)
    if clock not in _CLOCKS:
        clock_ns(lwp, clock)
        raise KernelError(Errno.EOPNOTSUPP, f"timer on clock {clock}")
    ident = timer_number(lwp.proc)
    timer = LinuxTimer(lwp.proc, ident, clock)
    as_ = space_of(lwp)
    if event:
        _set_event(lwp, timer, as_.copyin(event, SIGEVENT.size))
    as_.store(out, "<i", ident)
    timer_add(timer)
    return 0


def _set_event(lwp: Lwp, timer: LinuxTimer, raw: bytes) -> None:
    timer.value, signo, notify, tid = SIGEVENT.unpack(raw)
    if notify not in (_SIGNAL, _NONE, _THREAD, _SIGNAL | _THREAD_ID):
        raise KernelError(Errno.EINVAL, "sigev_notify")
    timer.how = notify
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
    timer = timer_find(lwp.proc, s32(ident))
    was = _setting(timer)
    if first and s32(flags) & abi.TIMER_ABSTIME:
        first = max(first - clock_ns(lwp, timer.clock), 0)
    elif not first:
        first = -1
    timer.set(first, interval)
    if old:
        as_.copyout(old, was)
    return 0


def sys_timer_gettime(lwp: Lwp, ident: int, cur: int) -> int:
    """What is left on a timer."""
    space_of(lwp).copyout(cur, _setting(timer_find(lwp.proc, s32(ident))))
    return 0


def sys_timer_getoverrun(lwp: Lwp, ident: int) -> int:
    """Expirations that the last signal taken stands for, besides its own."""
    return timer_find(lwp.proc, s32(ident)).told


def sys_timer_delete(lwp: Lwp, ident: int) -> int:
    """Stop and forget a timer."""
    timer_delete(lwp.proc, s32(ident))
    return 0
