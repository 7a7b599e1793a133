"""System calls on paths: opening, making, removing, attributes, directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_REMOVEDIR,
    AT_STATX_SYNC_TYPE,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    NSEC,
    PATH_MAX,
    S_IFMT,
    STATFS,
    STATX,
    TIMESPEC,
    O,
)
from personae.brands.linux.openflags import (
    VTYPE_OF,
    flags_to_native,
    linux_dev,
    linux_mode,
    pack_stat,
)
from personae.brands.linux.sys_fd import getf, space_of
from personae.core.errno import Errno, KernelError
from personae.core.syscall import s32, s64
from personae.core.vfs import vnops
from personae.core.vfs.lookup import Namei, lookup
from personae.core.vfs.vnode import Vnode, VType, major, minor

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

_UTIME_NOW = (1 << 30) - 1
_UTIME_OMIT = (1 << 30) - 2

MAGIC = {
    "tmpfs": 0x01021994,
    "proc": 0x9FA0,
    "devfs": 0x01021994,
    "devtmpfs": 0x01021994,
    "pipefs": 0x50495045,
    "overlay": 0x794C7630,
    "lofs": 0x794C7630,
    "hostfs": 0x00C0FFEE,
    "ext4": 0xEF53,
}
"""f_type by the name of the file system (linux/magic.h)."""


# ---- arguments ----


def user_path(lwp: Lwp, ptr: int) -> bytes:
    """A path of the guest."""
    return space_of(lwp).copyinstr(ptr, PATH_MAX)


def start_of(lwp: Lwp, dirfd: int, path: bytes) -> Vnode | None:
    """Where a path starts: None for the current directory.

    Raises:
        KernelError: EBADF; ENOTDIR, the descriptor is not a directory.
    """
    if path[:1] == b"/" or s32(dirfd) == AT_FDCWD:
        return None
    vp = lwp.proc.fds.getf(dirfd & 0xFFFFFFFF).f_vnode
    if path and vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "dirfd")
    return vp


def find_at(lwp: Lwp, dirfd: int, ptr: int, flags: int) -> Vnode:
    """The vnode that (dirfd, path, AT_ flags) name."""
    path = user_path(lwp, ptr)
    if not path and flags & AT_EMPTY_PATH:
        if s32(dirfd) == AT_FDCWD:
            return lookup(lwp.kernel, lwp.proc, b".")
        return lwp.proc.fds.getf(dirfd & 0xFFFFFFFF).f_vnode
    follow = not flags & AT_SYMLINK_NOFOLLOW
    return Namei(lwp.proc).lookup(path, follow, start_of(lwp, dirfd, path))


def _flags(flags: int, known: int) -> int:
    flags &= 0xFFFFFFFF
    if flags & ~known:
        raise KernelError(Errno.EINVAL, f"flags {flags:#x}")
    return flags


# ---- open ----


def sys_openat(lwp: Lwp, dirfd: int, ptr: int, flags: int, mode: int) -> int:
    """Open or create a file."""
    path = user_path(lwp, ptr)
    return _open(lwp, start_of(lwp, dirfd, path), path, flags & 0xFFFFFFFF, mode)


def _open(lwp: Lwp, start: Vnode | None, path: bytes, flags: int, mode: int) -> int:
    proc = lwp.proc
    if flags & 0o20000000 and not flags & O.DIRECTORY:
        raise KernelError(Errno.EINVAL, "__O_TMPFILE without O_DIRECTORY")
    native = flags_to_native(flags)
    fds = proc.fds
    fd = fds.reserve(proc.fno_ctl)
    try:
        file = vnops.vn_open(lwp, path, native, mode & 0o7777, start)
    except BaseException:
        fds.setf(fd, None)
        raise
    fds.setf(fd, file, bool(flags & O.CLOEXEC))
    return fd


_OPEN_KNOWN = 0o37777703
_RESOLVE_KNOWN = 0x3F


def sys_openat2(lwp: Lwp, dirfd: int, ptr: int, how: int, size: int) -> int:
    """Openat with checked flags; restrictions on the lookup are not supported."""
    if size < 24:
        raise KernelError(Errno.EINVAL, "struct open_how")
    if size > 4096:
        raise KernelError(Errno.E2BIG, "struct open_how")
    as_ = space_of(lwp)
    raw = as_.copyin(how, size)
    if any(raw[24:]):
        raise KernelError(Errno.E2BIG, "unknown members")
    flags, mode, resolve = (
        int.from_bytes(raw[i : i + 8], "little") for i in (0, 8, 16)
    )
    if flags & ~_OPEN_KNOWN or resolve & ~_RESOLVE_KNOWN or mode & ~0o7777:
        raise KernelError(Errno.EINVAL, "struct open_how")
    if mode and not flags & (O.CREAT | 0o20000000):
        raise KernelError(Errno.EINVAL, "mode without O_CREAT")
    if resolve:
        raise KernelError(Errno.EINVAL, "RESOLVE flags are not supported")
    path = user_path(lwp, ptr)
    return _open(lwp, start_of(lwp, dirfd, path), path, flags, mode)


# ---- making and removing ----


def sys_mkdirat(lwp: Lwp, dirfd: int, ptr: int, mode: int) -> int:
    """Make a directory."""
    path = user_path(lwp, ptr)
    vnops.vn_mkdir(lwp, path, mode & 0o1777, start_of(lwp, dirfd, path))
    return 0


def sys_mknodat(lwp: Lwp, dirfd: int, ptr: int, mode: int, dev: int) -> int:
    """Make a FIFO, device, socket or empty file."""
    path = user_path(lwp, ptr)
    mode &= 0xFFFF
    fmt = mode & S_IFMT
    vtype = VTYPE_OF.get(fmt or 0o100000)
    if vtype is VType.DIR:
        raise KernelError(Errno.EPERM, "mknod of a directory")
    if vtype is None or vtype is VType.LNK:
        raise KernelError(Errno.EINVAL, "kind of file")
    rdev = 0
    if vtype in (VType.CHR, VType.BLK):
        # CAP_MKNOD: a zone has no devices but those it was given.
        raise KernelError(Errno.EPERM, "a zone makes no devices")
    del dev
    start = start_of(lwp, dirfd, path)
    vnops.vn_mknod(lwp, path, vtype, mode & 0o7777, rdev, start)
    return 0


def sys_unlinkat(lwp: Lwp, dirfd: int, ptr: int, flags: int) -> int:
    """Remove a name or, with AT_REMOVEDIR, a directory."""
    flags = _flags(flags, AT_REMOVEDIR)
    path = user_path(lwp, ptr)
    start = start_of(lwp, dirfd, path)
    if flags:
        vnops.vn_rmdir(lwp, path, start)
    else:
        vnops.vn_unlink(lwp, path, start)
    return 0


def sys_symlinkat(lwp: Lwp, target: int, dirfd: int, ptr: int) -> int:
    """Make a symbolic link."""
    text = user_path(lwp, target)
    path = user_path(lwp, ptr)
    vnops.vn_symlink(lwp, text, path, start_of(lwp, dirfd, path))
    return 0


def sys_linkat(
    lwp: Lwp, olddirfd: int, old: int, newdirfd: int, new: int, flags: int
) -> int:
    """A further name for a file."""
    flags = _flags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)
    how = flags & AT_EMPTY_PATH
    if not flags & AT_SYMLINK_FOLLOW:
        how |= AT_SYMLINK_NOFOLLOW
    vp = find_at(lwp, olddirfd, old, how)
    path = user_path(lwp, new)
    vnops.vn_link(lwp, vp, path, start_of(lwp, newdirfd, path))
    return 0


_RENAME_NOREPLACE, _RENAME_EXCHANGE, _RENAME_WHITEOUT = 1, 2, 4


def sys_renameat2(
    lwp: Lwp, olddirfd: int, old: int, newdirfd: int, new: int, flags: int
) -> int:
    """Rename, without replacing, or exchanging two names."""
    flags = _flags(flags, _RENAME_NOREPLACE | _RENAME_EXCHANGE | _RENAME_WHITEOUT)
    if flags & _RENAME_EXCHANGE and flags & (_RENAME_NOREPLACE | _RENAME_WHITEOUT):
        raise KernelError(Errno.EINVAL, "RENAME_EXCHANGE with others")
    if flags & _RENAME_WHITEOUT:
        raise KernelError(Errno.EINVAL, "RENAME_WHITEOUT")
    a, b = user_path(lwp, old), user_path(lwp, new)
    vnops.vn_rename(
        lwp,
        a,
        b,
        start_of(lwp, olddirfd, a),
        start_of(lwp, newdirfd, b),
        noreplace=bool(flags & _RENAME_NOREPLACE),
        exchange=bool(flags & _RENAME_EXCHANGE),
    )
    return 0


def sys_readlinkat(lwp: Lwp, dirfd: int, ptr: int, buf: int, size: int) -> int:
    """The text of a symbolic link, without a NUL."""
    size = s32(size)
    if size <= 0:
        raise KernelError(Errno.EINVAL, "size of the buffer")
    path = user_path(lwp, ptr)
    if path:
        text = vnops.vn_readlink(lwp, path, start_of(lwp, dirfd, path))
    else:
        vp = lwp.proc.fds.getf(dirfd & 0xFFFFFFFF).f_vnode
        if vp.v_type is not VType.LNK:
            raise KernelError(Errno.ENOENT, "empty path")
        text = vp.readlink(lwp.proc)
    text = text[:size]
    space_of(lwp).copyout(buf, text)
    return len(text)


# ---- attributes ----


def sys_newfstatat(lwp: Lwp, dirfd: int, ptr: int, buf: int, flags: int) -> int:
    """Attributes of a file."""
    flags = _flags(flags, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)
    vp = find_at(lwp, dirfd, ptr, flags)
    space_of(lwp).copyout(buf, pack_stat(vp.getattr()))
    return 0


def sys_fstat(lwp: Lwp, fd: int, buf: int) -> int:
    """Attributes of an open file."""
    vp = lwp.proc.fds.getf(fd & 0xFFFFFFFF).f_vnode
    space_of(lwp).copyout(buf, pack_stat(vp.getattr()))
    return 0


_STATX_BASIC = 0x7FF
_STATX_MNT_ID = 0x1000
_STATX_RESERVED = 0x80000000


def sys_statx(lwp: Lwp, dirfd: int, ptr: int, flags: int, mask: int, buf: int) -> int:
    """Attributes of a file, the new way; there is no birth time."""
    known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE
    flags &= 0xFFFFFFFF
    if flags & ~known or flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise KernelError(Errno.EINVAL, "flags of statx")
    if mask & _STATX_RESERVED:
        raise KernelError(Errno.EINVAL, "mask of statx")
    vp = find_at(lwp, dirfd, ptr, flags)
    a = vp.getattr()
    times: list[int] = []
    for t in (a.atime, 0, a.ctime, a.mtime):
        times += (t // NSEC, t % NSEC)
    raw = STATX.pack(
        _STATX_BASIC | _STATX_MNT_ID,
        a.blksize,
        0,
        a.nlink,
        a.uid,
        a.gid,
        linux_mode(a),
        0,
        a.ino,
        a.size,
        a.blocks,
        0,
        *times,
        major(a.rdev) & 0xFFFFFFFF,
        minor(a.rdev),
        major(a.dev) & 0xFFFFFFFF,
        minor(a.dev),
        linux_dev(a.dev),
    )
    space_of(lwp).copyout(buf, raw)
    return 0


def _access(lwp: Lwp, dirfd: int, ptr: int, mode: int, flags: int) -> int:
    mode = s32(mode)
    if mode & ~7:
        raise KernelError(Errno.EINVAL, "mode of access")
    flags = _flags(flags, AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    cred = lwp.proc.cred
    if not flags & AT_EACCESS and (cred.uid, cred.gid) != (cred.fsuid, cred.fsgid):
        cred = cred.copy(euid=cred.uid, egid=cred.gid, fsuid=cred.uid, fsgid=cred.gid)
    path = user_path(lwp, ptr)
    start = start_of(lwp, dirfd, path)
    if not path and flags & AT_EMPTY_PATH:
        vp = find_at(lwp, dirfd, ptr, flags)
    else:
        follow = not flags & AT_SYMLINK_NOFOLLOW
        vp = Namei(lwp.proc, cred).lookup(path, follow, start)
    if mode:
        vp.access(cred, mode)
    return 0


def sys_faccessat(lwp: Lwp, dirfd: int, ptr: int, mode: int) -> int:
    """Whether the real user may do something with a file."""
    return _access(lwp, dirfd, ptr, mode, 0)


def sys_faccessat2(lwp: Lwp, dirfd: int, ptr: int, mode: int, flags: int) -> int:
    """As faccessat, with flags."""
    return _access(lwp, dirfd, ptr, mode, flags)


def sys_fchmodat(lwp: Lwp, dirfd: int, ptr: int, mode: int) -> int:
    """Change permissions."""
    find_at(lwp, dirfd, ptr, 0).setattr(lwp.proc.cred, mode=mode & 0o7777)
    return 0


def sys_fchmodat2(lwp: Lwp, dirfd: int, ptr: int, mode: int, flags: int) -> int:
    """Change permissions, with flags; those of a link can't be changed."""
    flags = _flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    vp = find_at(lwp, dirfd, ptr, flags)
    if vp.v_type is VType.LNK:
        raise KernelError(Errno.EOPNOTSUPP, "permissions of a symbolic link")
    vp.setattr(lwp.proc.cred, mode=mode & 0o7777)
    return 0


