"""busybox sh: the same commands give the same output as on the host."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"
ENV = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "TERM": "vt100",
}


def read_lines() -> dict[str, str]:
    """The scripts of ``data/lines.sh`` by name."""
    parts = (DATA / "lines.sh").read_text().split("\n## ")[1:]
    return dict(p.rstrip("\n").split("\n", 1) for p in parts)


LINES = read_lines()


@pytest.fixture(scope="module")
def zone(busybox_root: Path) -> Any:
    """A linux zone with busybox; each test runs its own command in it."""
    from personae.core.machine import Machine

    return Machine().add_zone("sh", brand="linux", rootfs=busybox_root)


@pytest.mark.parametrize("name", LINES)
def test_line(name: str, zone: Any, tmp_path: Path) -> None:
    """Output and status as busybox on the host gives them."""
    host = shutil.which("busybox")
    if host is None:
        pytest.skip("needs busybox on the host (Debian: busybox-static)")
    here = subprocess.run(
        [host, "sh", "-c", LINES[name]],
        cwd=tmp_path,
        env=ENV,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    there = zone.run(
        ["/bin/busybox", "sh", "-c", LINES[name]], cwd="/tmp", env=ENV, timeout="60s"
    )
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout)


@pytest.mark.parametrize("cpus", [1, 3])
def test_posix_sh(cpus: int, busybox_root: Path) -> None:
    """A long script gives what a real riscv64 Linux gave."""
    from personae.core.machine import Machine

    z = Machine(cpus=cpus).add_zone("sh", brand="linux", rootfs=busybox_root)
    z.put("/posix-sh.sh", (DATA / "posix-sh.sh").read_bytes())
    r = z.run(["/bin/busybox", "sh", "/posix-sh.sh"], env=ENV, timeout="300s")
    assert (DATA / "posix-sh.out").read_text() == r.stdout.decode()
    assert r.returncode == 0


def test_sha256sum(zone: Any) -> None:
    """10 MB through a pipe and sha256sum."""
    import hashlib

    data = bytes(range(256)) * (10_000_000 // 256)
    r = zone.run(["/bin/busybox", "sh", "-c", "cat | sha256sum"], input=data, env=ENV)
    assert f"{hashlib.sha256(data).hexdigest()}  -\n" == r.stdout.decode()


def test_same_twice(busybox_root: Path) -> None:
    """The same seed gives the same run, another one another."""
    from personae.core.machine import Machine

    digests = []
    for seed in (5, 5, 6):
        m = Machine(seed=seed, cpus=2)
        z = m.add_zone("sh", brand="linux", rootfs=busybox_root)
        z.run(
            [
                "/bin/busybox",
                "sh",
                "-c",
                "for i in 1 2 3; do sleep 0.$i & done; wait; "
                "head -c 8 /dev/urandom | od -x",
            ],
            env=ENV,
        )
        digests.append(m.digest())
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_rootfs_is_untouched(zone: Any, busybox_root: Path) -> None:
    """What a zone does to its root stays in the zone."""
    before = sorted(p.name for p in busybox_root.iterdir())
    r = zone.run(
        ["/bin/busybox", "sh", "-c", "rm -r /etc; echo gone >/new; mkdir /d; ls /"],
        env=ENV,
    )
    assert r.returncode == 0
    assert b"new" in r.stdout
    assert b"etc" not in r.stdout
    assert before == sorted(p.name for p in busybox_root.iterdir())
