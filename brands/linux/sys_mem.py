"""System calls about memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.abi import PAGE
from personae.brands.linux.data import pdata
from personae.brands.linux.sys_fd import getf, space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE
from personae.core.shm import shm_sync
from personae.core.syscall import s32
from personae.core.vfs.specdev import SpecVnode
from personae.core.vfs.vnode import VType
from personae.core.vm.heap import brk
from personae.core.vm.layout import USER_TOP, MapFlag

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

READ, WRITE, EXEC = 1, 2, 4
PAGE_MASK = PAGE - 1

_KNOWN_FLAGS = (
    abi.MAP_TYPE
    | abi.MAP_FIXED
    | abi.MAP_ANONYMOUS
    | abi.MAP_GROWSDOWN
    | abi.MAP_DENYWRITE
    | abi.MAP_EXECUTABLE
    | abi.MAP_LOCKED
    | abi.MAP_NORESERVE
    | abi.MAP_POPULATE
    | abi.MAP_NONBLOCK
    | abi.MAP_STACK
    | abi.MAP_HUGETLB
    | abi.MAP_FIXED_NOREPLACE
)


def sys_brk(lwp: Lwp, newbrk: int) -> int:
    """Move the break; a failure answers the old one."""
    proc = lwp.proc
    old = proc.brkbase + proc.brksize
    if not proc.brkbase <= newbrk <= USER_TOP or newbrk == old:
        return old
    try:
        return brk(proc, newbrk)
    except KernelError:
        return old


def sys_mmap(
    lwp: Lwp, addr: int, size: int, prot: int, flags: int, fd: int, off: int
) -> int:
    """Map memory or a file."""
    if off & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "offset not at a page")
    flags &= 0xFFFFFFFF
    vnode, maxprot = None, READ | WRITE | EXEC
    prot &= READ | WRITE | EXEC
    kind = flags & abi.MAP_TYPE
    if not flags & abi.MAP_ANONYMOUS:
        file = getf(lwp, fd)
        vnode = file.f_vnode
        if not file.f_flag & FREAD:
            raise KernelError(Errno.EACCES, "not open for reading")
        if kind != abi.MAP_PRIVATE and not file.f_flag & FWRITE:
            maxprot = READ | EXEC
        maxprot = _check_file(vnode, prot, maxprot)
    if size == 0:
        raise KernelError(Errno.EINVAL, "mapping of no bytes")
    if kind == abi.MAP_SHARED_VALIDATE and flags & ~_KNOWN_FLAGS:
        raise KernelError(Errno.EOPNOTSUPP, "flags of MAP_SHARED_VALIDATE")
    if kind not in (abi.MAP_SHARED, abi.MAP_PRIVATE, abi.MAP_SHARED_VALIDATE):
        raise KernelError(Errno.EINVAL, "kind of mapping")
    if flags & abi.MAP_HUGETLB:
        raise KernelError(Errno.ENOMEM, "no huge pages")
    how = MapFlag.PRIVATE if kind == abi.MAP_PRIVATE else MapFlag.SHARED
    if flags & (abi.MAP_FIXED | abi.MAP_FIXED_NOREPLACE):
        how |= MapFlag.FIXED
        if flags & abi.MAP_FIXED_NOREPLACE:
            how |= MapFlag.NOREPLACE
    if flags & abi.MAP_GROWSDOWN:
        if vnode is not None or how & MapFlag.SHARED:
            raise KernelError(Errno.EINVAL, "GROWSDOWN of a file or shared memory")
        how |= MapFlag.GROWSDOWN
    if vnode is not None and vnode.v_type is not VType.REG:
        vnode = _device(vnode)
    as_ = space_of(lwp)
    where = off if vnode is not None else 0
    base = as_.map(addr, size, prot, how, vnode, where, maxprot=maxprot)
    if how & MapFlag.FIXED and lwp.proc.segacct:
        shm_sync(lwp.proc)
    return base


def _check_file(vnode: Vnode, prot: int, maxprot: int) -> int:
    """What may be done with a mapping of a file (do_mmap)."""
    if vnode.v_type not in (VType.REG, VType.CHR):
        raise KernelError(Errno.ENODEV, "cannot be mapped")
    if prot & WRITE and not maxprot & WRITE:
        raise KernelError(Errno.EACCES, "not open for writing")
    vfs = vnode.v_vfs
    if vfs is not None and vfs.noexec:
        if prot & EXEC:
            raise KernelError(Errno.EPERM, "mounted noexec")
        maxprot &= ~EXEC
    return maxprot


def _device(vnode: Vnode) -> Vnode | None:
    """A mapping of /dev/zero is anonymous memory; other devices have none."""
    if isinstance(vnode, SpecVnode) and vnode.dev.anon:
        return None
    raise KernelError(Errno.ENODEV, "the device cannot be mapped")


def sys_munmap(lwp: Lwp, addr: int, size: int) -> int:
    """Unmap a range."""
    space_of(lwp).unmap(addr, size)
    if lwp.proc.segacct:
        shm_sync(lwp.proc)
    return 0


def sys_mprotect(lwp: Lwp, addr: int, size: int, prot: int) -> int:
    """Change protection."""
    grows = prot & (abi.PROT_GROWSDOWN | abi.PROT_GROWSUP)
    prot &= 0xFFFFFFFF & ~grows
    if grows == abi.PROT_GROWSDOWN | abi.PROT_GROWSUP:
        raise KernelError(Errno.EINVAL, "both directions")
    if addr & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address not at a page")
    if not size:
        return 0
    if prot & ~(READ | WRITE | EXEC | 8):  # 8 is PROT_SEM
        raise KernelError(Errno.EINVAL, "protection")
    as_ = space_of(lwp)
    if grows:
        seg = as_.find(addr)
        if seg is None:
            raise KernelError(Errno.ENOMEM, "nothing is mapped there")
        if grows & abi.PROT_GROWSUP or not seg.flags & MapFlag.GROWSDOWN:
            raise KernelError(Errno.EINVAL, "does not grow that way")
        size += addr - seg.base
        addr = seg.base
    as_.protect(addr, size, prot & 7)
    return 0


def sys_mremap(
    lwp: Lwp, old: int, oldsize: int, newsize: int, flags: int, newaddr: int
) -> int:
    """Resize or move a mapping."""
    if flags & ~(abi.MREMAP_MAYMOVE | abi.MREMAP_FIXED):
        raise KernelError(Errno.EINVAL, "flags of mremap (DONTUNMAP is absent)")
    if old & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address not at a page")
    as_ = space_of(lwp)
    base = as_.remap(old, oldsize, newsize, flags, newaddr)
    if lwp.proc.segacct:
        shm_sync(lwp.proc)
    return base


# ---- advice ----

_IGNORED = frozenset((0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21))
"""NORMAL RANDOM SEQUENTIAL WILLNEED MERGEABLE UNMERGEABLE HUGEPAGE NOHUGEPAGE
DONTDUMP DODUMP COLD PAGEOUT."""
_DONTNEED, _FREE, _DONTFORK, _DOFORK = 4, 8, 10, 11
_WIPEONFORK, _KEEPONFORK, _POPULATE_READ, _POPULATE_WRITE = 18, 19, 22, 23


def sys_madvise(lwp: Lwp, addr: int, size: int, advice: int) -> int:
    """Advice about memory; what changes what a program sees is done."""
    advice = s32(advice)
    known = advice in _IGNORED or advice in (
        _DONTNEED,
        _FREE,
        _DONTFORK,
        _DOFORK,
        _WIPEONFORK,
        _KEEPONFORK,
        _POPULATE_READ,
        _POPULATE_WRITE,
    )
    if not known:
        raise KernelError(Errno.EINVAL, f"advice {advice}")
    if addr & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address not at a page")
    if addr + size > 1 << 64:
        raise KernelError(Errno.EINVAL, "range")
    if not size:
        return 0
    as_ = space_of(lwp)
    none = MapFlag(0)
    if advice == _DONTNEED:
        as_.dontneed(addr, size)
    elif advice == _DONTFORK:
        as_.set_flags(addr, size, MapFlag.PURGE, none)
    elif advice == _DOFORK:
        as_.set_flags(addr, size, none, MapFlag.PURGE)
    elif advice == _WIPEONFORK:
        as_.set_flags(addr, size, MapFlag.WIPE, none)
    elif advice == _KEEPONFORK:
        as_.set_flags(addr, size, none, MapFlag.WIPE)
    else:
        as_.sync(addr, size)
        if advice == _FREE:
            _check_anonymous(lwp, addr, size)
    return 0


def _check_anonymous(lwp: Lwp, addr: int, size: int) -> None:
    """MADV_FREE is for private anonymous memory only; pages are then kept."""
    for seg in space_of(lwp).overlap(addr, addr + size):
        if seg.shared or seg.vnode is not None:
            raise KernelError(Errno.EINVAL, "not private anonymous memory")


def sys_msync(lwp: Lwp, addr: int, size: int, flags: int) -> int:
    """Mapped pages are the file's own: nothing to write back."""
    flags = s32(flags)
    if flags & ~7 or addr & PAGE_MASK or flags & 5 == 5:
        raise KernelError(Errno.EINVAL, "msync")
    if size:
        if addr + size > 1 << 64:
            raise KernelError(Errno.ENOMEM, "range")
        space_of(lwp).sync(addr, size)
    return 0


