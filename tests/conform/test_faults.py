"""The generic suites catch each fault that a brand can have, and name it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from personae.core.conform import CaseResult, cases, run_case
from tests.conform.faulty import FAULTS, brand

ROOT = Path(__file__).resolve().parents[2]
CAUGHT = {
    "leaks-procdata": ("generic.every-step", "nothing in the brand's own state"),
    "leaks-child": ("generic.every-step", "nothing holds on to a child"),
    "fails-after-commit": ("generic.hook-order", "b_lwp_setrval raised KernelError"),
    "wrong-child-register": ("generic.fork", "fork returns twice"),
    "clobbers-child": ("generic.fork", "the child saw registers changed"),
    "clobbers-parent": ("generic.fork", "the parent saw registers changed"),
    "forgets-freelwp": ("generic.hook-order", "b_freelwp left the brand data"),
    "frees-twice": ("generic.hook-order", "b_freelwp was called twice for one lwp"),
    "frees-early": ("generic.hook-order", "b_freelwp: the data of the lwp was gone"),
    "shares-procdata": ("generic.hook-order", "child and parent share one ProcData"),
    "keeps-lock": ("generic.hook-order", "b_forklwp changed the locks held"),
    "swallows-error": ("generic.every-step", "is told to the program"),
    "lock-to-user": ("generic.hostile", "(getpid): Panic: "),
    "host-random": ("generic.same-twice", "two runs with one seed have one digest"),
    "host-state": ("generic.same-twice", "two runs with one seed have one digest"),
    "hash-order": ("generic.other-process", "whose sets and hashes differ"),
    "unpicklable": ("generic.snapshots", "the machine can be saved"),
    "handler-breaks": ("generic.hostile", "(number)"),
    "forgets-clearbrand": ("generic.hook-order", "b_clearbrand left the brand data"),
}
"""Which case catches it, and words of its report."""


def run(fault: str, name: str, cpus: int = 1) -> CaseResult:
    b = brand(fault)
    (case,) = [c for c in cases(b) if c.name == name]
    return run_case(b, case, cpus)


@pytest.mark.parametrize("cpus", [1, 4])
def test_the_sound_one_passes(cpus: int) -> None:
    b = brand()
    results = [run_case(b, c, cpus) for c in cases(b)]
    assert [str(r) for r in results if r.failed] == []
    assert all(r.checks for r in results)


def test_every_fault_is_listed() -> None:
    assert set(CAUGHT) == set(FAULTS)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Python process finds the brand as that of an installed package."""
    info = tmp_path / "faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    point = "[personae.brands]\nfaulty = tests.conform.faulty:HASHES\n"
    (info / "entry_points.txt").write_text(point)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_caught(fault: str) -> None:
    name, words = CAUGHT[fault]
    got = run(fault, name)
    assert got.failed
    assert words in str(got)
