"""Native system calls about memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE
from personae.core.syscall import s32
from personae.core.vm.heap import brk
from personae.core.vm.layout import MapFlag

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As

PAGE_MASK = 4095
PROT_WRITE = 2
PROT_ALL = 7


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def sys_brk(lwp: Lwp, addr: int) -> int:
    """brk(addr): 0, or ENOMEM; the library knows where the break started (_end)."""
    brk(lwp.proc, addr)
    return 0


def _flags(flags: int) -> MapFlag:
    kind = flags & abi.MAP_TYPE
    if flags & ~abi.MAP_KNOWN or kind not in (abi.MAP_SHARED, abi.MAP_PRIVATE):
        raise KernelError(Errno.EINVAL, f"mmap flags {flags:#x}")
    out = MapFlag.SHARED if kind == abi.MAP_SHARED else MapFlag.PRIVATE
    if flags & abi.MAP_FIXED:
        out |= MapFlag.FIXED
    if flags & abi.MAP_NORESERVE:
        out |= MapFlag.NORESERVE
    return out


def _file(lwp: Lwp, fd: int, flags: int) -> tuple[Vnode, int]:
    """The file of a mapping, and the most protection that its open allows."""
    f = lwp.proc.fds.getf(fd)
    if not f.f_flag & FREAD:
        raise KernelError(Errno.EACCES, "mapping of a file not open for reading")
    if flags & MapFlag.SHARED and not f.f_flag & FWRITE:
        return f.f_vnode, PROT_ALL & ~PROT_WRITE
    return f.f_vnode, PROT_ALL


def sys_mmap(
    lwp: Lwp, addr: int, size: int, prot: int, flags: int, fd: int, off: int
) -> int:
    """mmap(addr, len, prot, flags, fd, off)."""
    prot &= 0xFFFFFFFF
    flags &= 0xFFFFFFFF
    if prot & ~PROT_ALL or size == 0 or off & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "mmap arguments")
    neutral = _flags(flags)
    as_ = _as(lwp)
    if flags & abi.MAP_FIXED:
        if addr & PAGE_MASK:
            raise KernelError(Errno.EINVAL, "MAP_FIXED off a page boundary")
        hint = 0
    else:
        addr, hint = 0, addr & ~PAGE_MASK
    if flags & abi.MAP_ANON:
        if s32(fd) != -1 or off:
            raise KernelError(Errno.EINVAL, "MAP_ANON with a file or an offset")
        return as_.map(addr, size, prot, neutral, hint=hint)
    vnode, most = _file(lwp, s32(fd), neutral)
    return as_.map(addr, size, prot, neutral, vnode, off, hint, maxprot=most)


def sys_munmap(lwp: Lwp, addr: int, size: int) -> int:
    """munmap(addr, len)."""
    if addr & PAGE_MASK or size == 0:
        raise KernelError(Errno.EINVAL, "munmap arguments")
    _as(lwp).unmap(addr, size)
    return 0


def sys_mprotect(lwp: Lwp, addr: int, size: int, prot: int) -> int:
    """mprotect(addr, len, prot)."""
    prot &= 0xFFFFFFFF
    if addr & PAGE_MASK or prot & ~PROT_ALL:
        raise KernelError(Errno.EINVAL, "mprotect arguments")
    _as(lwp).protect(addr, size, prot)
    return 0
