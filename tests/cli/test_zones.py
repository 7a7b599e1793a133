"""``personae list`` and ``personae up``."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.core.cli import CliError, main
from personae.core.cli.zones import overrides

GUESTS = Path(__file__).parents[2] / "brands"


@pytest.fixture
def machine_file(tmp_path: Path) -> Path:
    """Two zones: one with a root, one without."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "hello").write_bytes((GUESTS / "linux/guests/hello.elf").read_bytes())
    (root / "hello").chmod(0o755)
    file = tmp_path / "zones.toml"
    file.write_text(
        '[zone.web]\nbrand = "linux"\nrootfs = "root"\nzonepath = "zones/w:b"\n'
        '[zone.web.init]\nargs = ["/hello", "one"]\n'
        '[zone.lab]\nip-type = "exclusive"\n'
    )
    return file


def test_list_verbose(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The columns of zoneadm list -v."""
    assert main(["list", "-cv", str(machine_file)]) == 0
    expected = """\
  ID NAME             STATUS     PATH                           BRAND    IP
   - global           installed  /                              native   shared
   - web              installed  zones/w:b                      linux    shared
   - lab              configured /zones/lab                     native   excl
"""
    assert expected == capsys.readouterr().out


def test_list_parsable(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields with colons, those of the path escaped; no uuid."""
    assert main(["list", "-cp", str(machine_file)]) == 0
    expected = """\
-:global:installed:/::native:shared
-:web:installed:zones/w\\:b::linux:shared
-:lab:configured:/zones/lab::native:excl
"""
    assert expected == capsys.readouterr().out


def test_list_installed(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "-i", str(machine_file)]) == 0
    assert capsys.readouterr().out == "global\nweb\n"


def test_list_running(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing runs between commands, and it says so."""
    assert main(["list", str(machine_file)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "a file runs no zones" in err


@pytest.mark.parametrize("command", ["list", "up"])
def test_bad_file(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every problem, then how many there were; our own failure."""
    file = tmp_path / "z.toml"
    file.write_text("[zone.a]\nbrnd = 1\nautoboot = 2\n")
    assert main([command, str(file)]) == 125
    expected = (
        f"{file}:2: zone.a.brnd: unknown key (did you mean 'brand'?)\n"
        f"{file}:3: zone.a.autoboot: expected true or false, got an integer 2\n"
        "personae: 2 errors in the configuration\n"
    )
    assert expected == capsys.readouterr().err


def test_up_without_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "z.toml"
    file.write_text("[zone.a]\n")
    assert main(["up", str(file)]) == 125
    assert "no zone to start" in capsys.readouterr().err


def test_overrides() -> None:
    """Values are TOML; a word that is none is a string."""
    expected = {"machine.seed": 7, "zone.a.brand": "linux", "x": [1, "b"]}
    given = ["machine.seed=7", "zone.a.brand=linux", 'x=[1, "b"]']
    assert expected == overrides(given)
    with pytest.raises(CliError, match="write KEY=VALUE"):
        overrides(["machine.seed"])


def test_up(machine_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The zone's program runs; a summary with the digest; the same each time."""
    outputs = []
    for _ in range(2):
        assert main(["up", "--set", "machine.seed=9", str(machine_file)]) == 0
        outputs.append(capfd.readouterr())
    out, err = outputs[0]
    assert out.startswith("hello from the linux brand")
    assert out.endswith("argument 1: one\n")
    assert "web: exit 0\n" in err
    assert "digest sha256:" in err
    assert outputs[0] == outputs[1]
