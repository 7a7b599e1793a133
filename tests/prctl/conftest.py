"""Guests under control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


@pytest.fixture
def traced(build_case: Callable[[str, Path], Path]) -> Callable[..., Traced]:
    """Start a guest of this folder under control."""

    def start(name: str, *args: str, brand: str = "native", **machine: Any) -> Traced:
        elf = build_case(brand, HERE / f"{name}.c")
        return Traced(elf.read_bytes(), *args, brand=brand, **machine)

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
