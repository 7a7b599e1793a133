"""The riscv64 Linux ABI as data: error numbers, flags and structure layouts.

riscv64 uses the generic ABI of asm-generic unchanged, so each layout here is
that of the uapi headers with 64-bit longs.  The layouts are checked against
the cross compiler in ``tests/brands/linux/test_abi.py``.  Signals have a
module of their own, ``sigabi.py``.
"""

from __future__ import annotations

from enum import IntFlag
from struct import Struct

from personae.core.errno import Errno
from personae.core.flags import quick_flags

PAGE = 4096
USER_HZ = 100
"""Unit of times(2) and of /proc/PID/stat: AT_CLKTCK."""

MAX_RW_COUNT = 0x7FFFF000
"""No read or write moves more (linux/fs.h)."""

IOV_MAX = 1024
PATH_MAX = 4096
NAME_MAX = 255
AT_FDCWD = -100

# ---- errors: asm-generic/errno.h ----

_NATIVE_TO_LINUX = {
    Errno.ENOMSG: 42,
    Errno.EIDRM: 43,
    Errno.EDEADLK: 35,
    Errno.ENOLCK: 37,
    Errno.ECANCELED: 125,
    Errno.ENOTSUP: 95,
    Errno.EDQUOT: 122,
    Errno.EOWNERDEAD: 130,
    Errno.ENOTRECOVERABLE: 131,
    Errno.ENODATA: 61,
    Errno.ETIME: 62,
    Errno.EPROTO: 71,
    Errno.EBADMSG: 74,
    Errno.ENAMETOOLONG: 36,
    Errno.EOVERFLOW: 75,
    Errno.EBADFD: 77,
    Errno.EILSEQ: 84,
    Errno.ENOSYS: 38,
    Errno.ELOOP: 40,
    Errno.ERESTART: 85,
    Errno.ENOTEMPTY: 39,
    Errno.EUSERS: 87,
    Errno.ENOTSOCK: 88,
    Errno.EDESTADDRREQ: 89,
    Errno.EMSGSIZE: 90,
    Errno.EPROTOTYPE: 91,
    Errno.ENOPROTOOPT: 92,
    Errno.EPROTONOSUPPORT: 93,
    Errno.ESOCKTNOSUPPORT: 94,
    Errno.EOPNOTSUPP: 95,
    Errno.EPFNOSUPPORT: 96,
    Errno.EAFNOSUPPORT: 97,
    Errno.EADDRINUSE: 98,
    Errno.EADDRNOTAVAIL: 99,
    Errno.ENETDOWN: 100,
    Errno.ENETUNREACH: 101,
    Errno.ECONNABORTED: 103,
    Errno.ECONNRESET: 104,
    Errno.ENOBUFS: 105,
    Errno.EISCONN: 106,
    Errno.ENOTCONN: 107,
    Errno.ESHUTDOWN: 108,
    Errno.ETOOMANYREFS: 109,
    Errno.ETIMEDOUT: 110,
    Errno.ECONNREFUSED: 111,
    Errno.EHOSTUNREACH: 113,
    Errno.EALREADY: 114,
    Errno.EINPROGRESS: 115,
    Errno.ESTALE: 116,
}
"""Numbers up to 34 are the same on both sides (AT&T's)."""

ERRNO: dict[Errno, int] = {e: _NATIVE_TO_LINUX.get(e, int(e)) for e in Errno}
"""The Linux number of each error of the kernel."""

NEG_ERRNO: dict[int, int] = {int(e): (1 << 64) - n for e, n in ERRNO.items()}
"""What a failing call leaves in a0."""

# ---- open(2): asm-generic/fcntl.h ----


