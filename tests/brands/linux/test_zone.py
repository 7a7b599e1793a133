"""A linux zone: its init, its mounts, its names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parent / "programs"
Boot = Callable[..., Any]
Build = Callable[[str, Path], Path]


@pytest.mark.parametrize("cpus", [1, 3])
def test_init_is_one(boot: Boot, build_case: Build, cpus: int) -> None:
    """The zone's init is pid 1, cannot be killed from inside, and adopts orphans."""
    z = boot("linux", {"init": build_case("linux", PROGRAMS / "pidone.c")}, cpus=cpus)
    job = z.start(["/init"], init=True)
    z.machine.run_until([job.proc], door=job)
    r = job.result()
    assert (r.returncode, r.stdout) == (0, b"")


def test_mounts(boot: Boot) -> None:
    """/proc, /dev, /tmp and /dev/shm are there; /sys is not."""
    z = boot("linux", {})
    root, cred = z.zone.root, z.zone.cred
    names = {e.name for e in root.readdir(0)}
    assert {b"proc", b"dev", b"tmp"} <= names
    assert b"sys" not in names
    dev = root.lookup(b"dev", cred).v_mounted.root
    assert dev.lookup(b"shm", cred).getattr().mode == 0o1777
    assert dev.lookup(b"fd", cred).readlink(None) == b"/proc/self/fd"


def test_shares_are_among_the_mounts(
    boot: Boot, build_case: Build, tmp_path: Path
) -> None:
    """/proc/mounts has what the user shares with the zone, without its host path."""
    shares = [(str(tmp_path), "/data/in", True), (str(tmp_path), "/data/out", False)]
    z = boot(
        "linux",
        {"cat": build_case("linux", PROGRAMS / "showfile.c")},
        zone={"mounts": shares},
    )
    r = z.run(["/cat", "/proc/mounts"])
    assert r.returncode == 0
    assert [tuple(line.split()[:4]) for line in r.stdout.decode().splitlines()] == [
        ("tmpfs", "/", "tmpfs", "rw,relatime"),
        ("proc", "/proc", "proc", "rw,relatime"),
        ("devtmpfs", "/dev", "devtmpfs", "rw,relatime"),
        ("hostfs", "/data/in", "hostfs", "ro,relatime"),
        ("hostfs", "/data/out", "hostfs", "rw,relatime"),
        ("devpts", "/dev/pts", "devpts", "rw,relatime"),
    ]


def test_names(boot: Boot) -> None:
    """uname is Linux on riscv64, with the node name of the zone."""
    z = boot("linux", {}, zone={"hostname": "box"})
    data = z.zone.brand_data
    assert (data.nodename, data.release) == (b"box", b"6.12.0-personae")
