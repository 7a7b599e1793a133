"""Interval timers of CPU time (ITIMER_VIRTUAL and ITIMER_PROF of setitimer(2)).

Running costs nothing: a lwp can't use more time than goes by, so a look at its
counters is due when the rest could be used up, and then again for what is left.  While
it uses none at all, once in a clock tick, by which it may be late then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cputime import lwp_cycles
from personae.core.disp import Timer
from personae.core.lwp import TState

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

NSEC = 1_000_000_000
LEAST = 1000
"""Cycles between two looks, at the least."""


class CpuTimer(Timer):
    """A timer of one lwp.

    Args:
        lwp: Whose time counts, and who gets the signal.
        signo: The signal.
        system: Whether time in system calls counts, too.
    """

    def __init__(self, lwp: Lwp, signo: int, system: bool) -> None:
        self.lwp = lwp
        self.signo = signo
        self.system = system
        self.itimer_real = (0, 0)
        self.due = 0
        """CPU time, in cycles, at which it expires; 0 when it is stopped."""
        self.interval = 0
        self.seen = 0

    def _used(self) -> int:
        user, system = lwp_cycles(self.lwp)
        return user + system if self.system else user

    def set(self, first: int, interval: int) -> None:
        """Start anew, both in ns; first 0 stops it."""
        kernel = self.lwp.kernel
        self.seen = self._used()
        self.interval = kernel.cycles(interval)
        self.due = self.seen + kernel.cycles(first) if first else 0
        self._look_again(self.due - self.seen)

    def left(self) -> tuple[int, int]:
        """Interval, and what is left, in ns rounded up; 0 when it is stopped."""
        hz = self.lwp.kernel.config.clock_hz
        left = max(self.due - self._used(), 1) if self.due else 0
        return -(-self.interval * NSEC // hz), -(-left * NSEC // hz)

    def _look_again(self, cycles: int) -> None:
        kernel = self.lwp.kernel
        if not self.due:
            self.itimer_real = (0, 0)
            return
        when = kernel.now + max(cycles, LEAST)
        self.itimer_real = (when, 0)
        kernel.disp.at(when, self)

    def cancel(self) -> None:
        """It expires no more."""
        self.due = 0
        self.itimer_real = (0, 0)

    def expired(self) -> None:
        """Look: send the signal if its time is used up."""
        kernel = self.lwp.kernel
        if self.lwp.state in (TState.TS_ZOMB, TState.TS_FREE):
            self.cancel()
            return
        used = self._used()
        idle, self.seen = used == self.seen, used
        if self.due and used >= self.due:
            late = used - self.due
            rest = self.interval - late % self.interval if self.interval else 0
            self.due = used + rest if self.interval else 0
            kernel.tsignal(self.lwp, self.signo)
        rest = self.due - used
        self._look_again(max(rest, kernel.tick) if idle else rest)
