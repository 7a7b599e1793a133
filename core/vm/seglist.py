"""The sorted list of segments, its arithmetic, and the choice of free places.

Kept apart from ``As`` because it needs no hardware: it can be checked against
a simple model by itself.

Must not know: the hardware, processes.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vm.layout import (
    GROWSDOWN,
    MAX_SEGS,
    MMAP_MIN_ADDR,
    STACK_GUARD,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.vm.seg import Seg


class SegList:
    """Segments by address; they never overlap."""

    def __init__(self) -> None:
        self.segs: list[Seg] = []
        self._bases: list[int] = []
        self.size = 0
        """Bytes of all segments."""
        self._scan = 0
        self._hole = -1
        """No hole above ``_scan`` is larger than ``_hole``; -1: not known."""
        self._found = (0, 0, 0)
        """Last answer of gap(): place, size, and the ``_hole`` if it is taken."""

    # -- finding

    def find(self, addr: int) -> Seg | None:
        """The segment that ``addr`` is in."""
        i = bisect_right(self._bases, addr) - 1
        if i >= 0:
            seg = self.segs[i]
            if addr < seg.base + seg.size:
                return seg
        return None

    def above(self, addr: int) -> Seg | None:
        """The first segment that begins above ``addr``."""
        i = bisect_right(self._bases, addr)
        return self.segs[i] if i < len(self.segs) else None

    def below(self, addr: int) -> Seg | None:
        """The last segment that begins below ``addr``."""
        i = bisect_right(self._bases, addr - 1) - 1
        return self.segs[i] if i >= 0 else None

    def overlap(self, lo: int, hi: int) -> list[Seg]:
        """Segments with a byte in [lo, hi)."""
        bases, segs = self._bases, self.segs
        i = bisect_right(bases, lo) - 1
        if i < 0 or bases[i] + segs[i].size <= lo:
            i += 1
        return segs[i : bisect_right(bases, hi - 1)]

    def covered(self, lo: int, hi: int) -> list[Seg]:
        """Segments of [lo, hi), which must have no hole.

        Raises:
            KernelError: ENOMEM, there is a hole.
        """
        segs = self.overlap(lo, hi)
        at = lo
        for seg in segs:
            if seg.base > at:
                break
            at = seg.end
        if at < hi:
            raise KernelError(Errno.ENOMEM, f"nothing is mapped at {at:#x}")
        return segs

    # -- changing

    def _insert(self, seg: Seg) -> None:
        i = bisect_right(self._bases, seg.base)
        self.segs.insert(i, seg)
        self._bases.insert(i, seg.base)
        self.size += seg.size
        if self._found[:2] == (seg.base, seg.size):
            self._scan, self._hole = seg.base, self._found[2]

    def _remove(self, seg: Seg) -> None:
        i = bisect_right(self._bases, seg.base) - 1
        del self.segs[i], self._bases[i]
        self.size -= seg.size
        if seg.base + seg.size > self._scan:
            self._hole = -1

    def _room_for_splits(self, lo: int, hi: int, more: int = 0) -> None:
        """ENOMEM if cutting at lo and hi would make too many segments."""
        if len(self.segs) + more + 2 <= MAX_SEGS:
            return
        for addr in {lo, hi}:
            seg = self.find(addr)
            more += seg is not None and seg.base < addr
        if len(self.segs) + more > MAX_SEGS:
            raise KernelError(Errno.ENOMEM, f"more than {MAX_SEGS} segments")

    def _cut(self, addr: int) -> None:
        """Make ``addr`` a border of segments."""
        seg = self.find(addr)
        if seg is not None and seg.base < addr:
            upper = seg.split(addr)
            self.size -= upper.size
            self._insert(upper)

    def _carve(self, lo: int, hi: int) -> list[Seg]:
        """The segments of [lo, hi), cut so that none reaches out of it."""
        self._cut(lo)
        self._cut(hi)
        return self.overlap(lo, hi)

    def _join(self, lo: int, hi: int) -> None:
        """Merge alike neighbours whose border is in [lo, hi]."""
        bases, segs = self._bases, self.segs
        i = max(bisect_right(bases, lo) - 2, 0)
        while i + 1 < len(segs) and bases[i] <= hi:
            seg = segs[i]
            if bases[i] + seg.size == bases[i + 1] and seg.joins(segs[i + 1]):
                upper = segs.pop(i + 1)
                del bases[i + 1]
                seg.size += upper.size
                upper.rele()
            else:
                i += 1

    # -- places

    def _holes_down(self, top: int) -> Iterator[tuple[int, int]]:
        """Free stretches below ``top``, from the top down."""
        i = bisect_right(self._bases, top - 1)
        if i < len(self.segs) and self.segs[i].flags & GROWSDOWN:
            top = min(top, self.segs[i].base - STACK_GUARD)
        for seg in reversed(self.segs[:i]):
            if seg.end < top:
                yield seg.end, top
            top = min(top, seg.base)
            if seg.flags & GROWSDOWN:
                top -= STACK_GUARD
        if top > MMAP_MIN_ADDR:
            yield MMAP_MIN_ADDR, top

    def gap(self, size: int, top: int) -> int:
        """The highest free place of ``size`` bytes below ``top``.

        If the place is then taken, the next search for as much begins there, so that
        many mappings cost one step each; the answers do not depend on it.

        Raises:
            KernelError: ENOMEM.
        """
        known = 0 <= self._hole < size and MMAP_MIN_ADDR < self._scan < top
        largest = self._hole if known else 0
        for lo, hi in self._holes_down(self._scan if known else top):
            if hi - lo >= size:
                self._found = (hi - size, size, largest)
                return hi - size
            largest = max(largest, hi - lo)
        raise KernelError(Errno.ENOMEM, "no room in the address space")

    def is_free(self, lo: int, hi: int) -> bool:
        """Whether [lo, hi) is free and not in the guard of a stack."""
        if self.overlap(lo, hi):
            return False
        upper = self.above(lo)
        return (
            upper is None
            or not upper.flags & GROWSDOWN
            or hi <= upper.base - STACK_GUARD
        )
