"""An open terminal, and a name for one that no /dev has.

What was opened before a hang-up is dead for good: each open remembers the
generation of its terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.file import FNOCTTY, FREAD, FWRITE
from personae.core.vfs.lookup import cross
from personae.core.vfs.specdev import DEV_CONSOLE, Device, SpecVnode
from personae.core.vfs.vnode import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    Vattr,
    Vnode,
    VType,
    new_ino,
)

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar
    from personae.core.vfs.tty import Tty
    from personae.core.zone import Zone


class TtyOpen(Device):
    """An open of a terminal; a hang-up makes it dead."""

    def __init__(self, tty: Tty) -> None:
        self.tty = tty
        self.generation = tty.generation

    @property
    def hung(self) -> bool:
        """Whether the line was lost since the open."""
        assert self.tty is not None
        return self.generation != self.tty.generation

    def _tty(self) -> Tty:
        assert self.tty is not None
        return self.tty

    def opened(self, lwp: Lwp | None, flag: int) -> Device:
        """Opened once more."""
        return self._tty().opened(lwp, flag)

    def closed(self, lwp: Lwp | None, flag: int) -> None:
        """Tell the terminal."""
        self._tty().released()

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """From the terminal; end of file after a hang-up."""
        return b"" if self.hung else self._tty().read(lwp, n, flag)

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """To the terminal; EIO after a hang-up."""
        if self.hung:
            raise KernelError(Errno.EIO, "hung up")
        return self._tty().write(lwp, data, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int
    ) -> tuple[int, list[CondVar]]:
        """Of the terminal."""
        if self.hung:
            return events & (POLLIN | POLLOUT) | POLLERR | POLLHUP, []
        return self._tty().poll(lwp, events, flag)

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """To the terminal; EIO after a hang-up."""
        if self.hung:
            raise KernelError(Errno.EIO, "hung up")
        return self._tty().ioctl(lwp, cmd, arg)


class TtyNode(Vnode):
    """A name for a terminal that no /dev has: standard input of a first program."""

    def __init__(self, kernel: Kernel, path: bytes) -> None:
        super().__init__(None, VType.CHR, DEV_CONSOLE)
        self.path = path
        self.ino = new_ino(kernel)
        self.mode = 0o620
        self.uid = self.gid = 0
        self.time = kernel.wall_ns

    def getattr(self) -> Vattr:
        """Attributes of a terminal node."""
        when = self.time
        return Vattr(
            VType.CHR,
            self.mode,
            self.uid,
            self.gid,
            1,
            0,
            self.ino,
            0,
            self.v_rdev,
            when,
            when,
            when,
            4096,
            0,
        )

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Mode and owner are kept."""
        self.mode = changes.get("mode", self.mode) & 0o7777
        self.uid = changes.get("uid", self.uid)
        self.gid = changes.get("gid", self.gid)

    def anon_name(self) -> bytes:
        """Its path in a /dev."""
        return self.path


def tty_vnode(kernel: Kernel, tty: Tty, path: bytes = b"/dev/console") -> Vnode:
    """A vnode for an open terminal without going through a /dev; one open more."""
    return SpecVnode(TtyNode(kernel, path), tty.opened(None, FREAD | FWRITE | FNOCTTY))


def console_vnode(kernel: Kernel, zone: Zone, tty: Tty) -> Vnode:
    """Make a terminal the zone's console, and open it by its name in the zone's /dev.

    So stat of /dev/console and fstat of the descriptor agree, which ttyname(3) asks
    for.  A zone without that node gets ``tty_vnode``.
    """
    zone.console = tty
    node = zone.root
    for name in (b"dev", b"console"):
        try:
            node = cross(node.lookup(name, zone.cred)) if node is not None else None
        except KernelError:
            node = None
    if node is None or node.v_rdev != DEV_CONSOLE:
        return tty_vnode(kernel, tty)
    return SpecVnode(node, tty.opened(None, FREAD | FWRITE | FNOCTTY))


def tty_of(vp: Vnode) -> Any:
    """The terminal behind a vnode; ENOTTY if there is none."""
    tty = vp.v_tty
    if tty is None:
        raise KernelError(Errno.ENOTTY, "no terminal")
    return tty
