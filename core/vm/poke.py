"""Access to a space past its protections, for /proc and tracepoints.

A page that may not be written gets a private copy as a store would make it; one that is
shared is refused unless the mapping could be made writable (a store would change
the file).

Must not know: processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vm import hat
from personae.core.vm.layout import PAGE, PAGE_MASK, Fault, Prot, page_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.vm.as_ import As


def _pieces(addr: int, n: int) -> Iterator[tuple[int, int]]:
    """(address, length) of the part on each page."""
    while n > 0:
        size = min(n, PAGE - (addr & PAGE_MASK))
        yield addr, size
        addr += size
        n -= size


def _open(as_: As, addr: int, prot: int) -> None:
    """Let the kernel at the page of ``addr``, with its content there."""
    seg = as_.find(addr)
    if seg is None:
        raise KernelError(Errno.EFAULT, f"nothing is mapped at {addr:#x}")
    if prot & Prot.WRITE and seg.shared and not seg.maxprot & Prot.WRITE:
        raise KernelError(Errno.EIO, "that would change a file")
    hw, page = as_.kernel.hw, page_down(addr)
    hat.protect(as_, page, PAGE, seg.prot | prot)
    if len(hw.copyin(as_.hwid, page, 1)) == 1:
        return
    fault = as_.fault(page, hat.LOAD, hw.fault_trap())
    if fault is Fault.NOMEM:
        raise KernelError(Errno.ENOMEM, f"no frame for {addr:#x}")
    if fault is not Fault.OK:
        raise KernelError(Errno.EFAULT, f"{fault.name} at {addr:#x}")
    hat.protect(as_, page, PAGE, seg.prot | prot)


def _shut(as_: As, addr: int) -> None:
    seg = as_.find(addr)
    if seg is not None:
        hat.protect(as_, page_down(addr), PAGE, seg.prot)
    if as_.watch is not None and as_.watch.shut:
        as_.watch.arm(as_)


def peek(as_: As, addr: int, n: int) -> bytes:
    """Memory, whatever its protection.

    Raises:
        KernelError: EFAULT, nothing is mapped there; ENOMEM.
    """
    out = []
    for at, size in _pieces(addr, n):
        try:
            _open(as_, at, int(Prot.READ))
            out.append(as_.copyin(at, size))
        finally:
            _shut(as_, at)
    return b"".join(out)


def poke(as_: As, addr: int, data: bytes) -> None:
    """Change memory, whatever its protection.

    Raises:
        KernelError: EFAULT; EIO, it would change a file; ENOMEM.
    """
    done = 0
    for at, size in _pieces(addr, len(data)):
        try:
            _open(as_, at, int(Prot.READ | Prot.WRITE))
            as_.copyout(at, data[done : done + size])
        finally:
            _shut(as_, at)
        done += size
