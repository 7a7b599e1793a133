"""The data of a regular file: sparse chunks, plus the frames that are mapped.

Content lives in ``chunks``, 64 KiB each and no longer than what was written, so a
write far out costs one chunk.  A page that somebody maps gets a frame of the
machine's memory; from then on that frame is the truth for its page, since the
guest stores into it without telling, and the chunk under it is stale until the
frame is dropped.

A file of a read-only lower layer has a ``source``: a chunk is loaded from it when
it is first needed, and changes stay here.

Bytes are charged to the file system (``owner.charge``), frames to its account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from personae.core.errno import Errno, KernelError
from personae.core.vfs.vnode import MAXIO

if TYPE_CHECKING:
    from personae.core.kernel import Kernel

CHUNK_SHIFT = 16
CHUNK = 1 << CHUNK_SHIFT
CHUNK_MASK = CHUNK - 1
PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
PAGE_MASK = PAGE - 1
MAXOFF = (1 << 63) - 1
"""Largest size of a file (MAX_LFS_FILESIZE, MAXOFFSET_T)."""


class Source(Protocol):
    """Where the bytes of an unchanged file come from."""

    def load(self, off: int, n: int) -> bytes:
        """``n`` bytes at ``off``, fewer if the source has become shorter."""


class Owner(Protocol):
    """The file system that pays."""

    kernel: Kernel
    acct: int

    def charge(self, n: int) -> None:
        """``n`` more bytes (fewer if negative); ENOSPC above the limit."""

    def loaded(self, data: PagedData, ci: int, n: int) -> None:
        """A chunk of ``n`` bytes was read from a source; it may call forget()."""


def _pages(n: int) -> int:
    return (n + PAGE_MASK) & ~PAGE_MASK


class PagedData:
    """Bytes of one file.

    Attributes:
        size: Length of the file.
        alloc: Bytes charged for it.
        chunks: Content by chunk number; missing: from the source, or zeros.
        pages: Frames by page number.
    """

    __slots__ = (
        "alloc",
        "chunks",
        "dirty",
        "owner",
        "pages",
        "size",
        "source",
        "source_size",
    )

    def __init__(
        self, owner: Owner, source: Source | None = None, size: int = 0
    ) -> None:
        self.owner = owner
        self.size = size
        self.alloc = 0
        self.chunks: dict[int, bytearray] = {}
        self.pages: dict[int, int] = {}
        self.source = source
        self.source_size = size if source is not None else 0
        self.dirty: set[int] = set()
        """Chunks that came from the source and have been changed."""

    def copy(self, owner: Owner) -> PagedData:
        """The same content for another file system, which pays for its own.

        Chunks that the source still has stay there; what is in frames is read.
        """
        new = PagedData(owner, self.source, self.size)
        new.source_size, new.dirty = self.source_size, set(self.dirty)
        owner.charge(self.alloc)
        new.alloc = self.alloc
        for ci, c in self.chunks.items():
            if ci in self.dirty or ci << CHUNK_SHIFT >= self.source_size:
                new.chunks[ci] = bytearray(c)
        hw = self.owner.kernel.hw
        for i, pfn in self.pages.items():
            off = i << PAGE_SHIFT
            ci, o, n = off >> CHUNK_SHIFT, off & CHUNK_MASK, min(PAGE, self.size - off)
            data = hw.frame_read(pfn, 0, n)
            if data != new._piece(ci, o, n):
                new._put(ci, o, data)
        return new

    # -- chunks

    def _chunk(self, ci: int) -> bytearray | None:
        """A chunk, loaded if the source has it; None for a hole."""
        c = self.chunks.get(ci)
        if c is not None or self.source is None:
            return c
        start = ci << CHUNK_SHIFT
        if start >= self.source_size:
            return None
        n = min(CHUNK, self.source_size - start)
        c = bytearray(self.source.load(start, n))
        if len(c) < n:
            c.extend(bytes(n - len(c)))
        self.chunks[ci] = c
        self.owner.loaded(self, ci, n)
        return c

    def forget(self, ci: int) -> None:
        """Drop a chunk that the source still has."""
        if ci not in self.dirty and ci << CHUNK_SHIFT < self.source_size:
            self.chunks.pop(ci, None)

    def _piece(self, ci: int, o: int, n: int) -> bytes:
        c = self._chunk(ci)
        if c is None:
            return bytes(n)
        b = bytes(memoryview(c)[o : o + n])
        return b if len(b) == n else b + bytes(n - len(b))

    # -- read and write

    def read(self, off: int, n: int) -> bytes:
        """Up to ``n`` bytes from ``off``; fewer at the end of the file."""
        end = min(off + n, self.size, off + MAXIO)
        if off >= end:
            return b""
        ci = off >> CHUNK_SHIFT
        last = (end - 1) >> CHUNK_SHIFT
        if ci == last:
            out = self._piece(ci, off & CHUNK_MASK, end - off)
        else:
            parts = [self._piece(ci, off & CHUNK_MASK, CHUNK - (off & CHUNK_MASK))]
            parts.extend(self._piece(i, 0, CHUNK) for i in range(ci + 1, last))
            parts.append(self._piece(last, 0, end - (last << CHUNK_SHIFT)))
            out = b"".join(parts)
        return self._from_frames(off, out) if self.pages else out

    def _mapped(self, off: int, n: int) -> list[int]:
        """Numbers of the pages in a range that have frames."""
        first, last = off >> PAGE_SHIFT, (off + n - 1) >> PAGE_SHIFT
        if last - first < len(self.pages):
            return [i for i in range(first, last + 1) if i in self.pages]
        return [i for i in self.pages if first <= i <= last]

    def _from_frames(self, off: int, out: bytes) -> bytes:
        mapped = self._mapped(off, len(out))
        if not mapped:
            return out
        buf = bytearray(out)
        hw = self.owner.kernel.hw
        end = off + len(out)
        for i in mapped:
            a = max(off, i << PAGE_SHIFT)
            b = min(end, (i + 1) << PAGE_SHIFT)
            buf[a - off : b - off] = hw.frame_read(self.pages[i], a & PAGE_MASK, b - a)
        return bytes(buf)

    def write(self, off: int, data: bytes) -> int:
        """Store ``data``; answers how much there was room for.

        Raises:
            KernelError: ENOSPC, no room for any of it; EFBIG.
        """
        n = len(data)
        if n == 0:
            return 0
        if off + n > MAXOFF:
            if off >= MAXOFF:
                raise KernelError(Errno.EFBIG, "behind the largest offset")
            data = data[: MAXOFF - off]
            n = len(data)
        if self.pages and off > self.size:
            self._zero_tail(self.size)
        o = off & CHUNK_MASK
        if o + n <= CHUNK:
            self._put(off >> CHUNK_SHIFT, o, data)
            done = n
        else:
            done = self._write_long(off, data)
        if off + done > self.size:
            self.size = off + done
        if self.pages:
            self.to_frames(off, data[:done])
        return done

    def _write_long(self, off: int, data: bytes) -> int:
        view = memoryview(data)
        done = 0
        while done < len(data):
            o = (off + done) & CHUNK_MASK
            n = min(CHUNK - o, len(data) - done)
            try:
                self._put((off + done) >> CHUNK_SHIFT, o, view[done : done + n])
            except KernelError:
                if done:
                    return done
                raise
            done += n
        return done

    def _put(self, ci: int, o: int, data: bytes | memoryview) -> None:
        c = self._chunk(ci)
        have = 0 if c is None else len(c)
        end = o + len(data)
        if end > have:
            more = _pages(end) - _pages(have)
            if more:
                self.owner.charge(more)
                self.alloc += more
            if c is None:
                c = self.chunks[ci] = bytearray()
            if o > have:
                c.extend(bytes(o - have))
        assert c is not None
        c[o:end] = data
        if self.source is not None:
            self.dirty.add(ci)

    def to_frames(self, off: int, data: bytes) -> None:
        """Bring the frames of a range up to date."""
        hw = self.owner.kernel.hw
        end = off + len(data)
        for i in self._mapped(off, len(data)) if data else ():
            a = max(off, i << PAGE_SHIFT)
            b = min(end, (i + 1) << PAGE_SHIFT)
            hw.frame_write(self.pages[i], a & PAGE_MASK, data[a - off : b - off])

    # -- size

    def _zero_tail(self, size: int) -> None:
        """Clear what a mapping stored behind the end in the last page."""
        pfn = self.pages.get(size >> PAGE_SHIFT)
        o = size & PAGE_MASK
        if pfn is not None and o:
            self.owner.kernel.hw.frame_write(pfn, o, bytes(PAGE - o))

    def truncate(self, size: int) -> None:
        """Set the length; a longer file gets a hole."""
        if size > MAXOFF:
            raise KernelError(Errno.EFBIG, "behind the largest offset")
        if self.pages:
            self._zero_tail(min(size, self.size))
        if size < self.size:
            self._cut(size)
        self.size = size

    def _cut(self, size: int) -> None:
        last, o = size >> CHUNK_SHIFT, size & CHUNK_MASK
        if self.source is not None and o and self._chunk(last) is not None:
            self.dirty.add(last)
        self.source_size = min(self.source_size, size & ~CHUNK_MASK)
        for ci in [i for i in self.chunks if i >= last]:
            c = self.chunks[ci]
            keep = o if ci == last else 0
            if len(c) > keep:
                self._uncharge(_pages(len(c)) - _pages(keep))
                del c[keep:]
            if keep == 0:
                del self.chunks[ci]
        hw = self.owner.kernel.hw
        for i in [i for i in self.pages if i << PAGE_SHIFT >= size]:
            hw.frame_rele(self.pages.pop(i))

    def _uncharge(self, n: int) -> None:
        """Give back bytes; those of a loaded source were never charged."""
        n = min(n, self.alloc)
        self.alloc -= n
        self.owner.charge(-n)

    def punch(self, off: int, n: int) -> None:
        """Make a range read as zeros (FALLOC_FL_PUNCH_HOLE)."""
        start, end = off, min(off + n, self.size)
        while off < end:
            ci, o = off >> CHUNK_SHIFT, off & CHUNK_MASK
            k = min(CHUNK - o, end - off)
            c = self.chunks.get(ci)
            if c is None and self.source is None:
                nxt = min((i for i in self.chunks if i > ci), default=None)
                if nxt is None:
                    break
                off = nxt << CHUNK_SHIFT
                continue
            c = self._chunk(ci)
            if c is not None and o < len(c):
                self.dirty.add(ci)
                k2 = min(k, len(c) - o)
                c[o : o + k2] = bytes(k2)
            off += k
        self._punch_frames(start, end)

    def _punch_frames(self, off: int, end: int) -> None:
        hw = self.owner.kernel.hw
        for i in self._mapped(off, end - off) if self.pages and end > off else ():
            a = max(off, i << PAGE_SHIFT)
            b = min(end, (i + 1) << PAGE_SHIFT)
            hw.frame_write(self.pages[i], a & PAGE_MASK, bytes(b - a))

    def seek_data(self, off: int) -> int | None:
        """Where the next data is, at or behind ``off``; None: a hole to the end."""
        if off >= self.size:
            return None
        starts = {c << CHUNK_SHIFT for c in self.chunks}
        starts.update(range(0, self.source_size, CHUNK))
        starts.update(i << PAGE_SHIFT for i in self.pages)
        best = None
        for s in starts:
            n = PAGE if s & CHUNK_MASK else CHUNK
            if off < s + n and s < self.size:
                at = max(off, s)
                best = at if best is None else min(best, at)
        return best

    def seek_hole(self, off: int) -> int:
        """Where the next hole is, at or behind ``off``; the end is one."""
        while off < self.size:
            ci = off >> CHUNK_SHIFT
            if (
                ci not in self.chunks
                and ci << CHUNK_SHIFT >= self.source_size
                and off >> PAGE_SHIFT not in self.pages
            ):
                return off
            off = (ci + 1) << CHUNK_SHIFT
        return self.size

    # -- frames

    def getpage(self, idx: int) -> int:
        """The frame of page ``idx``, made and filled at first use."""
        pfn = self.pages.get(idx)
        if pfn is not None:
            return pfn
        off = idx << PAGE_SHIFT
        if off >= self.size:
            raise KernelError(Errno.EFAULT, "page behind the end of the file")
        data = self.read(off, PAGE)
        hw = self.owner.kernel.hw
        pfn = hw.frame_alloc(self.owner.acct)
        if not pfn:
            raise KernelError(Errno.ENOMEM, "no frame for a file page")
        if data.strip(b"\0"):
            hw.frame_write(pfn, 0, data)
        self.pages[idx] = pfn
        return pfn

    def release(self) -> None:
        """Free everything; the file is gone."""
        hw = self.owner.kernel.hw
        for pfn in self.pages.values():
            hw.frame_rele(pfn)
        self.pages.clear()
        self.chunks.clear()
        self._uncharge(self.alloc)
        self.size = self.source_size = 0

    def drop_frames(self) -> int:
        """Give back frames that only this cache holds; answers how many."""
        hw = self.owner.kernel.hw
        idle = [i for i, pfn in self.pages.items() if hw.frame_refs(pfn) == 1]
        for i in idle:
            pfn = self.pages.pop(i)
            off = i << PAGE_SHIFT
            n = min(PAGE, self.size - off)
            data = hw.frame_read(pfn, 0, n)
            hw.frame_rele(pfn)
            if data != self._piece(off >> CHUNK_SHIFT, off & CHUNK_MASK, n):
                self._put(off >> CHUNK_SHIFT, off & CHUNK_MASK, data)
        return len(idle)
