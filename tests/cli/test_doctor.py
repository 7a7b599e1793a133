"""``personae doctor``: the books of a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from personae.core.cli import main
from tests.core.machines import native


def test_a_saved_machine_is_consistent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, zone = native("demo", "true")
    job = zone.start(["/bin/demo"])
    for _ in range(30):
        machine.step()
    file = tmp_path / "machine"
    machine.save(file)
    assert main(["doctor", str(file)]) == 0
    assert capsys.readouterr().out.endswith(": consistent\n")
    assert main(["doctor", "--ledger", str(file)]) == 0
    books = json.loads(capsys.readouterr().out)
    assert books["counters"]["nproc"] == machine.kernel.nproc
    assert job.proc.stat.name != "SZOMB"


def test_a_leak_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, _ = native()
    machine.kernel.nproc += 1
    file = tmp_path / "machine"
    machine.save(file)
    assert main(["doctor", str(file)]) == 1
    out = capsys.readouterr().out
    assert "wrong: " in out
    assert out.endswith(": not consistent\n")


def test_a_description_is_booted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "zones.toml"
    file.write_text('[zone.a]\nbrand = "native"\n', encoding="utf-8")
    assert main(["doctor", str(file)]) == 0
    assert "2 zones" in capsys.readouterr().out


def test_what_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "/nope"]) == 125
    assert "doctor: /nope: cannot be read" in capsys.readouterr().err
