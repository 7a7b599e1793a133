"""The cases of the native brand: C programs that say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.marks import cases

CASES = cases(Path(__file__).parent / "cases", "native")


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_case(
    case: Path,
    cpus: int,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
) -> None:
    """A case exits with 0 and prints nothing."""
    z = boot("native", {"case": build_case("native", case)}, cpus=cpus)
    r = z.run(["/case"], timeout="200s")
    assert (r.returncode, r.stdout) == (0, b"")
