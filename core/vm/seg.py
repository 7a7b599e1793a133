"""Segments: what a stretch of an address space is made of, and its drivers.

A driver (struct seg_ops) says how a stretch gets its pages:

* ``SegZero``: private anonymous memory; the hardware fills it by itself.
* ``SegVn``: pages of a file, shared or private (copy-on-write).
* ``SegAnon``: anonymous memory shared between address spaces (``AnonMap``).

A segment holds its vnode or AnonMap once.  The hardware's page tables are the
truth about pages; a segment only knows how to make them.

Must not know: processes, brands, page-table formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from personae.core.errno import Errno, KernelError, Panic
from personae.core.vm import hat
from personae.core.vm.layout import (
    AROUND,
    EAGER_PAGES,
    GROWSDOWN,
    KEPT,
    PAGE,
    PAGE_SHIFT,
    SHARED,
    Fault,
    page_up,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.anon import AnonMap
    from personae.core.vm.as_ import As


_new = object.__new__


class Seg:
    """A stretch of one kind.

    Attributes:
        base: First address; page aligned, as is ``size``.
        prot: What programs may do.
        maxprot: The most that ``protect`` may allow.
        flags: SHARED or PRIVATE and what fork and faults have to know.
        name: What /proc shows beside it, as b"[stack]".
        off: Offset of ``base`` in the object; 0 where there is none.
    """

    kind: ClassVar[str] = "seg"

    def __init__(
        self,
        base: int,
        size: int,
        prot: int,
        flags: int,
        *,
        maxprot: int = 7,
        name: bytes = b"",
        off: int = 0,
    ) -> None:
        self.base = base
        self.size = size
        self.prot = prot
        self.maxprot = maxprot
        self.flags = flags & KEPT
        self.name = name
        self.off = off

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.base + self.size

    @property
    def shared(self) -> bool:
        """Whether stores are seen by others."""
        return self.flags & SHARED != 0

    @property
    def vnode(self) -> Vnode | None:
        """The file it maps, if it maps one."""
        return None

    @property
    def obj(self) -> Vnode | AnonMap | None:
        """What its pages belong to; None: to the address space alone."""
        return None

    def index(self, addr: int) -> int:
        """Page index in the object of the page at ``addr``."""
        return (self.off + addr - self.base) >> PAGE_SHIFT

    # -- references

    def hold(self) -> None:
        """Take this segment's reference of its object."""

    def rele(self) -> None:
        """Give it back; the segment is not used afterwards."""

    def dup(self) -> Self:
        """A copy with a reference of its own, for fork and for splits."""
        new = self._copy()
        new.hold()
        return new

    def _copy(self) -> Self:
        """A copy that does not hold the object yet."""
        new: Self = _new(self.__class__)
        new.__dict__ = self.__dict__.copy()
        return new

    @classmethod
    def _like(cls, seg: Seg) -> Self:
        """A segment of this class and of the shape of ``seg``, without its object."""
        new = cls.__new__(cls)
        new.base, new.size, new.off = seg.base, seg.size, seg.off
        new.prot, new.maxprot = seg.prot, seg.maxprot
        new.flags, new.name = seg.flags, seg.name
        return new

    # -- shape

    def split(self, addr: int) -> Self:
        """Cut at ``addr``: this one keeps what is below, the rest is answered."""
        upper = self.dup()
        upper.base = addr
        upper.size = self.end - addr
        if self.obj is not None:
            upper.off = self.off + addr - self.base
        self.size = addr - self.base
        return upper

    def joins(self, upper: Seg) -> bool:
        """Whether ``upper``, which begins where this ends, could be part of this."""
        return (
            type(self) is type(upper)
            and self.prot == upper.prot
            and self.flags == upper.flags
            and self.maxprot == upper.maxprot
            and self.name == upper.name
            and self.obj is upper.obj
            and (self.obj is None or self.off + self.size == upper.off)
            and not self.flags & GROWSDOWN
        )

    # -- pages

    def attach(self, as_: As, lo: int, hi: int) -> None:
        """Make the page tables of [lo, hi) say what belongs there.

        Raises:
            KernelError: ENOMEM, and nothing has changed; ENODEV.
        """
        raise NotImplementedError

    def fill(self, as_: As, addr: int) -> Fault:
        """Supply the page at ``addr`` that the hardware asked for."""
        raise Panic(f"{self!r}: the hardware asks for a page at {addr:#x}")

    def discard(self, as_: As, lo: int, hi: int) -> None:
        """Forget private changes in [lo, hi) (MADV_DONTNEED)."""
        if not self.shared:
            self.attach(as_, lo, hi)

    def _fill_around(
        self, as_: As, addr: int, page: Callable[[int], int | None]
    ) -> Fault:
        """Map the page at ``addr`` and its neighbours that ``page`` has.

        ``page(idx)`` answers a frame, or None to leave that page alone.  Only
        pages without a frame are touched: a neighbour may be a private copy.
        """
        idx = self.index(addr)
        try:
            pfn = page(idx)
        except KernelError as err:
            return Fault.NOMEM if err.errno is Errno.ENOMEM else Fault.BUS_ADRERR
        if pfn is None:
            return Fault.BUS_ADRERR
        block = addr & ~(AROUND * PAGE - 1)
        lo, hi = max(block, self.base), min(block + AROUND * PAGE, self.end)
        pfns = [pfn]
        start, at = addr, addr - PAGE
        while at >= lo and (pfn := self._neighbour(as_, at, page)):
            pfns.insert(0, pfn)
            start, at = at, at - PAGE
        at = addr + PAGE
        while at < hi and (pfn := self._neighbour(as_, at, page)):
            pfns.append(pfn)
            at += PAGE
        try:
            hat.map_frames(as_, start, pfns, self.prot, self.shared)
        except KernelError:
            return Fault.NOMEM
        return Fault.OK

    def _neighbour(
        self, as_: As, addr: int, page: Callable[[int], int | None]
    ) -> int | None:
        if hat.frame_at(as_, addr):
            return None
        try:
            return page(self.index(addr))
        except KernelError:
            return None

    def __repr__(self) -> str:
        prot = "".join(c if self.prot >> i & 1 else "-" for i, c in enumerate("rwx"))
        share = "s" if self.shared else "p"
        return f"<{self.kind} {self.base:x}-{self.end:x} {prot}{share}>"


