"""System calls on the directories of a process, and on extended attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import sharing
from personae.brands.linux.abi import AT_FDCWD, AT_SYMLINK_NOFOLLOW
from personae.brands.linux.sys_fd import getf, space_of
from personae.brands.linux.sys_file import find_at, user_path
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.vfs.lookup import getcwd, lookup
from personae.core.vfs.vnode import X_OK, Vnode, VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


# ---- directories of the process ----


def sys_getcwd(lwp: Lwp, buf: int, size: int) -> int:
    """The current directory; the result counts the NUL."""
    path = getcwd(lwp.proc) + b"\0"
    if len(path) > size:
        raise KernelError(Errno.ERANGE, "buffer of getcwd")
    space_of(lwp).copyout(buf, path)
    return len(path)


def _enter(lwp: Lwp, vp: Vnode) -> Vnode:
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "not a directory")
    vp.access(lwp.proc.cred, X_OK)
    return vp


def sys_chdir(lwp: Lwp, ptr: int) -> int:
    """Change the current directory."""
    vp = lookup(lwp.kernel, lwp.proc, user_path(lwp, ptr))
    sharing.set_cwd(lwp, _enter(lwp, vp))
    return 0


def sys_fchdir(lwp: Lwp, fd: int) -> int:
    """Change the current directory to an open one."""
    vp = lwp.proc.fds.getf(fd & 0xFFFFFFFF).f_vnode
    sharing.set_cwd(lwp, _enter(lwp, vp))
    return 0


def sys_chroot(lwp: Lwp, ptr: int) -> int:
    """Change the root directory."""
    vp = _enter(lwp, lookup(lwp.kernel, lwp.proc, user_path(lwp, ptr)))
    if not lwp.proc.cred.has(Priv.PROC_CHROOT):
        raise KernelError(Errno.EPERM, "CAP_SYS_CHROOT")
    sharing.set_root(lwp, vp)
    return 0


def sys_umask(lwp: Lwp, mask: int) -> int:
    """Change the file mode creation mask."""
    old = lwp.proc.user.u_cmask
    sharing.set_umask(lwp, mask & 0o777)
    return old


# ---- extended attributes: none ----


def _no_xattr(lwp: Lwp, ptr: int, flags: int) -> int:
    find_at(lwp, AT_FDCWD & 0xFFFFFFFF, ptr, flags)
    raise KernelError(Errno.EOPNOTSUPP, "no extended attributes")


def sys_xattr(lwp: Lwp, ptr: int) -> int:
    """Any call on an extended attribute of a path: EOPNOTSUPP."""
    return _no_xattr(lwp, ptr, 0)


def sys_lxattr(lwp: Lwp, ptr: int) -> int:
    """The same, not following a link."""
    return _no_xattr(lwp, ptr, AT_SYMLINK_NOFOLLOW)


def sys_fxattr(lwp: Lwp, fd: int) -> int:
    """The same for an open file."""
    getf(lwp, fd)
    raise KernelError(Errno.EOPNOTSUPP, "no extended attributes")
