"""The xv6 brand by its guests: each prints its checks, and all have to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

import personae_xv6
from personae.core import Machine, ZoneHandle
from personae.core.brands import load_brands

GUESTS = Path(personae_xv6.__file__).parent / "guests"
CHECKS = {
    "execs": 12,
    "files": 65,
    "forkfail": 4,
    "killer": 17,
    "memory": 16,
    "tree": 13,
}


def boot(**options: object) -> tuple[Machine, ZoneHandle]:
    """A machine with an xv6 zone that has all guests in its root."""
    names = ["native"]
    machine = Machine(
        memory="64M", brands=[*load_brands(names), personae_xv6.BRAND], cpus=2
    )
    zone = machine.add_zone("x", brand="xv6", options=options)
    for elf in GUESTS.glob("*.elf"):
        zone.put(f"/{elf.stem}", elf.read_bytes())
    return machine, zone


def verdicts(text: bytes) -> tuple[int, list[str]]:
    """How many checks there were by the plan, and those that failed."""
    lines = text.decode().splitlines()
    plan = [line for line in lines if line.startswith("1..")]
    assert len(plan) == 1, text
    count = int(plan[0][3:])
    assert sum(line.startswith(("ok ", "not ok ")) for line in lines) == count
    return count, [line for line in lines if line.startswith(("not ok", "# got"))]


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_guest(name: str) -> None:
    """Every check of a program holds, and nothing is left behind."""
    machine, zone = boot()
    result = zone.run([f"/{name}"], timeout="60s")
    assert verdicts(result.stdout) == (CHECKS[name], [])
    assert result.returncode == 0
    left = machine.kernel.zone_procs(zone.zone)
    assert {proc.pid for proc in left} <= {result.pid}
    assert not machine.kernel.oopses


def test_init_has_a_console_and_reaps_the_orphans() -> None:
    """Init opens the console that it makes, and its program's orphans come to it."""
    machine, zone = boot()
    job = zone.start(["/init", "/orphans"], init=True)
    machine.run_until([job.proc], door=job)
    result = job.result()
    assert result.returncode == 0
    assert verdicts(result.stdout.rsplit(b"init:", 1)[0])[1] == []
    assert result.stdout.endswith(b"init: reaped 3 orphans\n")


def test_the_size_of_the_process_table_is_an_option() -> None:
    """``[zone.NAME.xv6] nproc``: fork fails that much earlier."""
    _, zone = boot(nproc=20)
    text = zone.run(["/forkfail"]).stdout
    assert verdicts(text)[1] == []


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
