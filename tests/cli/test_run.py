"""``personae run``: host-side checks, exit statuses, streams, reports."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from personae.core.cli import CliError, main
from personae.core.cli.run import environment, volume
from personae.core.cli.session import shell_number
from personae.core.signo import Sig

GUESTS = Path(__file__).parents[2] / "brands" / "linux" / "guests"
HELLO = str(GUESTS / "hello.elf")


@pytest.mark.parametrize(
    ("status", "message", "argv"),
    [
        (2, "run: name a program: personae run [options] -- CMD", []),
        (127, "run: nope: no such file on the host; without -r", ["nope"]),
        (126, "run: /: not a file; without -r", ["/"]),
        (125, "-r nope: no such folder or .tar; make one with", ["-r", "nope", "x"]),
        (125, "neither a folder nor a .tar", ["-r", "/etc/passwd", "x"]),
        (125, "no brand 'linus' is installed (did you mean 'linux'?)",
         ["-b", "linus", HELLO]),
        (2, "-v 'x': write SRC:DST", ["-v", "x", HELLO]),
        (2, "'rel' must be an absolute path", ["-v", "/:rel", HELLO]),
        (125, "no folder '/nope' on the host", ["-v", "/nope:/x", HELLO]),
        (2, "-e '=x': write NAME=VALUE", ["-e", "=x", HELLO]),
    ],
)  # fmt: skip
def test_told_before_the_boot(
    status: int,
    message: str,
    argv: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is wrong with the host is told before a machine is made."""
    assert main(["run", *argv]) == status
    assert message in capsys.readouterr().err


def test_volume() -> None:
    assert volume("/:/data") == ("/", "/data", False)
    assert volume("/:/data:ro") == ("/", "/data", True)
    assert volume("/:/data:rw") == ("/", "/data", False)
    with pytest.raises(CliError):
        volume("/:/a/../b")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """K=V sets, K takes the host's, an absent K is left out; last one wins."""
    monkeypatch.setenv("FROM_HOST", "yes")
    monkeypatch.delenv("ABSENT", raising=False)
    env = environment(["A=1", "FROM_HOST", "ABSENT", "A=2=3", "PATH="])
    assert env == {"A": "2=3", "FROM_HOST": "yes", "HOME": "/root", "PATH": ""}


def test_shell_number() -> None:
    """A Linux user's numbers for linux, illumos' for native."""
    assert shell_number(Sig.SIGBUS, "linux") == 7
    assert shell_number(Sig.SIGUSR1, "linux") == 10
    assert shell_number(Sig.SIGUSR1, "native") == 16
    assert shell_number(Sig.SIGCLD, "linux") == 17


def test_hello(capfd: pytest.CaptureFixture[str]) -> None:
    """A file of the host in an empty root."""
    assert main(["run", HELLO, "a", "--", "b"]) == 0
    out, err = capfd.readouterr()
    first, *rest = out.splitlines()
    assert first.startswith("hello from the linux brand, process ")
    assert rest == ["argument 1: a", "argument 2: --", "argument 3: b"]
    assert err == ""


def test_native(capfd: pytest.CaptureFixture[str]) -> None:
    program = GUESTS.parents[1] / "native" / "guests" / "hello.elf"
    assert main(["run", "-b", "native", str(program)]) == 0
    assert capfd.readouterr().out.startswith("hello from the native brand")


def test_status(capfd: pytest.CaptureFixture[str]) -> None:
    """The guest's own status: the number of forks that failed, here none."""
    assert main(["run", str(GUESTS / "forkstep.elf"), "fork", "1"]) == 0
    assert capfd.readouterr().out == "fork 1: child exited with 41\n"


def elf(code: bytes) -> bytes:
    """A riscv64 program of a few instructions."""
    base, head = 0x10000, 64 + 56
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = (2, 0xF3, 1, base + head, 64, 0, 5, 64, 56, 1, 0, 0, 0)
    size = head + len(code)
    segment = (1, 5, 0, base, base, size, size, 0x1000)
    return (
        ident
        + struct.pack("<HHIQQQIHHHHHH", *header)
        + struct.pack("<IIQQQQQQ", *segment)
        + code
    )


