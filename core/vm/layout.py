"""Numbers and flags of an address space: what the rest of ``vm`` agrees on.

The user half of Sv39 is 2^38 bytes (privileged spec, "Sv39").  From the top
down: the stack, room for it to grow, mappings; from the bottom up: the
program and its break.  The places are those of Linux on riscv64
(arch/riscv/include/asm/processor.h, fs/binfmt_elf.c) with randomisation off,
so that the same run gives the same addresses.

Must not know: the hardware, processes, brands.
"""

from __future__ import annotations

from enum import Enum, IntFlag, auto

from personae.core.flags import quick_flags

PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
PAGE_MASK = PAGE - 1

USER_TOP = 1 << 38
"""First address that no program can have."""
MMAP_MIN_ADDR = 65536
"""Nothing is mapped below, so that a null pointer never hits (vm.mmap_min_addr)."""
STACK_TOP = USER_TOP
STACK_DEFAULT = 8 << 20
"""Stack limit of a process that has none set (RLIMIT_STACK of Linux)."""
STACK_FIRST = 132 << 10
"""Stack that a program has from the start (setup_arg_pages: 128 KiB and a page)."""
STACK_GUARD = 256 << PAGE_SHIFT
"""A stack grows no nearer to the next mapping (stack_guard_gap)."""
STACK_STEP = 128 << 10
"""A stack grows by whole blocks of this size, to fault seldom."""
MMAP_GAP_MIN = 128 << 20
MMAP_GAP_MAX = USER_TOP // 6 * 5
"""Least room left for the stack, and most (mmap_base() of mm/util.c); a limit
above it counts as none and reserves the least."""
ET_DYN_BASE = USER_TOP // 3 * 2 & ~PAGE_MASK
"""Where a position-independent program goes (ELF_ET_DYN_BASE)."""

MAX_SEGS = 65530
"""Most segments of one address space (vm.max_map_count)."""
EAGER_PAGES = (16 << 20) >> PAGE_SHIFT
"""A private file mapping up to this size gets its pages at once."""
AROUND = 16
"""A file-page fault fills the aligned block of this many pages."""
COPY_MAX = 1 << 31
"""Longest copy between kernel and program in one call."""
COPY_STEP = 1 << 20
"""A longer copy is done in steps, to fail before much host memory is taken."""


@quick_flags
class Prot(IntFlag):
    """Protection of a mapping; the PROT_* of mmap(2), alike in all brands."""

    READ = 1
    WRITE = 2
    EXEC = 4


RW = int(Prot.READ | Prot.WRITE)


@quick_flags
class MapFlag(IntFlag):
    """Flags of ``As.map`` and of a segment; a brand translates its own."""

    SHARED = 1
    PRIVATE = 2
    FIXED = 0x10
    """Exactly there; what was there goes."""
    NOREPLACE = 0x20
    """With FIXED: EEXIST if something is there."""
    NORESERVE = 0x40
    GROWSDOWN = 0x100
    """A stack."""
    PURGE = 0x200
    """Not copied by fork (MADV_DONTFORK; S_PURGE of seg.h)."""
    WIPE = 0x400
    """The child gets zeros (MADV_WIPEONFORK)."""


# The same as plain ints: the arithmetic of IntFlag costs half a microsecond.
SHARED, PRIVATE = int(MapFlag.SHARED), int(MapFlag.PRIVATE)
FIXED, NOREPLACE = int(MapFlag.FIXED), int(MapFlag.NOREPLACE)
GROWSDOWN = int(MapFlag.GROWSDOWN)
PURGE, WIPE = int(MapFlag.PURGE), int(MapFlag.WIPE)
KEPT = SHARED | PRIVATE | int(MapFlag.NORESERVE) | GROWSDOWN | PURGE | WIPE
"""Flags that a segment remembers."""


@quick_flags
class RemapFlag(IntFlag):
    """Flags of ``As.remap`` (mremap(2))."""

    MAYMOVE = 1
    FIXED = 2


class Fault(Enum):
    """What became of a fault that the hardware could not settle alone."""

    OK = auto()
    """Settled: the access can be made again."""
    SEGV_MAPERR = auto()
    """Nothing is mapped there."""
    SEGV_ACCERR = auto()
    """Mapped, but not for this access."""
    BUS_ADRERR = auto()
    """Behind the end of the mapped file."""
    NOMEM = auto()
    """No frame left, in the machine or in the account."""
    WATCH = auto()
    """Allowed, but the page is watched: see ``core.watchpoint``."""


def page_down(addr: int) -> int:
    """Start of the page of ``addr``."""
    return addr & ~PAGE_MASK


def page_up(addr: int) -> int:
    """``addr`` rounded up to a page."""
    return (addr + PAGE_MASK) & ~PAGE_MASK
