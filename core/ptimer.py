"""POSIX timers (timer_create(2)): something at a time, again and again.

A timer belongs to its process, is not inherited by fork and ends with exec.  What it
does when its time comes is a brand's: a signal, an event of a port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.disp import Timer
from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo

NSEC = 1_000_000_000
MAX_TIMERS = 4096
"""Of one process."""
MAX_NS = (1 << 63) - 1
"""Longest time, as hrtime_t holds it."""
MIN_INTERVAL_NS = 10_000
"""A shorter interval is made this long, lest a timer stops the machine."""


class PosixTimer(Timer):
    """One timer.

    Args:
        proc: Whose.
        ident: Its number in the process.
        clock: The clock that it follows, by the brand's number.

    Attributes:
        overrun: Expirations since the last one that was told.
        told: Overrun of the last one that was told.
        sent: The siginfo of its last signal.
    """

    def __init__(self, proc: Proc, ident: int, clock: int) -> None:
        self.proc = proc
        self.ident = ident
        self.clock = clock
        self.itimer_real = (0, 0)
        self.overrun = 0
        self.told = 0
        self.sent: SigInfo | None = None

    def set(self, first: int, interval: int) -> None:
        """Start anew (timer_settime(2)).

        Args:
            first: Time to the first expiration, in ns; negative stops the timer.
            interval: Time between expirations in ns; 0 for one only.
        """
        kernel = self.proc.kernel
        self.overrun = 0
        if first < 0:
            self.itimer_real = (0, 0)
            return
        first, interval = min(first, MAX_NS), min(interval, MAX_NS)
        cycles = kernel.cycles(max(interval, MIN_INTERVAL_NS)) if interval else 0
        deadline = max(kernel.now + kernel.cycles(first), 1)
        self.itimer_real = (deadline, cycles)
        kernel.disp.at(deadline, self)

    def left(self) -> tuple[int, int]:
        """Interval, and what is left to the next expiration, in ns (timer_gettime)."""
        kernel = self.proc.kernel
        deadline, interval = self.itimer_real
        left = max(deadline - kernel.now, 1) if deadline else 0
        hz = kernel.config.clock_hz
        return interval * NSEC // hz, left * NSEC // hz

    def expired(self) -> None:
        """Go on if it repeats, and do what it is for."""
        when, interval = self.itimer_real
        self.itimer_real = (when + interval, interval) if interval else (0, 0)
        if interval:
            self.proc.kernel.disp.at(when + interval, self)
        self.notify()

    def notify(self) -> None:
        """The time has come."""
        raise NotImplementedError

    def pending(self, queue: list[SigInfo]) -> bool:
        """Whether nobody has taken its last signal yet."""
        return self.sent is not None and any(i is self.sent for i in queue)

    def taking_overrun(self) -> int:
        """The overrun that goes with what is told now."""
        self.told, self.overrun = self.overrun, 0
        return self.told

    def cancel(self) -> None:
        """It goes off no more."""
        self.itimer_real = (0, 0)


def timer_number(proc: Proc) -> int:
    """A free number for a timer of a process; EAGAIN if it has too many."""
    timers = proc.timers or {}
    if len(timers) >= MAX_TIMERS:
        raise KernelError(Errno.EAGAIN, "too many timers")
    return next(i for i in range(MAX_TIMERS) if i not in timers)


def timer_add(timer: PosixTimer) -> None:
    """Give a process its new timer."""
    proc = timer.proc
    if proc.timers is None:
        proc.timers = {}
    proc.timers[timer.ident] = timer


def timer_find(proc: Proc, ident: int) -> PosixTimer:
    """The timer of a number; EINVAL."""
    timer = (proc.timers or {}).get(ident)
    if timer is None:
        raise KernelError(Errno.EINVAL, f"no timer {ident}")
    return timer


def timer_delete(proc: Proc, ident: int) -> None:
    """Stop and forget a timer; EINVAL if there is none."""
    timer_find(proc, ident).cancel()
    assert proc.timers is not None
    del proc.timers[ident]


def timers_cancel(proc: Proc) -> None:
    """Exec or exit: the timers are gone."""
    for timer in (proc.timers or {}).values():
        timer.cancel()
    proc.timers = None