def test_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """128+N in the guest's numbers, and a line that names the signal."""
    program = tmp_path / "illegal"
    program.write_bytes(elf(bytes(4)))  # all zero is no instruction
    assert main(["run", str(program)]) == 128 + 4
    assert "(pid 101) was ended by SIGILL" in capfd.readouterr().err
    program.write_bytes(elf(bytes.fromhex("03200000")))  # lw zero, 0(zero)
    assert main(["run", str(program)]) == 128 + 11
    assert "was ended by SIGSEGV" in capfd.readouterr().err


def test_not_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A host program of another architecture: 126 and what it should be."""
    assert main(["run", sys.executable]) == 126
    assert "riscv64" in capsys.readouterr().err
    (tmp_path / "root").mkdir()
    assert main(["run", "-r", str(tmp_path / "root"), "/bin/nope"]) == 127
    assert "/bin/nope: not found" in capsys.readouterr().err


def test_time_limit(capfd: pytest.CaptureFixture[str]) -> None:
    """Virtual time: a guest that sleeps is stopped at once, and told so."""
    assert main(["run", "--time-limit", "1us", str(GUESTS / "demo.elf")]) == 124
    assert "the time limit is reached" in capfd.readouterr().err


def test_report(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The report has the digest, and is the same byte for byte the second time."""
    reports = []
    for name in ("a", "b"):
        file = tmp_path / name
        assert main(["run", "--seed", "5", "--report", str(file), HELLO]) == 0
        reports.append(json.loads(file.read_text()))
    for one in reports:
        assert one.pop("host_seconds") > 0
    report = reports[0]
    assert reports[0] == reports[1]
    assert (report["exit_status"], report["execs"], report["forks"]) == (0, 1, 0)
    assert report["unknown_syscalls"] == {}
    assert 0 < report["peak_frames"] < 1000
    assert report["digest"].startswith("sha256:")
    assert report["machine"]["seed"] == 5
    assert report["syscalls"]["write"] > 0
    assert report["instructions"] > 0
    capfd.readouterr()
    assert main(["run", "--report", "-", HELLO]) == 0
    assert json.loads(capfd.readouterr().err)["format"] == 1


def test_report_cannot_be_written(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--report", "/nope/x", HELLO]) == 125
    assert "--report /nope/x: cannot be written" in capfd.readouterr().err


def test_reader_has_gone() -> None:
    """``personae run ... | head -0`` ends as SIGPIPE does, without a traceback."""
    source, sink = os.pipe()
    os.close(source)
    command = [sys.executable, "-m", "personae.core", "run", str(GUESTS / "demo.elf")]
    result = subprocess.run(
        command, stdout=sink, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(sink)
    assert (result.returncode, result.stderr) == (141, b"")


def test_the_brands_own_programs(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without -r a bare name may be a program that the brand brings."""
    monkeypatch.chdir(tmp_path)
    script = "echo $((6*7)) | cat; exit 9"
    assert main(["run", "-b", "native", "--", "sh", "-c", script]) == 9
    assert capfd.readouterr().out == "42\n"
    assert main(["run", "-b", "native", "--", "nope"]) == 127
    assert "one that brand 'native' brings: cat, ctrun" in capfd.readouterr().err
    assert main(["run", "-b", "native", "--", "./sh"]) == 127
    assert "brings" not in capfd.readouterr().err


def test_demo(capfd: pytest.CaptureFixture[str]) -> None:
    """The demonstration shows the native zone's own programs, and repeats."""
    assert main(["demo"]) == 0
    out = capfd.readouterr().out
    assert " lab | its status: 3\n" in out
    assert "PROCESS/NLWP\n" in out
    assert out.endswith("a second run with the same seed: the same\n")
