"""Hardware address translation: the only part of ``vm`` that meets the hardware.

Turns protections, flags and errors of the kernel into those of ``hw`` and
back (illumos: vm/hat.h).  Each function that changes a range changes nothing
when it raises.

Must not know: segments, processes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.vm.layout import PAGE
from personae.hw import (
    HW_R,
    HW_W,
    HW_X,
    MAP_PRIVATE,
    MAP_SHARED,
    Access,
    Err,
    Trap,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from personae.core.kernel import Kernel
    from personae.core.vm.as_ import As

LOAD, STORE, FETCH = int(Access.LOAD), int(Access.STORE), int(Access.FETCH)
TRAP_ASK, TRAP_PROT = int(Trap.ASK), int(Trap.PROT)
TRAP_UNMAPPED, TRAP_NOMEM = int(Trap.UNMAPPED), int(Trap.NOMEM)
EFAULT = int(Err.EFAULT)
"""What copyinstr answers where the kernel has to settle a fault."""

_HW_PROT = tuple(
    (HW_R if p & 3 else 0) | (HW_W if p & 2 else 0) | (HW_X if p & 4 else 0)
    for p in range(8)
)
"""Writing needs reading (privileged spec: W without R is reserved)."""

_SHARE = (MAP_PRIVATE, MAP_SHARED)


def _check(rc: int, what: str) -> None:
    if rc == Err.ENOMEM:
        raise KernelError(Errno.ENOMEM, f"{what}: no frame for page tables")
    if rc != Err.OK:
        raise Panic(f"{what}: the hardware says {rc}")


def create(kernel: Kernel, acct: int) -> int:
    """A new, empty space; ENOMEM."""
    hwid = kernel.hw.as_create(acct)
    if hwid == 0:
        raise KernelError(Errno.ENOMEM, "no frame for a root table")
    return hwid


def dup(as_: As, acct: int) -> int:
    """A copy-on-write copy of a space, at a cost that its size doesn't matter to."""
    hwid = as_.kernel.hw.as_clone(as_.hwid, acct)
    if hwid == 0:
        raise KernelError(Errno.ENOMEM, "no frame for a root table")
    return hwid


def destroy(kernel: Kernel, hwid: int) -> None:
    """Free a space and its references of frames."""
    kernel.hw.as_destroy(hwid)


def map_zero(as_: As, va: int, size: int, prot: int) -> None:
    """Demand zero."""
    _check(as_.kernel.hw.map_zero(as_.hwid, va, size, _HW_PROT[prot]), "map_zero")


def map_ask(as_: As, va: int, size: int, prot: int, shared: bool) -> None:
    """Each page is asked for at its first access."""
    hw = as_.kernel.hw
    _check(hw.map_ask(as_.hwid, va, size, _HW_PROT[prot], _SHARE[shared]), "map_ask")


def map_frames(as_: As, va: int, pfns: Sequence[int], prot: int, shared: bool) -> None:
    """These frames, one reference each; 0 is a page to be asked for."""
    hw = as_.kernel.hw
    rc = hw.map_frames(as_.hwid, va, pfns, _HW_PROT[prot], _SHARE[shared])
    _check(rc, "map_frames")


def unmap(as_: As, va: int, size: int) -> None:
    """Nothing is there any more."""
    _check(as_.kernel.hw.unmap(as_.hwid, va, size), "unmap")


def protect(as_: As, va: int, size: int, prot: int) -> None:
    """Another protection for what is there."""
    _check(as_.kernel.hw.protect(as_.hwid, va, size, _HW_PROT[prot]), "protect")


def move(as_: As, src: int, dst: int, size: int) -> None:
    """Pages and markers to another place that doesn't overlap."""
    _check(as_.kernel.hw.move(as_.hwid, src, dst, size), "move")


def frame_at(as_: As, va: int) -> int:
    """The frame that is mapped at ``va``; 0 if none is."""
    return as_.kernel.hw.pte_frame(as_.hwid, va)


def resident(as_: As) -> int:
    """Pages that are present."""
    return as_.kernel.hw.as_resident(as_.hwid)


def pages_at(as_: As, lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """Address and frame of the pages of a range that are present.

    The time is that of the tables there are, not of the range.
    """
    hw = as_.kernel.hw
    for base in _blocks(as_, hw.as_root(as_.hwid), 2, 0, lo, hi):
        for va in range(max(base, lo), min(base + (1 << 21), hi), PAGE):
            pfn = hw.pte_frame(as_.hwid, va)
            if pfn:
                yield va, pfn


def _blocks(
    as_: As, table: int, level: int, base: int, lo: int, hi: int
) -> Iterator[int]:
    """First addresses of what the last-level tables under a table stand for."""
    if level == 0:
        yield base
        return
    span = 1 << 12 + 9 * level
    data = as_.kernel.hw.frame_read(table, 0, PAGE)
    for i, entry in enumerate(struct.unpack("<512Q", data)):
        at = base + i * span
        if entry & 1 and at < hi and lo < at + span:
            pfn = entry >> 10 & (1 << 44) - 1
            yield from _blocks(as_, pfn, level - 1, at, lo, hi)


def frame_alloc(kernel: Kernel, acct: int) -> int:
    """A zeroed frame with one reference; 0: none left."""
    return kernel.hw.frame_alloc(acct)


def frame_rele(kernel: Kernel, pfn: int) -> None:
    """One reference less."""
    kernel.hw.frame_rele(pfn)
