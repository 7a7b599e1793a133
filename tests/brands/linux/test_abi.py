"""Layouts and numbers of the linux brand against the headers of the cross compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from personae.brands.linux import abi, sigabi, signals
from personae.core.errno import Errno
from personae.core.signo import Sig, SigInfo

SIZES = {
    "struct stat": abi.STAT.size,
    "struct statx": abi.STATX.size,
    "struct statfs": abi.STATFS.size,
    "struct rusage": abi.RUSAGE.size,
    "struct timespec": abi.TIMESPEC.size,
    "struct itimerval": abi.ITIMERVAL.size,
    "struct tms": abi.TMS.size,
    "struct sysinfo": abi.SYSINFO.size,
    "struct utsname": abi.UTSNAME.size,
    "struct rlimit": abi.RLIMIT.size,
    "struct flock": abi.FLOCK.size,
    "struct pollfd": abi.POLLFD.size,
    "struct winsize": abi.WINSIZE.size,
    "struct iovec": abi.IOVEC.size,
    "stack_t": sigabi.STACK_T.size,
    "siginfo_t": sigabi.SIGINFO_SIZE,
    "ucontext_t": signals.UCONTEXT.size,
    "struct clone_args": abi.CLONE_ARGS.size,
    "struct termios2": abi.TERMIOS2.size,
}

OFFSETS = {
    ("struct stat", "st_size"): 48,
    ("struct stat", "st_blocks"): 64,
    ("struct stat", "st_mtim"): 88,
    ("struct statx", "stx_ino"): 32,
    ("struct statx", "stx_mtime"): 112,
    ("struct statx", "stx_mnt_id"): 144,
    ("struct statfs", "f_namelen"): 64,
    ("struct sysinfo", "mem_unit"): 104,
    ("struct flock", "l_pid"): 24,
    ("siginfo_t", "si_addr"): 16,
    ("siginfo_t", "si_status"): 24,
    ("siginfo_t", "si_utime"): 32,
    ("ucontext_t", "uc_stack"): 16,
    ("ucontext_t", "uc_sigmask"): 40,
    ("ucontext_t", "uc_mcontext"): 176,
    ("struct dirent64", "d_name"): abi.DIRENT64.size,
    ("struct clone_args", "tls"): 56,
}

VALUES = {
    "O_CREAT": abi.O.CREAT,
    "O_EXCL": abi.O.EXCL,
    "O_TRUNC": abi.O.TRUNC,
    "O_APPEND": abi.O.APPEND,
    "O_NONBLOCK": abi.O.NONBLOCK,
    "O_CLOEXEC": abi.O.CLOEXEC,
    "O_DIRECTORY": abi.O.DIRECTORY,
    "O_NOFOLLOW": abi.O.NOFOLLOW,
    "O_PATH": abi.O.PATH,
    "O_TMPFILE": abi.O.TMPFILE,
    "O_SYNC": abi.O.SYNC,
    "AT_FDCWD": abi.AT_FDCWD,
    "AT_EMPTY_PATH": abi.AT_EMPTY_PATH,
    "MAP_ANONYMOUS": abi.MAP_ANONYMOUS,
    "MAP_FIXED_NOREPLACE": abi.MAP_FIXED_NOREPLACE,
    "CLONE_VFORK": abi.Clone.VFORK,
    "CLONE_SETTLS": abi.Clone.SETTLS,
    "CLONE_CHILD_CLEARTID": abi.Clone.CHILD_CLEARTID,
    "SA_RESTART": sigabi.SA_RESTART,
    "SA_ONSTACK": sigabi.SA_ONSTACK,
    "SA_NODEFER": sigabi.SA_NODEFER,
    "WNOWAIT": abi.WNOWAIT,
    "WCONTINUED": abi.WCONTINUED,
    "RLIMIT_NOFILE": abi.RLIMIT_NOFILE,
    "RLIMIT_STACK": abi.RLIMIT_STACK,
    "AT_MINSIGSTKSZ": abi.AT_MINSIGSTKSZ,
    "CLOCK_BOOTTIME": abi.CLOCK_BOOTTIME,
}

HEADERS = [
    "dirent.h",
    "errno.h",
    "fcntl.h",
    "poll.h",
    "sched.h",
    "signal.h",
    "stddef.h",
    "time.h",
    "ucontext.h",
    "unistd.h",
    "asm/termbits.h",
    "linux/sched.h",
    "sys/auxv.h",
    "sys/ioctl.h",
    "sys/mman.h",
    "sys/resource.h",
    "sys/stat.h",
    "sys/sysinfo.h",
    "sys/time.h",
    "sys/times.h",
    "sys/uio.h",
    "sys/utsname.h",
    "sys/vfs.h",
    "sys/wait.h",
]


def assert_compiles(cc: str, tmp_path: Path, claims: list[str]) -> None:
    """Every claim holds as a static assertion."""
    lines = ["#define _GNU_SOURCE"]
    lines += [f"#include <{h}>" for h in HEADERS]
    lines += [f'_Static_assert({c}, "{c}");' for c in claims]
    src = tmp_path / "claims.c"
    src.write_text("\n".join(lines) + "\n")
    cmd = [cc, "-fsyntax-only", str(src)]
    got = subprocess.run(cmd, capture_output=True, text=True, check=False)
    assert got.returncode == 0, got.stderr


def test_layouts(cross_cc: str, tmp_path: Path) -> None:
    """Sizes and places of members."""
    claims = [f"sizeof({t}) == {n}" for t, n in SIZES.items()]
    claims += [f"offsetof({t}, {m}) == {n}" for (t, m), n in OFFSETS.items()]
    assert_compiles(cross_cc, tmp_path, claims)


def test_values(cross_cc: str, tmp_path: Path) -> None:
    """Flags."""
    claims = [f"{name} == {int(v)}" for name, v in VALUES.items()]
    assert_compiles(cross_cc, tmp_path, claims)


def test_errno(cross_cc: str, tmp_path: Path) -> None:
    """Every error of the kernel has the number that Linux gives this name."""
    claims = [f"{e.name} == {n}" for e, n in abi.ERRNO.items()]
    assert_compiles(cross_cc, tmp_path, claims)


def test_signal_numbers(cross_cc: str, tmp_path: Path) -> None:
    """Every native signal with a Linux peer has the peer's number."""
    names = {"SIGCLD": "SIGCHLD", "SIGPOLL": "SIGIO"}
    no_peer = {"SIGEMT", *(s.name for s in Sig if 32 <= s < 42)}
    claims = [
        f"{names.get(s.name, s.name)} == {sigabi.TO_LINUX[s]}"
        for s in Sig
        if s.name not in no_peer
    ]
    assert_compiles(cross_cc, tmp_path, claims)


