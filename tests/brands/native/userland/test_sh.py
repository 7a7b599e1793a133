"""The shell of the native zone does what the host's sh does with the same scripts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_script(script: Path, boot: Callable[..., Any], tmp_path: Path) -> None:
    """Output and status."""
    (tmp_path / "t" / "sub").mkdir(parents=True)
    text = script.read_text()
    want = run_on_host(text, tmp_path)
    z = boot("native", {})
    z.put("/tmp/t/.keep", b"")
    z.put("/tmp/t/sub/.keep", b"")
    z.put("/script", text.encode())
    got = z.run(["/bin/sh", "/script", "/tmp/t"], timeout="60s")
    assert got.stdout.decode().splitlines() == want.stdout.decode().splitlines()
    assert got.returncode == want.returncode


def run_on_host(text: str, tmp_path: Path) -> Any:
    """The host's sh, in a folder that looks like the zone's."""
    script = tmp_path / "script"
    script.write_text(text)
    return subprocess.run(
        ["sh", script, tmp_path / "t"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
    )
