"""Core files: when there is one, what is in it, and whether gdb reads it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.errno import KernelError
from personae.core.vfs.vnode import Vnode

CRASH = Path(__file__).parent / "programs" / "crash.c"
Builder = Callable[[str, Path], Path]
UNLIMITED = str((1 << 63) - 1)


@pytest.fixture
def zone(boot: Callable[..., Any], build_case: Builder) -> Any:
    return boot("linux", {"crash": build_case("linux", CRASH)})


def run(zone: Any, *args: str) -> str:
    r = zone.run(["/crash", *args], timeout="100s")
    text: str = r.stdout.decode()
    return text


def there(zone: Any, name: bytes) -> bytes | None:
    """A file in the root of the zone; None if it is not there."""
    top: Vnode = zone.zone.root
    try:
        vp = top.lookup(name, zone.zone.cred)
    except KernelError:
        return None
    size, out = vp.getattr().size, b""
    while len(out) < size:
        out += vp.read(None, len(out), size - len(out), 0)
    return out


def headers(data: bytes) -> list[tuple[int, ...]]:
    (phoff,) = struct.unpack_from("<Q", data, 32)
    (n,) = struct.unpack_from("<H", data, 56)
    return [struct.unpack_from("<IIQQQQQQ", data, phoff + 56 * i) for i in range(n)]


def notes(data: bytes) -> list[tuple[int, bytes]]:
    _, _, off, _, _, size, _, _ = headers(data)[0]
    out, end = [], off + size
    while off < end:
        n, d, kind = struct.unpack_from("<III", data, off)
        off += 12 + (n + 3 & ~3)
        out.append((kind, data[off : off + d]))
        off += d + 3 & ~3
    return out


def memory(data: bytes, addr: int, n: int) -> bytes:
    for kind, _, off, va, _, filesz, _, _ in headers(data)[1:]:
        assert kind == 1
        if va <= addr and addr + n <= va + filesz:
            return data[off + addr - va : off + addr - va + n]
    raise AssertionError(f"{addr:#x} is not in the core")


def symbols(elf: Path) -> dict[str, int]:
    out = subprocess.run(
        ["riscv64-linux-gnu-nm", str(elf)], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split() for line in out.splitlines()]
    return {r[2]: int(r[0], 16) for r in rows if len(r) == 3}


@pytest.mark.parametrize(
    ("sig", "limit", "dumped"),
    [
        ("11", "0", False),
        ("11", UNLIMITED, True),
        ("3", UNLIMITED, True),
        ("6", "4095", False),
        ("6", "8192", True),
        ("15", UNLIMITED, False),
        ("9", UNLIMITED, False),
    ],
)
def test_when_there_is_a_core(zone: Any, sig: str, limit: str, dumped: bool) -> None:
    """The core flag is set exactly if a file was written; by default there is none."""
    assert run(zone, sig, limit) == f"{sig} {int(dumped)}\n"
    data = there(zone, b"core")
    assert (data is not None) == dumped
    if data is not None:
        assert data.startswith(b"\x7fELF")
        assert len(data) <= int(limit)


def test_core_pattern(zone: Any) -> None:
    zone.zone.brand_data.core_pattern = b"/tmp/c.%e.%s.%%"
    assert run(zone, "6", UNLIMITED) == "6 1\n"
    assert there(zone, b"core") is None
    zone.zone.brand_data.core_pattern = b"|/bin/abrt %p"
    assert run(zone, "6", UNLIMITED) == "6 0\n"
    zone.zone.brand_data.core_pattern = b"/nowhere/core"
    assert run(zone, "6", UNLIMITED) == "6 0\n"


def test_what_is_in_it(zone: Any, build_case: Builder) -> None:
    assert run(zone, "self") == ""
    data = there(zone, b"core")
    assert data is not None
    found = notes(data)
    kinds = [k for k, _ in found]
    assert kinds == [1, 3, 0x53494749, 6, 0x46494C45, 2, 1, 2]
    sizes = [len(d) for _, d in found]
    assert (sizes[0], sizes[1], sizes[2], sizes[5]) == (376, 136, 128, 264)
    status = found[0][1]
    signo, cursig = struct.unpack_from("<i8xh", status)
    pid = struct.unpack_from("<i", status, 32)[0]
    pc, sp = struct.unpack_from("<Q8xQ", status, 112)
    syms = symbols(build_case("linux", CRASH))
    assert (signo, cursig) == (11, 11)
    assert syms["deepest"] <= pc < syms["main"] or pc >= syms["deepest"]
    other = struct.unpack_from("<i", found[6][1], 32)[0]
    assert other == pid + 1
    code, addr = struct.unpack_from("<8xi4xQ", found[2][1])
    assert (code, addr) == (1, 0xDEAD000)
    assert found[1][1][40:56].rstrip(b"\0") == b"crash"
    assert found[4][1].rstrip(b"\0").endswith(b"/crash")
    assert memory(data, syms["global"], 4) == struct.pack("<i", 42)
    (heap,) = struct.unpack("<Q", memory(data, syms["heap"], 8))
    assert memory(data, heap, 12) == b"on the heap\0"
    assert len(memory(data, sp, 64)) == 64
    assert b"in the middle" in data


def test_gdb_reads_it(zone: Any, build_case: Builder, tmp_path: Path) -> None:
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        pytest.skip("needs gdb-multiarch (Debian package of that name)")
    run(zone, "self")
    data = there(zone, b"core")
    assert data is not None
    (tmp_path / "core").write_bytes(data)
    asked = (
        "bt",
        "info threads",
        "p (char *)heap",
        "p $_siginfo._sifields._sigfault",
        "info proc mappings",
        "thread 2",
        "bt",
    )
    flags = [x for a in asked for x in ("-ex", a)]
    cmd = [gdb, "-nx", "-batch", *flags, str(build_case("linux", CRASH))]
    r = subprocess.run(
        [*cmd, str(tmp_path / "core")], capture_output=True, text=True, timeout=60
    )
    out = r.stdout
    assert "Program terminated with signal SIGSEGV" in out
    frames = [line.split(" in ")[1] for line in out.splitlines() if line[:1] == "#"]
    assert frames[1:6] == ["deepest ()"] * 4 + ["main ()"]
    assert '"on the heap"' in out
    assert "si_addr = 0xdead000" in out
    assert "waiter ()" in out
    assert " /crash\n" in out
