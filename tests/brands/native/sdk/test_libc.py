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


ILLUMOS = {
    "libproc": "3\n1 0\n1 1\n1\n4 41\n4\n0\n0\n0 1 1\n43\n1 2\n",
}
"""What these print; the last line of libproc ends with ENOENT."""


@pytest.mark.parametrize("name", ILLUMOS)
@pytest.mark.parametrize("cpus", [1, 2])
def test_illumos(
    name: str,
    cpus: int,
    boot: Callable[..., Any],
    native_program: Callable[[Path], Path],
) -> None:
    """The libraries that only illumos has."""
    case = Path(__file__).parent / "illumos" / f"{name}.c"
    r = boot("native", {"case": native_program(case)}, cpus=cpus).run(["/case"])
    assert (r.stdout.decode(), r.stderr, r.returncode) == (ILLUMOS[name], b"", 0)
