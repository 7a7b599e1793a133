"""The cost of a fork does not grow with the size of the process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.hookspecs import hookimpl

FORK_NUMBERS = {"native": 142, "linux": 220}
FORKS = 30
RATIO = 1.2
TRIES = 4


class ForkClock:
    """Host time of each fork: from the entry of the call to its return."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun = 0.0
        self.times: list[float] = []

    @hookimpl
    def personae_syscall_entry(self, lwp: Any, number: int) -> None:
        if number == self.number:
            self.begun = time.perf_counter()

    @hookimpl
    def personae_syscall_return(self, lwp: Any, number: int) -> None:
        if number == self.number:
            self.times.append(time.perf_counter() - self.begun)


def median_fork(z: Any, brand: str, mib: int) -> float:
    """Median host seconds of a fork of a process of ``mib`` MiB."""
    clock = ForkClock(FORK_NUMBERS[brand])
    z.machine.plugins.register(clock)
    r = z.run(["/forkmem", str(mib), str(FORKS)])
    z.machine.plugins.unregister(clock)
    assert r.returncode == 0
    assert len(clock.times) == FORKS
    return statistics.median(clock.times)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_flat(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """1 GiB against 1 MiB, in one machine; a busy host gets a few tries."""
    z = boot(brand, {"forkmem": guest_file(brand, "forkmem")}, memory="2G")
    median_fork(z, brand, 1)
    ratios = []
    for _ in range(TRIES):
        small = median_fork(z, brand, 1)
        large = median_fork(z, brand, 1024)
        ratios.append(large / small)
        if ratios[-1] <= RATIO:
            break
    assert min(ratios) <= RATIO, ratios


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_tables(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """A fork copies no page and a fixed number of tables, counted exactly."""
    z = boot(brand, {"forkmem": guest_file(brand, "forkmem")}, memory="512M")
    used = []
    for mib in (2, 128):
        hw = z.machine.kernel.hw
        before = [hw.stat(s) for s in (6, 7, 9)]
        z.run(["/forkmem", str(mib), "0"])
        alone = [hw.stat(s) - b for s, b in zip((6, 7, 9), before, strict=True)]
        before = [hw.stat(s) for s in (6, 7, 9)]
        z.run(["/forkmem", str(mib), "20"])
        forked = [hw.stat(s) - b for s, b in zip((6, 7, 9), before, strict=True)]
        used.append([f - a for f, a in zip(forked, alone, strict=True)])
    small, large = used
    # zero fills and copies: the child's few pages, whatever the size
    assert large[0] - small[0] <= 20
    assert large[1] - small[1] <= 40
