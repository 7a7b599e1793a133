"""Native system calls on paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.user import find_at, path_at, space_of, start_at, store_stat
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, file_free
from personae.core.policy import secpolicy_chroot
from personae.core.syscall import s32
from personae.core.vfs import vnops
from personae.core.vfs.lookup import getcwd
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

FD_MASK = 0xFFFFFFFF
_NOT_KEPT = abi.O_ACCMODE | abi.O_LARGEFILE | abi.O_RSYNC | abi.O_NOLINKS
S_IFMT, S_IFDIR = 0o170000, 0o040000
NODE_TYPES = {
    0: VType.REG,
    0o010000: VType.FIFO,
    0o020000: VType.CHR,
    0o060000: VType.BLK,
    0o100000: VType.REG,
}


# ---- open ----


def sys_open(lwp: Lwp, path: int, flags: int, mode: int) -> int:
    """open(path, flags, mode)."""
    return sys_openat(lwp, abi.AT_FDCWD, path, flags, mode)


def sys_openat(lwp: Lwp, fd: int, path: int, flags: int, mode: int) -> int:
    """openat(fd, path, flags, mode)."""
    flags &= FD_MASK
    if flags & ~abi.O_KNOWN or flags & abi.O_ACCMODE == abi.O_ACCMODE:
        raise KernelError(Errno.EINVAL, f"open flags {flags:#x}")
    name = path_at(lwp, path)
    start = None if name.startswith(b"/") else start_at(lwp, fd)
    # Flags of an open file are those of open() with the access mode plus one.
    flag = (flags & abi.O_KNOWN & ~_NOT_KEPT) | ((flags & abi.O_ACCMODE) + FREAD)
    file = vnops.vn_open(lwp, name, flag, mode & 0o7777, start)
    if flags & abi.O_NOLINKS and file.f_vnode.getattr().nlink > 1:
        file_free(lwp, file)
        raise KernelError(Errno.EMLINK, "more than one link")
    p = lwp.proc
    return p.fds.install(lwp, file, p.fno_ctl, bool(flags & abi.O_CLOEXEC))


# ---- making and removing ----


def sys_mkdir(lwp: Lwp, path: int, mode: int) -> int:
    """mkdir(path, mode)."""
    vnops.vn_mkdir(lwp, path_at(lwp, path), mode & 0o7777)
    return 0


def sys_mkdirat(lwp: Lwp, fd: int, path: int, mode: int) -> int:
    """mkdirat(fd, path, mode)."""
    vnops.vn_mkdir(lwp, path_at(lwp, path), mode & 0o7777, start_at(lwp, fd))
    return 0


def sys_mknod(lwp: Lwp, path: int, mode: int, dev: int) -> int:
    """mknod(path, mode, dev): a FIFO or a file; devices are not made by guests."""
    return sys_mknodat(lwp, abi.AT_FDCWD, path, mode, dev)


def sys_mknodat(lwp: Lwp, fd: int, path: int, mode: int, dev: int) -> int:
    """mknodat(fd, path, mode, dev)."""
    name, start = path_at(lwp, path), start_at(lwp, fd)
    if mode & S_IFMT == S_IFDIR:
        vnops.vn_mkdir(lwp, name, mode & 0o7777, start)
        return 0
    kind = NODE_TYPES.get(mode & S_IFMT)
    if kind is None:
        raise KernelError(Errno.EINVAL, f"mode {mode:o}")
    if kind in (VType.CHR, VType.BLK):
        raise KernelError(Errno.EPERM, "a zone makes no devices")
    vnops.vn_mknod(lwp, name, kind, mode & 0o7777, dev, start)
    return 0


def _rmdir(lwp: Lwp, path: bytes, start: Vnode | None = None) -> int:
    """A folder that is not empty is EEXIST (rmdir(2))."""
    try:
        vnops.vn_rmdir(lwp, path, start)
    except KernelError as e:
        if e.errno is Errno.ENOTEMPTY and not path.rstrip(b"/").endswith(b".."):
            raise KernelError(Errno.EEXIST, e.why) from e
        raise
    return 0


def _unlink(lwp: Lwp, path: bytes, start: Vnode | None = None) -> int:
    """A directory is EPERM: nobody has sys_linkdir here (unlink(2))."""
    try:
        vnops.vn_unlink(lwp, path, start)
    except KernelError as e:
        if e.errno is Errno.EISDIR:
            raise KernelError(Errno.EPERM, e.why) from e
        raise
    return 0


def _rename(
    lwp: Lwp,
    old: bytes,
    new: bytes,
    start: Vnode | None = None,
    to: Vnode | None = None,
) -> int:
    """A target folder that is not empty is EEXIST (rename(2))."""
    try:
        vnops.vn_rename(lwp, old, new, start, to)
    except KernelError as e:
        if e.errno is Errno.ENOTEMPTY:
            raise KernelError(Errno.EEXIST, e.why) from e
        raise
    return 0


def sys_rmdir(lwp: Lwp, path: int) -> int:
    """rmdir(path)."""
    return _rmdir(lwp, path_at(lwp, path))


def sys_unlink(lwp: Lwp, path: int) -> int:
    """unlink(path)."""
    return _unlink(lwp, path_at(lwp, path))


def sys_unlinkat(lwp: Lwp, fd: int, path: int, flag: int) -> int:
    """unlinkat(fd, path, flag)."""
    flag = s32(flag)
    if flag & ~abi.AT_REMOVEDIR:
        raise KernelError(Errno.EINVAL, f"unlinkat flag {flag:#x}")
    remove = _rmdir if flag else _unlink
    return remove(lwp, path_at(lwp, path), start_at(lwp, fd))


def sys_link(lwp: Lwp, old: int, new: int) -> int:
    """link(old, new)."""
    vp = find_at(lwp, abi.AT_FDCWD, old, follow=False)
    vnops.vn_link(lwp, vp, path_at(lwp, new))
    return 0


def sys_linkat(lwp: Lwp, ofd: int, old: int, nfd: int, new: int, flag: int) -> int:
    """linkat(fd, old, fd2, new, flag)."""
    flag = s32(flag)
    if flag & ~abi.AT_SYMLINK_FOLLOW:
        raise KernelError(Errno.EINVAL, f"linkat flag {flag:#x}")
    vp = find_at(lwp, ofd, old, follow=bool(flag))
    vnops.vn_link(lwp, vp, path_at(lwp, new), start_at(lwp, nfd))
    return 0


def sys_symlink(lwp: Lwp, target: int, path: int) -> int:
    """symlink(target, path)."""
    return sys_symlinkat(lwp, target, abi.AT_FDCWD, path)


def sys_symlinkat(lwp: Lwp, target: int, fd: int, path: int) -> int:
    """symlinkat(target, fd, path)."""
    text, name = path_at(lwp, target), path_at(lwp, path)
    vnops.vn_symlink(lwp, text, name, start_at(lwp, fd))
    return 0


def sys_readlink(lwp: Lwp, path: int, buf: int, size: int) -> int:
    """readlink(path, buf, size)."""
    return sys_readlinkat(lwp, abi.AT_FDCWD, path, buf, size)


def sys_readlinkat(lwp: Lwp, fd: int, path: int, buf: int, size: int) -> int:
    """readlinkat(fd, path, buf, size): the text, cut to size, without a NUL."""
    if size == 0:
        raise KernelError(Errno.EINVAL, "no room for a link")
    vp = find_at(lwp, fd, path, follow=False)
    if vp.v_type is not VType.LNK:
        raise KernelError(Errno.EINVAL, "no symbolic link")
    text = vp.readlink(lwp.proc)[:size]
    space_of(lwp).copyout(buf, text)
    return len(text)


def sys_rename(lwp: Lwp, old: int, new: int) -> int:
    """rename(old, new)."""
    return _rename(lwp, path_at(lwp, old), path_at(lwp, new))


def sys_renameat(lwp: Lwp, ofd: int, old: int, nfd: int, new: int) -> int:
    """renameat(oldfd, old, newfd, new)."""
    src, dst = path_at(lwp, old), path_at(lwp, new)
    return _rename(lwp, src, dst, start_at(lwp, ofd), start_at(lwp, nfd))


# ---- attributes ----


def sys_stat(lwp: Lwp, path: int, buf: int) -> int:
    """stat(path, buf)."""
    return store_stat(lwp, find_at(lwp, abi.AT_FDCWD, path), buf)


def sys_lstat(lwp: Lwp, path: int, buf: int) -> int:
    """lstat(path, buf)."""
    return store_stat(lwp, find_at(lwp, abi.AT_FDCWD, path, follow=False), buf)


def sys_fstatat(lwp: Lwp, fd: int, path: int, buf: int, flag: int) -> int:
    """fstatat(fd, path, buf, flag); a null path is the descriptor itself."""
    flag = s32(flag)
    if flag & ~abi.AT_SYMLINK_NOFOLLOW:
        raise KernelError(Errno.EINVAL, f"fstatat flag {flag:#x}")
    if path == 0:
        return store_stat(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode, buf)
    return store_stat(lwp, find_at(lwp, fd, path, follow=not flag), buf)


def sys_umask(lwp: Lwp, mask: int) -> int:
    """umask(mask): the old one."""
    u = lwp.proc.user
    old, u.u_cmask = u.u_cmask, mask & 0o777
    return old


# ---- directories of the process ----


def sys_chdir(lwp: Lwp, path: int) -> int:
    """chdir(path)."""
    vnops.vn_chdir(lwp, find_at(lwp, abi.AT_FDCWD, path))
    return 0


def sys_fchdir(lwp: Lwp, fd: int) -> int:
    """fchdir(fd)."""
    vnops.vn_chdir(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode)
    return 0


def sys_chroot(lwp: Lwp, path: int) -> int:
    """chroot(path)."""
    secpolicy_chroot(lwp.cred)
    vnops.vn_chroot(lwp, find_at(lwp, abi.AT_FDCWD, path))
    return 0


def sys_fchroot(lwp: Lwp, fd: int) -> int:
    """fchroot(fd)."""
    secpolicy_chroot(lwp.cred)
    vnops.vn_chroot(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode)
    return 0


def sys_getcwd(lwp: Lwp, buf: int, size: int) -> int:
    """getcwd(buf, size): 0, the path with its NUL is in buf."""
    path = getcwd(lwp.proc) + b"\0"
    if len(path) > size:
        raise KernelError(Errno.ERANGE if size else Errno.EINVAL, "buffer too small")
    space_of(lwp).copyout(buf, path)
    return 0