def sys_fchmod(lwp: Lwp, fd: int, mode: int) -> int:
    """Change permissions of an open file."""
    getf(lwp, fd).f_vnode.setattr(lwp.proc.cred, mode=mode & 0o7777)
    return 0


def _chown(lwp: Lwp, vp: Vnode, uid: int, gid: int) -> int:
    changes = {}
    if uid & 0xFFFFFFFF != 0xFFFFFFFF:
        changes["uid"] = uid & 0xFFFFFFFF
    if gid & 0xFFFFFFFF != 0xFFFFFFFF:
        changes["gid"] = gid & 0xFFFFFFFF
    if changes:
        vp.setattr(lwp.proc.cred, **changes)
    return 0


def sys_fchownat(lwp: Lwp, dirfd: int, ptr: int, uid: int, gid: int, flags: int) -> int:
    """Change owner and group."""
    flags = _flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    return _chown(lwp, find_at(lwp, dirfd, ptr, flags), uid, gid)


def sys_fchown(lwp: Lwp, fd: int, uid: int, gid: int) -> int:
    """Change owner and group of an open file."""
    return _chown(lwp, getf(lwp, fd).f_vnode, uid, gid)


def sys_utimensat(lwp: Lwp, dirfd: int, ptr: int, times: int, flags: int) -> int:
    """Change the times of a file."""
    flags = _flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    changes = {"touch": 1}
    if times:
        raw = space_of(lwp).copyin(times, 32)
        changes = _times(lwp, raw)
    if not ptr and s32(dirfd) != AT_FDCWD:
        if flags & ~AT_EMPTY_PATH:
            raise KernelError(Errno.EINVAL, "flags without a path")
        vp = getf(lwp, dirfd).f_vnode
    else:
        vp = find_at(lwp, dirfd, ptr, flags)
    if changes:
        vp.setattr(lwp.proc.cred, **changes)
    return 0


