"""/dev: device nodes in a small tmpfs, one for each zone.

It is a tmpfs in all respects, so a guest may add nodes, links and folders; the
brand adds what its system has beyond the common devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.vfs import specdev
from personae.core.vfs.pty import DevPts
from personae.core.vfs.tmpfs import TmpDir, TmpFs
from personae.core.vfs.tmpnode import TmpDev, TmpLink, TmpNode
from personae.core.vfs.vnode import Vnode, VType, mount

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

DEVICES = (
    (b"null", specdev.DEV_NULL, 0o666),
    (b"zero", specdev.DEV_ZERO, 0o666),
    (b"full", specdev.DEV_FULL, 0o666),
    (b"random", specdev.DEV_RANDOM, 0o666),
    (b"urandom", specdev.DEV_URANDOM, 0o666),
    (b"tty", specdev.DEV_TTY, 0o666),
    (b"console", specdev.DEV_CONSOLE, 0o600),
    (b"ptmx", specdev.DEV_PTMX, 0o666),
)
"""What every /dev has."""


class DevFs(TmpFs):
    """A /dev with the common devices, ``pts`` mounted and a ``shm``.

    Args:
        kernel: The kernel.
        limit: Most bytes a guest may keep in it (/dev/shm too, unless something is
            mounted there); None: half of the machine's memory.
        acct: Account of the zone.
    """

    fstype = "devtmpfs"

    def __init__(self, kernel: Kernel, limit: int | None = None, acct: int = 0) -> None:
        super().__init__(kernel, limit, acct)
        self.source = b"devtmpfs"
        for name, rdev, mode in DEVICES:
            self.add_device(name, rdev, mode)
        self.add_dir(b"shm", 0o1777)
        self.devpts = DevPts(kernel)
        mount(self.devpts, self.add_dir(b"pts", 0o755))

    def top(self) -> TmpDir:
        """The root directory."""
        root = self.root
        assert isinstance(root, TmpDir)
        return root

    def _add(self, name: bytes, node: TmpNode) -> None:
        self.top().enter(name, node)

    def add_device(self, name: bytes, rdev: int, mode: int) -> TmpDev:
        """A character device."""
        node = TmpDev(self, VType.CHR, self.newino(), mode, rdev=rdev)
        self._add(name, node)
        return node

    def add_dir(self, name: bytes, mode: int) -> TmpDir:
        """A folder."""
        node = TmpDir(self, self.newino(), mode)
        self._add(name, node)
        return node

    def add_link(self, name: bytes, target: bytes) -> TmpLink:
        """A symbolic link."""
        node = TmpLink(self, self.newino(), target)
        self._add(name, node)
        return node

    def open_ptmx(self, node: TmpNode, lwp: Lwp, flag: int) -> Vnode:
        """A new pseudo terminal, its master side."""
        return self.devpts.open_ptmx(node, lwp, flag)
