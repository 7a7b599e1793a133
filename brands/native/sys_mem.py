"""Native system calls about memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE
from personae.core.policy import secpolicy_lock_memory
from personae.core.syscall import s32
from personae.core.vm.heap import brk
from personae.core.vm.layout import USER_TOP, MapFlag

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
    both = abi.MAP_TEXT | abi.MAP_INITDATA
    if (
        flags & ~abi.MAP_KNOWN
        or kind not in (abi.MAP_SHARED, abi.MAP_PRIVATE)
        or flags & both == both
    ):
        raise KernelError(Errno.EINVAL, f"mmap flags {flags:#x}")
    out = MapFlag.SHARED if kind == abi.MAP_SHARED else MapFlag.PRIVATE
    if flags & abi.MAP_FIXED:
        out |= MapFlag.FIXED
    if flags & abi.MAP_NORESERVE:
        out |= MapFlag.NORESERVE
    return out


def _aligned(as_: As, size: int, align: int) -> int:
    """A free place whose address is a multiple of ``align``, 0 meaning any.

    It is found by taking a place that is too large, and giving it back.
    """
    if align & (align - 1) or 0 < align < PAGE_MASK + 1:
        raise KernelError(Errno.EINVAL, f"alignment {align:#x}")
    spare = max(align, PAGE_MASK + 1) - (PAGE_MASK + 1)
    if size + spare > USER_TOP:
        raise KernelError(Errno.ENOMEM, f"{size} bytes aligned to {align:#x}")
    base = as_.map(0, size + spare, 0, MapFlag.PRIVATE | MapFlag.NORESERVE)
    as_.unmap(base, size + spare)
    return base + spare & -align if align else base


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
    if flags & abi.MAP_ALIGN:
        if flags & abi.MAP_FIXED:
            raise KernelError(Errno.EINVAL, "MAP_ALIGN with MAP_FIXED")
        addr = _aligned(as_, size, addr)
        flags |= abi.MAP_FIXED
        neutral |= MapFlag.FIXED
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


# ---- advice ----

(
    MC_SYNC,
    MC_LOCK,
    MC_UNLOCK,
    MC_ADVISE,
    MC_LOCKAS,
    MC_UNLOCKAS,
    MC_HAT_ADVISE,
    MC_INHERIT_ZERO,
) = range(1, 9)
"""Commands of memcntl (sys/mman.h)."""
MS_ASYNC, MS_INVALIDATE, MS_SYNC = 1, 2, 4
MCL_ALL = 3
MADV_FREE, MADV_PURGE = 5, 9
MADV_HINTS = frozenset((0, 1, 2, 3, 4, 6, 7, 8))
"""NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED ACCESS_DEFAULT ACCESS_LWP ACCESS_MANY."""
NO_FLAGS = MapFlag(0)


def sys_memcntl(
    lwp: Lwp, addr: int, size: int, cmd: int, arg: int, attr: int, mask: int
) -> int:
    """memcntl(addr, len, cmd, arg, attr, mask); no selection by ``attr``."""
    cmd = s32(cmd)
    if attr or mask or addr & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address, attr or mask of memcntl")
    if cmd in (MC_LOCKAS, MC_UNLOCKAS):
        secpolicy_lock_memory(lwp.cred)
        bad = addr or size or (cmd == MC_LOCKAS and not 0 < arg <= MCL_ALL)
        if bad or (cmd == MC_UNLOCKAS and arg):
            raise KernelError(Errno.EINVAL, "arguments of memcntl")
        return 0  # pages are never taken away
    if size == 0 or addr + size > 1 << 64:
        raise KernelError(Errno.EINVAL, f"{size} bytes")
    as_ = _as(lwp)
    if cmd == MC_SYNC:
        if arg & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or arg & 5 == 5:
            raise KernelError(Errno.EINVAL, f"flags {arg:#x}")
        as_.sync(addr, size)
    elif cmd in (MC_LOCK, MC_UNLOCK):
        secpolicy_lock_memory(lwp.cred)
        as_.sync(addr, size)
    elif cmd == MC_ADVISE:
        _advise(as_, addr, size, s32(arg))
    elif cmd == MC_INHERIT_ZERO:
        as_.set_flags(addr, size, MapFlag.WIPE, NO_FLAGS)
    else:
        raise KernelError(Errno.EINVAL, f"memcntl {cmd}")
    return 0


def _advise(as_: As, addr: int, size: int, advice: int) -> None:
    """madvise(3C): MADV_FREE gives private pages back, MADV_PURGE keeps from forks."""
    if advice == MADV_FREE:
        for seg in as_.overlap(addr, addr + size):
            if seg.shared or seg.vnode is not None:
                raise KernelError(Errno.EINVAL, "not private anonymous memory")
        as_.dontneed(addr, size)
    elif advice == MADV_PURGE:
        as_.set_flags(addr, size, MapFlag.PURGE, NO_FLAGS)
    elif advice in MADV_HINTS:
        as_.sync(addr, size)
    else:
        raise KernelError(Errno.EINVAL, f"advice {advice}")


MINCORE_STEP = 4096
"""Pages that are looked at at a time."""


def sys_mincore(lwp: Lwp, addr: int, size: int, vec: int) -> int:
    """mincore(addr, len, vec): a byte for each page, 1 if it is present."""
    if addr & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address not at a page")
    if addr + size > USER_TOP:
        raise KernelError(Errno.ENOMEM, "behind the end of user memory")
    as_ = _as(lwp)
    page = PAGE_MASK + 1
    end = addr + size + PAGE_MASK & ~PAGE_MASK
    for at in range(addr, end, MINCORE_STEP * page):
        n = min(MINCORE_STEP * page, end - at)
        as_.copyout(vec + (at - addr) // page, as_.mincore(at, n))
    return 0
