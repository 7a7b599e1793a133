"""The cases of the linux brand: C programs, linked with glibc, that say what is wrong.

Each one is made after a fault that some kernel or emulator really had.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.marks import cases

CASES = cases(Path(__file__).parent / "cases", "linux")


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_case(
    case: Path,
    cpus: int,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
) -> None:
    """A case exits with 0 and prints nothing."""
    z = boot("linux", {"case": build_case("linux", case)}, cpus=cpus)
    r = z.run(["/case"], timeout="200s")
    assert (r.returncode, r.stdout) == (0, b"")
