"""The committed guest programs are what their sources say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BRANDS = ("native", "linux")
BUILT_WITH = "12.2.0"
"""The gcc that made the committed files."""


def test_all_are_committed(
    guestbuild: ModuleType, guest_file: Callable[[str, str], Path]
) -> None:
    """Each source has its ELF, and each ELF its source."""
    for brand in BRANDS:
        sources = set(guestbuild.sources())
        folder = guest_file(brand, "x").parent
        assert sources == {p.stem for p in folder.glob("*.elf")}
        checks = guestbuild.conform_sources(brand)
        folder = folder.parent / "conform"
        assert set(checks) == {p.stem for p in folder.glob("*.elf")}


@pytest.mark.parametrize("brand", BRANDS)
def test_rebuild(
    brand: str,
    cross_cc: str,
    guestbuild: ModuleType,
    guest_file: Callable[[str, str], Path],
    tmp_path: Path,
) -> None:
    """The same compiler gives the same bytes."""
    version = subprocess.run(
        [cross_cc, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if version != BUILT_WITH:
        pytest.skip(f"gcc {version}; the files are from {BUILT_WITH}")
    for name, source in guestbuild.sources().items():
        out = tmp_path / name
        guestbuild.build(brand, source, out, cross_cc, tmp_path)
        assert out.read_bytes() == guest_file(brand, name).read_bytes(), name
    for name, source in guestbuild.conform_sources(brand).items():
        out = tmp_path / name
        guestbuild.build(brand, source, out, cross_cc, tmp_path)
        assert out.read_bytes() == source.with_suffix(".elf").read_bytes(), name


def test_rebuild_userland(
    cross_cc: str,
    guestbuild: ModuleType,
    guest_file: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """The programs of /usr/bin: each is there, and is what its sources say."""
    home = guest_file("native", "x").parents[1] / "usr" / "bin"
    sources = guestbuild.user_sources()
    assert set(sources) == {p.name for p in home.iterdir()}
    version = subprocess.run(
        [cross_cc, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if version != BUILT_WITH:
        pytest.skip(f"gcc {version}; the files are from {BUILT_WITH}")
    for name, files in sources.items():
        guestbuild.build_hosted(files, tmp_path / name, cross_cc, tmp_path)
        assert (tmp_path / name).read_bytes() == (home / name).read_bytes(), name


@pytest.mark.parametrize("brand", BRANDS)
def test_rebuilt_behave_alike(
    brand: str,
    cross_cc: str,
    guestbuild: ModuleType,
    guest_file: Callable[[str, str], Path],
    boot: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Whatever the compiler's version, output and status are the same."""
    argvs = {"hello": ["x"], "forktest": ["9"], "vforktest": ["4"], "demo": []}
    for name, args in argvs.items():
        rebuilt = tmp_path / name
        source = guestbuild.sources()[name]
        guestbuild.build(brand, source, rebuilt, cross_cc, tmp_path)
        got = []
        for file in (guest_file(brand, name), rebuilt):
            r = boot(brand, {name: file}).run([f"/{name}", *args], timeout="60s")
            got.append((r.returncode, r.stdout))
        assert got[0] == got[1]


@pytest.mark.parametrize("brand", BRANDS)
def test_guests_are_small_and_plain(
    brand: str, guest_file: Callable[[str, str], Path]
) -> None:
    """Small, static, without paths of the machine that built them."""
    folder = guest_file(brand, "x").parent
    for elf in (*folder.glob("*.elf"), *folder.parent.glob("conform/*.elf")):
        data = elf.read_bytes()
        assert len(data) < 32768, elf.name
        assert re.search(rb"/guests|/sdk|\.c\0|GCC:", data) is None, elf.name
