"""Ten thousand processes come and go, and nothing is left of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.ledger import ledger, ledger_diff

CYCLES = 10_000
WARM_UP = 1500
RSS_SLACK = 4 << 20


def rss() -> int:
    """Resident bytes of this host process (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.slow
@pytest.mark.invariant(40)
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_cycles(
    brand: str, boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """fork, exit and wait, with every count and frame back, in constant host memory."""
    z = boot(brand, {"forktest": guest_file(brand, "forktest")})
    assert z.run(["/forktest", str(WARM_UP)]).returncode == 0
    before, memory = ledger(z.machine.kernel), rss()
    r = z.run(["/forktest", str(CYCLES)])
    assert f"forktest: {CYCLES} cycles ok\n" == r.stdout.decode()
    assert ledger_diff(before, ledger(z.machine.kernel)) == []
    assert rss() - memory < RSS_SLACK


@pytest.mark.invariant(39)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("guest", ["forktest", "vforktest"])
def test_counts(
    brand: str,
    guest: str,
    boot: Callable[..., Any],
    guest_file: Callable[[str, str], Path],
) -> None:
    """A few hundred cycles leave no count and no frame behind."""
    z = boot(brand, {guest: guest_file(brand, guest)}, cpus=2)
    z.run([f"/{guest}", "5"])
    before = ledger(z.machine.kernel)
    assert z.run([f"/{guest}", "300"]).returncode == 0
    assert ledger_diff(before, ledger(z.machine.kernel)) == []
