"""System calls on open files: reading, writing, seeking, and moving data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import (
    DIRENT64,
    DT_UNKNOWN,
    IOV_MAX,
    MAX_RW_COUNT,
    U64,
)
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FAPPEND,
    FPATH,
    FREAD,
    FWRITE,
    file_lseek,
    file_pread,
    file_pwrite,
    file_read,
    file_write,
)
from personae.core.sync import Sleep
from personae.core.syscall import s32, s64
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.file import File
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

PIPE_PIECE = 1 << 16
"""Most bytes that are offered to a stream, which takes few at a time."""
CHUNK = 1 << 20
"""Most bytes that are moved at a time, so that no count makes the host allocate."""

USER_LIMIT = 1 << 38
DTYPE = {
    VType.REG: 8,
    VType.DIR: 4,
    VType.BLK: 6,
    VType.CHR: 2,
    VType.LNK: 10,
    VType.FIFO: 1,
    VType.SOCK: 12,
}
"""d_type of a directory entry."""


class Progress:
    """State of a call that moves data in steps and had to wait in one of them.

    Attributes:
        done: Bytes of the steps that are over.
        step: Number of the step it waits in.
        inner: State of the vnode operation that waits.
    """

    def __init__(self) -> None:
        self.done = 0
        self.step = 0
        self.inner: object = None


def space_of(lwp: Lwp) -> As:
    """The address space of the caller."""
    as_ = lwp.proc.as_
    assert as_ is not None
    return as_


def getf(lwp: Lwp, fd: int) -> File:
    """The open file of a descriptor that is not just a path.

    Raises:
        KernelError: EBADF.
    """
    fds = lwp.proc.user.fds
    file = fds.files.get(fd & 0xFFFFFFFF) if fds is not None else None
    if file is None or file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, f"descriptor {s32(fd)}")
    return file


def _check_user(buf: int, n: int) -> None:
    """access_ok: a range that ends behind user memory is EFAULT at once."""
    if buf + n > USER_LIMIT:
        raise KernelError(Errno.EFAULT, "behind the end of user memory")


# ---- read and write ----


def sys_read(lwp: Lwp, fd: int, buf: int, n: int) -> int:
    """Read from the file's offset."""
    proc = lwp.proc
    file = proc.user.fds.files.get(fd & 0xFFFFFFFF)  # type: ignore[union-attr]
    if file is None:
        raise KernelError(Errno.EBADF, f"descriptor {s32(fd)}")
    if n > CHUNK:
        return _read_much(lwp, file, buf, n)
    data = file_read(lwp, file, n)
    if data:
        _give(proc.as_, file, buf, data)
    return len(data)


def _give(as_: As | None, file: File, buf: int, data: bytes) -> None:
    """Copy out what was read; what can't be copied was not read."""
    assert as_ is not None
    try:
        as_.copyout(buf, data)
    except KernelError:
        if file.f_vnode.v_seekable:
            file.f_offset -= len(data)
        raise


def _read_much(lwp: Lwp, file: File, buf: int, n: int) -> int:
    if not file.f_flag & FREAD or file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "not open for reading")
    _check_user(buf, n)
    left = min(n, MAX_RW_COUNT)
    done = 0
    while left:
        want = min(left, CHUNK)
        try:
            data = file_read(lwp, file, want)
            if data:
                _give(lwp.proc.as_, file, buf + done, data)
        except (KernelError, Sleep):
            if done:
                return done
            raise
        done += len(data)
        left -= len(data)
        if len(data) < want or not file.f_vnode.v_seekable:
            break
    return done


def sys_write(lwp: Lwp, fd: int, buf: int, n: int) -> int:
    """Write at the file's offset."""
    proc = lwp.proc
    file = proc.user.fds.files.get(fd & 0xFFFFFFFF)  # type: ignore[union-attr]
    if file is None:
        raise KernelError(Errno.EBADF, f"descriptor {s32(fd)}")
    if n > CHUNK:
        if not file.f_flag & FWRITE:
            raise KernelError(Errno.EBADF, "not open for writing")
        _check_user(buf, n)
        return _write_steps(lwp, file, _cut([(buf, min(n, MAX_RW_COUNT))]))
    as_ = proc.as_
    assert as_ is not None
    if not file.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "not open for writing")
    return file_write(lwp, file, as_.copyin(buf, n))


