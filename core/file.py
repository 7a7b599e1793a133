"""Open files and the tables of descriptors (os/fio.c).

A ``File`` is what open() makes: a vnode, an offset and flags, shared by every
descriptor that was duplicated or inherited from it.  A process' ``FdTable`` maps
descriptors to files.  Its notional size is always one of the legal ones of
fio.c, 2^n - 1; the entries themselves are sparse, so a high descriptor costs
nothing.

Flags are plain ints, since they are looked at in every read and write; ``FileFlag``
names them.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.flags import quick_flags
from personae.core.vfs import locks
from personae.core.vfs.vnode import MAXIO, POLLNVAL, Vnode, VType, counters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.sync import CondVar

FREAD = 0x1
FWRITE = 0x2
FNDELAY = 0x4
FAPPEND = 0x8
FSYNC = 0x10
FDSYNC = 0x40
FNONBLOCK = 0x80
FCREAT = 0x100
FTRUNC = 0x200
FEXCL = 0x400
FNOCTTY = 0x800
FASYNC = 0x1000
FNOFOLLOW = 0x20000
FSEARCH = 0x200000
FEXEC = 0x400000
FCLOEXEC = 0x800000
FDIRECTORY = 0x1000000
FDIRECT = 0x2000000
FPATH = 0x10000000
FTMPFILE = 0x20000000
FNOATIME = 0x40000000


@quick_flags
class FileFlag(IntFlag):
    """f_flag and the flags of an open: illumos' values (sys/file.h) up to FDIRECT."""

    FREAD = FREAD
    FWRITE = FWRITE
    FNDELAY = FNDELAY
    FAPPEND = FAPPEND
    FSYNC = FSYNC
    FDSYNC = FDSYNC
    FNONBLOCK = FNONBLOCK
    FCREAT = FCREAT
    FTRUNC = FTRUNC
    FEXCL = FEXCL
    FNOCTTY = FNOCTTY
    FASYNC = FASYNC
    FNOFOLLOW = FNOFOLLOW
    FSEARCH = FSEARCH
    FEXEC = FEXEC
    FCLOEXEC = FCLOEXEC
    FDIRECTORY = FDIRECTORY
    FDIRECT = FDIRECT
    FPATH = FPATH
    """Only names a place (Linux' O_PATH)."""
    FTMPFILE = FTMPFILE
    """A file without a name in the directory that is opened."""
    FNOATIME = FNOATIME


FSETTABLE = FAPPEND | FNONBLOCK | FNDELAY | FASYNC | FDIRECT | FNOATIME
"""What fcntl(F_SETFL) may change."""
FOPENONLY = FCREAT | FTRUNC | FEXCL | FNOCTTY | FCLOEXEC | FTMPFILE
"""Flags of the open that the open file does not keep."""

FD_CLOEXEC = 1
FD_MAX = 1 << 20
"""Descriptors stay below this whatever the limit of the process says (nr_open)."""

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)

OFF_MAX = (1 << 63) - 1

_DOOR = VType.DOOR


class File:
    """An open file (struct file).  It holds its vnode.

    Attributes:
        f_count: Descriptors, in all tables, that refer to it.
        f_owner: Who gets SIGIO: pid, or minus a group (fcntl F_SETOWN).
        f_data: What a brand wants to keep with it.
        f_serial: Its number as an owner of locks; 0 until it has one.
    """

    __slots__ = (
        "f_count",
        "f_cred",
        "f_data",
        "f_flag",
        "f_offset",
        "f_owner",
        "f_serial",
        "f_vnode",
    )

    def __init__(self, vnode: Vnode, flag: int, cred: Cred | None = None) -> None:
        self.f_vnode = vnode.hold()
        self.f_offset = 0
        self.f_flag = int(flag)
        self.f_count = 0
        self.f_cred = cred
        self.f_owner = 0
        self.f_data: Any = None
        self.f_serial = 0

    def __repr__(self) -> str:
        return f"<File {self.f_vnode!r} {self.f_flag:#x} count={self.f_count}>"

    def lock_owner(self, kind: str) -> tuple[str, int]:
        """Its key as an owner of locks: kind "f" for flock, "o" for F_OFD_*."""
        if self.f_serial == 0:
            raise Panic("lock owner without a number")
        return kind, self.f_serial

    def poll(self, lwp: Lwp | None, events: int) -> tuple[int, list[CondVar]]:
        """Which of ``events`` hold, and where to wait."""
        if self.f_flag & FPATH:
            return POLLNVAL, []
        return self.f_vnode.poll(lwp, events, self.f_flag)


