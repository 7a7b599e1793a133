"""The native ABI as data: layouts and flags.

illumos has no RISC-V port.  Numbers (calls, errors, signals, flags) are those
of illumos, layouts are those of its 64-bit ABI where it has one
(sys/siginfo.h, sys/stat.h, sys/dirent.h, sys/utsname.h, sys/signal.h), and the rest
is personae's own, defined here:

* **System call**: ``ecall`` with the number in a7 and arguments in a0..a5.
  Success: t0 = 0, a0 = rval1, a1 = rval2.  Failure: t0 = 1, a0 = errno.
* **Program start**: sp, 16-byte aligned, points at argc, argv, NULL, envp, NULL,
  auxv (System V); ra = 0.
* **Signal handler**: a0 = signal, a1 = siginfo or 0, a2 = ucontext, ra = 0.  The
  handler ends by ``context(SETCONTEXT, ucontext)``.  From the new sp upwards lie
  the ucontext (``UCONTEXT_SIZE``) and, if there is one, the siginfo.
* **ucontext** (own, 576 bytes): flags u64, link u64, sigmask 16, stack (sp u64, size
  u64, flags i32, pad), pc u64, x1..x31 31*u64, f0..f31 32*u64, fcsr u32, pad.

Errors need no table: inside personae they are illumos' already.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.core.regs import A0, A1, A2, F0, FCSR, PC, RA, SP, T0
from personae.core.signo import CldCode, SiCode, Sig

if TYPE_CHECKING:
    from personae.core.signo import SigInfo
    from personae.core.vfs.vnode import Vattr

# ---- registers (slots of lwp.regs) ----

REG_RA, REG_SP, REG_T0, REG_A0, REG_A1, REG_A2 = RA, SP, T0, A0, A1, A2
REG_PC, REG_FCSR, REG_F0 = PC, FCSR, F0

# ---- open flags (sys/fcntl.h) ----

O_ACCMODE = 3
O_NDELAY = 0x04
O_APPEND = 0x08
O_SYNC = 0x10
O_DSYNC = 0x40
O_NONBLOCK = 0x80
O_CREAT = 0x100
O_TRUNC = 0x200
O_EXCL = 0x400
O_NOCTTY = 0x800
O_LARGEFILE = 0x2000
O_RSYNC = 0x8000
O_NOFOLLOW = 0x20000
O_NOLINKS = 0x40000
O_CLOEXEC = 0x800000
O_DIRECTORY = 0x1000000
O_KNOWN = (
    O_ACCMODE
    | O_NDELAY
    | O_APPEND
    | O_SYNC
    | O_DSYNC
    | O_NONBLOCK
    | O_CREAT
    | O_TRUNC
    | O_EXCL
    | O_NOCTTY
    | O_LARGEFILE
    | O_RSYNC
    | O_NOFOLLOW
    | O_NOLINKS
    | O_CLOEXEC
    | O_DIRECTORY
)
AT_FDCWD = 0xFFD19553
AT_REMOVEDIR = 0x1
AT_EACCESS = 0x4
AT_SYMLINK_NOFOLLOW = 0x1000
AT_SYMLINK_FOLLOW = 0x2000

F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_DUP2FD = 9
F_DUP2FD_CLOEXEC = 36
F_DUPFD_CLOEXEC = 37
FD_CLOEXEC = 1

# ---- mmap (sys/mman.h) ----

MAP_SHARED = 1
MAP_PRIVATE = 2
MAP_TYPE = 0xF
MAP_FIXED = 0x10
MAP_NORESERVE = 0x40
MAP_ANON = 0x100
MAP_ALIGN = 0x200
MAP_TEXT = 0x400
MAP_INITDATA = 0x800
MAP_KNOWN = (
    MAP_TYPE
    | MAP_FIXED
    | MAP_NORESERVE
    | MAP_ANON
    | MAP_ALIGN
    | MAP_TEXT
    | MAP_INITDATA
)

# ---- wait (sys/wait.h, sys/procset.h) ----

P_PID = 0
P_PGID = 2
P_ALL = 7
WEXITED = 1
WTRAPPED = 2
WSTOPPED = 4
WCONTINUED = 8
WNOHANG = 64
WNOWAIT = 128
WOPTMASK = WEXITED | WTRAPPED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT

# ---- signals (sys/signal.h) ----

SIG_BLOCK = 1
SIG_UNBLOCK = 2
SIG_SETMASK = 3
SS_ONSTACK = 1
SS_DISABLE = 2
MINSIGSTKSZ = 2048

SIGACTION = Struct("<i4xQ16s")
"""sa_flags, pad, handler, sa_mask."""
SIGSET = Struct("<QQ")
STACK = Struct("<QQi4x")
"""ss_sp, ss_size, ss_flags, pad."""
SIGINFO_SIZE = 256
UC_HEAD = Struct("<QQQQQQi4x")
"""flags, link, sigmask (two words), stack."""
UC_REGS = Struct("<32Q")
UC_FPREGS = Struct("<32QI4x")
UCONTEXT_SIZE = UC_HEAD.size + UC_REGS.size + UC_FPREGS.size
GETCONTEXT = 0
SETCONTEXT = 1

SIGSET_MASK = (1 << 74) - 1

_SI_HEAD = Struct("<iiii")
_SI_KILL = Struct("<i4xI4xQ8xii")
_SI_CLD = Struct("<i4xqi4xqii")
_SI_FAULT = Struct("<Qi4xQ")
_SI_RCTL = Struct("<i")

FAULTS = frozenset(
    (Sig.SIGILL, Sig.SIGTRAP, Sig.SIGFPE, Sig.SIGBUS, Sig.SIGSEGV, Sig.SIGEMT)
)


def pack_sigset(mask: int) -> bytes:
    """A set as four 32-bit words."""
    return SIGSET.pack(mask & (1 << 64) - 1, mask >> 64)


def unpack_sigset(data: bytes) -> int:
    """A set from four 32-bit words; bits beyond the highest signal are dropped."""
    lo, hi = SIGSET.unpack(data)
    return int((lo | hi << 64) & SIGSET_MASK)


def pack_siginfo(info: SigInfo, zoneid: int, hz_div: int = 1) -> bytes:
    """siginfo_t: 256 bytes of which the head and one variant are filled.

    Args:
        info: What is told.
        zoneid: Zone of the sender, where ``info`` has no other.
        hz_div: Cycles in one clock tick (si_utime and si_stime are in ticks).
    """
    out = _SI_HEAD.pack(info.signo, info.code, 0, 0)
    zoneid = zoneid if info.zoneid < 0 else info.zoneid
    if info.signo == Sig.SIGCLD and CldCode.EXITED <= info.code <= CldCode.CONTINUED:
        status = (info.status & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        times = info.utime // hz_div, info.stime // hz_div
        out += _SI_CLD.pack(info.pid, times[0], status, times[1], 0, zoneid)
    elif info.signo in FAULTS and info.code > 0:
        out += _SI_FAULT.pack(info.addr & (1 << 64) - 1, 0, 0)
    elif info.code == SiCode.RCTL:
        out += _SI_RCTL.pack(info.entity)
    else:
        value = info.value & (1 << 64) - 1
        out += _SI_KILL.pack(info.pid, info.uid, value, 0, zoneid)
    return out.ljust(SIGINFO_SIZE, b"\0")


# ---- files ----

STAT = Struct("<QQIIIIQqqqqqqqi4xq16s")
"""struct stat, LP64: dev, ino, mode, nlink, uid, gid, rdev, size, atim, mtim, ctim,
blksize, blocks, fstype; 128 bytes."""

S_IFMT_OF = {
    1: 0o100000,
    2: 0o040000,
    3: 0o060000,
    4: 0o020000,
    5: 0o120000,
    6: 0o010000,
    7: 0xD000,
    10: 0o140000,
    11: 0o160000,
}
"""File type bits by VType."""


def pack_stat(a: Vattr, fstype: bytes) -> bytes:
    """A file's struct stat."""
    ns = 1_000_000_000
    return STAT.pack(
        a.dev,
        a.ino,
        S_IFMT_OF.get(a.type, 0) | a.mode,
        a.nlink,
        a.uid,
        a.gid,
        a.rdev,
        a.size,
        a.atime // ns,
        a.atime % ns,
        a.mtime // ns,
        a.mtime % ns,
        a.ctime // ns,
        a.ctime % ns,
        a.blksize,
        a.blocks,
        fstype[:15],
    )


DIRENT = Struct("<QqH")
"""d_ino, d_off, d_reclen; the name and its NUL follow, padded to 8."""


def pack_dirent(ino: int, off: int, name: bytes) -> bytes:
    """One dirent64_t."""
    reclen = DIRENT.size + len(name) + 1 + 7 & ~7
    return (DIRENT.pack(ino, off, reclen) + name).ljust(reclen, b"\0")


CLK_TCK = 100
"""Clock ticks in a second, for times in ticks."""
UTS_FIELD = 257
"""Each of the five fields of struct utsname (SYS_NMLN)."""
TIMESPEC = Struct("<qq")
CLOCK_VIRTUAL = 1
CLOCK_THREAD_CPUTIME_ID = 2
CLOCK_REALTIME = 3
CLOCK_MONOTONIC = 4
CLOCK_PROCESS_CPUTIME_ID = 5