@quick_flags
class O(IntFlag):  # noqa: E742
    """Open flags."""

    WRONLY = 0o1
    RDWR = 0o2
    ACCMODE = 0o3
    CREAT = 0o100
    EXCL = 0o200
    NOCTTY = 0o400
    TRUNC = 0o1000
    APPEND = 0o2000
    NONBLOCK = 0o4000
    DSYNC = 0o10000
    ASYNC = 0o20000
    DIRECT = 0o40000
    LARGEFILE = 0o100000
    DIRECTORY = 0o200000
    NOFOLLOW = 0o400000
    NOATIME = 0o1000000
    CLOEXEC = 0o2000000
    SYNC = 0o4010000
    PATH = 0o10000000
    TMPFILE = 0o20200000


# AT_* of fcntl.h
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_EACCESS = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000
AT_STATX_SYNC_TYPE = 0x6000

# file types in st_mode
S_IFMT = 0o170000
S_IFIFO = 0o010000
S_IFCHR = 0o020000
S_IFDIR = 0o040000
S_IFBLK = 0o060000
S_IFREG = 0o100000
S_IFLNK = 0o120000
S_IFSOCK = 0o140000

# ---- layouts ----

U32 = Struct("<I")
I32 = Struct("<i")
U64 = Struct("<Q")
I64 = Struct("<q")

TIMESPEC = Struct("<qq")
TIMEVAL = Struct("<qq")
ITIMERVAL = Struct("<4q")
ITIMERSPEC = Struct("<4q")
TIMEZONE = Struct("<ii")
TMS = Struct("<4q")

STAT = Struct("<QQIIIIQQqiiqqQqQqQII")
"""struct stat of asm-generic/stat.h: dev ino mode nlink uid gid rdev pad size
blksize pad blocks atime mtime ctime (each with nanoseconds) unused[2]."""

STATX = Struct("<IIQIIIHHQQQQ qI4x qI4x qI4x qI4x IIIIQ104x")
"""struct statx: mask blksize attributes nlink uid gid mode spare ino size blocks
attributes_mask atime btime ctime mtime rdev(2) dev(2) mnt_id, zeros."""

STATFS = Struct("<qqqqqqqiiqqq4q")
"""struct statfs: type bsize blocks bfree bavail files ffree fsid(2) namelen
frsize flags spare[4]."""

DIRENT64 = Struct("<QqHB")
"""struct linux_dirent64 before d_name: ino off reclen type."""

RUSAGE = Struct("<18q")
RLIMIT = Struct("<QQ")
RLIM_INFINITY = (1 << 64) - 1
UTSNAME = Struct("<65s65s65s65s65s65s")
SYSINFO = Struct("<q3Q6QH6xQQI4x")
"""struct sysinfo: uptime loads[3] totalram freeram sharedram bufferram totalswap
freeswap procs pad totalhigh freehigh mem_unit."""

IOVEC = Struct("<QQ")
POLLFD = Struct("<ihh")
FLOCK = Struct("<hh4xqqi4x")
"""struct flock: type whence start len pid."""
F_OWNER_EX = Struct("<ii")

TERMIOS = Struct("<4I20B")
"""struct termios of the kernel: iflag oflag cflag lflag line cc[19]."""
TERMIOS2 = Struct("<4I20BII")
WINSIZE = Struct("<4H")

CLONE_ARGS = Struct("<11Q")
CLONE_ARGS_SIZES = (64, 80, 88)
"""CLONE_ARGS_SIZE_VER0 to VER2."""

CAP_HEADER = Struct("<Ii")
CAP_DATA = Struct("<III")

DT_UNKNOWN, DT_FIFO, DT_CHR, DT_DIR = 0, 1, 2, 4
DT_BLK, DT_REG, DT_LNK, DT_SOCK = 6, 8, 10, 12

# ---- mmap(2): asm-generic/mman.h ----

PROT_MASK = 0x7
PROT_GROWSDOWN = 0x01000000
PROT_GROWSUP = 0x02000000
MAP_SHARED = 0x01
MAP_PRIVATE = 0x02
MAP_SHARED_VALIDATE = 0x03
MAP_TYPE = 0x0F
MAP_FIXED = 0x10
MAP_ANONYMOUS = 0x20
MAP_GROWSDOWN = 0x0100
MAP_DENYWRITE = 0x0800
MAP_EXECUTABLE = 0x1000
MAP_LOCKED = 0x2000
MAP_NORESERVE = 0x4000
MAP_POPULATE = 0x8000
MAP_NONBLOCK = 0x10000
MAP_STACK = 0x20000
MAP_HUGETLB = 0x40000
MAP_SYNC = 0x80000
MAP_FIXED_NOREPLACE = 0x100000

