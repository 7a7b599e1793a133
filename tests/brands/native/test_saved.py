"""Native programs amid files, ports, timers and terminals, saved and loaded again."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFORM = Path(__file__).resolve().parents[3] / "brands" / "native" / "conform"
POINTS = 6


def finish(machine: Any, stops: list[int], folder: Path) -> int:
    """Step to the end, saving before the steps in ``stops``; answers how many."""
    from personae.core.disp import Status

    done = 0
    while True:
        if done in stops:
            machine.save(folder / f"{done:06}.machine")
        if machine.step() is Status.IDLE:
            return done
        done += 1


@pytest.mark.parametrize("area", ["poll", "time", "tty"])
def test_a_saved_machine_goes_on_alike(
    area: str, boot: Callable[..., Any], tmp_path: Path
) -> None:
    """Wherever it was saved, the end is the same: digest and time."""
    from personae.core.machine import Machine

    def start() -> Any:
        z = boot("native", {area: CONFORM / f"{area}.elf"}, quantum=20000)
        z.start([f"/{area}"], input=b"")
        return z.machine

    total = finish(start(), [], tmp_path)
    stops = random.Random(1).sample(range(total), min(POINTS, total))
    m = start()
    finish(m, stops, tmp_path)
    saved = sorted(tmp_path.glob("*.machine"))
    assert len(saved) == len(stops)
    for path in saved:
        again = Machine.load(path)
        finish(again, [], tmp_path)
        assert (path.name, again.digest(), again.kernel.now) == (
            path.name,
            m.digest(),
            m.kernel.now,
        )