def _cut(vecs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Split what is longer than a chunk."""
    out = []
    for base, length in vecs:
        while length > CHUNK:
            out.append((base, CHUNK))
            base += CHUNK
            length -= CHUNK
        out.append((base, length))
    return out


def _write_steps(lwp: Lwp, file: File, vecs: list[tuple[int, int]]) -> int:
    """Write piece after piece; a wait in one of them keeps how far it came."""
    state = lwp.sysstate
    if not isinstance(state, Progress):
        state = Progress()
    as_ = space_of(lwp)
    while state.step < len(vecs):
        base, length = vecs[state.step]
        try:
            data = as_.copyin(base, length)
            put = step_into(lwp, state, file_write, file, data)
        except KernelError:
            if state.done:
                break
            raise
        state.done += put
        state.step += 1
        if put < length:
            break
    return state.done


def step_into(
    lwp: Lwp,
    state: Progress,
    op: Callable[[Lwp | None, File, bytes], int],
    file: File,
    data: bytes,
) -> int:
    """One step of a longer write, whose own waiting state is kept in ``state``."""
    lwp.sysstate = state.inner
    try:
        put = op(lwp, file, data)
    except Sleep as s:
        state.inner = lwp.sysstate
        lwp.sysstate = state
        total = state.done + (s.partial or 0)
        s.partial = total or None
        raise
    state.inner = None
    lwp.sysstate = state
    return put


# ---- vectors ----


def iovecs(lwp: Lwp, iov: int, count: int) -> list[tuple[int, int]]:
    """Read an array of struct iovec, clamped to MAX_RW_COUNT (import_iovec).

    Raises:
        KernelError: EINVAL, too many or a negative length; EFAULT.
    """
    if count > IOV_MAX:
        raise KernelError(Errno.EINVAL, f"{count} vectors")
    if not count:
        return []
    raw = space_of(lwp).copyin(iov, 16 * count)
    out = []
    room = MAX_RW_COUNT
    for i in range(0, len(raw), 16):
        base, length = U64.unpack_from(raw, i)[0], U64.unpack_from(raw, i + 8)[0]
        if length >> 63:
            raise KernelError(Errno.EINVAL, "negative length")
        _check_user(base, length)
        length = min(length, room)
        room -= length
        out.append((base, length))
    return out


def sys_readv(lwp: Lwp, fd: int, iov: int, count: int) -> int:
    """Read into several buffers."""
    file = getf(lwp, fd)
    if not file.f_flag & FREAD:
        raise KernelError(Errno.EBADF, "not open for reading")
    vecs = iovecs(lwp, iov, count)
    total = min(sum(length for _, length in vecs), CHUNK)
    data = file_read(lwp, file, total)
    try:
        scatter(lwp, vecs, data)
    except KernelError:
        if file.f_vnode.v_seekable:
            file.f_offset -= len(data)
        raise
    return len(data)


def scatter(lwp: Lwp, vecs: list[tuple[int, int]], data: bytes) -> None:
    """Distribute what was read."""
    as_ = space_of(lwp)
    at = 0
    for base, length in vecs:
        if at >= len(data):
            break
        as_.copyout(base, data[at : at + length])
        at += length


def sys_writev(lwp: Lwp, fd: int, iov: int, count: int) -> int:
    """Write out of several buffers; what fits in one step is one write."""
    file = getf(lwp, fd)
    if not file.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "not open for writing")
    vecs = iovecs(lwp, iov, count)
    if sum(length for _, length in vecs) <= CHUNK:
        return file_write(lwp, file, gather(lwp, vecs))
    return _write_steps(lwp, file, _cut(vecs))


def gather(lwp: Lwp, vecs: list[tuple[int, int]]) -> bytes:
    """Collect what is to be written; stops before a bad buffer, if not the first."""
    as_ = space_of(lwp)
    parts: list[bytes] = []
    for base, length in vecs:
        try:
            parts.append(as_.copyin(base, length))
        except KernelError:
            if not any(parts):
                raise
            break
    return b"".join(parts)


def _offset(off: int) -> int:
    off = s64(off)
    if off < 0:
        raise KernelError(Errno.EINVAL, "negative offset")
    return off


def sys_pread64(lwp: Lwp, fd: int, buf: int, n: int, off: int) -> int:
    """Read from a place."""
    off = _offset(off)
    file = getf(lwp, fd)
    if n > CHUNK:
        _check_user(buf, n)
        n = CHUNK if not file.f_vnode.v_seekable else min(n, MAX_RW_COUNT)
    as_ = space_of(lwp)
    done = 0
    while True:
        data = file_pread(lwp, file, off + done, min(n - done, CHUNK))
        if data:
            as_.copyout(buf + done, data)
        done += len(data)
        if len(data) < CHUNK or done >= n:
            return done


def sys_pwrite64(lwp: Lwp, fd: int, buf: int, n: int, off: int) -> int:
    """Write at a place."""
    off = _offset(off)
    file = getf(lwp, fd)
    if n > CHUNK:
        _check_user(buf, n)
        n = min(n, MAX_RW_COUNT)
    as_ = space_of(lwp)
    done = 0
    while True:
        step = min(n - done, CHUNK)
        try:
            data = as_.copyin(buf + done, step)
            put = file_pwrite(lwp, file, off + done, data)
        except KernelError:
            if done:
                return done
            raise
        done += put
        if put < step or done >= n:
            return done


def sys_preadv(lwp: Lwp, fd: int, iov: int, count: int, off: int) -> int:
    """Read into several buffers from a place."""
    off = _offset(off)
    file = getf(lwp, fd)
    vecs = iovecs(lwp, iov, count)
    total = min(sum(length for _, length in vecs), CHUNK)
    data = file_pread(lwp, file, off, total)
    scatter(lwp, vecs, data)
    return len(data)


def sys_pwritev(lwp: Lwp, fd: int, iov: int, count: int, off: int) -> int:
    """Write out of several buffers at a place."""
    off = _offset(off)
    file = getf(lwp, fd)
    vecs = iovecs(lwp, iov, count)
    room = CHUNK
    cut = []
    for base, length in vecs:
        cut.append((base, min(length, room)))
        room -= min(length, room)
    return file_pwrite(lwp, file, off, gather(lwp, cut))


def _rwf(flags: int) -> None:
    if s32(flags) & ~(0x01 | 0x02 | 0x04):
        raise KernelError(Errno.EOPNOTSUPP, "RWF flags")


def sys_preadv2(
    lwp: Lwp, fd: int, iov: int, count: int, off: int, _hi: int, flags: int
) -> int:
    """As preadv or, with offset -1, readv."""
    _rwf(flags)
    if s64(off) == -1:
        return sys_readv(lwp, fd, iov, count)
    return sys_preadv(lwp, fd, iov, count, off)


def sys_pwritev2(
    lwp: Lwp, fd: int, iov: int, count: int, off: int, _hi: int, flags: int
) -> int:
    """As pwritev or, with offset -1, writev."""
    _rwf(flags)
    if s64(off) == -1:
        return sys_writev(lwp, fd, iov, count)
    return sys_pwritev(lwp, fd, iov, count, off)


def sys_lseek(lwp: Lwp, fd: int, off: int, whence: int) -> int:
    """Move the offset."""
    return file_lseek(getf(lwp, fd), s64(off), whence & 0xFFFFFFFF)


# ---- directories ----


def sys_getdents64(lwp: Lwp, fd: int, buf: int, size: int) -> int:
    """Read directory entries; the file's offset is the cookie of the next one."""
    file = getf(lwp, fd)
    vp = file.f_vnode
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "getdents of a file")
    size = min(size & 0xFFFFFFFF, CHUNK)
    out = bytearray()
    cookie = file.f_offset
    full = False
    while not full:
        batch = vp.readdir(cookie)
        if not batch:
            break
        for ent in batch:
            reclen = (DIRENT64.size + len(ent.name) + 8) & ~7
            if len(out) + reclen > size:
                full = True
                break
            dtype = DTYPE.get(ent.type, DT_UNKNOWN)
            head = DIRENT64.pack(ent.ino, ent.cookie, reclen, dtype)
            out += (head + ent.name).ljust(reclen, b"\0")
            cookie = ent.cookie
    if full and not out:
        raise KernelError(Errno.EINVAL, "no room for one entry")
    space_of(lwp).copyout(buf, bytes(out))
    file.f_offset = cookie
    return len(out)


