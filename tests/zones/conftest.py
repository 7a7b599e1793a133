"""A machine whose global zone has a file tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.zonerun import ZoneHandle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world() -> Iterator[Callable[..., ZoneHandle]]:
    """Make a machine and give its global zone programs; answers that zone.

    Called with files by name, each appearing as ``/name``, and keywords for the
    machine.  At the end the books have to balance, and nothing may have gone wrong.
    """
    machines: list[Machine] = []

    def make(files: dict[str, Path], **config: int) -> ZoneHandle:
        m = Machine(**config)  # type: ignore[arg-type]
        machines.append(m)
        zone = m.set_global()
        for name, source in files.items():
            zone.put(f"/{name}", source.read_bytes())
        return zone

    yield make
    for m in machines:
        assert list(m.kernel.oopses) == []
        assert ledger_check(m.kernel) == []
