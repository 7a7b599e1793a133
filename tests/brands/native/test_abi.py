"""Layouts and the table of the native brand."""

from __future__ import annotations

import pytest

from personae.brands.native import BRAND, abi
from personae.core.signo import Sig, SigInfo
from personae.core.syscall import Level

ASSIGNED = 255
"""Highest number that illumos gives (sys/syscall.h)."""


def test_table() -> None:
    """Every number is illumos', and has a handler exactly if it is supported."""
    for number, ent in BRAND.sysent.items():
        assert 0 < number <= ASSIGNED
        assert (ent.fn is None) == (ent.level is Level.ABSENT)
        if ent.level is Level.PARTIAL:
            assert ent.note, ent.name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "exit"),
        (20, "getpid"),
        (39, "pgrpsys"),
        (59, "execve"),
        (107, "waitid"),
        (119, "vfork"),
        (142, "forksys"),
        (159, "lwp_create"),
        (199, "nanosleep"),
        (254, "uucopy"),
    ],
)
def test_numbers(number: int, name: str) -> None:
    """Some of the well-known ones."""
    assert BRAND.sysent[number].name == name


def test_unassigned() -> None:
    """Numbers that are free since calls were removed have no row."""
    for number in (0, 8, 41, 143, 175, 213, 224, 256):
        assert number not in BRAND.sysent


def test_sizes() -> None:
    """The structures of 64-bit illumos, and our ucontext."""
    assert abi.SIGACTION.size == 32
    assert abi.SIGSET.size == 16
    assert abi.STACK.size == 24
    assert abi.STAT.size == 128
    assert abi.UCONTEXT_SIZE == 576
    assert len(abi.pack_siginfo(SigInfo(Sig.SIGUSR1), 0)) == abi.SIGINFO_SIZE


def test_sigset() -> None:
    """A set goes out and comes back; what is no signal is dropped."""
    mask = 1 | 1 << 31 | 1 << 73
    assert abi.unpack_sigset(abi.pack_sigset(mask)) == mask
    assert abi.unpack_sigset(b"\xff" * 16) == (1 << 74) - 1


def test_siginfo_of_a_child() -> None:
    """Status and times stand where sys/siginfo.h has them."""
    info = SigInfo(Sig.SIGCLD, 1, 77, 5, 0xFFFFFFFF, utime=300, stime=200)
    data = abi.pack_siginfo(info, 4, 100)
    assert int.from_bytes(data[16:20], "little") == 77
    assert int.from_bytes(data[24:32], "little") == 3
    assert int.from_bytes(data[32:36], "little", signed=True) == -1
    assert int.from_bytes(data[40:48], "little") == 2
    assert int.from_bytes(data[52:56], "little") == 4


def test_siginfo_of_a_fault() -> None:
    """A fault has its address at 16."""
    data = abi.pack_siginfo(SigInfo(Sig.SIGSEGV, 1, addr=0x1234), 0)
    assert int.from_bytes(data[16:24], "little") == 0x1234


def test_dirent() -> None:
    """Records are aligned and their names end in NUL."""
    data = abi.pack_dirent(9, 2, b"name")
    assert len(data) == 24
    assert int.from_bytes(data[16:18], "little") == 24
    assert data[18:] == b"name\0\0"
