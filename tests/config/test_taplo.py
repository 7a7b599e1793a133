"""Editors: taplo finds the schema, by our rule or by a file's first line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TAPLO = shutil.which("taplo") or shutil.which(
    "taplo", path=str(Path(sys.executable).parent)
)


@pytest.fixture
def lint(tmp_path: Path) -> Path:
    """A folder with the rule and the schema."""
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / ".taplo.toml", tmp_path)
    shutil.copy(ROOT / "docs" / "zones.schema.json", tmp_path / "docs")
    return tmp_path


@pytest.mark.skipif(TAPLO is None, reason="taplo is not installed")
@pytest.mark.parametrize(
    ("name", "text", "good"),
    [
        ("a.zones.toml", '[zone.a]\nbrand = "linux"\n[zone.a.linux]\nx = 1\n', True),
        ("a.zones.toml", "[machine]\ncpus = 0\n", False),
        ("zones.toml", "[machnie]\n", False),
        ("other.toml", "[machine]\ncpus = 0\n", True),
        (
            "other.toml",
            "#:schema ./docs/zones.schema.json\n[machine]\ncpus = 0\n",
            False,
        ),
    ],
)
def test_lint(lint: Path, name: str, text: str, good: bool) -> None:
    assert TAPLO is not None
    (lint / name).write_text(text)
    done = subprocess.run(
        [TAPLO, "lint", name], cwd=lint, capture_output=True, check=False, timeout=30
    )
    assert (done.returncode == 0) == good, done.stderr.decode()
