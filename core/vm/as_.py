"""The address space (struct as): segments over one hardware space.

Every change is made to the hardware first, in one call that does all or
nothing, and then to the list of segments, which cannot fail: so an error
leaves both as they were.

Fork copies the list (short) and clones the hardware space (constant cost, see
``hw``): what a process has touched does not matter.

Arguments come from guests: any integer is possible, and is answered by an
errno.

Must not know: system calls, brands.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError, Panic
from personae.core.rctl import rctl_action
from personae.core.vm import hat
from personae.core.vm.anon import AnonMap
from personae.core.vm.copy import UserCopy
from personae.core.vm.layout import (
    FIXED,
    GROWSDOWN,
    KEPT,
    MMAP_GAP_MAX,
    MMAP_GAP_MIN,
    MMAP_MIN_ADDR,
    NOREPLACE,
    PAGE,
    PAGE_MASK,
    PAGE_SHIFT,
    PRIVATE,
    PURGE,
    SHARED,
    STACK_DEFAULT,
    STACK_GUARD,
    STACK_STEP,
    STACK_TOP,
    USER_TOP,
    WIPE,
    Fault,
    Prot,
    page_down,
    page_up,
)
from personae.core.vm.remap import remap
from personae.core.vm.seg import Seg, SegAnon, SegVn, SegZero
from personae.core.vm.seglist import SegList
from personae.core.vm.watch import Watch, give_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.kernel import Kernel
    from personae.core.probes import Point
    from personae.core.proc import Proc
    from personae.core.txn import Transaction
    from personae.core.vfs.vnode import Vnode

__all__ = ["As", "Fault", "Mapping", "as_dup", "as_free"]

# A page that may be written may be read (see hat).
_NEED = {
    hat.LOAD: Prot.READ | Prot.WRITE,
    hat.STORE: Prot.WRITE,
    hat.FETCH: Prot.EXEC,
}


class Mapping(NamedTuple):
    """One line of /proc/PID/maps."""

    base: int
    end: int
    prot: int
    shared: bool
    off: int
    vnode: Vnode | None
    name: bytes


class As(SegList, UserCopy):
    """One address space.

    Args:
        kernel: The kernel.
        acct: Account of frames that pays for its pages and page tables.
        proc: Whose limits count; see ``proc``.

    Attributes:
        hwid: The hardware's name of it.
        proc: The process it was made for, whose limits count; None: no limits.
        users: Processes that run in it; the last one frees it.
        mmap_base: Mappings go below, the stack above.
        text: The file that is executed in it; it can't be opened for writing.
        lowest: Nothing is mapped below (``ExecRules.lowest``).
        watch: Its watched pages, if it has any.
        odd: Some segment may not simply be copied by a fork (``set_flags``).
        points: Tracepoints in its text, by address.
    """

    lowest = MMAP_MIN_ADDR
    watch: Watch | None = None
    odd = False
    points: dict[int, Point] = {}  # noqa: RUF012 (never changed in place)

    def __init__(self, kernel: Kernel, acct: int, proc: Proc | None = None) -> None:
        super().__init__()
        self.kernel = kernel
        self.acct = acct
        self.proc = proc
        self.users = 1
        self.text: Vnode | None = None
        self.hwid = hat.create(kernel, acct)
        room = max(page_up(self.stack_limit() + STACK_GUARD), MMAP_GAP_MIN)
        self.mmap_base = STACK_TOP - (room if room <= MMAP_GAP_MAX else MMAP_GAP_MIN)

    def set_text(self, vnode: Vnode) -> None:
        """Say which file is executed here (ETXTBSY)."""
        vnode.v_text += 1
        self.text = vnode

    # -- limits

    def size_limit(self) -> int:
        """Most bytes of all segments (RLIMIT_AS); 0 in the process means none."""
        return (self.proc.vmem_ctl if self.proc is not None else 0) or USER_TOP

    def stack_limit(self) -> int:
        """Most bytes of a stack (RLIMIT_STACK)."""
        return (self.proc.stk_ctl if self.proc is not None else 0) or STACK_DEFAULT

    def _check_size(self, more: int) -> None:
        if self.size + more > self.size_limit():
            name = "process.max-address-space"
            raise KernelError(Errno.ENOMEM, f"over {name}", name)

    # -- mapping

    def map(
        self,
        addr: int,
        size: int,
        prot: int,
        flags: int,
        vnode: Vnode | None = None,
        off: int = 0,
        hint: int = 0,
        *,
        maxprot: int = 7,
        name: bytes = b"",
        amp: AnonMap | None = None,
    ) -> int:
        """Map memory, a file, or anonymous memory that is shared already.

        Args:
            addr: Where, with FIXED; else a wish, 0 for none.
            size: Rounded up to pages.
            prot: ``Prot`` bits.
            flags: ``MapFlag``; SHARED or PRIVATE has to be in it.
            vnode: The file; None: anonymous.
            off: Where in the file (or ``amp``); page aligned.
            hint: The same as ``addr`` without FIXED.
            maxprot: The most that a later ``protect`` may allow: no WRITE for a
                shared mapping of a file that is open for reading only.
            name: What /proc shows.
            amp: Anonymous pages to map.

        Returns:
            Where it is.

        Raises:
            KernelError: EINVAL ENOMEM EEXIST EACCES EPERM EOVERFLOW ENODEV.
        """
        flags = int(flags)
        size = self._check_map(size, prot, flags, off, maxprot)
        if flags & FIXED:
            base = self._check_fixed(addr, size, flags)
        else:
            base = self._place(addr or hint, size)
        self._room_for_splits(base, base + size, 1)
        self._check_size(size - self._bytes_in(base, base + size))
        seg: Seg = SegZero(base, size, prot, flags, maxprot=maxprot, name=name, off=off)
        if vnode is not None:
            seg = SegVn.make(vnode, seg)
        elif amp is not None:
            seg = SegAnon.make(amp, seg)
        elif flags & SHARED:
            seg.off = 0
            amp = AnonMap(self.kernel, self.acct)
            seg = SegAnon.make(amp, seg)
            amp.rele()
        else:
            seg.off = 0
        self._enter(seg)
        return base

    def _enter(self, seg: Seg) -> None:
        """Put a new segment in place of what is there; all or nothing."""
        try:
            seg.attach(self, seg.base, seg.end)
        except KernelError:
            seg.rele()
            raise
        lo, hi = seg.base, seg.end
        if self.overlap(lo, hi):
            self._drop(lo, hi)
        self._insert(seg)
        self._join(lo, hi)
        self._watch_again()

    def _drop(self, lo: int, hi: int) -> None:
        """Take the segments of [lo, hi) off the list."""
        for seg in self._carve(lo, hi):
            self._remove(seg)
            seg.rele()

    def _bytes_in(self, lo: int, hi: int) -> int:
        """Bytes of [lo, hi) that are mapped."""
        n = 0
        for s in self.overlap(lo, hi):
            n += min(s.end, hi) - max(s.base, lo)
        return n

    def _check_map(
        self, size: int, prot: int, flags: int, off: int, maxprot: int
    ) -> int:
        if size == 0:
            raise KernelError(Errno.EINVAL, "mapping of no bytes")
        if size > USER_TOP:
            raise KernelError(Errno.ENOMEM, "mapping larger than the address space")
        size = page_up(size)
        if bool(flags & SHARED) == bool(flags & PRIVATE):
            raise KernelError(Errno.EINVAL, "neither or both of SHARED and PRIVATE")
        if prot & ~7:
            raise KernelError(Errno.EINVAL, f"protection {prot:#x}")
        if prot & ~maxprot:
            raise KernelError(Errno.EACCES, "the file is not open for that")
        if off & PAGE_MASK:
            raise KernelError(Errno.EINVAL, "offset not at a page")
        if off + size > 1 << 63:
            raise KernelError(Errno.EOVERFLOW, "offset too large")
        return size

    def _check_fixed(self, addr: int, size: int, flags: int) -> int:
        if addr & PAGE_MASK:
            raise KernelError(Errno.EINVAL, "address not at a page")
        if addr + size > USER_TOP:
            raise KernelError(Errno.ENOMEM, "outside of the address space")
        if addr < self.lowest:
            raise KernelError(Errno.EPERM, "below the lowest address")
        if flags & NOREPLACE and self.overlap(addr, addr + size):
            raise KernelError(Errno.EEXIST, "something is mapped there")
        return addr

    def _place(self, wish: int, size: int) -> int:
        """The wish if it is free, else the highest free place."""
        if wish:
            lo = max(page_up(wish), self.lowest)
            if lo + size <= USER_TOP and self.is_free(lo, lo + size):
                return lo
        return self.gap(size, self.mmap_base)

    def _range(self, addr: int, size: int, errno: Errno) -> tuple[int, int]:
        """Check a guest's range and round it up to pages."""
        if addr & PAGE_MASK:
            raise KernelError(Errno.EINVAL, "address not at a page")
        if size > USER_TOP or addr + page_up(size) > USER_TOP:
            raise KernelError(errno, "outside of the address space")
        return addr, addr + page_up(size)

    def unmap(self, addr: int, size: int) -> None:
        """Unmap what is mapped in a range; a hole is no error.

        Raises:
            KernelError: EINVAL; ENOMEM, it would make too many segments, or tables.
        """
        lo, hi = self._range(addr, size, Errno.EINVAL)
        if lo == hi:
            raise KernelError(Errno.EINVAL, "unmapping of no bytes")
        if self.overlap(lo, hi):
            self._room_for_splits(lo, hi)
            hat.unmap(self, lo, hi - lo)
            self._drop(lo, hi)

    def protect(self, addr: int, size: int, prot: int) -> None:
        """Change the protection of a range without holes; no bytes is no error.

        Raises:
            KernelError: EINVAL ENOMEM EACCES, and nothing has changed.
        """
        lo, hi = self._range(addr, size, Errno.ENOMEM)
        if prot & ~7:
            raise KernelError(Errno.EINVAL, f"protection {prot:#x}")
        if lo == hi:
            return
        for seg in self.covered(lo, hi):
            if prot & ~seg.maxprot:
                raise KernelError(Errno.EACCES, "the file is not open for that")
        self._room_for_splits(lo, hi)
        hat.protect(self, lo, hi - lo, prot)
        for seg in self._carve(lo, hi):
            seg.prot = prot
        self._join(lo, hi)
        self._watch_again()

    def set_flags(self, addr: int, size: int, put: int, take: int) -> None:
        """Change PURGE and WIPE of a range without holes (madvise(2)).

        Raises:
            KernelError: EINVAL, also for WIPE of a file or shared memory; ENOMEM.
        """
        lo, hi = self._range(addr, size, Errno.ENOMEM)
        put, take = int(put), int(take)
        if lo == hi:
            return
        for seg in self.covered(lo, hi):
            if put & WIPE and not isinstance(seg, SegZero):
                raise KernelError(Errno.EINVAL, "not private anonymous memory")
        self._room_for_splits(lo, hi)
        self.odd = self.odd or put != 0
        for seg in self._carve(lo, hi):
            seg.flags = (seg.flags & ~take | put) & KEPT
        self._join(lo, hi)

    def dontneed(self, addr: int, size: int) -> None:
        """Private pages go back to zeros or to the file's; shared ones stay.

        Raises:
            KernelError: EINVAL; ENOMEM, there was a hole (the rest is done).
        """
        lo, hi = self._range(addr, size, Errno.ENOMEM)
        for seg in self.overlap(lo, hi) if lo < hi else ():
            seg.discard(self, max(seg.base, lo), min(seg.end, hi))
        self._watch_again()
        self.covered(lo, hi)

    def sync(self, addr: int, size: int) -> None:
        """msync: mapped pages are the file's own, so nothing is ever behind.

        Raises:
            KernelError: EINVAL; ENOMEM, there is a hole.
        """
        self.covered(*self._range(addr, size, Errno.ENOMEM))

    def remap(
        self, old: int, oldsize: int, newsize: int, flags: int, newaddr: int = 0
    ) -> int:
        """Resize or move a mapping (mremap(2)); see ``vm.remap``."""
        base = remap(self, old, oldsize, newsize, flags, newaddr)
        self._watch_again()
        return base

    # -- faults

    def fault(self, addr: int, access: int, trap: int) -> Fault:
        """Settle a fault that the hardware could not settle alone.

        Args:
            addr: The address.
            access: 0 load, 1 store, 2 fetch.
            trap: ASK, PROT, UNMAPPED or NOMEM of ``enum hw_trap``.
        """
        if trap == hat.TRAP_NOMEM:
            return Fault.NOMEM
        seg = self.find(addr)
        if seg is None:
            return self._grow(addr)
        if trap == hat.TRAP_ASK:
            got = seg.fill(self, page_down(addr))
            self._watch_again()
            return got
        if trap == hat.TRAP_PROT:
            if seg.prot & _NEED[access]:
                if self.watch is not None and self.watch.covers(addr):
                    return Fault.WATCH
                raise Panic(f"{seg!r}: access {access} refused at {addr:#x}")
            return Fault.SEGV_ACCERR
        raise Panic(f"{seg!r}: the hardware has nothing at {addr:#x}")

    def _watch_again(self) -> None:
        """Something was mapped anew: what is watched there stays so."""
        if self.watch is not None and self.watch.shut:
            self.watch.arm(self)

    def _open(self) -> None:
        if self.watch is not None:
            self.watch.open(self)

    def _shut(self) -> None:
        watch = self.watch
        if watch is not None and not watch.shut and not watch.parked:
            watch.arm(self)

    def _grow(self, addr: int) -> Fault:
        """Grow the stack above ``addr`` down to it, if it is a stack and may."""
        seg = self.above(addr)
        if seg is None or not seg.flags & GROWSDOWN:
            return Fault.SEGV_MAPERR
        lower = self.below(seg.base)
        floor = max(seg.end - self.stack_limit(), self.lowest)
        if lower is not None:
            floor = max(floor, lower.end + (STACK_GUARD if lower.prot else 0))
        floor = max(page_up(floor), seg.base - (self.size_limit() - self.size))
        base = max(addr & ~(STACK_STEP - 1), page_up(floor))
        if base > addr:
            if seg.end - addr > self.stack_limit() and self.proc is not None:
                rctl_action("process.max-stack-size", self.proc, self.proc)
            return Fault.SEGV_MAPERR
        try:
            hat.map_zero(self, base, seg.base - base, seg.prot)
        except KernelError:
            return Fault.NOMEM
        i = self.segs.index(seg)
        self.size += seg.base - base
        seg.size += seg.base - base
        seg.base = self._bases[i] = base
        proc = self._user()
        if proc is not None and proc.stkbase == seg.end:
            proc.stksize = seg.size
        return Fault.OK

    def _user(self) -> Proc | None:
        """The process that runs in this space: a vfork child goes before its parent.

        What it changes of the stack's and the break's size, relvm copies back.
        """
        proc = self.proc
        if proc is None or proc.as_ is not self:
            return None
        while lent := [c for c in proc.children() if c.as_ is self]:
            proc = lent[0]
        return proc

    # -- looking

    def maps(self) -> Iterator[Mapping]:
        """The segments as /proc shows them."""
        for s in self.segs:
            yield Mapping(s.base, s.end, s.prot, s.shared, s.off, s.vnode, s.name)

    def resident(self) -> int:
        """Pages that are present."""
        return hat.resident(self)

    def mincore(self, addr: int, size: int) -> bytes:
        """One byte for each page of a range: 1 if it is present.

        Raises:
            KernelError: EINVAL; ENOMEM, there is a hole.
        """
        lo, hi = self._range(addr, size, Errno.ENOMEM)
        self.covered(lo, hi)
        return bytes(hat.frame_at(self, a) != 0 for a in range(lo, hi, PAGE))

    def object_at(self, addr: int) -> tuple[object, int]:
        """What names the memory at ``addr`` for all who share it (futexes).

        Returns:
            The file or AnonMap and the offset there; for private memory this
            address space and the address.

        Raises:
            KernelError: EFAULT.
        """
        seg = self.find(addr)
        if seg is None:
            raise KernelError(Errno.EFAULT, f"nothing is mapped at {addr:#x}")
        if seg.shared:
            return seg.obj, seg.off + addr - seg.base
        return self, addr

    def __repr__(self) -> str:
        pages = self.size >> PAGE_SHIFT
        return f"<As {self.hwid}: {len(self.segs)} segments, {pages} pages>"