# ---- from file to file ----


def sys_sendfile(lwp: Lwp, out_fd: int, in_fd: int, offp: int, n: int) -> int:
    """Copy from a file to any descriptor."""
    src, dst = getf(lwp, in_fd), getf(lwp, out_fd)
    if not src.f_flag & FREAD or not dst.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "sendfile")
    if not src.f_vnode.v_seekable:
        raise KernelError(Errno.EINVAL, "sendfile from a stream")
    if dst.f_flag & FAPPEND:
        raise KernelError(Errno.EINVAL, "sendfile to an appending file")
    as_ = space_of(lwp)
    state = lwp.sysstate
    if not isinstance(state, Progress):
        state = Progress()
    off = _offset(as_.load(offp, "<Q")[0]) if offp else src.f_offset
    n = min(n, MAX_RW_COUNT)
    piece = CHUNK if dst.f_vnode.v_seekable else PIPE_PIECE
    while state.done < n:
        try:
            data = file_pread(lwp, src, off, min(n - state.done, piece))
            put = step_into(lwp, state, file_write, dst, data) if data else 0
        except KernelError:
            if state.done:
                break
            raise
        state.done += put
        off += put
        if offp:
            as_.store(offp, "<Q", off)
        else:
            src.f_offset = off
        if not data or put < len(data):
            break
    return state.done


