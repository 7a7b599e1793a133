"""FORK-115: random operations with random failures, held against a model.

``walk`` says what is done and compared.  The walks of the plain suite make 20,000
operations; those marked ``slow`` 100,000 more: ``pytest -m slow tests/invariants``.
A failure is shrunk to a script, which is in the message of the test: saved to a file it
runs again by ``python -m tests.invariants.walk FILE``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from personae.core import exit as exits
from tests.invariants.model import Model, MProc
from tests.invariants.walk import (
    Walk,
    attempt,
    dump,
    kind_of,
    load,
    replay,
    shrink,
)
from tests.invariants.walkops import NATIVE_ONLY, WEIGHTS

invariant = pytest.mark.invariant
ROOT = Path(__file__).parents[2]


def check_walk(brand: str, seed: int, steps: int) -> Walk:
    walk, wrong = attempt(brand, seed, steps)
    if wrong:
        script, wrong = shrink(brand, walk.log)
        pytest.fail(f"{brand} seed {seed}: {wrong}\n{dump(brand, script)}")
    return walk


@invariant(115)
@pytest.mark.parametrize("seed", range(2))
def test_walk(brand: str, seed: int) -> None:
    walk = check_walk(brand, seed, 5000)
    assert walk.failures > 250
    missing = set(WEIGHTS) - set(walk.done)
    assert missing <= (set() if brand == "native" else set(NATIVE_ONLY))


@pytest.mark.slow
@invariant(115)
@pytest.mark.parametrize("seed", range(100, 110))
def test_long_walk(brand: str, seed: int) -> None:
    check_walk(brand, seed, 5000)


def test_the_same_seed_walks_the_same_way() -> None:
    a, b = Walk("native", 7), Walk("native", 7)
    for _ in range(200):
        a.step()
        b.step()
    assert a.said == b.said
    assert a.k.digest() == b.k.digest()


def test_a_script_is_the_walk(brand: str) -> None:
    """What was done by chance and what its script does are one run."""
    walk, wrong = attempt(brand, 5, 400)
    assert wrong == ""
    again_brand, script = load(dump(brand, walk.log))
    assert (again_brand, script) == (brand, walk.log)
    again = Walk(brand)
    for op in script:
        again.perform(op)
    assert again.said == walk.said
    assert again.k.digest() == walk.k.digest()


# ---- a seeded fault is found, shrunk, and shows again ----


def forgets_upcount(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is reaped stays counted for its user."""
    monkeypatch.setattr(exits, "upcount_dec", lambda *args: None)


def keeps_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that exits goes on owning its contracts."""
    monkeypatch.setattr(exits, "contract_exit", lambda p: None)


def keeps_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own fault: it forgets that children move to another pool too."""

    def bind_pool(self: Model, p: MProc, pool: str) -> None:
        p.pool = pool

    monkeypatch.setattr(Model, "bind_pool", bind_pool)


@pytest.mark.parametrize(
    ("fault", "longest"),
    [(forgets_upcount, 1), (keeps_contracts, 4), (keeps_the_pool, 8)],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_a_fault_is_shrunk(
    fault: object, longest: int, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shrunk script fails in the same way; without the fault it does not fail."""
    assert callable(fault)
    fault(monkeypatch)
    walk, wrong = attempt(brand, 3, 1000)
    assert wrong
    script, again = shrink(brand, walk.log)
    assert len(script) <= longest
    text = dump(brand, script)
    assert kind_of(replay(*load(text))) == kind_of(again)
    monkeypatch.undo()
    assert replay(*load(text)) == ""


def test_a_script_runs_from_the_command_line(tmp_path: Path) -> None:
    walk, _ = attempt("native", 2, 50)
    path = tmp_path / "script"
    path.write_text(dump("native", walk.log), encoding="utf-8")
    command = [sys.executable, "-m", "tests.invariants.walk", str(path)]
    r = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (r.returncode, r.stdout, r.stderr) == (0, "nothing is wrong\n", "")