def file_hold(file: File) -> File:
    """One more descriptor or other user of an open file."""
    file.f_count += 1
    return file


def file_close(lwp: Lwp | None, file: File) -> None:
    """One user less (closef); the last one closes the file."""
    if file.f_count <= 0:
        raise Panic(f"closed too often: {file!r}")
    file.f_count -= 1
    if file.f_count == 0:
        file_free(lwp, file)
    elif file.f_count == 1 and file.f_vnode.v_type is _DOOR:
        file.f_vnode.last_but_one()


def file_free(lwp: Lwp | None, file: File) -> None:
    """Close a file that no descriptor refers to."""
    vp = file.f_vnode
    if file.f_serial and vp.v_locks is not None and lwp is not None:
        for kind in ("f", "o"):
            locks.cleanup(lwp.kernel, vp, (kind, file.f_serial))
    if not file.f_flag & FPATH:
        vp.close(lwp, file.f_flag)
    vp.rele()


def flock_owner(lwp: Lwp, file: File, kind: str) -> tuple[str, int]:
    """The key under which an open file owns locks, given at its first lock."""
    if file.f_serial == 0:
        num = counters(lwp.kernel)
        num.file += 1
        file.f_serial = num.file
    return file.lock_owner(kind)


# ---- read, write, seek ----


def _readable(file: File) -> Vnode:
    if not file.f_flag & FREAD or file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "not open for reading")
    return file.f_vnode


def _writable(file: File) -> Vnode:
    if not file.f_flag & FWRITE or file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "not open for writing")
    return file.f_vnode


def file_read(lwp: Lwp | None, file: File, n: int) -> bytes:
    """read(2): from the offset, which moves on."""
    flag = file.f_flag
    if not flag & FREAD or flag & FPATH:
        raise KernelError(Errno.EBADF, "not open for reading")
    vp = file.f_vnode
    data = vp.read(lwp, file.f_offset, n if n < MAXIO else MAXIO, flag)
    if vp.v_seekable:
        file.f_offset += len(data)
    return data


def file_pread(lwp: Lwp | None, file: File, off: int, n: int) -> bytes:
    """pread(2)."""
    vp = _readable(file)
    if not vp.v_seekable and vp.v_type is not VType.DIR:
        raise KernelError(Errno.ESPIPE, "pread of a stream")
    if off > OFF_MAX:
        raise KernelError(Errno.EINVAL, "negative offset")
    return vp.read(lwp, off, min(n, MAXIO), file.f_flag)


def file_write(lwp: Lwp | None, file: File, data: bytes) -> int:
    """write(2): at the offset, or at the end with FAPPEND."""
    flag = file.f_flag
    if not flag & FWRITE or flag & FPATH:
        raise KernelError(Errno.EBADF, "not open for writing")
    vp = file.f_vnode
    if not vp.v_seekable:
        return vp.write(lwp, 0, data, flag)
    off = vp.v_size() if flag & FAPPEND else file.f_offset
    n = _limited_write(lwp, vp, off, data, flag)
    file.f_offset = off + n
    return n


def file_pwrite(lwp: Lwp | None, file: File, off: int, data: bytes) -> int:
    """pwrite(2); with FAPPEND at the end all the same, as Linux does."""
    vp = _writable(file)
    if not vp.v_seekable:
        raise KernelError(Errno.ESPIPE, "pwrite to a stream")
    if off > OFF_MAX:
        raise KernelError(Errno.EINVAL, "negative offset")
    if file.f_flag & FAPPEND:
        off = vp.v_size()
    return _limited_write(lwp, vp, off, data, file.f_flag)


def fsize_check(lwp: Lwp | None, end: int) -> None:
    """EFBIG and SIGXFSZ if a file may not become ``end`` bytes long."""
    if lwp is not None and end > fsize_limit(lwp.proc):
        _xfsz(lwp)


def fsize_limit(proc: Proc) -> int:
    """RLIMIT_FSIZE of a process, as cached in p_fsz_ctl."""
    return proc.fsz_ctl


def _xfsz(lwp: Lwp) -> None:
    name = "process.max-file-size"
    raise KernelError(Errno.EFBIG, f"above {name}", name)


