"""Watched pages: protections taken away so that accesses fault (os/watchpoint.c).

The hardware knows pages; a watched area is some bytes of one.  ``Watch`` keeps, for a
space, which accesses to which pages have to be looked at, and gives those pages less
protection than their segment has.  ``As.fault`` answers ``Fault.WATCH`` for them.

The kernel's own accesses are let through: a copy that meets a watched page opens all
of them and shuts them again when it is done (``UserCopy``).

Must not know: processes, instructions.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, NamedTuple

from personae.core.vm import hat
from personae.core.vm.layout import PAGE, Prot, page_down, page_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.vm.as_ import As


class WFlag(IntFlag):
    """pr_wflags of prwatch_t (sys/procfs.h has WA_READ 4, WA_WRITE 2, WA_EXEC 1)."""

    WA_EXEC = 1
    WA_WRITE = 2
    WA_READ = 4
    WA_TRAPAFTER = 8


KINDS = int(WFlag.WA_EXEC | WFlag.WA_WRITE | WFlag.WA_READ)
_READ, _WRITE, _EXEC = int(Prot.READ), int(Prot.WRITE), int(Prot.EXEC)
# A page that may be written may be read, so a watched read takes both away.
_TAKE = (
    0,
    _EXEC,
    _WRITE,
    _WRITE | _EXEC,
    _READ | _WRITE,
    _READ | _WRITE | _EXEC,
    _READ | _WRITE,
    _READ | _WRITE | _EXEC,
)


class Area(NamedTuple):
    """A watched area (prwatch_t)."""

    addr: int
    size: int
    flags: int


class Watch:
    """The watched pages of one space.

    Attributes:
        pages: What is watched, ``WFlag`` bits by address of the page.
        shut: Whether the protections are taken away at the moment.
        parked: Not to be shut now: the space is lent, or steps are executed.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        self.pages: dict[int, int] = {}
        self.shut = False
        self.parked = False
        for a in areas:
            for page in range(page_down(a.addr), page_up(a.addr + a.size), PAGE):
                self.pages[page] = self.pages.get(page, 0) | a.flags & KINDS

    def covers(self, addr: int) -> bool:
        """Whether a fault at ``addr`` may be ours."""
        return self.shut and page_down(addr) in self.pages

    def arm(self, as_: As) -> None:
        """Take the protections away, also after something was mapped anew.

        Raises:
            KernelError: ENOMEM, no frame for a table; ``shut`` says no then.
        """
        self.shut = self.parked = False
        for page, kinds in self.pages.items():
            seg = as_.find(page)
            if seg is not None:
                hat.protect(as_, page, PAGE, seg.prot & ~_TAKE[kinds])
        self.shut = True

    def open(self, as_: As) -> None:
        """Give the protections back.

        Raises:
            KernelError: ENOMEM, no frame for a table; ``arm`` then puts it right.
        """
        for page in self.pages:
            seg = as_.find(page)
            if seg is not None:
                hat.protect(as_, page, PAGE, seg.prot)
        self.shut = False


def give_back(child: As, parent: As) -> None:
    """The copy of a watched space is not watched (as_dup)."""
    if parent.watch is not None and parent.watch.shut:
        for page in parent.watch.pages:
            seg = child.find(page)
            if seg is not None:
                hat.protect(child, page, PAGE, seg.prot)
