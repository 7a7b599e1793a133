"""System calls on descriptors: opening pipes, duplicating, fcntl, locks, syncing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import F_OWNER_EX, FLOCK, O
from personae.brands.linux.openflags import flags_to_linux, flags_to_native
from personae.brands.linux.pids import pid_from_guest, pid_to_guest
from personae.brands.linux.sys_fd import getf, space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FD_CLOEXEC,
    FNONBLOCK,
    FPATH,
    FREAD,
    FSETTABLE,
    FWRITE,
    file_free,
    flock_owner,
    fsize_check,
)
from personae.core.syscall import s32, s64
from personae.core.vfs import locks
from personae.core.vfs.pipe import pipe_create
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.lwp import Lwp

FD_MASK = 0xFFFFFFFF

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL = 0, 1, 2, 3, 4
F_GETLK, F_SETLK, F_SETLKW, F_SETOWN, F_GETOWN = 5, 6, 7, 8, 9
F_SETSIG, F_GETSIG, F_SETOWN_EX, F_GETOWN_EX = 10, 11, 15, 16
F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38
F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ = 1030, 1031, 1032
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2


def any_file(lwp: Lwp, fd: int) -> File:
    """The open file of a descriptor, also of one that is just a path."""
    return lwp.proc.fds.getf(fd & FD_MASK)


def sys_close(lwp: Lwp, fd: int) -> int:
    """Close a descriptor."""
    lwp.proc.fds.close(lwp, fd & FD_MASK)
    return 0


def sys_close_range(lwp: Lwp, first: int, last: int, flags: int) -> int:
    """Close, or mark, a range of descriptors."""
    first, last, flags = first & FD_MASK, last & FD_MASK, flags & FD_MASK
    if flags & ~0x6 or first > last:
        raise KernelError(Errno.EINVAL, "close_range")
    if flags & 2:  # CLOSE_RANGE_UNSHARE
        from personae.brands.linux.sharing import unshare_files

        unshare_files(lwp.proc)
    fds = lwp.proc.fds
    for fd in sorted(fd for fd in fds.files if first <= fd <= last):
        if flags & 4:  # CLOSE_RANGE_CLOEXEC
            fds.setfd(fd, FD_CLOEXEC)
        else:
            fds.close(lwp, fd)
    return 0


def sys_dup(lwp: Lwp, fd: int) -> int:
    """Duplicate to the lowest free descriptor."""
    proc = lwp.proc
    return proc.fds.alloc(any_file(lwp, fd), proc.fno_ctl)


def sys_dup3(lwp: Lwp, old: int, new: int, flags: int) -> int:
    """Duplicate to a given descriptor."""
    old, new, flags = old & FD_MASK, new & FD_MASK, flags & FD_MASK
    if flags & ~O.CLOEXEC or old == new:
        raise KernelError(Errno.EINVAL, "dup3")
    proc = lwp.proc
    return proc.fds.dup2(lwp, old, new, proc.fno_ctl, bool(flags))


def sys_pipe2(lwp: Lwp, ufds: int, flags: int) -> int:
    """Make a pipe."""
    flags &= FD_MASK
    if flags & ~(O.CLOEXEC | O.NONBLOCK | O.DIRECT):
        raise KernelError(Errno.EINVAL, "flags")
    if flags & O.DIRECT:
        raise KernelError(Errno.EINVAL, "no packet pipes")
    nonblock = FNONBLOCK if flags & O.NONBLOCK else 0
    rd, wr = pipe_create(lwp.kernel, lwp.proc.cred, nonblock)
    return install_pair(lwp, rd, wr, ufds, bool(flags & O.CLOEXEC))


def install_pair(lwp: Lwp, first: File, second: File, ufds: int, cloexec: bool) -> int:
    """Give two files just made descriptors, and the caller their numbers.

    Raises:
        KernelError: EMFILE, EFAULT; both files are closed.
    """
    fds, limit = lwp.proc.fds, lwp.proc.fno_ctl
    try:
        a = fds.install(lwp, first, limit, cloexec)
    except KernelError:
        file_free(lwp, second)
        raise
    try:
        b = fds.install(lwp, second, limit, cloexec)
    except KernelError:
        fds.close(lwp, a)
        raise
    try:
        space_of(lwp).store(ufds, "<ii", a, b)
    except KernelError:
        fds.close(lwp, a)
        fds.close(lwp, b)
        raise
    return 0


# ---- fcntl ----


def sys_fcntl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """All that can be asked of a descriptor."""
    fd, cmd = fd & FD_MASK, cmd & FD_MASK
    fds = lwp.proc.fds
    file = fds.getf(fd)
    if cmd == F_GETFD:
        return fds.getfd(fd)
    if cmd == F_SETFD:
        fds.setfd(fd, arg & FD_CLOEXEC)
        return 0
    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        limit = lwp.proc.fno_ctl
        if arg & FD_MASK >= limit:
            raise KernelError(Errno.EINVAL, "above the limit")
        return fds.alloc(file, limit, arg & FD_MASK, cmd == F_DUPFD_CLOEXEC)
    if cmd == F_GETFL:
        return flags_to_linux(file.f_flag)
    if file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "only a path")
    if cmd == F_SETFL:
        new = flags_to_native(arg & FD_MASK) & FSETTABLE
        file.f_flag = file.f_flag & ~FSETTABLE | new
        return 0
    if cmd in (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW):
        return _lock(lwp, file, cmd, arg)
    return _fcntl_rest(lwp, file, cmd, arg)


def _fcntl_rest(lwp: Lwp, file: File, cmd: int, arg: int) -> int:
    zone = lwp.proc.zone
    if cmd == F_SETOWN:
        who = s32(arg)
        pid = pid_from_guest(zone, abs(who))
        file.f_owner = -pid if who < 0 else pid
        return 0
    if cmd == F_GETOWN:
        pid = pid_to_guest(zone, abs(file.f_owner))
        return (-pid if file.f_owner < 0 else pid) & (1 << 64) - 1
    if cmd == F_SETOWN_EX:
        kind, who = F_OWNER_EX.unpack(space_of(lwp).copyin(arg, 8))
        if kind not in (0, 1, 2):
            raise KernelError(Errno.EINVAL, "kind of owner")
        pid = pid_from_guest(zone, who)
        file.f_owner = -pid if kind == 2 else pid
        return 0
    if cmd == F_GETOWN_EX:
        kind = 2 if file.f_owner < 0 else 1
        pid = pid_to_guest(zone, abs(file.f_owner))
        space_of(lwp).copyout(arg, F_OWNER_EX.pack(kind, pid))
        return 0
    if cmd == F_GETSIG:
        return 0
    pipe = getattr(file.f_vnode, "pipe", None)
    if cmd == F_GETPIPE_SZ and pipe is not None:
        return int(pipe.capacity)
    if cmd == F_SETPIPE_SZ and pipe is not None:
        if not 0 < arg & FD_MASK < 1 << 31:
            raise KernelError(Errno.EINVAL, "size of a pipe")
        return int(pipe.set_capacity(arg & FD_MASK))
    if cmd in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        raise KernelError(Errno.EBADF, "not a pipe")
    raise KernelError(Errno.EINVAL, f"fcntl {cmd}")


def _lock(lwp: Lwp, file: File, cmd: int, arg: int) -> int:
    as_ = space_of(lwp)
    kind, whence, start, length, pid = FLOCK.unpack(as_.copyin(arg, FLOCK.size))
    ofd = cmd >= F_OFD_GETLK
    if ofd and pid:
        raise KernelError(Errno.EINVAL, "l_pid")
    first, last = locks.flock_range(file, whence, start, length)
    proc, vp = lwp.proc, file.f_vnode
    owner = flock_owner(lwp, file, "o") if ofd else ("p", proc.pid)
    if cmd in (F_GETLK, F_OFD_GETLK):
        if kind not in (F_RDLCK, F_WRLCK):
            raise KernelError(Errno.EINVAL, "kind of lock")
        lk = locks.getlk(vp, owner, first, last, kind == F_WRLCK)
        if lk is None:
            as_.copyout(arg, FLOCK.pack(F_UNLCK, whence, start, length, pid))
            return 0
        who = pid_to_guest(proc.zone, lk.owner[1]) if lk.owner[0] == "p" else -1
        end = 0 if lk.end == locks.EOF_POS else lk.end - lk.start + 1
        how = F_WRLCK if lk.exclusive else F_RDLCK
        as_.copyout(arg, FLOCK.pack(how, 0, lk.start, end, who))
        return 0
    if kind == F_UNLCK:
        locks.unlk(lwp.kernel, vp, owner, first, last)
        return 0
    if kind not in (F_RDLCK, F_WRLCK):
        raise KernelError(Errno.EINVAL, "kind of lock")
    if not file.f_flag & (FREAD if kind == F_RDLCK else FWRITE):
        raise KernelError(Errno.EBADF, "not open for that")
    wait = cmd in (F_SETLKW, F_OFD_SETLKW)
    locks.setlk(lwp.kernel, vp, owner, first, last, kind == F_WRLCK, wait)
    return 0


def sys_flock(lwp: Lwp, fd: int, op: int) -> int:
    """Lock an open file."""
    file = getf(lwp, fd)
    op = s32(op)
    kinds = {1: False, 2: True, 8: None}
    if op & ~4 not in kinds:
        raise KernelError(Errno.EINVAL, "flock")
    owner = flock_owner(lwp, file, "f")
    locks.flock(lwp.kernel, file.f_vnode, owner, kinds[op & ~4], not op & 4)
    return 0


# ---- sizes and syncing ----


def sys_ftruncate(lwp: Lwp, fd: int, size: int) -> int:
    """Set the size of a file."""
    size = s64(size)
    if size < 0:
        raise KernelError(Errno.EINVAL, "negative size")
    file = getf(lwp, fd)
    vp = file.f_vnode
    if vp.v_type is not VType.REG or not file.f_flag & FWRITE:
        raise KernelError(Errno.EINVAL, "not a file that is open for writing")
    fsize_check(lwp, size)
    vp.setattr(lwp.kernel.kcred, size=size)
    return 0


def sys_fallocate(lwp: Lwp, fd: int, mode: int, off: int, length: int) -> int:
    """Only the plain form: let a file be as long as that; KEEP_SIZE changes nothing."""
    off, length, mode = s64(off), s64(length), s32(mode)
    if off < 0 or length <= 0:
        raise KernelError(Errno.EINVAL, "range")
    file = getf(lwp, fd)
    if mode & ~1:
        raise KernelError(Errno.EOPNOTSUPP, f"fallocate mode {mode:#x}")
    if not file.f_flag & FWRITE:
        raise KernelError(Errno.EBADF, "not open for writing")
    vp = file.f_vnode
    if vp.v_type is VType.FIFO:
        raise KernelError(Errno.ESPIPE, "fallocate of a pipe")
    if vp.v_type is not VType.REG:
        raise KernelError(Errno.ENODEV, "fallocate of no file")
    if off + length > (1 << 63) - 1:
        raise KernelError(Errno.EFBIG, "too large")
    if not mode and off + length > vp.getattr().size:
        fsize_check(lwp, off + length)
        vp.setattr(lwp.kernel.kcred, size=off + length)
    return 0


def sys_fsync(lwp: Lwp, fd: int) -> int:
    """Nothing is ever behind."""
    getf(lwp, fd).f_vnode.fsync()
    return 0


def sys_sync(lwp: Lwp) -> int:
    """Nothing is ever behind."""
    return 0


def sys_sync_file_range(lwp: Lwp, fd: int, off: int, length: int, flags: int) -> int:
    """Nothing is ever behind; the arguments are checked."""
    file = getf(lwp, fd)
    if flags & FD_MASK & ~7 or s64(off) < 0 or s64(length) < 0:
        raise KernelError(Errno.EINVAL, "sync_file_range")
    if file.f_vnode.v_type not in (VType.REG, VType.BLK, VType.DIR, VType.LNK):
        raise KernelError(Errno.ESPIPE, "sync_file_range")
    return 0


def sys_fadvise64(lwp: Lwp, fd: int, off: int, length: int, advice: int) -> int:
    """Advice is checked and not needed."""
    file = getf(lwp, fd)
    if file.f_vnode.v_type is VType.FIFO:
        raise KernelError(Errno.ESPIPE, "fadvise of a pipe")
    if s64(length) < 0 or not 0 <= s32(advice) <= 5:
        raise KernelError(Errno.EINVAL, "advice")
    return 0


def sys_readahead(lwp: Lwp, fd: int, off: int, count: int) -> int:
    """Files are in memory already."""
    file = getf(lwp, fd)
    if not file.f_flag & FREAD:
        raise KernelError(Errno.EBADF, "not open for reading")
    if file.f_vnode.v_type is not VType.REG:
        raise KernelError(Errno.EINVAL, "not a file")
    return 0
