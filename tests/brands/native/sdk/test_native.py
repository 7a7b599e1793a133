"""What the library has that only illumos knows: contracts, doors, ports, privileges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent / "native"
OUTPUT = {
    "contract": [
        "00022 0 inherit:",
        "0 process 1 1 1 1 2 a service",
        "0 1 1 9 1",
        "1 0 3 0",
    ],
    "door": ["0 j", "0 100000 1", "1", "told 1", "0 y 1", "1448 416"],
    "events": [
        "0 2 3 4",
        "-1 0 1",
        "0 2 3",
        "-1 1",
        "0 4 pair",
        "0 7 stream",
        "1 0 -1 1 0 -1 1",
        "0 0 /dev/pts/0 1",
        "0 tmpfs",
        "6 SunOS",
    ],
}


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("name", OUTPUT)
def test_output(
    name: str,
    cpus: int,
    boot: Callable[..., Any],
    native_program: Callable[[Path], Path],
) -> None:
    z = boot("native", {"case": native_program(CASES / f"{name}.c")}, cpus=cpus)
    got = z.run(["/case"], timeout="60s")
    assert (got.returncode, got.stderr) == (0, b"")
    assert got.stdout.decode().splitlines() == OUTPUT[name]
