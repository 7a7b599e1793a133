"""Native system calls on descriptors."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.user import store_stat
from personae.core.errno import Errno, KernelError
from personae.core.file import (
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


def _scatter(lwp: Lwp, pieces: list[tuple[int, int]], data: bytes) -> int:
    done = 0
    for addr, n in pieces:
        part = data[done : done + n]
        if part:
            _as(lwp).copyout(addr, part)
        done += len(part)
    return len(data)


def _gather(lwp: Lwp, pieces: list[tuple[int, int]]) -> bytes:
    out = []
    room = MAXIO
    for addr, n in pieces:
        n = min(n, room)
        if n:
            out.append(_as(lwp).copyin(addr, n))
            room -= n
    return b"".join(out)


def sys_readv(lwp: Lwp, fd: int, iov: int, cnt: int) -> int:
    """readv(fd, iov, iovcnt)."""
    file = lwp.proc.fds.getf(s32(fd))
    pieces = _iovec(lwp, iov, cnt)
    return _scatter(lwp, pieces, file_read(lwp, file, sum(n for _, n in pieces)))


def sys_writev(lwp: Lwp, fd: int, iov: int, cnt: int) -> int:
    """writev(fd, iov, iovcnt)."""
    file = lwp.proc.fds.getf(s32(fd))
    return file_write(lwp, file, _gather(lwp, _iovec(lwp, iov, cnt)))


def sys_preadv(lwp: Lwp, fd: int, iov: int, cnt: int, off: int) -> int:
    """preadv(fd, iov, iovcnt, off)."""
    file = lwp.proc.fds.getf(s32(fd))
    pieces = _iovec(lwp, iov, cnt)
    total = sum(n for _, n in pieces)
    return _scatter(lwp, pieces, file_pread(lwp, file, off, total))


def sys_pwritev(lwp: Lwp, fd: int, iov: int, cnt: int, off: int) -> int:
    """pwritev(fd, iov, iovcnt, off)."""
    file = lwp.proc.fds.getf(s32(fd))
    return file_pwrite(lwp, file, off, _gather(lwp, _iovec(lwp, iov, cnt)))


SENDFILEVEC = Struct("<iIQQ")
"""sfv_fd, sfv_flag, sfv_off, sfv_len (sys/sendfile.h)."""
SFV_FD_SELF = -2


def sys_sendfilev(
    lwp: Lwp, opcode: int, fd: int, vec: int, cnt: int, xferred: int
) -> int:
    """sendfilev(0, fd, vec, cnt, xferred): pieces of files and memory to a file."""
    cnt = s32(cnt)
    if s32(opcode) or not 0 < cnt <= IOV_MAX:
        raise KernelError(Errno.EINVAL, f"sendfilev of {cnt} pieces")
    fds, as_ = lwp.proc.fds, _as(lwp)
    out = fds.getf(s32(fd))
    if not out.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "not open for writing")
    if out.f_vnode.v_type is not VType.REG:
        raise KernelError(Errno.EINVAL, "sendfilev to no regular file")
    done = 0
    as_.store(xferred, "<Q", 0)
    for raw in SENDFILEVEC.iter_unpack(as_.copyin(vec, SENDFILEVEC.size * cnt)):
        src, flag, off, n = raw
        if flag:
            raise KernelError(Errno.EINVAL, f"sfv_flag {flag:#x}")
        n = min(n, MAXIO)
        if src == SFV_FD_SELF:
            data = as_.copyin(off, n) if n else b""
        else:
            data = file_pread(lwp, fds.getf(src), off, n)
        done += file_write(lwp, out, data)
        as_.store(xferred, "<Q", done)
    return done


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


def sys_fstat(lwp: Lwp, fd: int, buf: int) -> int:
    """fstat(fd, buf)."""
    return store_stat(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode, buf)


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