def _limited_write(lwp: Lwp | None, vp: Vnode, off: int, data: bytes, flag: int) -> int:
    if lwp is not None and data and vp.v_type is VType.REG:
        room = fsize_limit(lwp.proc) - off
        if room < len(data):
            if room <= 0:
                _xfsz(lwp)
            data = data[:room]
    return vp.write(lwp, off, data, flag)


def file_lseek(file: File, off: int, whence: int) -> int:
    """lseek(2); ``off`` is signed.

    Raises:
        KernelError: ESPIPE, EINVAL, EBADF; ENXIO for SEEK_DATA and SEEK_HOLE.
    """
    if file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "not open")
    vp = file.f_vnode
    if not vp.v_seekable and vp.v_type is not VType.DIR:
        raise KernelError(Errno.ESPIPE, "seek on a stream")
    if whence == SEEK_SET:
        pos = off
    elif whence == SEEK_CUR:
        pos = file.f_offset + off
    elif whence == SEEK_END and vp.v_type is not VType.DIR:
        pos = vp.v_size() + off
    elif whence in (SEEK_DATA, SEEK_HOLE):
        pos = vp.seek_data(off) if whence == SEEK_DATA else vp.seek_hole(off)
    else:
        raise KernelError(Errno.EINVAL, f"whence {whence}")
    if not 0 <= pos <= OFF_MAX:
        raise KernelError(Errno.EINVAL, f"offset {pos}")
    file.f_offset = pos
    return pos


# ---- descriptors ----


def legal_size(n: int) -> int:
    """The smallest legal table size that has room for ``n`` descriptors.

    >>> [legal_size(n) for n in (0, 1, 2, 3, 4, 8)]
    [0, 1, 3, 3, 7, 15]
    """
    return (1 << n.bit_length()) - 1


