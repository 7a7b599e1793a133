"""Native system calls on descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.ioctl import IoctlNode
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FCLOEXEC,
    FD_CLOEXEC,
    FREAD,
    FSETTABLE,
    FWRITE,
    file_free,
    file_lseek,
    file_pread,
    file_pwrite,
    file_read,
    file_write,
)
from personae.core.syscall import s32, s64
from personae.core.vfs.pipe import make_pipe
from personae.core.vfs.vnode import MAXIO, VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

IOV_MAX = 1024
IOVEC = 16


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def sys_read(lwp: Lwp, fd: int, buf: int, n: int) -> int:
    """read(fd, buf, n)."""
    data = file_read(lwp, lwp.proc.fds.getf(s32(fd)), n)
    if data:
        _as(lwp).copyout(buf, data)
    return len(data)


def sys_write(lwp: Lwp, fd: int, buf: int, n: int) -> int:
    """write(fd, buf, n)."""
    file = lwp.proc.fds.getf(s32(fd))
    n = min(n, MAXIO)
    return file_write(lwp, file, _as(lwp).copyin(buf, n) if n else b"")


def sys_pread(lwp: Lwp, fd: int, buf: int, n: int, off: int) -> int:
    """pread(fd, buf, n, off)."""
    data = file_pread(lwp, lwp.proc.fds.getf(s32(fd)), off, n)
    if data:
        _as(lwp).copyout(buf, data)
    return len(data)


def sys_pwrite(lwp: Lwp, fd: int, buf: int, n: int, off: int) -> int:
    """pwrite(fd, buf, n, off)."""
    file = lwp.proc.fds.getf(s32(fd))
    n = min(n, MAXIO)
    return file_pwrite(lwp, file, off, _as(lwp).copyin(buf, n) if n else b"")


def _iovec(lwp: Lwp, iov: int, cnt: int) -> list[tuple[int, int]]:
    """Address and length of each piece."""
    cnt = s32(cnt)
    if not 0 < cnt <= IOV_MAX:
        raise KernelError(Errno.EINVAL, f"{cnt} pieces")
    words = _as(lwp).load(iov, f"<{2 * cnt}Q")
    out = list(zip(words[::2], words[1::2], strict=True))
    if sum(n for _, n in out) >= 1 << 63:
        raise KernelError(Errno.EINVAL, "more bytes than there can be")
    return out


def sys_readv(lwp: Lwp, fd: int, iov: int, cnt: int) -> int:
    """readv(fd, iov, iovcnt)."""
    file = lwp.proc.fds.getf(s32(fd))
    pieces = _iovec(lwp, iov, cnt)
    data = file_read(lwp, file, sum(n for _, n in pieces))
    done = 0
    for addr, n in pieces:
        part = data[done : done + n]
        if part:
            _as(lwp).copyout(addr, part)
        done += len(part)
    return len(data)


def sys_writev(lwp: Lwp, fd: int, iov: int, cnt: int) -> int:
    """writev(fd, iov, iovcnt)."""
    file = lwp.proc.fds.getf(s32(fd))
    out = []
    room = MAXIO
    for addr, n in _iovec(lwp, iov, cnt):
        n = min(n, room)
        if n:
            out.append(_as(lwp).copyin(addr, n))
            room -= n
    return file_write(lwp, file, b"".join(out))


def sys_close(lwp: Lwp, fd: int) -> int:
    """close(fd)."""
    lwp.proc.fds.close(lwp, s32(fd))
    return 0


def sys_lseek(lwp: Lwp, fd: int, off: int, whence: int) -> int:
    """lseek(fd, off, whence); SEEK_DATA is 3 and SEEK_HOLE 4 as everywhere."""
    return file_lseek(lwp.proc.fds.getf(s32(fd)), s64(off), s32(whence))


def sys_pipe(lwp: Lwp, fdp: int, flags: int) -> int:
    """pipe(int fd[2], flags)."""
    flags = s32(flags)
    if flags & ~(abi.O_CLOEXEC | abi.O_NONBLOCK):
        raise KernelError(Errno.EINVAL, f"pipe flags {flags:#x}")
    p = lwp.proc
    rd, wr = make_pipe(lwp, flags & abi.O_NONBLOCK)
    cloexec = bool(flags & abi.O_CLOEXEC)
    try:
        r = p.fds.install(lwp, rd, p.fno_ctl, cloexec)
    except KernelError:
        file_free(lwp, wr)
        raise
    try:
        w = p.fds.install(lwp, wr, p.fno_ctl, cloexec)
    except KernelError:
        p.fds.close(lwp, r)
        raise
    try:
        _as(lwp).store(fdp, "<ii", r, w)
    except KernelError:
        p.fds.close(lwp, r)
        p.fds.close(lwp, w)
        raise
    return 0


def _setfl(lwp: Lwp, fd: int, arg: int) -> int:
    file = lwp.proc.fds.getf(fd)
    file.f_flag = (file.f_flag & ~FSETTABLE) | (arg & FSETTABLE)
    return 0


def _getfl(lwp: Lwp, fd: int) -> int:
    """Open flags from file flags: the access mode is one less, the rest is equal."""
    flag = lwp.proc.fds.getf(fd).f_flag
    return ((flag & (FREAD | FWRITE)) - FREAD) | flag & (
        abi.O_KNOWN & ~abi.O_ACCMODE & ~FCLOEXEC
    )


def sys_fcntl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """fcntl(fd, cmd, arg): duplicates and flags; locks and the rest are EINVAL."""
    fd, cmd = s32(fd), s32(cmd)
    p = lwp.proc
    fds = p.fds
    if cmd in (abi.F_DUPFD, abi.F_DUPFD_CLOEXEC):
        file = fds.getf(fd)
        low = s32(arg)
        if not 0 <= low < p.fno_ctl:
            raise KernelError(Errno.EINVAL, f"descriptor {low}")
        return fds.alloc(file, p.fno_ctl, low, cmd == abi.F_DUPFD_CLOEXEC)
    if cmd in (abi.F_DUP2FD, abi.F_DUP2FD_CLOEXEC):
        new = s32(arg)
        if cmd == abi.F_DUP2FD_CLOEXEC and new == fd:
            raise KernelError(Errno.EINVAL, "F_DUP2FD_CLOEXEC of itself")
        return fds.dup2(lwp, fd, new, p.fno_ctl, cmd == abi.F_DUP2FD_CLOEXEC)
    if cmd == abi.F_GETFD:
        return fds.getfd(fd)
    if cmd == abi.F_SETFD:
        fds.setfd(fd, arg & FD_CLOEXEC)
        return 0
    if cmd == abi.F_GETFL:
        return _getfl(lwp, fd)
    if cmd == abi.F_SETFL:
        return _setfl(lwp, fd, arg)
    fds.getf(fd)
    raise KernelError(Errno.EINVAL, f"fcntl {cmd}")


def sys_fstat(lwp: Lwp, fd: int, buf: int) -> int:
    """fstat(fd, buf)."""
    vp = lwp.proc.fds.getf(s32(fd)).f_vnode
    fstype = vp.v_vfs.fstype if vp.v_vfs is not None else "fifofs"
    _as(lwp).copyout(buf, abi.pack_stat(vp.getattr(), fstype.encode()))
    return 0


def sys_getdents(lwp: Lwp, fd: int, buf: int, n: int) -> int:
    """getdents(fd, buf, n): entries as dirent64; 0 at the end."""
    file = lwp.proc.fds.getf(s32(fd))
    if file.f_vnode.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "getdents of a file")
    out = b""
    cookie = file.f_offset
    while batch := file.f_vnode.readdir(cookie):
        for ent in batch:
            rec = abi.pack_dirent(ent.ino, ent.cookie, ent.name)
            if len(out) + len(rec) > n:
                if not out:
                    raise KernelError(Errno.EINVAL, "no room for an entry")
                batch = []
                break
            out += rec
            cookie = ent.cookie
        if not batch:
            break
    if out:
        _as(lwp).copyout(buf, out)
    file.f_offset = cookie
    return len(out)


def sys_ioctl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """ioctl(fd, cmd, arg): requests of the contract file system."""
    file = lwp.proc.fds.getf(s32(fd))
    vp = file.f_vnode
    if isinstance(vp, IoctlNode):
        return vp.n_ioctl(lwp, file.f_flag, cmd & 0xFFFFFFFF, arg)
    raise KernelError(Errno.ENOTTY, "no request is known")
