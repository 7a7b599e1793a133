"""The tutorial's brand, typed from the page, works; the page shows what comes out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tutorial" / "first-brand.md"
BLOCK = re.compile(r"```\{code-block\} \w+\n:caption: (\S+)\n(.*?)```", re.DOTALL)
CC = "riscv64-linux-gnu-gcc"


def blocks() -> dict[str, str]:
    """The files and sessions of the page, by their captions."""
    return {m[1]: m[2] for m in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}


def test_five_calls_in_sixty_lines() -> None:
    """Lines of Python that are not empty."""
    lines = [line for line in blocks()["tiny.py"].splitlines() if line.strip()]
    assert len(lines) <= 60
    assert blocks()["syscalls.toml"].count("[[syscall]]") == 5


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """A folder with every file of the page; the program is built as it says."""
    found = blocks()
    for name, text in found.items():
        if "." in name:
            (tmp_path / name).write_text(text)
    if shutil.which(CC) is None:
        pytest.skip("no cross compiler")
    command = found["build"].removeprefix("$ ").split()
    subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path


def session(folder: Path, command: str) -> str:
    """What a command of the page prints."""
    program, *argv = command.split()
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs(typed: Path) -> None:
    first, _, shown = blocks()["run"].partition("\n")
    assert session(typed, first.removeprefix("$ ")) == shown


def test_it_is_right(typed: Path) -> None:
    """Every generic suite."""
    lines = session(typed, "python check.py").splitlines()
    assert len(lines) >= 9
    assert [line for line in lines if " ok " not in line] == []
