"""One source, three systems: native, linux and the host say the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.c"))
FLAGS = ["-std=gnu11", "-O1", "-w", "-pthread"]


def test_thirty() -> None:
    """There are enough of them, and they are POSIX: no header of one system only."""
    assert len(PROGRAMS) >= 30
    for program in PROGRAMS:
        text = program.read_text()
        assert "#ifdef" not in text, program.name
        assert "syscall(" not in text, program.name


@pytest.fixture(scope="module")
def on_host(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Any]:
    """Compile for the host and run there, once for each program."""
    out = tmp_path_factory.mktemp("host")
    done: dict[Path, Any] = {}

    def run(source: Path) -> Any:
        if source not in done:
            program = out / source.stem
            command = ["cc", *FLAGS, "-o", str(program), str(source)]
            subprocess.run(command, check=True)
            done[source] = subprocess.run(
                [program], cwd="/", stdin=subprocess.DEVNULL, capture_output=True
            )
        return done[source]

    return run


@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_says_what_the_host_says(
    program: Path,
    brand: str,
    boot: Callable[..., Any],
    native_program: Callable[[Path], Path],
    build_case: Callable[[str, Path], Path],
    on_host: Callable[[Path], Any],
) -> None:
    """Every line is the same, and the status."""
    want = on_host(program)
    elf = native_program(program) if brand == "native" else build_case(brand, program)
    z = boot(brand, {program.stem: elf})
    make_tmp(z)
    got = z.run([f"/{program.stem}"], timeout="120s")
    assert got.stdout.decode().splitlines() == want.stdout.decode().splitlines()
    assert (got.returncode, got.stderr) == (want.returncode, want.stderr)


def make_tmp(z: Any) -> None:
    """A /tmp, where the brand does not bring one."""
    z.put("/tmp/.keep", b"")