def sys_copy_file_range(
    lwp: Lwp, in_fd: int, offin: int, out_fd: int, offout: int, n: int, flags: int
) -> int:
    """Copy between regular files."""
    if flags & 0xFFFFFFFF:
        raise KernelError(Errno.EINVAL, "flags")
    src, dst = getf(lwp, in_fd), getf(lwp, out_fd)
    if not src.f_flag & FREAD or not dst.f_flag & FWRITE or dst.f_flag & FAPPEND:
        raise KernelError(Errno.EBADF, "copy_file_range")
    for f in (src, dst):
        if f.f_vnode.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, "copy_file_range")
        if f.f_vnode.v_type is not VType.REG:
            raise KernelError(Errno.EINVAL, "copy_file_range")
    as_ = space_of(lwp)
    pin = _offset(as_.load(offin, "<Q")[0]) if offin else src.f_offset
    pout = _offset(as_.load(offout, "<Q")[0]) if offout else dst.f_offset
    n = min(n, MAX_RW_COUNT)
    same = src.f_vnode is dst.f_vnode
    if same and pin < pout + n and pout < pin + n:
        raise KernelError(Errno.EINVAL, "ranges overlap")
    done = 0
    while done < n:
        data = file_pread(lwp, src, pin, min(n - done, CHUNK))
        if not data:
            break
        put = file_pwrite(lwp, dst, pout, data)
        done, pin, pout = done + put, pin + put, pout + put
        if put < len(data):
            break
    if offin:
        as_.store(offin, "<Q", pin)
    else:
        src.f_offset = pin
    if offout:
        as_.store(offout, "<Q", pout)
    else:
        dst.f_offset = pout
    return done
