"""Guests under control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from personae.core.machine import Machine
from personae.core.prctl import Control, grab
from tests.core.machines import guest

HERE = Path(__file__).parent / "guests"


class Traced:
    """A machine with one guest, which is controlled from its first instruction on."""

    def __init__(self, elf: bytes, *args: str, brand: str, **machine: Any) -> None:
        self.machine = Machine(**{"memory": 64 << 20, **machine})
        self.zone = self.machine.add_zone("z", brand=brand)
        self.zone.put("/bin/prog", elf)
        self.zone.put("/bin/true", guest("true", brand))
        self.job = self.zone.start(["/bin/prog", *args])
        self.k = self.machine.kernel
        self.proc = self.job.proc
        self.control: Control = grab(self.proc)

    def finish(self) -> tuple[int, str]:
        """Run to the end: status and output."""
        self.machine.run_until([self.proc], door=self.job)
        result = self.job.result()
        return result.returncode, result.stdout.decode()


@pytest.fixture(params=["native", "linux"])
def brand(request: pytest.FixtureRequest) -> str:
    """Each brand in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def tiny_guest(
    cross_cc: str, guestbuild: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], bytes]:
    """A guest of this folder, built with the tiny library of a brand."""
    out = tmp_path_factory.mktemp("prctl")
    done: dict[tuple[str, str], bytes] = {}

    def build(brand: str, name: str) -> bytes:
        if (brand, name) not in done:
            elf = out / f"{brand}-{name}.elf"
            guestbuild.build(brand, HERE / f"{name}.c", elf, cross_cc, out)
            done[brand, name] = elf.read_bytes()
        return done[brand, name]

    return build


@pytest.fixture
def traced(
    brand: str, tiny_guest: Callable[[str, str], bytes]
) -> Callable[..., Traced]:
    """Start a guest of this folder under control."""

    def start(name: str, *args: str, **machine: Any) -> Traced:
        return Traced(tiny_guest(brand, name), *args, brand=brand, **machine)

    return start


@pytest.fixture
def symbol(traced: Callable[..., Traced]) -> Callable[[str, str], int]:
    """The address of a symbol of a guest, which prints it."""
    known: dict[str, list[int]] = {}

    def find(name: str, sym: str) -> int:
        if name not in known:
            _, out = traced(name, "where").finish()
            known[name] = [int(n) for n in out.split()]
        return known[name][("page", "work", "touch").index(sym)]

    return find
