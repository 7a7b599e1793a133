"""Resizing and moving mappings (mremap(2) of Linux).

Part of ``As``, apart for its length.

Must not know: system calls, brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vm import hat
from personae.core.vm.layout import USER_TOP, RemapFlag, page_up

if TYPE_CHECKING:
    from personae.core.vm.as_ import As
    from personae.core.vm.seg import Seg


def remap(
    as_: As, old: int, oldsize: int, newsize: int, flags: int, newaddr: int = 0
) -> int:
    """Resize or move a mapping.

    Args:
        as_: The address space.
        old: Its address.
        oldsize: How much of it; within one segment.
        newsize: How much it shall be.
        flags: ``RemapFlag``.
        newaddr: Where, with FIXED.

    Returns:
        Where it is now.

    Raises:
        KernelError: EINVAL EFAULT ENOMEM EPERM.
    """
    if flags & ~3 or newsize == 0 or oldsize == 0 or newsize > USER_TOP:
        raise KernelError(Errno.EINVAL, "flags or sizes of a remapping")
    lo, hi = as_._range(old, oldsize, Errno.EINVAL)
    newsize = page_up(newsize)
    if flags & RemapFlag.FIXED:
        return _remap_fixed(as_, lo, hi, newsize, flags, newaddr)
    seg = _one_seg(as_, lo, min(hi, lo + newsize))
    if newsize < hi - lo:
        as_.unmap(lo + newsize, hi - lo - newsize)
        return lo
    more = newsize - (hi - lo)
    if more == 0:
        return lo
    as_._check_size(more)
    end = lo + newsize
    if seg.end == hi and end <= USER_TOP and as_.is_free(hi, end):
        _extend(as_, seg, more)
        return lo
    if not flags & RemapFlag.MAYMOVE:
        raise KernelError(Errno.ENOMEM, "no room to grow in place")
    return _move(as_, lo, hi, newsize, as_.gap(newsize, as_.mmap_base))


def _remap_fixed(
    as_: As, lo: int, hi: int, newsize: int, flags: int, newaddr: int
) -> int:
    if not flags & RemapFlag.MAYMOVE:
        raise KernelError(Errno.EINVAL, "FIXED without MAYMOVE")
    to, to_end = as_._range(newaddr, newsize, Errno.EINVAL)
    if to < hi and lo < to_end:
        raise KernelError(Errno.EINVAL, "old and new place overlap")
    if to < as_.lowest:
        raise KernelError(Errno.EPERM, "below the lowest address")
    _one_seg(as_, lo, min(hi, lo + newsize))
    as_._check_size(newsize - (hi - lo) - as_._bytes_in(to, to_end))
    if newsize < hi - lo:
        as_.unmap(lo + newsize, hi - lo - newsize)
        hi = lo + newsize
    return _move(as_, lo, hi, newsize, to)


def _one_seg(as_: As, lo: int, hi: int) -> Seg:
    seg = as_.find(lo)
    if seg is None or seg.end < hi:
        raise KernelError(Errno.EFAULT, "not within one mapping")
    return seg


def _extend(as_: As, seg: Seg, more: int) -> None:
    """Grow a segment upwards into free space."""
    end = seg.end
    seg.size += more
    try:
        seg.attach(as_, end, seg.end)
    except KernelError:
        seg.size -= more
        raise
    as_.size += more
    as_._join(seg.base, seg.end)


def _move(as_: As, lo: int, hi: int, newsize: int, to: int) -> int:
    """Move [lo, hi) to ``to``, and let it end ``newsize`` later."""
    as_._room_for_splits(lo, hi, 3)
    size = hi - lo
    seg = _one_seg(as_, lo, hi)
    if newsize > size:
        tail = seg.dup()
        if tail.obj is not None:
            tail.off += hi - tail.base
        tail.base, tail.size = to + size, newsize - size
        as_._enter(tail)
    try:
        hat.move(as_, lo, to, size)
    except KernelError:
        if newsize > size:
            as_.unmap(to + size, newsize - size)
        raise
    (seg,) = as_._carve(lo, hi)
    as_._remove(seg)
    as_._drop(to, to + size)
    seg.base = to
    as_._insert(seg)
    as_._join(to, to + newsize)
    return to