MREMAP_MAYMOVE = 1
MREMAP_FIXED = 2
MREMAP_DONTUNMAP = 4

# ---- clone(2): linux/sched.h ----


@quick_flags
class Clone(IntFlag):
    """Flags of clone and clone3."""

    VM = 0x100
    FS = 0x200
    FILES = 0x400
    SIGHAND = 0x800
    PIDFD = 0x1000
    PTRACE = 0x2000
    VFORK = 0x4000
    PARENT = 0x8000
    THREAD = 0x10000
    NEWNS = 0x20000
    SYSVSEM = 0x40000
    SETTLS = 0x80000
    PARENT_SETTID = 0x100000
    CHILD_CLEARTID = 0x200000
    DETACHED = 0x400000
    UNTRACED = 0x800000
    CHILD_SETTID = 0x1000000
    NEWCGROUP = 0x2000000
    NEWUTS = 0x4000000
    NEWIPC = 0x8000000
    NEWUSER = 0x10000000
    NEWPID = 0x20000000
    NEWNET = 0x40000000
    IO = 0x80000000
    CLEAR_SIGHAND = 0x100000000
    INTO_CGROUP = 0x200000000


CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_VFORK, CLONE_PARENT, CLONE_THREAD = 0x4000, 0x8000, 0x10000
CLONE_SETTLS, CLONE_PARENT_SETTID = 0x80000, 0x100000
CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x200000, 0x1000000
CLONE_CLEAR_SIGHAND = 0x100000000
"""Those that each fork looks at, at the price of a number."""

CLONE_NAMESPACES = int(
    Clone.NEWNS
    | Clone.NEWCGROUP
    | Clone.NEWUTS
    | Clone.NEWIPC
    | Clone.NEWUSER
    | Clone.NEWPID
    | Clone.NEWNET
)
CSIGNAL = 0xFF

# ---- waiting: linux/wait.h ----

WNOHANG = 1
WUNTRACED = 2
WSTOPPED = 2
WEXITED = 4
WCONTINUED = 8
WNOWAIT = 0x01000000
W_NOTHREAD = 0x20000000
W_ALL = 0x40000000
W_CLONE = 0x80000000
P_ALL, P_PID, P_PGID, P_PIDFD = 0, 1, 2, 3

# ---- time: linux/time.h ----

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_REALTIME_COARSE = 5
CLOCK_MONOTONIC_COARSE = 6
CLOCK_BOOTTIME = 7
CLOCK_REALTIME_ALARM = 8
CLOCK_BOOTTIME_ALARM = 9
CLOCK_TAI = 11
TIMER_ABSTIME = 1

NSEC = 1_000_000_000

# ---- auxiliary vector: linux/auxvec.h ----

AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ = 0, 3, 4, 5, 6
AT_BASE, AT_FLAGS, AT_ENTRY = 7, 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID = 11, 12, 13, 14
AT_HWCAP, AT_CLKTCK, AT_SECURE, AT_RANDOM = 16, 17, 23, 25
AT_HWCAP2, AT_EXECFN, AT_MINSIGSTKSZ = 26, 31, 51
HWCAP_IMAFDC = 0x112D

# ---- resource limits: asm-generic/resource.h ----

RLIMIT_NAMES = (
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "rttime",
)
RLIMIT_STACK = 3
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIM_NLIMITS = 16


def makedev(major: int, minor: int) -> int:
    """A dev_t as stat(2) hands it out (new_encode_dev in linux/kdev_t.h).

    >>> hex(makedev(5, 1))
    '0x501'
    """
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)
