"""Wrong usage, exit statuses, and that no traceback reaches a user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from personae.core import __version__, cli
from personae.core.cli import CliError, main, parser


@pytest.mark.parametrize(
    ("expected", "argv"),
    [
        ("there is no command 'rnu' (did you mean 'run'?)", ["rnu"]),
        ("there is no command 'xyzzy' (known: run, up, list", ["xyzzy"]),
        ("expected a whole number from 1 to 64, got 'x'", ["run", "--cpus", "x", "a"]),
        ("expected a whole number from 1 to 64, got '0'", ["run", "--cpus", "0", "a"]),
        ("expected a whole number from 0 to", ["run", "--seed", "-1", "a"]),
        ('did you mean "64M"?', ["run", "--memory", "64MB", "a"]),
        ("is below the least of 1M", ["run", "--memory", "64K", "a"]),
        ('did you mean "5s"?', ["run", "--time-limit", "5", "a"]),
        ("leaves no time to run", ["run", "--time-limit", "0s", "a"]),
        ("unrecognized arguments: --cpu", ["run", "--cpu", "2", "a"]),
        ("up: name a FILE.toml, or a kept machine", ["up"]),
        ("not allowed with argument", ["list", "-v", "-p"]),
        ("required: check|show|schema", ["config"]),
        ("required: FILE", ["config", "check"]),
        ("invalid choice: 'chekc'", ["config", "chekc"]),
        ("'--' and a command line belong to 'personae run'", ["brands", "--", "x"]),
        ("required: TARGET", ["rootfs"]),
    ],
)
def test_usage(
    expected: str, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one message with the usage and where help is, nothing on stdout."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert (out, expected in err) == ("", True)
    assert "usage: personae" in err
    assert "--help" in err
    assert "Traceback" not in err


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """No arguments: the help, and the status of wrong usage."""
    assert main([]) == 2
    assert "up        boot the machine" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert f"personae {__version__}\n" == capsys.readouterr().out


def test_split_command() -> None:
    """Only the first ``--`` is ours."""
    assert parser.split_command(["run", "-r", "x", "--", "a", "--", "b"]) == (
        ["run", "-r", "x"],
        ["a", "--", "b"],
    )


def test_command_keeps_its_options() -> None:
    """Options after the program are the program's."""
    args = parser.build().parse_args(["run", "-r", "root", "/bin/ls", "-l", "-r"])
    assert (args.rootfs, args.command) == ("root", ["/bin/ls", "-l", "-r"])


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (
            125,
            "personae: internal error: ZeroDivisionError: no",
            ZeroDivisionError("no"),
        ),
        (125, "PERSONAE_DEBUG=1", RecursionError()),
        (127, "personae: not there", CliError("not there", 127)),
        (130, "", KeyboardInterrupt()),
    ],
)
def test_failures(
    status: int,
    text: str,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever comes out of a command becomes a message and a status."""

    def broken(arguments: list[str]) -> int:
        raise error

    monkeypatch.delenv("PERSONAE_DEBUG", raising=False)
    monkeypatch.setattr(parser, "dispatch", broken)
    assert status == main(["run"])
    err = capsys.readouterr().err
    assert text in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setenv("PERSONAE_DEBUG", "1")
    monkeypatch.setattr(parser, "dispatch", broken)
    assert main(["run"]) == cli.EXIT_FAILURE
    assert "Traceback" in capsys.readouterr().err


def test_config_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and a line when good, 1 and the problems when bad."""
    file = tmp_path / "z.toml"
    file.write_text("[zone.a]\n")
    assert main(["config", "check", str(file)]) == 0
    assert f"{file}: ok, 1 zone\n" == capsys.readouterr().out
    file.write_text("[zone.a]\nbrnd = 'linux'\nautoboot = 1\n")
    assert main(["config", "check", str(file)]) == 1
    expected = (
        f"{file}:2: zone.a.brnd: unknown key (did you mean 'brand'?)\n"
        f"{file}:3: zone.a.autoboot: expected true or false, got an integer 1\n"
    )
    assert expected == capsys.readouterr().err


def test_config_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints is the committed file, byte for byte."""
    assert main(["config", "schema"]) == 0
    committed = Path(__file__).parents[2] / "docs" / "zones.schema.json"
    assert committed.read_text() == capsys.readouterr().out


def test_brands(capsys: pytest.CaptureFixture[str]) -> None:
    """The two brands that come along are found by their entry points."""
    assert main(["brands"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"linux", "native"} <= set(names)


@pytest.mark.parametrize(
    ("status", "err", "shell"),
    [
        (0, "", '"$0" -m personae.core config schema <&- >&- 2>&-'),
        (125, "personae: No space left on device\n",
         '"$0" -m personae.core config schema >/dev/full'),
    ],
)  # fmt: skip
def test_poor_streams(status: int, err: str, shell: str) -> None:
    """Started with closed descriptors, a full disk."""
    result = subprocess.run(
        ["bash", "-c", shell, sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (status, err)


def test_reader_has_gone() -> None:
    """Output that nobody reads: as SIGPIPE would have it, without a word."""
    source, sink = os.pipe()
    os.close(source)
    command = [sys.executable, "-m", "personae.core", "config", "schema"]
    result = subprocess.run(
        command, stdout=sink, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(sink)
    assert (result.returncode, result.stderr) == (141, b"")
