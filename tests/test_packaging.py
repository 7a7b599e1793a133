"""One wheel for every CPython from 3.10 on, which works away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "brands", "hw", "plugins")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command in a clean environment; its output, once it succeeded."""
    hidden = ("PYTHON", "PERSONAE", "PIP_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves its files beside the sources."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    pytest.importorskip("setuptools")
    source = tmp_path_factory.mktemp("source")
    unwanted = shutil.ignore_patterns("*.so", "*.o", "__pycache__", "_hw.c")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps")
    run(*pip, "--no-build-isolation", "-w", out, source, cwd=out)
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment that holds the wheel.

    The dependencies come from the environment of the tests, by a path that is
    searched last; its own install of personae cannot be reached that way.
    """
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, symlinks=True)
    programs = home / "bin"
    python = programs / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-deps", wheel, cwd=home)
    where = "import sysconfig; print(sysconfig.get_paths()['platlib'])"
    site = Path(run(python, "-c", where, cwd=home).strip())
    for name in ("purelib", "platlib"):
        line = sysconfig.get_paths()[name] + "\n"
        (site / f"{name}-of-the-tests.pth").write_text(line)
    return programs


def test_tag(wheel: Path) -> None:
    """The name promises the stable ABI of 3.10."""
    name, _, python, abi, platform = wheel.stem.split("-")
    assert (name, python, abi) == ("personae", "cp310", "abi3")
    assert platform != "any"


def test_contents(wheel: Path) -> None:
    """Data files and the SDK are in, sources of ours in C and tests are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"personae"}
    tops = {name.split("/")[1] for name in names if name.startswith("personae/")}
    assert tops == set(FOLDERS)
    for wanted in (
        "personae/hw/_hw.abi3.so",
        "personae/core/py.typed",
        "personae/brands/linux/syscalls.toml",
        "personae/brands/linux/guests/hello.elf",
        "personae/brands/native/guests/hello.elf",
        "personae/brands/native/sdk/include/sys/wait.h",
        "personae/brands/native/sdk/libc/string.c",
        "personae/brands/native/sdk/native/crt0.S",
        "personae/brands/native/usr/bin/sh",
    ):
        assert wanted in names
    sdk = "personae/brands/native/sdk/"  # what programs are compiled with
    rest = [name for name in names if not name.startswith(sdk)]
    assert [name for name in rest if name.endswith((".c", ".h", ".o"))] == []


def test_runs_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The installed command finds its brands, its guests and its C layer."""
    script = "import personae.core, personae.hw; print(personae.hw.__file__)"
    where = run(installed / "python", "-c", script, cwd=tmp_path).strip()
    assert Path(where).is_relative_to(installed.parent)
    brands = run(installed / "personae", "brands", cwd=tmp_path)
    assert "cannot be loaded" not in brands
    report = run(installed / "personae", "demo", cwd=tmp_path)
    assert "digest sha256:" in report


def test_compiles_away_from_the_checkout(
    installed: Path, cross_cc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installed command compiles a program, and runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "prog.c"
    source.write_text('#include <stdio.h>\nint main(void) { puts("built"); }\n')
    personae = installed / "personae"
    run(personae, "cc", "-o", "prog", source.name, cwd=tmp_path)
    assert run(personae, "run", "-b", "native", "./prog", cwd=tmp_path) == "built\n"
    shell = ("run", "-b", "native", "--", "sh", "-c", "ls /usr/bin | head -n 1")
    assert run(personae, *shell, cwd=tmp_path) == "cat\n"


def test_a_brand_is_installed_beside_it(installed: Path, tmp_path: Path) -> None:
    """The xv6 package by pip from its folder: listed, and its own suite passes."""
    package = tmp_path / "brand-xv6"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT / "examples" / "brand-xv6", package, ignore=unwanted)
    pip = (sys.executable, "-m", "pip", "--python", installed / "python", "install")
    run(*pip, "-q", "--no-deps", "--no-build-isolation", package, cwd=tmp_path)
    shutil.rmtree(package / "personae_xv6")  # what is tested is what was installed
    brands = run(installed / "personae", "brands", cwd=tmp_path)
    assert "personae-xv6 0.1.0" in brands
    assert "cannot be loaded" not in brands
    pytest_ = (installed / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    told = run(*pytest_, package / "tests", cwd=package)
    assert "passed" in told
    assert "failed" not in told
