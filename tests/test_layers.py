"""The layers hold: plugins over brands over core over hw."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOL = Path(sys.executable).with_name("lint-imports")


@pytest.mark.skipif(not TOOL.exists(), reason="import-linter is not installed")
def test_contracts_are_kept() -> None:
    """The contracts of pyproject.toml, as lint-imports judges them."""
    result = subprocess.run(
        [TOOL, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["core", "brands", "hw", "plugins"])
def test_no_second_copy(name: str) -> None:
    """A root folder cannot be imported by its bare name: that is a second kernel."""
    result = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "ImportError" in result.stderr


def test_the_kernel_meets_the_hardware_in_three_modules() -> None:
    """vm/hat.py drives it, kernel.py makes it, savefile.py stores it."""
    core = ROOT / "core"
    found = {
        path.relative_to(core).as_posix()
        for path in core.rglob("*.py")
        if re.search(
            r"^\s*(from personae\.hw\b|from personae import hw\b|import personae\.hw)",
            path.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    assert found == {"kernel.py", "savefile.py", "vm/hat.py"}
