"""The embedded guest programs do what they say, in both brands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GuestFile = Callable[[str, str], Path]
Boot = Callable[..., Any]

RUNS = [
    (["true"], 0, b""),
    (["true", "7"], 7, b""),
    (["forktest", "50"], 0, b"forktest: 50 cycles ok\n"),
    (["vforktest", "20"], 0, b"vforktest: 20 cycles ok\n"),
    (
        ["forkstep"],
        0,
        b"fork 1: child exited with 41\nfork 2: child exited with 42\n",
    ),
    (["forkstep", "vfork", "1"], 0, b"vfork 1: child exited with 41\n"),
    (["forkmem", "3", "5"], 0, b"forkmem: 3 MiB touched\nforkmem: 5 forks ok\n"),
]


@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize(
    ("argv", "status", "out"), RUNS, ids=["-".join(r[0]) for r in RUNS]
)
def test_run(
    brand: str,
    argv: list[str],
    status: int,
    out: bytes,
    boot: Boot,
    guest_file: GuestFile,
) -> None:
    """Status and output of the small ones."""
    z = boot(brand, {argv[0]: guest_file(brand, argv[0])})
    r = z.run([f"/{argv[0]}", *argv[1:]], timeout="60s")
    assert (status, out) == (r.returncode, r.stdout)


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_hello(brand: str, boot: Boot, guest_file: GuestFile) -> None:
    """The arguments arrive."""
    z = boot(brand, {"hello": guest_file(brand, "hello")})
    r = z.run(["/hello", "a b", ""])
    lines = r.stdout.decode().splitlines()
    assert r.returncode == 0
    assert lines[0].startswith(f"hello from the {brand} brand, process ")
    assert lines[1:] == ["argument 1: a b", "argument 2: "]


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_demo(brand: str, cpus: int, boot: Boot, guest_file: GuestFile) -> None:
    """The demonstration tells its whole story, and twice the same."""
    told = []
    for _ in range(2):
        z = boot(brand, {"demo": guest_file(brand, "demo")}, cpus=cpus, seed=1)
        r = z.run(["/demo"], timeout="60s")
        assert r.returncode == 0
        told.append((r.stdout, z.machine.digest()))
    assert told[0] == told[1]
    text = told[0][0].decode()
    for part in (
        "x is 42 in my copy",
        "my x is still 41",
        "stored 42 in my memory",
        "I am a new program with 2 arguments and the same pid",
        "then the end of the file",
        "was ended by signal 15",
        "the family is asleep",
        "all are back; goodbye",
    ):
        assert part in text


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_demo_family(brand: str, boot: Boot, guest_file: GuestFile) -> None:
    """While the family sleeps, its tree can be seen from outside."""
    z = boot(brand, {"demo": guest_file(brand, "demo")})
    job = z.start(["/demo"], input=b"")
    out = b""
    while b"asleep" not in out and not job.done:
        z.machine.step()
        out += job.stdout.take_output()
    tree = z.machine.ptree("z")
    for member in (
        "/demo a 2",
        "/demo a.1 0",
        "/demo a.2 0",
        "/demo b 0",
        "/demo c.1 0",
    ):
        assert member in tree
    z.machine.run_until([job.proc], door=job)
    assert job.result().returncode == 0


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_init(brand: str, boot: Boot, guest_file: GuestFile) -> None:
    """A zone's init starts a program, reaps it, and goes down on SIGTERM."""
    files = {n: guest_file(brand, n) for n in ("init", "true")}
    z = boot(brand, files)
    k = z.machine.kernel
    job = z.start(["/init", "/true", "5"], input=b"", init=True)
    out = b""
    while b"exited" not in out and not job.done:
        z.machine.step()
        out += job.stdout.take_output()
    k.psignal(job.proc, 15)
    z.machine.run_until([job.proc], door=job)
    out += job.result().stdout
    text = out.decode()
    assert f"init: {brand} zone is up, process" in text
    assert "exited with 5\n" in text
    assert text.endswith("init: going down\n")
    assert job.result().returncode == 0
