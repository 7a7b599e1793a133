"""The claims about forks, from C programs of the native brand, under many schedules.

The conformance programs fork, vfork, forkall, exec, lwp and wait
cite the invariants they show.  Each prints the same on 1, 2 and 4 CPUs and under 50
schedule seeds; that is 50 times 18 runs, of which the plain suite makes every tenth
(``pytest -m slow tests/invariants`` makes all).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import personae.brands.native as native
from personae.core.ledgercheck import ledger_check

CONFORM = Path(native.__file__).parent / "conform"
PROGRAMS = ("fork", "vfork", "forkall", "exec", "lwp", "wait")
SEEDS = range(50)
Boot = Callable[..., Any]


def shown(name: str) -> list[int]:
    """The invariants that a program cites."""
    source = (CONFORM / f"{name}.c").read_text(encoding="utf-8")
    return sorted({int(n) for n in re.findall(r'"FORK-(\d+)"', source)})


def _params() -> list[Any]:
    return [
        pytest.param(
            name, id=name, marks=pytest.mark.invariant(*shown(name), brand="native")
        )
        for name in PROGRAMS
    ]


programs = pytest.mark.parametrize("name", _params())


def output(boot: Boot, name: str, cpus: int, seed: int) -> str:
    elf = CONFORM / f"{name}.elf"
    z = boot("native", {name: elf}, cpus=cpus, schedule_seed=seed)
    z.mount_tmpfs("/tmp")
    r = z.run([f"/{name}"], timeout="900s")
    out: str = r.stdout.decode()
    assert (cpus, seed, r.returncode, r.stderr) == (cpus, seed, 0, b""), out
    assert ledger_check(z.machine.kernel) == []
    return out


def check(boot: Boot, name: str, cpus: int, seeds: range) -> None:
    wanted = output(boot, name, 1, 0)
    assert wanted.count("\nok ") >= 20
    for seed in seeds:
        assert (seed, output(boot, name, cpus, seed)) == (seed, wanted)


@pytest.mark.parametrize("cpus", [1, 2, 4])
@programs
def test_some_schedules(boot: Boot, name: str, cpus: int) -> None:
    check(boot, name, cpus, SEEDS[cpus::10])


@pytest.mark.slow
@pytest.mark.parametrize("cpus", [1, 2, 4])
@programs
def test_all_schedules(boot: Boot, name: str, cpus: int) -> None:
    check(boot, name, cpus, SEEDS)


def test_what_they_show() -> None:
    """What of the invariants a program can see, programs show."""
    numbers = {n for name in PROGRAMS for n in shown(name)}
    assert numbers >= {*SHOWN}


SHOWN = (
    1, 2, 5, 9, 11, 12, 14, 15, 16, 17, 25, 35, 39, 41, 42, 43, 46, 49, 52, 53, 54, 55,
    56, 57, 59, 66, 72, 83, 84, 85, 86, 87, 90, 92, 119, 120,
)  # fmt: skip
