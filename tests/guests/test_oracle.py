"""The linux guests, against qemu-user: single programs whose output is exact."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

QEMU = "qemu-riscv64-static"
RUNS = [
    ["true", "77"],
    ["forktest", "10"],
    ["forkstep", "fork", "3"],
    ["forkmem", "2", "3"],
    ["jumpdata"],
    ["overflow"],
    ["sigstorm", "20"],
]


@pytest.mark.parametrize("argv", RUNS, ids=[r[0] for r in RUNS])
def test_like_qemu(
    argv: list[str], boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """Same output, same status."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"needs {QEMU} (Debian: qemu-user-static)")
    file = guest_file("linux", argv[0])
    there = subprocess.run(
        [QEMU, str(file), *argv[1:]], capture_output=True, timeout=60, check=False
    )
    z = boot("linux", {argv[0]: file})
    here = z.run([f"/{argv[0]}", *argv[1:]], timeout="60s")
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout)
