"""vfork of illumos and of Linux: one program, two answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "data" / "vforkdiffers.c"
OUTPUT = {
    "native": (
        "handlers in the child: default\n"
        "other threads of the parent: stand\n"
        "SIGKILL of the parent: after the child\n"
    ),
    "linux": (
        "handlers in the child: kept\n"
        "other threads of the parent: run\n"
        "SIGKILL of the parent: at once\n"
    ),
}


@pytest.mark.invariant(55, 56, 57)
@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_vfork_differs(
    brand: str,
    cpus: int,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
    native_program: Callable[[Path], Path],
) -> None:
    """fork-semantics: the rows of the table of differences that are about vfork."""
    elf = native_program(SOURCE) if brand == "native" else build_case(brand, SOURCE)
    z = boot(brand, {"prog": elf}, cpus=cpus)
    r = z.run(["/prog"], timeout="60s")
    assert (r.returncode, r.stdout.decode()) == (0, OUTPUT[brand])
