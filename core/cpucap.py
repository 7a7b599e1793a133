"""The most CPU time that a zone or a project gets (zone.cpu-cap, project.cpu-cap).

Time is cut into windows of a tenth of a virtual second.  In each window the lwps of
one may run for that part of its length which the cap says, on all CPUs together;
then they wait, on the dispatch queue, for the next window.  A run is cut where the
allowance ends; what several CPUs or a long call use beyond it is taken off the next
window.  Unused time is not saved up.  All of it follows from the CPUs' clocks, so a
run repeats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc

WINDOW_TICKS = 10
NO_CAP = 100 * 1000
"""Value of a control that caps nothing (MAXCAP)."""


class CpuCap:
    """The cap of one zone or project.

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
        """Cycles had in all."""
        self.waits = 0
        """Windows in which it had to wait."""

    def left(self, clock: int) -> int:
        """Cycles that may still be used at this time; 0 or less: it waits."""
        now = clock // self.length
        if now > self.window:
            spent = self.used - (now - self.window) * self.allowance
            self.window, self.used = now, max(0, spent)
        return self.allowance - self.used

    def charge(self, clock: int, cycles: int) -> None:
        """It has run for so long, until ``clock``."""
        left = self.left(clock)
        self.used += cycles
        self.total += cycles
        if left > 0 >= left - cycles:
            self.waits += 1

    def until(self) -> int:
        """When one that waits may run again: the first window that has room."""
        over = self.used // self.allowance
        return (self.window + max(1, over)) * self.length


def cap_of(kernel: Kernel, percent: int, old: CpuCap | None) -> CpuCap | None:
    """The cap that a control's value means; the old one while it stays the same."""
    if percent >= NO_CAP:
        return None
    if old is not None and old.percent == percent:
        return old
    kernel.disp.restricted = kernel.disp.capped = True
    return CpuCap(percent, kernel.tick)


def caps_on(proc: Proc) -> list[CpuCap]:
    """The caps that a process runs under: its project's and its zone's."""
    caps = [proc.zone.cap]
    if proc.task is not None:
        caps.append(proc.task.project.cap)
    return [cap for cap in caps if cap is not None]


def may_start(proc: Proc, clock: int) -> int:
    """When, from ``clock`` on, every cap lets a process run."""
    for cap in caps_on(proc):
        if cap.left(clock) <= 0:
            clock = max(clock, cap.until())
    return clock