class SegZero(Seg):
    """Private anonymous memory."""

    kind = "zero"

    def dup(self) -> Self:
        """A copy; there is nothing to hold."""
        return self._copy()

    def attach(self, as_: As, lo: int, hi: int) -> None:
        """Demand zero."""
        hat.map_zero(as_, lo, hi - lo, self.prot)


class SegVn(Seg):
    """Pages of a file."""

    kind = "vn"
    _vnode: Vnode

    @classmethod
    def make(cls, vnode: Vnode, seg: Seg) -> SegVn:
        """A file mapping of the shape of ``seg``."""
        new = cls._like(seg)
        new._vnode = vnode
        new.hold()
        return new

    @property
    def vnode(self) -> Vnode:
        """The file."""
        return self._vnode

    @property
    def obj(self) -> Vnode:
        """The file."""
        return self._vnode

    def hold(self) -> None:
        """Hold the file."""
        self._vnode.hold()

    def rele(self) -> None:
        """Let go of the file."""
        self._vnode.rele()

    def dup(self) -> Self:
        """A copy that holds the file."""
        new = self._copy()
        new._vnode.hold()
        return new

    def _pages(self) -> int:
        """How many pages the file has now."""
        return page_up(self._vnode.getattr().size) >> PAGE_SHIFT

    def attach(self, as_: As, lo: int, hi: int) -> None:
        """Private and not too big: all pages at once.  Else: ask for each.

        One page is looked at in any case, to refuse what has no pages (ENODEV).
        """
        first, n = self.index(lo), (hi - lo) >> PAGE_SHIFT
        eager = not self.shared and n <= EAGER_PAGES
        there = min(max(self._pages() - first, 0), n) if eager else 1
        try:
            pfns = self._vnode.getpages(first, there)
        except KernelError as err:
            if err.errno is Errno.ENODEV:
                raise
            eager = False
        if eager:
            pfns += [0] * (n - there)
            hat.map_frames(as_, lo, pfns, self.prot, shared=False)
        else:
            hat.map_ask(as_, lo, hi - lo, self.prot, self.shared)

    def fill(self, as_: As, addr: int) -> Fault:
        """The file's page; BUS_ADRERR behind its end."""
        there = self._pages()
        getpage = self._vnode.getpage
        return self._fill_around(
            as_, addr, lambda idx: getpage(idx) if idx < there else None
        )


class SegAnon(Seg):
    """Anonymous memory shared with other address spaces."""

    kind = "anon"
    amp: AnonMap

    @classmethod
    def make(cls, amp: AnonMap, seg: Seg) -> SegAnon:
        """A mapping of ``amp`` of the shape of ``seg``; takes a hold of its own."""
        new = cls._like(seg)
        new.amp = amp
        new.hold()
        return new

    @property
    def obj(self) -> AnonMap:
        """The shared pages."""
        return self.amp

    def hold(self) -> None:
        """Count as a user of the pages."""
        self.amp.hold()

    def rele(self) -> None:
        """Stop using the pages."""
        self.amp.rele()

    def attach(self, as_: As, lo: int, hi: int) -> None:
        """Ask for each page, also for those that others have made already."""
        hat.map_ask(as_, lo, hi - lo, self.prot, shared=True)

    def fill(self, as_: As, addr: int) -> Fault:
        """Make the page if nobody has, and map what is there around it."""
        wanted, amp = self.index(addr), self.amp
        return self._fill_around(
            as_,
            addr,
            lambda idx: amp.getpage(idx) if idx == wanted else amp.frames.get(idx),
        )
