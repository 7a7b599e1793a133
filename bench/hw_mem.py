"""Micro benchmark of the memory side: ns for faults, clones and copies.

Run: ``python bench/hw_mem.py``.  Calls from Python include the call itself (about
0.1 us); the faults are taken in one big copy, so that is spread over many.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from personae.hw import HW_R, HW_W, PAGE_SIZE, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

RW = HW_R | HW_W
MIB, GIB = 1 << 20, 1 << 30
BASE = 0x10000


def ns(n: int, body: Callable[[], object]) -> float:
    """CPU time of the body in ns, divided by n: other load does not count."""
    start = time.process_time_ns()
    body()
    return (time.process_time_ns() - start) / n


def touch(hw: Machine, as_: int, size: int) -> Callable[[], None]:
    """Store one page's worth of bytes to each page."""
    data = bytes(4 * MIB)

    def body() -> None:
        for va in range(BASE, BASE + size, len(data)):
            hw.copyout(as_, va, data[: min(len(data), BASE + size - va)])

    return body


def faults(size: int) -> None:
    """Print what the minor faults of `size` bytes cost."""
    n = size // PAGE_SIZE
    hw = Machine(2 * GIB)
    as_ = hw.as_create(0)
    hw.map_zero(as_, BASE, size, RW)
    print(f"zero-fill, fresh host memory  {ns(n, touch(hw, as_, size)):9.0f} ns/page")
    plain = ns(n, touch(hw, as_, size))
    print(f"  of this, storing the page   {plain:9.0f} ns/page")
    hw.unmap(as_, BASE, size)
    hw.map_zero(as_, BASE, size, RW)
    print(f"zero-fill, frames used before {ns(n, touch(hw, as_, size)):9.0f} ns/page")
    child = hw.as_clone(as_, 0)
    print(f"COW copy, tables unshared     {ns(n, touch(hw, as_, size)):9.0f} ns/page")
    print(f"COW own again, in the child   {ns(n, touch(hw, child, size)):9.0f} ns/page")


def clones(size: int) -> None:
    """Print what fork and exit of a space with `size` bytes touched cost."""
    hw = Machine(2 * GIB)
    as_ = hw.as_create(0)
    hw.map_zero(as_, BASE, size, RW)
    touch(hw, as_, size)()
    n = 20_000

    def body() -> None:
        clone, destroy = hw.as_clone, hw.as_destroy
        for _ in range(n):
            destroy(clone(as_, 0))

    print(f"clone + destroy, {size // MIB:5} MiB    {ns(n, body):9.0f} ns")


def copies() -> None:
    """Print what small copies cost."""
    hw = Machine(64 * MIB)
    as_ = hw.as_create(0)
    hw.map_zero(as_, BASE, MIB, RW)
    hw.copyout(as_, BASE, bytes(MIB))
    n = 200_000

    def copyin() -> None:
        f = hw.copyin
        for _ in range(n):
            f(as_, BASE, 8)

    def copyout() -> None:
        f, data = hw.copyout, bytes(8)
        for _ in range(n):
            f(as_, BASE, data)

    print(f"copyin of 8 bytes             {ns(n, copyin):9.0f} ns")
    print(f"copyout of 8 bytes            {ns(n, copyout):9.0f} ns")


def main() -> None:
    """Print everything."""
    faults(256 * MIB)
    for size in (MIB, GIB):
        clones(size)
    copies()


if __name__ == "__main__":
    main()
