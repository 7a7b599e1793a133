"""``personae cc``."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.core.cli import main

HELLO = '#include <stdio.h>\nint main(void)\n{\n\tprintf("hi %d\\n", 6 * 7);\n}\n'


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program to compile; the current folder is its own, and so is the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "hello.c"
    source.write_text(HELLO)
    return source


def test_in_one_step(
    hello: Path, cross_cc: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Compile, run; the library is built once."""
    assert main(["cc", "-o", "hello", "hello.c"]) == 0
    assert main(["run", "-b", "native", "--", "./hello"]) == 0
    assert capfd.readouterr().out == "hi 42\n"
    (archive,) = Path("cache").rglob("libc.a")
    made = archive.stat().st_mtime_ns
    assert main(["cc", "-c", "-DX", "-o", "hello.o", "hello.c"]) == 0
    assert main(["cc", "-o", "again", "hello.o"]) == 0
    assert archive.stat().st_mtime_ns == made
    assert main(["run", "-b", "native", "--", "./again"]) == 0


def test_cache_that_cannot_be_written(hello: Path, cross_cc: str) -> None:
    """Then the library is built for the moment."""
    Path("cache").write_text("a file is in the way")
    assert main(["cc", "-o", "hello", "hello.c"]) == 0
    assert Path("hello").stat().st_mode & 0o100


def test_errors_of_the_program(
    hello: Path, cross_cc: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The compiler's words and status."""
    hello.write_text("int main(void) { return nothing; }\n")
    assert main(["cc", "-o", "hello", "hello.c"]) == 1
    assert "nothing" in capfd.readouterr().err


def test_no_compiler(
    hello: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing, and how it is had."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["cc", "hello.c"]) == 125
    assert "apt install gcc-riscv64-linux-gnu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "status", "text"),
    [
        ([], 2, "name a file"),
        (["-b"], 2, "-b needs a brand"),
        (["-b", "nativ", "x.c"], 125, "native"),
        (["-b", "linux", "x.c"], 125, "brings no compiler"),
    ],
)
def test_usage(
    args: list[str], status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage is told."""
    assert main(["cc", *args]) == status
    assert text in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help is ours, not the compiler's."""
    assert main(["cc", "--help"]) == 0
    assert "personae cc -o prog prog.c" in capsys.readouterr().out
