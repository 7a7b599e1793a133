"""Three brands side by side in one machine, one of them a package of somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
XV6 = ROOT / "examples" / "brand-xv6"
TOML = """
[zone.n]
brand = "native"
rootfs = "n"
init = { args = ["/init"] }

[zone.l]
brand = "linux"
rootfs = "l"
init = { args = ["/init"] }

[zone.x]
brand = "xv6"
rootfs = "x"
init = { args = ["/family"] }

[zone.x.xv6]
nproc = 20
"""


def lay_out(folder: Path) -> Path:
    """A machine of three zones, each with a program that stays; its TOML file."""
    guests = {
        "n/init": ROOT / "brands" / "native" / "guests" / "init.elf",
        "l/init": ROOT / "brands" / "linux" / "guests" / "init.elf",
        "x/family": XV6 / "personae_xv6" / "guests" / "family.elf",
    }
    for name, elf in guests.items():
        target = folder / name
        target.parent.mkdir(parents=True)
        shutil.copy(elf, target)
        target.chmod(0o755)
    (folder / "three.toml").write_text(TOML)
    return folder / "three.toml"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The package of xv6 on the path, with the metadata that pip would add."""
    info = tmp_path / "path" / "personae_xv6-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: personae-xv6\nVersion: 0.1.0\n"
    )
    points = "[personae.brands]\nxv6 = personae_xv6:BRAND\n"
    (info / "entry_points.txt").write_text(points)
    return {**os.environ, "PYTHONPATH": f"{info.parent}:{XV6}"}


def test_every_process_is_seen_from_the_global_zone(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """``up`` boots all three out of one file; ``ptree -Z`` shows who is where."""
    toml = lay_out(tmp_path / "machine")

    def personae(*argv: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "personae.core", *argv],
            cwd=toml.parent,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert personae("config", "check", toml.name) == "three.toml: ok, 3 zones\n"
    started = personae("up", toml.name, "-M", "kept")
    assert "n | init: native zone is up" in started
    assert "l | init: linux zone is up, process 1\n" in started
    tree = [line.split() for line in personae("ptree", "-M", "kept", "-Z").splitlines()]
    assert [(row[0], row[2]) for row in tree] == [
        ("n", "/init"),
        ("l", "/init"),
        ("x", "/family"),
        ("x", "/family"),
    ]
    zones = personae("zoneadm", "-M", "kept", "list", "-v").splitlines()[1:]
    assert [row.split()[4] for row in zones] == ["native", "native", "linux", "xv6"]