def test_signals_both_ways() -> None:
    """Each Linux signal has one native peer."""
    assert [sigabi.TO_LINUX[sigabi.TO_NATIVE[n]] for n in range(65)] == list(range(65))


@pytest.mark.parametrize("mask", [0, 1, (1 << 64) - 1, 0x8000_0000_0001_4242])
def test_sigsets(mask: int) -> None:
    """A set of Linux signals survives the way to the kernel and back."""
    assert sigabi.sigset_to_linux(sigabi.sigset_to_native(mask)) == mask


def test_sigset_bits() -> None:
    """A set is translated signal by signal."""
    for n in range(1, 65):
        native = 1 << (sigabi.TO_NATIVE[n] - 1)
        assert native == sigabi.sigset_to_native(1 << (n - 1))


def test_frame_size() -> None:
    """The frame is what AT_MINSIGSTKSZ says on a real kernel."""
    assert signals.FRAME_SIZE == 1088


def test_siginfo_of_a_child() -> None:
    """si_status of a killed child has the Linux number."""
    raw = sigabi.pack_siginfo(SigInfo(Sig.SIGCLD, 2, 7, 1000, Sig.SIGUSR1), 7)
    ints = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 28, 4)]
    assert ints == [17, 0, 2, 0, 7, 1000, 10]


def test_errno_is_negative() -> None:
    """a0 of a failing call."""
    assert abi.NEG_ERRNO[Errno.ENOSYS] == (1 << 64) - 38
