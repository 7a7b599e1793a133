"""Limits of a zone, met by real programs: exact counts, delays, all given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIMIT = 20
TICK_NS = 10_000_000


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_max_processes(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """Zombies count: besides zsched and the guest there is room for 18 (FORK-91).

    The failed fork is punished by pending / ncpus + 1 ticks (fork.c:1104).
    """
    files = {"kernbomb": guest_file(brand, "kernbomb")}
    z = boot(brand, files, zone={"max_processes": LIMIT})
    begun = z.machine.kernel.now_ns
    r = z.run(["/kernbomb", "zombies", "100"])
    assert r.stdout == b"kernbomb: zombies: errno 11 after %d\n" % (LIMIT - 2)
    took = z.machine.kernel.now_ns - begun
    assert 2 * TICK_NS <= took < 3 * TICK_NS
    assert (z.zone.nprocs, z.zone.nlwps, z.zone.ffcap) == (1, 1, 1)
    assert z.machine.kernel.fork_fail_pending == 0


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_max_lwps_counts_no_zombies(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """A zombie has given its lwps up (FORK-91)."""
    files = {"kernbomb": guest_file(brand, "kernbomb")}
    z = boot(brand, files, zone={"max_lwps": LIMIT})
    r = z.run(["/kernbomb", "zombies", "100"])
    assert r.stdout == b"kernbomb: zombies: all 100\n"
    assert (z.zone.nprocs, z.zone.nlwps) == (1, 1)


@pytest.mark.parametrize("limit", ["max_lwps", "max_processes"])
@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_forkbomb_at_each_limit(
    brand: str,
    cpus: int,
    limit: str,
    boot: Callable[..., Any],
    guest_file: Callable[[str, str], Path],
) -> None:
    """Either limit contains a fork bomb, on one CPU and on two."""
    files = {"forkbomb": guest_file(brand, "forkbomb")}
    z = boot(brand, files, zone={limit: LIMIT}, cpus=cpus)
    r = z.run(["/forkbomb"], timeout="600s")
    assert (r.returncode, r.stdout.splitlines()[0]) == (
        0,
        b"forkbomb: ended by errno 11 (EAGAIN)",
    )
    assert (z.zone.nprocs, z.zone.nlwps) == (1, 1)
    assert z.zone.ffcap > 0


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_a_full_machine(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """Out of process slots: EAGAIN, a notice, and nothing is lost (FORK-99)."""
    files = {"kernbomb": guest_file(brand, "kernbomb")}
    z = boot(brand, files, max_nprocs=40)
    k = z.machine.kernel
    before = k.nproc
    r = z.run(["/kernbomb", "zombies", "100"])
    assert b"errno 11 after " in r.stdout
    assert 0 < int(r.stdout.split()[-1]) < 40
    assert k.nproc == before


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_low_pids_wrap(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """Pid numbers wrap around and those in use are passed by."""
    files = {"forktest": guest_file(brand, "forktest")}
    z = boot(brand, files, maxpid=150)
    r = z.run(["/forktest", "400"])
    assert (r.returncode, r.stdout) == (0, b"forktest: 400 cycles ok\n")
