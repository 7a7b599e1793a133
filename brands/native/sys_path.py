"""Native system calls on paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD
from personae.core.policy import secpolicy_chroot
from personae.core.syscall import s32
from personae.core.vfs import vnops
from personae.core.vfs.lookup import getcwd, lookup
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As

FD_MASK = 0xFFFFFFFF
NODE_TYPES = {
    0: VType.REG,
    0o010000: VType.FIFO,
    0o020000: VType.CHR,
    0o060000: VType.BLK,
    0o100000: VType.REG,
}


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _path(lwp: Lwp, addr: int) -> bytes:
    return _as(lwp).copyinstr(addr)


def _start(lwp: Lwp, fd: int) -> Vnode | None:
    """Where a relative path of an ...at() call starts; None: the current directory."""
    if fd & FD_MASK == abi.AT_FDCWD:
        return None
    vp = lwp.proc.fds.getf(s32(fd)).f_vnode
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "descriptor of no directory")
    return vp


def _find(lwp: Lwp, fd: int, addr: int, follow: bool = True) -> Vnode:
    path = _path(lwp, addr)
    start = None if path.startswith(b"/") else _start(lwp, fd)
    return lookup(lwp.kernel, lwp.proc, path, follow=follow, start=start)


# ---- open ----


def sys_open(lwp: Lwp, path: int, flags: int, mode: int) -> int:
    """open(path, flags, mode)."""
    return sys_openat(lwp, abi.AT_FDCWD, path, flags, mode)


def sys_openat(lwp: Lwp, fd: int, path: int, flags: int, mode: int) -> int:
    """openat(fd, path, flags, mode)."""
    flags &= FD_MASK
    if flags & ~abi.O_KNOWN or flags & abi.O_ACCMODE == abi.O_ACCMODE:
        raise KernelError(Errno.EINVAL, f"open flags {flags:#x}")
    name = _path(lwp, path)
    start = None if name.startswith(b"/") else _start(lwp, fd)
    # Flags of an open file are those of open() with the access mode plus one.
    flag = (flags & abi.O_KNOWN & ~(abi.O_ACCMODE | abi.O_LARGEFILE | abi.O_RSYNC)) | (
        (flags & abi.O_ACCMODE) + FREAD
    )
    file = vnops.vn_open(lwp, name, flag, mode & 0o7777, start)
    p = lwp.proc
    return p.fds.install(lwp, file, p.fno_ctl, bool(flags & abi.O_CLOEXEC))


# ---- making and removing ----


def sys_mkdir(lwp: Lwp, path: int, mode: int) -> int:
    """mkdir(path, mode)."""
    vnops.vn_mkdir(lwp, _path(lwp, path), mode & 0o7777)
    return 0


def sys_mkdirat(lwp: Lwp, fd: int, path: int, mode: int) -> int:
    """mkdirat(fd, path, mode)."""
    vnops.vn_mkdir(lwp, _path(lwp, path), mode & 0o7777, _start(lwp, fd))
    return 0


def sys_mknod(lwp: Lwp, path: int, mode: int, dev: int) -> int:
    """mknod(path, mode, dev): a FIFO or a file; devices are not made by guests."""
    kind = NODE_TYPES.get(mode & 0o170000)
    if kind is None:
        raise KernelError(Errno.EINVAL, f"mode {mode:o}")
    if kind in (VType.CHR, VType.BLK):
        raise KernelError(Errno.EPERM, "a zone makes no devices")
    vnops.vn_mknod(lwp, _path(lwp, path), kind, mode & 0o7777, dev)
    return 0


def sys_rmdir(lwp: Lwp, path: int) -> int:
    """rmdir(path)."""
    vnops.vn_rmdir(lwp, _path(lwp, path))
    return 0


def sys_unlink(lwp: Lwp, path: int) -> int:
    """unlink(path)."""
    vnops.vn_unlink(lwp, _path(lwp, path))
    return 0


def sys_unlinkat(lwp: Lwp, fd: int, path: int, flag: int) -> int:
    """unlinkat(fd, path, flag)."""
    flag = s32(flag)
    if flag & ~abi.AT_REMOVEDIR:
        raise KernelError(Errno.EINVAL, f"unlinkat flag {flag:#x}")
    remove = vnops.vn_rmdir if flag else vnops.vn_unlink
    remove(lwp, _path(lwp, path), _start(lwp, fd))
    return 0


def sys_link(lwp: Lwp, old: int, new: int) -> int:
    """link(old, new)."""
    vp = _find(lwp, abi.AT_FDCWD, old, follow=False)
    vnops.vn_link(lwp, vp, _path(lwp, new))
    return 0


def sys_linkat(lwp: Lwp, ofd: int, old: int, nfd: int, new: int, flag: int) -> int:
    """linkat(fd, old, fd2, new, flag)."""
    flag = s32(flag)
    if flag & ~abi.AT_SYMLINK_FOLLOW:
        raise KernelError(Errno.EINVAL, f"linkat flag {flag:#x}")
    vp = _find(lwp, ofd, old, follow=bool(flag))
    vnops.vn_link(lwp, vp, _path(lwp, new), _start(lwp, nfd))
    return 0


def sys_symlinkat(lwp: Lwp, target: int, fd: int, path: int) -> int:
    """symlinkat(target, fd, path)."""
    vnops.vn_symlink(lwp, _path(lwp, target), _path(lwp, path), _start(lwp, fd))
    return 0


def sys_rename(lwp: Lwp, old: int, new: int) -> int:
    """rename(old, new)."""
    vnops.vn_rename(lwp, _path(lwp, old), _path(lwp, new))
    return 0


def sys_renameat(lwp: Lwp, ofd: int, old: int, nfd: int, new: int) -> int:
    """renameat(oldfd, old, newfd, new)."""
    src, dst = _path(lwp, old), _path(lwp, new)
    vnops.vn_rename(lwp, src, dst, _start(lwp, ofd), _start(lwp, nfd))
    return 0


# ---- attributes ----


def _stat(lwp: Lwp, vp: Vnode, buf: int) -> int:
    fstype = vp.v_vfs.fstype if vp.v_vfs is not None else "fifofs"
    _as(lwp).copyout(buf, abi.pack_stat(vp.getattr(), fstype.encode()))
    return 0


def sys_stat(lwp: Lwp, path: int, buf: int) -> int:
    """stat(path, buf)."""
    return _stat(lwp, _find(lwp, abi.AT_FDCWD, path), buf)


def sys_lstat(lwp: Lwp, path: int, buf: int) -> int:
    """lstat(path, buf)."""
    return _stat(lwp, _find(lwp, abi.AT_FDCWD, path, follow=False), buf)


def sys_fstatat(lwp: Lwp, fd: int, path: int, buf: int, flag: int) -> int:
    """fstatat(fd, path, buf, flag); a null path is the descriptor itself."""
    flag = s32(flag)
    if flag & ~abi.AT_SYMLINK_NOFOLLOW:
        raise KernelError(Errno.EINVAL, f"fstatat flag {flag:#x}")
    if path == 0:
        return _stat(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode, buf)
    return _stat(lwp, _find(lwp, fd, path, follow=not flag), buf)


def sys_access(lwp: Lwp, path: int, mode: int) -> int:
    """access(path, mode), by the real ids."""
    mode = s32(mode)
    if mode & ~7:
        raise KernelError(Errno.EINVAL, f"access mode {mode:#x}")
    c = lwp.cred
    real = c
    if (c.euid, c.egid) != (c.uid, c.gid):
        real = c.copy(euid=c.uid, egid=c.gid)
    name = _path(lwp, path)
    vp = lookup(lwp.kernel, lwp.proc, name, cred=real)
    if mode:
        vp.access(real, mode)
    return 0


def sys_chmod(lwp: Lwp, path: int, mode: int) -> int:
    """chmod(path, mode)."""
    _find(lwp, abi.AT_FDCWD, path).setattr(lwp.cred, mode=mode & 0o7777)
    return 0


def sys_chown(lwp: Lwp, path: int, uid: int, gid: int) -> int:
    """chown(path, uid, gid); -1 leaves an id as it is."""
    ids = {"uid": s32(uid), "gid": s32(gid)}
    changes = {k: v & FD_MASK for k, v in ids.items() if v != -1}
    vp = _find(lwp, abi.AT_FDCWD, path)
    if changes:
        vp.setattr(lwp.cred, **changes)
    return 0


def sys_umask(lwp: Lwp, mask: int) -> int:
    """umask(mask): the old one."""
    u = lwp.proc.user
    old, u.u_cmask = u.u_cmask, mask & 0o777
    return old


# ---- directories of the process ----


def sys_chdir(lwp: Lwp, path: int) -> int:
    """chdir(path)."""
    vnops.vn_chdir(lwp, _find(lwp, abi.AT_FDCWD, path))
    return 0


def sys_fchdir(lwp: Lwp, fd: int) -> int:
    """fchdir(fd)."""
    vnops.vn_chdir(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode)
    return 0


def sys_chroot(lwp: Lwp, path: int) -> int:
    """chroot(path)."""
    secpolicy_chroot(lwp.cred)
    vnops.vn_chroot(lwp, _find(lwp, abi.AT_FDCWD, path))
    return 0


def sys_getcwd(lwp: Lwp, buf: int, size: int) -> int:
    """getcwd(buf, size): 0, the path with its NUL is in buf."""
    path = getcwd(lwp.proc) + b"\0"
    if len(path) > size:
        raise KernelError(Errno.ERANGE if size else Errno.EINVAL, "buffer too small")
    _as(lwp).copyout(buf, path)
    return 0
