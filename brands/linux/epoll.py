"""epoll: sets of descriptors to wait for (epoll(7)).

Readiness is asked of the files when somebody waits, so there is no list of events.
An edge-triggered entry is reported like a level-triggered one for input; output is
reported once until the file has been seen full again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.anonfd import AnonVnode
from personae.core.errno import Errno, KernelError
from personae.core.poll import first_timer
from personae.core.vfs.vnode import POLLIN

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar

EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP = 1, 4, 8, 16
EPOLLRDNORM, EPOLLWRNORM = 0x40, 0x100
EPOLLONESHOT, EPOLLET = 1 << 30, 1 << 31
MAX_NESTING = 5


class Item:
    """One entry of a set.

    Attributes:
        out_told: An edge-triggered entry has been told that output is possible.
    """

    __slots__ = ("data", "events", "fd", "file", "out_told")

    def __init__(self, fd: int, file: File, events: int, data: int) -> None:
        self.fd = fd
        self.file = file
        self.events = events
        self.data = data
        self.out_told = False


class EpollVnode(AnonVnode):
    """A set; what is closed everywhere leaves it by itself."""

    kind = b"eventpoll"

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.items: list[Item] = []
        self.polling = False

    def find(self, fd: int, file: File) -> Item | None:
        """The entry of a descriptor and its file."""
        self.items = [i for i in self.items if i.file.f_count > 0]
        for item in self.items:
            if item.fd == fd and item.file is file:
                return item
        return None

    def depth(self, target: EpollVnode | None = None) -> int:
        """How deep sets are nested from here; ELOOP if ``target`` is among them."""
        if self is target:
            raise KernelError(Errno.ELOOP, "an epoll set that contains itself")
        deep = 0
        for item in self.items:
            vp = item.file.f_vnode
            if isinstance(vp, EpollVnode) and item.file.f_count > 0:
                deep = max(deep, vp.depth(target))
        if deep >= MAX_NESTING:
            raise KernelError(Errno.ELOOP, "epoll sets are nested too deeply")
        return deep + 1

    def changed(self) -> None:
        """The set is another: waiters look again."""
        self.kernel.wakeup(self.cv)

    def ready(
        self, lwp: Lwp | None, limit: int, cvs: list[CondVar], take: bool
    ) -> list[tuple[int, int]]:
        """(events, data) of entries that are ready.

        Args:
            lwp: Who asks.
            limit: At most so many.
            cvs: Gets the channels to wait for.
            take: They are reported: one-shot entries go to sleep.
        """
        out: list[tuple[int, int]] = []
        told: list[Item] = []
        for item in list(self.items):
            if item.file.f_count <= 0:
                self.items.remove(item)
                continue
            got = self._ask(lwp, item, cvs)
            if got and len(out) < limit:
                out.append((got, item.data))
                told.append(item)
        if take:
            for item, (got, _) in zip(told, out, strict=True):
                self._told(item, got)
        return out

    @staticmethod
    def _ask(lwp: Lwp | None, item: Item, cvs: list[CondVar]) -> int:
        events = item.events
        if not events & 0xFFFF:
            return 0
        want = events & (EPOLLIN | 2 | EPOLLOUT)
        want |= EPOLLIN if events & EPOLLRDNORM else 0
        want |= EPOLLOUT if events & EPOLLWRNORM else 0
        got, chans = item.file.poll(lwp, want)
        cvs += chans
        if not got & EPOLLOUT:
            item.out_told = False
        elif item.out_told:
            got &= ~EPOLLOUT
        if got & EPOLLIN:
            got |= EPOLLRDNORM
        if got & EPOLLOUT:
            got |= EPOLLWRNORM
        return got & (events & 0xFFFF | EPOLLERR | EPOLLHUP)

    @staticmethod
    def _told(item: Item, got: int) -> None:
        if item.events & EPOLLONESHOT:
            item.events &= ~0xFFFF
        if item.events & EPOLLET and got & EPOLLOUT:
            item.out_told = True

    def next_deadline(self) -> int | None:
        """The first timer among the entries."""
        return first_timer(i.file for i in self.items if i.file.f_count > 0)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Readable while an entry is ready."""
        if self.polling:
            return 0, []
        self.polling = True
        cvs = [self.cv]
        got = self.ready(lwp, 1, cvs, False)
        self.polling = False
        return (POLLIN & events if got else 0), cvs
