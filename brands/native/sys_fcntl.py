"""fcntl: descriptors, flags, record locks and the length of files (sys/fcntl.h)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.user import space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FASYNC,
    FD_CLOEXEC,
    FDSYNC,
    FNDELAY,
    FNONBLOCK,
    FREAD,
    FSETTABLE,
    FSYNC,
    FWRITE,
    flock_owner,
    fsize_check,
)
from personae.core.syscall import s32
from personae.core.vfs import locks
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.file import File
    from personae.core.lwp import Lwp

F_SETLK, F_SETLKW, F_GETLK = 6, 7, 14
F_FREESP, F_ISSTREAM, F_GETXFL = 11, 13, 45
F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_FLOCK, F_FLOCKW = 47, 48, 49, 53, 54
F_RDLCK, F_WRLCK, F_UNLCK = 1, 2, 3

FLOCK = Struct("<hh4xqqii32x")
"""struct flock, LP64: l_type, l_whence, l_start, l_len, l_sysid, l_pid, l_pad[4]."""

FMASK = 0xA0FF
"""What F_GETFL tells and F_SETFL changes (sys/file.h), with FASYNC."""
_SETTABLE = FSETTABLE & (FMASK | FASYNC) | FSYNC | FDSYNC

_GETS = (F_GETLK, F_OFD_GETLK)
_SETS = (F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW, F_FLOCK, F_FLOCKW)
_WAITS = (F_SETLKW, F_OFD_SETLKW, F_FLOCKW)


def sys_fcntl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """fcntl(fd, cmd, arg).

    Share reservations, F_ALLOCSP (tmpfs has none) and F_BADFD (of 32-bit programs) are
    EINVAL.
    """
    fd, cmd = s32(fd), s32(cmd)
    file = lwp.proc.fds.getf(fd)
    if cmd in (abi.F_DUPFD, abi.F_DUPFD_CLOEXEC, abi.F_DUP2FD, abi.F_DUP2FD_CLOEXEC):
        return _dup(lwp, fd, cmd, s32(arg))
    if cmd in _GETS or cmd in _SETS:
        return _lock(lwp, file, cmd, arg)
    handler = _COMMANDS.get(cmd)
    if handler is None:
        raise KernelError(Errno.EINVAL, f"fcntl {cmd}")
    return handler(lwp, fd, file, arg)


def _dup(lwp: Lwp, fd: int, cmd: int, new: int) -> int:
    p = lwp.proc
    if cmd in (abi.F_DUPFD, abi.F_DUPFD_CLOEXEC):
        if not 0 <= new < p.fno_ctl:
            raise KernelError(Errno.EINVAL, f"descriptor {new}")
        file = p.fds.getf(fd)
        return p.fds.alloc(file, p.fno_ctl, new, cmd == abi.F_DUPFD_CLOEXEC)
    if cmd == abi.F_DUP2FD_CLOEXEC and new == fd:
        raise KernelError(Errno.EINVAL, "F_DUP2FD_CLOEXEC of itself")
    return p.fds.dup2(lwp, fd, new, p.fno_ctl, cmd == abi.F_DUP2FD_CLOEXEC)


# ---- flags ----


def _getfd(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    return lwp.proc.fds.getfd(fd)


def _setfd(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    lwp.proc.fds.setfd(fd, arg & FD_CLOEXEC)
    return 0


def _getfl(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    """Open flags are file flags less FOPEN: the access mode is one less."""
    return (file.f_flag & (FMASK | FASYNC)) - FREAD


def _getxfl(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    return file.f_flag - FREAD


def _setfl(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    if arg & (FNONBLOCK | FNDELAY) == FNONBLOCK | FNDELAY:
        arg &= ~FNDELAY
    file.f_flag = file.f_flag & ~_SETTABLE | arg & _SETTABLE
    return 0


def _isstream(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    """There are no STREAMS."""
    return 0


# ---- locks ----


def _lock(lwp: Lwp, file: File, cmd: int, arg: int) -> int:
    as_ = space_of(lwp)
    raw = as_.copyin(arg, FLOCK.size)
    kind, whence, start, length, _, _ = FLOCK.unpack(raw)
    ofd = cmd not in (F_GETLK, F_SETLK, F_SETLKW)
    if ofd and (whence or start or length):
        raise KernelError(Errno.EINVAL, "an open file is locked as a whole")
    first, last = locks.flock_range(file, whence, start, length)
    vp = file.f_vnode
    owner = flock_owner(lwp, file, "o") if ofd else ("p", lwp.proc.pid)
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK) or (kind == F_UNLCK and cmd in _GETS):
        raise KernelError(Errno.EINVAL, f"l_type {kind}")
    if cmd in _GETS:
        lk = locks.getlk(vp, owner, first, last, kind == F_WRLCK)
        if lk is None:
            as_.store(arg, "<h", F_UNLCK)
            return 0
        pid = lk.owner[1] if lk.owner[0] == "p" else -1
        size = 0 if lk.end == locks.EOF_POS else lk.end - lk.start + 1
        how = F_WRLCK if lk.exclusive else F_RDLCK
        as_.copyout(arg, FLOCK.pack(how, 0, lk.start, size, 0, pid))
        return 0
    if kind == F_UNLCK:
        locks.unlk(lwp.kernel, vp, owner, first, last)
        return 0
    need = FREAD if kind == F_RDLCK else FWRITE
    if not file.f_flag & need and cmd not in (F_FLOCK, F_FLOCKW):
        raise KernelError(Errno.EBADF, "not open for that")
    locks.setlk(lwp.kernel, vp, owner, first, last, kind == F_WRLCK, cmd in _WAITS)
    return 0


# ---- length ----


def _freesp(lwp: Lwp, fd: int, file: File, arg: int) -> int:
    """F_FREESP: cut the file off at l_start; l_len has to be 0 (tmp_freesp)."""
    vp = file.f_vnode
    if vp.v_type is not VType.REG:
        raise KernelError(Errno.EINVAL, "F_FREESP of no regular file")
    if not file.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "not open for writing")
    raw = space_of(lwp).copyin(arg, FLOCK.size)
    _, whence, start, length, _, _ = FLOCK.unpack(raw)
    if length:
        raise KernelError(Errno.EINVAL, "F_FREESP of a part")
    size, _ = locks.flock_range(file, whence, start, 0)
    fsize_check(lwp, size)
    vp.setattr(lwp.kernel.kcred, size=size)
    return 0


_COMMANDS: dict[int, Callable[[Lwp, int, File, int], int]] = {
    abi.F_GETFD: _getfd,
    abi.F_SETFD: _setfd,
    abi.F_GETFL: _getfl,
    abi.F_SETFL: _setfl,
    F_GETXFL: _getxfl,
    F_ISSTREAM: _isstream,
    F_FREESP: _freesp,
}