def as_dup(
    txn: Transaction, kernel: Kernel, parent: As, acct: int, proc: Proc | None = None
) -> As:
    """Copy an address space for fork (as_dup, fork.c C9).

    Each segment is a step of ``txn``; unwinding frees all of it.

    Raises:
        KernelError: ENOMEM.
    """
    hwid = txn.do("hat_dup", hat.dup, kernel.hw.as_destroy, parent, acct)
    child = As.__new__(As)
    SegList.__init__(child)
    child.kernel, child.acct, child.proc, child.hwid = kernel, acct, proc, hwid
    child.mmap_base, child.text, child.users = parent.mmap_base, None, 1
    if parent.lowest != MMAP_MIN_ADDR:
        child.lowest = parent.lowest
    segs = parent.segs
    if parent.odd or txn.probe is not None:
        child.odd = parent.odd
        for i, seg in enumerate(segs):
            _seg_dup(txn, child, seg, f"seg_dup:{i}:{seg.kind}")
    else:  # the same, where nobody listens
        txn.announce(_seg_steps(tuple([seg.kind for seg in segs])))
        txn.owe("seg_dup", _segs_rele, child)
        child.segs.extend(seg.dup() for seg in segs)  # what there is, if one fails
        child._bases = parent._bases.copy()
        child.size = parent.size
    text = parent.text
    if text is not None:
        txn.call("text_dup", As.set_text, _undup_text, child, text)
    if parent.watch is not None:
        txn.call("clearwatch", give_back, None, child, parent)
    return child