class FdTable:
    """Descriptors of a process (uf_info).

    Attributes:
        files: Open file by descriptor.
        fdflags: FD_CLOEXEC by descriptor, where it is set.
        reserved: Descriptors in use that have no file yet: an open in progress.
        nfiles: Size of the table, a legal one.
        ref: Processes that share the table.
    """

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.fdflags: dict[int, int] = {}
        self.reserved: set[int] = set()
        self.nfiles = 0
        self.ref = 1
        self._low = 0
        """No descriptor below is free."""

    # -- finding

    def getf(self, fd: int) -> File:
        """The file of a descriptor; EBADF."""
        file = self.files.get(fd)
        if file is None:
            raise KernelError(Errno.EBADF, f"descriptor {fd}")
        return file

    def fds(self) -> Iterator[tuple[int, File]]:
        """Descriptors with their files, in order."""
        return iter(sorted(self.files.items()))

    def highest(self) -> int:
        """The highest open descriptor; -1 if none is open."""
        return max(self.files, default=-1)

    # -- allocating

    def reserve(self, limit: int, minfd: int = 0) -> int:
        """Take the lowest free descriptor (ufalloc), without a file as yet.

        Args:
            limit: Descriptors must be below (process.max-file-descriptor).
            minfd: Nor below this (fcntl F_DUPFD).

        Raises:
            KernelError: EMFILE.
        """
        fd = max(minfd, self._low)
        files, reserved = self.files, self.reserved
        while fd in files or fd in reserved:
            fd += 1
        if minfd <= self._low:
            self._low = fd
        if fd >= limit or fd >= FD_MAX:
            raise KernelError(
                Errno.EMFILE, f"limit {limit}", "process.max-file-descriptor"
            )
        reserved.add(fd)
        self._grow(fd)
        return fd

    def _grow(self, fd: int) -> None:
        if fd >= self.nfiles:
            self.nfiles = legal_size(fd + 1)

    def setf(self, fd: int, file: File | None, cloexec: bool = False) -> None:
        """Give a reserved descriptor its file, one reference more; None frees it."""
        if fd not in self.reserved:
            raise Panic(f"setf of descriptor {fd}, which is not reserved")
        self.reserved.discard(fd)
        if file is None:
            self._low = min(self._low, fd)
            return
        file.f_count += 1
        self.files[fd] = file
        if cloexec:
            self.fdflags[fd] = FD_CLOEXEC

    def alloc(
        self, file: File, limit: int, minfd: int = 0, cloexec: bool = False
    ) -> int:
        """The lowest free descriptor, for ``file``.  EMFILE leaves all as it was."""
        fd = self.reserve(limit, minfd)
        self.setf(fd, file, cloexec)
        return fd

    def install(
        self, lwp: Lwp | None, file: File, limit: int, cloexec: bool = False
    ) -> int:
        """As ``alloc`` for a file just made, which is closed if that fails."""
        try:
            return self.alloc(file, limit, 0, cloexec)
        except KernelError:
            file_free(lwp, file)
            raise

    def dup2(
        self, lwp: Lwp | None, old: int, new: int, limit: int, cloexec: bool = False
    ) -> int:
        """Let ``new`` refer to what ``old`` does (dup2(2)); what it was is closed.

        Raises:
            KernelError: EBADF; EBUSY, an open of another lwp has reserved ``new``.
        """
        file = self.getf(old)
        if not 0 <= new < min(limit, FD_MAX):
            raise KernelError(Errno.EBADF, f"descriptor {new}, limit {limit}")
        if new == old:
            return new
        if new in self.reserved:
            raise KernelError(Errno.EBUSY, f"descriptor {new} is being opened")
        file.f_count += 1
        was = self.files.get(new)
        self._grow(new)
        self.files[new] = file
        self.fdflags.pop(new, None)
        if cloexec:
            self.fdflags[new] = FD_CLOEXEC
        if was is not None:
            self._closef(lwp, was)
        return new

    # -- flags

    def getfd(self, fd: int) -> int:
        """Descriptor flags (F_GETFD)."""
        self.getf(fd)
        return self.fdflags.get(fd, 0)

    def setfd(self, fd: int, flags: int) -> None:
        """Descriptor flags (F_SETFD)."""
        self.getf(fd)
        if flags & FD_CLOEXEC:
            self.fdflags[fd] = FD_CLOEXEC
        else:
            self.fdflags.pop(fd, None)

    # -- closing

    def close(self, lwp: Lwp | None, fd: int) -> None:
        """Free a descriptor (close(2))."""
        file = self.files.pop(fd, None)
        if file is None:
            raise KernelError(Errno.EBADF, f"descriptor {fd}")
        if fd < self._low:
            self._low = fd
        if self.fdflags:
            self.fdflags.pop(fd, None)
        self._closef(lwp, file)

    def _closef(self, lwp: Lwp | None, file: File) -> None:
        """Close by a process: its record locks on the file go, too (fcntl(2))."""
        vp = file.f_vnode
        if vp.v_locks is not None and lwp is not None:
            locks.cleanup(lwp.kernel, vp, ("p", lwp.proc.pid))
        file_close(lwp, file)

    def close_on_exec(self, lwp: Lwp | None) -> None:
        """exec: close what has FD_CLOEXEC."""
        for fd in sorted(self.fdflags):
            self.close(lwp, fd)

    def close_all(self, lwp: Lwp | None) -> None:
        """At exit (closeall): close everything, unless another process shares it."""
        self.ref -= 1
        if self.ref > 0:
            return
        files = self.files
        for fd in sorted(files):
            file = files.pop(fd)
            if file.f_count > 1 and file.f_vnode.v_locks is None:
                file.f_count -= 1
                if file.f_count == 1 and file.f_vnode.v_type is _DOOR:
                    file.f_vnode.last_but_one()
            else:
                self._closef(lwp, file)
        self._low = 0
        self.fdflags.clear()
        self.reserved.clear()

    # -- fork

    def share(self) -> FdTable:
        """The same table for one process more (CLONE_FILES)."""
        self.ref += 1
        return self

    def fork(self) -> FdTable:
        """A child's table (flist_fork): the same files, each counted once more.

        Its size is the smallest legal one that covers the highest open descriptor;
        reserved slots within it stay reserved.
        """
        new = FdTable()
        new.files = self.files.copy()
        new.fdflags = self.fdflags.copy()
        new.nfiles = legal_size(self.highest() + 1)
        if self.reserved:
            new.reserved = {fd for fd in self.reserved if fd < new.nfiles}
        else:
            new._low = self._low
        for file in new.files.values():
            file.f_count += 1
        return new

    def fork_undo(self) -> None:
        """Undo ``fork``: drop the counts, close nothing (fork_fail, fork.c:623)."""
        for file in self.files.values():
            file.f_count -= 1
        self.files.clear()
        self.fdflags.clear()
        self.reserved.clear()
        self.ref = 0