def sys_mincore(lwp: Lwp, addr: int, size: int, vec: int) -> int:
    """Which pages are present."""
    if addr & PAGE_MASK:
        raise KernelError(Errno.EINVAL, "address not at a page")
    if addr + size > USER_TOP:
        raise KernelError(Errno.ENOMEM, "behind the end of user memory")
    as_ = space_of(lwp)
    step = 4096 * PAGE
    end = (addr + size + PAGE_MASK) & ~PAGE_MASK
    at = addr
    while at < end:
        n = min(step, end - at)
        as_.copyout(vec, as_.mincore(at, n))
        vec += n // PAGE
        at += n
    return 0


def _mapped(lwp: Lwp, addr: int, size: int) -> None:
    lo = addr & ~PAGE_MASK
    size = (size + (addr & PAGE_MASK) + PAGE_MASK) & ~PAGE_MASK
    if lo + size > 1 << 64:
        raise KernelError(Errno.EINVAL, "range")
    if size:
        space_of(lwp).sync(lo, size)


def sys_mlock(lwp: Lwp, addr: int, size: int) -> int:
    """Pages are never taken away: the range is checked and that is all."""
    _mapped(lwp, addr, size)
    return 0


def sys_mlock2(lwp: Lwp, addr: int, size: int, flags: int) -> int:
    """As mlock, with MLOCK_ONFAULT."""
    if s32(flags) & ~1:
        raise KernelError(Errno.EINVAL, "flags of mlock2")
    _mapped(lwp, addr, size)
    return 0


