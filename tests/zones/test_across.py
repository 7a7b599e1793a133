"""A native global zone with linux and native zones: who sees whom, who takes what."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core import zoneadm
from personae.core.cli import main
from personae.core.hookspecs import hookimpl
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.proc import Proc

GUESTS = Path(__file__).parent / "guests"
Build = Callable[[str, Path], Path]
NATIVE_ZONES = {"global": "native", "web": "linux", "lab": "native", "db": "linux"}


@pytest.fixture(scope="session")
def build(
    cross_cc: str, guestbuild: object, tmp_path_factory: pytest.TempPathFactory
) -> Build:
    """Compile a guest of this folder for a brand, with the tiny library."""
    out = tmp_path_factory.mktemp("zones")

    def make(brand: str, name: str) -> Path:
        elf = out / f"{brand}-{name}"
        if not elf.exists():
            source = GUESTS / f"{name}.c"
            guestbuild.build(brand, source, elf, cross_cc, out)  # type: ignore[attr-defined]
        return elf

    return make  # type: ignore[return-value]


def describe(folder: Path, build: Build) -> Path:
    """One file with a global zone and three others, each with a root of its own."""
    text = "schema = 1\n"
    for name, brand in NATIVE_ZONES.items():
        program = "boss" if name == "global" else "peer"
        root = folder / name
        root.mkdir()
        (root / "init").write_bytes(build(brand, program).read_bytes())  # type: ignore[arg-type]
        (root / "init").chmod(0o755)
        args = '"/init", "web", "lab", "db"' if name == "global" else '"/init"'
        text += (
            f'[zone.{name}]\nbrand = "{brand}"\nrootfs = "{name}"\n'
            f"[zone.{name}.init]\nargs = [{args}]\n"
        )
    (folder / "zones.toml").write_text(text)
    return folder / "zones.toml"


@pytest.mark.parametrize("cpus", [1, 4])
def test_who_sees_whom(tmp_path: Path, build: Build, cpus: int) -> None:
    """The global zone sees and signals all, the others themselves and nobody else."""
    m = Machine.from_toml(describe(tmp_path, build), {"machine.cpus": cpus})
    for name in NATIVE_ZONES:
        if name != "global":
            zoneadm.boot(m, name)
    job = zoneadm.start_init(m, m.kernel.installed["global"])
    assert job is not None
    limit = m.kernel.cycles(10 * 10**9)
    m.run_until([job.proc], door=job, limit=limit)
    told = "foreign 0 groups 0 key 1 segments 0 child 42"
    assert job.result().stdout.decode().splitlines() == [
        f"{zone}: seen 1 group 1 shm 0: {told}" for zone in ("web", "lab", "db")
    ]
    assert ledger_check(m.kernel) == []
    tree = m.ptree().splitlines()
    assert [line.split()[-1] for line in tree] == ["/init", "/init", "/init"]


def test_a_zone_reboots_itself(
    tmp_path: Path, build: Build, capfd: pytest.CaptureFixture[str]
) -> None:
    """uadmin(A_REBOOT) in a kept machine: the zone is there again, its files too."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "init").write_bytes(build("native", "again").read_bytes())  # type: ignore[arg-type]
    (tmp_path / "root" / "init").chmod(0o755)
    text = 'schema = 1\n[zone.z]\nrootfs = "root"\n[zone.z.init]\nargs = ["/init"]\n'
    (tmp_path / "z.toml").write_text(text)
    kept = str(tmp_path / "m")
    assert main(["up", str(tmp_path / "z.toml"), "-M", kept]) == 0
    out, err = capfd.readouterr()
    assert out == "again: first, 0\nagain: second, 1\n"
    assert "z: its init ended, exit 0, and it was booted again\n" in err
    assert main(["zoneadm", "-M", kept, "list", "-p"]) == 0
    assert capfd.readouterr().out == (
        "0:global:running:/::native:shared\n2:z:running:/zones/z::native:shared\n"
    )


def call(folder: Path, *args: str, text: str = "") -> tuple[int, str]:
    """Run the command with this input; status and output."""
    done = subprocess.run(
        [sys.executable, "-m", "personae.core", *args],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PERSONAE_MACHINE": "m"},
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_input(tmp_path: Path, build: Build) -> None:
    """A program of zlogin reads to the end of input; a console's input has no end."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "lines").write_bytes(build("native", "lines").read_bytes())  # type: ignore[arg-type]
    (tmp_path / "root" / "lines").chmod(0o755)
    (tmp_path / "z.toml").write_text(
        'schema = 1\n[zone.z]\nrootfs = "root"\n[zone.z.init]\nargs = ["/lines"]\n'
    )
    assert call(tmp_path, "up", "z.toml", "-M", "m") == (0, "")
    assert call(tmp_path, "zlogin", "z", "/lines", text="a\nb\n") == (
        3,
        "got a\ngot b\nend\n",
    )
    assert call(tmp_path, "zlogin", "-C", "z", text="one\ntwo\n") == (
        0,
        "got one\ngot two\n",
    )
    assert call(tmp_path, "zlogin", "-C", "z", text="three\n") == (0, "got three\n")
    assert call(tmp_path, "doctor", "m")[0] == 0


class Forks:
    """Forks of each zone."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    @hookimpl
    def personae_proc_create(self, child: Proc) -> None:
        name = child.zone.name
        self.of[name] = self.of.get(name, 0) + 1


def forks(build: Build, cpus: int, how: str, bomb: str, clock_hz: int) -> int:
    """Forks that zone ``good`` makes in a second, alone or beside a fork bomb."""
    count = Forks()
    m = Machine(cpus=cpus, plugins=[count], clock_hz=clock_hz)
    for name, arg in (("good", how), ("bad", bomb)):
        if not arg:
            continue
        z = m.add_zone(name, brand="native", cpu_shares=10, max_processes=60)
        z.put("/p", build("native", "paced").read_bytes())  # type: ignore[arg-type]
        z.start(["/p", arg])
    m.run_for(100_000_000)
    before = dict(count.of)
    m.run_for(1_000_000_000)
    if bomb:
        assert m.zone("bad").zone.ffcap > 0
    assert list(m.kernel.oopses) == []
    return count.of["good"] - before["good"]


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("bomb", ["bomb", "spin"])
def test_fork_bomb_next_door(build: Build, bomb: str, cpus: int) -> None:
    """A zone's forks go on as before beside a bomb in a zone with as many shares."""
    alone = forks(build, cpus, "paced", "", 8_000_000)
    beside = forks(build, cpus, "paced", bomb, 8_000_000)
    assert alone > 300
    assert 0.8 * alone <= beside <= 1.2 * alone


def test_fork_bomb_takes_no_more_than_its_share(build: Build) -> None:
    """Two zones that want all of the CPU have half of it each."""
    alone = forks(build, 1, "busy", "", 2_000_000)
    beside = forks(build, 1, "busy", "spin", 2_000_000)
    assert 0.8 * alone / 2 <= beside <= 1.2 * alone / 2
