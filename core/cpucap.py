"""capped-cpu: the most CPU time a zone gets (zone.cpu-cap).

Time is cut into windows of a tenth of a virtual second.  In each window the lwps of
the zone may run for that part of its length which the cap says, on all CPUs together;
then they wait, on the dispatch queue, for the next window.  A run is cut where the
allowance ends; what several CPUs or a long call use beyond it is taken off the next
window.  Unused time is not saved up.  All of it follows from the CPUs' clocks, so a
run repeats.
"""

from __future__ import annotations

WINDOW_TICKS = 10


class CpuCap:
    """The cap of one zone.

    Args:
        percent: Percent of a CPU; 100 is a whole one.
        tick: Cycles of a clock tick.
    """

    def __init__(self, percent: int, tick: int) -> None:
        self.percent = percent
        self.length = WINDOW_TICKS * tick
        self.allowance = max(1, percent * self.length // 100)
        """Cycles in each window."""
        self.window = 0
        """Number of the window that ``used`` is about."""
        self.used = 0
        self.total = 0
        """Cycles the zone has had in all."""
        self.waits = 0
        """Windows in which the zone had to wait."""

    def left(self, clock: int) -> int:
        """Cycles the zone may still use at this time; 0 or less: it waits."""
        now = clock // self.length
        if now > self.window:
            spent = self.used - (now - self.window) * self.allowance
            self.window, self.used = now, max(0, spent)
        return self.allowance - self.used

    def charge(self, clock: int, cycles: int) -> None:
        """The zone has run for so long, until ``clock``."""
        left = self.left(clock)
        self.used += cycles
        self.total += cycles
        if left > 0 >= left - cycles:
            self.waits += 1

    def until(self) -> int:
        """When a zone that waits may run again: the first window that has room."""
        over = self.used // self.allowance
        return (self.window + max(1, over)) * self.length
