"""Anonymous memory that several address spaces share (struct anon_map).

Private anonymous memory needs no object: the page tables say "demand zero"
and fork shares the tables.  Shared anonymous memory does: a page that the
child touches first after the fork must appear in the parent.  The ``AnonMap``
holds one reference of every frame it has handed out; each segment that maps
it counts as one user.

Must not know: address spaces, processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.vm import hat

if TYPE_CHECKING:
    from personae.core.kernel import Kernel


class AnonMap:
    """Pages made at first touch and shared by all users.

    Args:
        kernel: Whose memory it is.
        acct: Account that pays for the frames.
    """

    __slots__ = ("acct", "frames", "kernel", "refcnt")

    def __init__(self, kernel: Kernel, acct: int) -> None:
        self.kernel = kernel
        self.acct = acct
        self.refcnt = 1
        self.frames: dict[int, int] = {}
        """Frame of each page that exists, by page index."""

    def hold(self) -> AnonMap:
        """One more user."""
        self.refcnt += 1
        return self

    def rele(self) -> None:
        """One user less; the last one frees the frames."""
        if self.refcnt <= 0:
            raise Panic("anonymous map released too often")
        self.refcnt -= 1
        if self.refcnt == 0:
            for pfn in self.frames.values():
                hat.frame_rele(self.kernel, pfn)
            self.frames.clear()

    def getpage(self, idx: int) -> int:
        """The frame of page ``idx``, made if it is not there yet.

        Raises:
            KernelError: ENOMEM.
        """
        pfn = self.frames.get(idx)
        if pfn is None:
            pfn = hat.frame_alloc(self.kernel, self.acct)
            if pfn == 0:
                raise KernelError(Errno.ENOMEM, "no frame for shared memory")
            self.frames[idx] = pfn
        return pfn

    def __repr__(self) -> str:
        return f"<AnonMap {len(self.frames)} pages, {self.refcnt} users>"
