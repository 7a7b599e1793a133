"""Fixtures for tests that run guest programs on a whole machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CC = "riscv64-linux-gnu-gcc"
GLIBC_FLAGS = ["-static", "-O1", "-pthread"]
"""How the cases of the linux brand are built: static, with the cross glibc."""


@pytest.fixture(scope="session")
def cross_cc() -> str:
    """The cross compiler; a test that needs it is skipped without."""
    if shutil.which(CC) is None:
        pytest.skip(f"needs {CC} (Debian: gcc-riscv64-linux-gnu)")
    return CC


@pytest.fixture(scope="session")
def guestbuild() -> ModuleType:
    """The build script of the guest programs."""
    path = ROOT / "brands" / "native" / "guests" / "build.py"
    spec = importlib.util.spec_from_file_location("guestbuild", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def guest_file() -> Callable[[str, str], Path]:
    """Path of a committed guest program, by brand and name."""

    def find(brand: str, name: str) -> Path:
        return ROOT / "brands" / brand / "guests" / f"{name}.elf"

    return find


@pytest.fixture(scope="session")
def build_case(
    cross_cc: str, guestbuild: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Path], Path]:
    """Compile a C file for a brand, once in a session: with glibc for linux."""
    out = tmp_path_factory.mktemp("cases")
    done: dict[tuple[str, Path], Path] = {}

    def build(brand: str, source: Path) -> Path:
        key = (brand, source)
        if key not in done:
            elf = out / f"{brand}-{source.stem}.elf"
            if brand == "native":
                guestbuild.build(brand, source, elf, cross_cc, out)
            else:
                cmd = [cross_cc, *GLIBC_FLAGS, "-o", str(elf), str(source)]
                subprocess.run(cmd, check=True)
            done[key] = elf
        return done[key]

    return build


@pytest.fixture(scope="session")
def native_program(
    cross_cc: str, guestbuild: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], Path]:
    """Compile a C file with the SDK of the native brand, once in a session."""
    out = tmp_path_factory.mktemp("sdk")
    done: dict[Path, Path] = {}

    def build(source: Path) -> Path:
        if source not in done:
            done[source] = out / f"{len(done)}-{source.stem}"
            guestbuild.build_hosted(source, done[source], cross_cc, out)
        return done[source]

    return build


@pytest.fixture
def boot() -> Iterator[Callable[..., Any]]:
    """Make a machine with one zone ``z`` whose root holds these programs.

    Called with the brand, files by name (each appears as ``/name``), keywords for
    the zone in ``zone``, and keywords for the machine; answers the zone.  At the end of
    the test the books of every machine have to balance.
    """
    from personae.core.ledgercheck import ledger_check

    machines: list[Any] = []

    def make(
        brand: str,
        files: dict[str, Path],
        zone: dict[str, Any] | None = None,
        **machine: Any,
    ) -> Any:
        from personae.core.machine import Machine

        z = Machine(**machine).add_zone("z", brand=brand, **(zone or {}))
        for name, source in files.items():
            z.put(f"/{name}", source.read_bytes())
        machines.append(z.machine)
        return z

    yield make
    for m in machines:
        assert ledger_check(m.kernel) == []


@pytest.fixture(scope="session")
def busybox_root() -> Path:
    """A root file system with a static riscv64 busybox.

    ``PERSONAE_TEST_ROOTFS`` names it; else ``~/.cache/personae/busybox``, which is
    fetched as ``personae rootfs`` does it when it is not there.
    """
    named = os.environ.get("PERSONAE_TEST_ROOTFS")
    root = Path(named) if named else Path.home() / ".cache" / "personae" / "busybox"
    if (root / "usr" / "bin" / "busybox").exists():
        return root
    if named:
        pytest.skip(f"no busybox in {root}, which PERSONAE_TEST_ROOTFS names")
    from personae.core.rootfs import Request, RootfsError, fetch

    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        fetch(Request(target=root, packages=("busybox-static",)), lambda line: None)
    except RootfsError as e:
        pytest.skip(f"busybox-static could not be fetched: {e}")
    return root
