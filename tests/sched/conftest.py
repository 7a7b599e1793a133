"""The guests of these tests, built with the library of the native brand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from personae.core.classes import load_classes
from tests.core.fakes import FakeKernel
from tests.sched.stage import GUESTS


@pytest.fixture(scope="session")
def elf(
    cross_cc: str, guestbuild: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Path of a guest program, built once: by name and brand."""
    out = tmp_path_factory.mktemp("sched")

    def build(name: str, brand: str = "native") -> Path:
        path = out / f"{brand}-{name}.elf"
        if not path.exists():
            guestbuild.build(brand, GUESTS / f"{name}.c", path, cross_cc, out)
        return path

    return build


class _Kernel(FakeKernel):
    """Has a clock of a hundred ticks in a second."""

    def cycles(self, ns: int) -> int:
        return -(-ns * 100 * self.tick // 10**9)


@pytest.fixture
def fake() -> FakeKernel:
    """A kernel of counters that knows all classes."""
    k = _Kernel()
    classes: dict[str, Any] = k.classes
    for cls in load_classes():
        classes[cls.name] = cls
    return k
