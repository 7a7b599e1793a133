"""Taking pages of a file away from those who map it, when it gets shorter.

A page behind the new end is no page of the file any more: an access to it is
SIGBUS, and if the file grows again the page is a new one.  Private copies go
as well (unmap_mapping_range of Linux, with even_cows).

Must not know: file systems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.vm import hat
from personae.core.vm.layout import page_up

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.vfs.vnode import Vnode


def file_shrinks(kernel: Kernel, vnode: Vnode, size: int) -> None:
    """Unmap the pages behind ``size`` in every address space.

    Called before the file is cut, because it may fail.

    Raises:
        KernelError: ENOMEM, no frame for a page table.
    """
    size = page_up(size)
    for proc in kernel.practive:
        as_ = proc.as_
        if as_ is None:
            continue
        for seg in as_.segs:
            if seg.vnode is vnode:
                lo = max(seg.base, seg.base + size - seg.off)
                if lo < seg.end:
                    hat.map_ask(as_, lo, seg.end - lo, seg.prot, seg.shared)
