"""The memory of the caller, and the files that its paths name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.syscall import s32
from personae.core.vfs.lookup import lookup
from personae.core.vfs.specdev import DEV_PTMX, SpecVnode
from personae.core.vfs.vnode import VType, major, makedev

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As


def space_of(lwp: Lwp) -> As:
    """The address space of the caller; EFAULT if it has none."""
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def path_at(lwp: Lwp, addr: int) -> bytes:
    """The path at an address; EFAULT, ENAMETOOLONG."""
    return space_of(lwp).copyinstr(addr)


def start_at(lwp: Lwp, fd: int) -> Vnode | None:
    """Where a relative path of an ...at() call starts; None: the current directory.

    Raises:
        KernelError: EBADF, ENOTDIR.
    """
    if fd & 0xFFFFFFFF == abi.AT_FDCWD:
        return None
    vp = lwp.proc.fds.getf(s32(fd)).f_vnode
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "descriptor of no directory")
    return vp


def find_at(
    lwp: Lwp, fd: int, addr: int, follow: bool = True, cred: Cred | None = None
) -> Vnode:
    """The file that a directory descriptor and a path in memory name."""
    path = path_at(lwp, addr)
    start = None if path.startswith(b"/") else start_at(lwp, fd)
    return lookup(lwp.kernel, lwp.proc, path, follow=follow, start=start, cred=cred)


def store_stat(lwp: Lwp, vp: Vnode, buf: int) -> int:
    """Store the struct stat of a file.

    The master of a pseudo terminal has the number of its slave as minor device
    (ptsname(3C) asks for it).
    """
    fstype = vp.v_vfs.fstype if vp.v_vfs is not None else "fifofs"
    a = vp.getattr()
    if a.type is VType.CHR and vp.v_rdev == DEV_PTMX and isinstance(vp, SpecVnode):
        a.rdev = makedev(major(vp.v_rdev), vp.dev.ioctl(lwp, "TIOCGPTN"))
    space_of(lwp).copyout(buf, abi.pack_stat(a, fstype.encode()))
    return 0
