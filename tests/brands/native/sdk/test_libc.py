"""The C library does what the host's does: one source, one output."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.c"))
INPUT = b"1 22\n 333 x"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_like_the_host(
    case: Path,
    boot: Callable[..., Any],
    native_program: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    """What the host's C library prints, ours prints."""
    host = tmp_path / "host"
    flags = ["-std=gnu11", "-w", "-fno-builtin", "-D_GNU_SOURCE"]
    subprocess.run(["cc", *flags, "-o", str(host), str(case)], check=True)
    want = subprocess.run([str(host)], input=INPUT, capture_output=True, check=True)
    z = boot("native", {"case": native_program(case)})
    got = z.run(["/case"], input=INPUT, timeout="60s")
    assert got.stdout.decode().splitlines() == want.stdout.decode().splitlines()
    assert (got.returncode, got.stderr) == (0, b"")