def _undup_text(as_: As, text: Vnode) -> None:
    del text
    _drop_text(as_)


def _drop_text(as_: As) -> None:
    if as_.text is not None:
        as_.text.v_text -= 1
        as_.text = None


def _seg_dup(txn: Transaction, child: As, seg: Seg, step: str) -> None:
    if seg.flags & (PURGE | WIPE):
        if seg.flags & PURGE:
            txn.do(step, lambda: hat.unmap(child, seg.base, seg.size))
            return
        txn.do(f"{step}:wipe", lambda: seg.attach(child, seg.base, seg.end))
    new = txn.do(step, seg.dup, _seg_rele)
    child.segs.append(new)
    child._bases.append(new.base)
    child.size += new.size


def _seg_rele(seg: Seg) -> None:
    seg.rele()


def _segs_rele(child: As) -> None:
    for seg in reversed(child.segs):
        seg.rele()


@lru_cache(maxsize=256)
def _seg_steps(kinds: tuple[str, ...]) -> dict[str, None]:
    """The names of the steps that copy segments of these kinds."""
    return {f"seg_dup:{i}:{kind}": None for i, kind in enumerate(kinds)}


def as_free(as_: As) -> None:
    """Free an address space: its pages, tables and references.  Called once."""
    segs, as_.segs, as_._bases, as_.size = as_.segs, [], [], 0
    hat.destroy(as_.kernel, as_.hwid)
    as_.hwid = 0
    _drop_text(as_)
    for seg in segs:
        seg.rele()
