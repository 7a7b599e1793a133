"""/proc of native zones, seen from outside the programs that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from struct import unpack_from
from typing import Any

import pytest

from personae.brands.native import procabi, procmem
from personae.core.disp import Status
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine

HERE = Path(__file__).parent
Build = Callable[[str, Path], Path]


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine whose global zone and zones ``a`` and ``b`` are native."""
    m = Machine()
    m.set_global()
    for name in ("a", "b"):
        m.add_zone(name, brand="native")
    yield m
    assert list(m.kernel.oopses) == []
    assert ledger_check(m.kernel) == []


def pids(out: bytes) -> dict[int, tuple[int, str]]:
    rows = (line.split() for line in out.decode().splitlines())
    return {int(pid): (int(zone), name) for pid, zone, name in rows}


def test_the_global_zone_sees_all_others_their_own(
    machine: Machine, build_case: Build
) -> None:
    program = build_case("native", HERE / "programs" / "pids.c").read_bytes()
    zones = [machine.zone(name) for name in ("global", "a", "b")]
    seen = {}
    for z in zones:
        z.put("/pids", program)
    for z in zones:
        seen[z.id] = pids(z.run(["/pids"]).stdout)
    everything = {z for z, _ in seen[0].values()}
    assert everything == {z.id for z in zones}
    for z in zones[1:]:
        mine = {zone for zone, _ in seen[z.id].values()}
        assert mine == {z.id}
        assert "pids" in {name for _, name in seen[z.id].values()}


def test_sizes_are_those_of_the_headers(machine: Machine) -> None:
    """Of lwps and processes of any brand; also where a field has an offset."""
    p = machine.kernel.p0
    assert len(procabi.psinfo(p)) == procabi.PSINFO_SIZE == 416
    assert len(procabi.pstatus(p)) == procabi.PSTATUS_SIZE == 1448
    assert len(procabi.usage(p)) == procabi.USAGE_SIZE == 504
    assert len(procabi.lwpsinfo(None, 3)) == procabi.LWPSINFO_SIZE == 128
    assert unpack_from("<i", procabi.lwpsinfo(None, 3), 4) == (3,)
    assert procabi.psinfo(p)[136:141] == b"sched"


def test_sets_are_read_as_they_are_written() -> None:
    for members in (set(), {1}, {32, 33}, {512}, set(range(1, 513, 7))):
        assert procabi.members(procabi.words(members, 16)) == members


@pytest.mark.parametrize("name", ["contract", "door", "proc"])
def test_saved_in_the_middle(
    name: str, boot: Callable[..., Any], tmp_path: Path
) -> None:
    """Open files of /proc and of contracts and door calls are saved with a machine."""
    program = HERE.parents[2] / "brands" / "native" / "conform" / f"{name}.elf"

    def start() -> Machine:
        z = boot("native", {"program": program}, quantum=200_000)
        z.start(["/program"])
        m = z.machine
        assert isinstance(m, Machine)
        return m

    def run(m: Machine, save_at: list[int]) -> tuple[int, str]:
        steps = 0
        while m.step() is not Status.IDLE:
            steps += 1
            if steps in save_at:
                m.save(tmp_path / str(steps))
        return steps, m.digest()

    steps, digest = run(start(), [])
    places = [steps * i // 5 for i in range(1, 5)]
    assert run(start(), places) == (steps, digest)
    for place in places:
        assert run(Machine.load(tmp_path / str(place)), [])[1] == digest


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hostile(seed: int, boot: Callable[..., Any], build_case: Build) -> None:
    """Random messages, requests, pointers: errno or signal, no fault of ours."""
    program = build_case("native", HERE / "programs" / "hostile.c")
    z = boot("native", {"hostile": program}, zone={"max_lwps": 60})
    z.run(["/hostile", str(seed), "15"], timeout="600s")
    assert list(z.machine.kernel.oopses) == []


def test_processes_of_another_brand(
    machine: Machine, guest_file: Callable[[str, str], Path], build_case: Build
) -> None:
    """The global zone's /proc tells of linux processes, too."""
    linux = machine.add_zone("c", brand="linux")
    linux.put("/init", guest_file("linux", "init").read_bytes())
    job = linux.start(["/init"], init=True, input=None)
    machine.run_for(5_000_000)
    p = job.proc
    assert unpack_from("<iiii", procabi.psinfo(p)) == (0, len(p.lwps), p.pid, p.ppid)
    assert unpack_from("<ii", procabi.pstatus(p), 8) == (p.pid, p.ppid)
    assert len(procmem.prxmap(p)) == 216 * len(procmem.entries(p))
    z = machine.zone("global")
    z.put("/pids", build_case("native", HERE / "programs" / "pids.c").read_bytes())
    assert pids(z.run(["/pids"]).stdout)[p.pid] == (linux.id, "init")