def _times(lwp: Lwp, raw: bytes) -> dict[str, int]:
    pairs = TIMESPEC.unpack_from(raw, 0), TIMESPEC.unpack_from(raw, 16)
    if all(nsec == _UTIME_NOW for _, nsec in pairs):
        return {"touch": 1}
    out = {}
    for key, (sec, nsec) in zip(("atime", "mtime"), pairs, strict=True):
        if nsec == _UTIME_OMIT:
            continue
        if nsec == _UTIME_NOW:
            out[key] = lwp.kernel.wall_ns
        elif 0 <= nsec < NSEC:
            # clamp as timestamp_truncate does for a file system with 64-bit ns
            sec = max(min(sec, (1 << 63) // NSEC - 1), -(1 << 63) // NSEC + 1)
            out[key] = sec * NSEC + nsec
        else:
            raise KernelError(Errno.EINVAL, "nanoseconds")
    return out


def sys_truncate(lwp: Lwp, ptr: int, size: int) -> int:
    """Set the size of a file."""
    size = s64(size)
    if size < 0:
        raise KernelError(Errno.EINVAL, "negative size")
    vnops.vn_truncate(lwp, find_at(lwp, AT_FDCWD & 0xFFFFFFFF, ptr, 0), size)
    return 0


def _statfs(lwp: Lwp, vp: Vnode, buf: int) -> int:
    vfs = vp.v_vfs
    if vfs is None:
        raw = STATFS.pack(MAGIC["pipefs"], 4096, *[0] * 7, 255, 4096, 0x20, *[0] * 4)
    else:
        s = vfs.statfs()
        flags = 0x20 | int(s.readonly) | (2 if vfs.nosuid else 0)
        dev = linux_dev(vfs.dev)
        raw = STATFS.pack(
            MAGIC.get(s.fstype, 0x01021994),
            s.bsize,
            s.blocks,
            s.bfree,
            s.bfree,
            s.files,
            s.ffree,
            dev & 0x7FFFFFFF,
            0,
            s.namemax,
            s.bsize,
            flags,
            *[0] * 4,
        )
    space_of(lwp).copyout(buf, raw)
    return 0


def sys_statfs(lwp: Lwp, ptr: int, buf: int) -> int:
    """The file system of a path."""
    return _statfs(lwp, find_at(lwp, AT_FDCWD & 0xFFFFFFFF, ptr, 0), buf)


def sys_fstatfs(lwp: Lwp, fd: int, buf: int) -> int:
    """The file system of an open file."""
    return _statfs(lwp, lwp.proc.fds.getf(fd & 0xFFFFFFFF).f_vnode, buf)
