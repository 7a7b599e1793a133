"""Guests that mean harm: they may hurt themselves, never the machine."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GuestFile = Callable[[str, str], Path]
Boot = Callable[..., Any]

RANDOM_CALLS = {"linux": 1_000_000, "native": 1_000_000}
"""How many; PERSONAE_RANDOM_CALLS in the environment is another number for both."""


@pytest.fixture(params=["native", "linux"])
def brand(request: pytest.FixtureRequest) -> str:
    """Every test here is for both brands."""
    return str(request.param)


@pytest.fixture
def hostile(boot: Boot, guest_file: GuestFile, brand: str) -> Callable[..., Any]:
    """A zone with one hostile guest, and ``true`` to see that it still works."""

    def make(name: str, zone: dict[str, Any] | None = None, **machine: Any) -> Any:
        files = {n: guest_file(brand, n) for n in (name, "true")}
        return boot(brand, files, zone=zone, **machine)

    return make


def assert_alive(z: Any) -> None:
    """The zone runs a program as if nothing had been."""
    assert z.run(["/true", "9"]).returncode == 9


def test_jumpdata(hostile: Callable[..., Any]) -> None:
    """Jumps to where no code may be end in SIGSEGV or SIGILL."""
    z = hostile("jumpdata")
    r = z.run(["/jumpdata"], timeout="60s")
    assert r.returncode == 0, r.stdout.decode()
    assert_alive(z)


def test_overflow(hostile: Callable[..., Any]) -> None:
    """Endless recursion ends in SIGSEGV, also where a handler has no stack."""
    z = hostile("overflow")
    r = z.run(["/overflow"], timeout="60s")
    assert r.returncode == 0, r.stdout.decode()
    assert_alive(z)


def test_execloop(hostile: Callable[..., Any]) -> None:
    """A program that execs itself over and over keeps its pid and nothing else."""
    z = hostile("execloop")
    z.run(["/execloop", "3"])
    frames = z.machine.kernel.hw.stat(1)
    r = z.run(["/execloop", "300"], timeout="60s")
    assert (r.returncode, r.stdout) == (0, b"execloop: done\n")
    assert frames == z.machine.kernel.hw.stat(1)


@pytest.mark.parametrize("cpus", [1, 4])
def test_sigstorm(cpus: int, hostile: Callable[..., Any]) -> None:
    """Thousands of signals amid forks, waits, stops and continues."""
    z = hostile("sigstorm", cpus=cpus)
    r = z.run(["/sigstorm", "500"], timeout="600s")
    assert (r.returncode, r.stdout) == (0, b"sigstorm: weathered\n")
    assert_alive(z)


def test_forkbomb(
    hostile: Callable[..., Any], guest_file: GuestFile, brand: str
) -> None:
    """max-lwps ends it with EAGAIN; the zone next door does not notice."""
    z = hostile("forkbomb", zone={"max_lwps": 50})
    other = z.machine.add_zone("other", brand=brand)
    other.put("/true", guest_file(brand, "true").read_bytes())
    r = z.run(["/forkbomb"], timeout="600s")
    assert (r.returncode, r.stdout.decode()) == (
        0,
        "forkbomb: ended by errno 11 (EAGAIN)\n"
        "forkbomb: contained, and fork works again\n",
    )
    assert_alive(z)
    assert other.run(["/true", "4"]).returncode == 4


def test_membomb(hostile: Callable[..., Any]) -> None:
    """capped-memory stops it; what it had is free again."""
    z = hostile("membomb", zone={"memory": "16M"})
    z.run(["/membomb", "1"])
    z.run(["/true"])
    frames = z.machine.kernel.hw.stat(1)
    r = z.run(["/membomb", "64"], timeout="60s")
    assert r.returncode == 0, r.stdout.decode()
    assert b"membomb: " in r.stdout
    assert b"nothing stopped it" not in r.stdout
    assert_alive(z)
    assert frames == z.machine.kernel.hw.stat(1)


def test_membomb_of_the_machine(hostile: Callable[..., Any]) -> None:
    """Without a cap the memory of the machine ends it."""
    z = hostile("membomb", memory="24M")
    r = z.run(["/membomb", "64"], timeout="60s")
    assert r.returncode == 0, r.stdout.decode()
    assert b"nothing stopped it" not in r.stdout
    assert_alive(z)


def test_escape(hostile: Callable[..., Any], tmp_path: Path) -> None:
    """No trick with dots and links reaches a file of the host."""
    secret = tmp_path / "secret"
    secret.write_text("host")
    z = hostile("escape")
    r = z.run(["/escape", str(secret)], timeout="60s")
    assert (r.returncode, r.stdout.decode()) == (0, "escape: 0 tricks worked\n")


def test_escape_from_a_folder(
    brand: str, guest_file: GuestFile, tmp_path: Path
) -> None:
    """Nor from a root that is a host folder, with links to outside in it."""
    from personae.core.machine import Machine

    secret = tmp_path / "secret"
    secret.write_text("host")
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "up").symlink_to("../../../../../../../../..")
    z = Machine().add_zone("z", brand=brand, rootfs=root)
    z.put("/escape", guest_file(brand, "escape").read_bytes())
    r = z.run(["/escape", str(secret)], timeout="60s")
    assert (r.returncode, r.stdout.decode()) == (0, "escape: 0 tricks worked\n")
    for link in ("/out", "/up"):
        z.put("/esc2", guest_file(brand, "escape").read_bytes())
        r = z.run(["/esc2", f"{link}{secret}"], timeout="60s")
        assert (link, b"escape: 0 tricks worked\n") == (
            link,
            r.stdout.splitlines(True)[-1],
        )


def test_wildptr(hostile: Callable[..., Any]) -> None:
    """Wild pointers and numbers as arguments of every system call."""
    z = hostile("wildptr", memory="256M")
    r = z.run(["/wildptr"], timeout="3000s")
    assert (r.returncode, r.stdout[:9]) == (0, b"wildptr: "), r.stdout.decode()
    assert_alive(z)


@pytest.mark.slow
def test_randsys(brand: str, hostile: Callable[..., Any]) -> None:
    """Random calls with random arguments, a million of them."""
    from personae.core.rctl import rctl_set_value

    calls = os.environ.get("PERSONAE_RANDOM_CALLS", str(RANDOM_CALLS[brand]))
    z = hostile("randsys", zone={"max_lwps": 100}, memory="256M")
    # segments outlive who made them, and would take the memory of all in time
    rctl_set_value(z.zone.rctls, "zone.max-shm-memory", 32 << 20)
    r = z.run(["/randsys", calls, "7919"])
    assert (r.returncode, r.stdout[:9]) == (0, b"randsys: "), r.stdout.decode()
    assert int(r.stdout.split()[1]) >= int(calls)
    assert_alive(z)
    assert list(z.machine.kernel.oopses) == []


# ---- broken ELF files ----

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
BREAKS: dict[str, Callable[[bytearray], None]] = {}


def _put(fmt: str, off: int, value: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        struct.pack_into(fmt, data, off, value)

    return change


for _name, _fmt, _off, _value in (
    ("magic", "<I", 0, 0x464C457E),
    ("class", "<B", 4, 1),
    ("endian", "<B", 5, 2),
    ("ident-version", "<B", 6, 9),
    ("type", "<H", 16, 1),
    ("type-core", "<H", 16, 4),
    ("machine", "<H", 18, 62),
    ("phoff-huge", "<Q", 32, 0xFFFFFFFFFFFFFFF0),
    ("phoff-behind", "<Q", 32, 1 << 40),
    ("phentsize", "<H", 54, 55),
    ("phentsize-zero", "<H", 54, 0),
    ("phnum-zero", "<H", 56, 0),
    ("phnum-huge", "<H", 56, 0xFFFF),
    ("entry-odd", "<Q", 24, 1),
    ("entry-kernel", "<Q", 24, 0xFFFFFFFF80000000),
):
    BREAKS[_name] = _put(_fmt, _off, _value)


def _phdr(field: int, value: int) -> Callable[[bytearray], None]:
    """Change a field of each PT_LOAD."""

    def change(data: bytearray) -> None:
        phoff = struct.unpack_from("<Q", data, 32)[0]
        for i in range(struct.unpack_from("<H", data, 56)[0]):
            at = phoff + i * PHDR.size
            ph = list(PHDR.unpack_from(data, at))
            if ph[0] == 1:
                ph[field] = value
                PHDR.pack_into(data, at, *ph)

    return change


for _name, _field, _value in (
    ("offset-huge", 2, 0xFFFFFFFFFFFFF000),
    ("offset-skewed", 2, 7),
    ("vaddr-kernel", 3, 0xFFFFFFFF80000000),
    ("vaddr-top", 3, (1 << 38) - 4096),
    ("vaddr-null", 3, 0),
    ("filesz-huge", 5, 1 << 62),
    ("memsz-huge", 6, 1 << 62),
    ("memsz-below", 6, 1),
    ("align-odd", 7, 12345),
):
    BREAKS[_name] = _phdr(_field, _value)


STARTS = {"entry-odd", "entry-kernel", "align-odd", "ident-version"}
"""Breaks that need not be seen by exec; the first two kill the program."""
REFUSALS = {"ENOEXEC", "ENOMEM", "EINVAL", "EPERM", "EIO"}


def start(z: Any, path: str, timeout: str = "10s") -> tuple[str, int]:
    """Errno of the exec, or ""; and the exit status."""
    from personae.core.errno import KernelError

    try:
        return "", z.run([path], timeout=timeout).returncode
    except KernelError as e:
        return e.errno.name, 0


@pytest.mark.parametrize("how", BREAKS)
def test_broken_elf(
    how: str, hostile: Callable[..., Any], guest_file: GuestFile, brand: str
) -> None:
    """A broken header is an error of exec, or the death of that program only."""
    z = hostile("true")
    data = bytearray(guest_file(brand, "hello").read_bytes())
    BREAKS[how](data)
    z.put("/broken", bytes(data))
    frames = z.machine.kernel.hw.stat(1)
    errno, status = start(z, "/broken")
    assert errno in REFUSALS or (how in STARTS and errno == "")
    assert status < 0 or errno or how in STARTS - {"entry-kernel"}
    if errno:
        assert frames == z.machine.kernel.hw.stat(1)
    assert_alive(z)


@pytest.mark.parametrize("cut", [0, 1, 4, 16, 63, 64, 100, 119, 200, 1000])
def test_cut_elf(
    cut: int, hostile: Callable[..., Any], guest_file: GuestFile, brand: str
) -> None:
    """A file that ends too early."""
    z = hostile("true")
    z.put("/cut", guest_file(brand, "hello").read_bytes()[:cut])
    errno, status = start(z, "/cut")
    assert errno in ("ENOEXEC", "EIO") or status < 0
    assert_alive(z)


def test_random_elf(
    hostile: Callable[..., Any], guest_file: GuestFile, brand: str
) -> None:
    """Two hundred files with random bytes in their headers."""
    import random

    from personae.core.machine import MachineError

    rnd = random.Random(3)
    z = hostile("true")
    good = guest_file(brand, "true").read_bytes()
    frames = z.machine.kernel.hw.stat(1)
    for i in range(200):
        data = bytearray(good)
        for _ in range(rnd.randint(1, 6)):
            data[rnd.randrange(4, 64 + 4 * PHDR.size)] = rnd.randrange(256)
        z.put(f"/r{i}", bytes(data))
        with contextlib.suppress(MachineError):
            start(z, f"/r{i}", "1s")
    for p in z.machine.kernel.zone_procs(z.zone):
        raise AssertionError(f"left over: {p!r}")
    assert frames <= z.machine.kernel.hw.stat(1) <= frames + 400
    assert_alive(z)
