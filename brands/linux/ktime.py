"""Virtual time in the units of Linux: cycles, nanoseconds, clock ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import NSEC, USER_HZ
from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from personae.core.kernel import Kernel

KTIME_MAX = (1 << 63) - 1


def timespec_ns(sec: int, nsec: int) -> int:
    """A struct timespec in ns.

    Raises:
        KernelError: EINVAL, it is negative or not normalised (timespec64_valid).
    """
    if sec < 0 or not 0 <= nsec < NSEC:
        raise KernelError(Errno.EINVAL, "struct timespec")
    return min(sec * NSEC + nsec, KTIME_MAX)


def timeval_ns(sec: int, usec: int) -> int:
    """A struct timeval in ns.

    Raises:
        KernelError: EINVAL, it is negative or not normalised.
    """
    if sec < 0 or not 0 <= usec < 1_000_000:
        raise KernelError(Errno.EINVAL, "struct timeval")
    return min(sec * NSEC + usec * 1000, KTIME_MAX)


def ns_to_cycles(kernel: Kernel, ns: int) -> int:
    """Cycles that take at least ``ns``."""
    return kernel.cycles(ns)


def cycles_to_ns(kernel: Kernel, cycles: int) -> int:
    """Virtual ns of so many cycles."""
    return cycles * NSEC // kernel.config.clock_hz


def cycles_to_ticks(kernel: Kernel, cycles: int) -> int:
    """Clock ticks (USER_HZ) of so many cycles."""
    return cycles * USER_HZ // kernel.config.clock_hz


def deadline_after(kernel: Kernel, ns: int) -> int:
    """The time, in cycles, that is ``ns`` from now."""
    return kernel.now + ns_to_cycles(kernel, ns)


def realtime_ns(kernel: Kernel) -> int:
    """CLOCK_REALTIME: ns since 1970."""
    return kernel.wall_ns
