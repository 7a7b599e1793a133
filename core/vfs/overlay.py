"""The overlay: a read-only lower layer under a private tmpfs.

This is the root of a zone.  The nodes are those of tmpfs; a directory that has a
lower one is listed when it is first looked into, a node is made when its name is
first looked up, a file's bytes are read when they are first needed.  From then on
all lives in memory: removing an entry only takes it out of the listing, so there
are no whiteouts, and nothing of the host is ever written.

Unchanged chunks of lower files are a cache of bounded size, since the host has
them still.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vfs.lower import HostLower, Lower, LowerSource, LowerStat, TarLower
from personae.core.vfs.tmpfs import TmpDir, TmpFs
from personae.core.vfs.tmpnode import TmpDev, TmpFifo, TmpFile, TmpLink, TmpNode
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.vfs.cache import PagedData

CLEAN_CACHE = 128 << 20
"""Most bytes of unchanged lower chunks that are kept."""


class OverlayFs(TmpFs):
    """A root file system.

    Args:
        kernel: The kernel.
        lower: What is under it: a layer, or the path of a folder or tar archive.
        limit: Most bytes of changes; None: half of the machine's memory.
        acct: Account that pays for the frames of mapped pages.
    """

    fstype = "overlay"

    def __init__(
        self,
        kernel: Kernel,
        lower: Lower | str | os.PathLike[str],
        limit: int | None = None,
        acct: int = 0,
    ) -> None:
        self.lower = lower_of(lower)
        self.links: dict[tuple[int, int], int] = {}
        """Inode numbers of lower files, so that links to one file share it."""
        self.clean: deque[tuple[PagedData, int, int]] = deque()
        self.clean_bytes = 0
        super().__init__(kernel, limit, acct)
        self.source = b"overlay"

    def make_root(self, mode: int) -> TmpDir:
        """The root directory: the top of the lower layer."""
        root = OvlDir(self, self.newino(), b"")
        self.dress(root, self.lower.lstat(b""))
        self.nodes[root.ino] = root
        root.nlink = 1
        root.parent = root.ino
        return root

    def ino_of(self, key: tuple[int, int] | None) -> int:
        """Inode number of a listed entry."""
        if key is None:
            return self.newino()
        ino = self.links.get(key)
        if ino is None:
            ino = self.links[key] = self.newino()
        return ino

    @staticmethod
    def dress(node: TmpNode, st: LowerStat) -> None:
        """Give a node the attributes of a lower file."""
        node.mode, node.uid, node.gid = st.mode, st.uid, st.gid
        node.atime = node.mtime = node.ctime = st.mtime

    def materialise(self, d: TmpDir, name: bytes, ino: int) -> TmpNode:
        """Make the node of a listed lower entry."""
        if not isinstance(d, OvlDir):
            raise KernelError(Errno.EIO, f"no node {ino}")
        path = d.lpath + b"/" + name if d.lpath else name
        st = self.lower.lstat(path)
        node = self._make(ino, path, st)
        self.dress(node, st)
        node.nlink = 1 if st.type is VType.DIR else st.nlink
        node.parent, node.name = d.ino, name
        self.nodes[ino] = node
        d.lazy.pop(name, None)
        return node

    def _make(self, ino: int, path: bytes, st: LowerStat) -> TmpNode:
        if st.type is VType.DIR:
            return OvlDir(self, ino, path)
        if st.type is VType.REG:
            source = LowerSource(self.lower, path)
            return TmpFile(self, ino, st.mode, source=source, size=st.size)
        if st.type is VType.LNK:
            return TmpLink(self, ino, self.lower.readlink(path))
        if st.type is VType.FIFO:
            return TmpFifo(self, ino, st.mode)
        if st.type in (VType.CHR, VType.BLK, VType.SOCK):
            return TmpDev(self, st.type, ino, st.mode, rdev=st.rdev)
        raise KernelError(Errno.EIO, f"no kind of file: {path!r}")

    def loaded(self, data: PagedData, ci: int, n: int) -> None:
        """A chunk came from the host; the oldest unchanged ones make room."""
        self.clean.append((data, ci, n))
        self.clean_bytes += n
        while self.clean_bytes > CLEAN_CACHE and len(self.clean) > 1:
            old, oci, on = self.clean.popleft()
            self.clean_bytes -= on
            old.forget(oci)


class OvlDir(TmpDir):
    """A directory with a lower one.

    Attributes:
        lpath: Its path in the lower layer, whatever it is called now.
        lazy: Kinds of the entries that have no node yet.
    """

    fs: OverlayFs

    def __init__(self, fs: OverlayFs, ino: int, lpath: bytes) -> None:
        super().__init__(fs, ino, 0o755)
        self.lpath = lpath
        self.lazy: dict[bytes, VType] = {}
        self.loaded = False

    def load(self) -> None:
        """List the lower directory."""
        entries = self.fs.lower.listdir(self.lpath)
        self.loaded = True
        for e in entries:
            self.put_slot(e.name, self.fs.ino_of(e.key))
            self.lazy[e.name] = e.type
            if e.type is VType.DIR:
                self.subdirs += 1

    def entry_type(self, name: bytes, ino: int) -> VType:
        """Kind of an entry, without making its node."""
        node = self.fs.nodes.get(ino)
        return self.lazy[name] if node is None else node.v_type


def lower_of(lower: Lower | str | os.PathLike[str]) -> Lower:
    """A lower layer from a host folder or a tar archive, whichever the path is.

    Raises:
        OSError: It is neither, or cannot be read.
        tarfile.TarError: It is a broken archive.
    """
    if isinstance(lower, (str, os.PathLike)):
        return HostLower(lower) if Path(lower).is_dir() else TarLower(lower)
    return lower
