"""``personae brand new``: what it writes works at once, and is public API only."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from personae.core.api import is_public
from personae.core.cli import main
from personae.core.conform.suite import GENERIC
from personae.core.scaffold import FILES, write_brand
from personae.core.scaffold.build import build

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package that was just written, with the metadata that pip would add."""
    folder = tmp_path / "brand-my-os"
    write_brand("my-os", folder)
    info = folder / "personae_my_os-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: personae-my-os\n")
    points = "[personae.brands]\nmy-os = personae_my_os:BRAND\n"
    (info / "entry_points.txt").write_text(points)
    return folder


def run(package: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command of Python with the package on its path."""
    return subprocess.run(
        [sys.executable, *argv],
        cwd=package,
        env={"PYTHONPATH": str(package), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_its_tests_pass(package: Path) -> None:
    """Those of its guest and the generic suites, by pytest in its folder."""
    done = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    own = 1  # the guest it comes with
    assert f"{own + len(GENERIC)} passed" in done.stdout


def test_it_is_found_and_runs(package: Path) -> None:
    """By its entry point: listed, and a program of it runs."""
    done = run(package, "-m", "personae.core", "brands")
    assert "my-os          5  personae-my-os" in done.stdout
    elf = "personae_my_os/conform/start.elf"
    done = run(package, "-m", "personae.core", "run", "-b", "my-os", elf)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1..6")


def test_it_imports_public_names_only(package: Path) -> None:
    found = 0
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("personae."):
                found += 1
                for alias in node.names:
                    assert is_public(module, alias.name), f"{path}: {module}"
    assert found > 10


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["brand", "new", "plan9"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == len(FILES) + 1
    assert out[-1] == "next: pip install -e brand-plan9 && personae conform plan9"
    assert main(["brand", "new", "plan9"]) == 125
    told = capsys.readouterr().err
    assert "brand-plan9 is there already, and not an empty folder; choose" in told
    assert main(["brand", "new", "Plan 9"]) == 125
    assert "'Plan 9' is no name for a brand: small letters" in capsys.readouterr().err
    assert main(["brand", "new", "linux"]) == 125
    assert "a brand 'linux' is installed already" in capsys.readouterr().err


@pytest.mark.skipif(
    shutil.which("riscv64-linux-gnu-gcc") is None, reason="no cross compiler"
)
def test_the_guest_is_that_of_its_source(tmp_path: Path) -> None:
    build(tmp_path / "elf")
    committed = ROOT / "core" / "scaffold" / "files" / "start.elf"
    assert (tmp_path / "elf").read_bytes() == committed.read_bytes()
