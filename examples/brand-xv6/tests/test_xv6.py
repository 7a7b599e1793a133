"""The xv6 brand by its guests: each prints its checks, and all have to hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import personae_xv6
from personae.core import Machine, ZoneHandle
from personae.core.brands import load_brands
from personae.core.conform import cases, run_case

CC = "riscv64-linux-gnu-gcc"
HOME = Path(personae_xv6.__file__).parent
CASES = {case.name: case for case in cases(personae_xv6.BRAND)}


def boot(**options: object) -> tuple[Machine, ZoneHandle]:
    """A machine with an xv6 zone that has all guests in its root."""
    brands = [*load_brands(["native"]), personae_xv6.BRAND]
    machine = Machine(memory="64M", brands=brands, cpus=2)
    zone = machine.add_zone("x", brand="xv6", options=options)
    for elf in [*HOME.glob("guests/*.elf"), *HOME.glob("conform/*.elf")]:
        zone.put(f"/{elf.stem}", elf.read_bytes())
    return machine, zone


RUNS = [(name, cpus) for name in CASES for cpus in (1, 4)]


@pytest.mark.parametrize(
    ("name", "cpus"), [r for r in RUNS if r[1] == 1 or "generic" not in r[0]]
)
def test_case(name: str, cpus: int) -> None:
    """Every check of the brand's programs and of the generic suites holds."""
    result = run_case(personae_xv6.BRAND, CASES[name], cpus)
    assert result.checks
    assert result.failed == [], str(result)


def test_nothing_is_left_out() -> None:
    """Each of the 21 calls, under its number; and no exceptions of the suite."""
    table = personae_xv6.BRAND.sysent
    assert list(table) == list(range(1, 22))
    assert all(ent.fn is not None for ent in table.values())
    assert personae_xv6.BRAND.conformance.gaps == {}


def test_init_has_a_console_and_reaps_the_orphans() -> None:
    """Init opens the console that it makes, and its program's orphans come to it."""
    machine, zone = boot()
    job = zone.start(["/init", "/orphans"], init=True)
    machine.run_until([job.proc], door=job)
    result = job.result()
    assert result.returncode == 0
    assert b"not ok" not in result.stdout
    assert b"\n1..6\n" in result.stdout
    assert result.stdout.endswith(b"init: reaped 3 orphans\n")


def test_the_size_of_the_process_table_is_an_option() -> None:
    """``[zone.NAME.xv6] nproc``: the guest finds that fork fails too early."""
    _, zone = boot(nproc=8)
    lines = zone.run(["/forkfail"]).stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("not ok")] == [
        "not ok 1 fork fails before 64 processes are there # kernel/proc.c"
    ]


def test_two_runs_are_one() -> None:
    """The same digest, and so the same everything."""
    digests = set()
    for _ in range(2):
        machine, zone = boot()
        zone.run(["/killer"])
        digests.add(machine.digest())
    assert len(digests) == 1


def test_a_machine_is_saved_while_a_program_sleeps(tmp_path: Path) -> None:
    """Everything that the brand keeps can be written and read back."""
    machine, zone = boot()
    job = zone.start(["/killer"])
    while machine.kernel.now_ns < 250_000_000:
        machine.step()
    machine.save(tmp_path / "saved")
    machine.run_until([job.proc], door=job)
    other = Machine.load(tmp_path / "saved", [*load_brands(), personae_xv6.BRAND])
    proc = other.kernel.prfind(job.pid)
    assert proc is not None
    other.run_until([proc])
    assert other.digest() == machine.digest()


@pytest.mark.skipif(
    shutil.which(CC) is None or not (HOME / "guests" / "build.py").exists(),
    reason="no cross compiler, or an installed package, which has no sources",
)
def test_the_programs_are_those_of_their_sources(tmp_path: Path) -> None:
    """The same compiler gives the committed bytes."""
    build = HOME / "guests" / "build.py"
    subprocess.run([sys.executable, build, "--out", tmp_path], check=True)
    committed = [*HOME.glob("guests/*.elf"), *HOME.glob("conform/*.elf")]
    assert sorted(p.name for p in committed) == sorted(
        p.name for p in tmp_path.iterdir()
    )
    for elf in committed:
        assert elf.read_bytes() == (tmp_path / elf.name).read_bytes(), elf.name