def sys_mlockall(lwp: Lwp, flags: int) -> int:
    """Pages are never taken away."""
    flags = s32(flags)
    if not flags or flags & ~7 or flags == 4:
        raise KernelError(Errno.EINVAL, "flags of mlockall")
    return 0


def sys_munlockall(lwp: Lwp) -> int:
    """Nothing is locked more than it was."""
    return 0


_MEMBARRIER = 0x1F
"""GLOBAL, GLOBAL_EXPEDITED and its register, PRIVATE_EXPEDITED and its register."""


def sys_membarrier(lwp: Lwp, cmd: int, flags: int, _cpu: int) -> int:
    """Harts see each other's stores in order: a barrier has nothing to do."""
    cmd = s32(cmd)
    if s32(flags):
        raise KernelError(Errno.EINVAL, "flags of membarrier")
    if cmd == 0:
        return _MEMBARRIER
    if cmd & (cmd - 1) or not cmd & _MEMBARRIER:
        raise KernelError(Errno.EINVAL, "command of membarrier")
    data = pdata(lwp.proc)
    if cmd == 16:
        data.membarrier = True
    if cmd == 8 and not data.membarrier:
        raise KernelError(Errno.EPERM, "not registered")
    return 0


def sys_riscv_flush_icache(lwp: Lwp, start: int, end: int, flags: int) -> int:
    """The machine notices stores to code by itself."""
    if flags & ~1:
        raise KernelError(Errno.EINVAL, "flags of riscv_flush_icache")
    return 0
