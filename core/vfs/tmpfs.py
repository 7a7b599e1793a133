"""tmpfs: a file system in memory, and the upper half of the overlay.

``TmpFs.nodes`` holds every node that has a name, by inode number; numbers come from
a counter.  Everything a guest makes is charged in bytes; above ``limit`` it is
ENOSPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vfs.tmpdir import TmpDir
from personae.core.vfs.tmpnode import NODE_COST, TmpFile, TmpNode
from personae.core.vfs.vnode import NAME_MAX, W_OK, X_OK, Statfs, Vfs, Vnode

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vfs.cache import PagedData

__all__ = ["TmpDir", "TmpFs"]


class TmpFs(Vfs):
    """A tmpfs.

    Args:
        kernel: The kernel.
        limit: Most bytes of data and metadata; None: half of the machine's memory.
        acct: Account that pays for the frames of mapped pages.
        mode: Permissions of the root directory.
    """

    fstype = "tmpfs"

    def __init__(
        self,
        kernel: Kernel,
        limit: int | None = None,
        acct: int = 0,
        mode: int = 0o755,
    ) -> None:
        super().__init__(kernel)
        self.source = b"tmpfs"
        self.acct = acct
        self.limit = kernel.mem_bytes // 2 if limit is None else limit
        self.used = 0
        self.nfiles = 0
        self.lastino = 1
        self.nodes: dict[int, TmpNode] = {}
        self.root = self.make_root(mode)

    def make_root(self, mode: int) -> TmpDir:
        """The root directory, whose parent is itself."""
        root = TmpDir(self, self.newino(), mode)
        self.nodes[root.ino] = root
        root.nlink = 1
        root.parent = root.ino
        return root

    def newino(self) -> int:
        """The next inode number."""
        self.lastino += 1
        return self.lastino

    def charge(self, n: int) -> None:
        """``n`` more bytes in use.

        Raises:
            KernelError: ENOSPC, above the limit; nothing has changed then.
        """
        if n > 0 and self.used + n > self.limit:
            raise KernelError(Errno.ENOSPC, f"limit of {self.limit} bytes")
        self.used += n

    def loaded(self, data: PagedData, ci: int, n: int) -> None:
        """Only the overlay has files with a source."""

    def statfs(self) -> Statfs:
        """Pages of the limit, and nodes as far as the limit would let them be made."""
        blocks = self.limit // 4096
        free = max(0, self.limit - self.used)
        ffree = free // NODE_COST
        return Statfs(
            self.fstype,
            4096,
            blocks,
            free // 4096,
            self.nfiles + ffree,
            ffree,
            NAME_MAX,
            self.readonly,
        )

    def drop_frames(self) -> int:
        """Give back frames of file pages that nobody maps."""
        files = [n for n in self.nodes.values() if isinstance(n, TmpFile)]
        return sum(f.data.drop_frames() for f in files if f.data.pages)

    def materialise(self, d: TmpDir, name: bytes, ino: int) -> TmpNode:
        """Make a node that so far is only listed; the overlay has such."""
        raise KernelError(Errno.EIO, f"no node {ino}")

    def open_ptmx(self, node: TmpNode, lwp: Lwp, flag: int) -> Vnode:
        """Open of a node with the number of /dev/ptmx; works in a /dev only."""
        raise KernelError(Errno.ENXIO, "no pseudo terminals here")

    def open_pts(self, node: TmpNode, lwp: Lwp | None, flag: int) -> Vnode:
        """Open of a node with the number of a slave; works in a devpts only."""
        raise KernelError(Errno.ENXIO, "no pseudo terminals here")

    def tmpfile(self, d: TmpDir, mode: int, cred: Cred) -> TmpFile:
        """A file without a name (O_TMPFILE); link() may give it one later."""
        d.access(cred, W_OK | X_OK)
        return d.new_file(mode, cred)
