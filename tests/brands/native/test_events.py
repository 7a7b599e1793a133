"""Events of contracts, as a program that owns one reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "programs" / "events.c"
FORKS = 10_000


@pytest.mark.parametrize(("cpus", "forks"), [(1, FORKS), (4, 1000)])
def test_no_event_is_lost(
    cpus: int,
    forks: int,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
) -> None:
    """Every fork and every exit of a member is told once, in order."""
    z = boot("native", {"events": build_case("native", SOURCE)}, cpus=cpus)
    r = z.run(["/events", str(forks)], timeout="600s")
    told = f"{forks + 1} forks {forks + 1} exits 0 wrong\n"
    assert (r.returncode, r.stdout.decode()) == (0, told)
