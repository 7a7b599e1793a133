"""Nodes of tmpfs other than directories: what they have in common, and files.

The overlay uses the same nodes; a file's content may come from a lower layer.
Nodes refer to each other by inode number through ``TmpFs.nodes``, never by
object: a guest chooses the depth of the tree, and a snapshot must not recurse
into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import secpolicy_setid_retain
from personae.core.vfs.cache import PagedData, Source
from personae.core.vfs.pipe import PipeBuf, fifo_open
from personae.core.vfs.specdev import dev_open
from personae.core.vfs.vnode import (
    S_ISGID,
    S_ISUID,
    W_OK,
    Vattr,
    Vnode,
    VType,
    isowner,
    vaccess,
)
from personae.core.vm.revoke import file_shrinks

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.sync import CondVar
    from personae.core.vfs.tmpfs import TmpFs
    from personae.core.vfs.unixsock import UnixSocket

NODE_COST = 1024
"""Bytes charged for a node, and for one directory entry: a limit must also stop a
guest that makes nothing but empty files."""
ENTRY_COST = 256

_OWNERS = frozenset(("mode", "atime", "mtime"))
"""What only the owner may change."""


class TmpNode(Vnode):
    """What every node has.  ``parent`` and ``name`` tell where it was last seen."""

    def __init__(
        self,
        fs: TmpFs,
        vtype: VType,
        ino: int,
        mode: int,
        uid: int = 0,
        gid: int = 0,
        rdev: int = 0,
    ) -> None:
        super().__init__(fs, vtype, rdev)
        self.fs = fs
        self.ino = ino
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.nlink = 0
        self.parent = 0
        self.name = b""
        self.cost = 0
        """Bytes charged for the node itself."""
        self.atime = self.mtime = self.ctime = fs.kernel.wall_ns

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.ino} {self.name!r} nlink={self.nlink}>"

    def v_size(self) -> int:
        """Length as stat shows it."""
        return 0

    def v_blocks(self) -> int:
        """Space in units of 512 bytes."""
        return 0

    def v_nlink(self) -> int:
        """Number of links as stat shows it."""
        return self.nlink

    def getattr(self) -> Vattr:
        """All attributes."""
        return Vattr(
            self.v_type,
            self.mode,
            self.uid,
            self.gid,
            self.v_nlink(),
            self.v_size(),
            self.ino,
            self.fs.dev,
            self.v_rdev,
            self.atime,
            self.mtime,
            self.ctime,
            4096,
            self.v_blocks(),
        )

    def access(self, cred: Cred, want: int) -> None:
        """EACCES unless the permission bits let ``cred``; EROFS."""
        isdir = self.v_type is VType.DIR
        if not vaccess(cred, self.mode, self.uid, self.gid, want, isdir):
            raise KernelError(Errno.EACCES, f"{self!r} mode {self.mode:o}")
        if (
            want & W_OK
            and self.fs.readonly
            and self.v_type in (VType.REG, VType.DIR, VType.LNK)
        ):
            raise KernelError(Errno.EROFS, "read-only file system")

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Change attributes by the rules of chmod(2), chown(2), utimensat(2)."""
        self.fs.check_writable()
        now = self.fs.kernel.wall_ns
        if "touch" in changes:
            if not isowner(cred, self.uid):
                self.access(cred, W_OK)
            self.atime = self.mtime = now
        elif changes.keys() & _OWNERS and not isowner(cred, self.uid):
            raise KernelError(Errno.EPERM, "not the owner")
        if "size" in changes:
            self._set_size(changes["size"], cred)
        if "uid" in changes or "gid" in changes:
            self._chown(cred, changes.get("uid"), changes.get("gid"))
        if "mode" in changes:
            mode = changes["mode"] & 0o7777
            if not cred.groupmember(self.gid) and not cred.has(Priv.FILE_SETID):
                mode &= ~S_ISGID
            self.mode = mode
        self.atime = changes.get("atime", self.atime)
        self.mtime = changes.get("mtime", self.mtime)
        self.ctime = now

    def _chown(self, cred: Cred, uid: int | None, gid: int | None) -> None:
        if not cred.has(Priv.FILE_CHOWN):
            if uid is not None and not uid == self.uid == cred.fsuid:
                raise KernelError(Errno.EPERM, "giving a file away")
            if gid is not None and not (
                cred.fsuid == self.uid and (gid == self.gid or cred.groupmember(gid))
            ):
                raise KernelError(Errno.EPERM, "not in that group")
        if self.v_type is not VType.DIR:
            self.drop_suid()
        self.uid = self.uid if uid is None else uid
        self.gid = self.gid if gid is None else gid

    def drop_suid(self) -> None:
        """Clear setuid, and setgid where the group may execute (chown(2))."""
        self.mode &= ~S_ISUID
        if self.mode & 0o010:
            self.mode &= ~S_ISGID

    def _set_size(self, size: int, cred: Cred) -> None:
        if self.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, "truncate of a directory")
        raise KernelError(Errno.EINVAL, "truncate of no regular file")

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Where it was last seen, if it is still there."""
        parent = self.fs.nodes.get(self.parent)
        if parent is None or self.nlink == 0:
            return None
        if parent.child_ino(self.name) != self.ino:
            return None
        return parent, self.name

    def last_place(self) -> tuple[Vnode, bytes] | None:
        """Where it was last seen."""
        parent = self.fs.nodes.get(self.parent)
        return None if parent is None or not self.name else (parent, self.name)

    def anon_name(self) -> bytes:
        """A file that never had a name (O_TMPFILE), or whose directory is gone."""
        return self.name or b"#%d" % self.ino

    def child_ino(self, name: bytes) -> int:
        """Inode number of a directory's entry; 0 if there is none."""
        return 0

    def inactive(self) -> None:
        """Free a removed node that nobody holds any more."""
        if self.nlink == 0:
            self.free()

    def free(self) -> None:
        """Give back what the node was charged."""
        if self.cost:
            self.fs.charge(-self.cost)
            self.fs.nfiles -= 1
            self.cost = 0


class TmpFile(TmpNode):
    """A regular file."""

    v_seekable = True

    def __init__(
        self,
        fs: TmpFs,
        ino: int,
        mode: int,
        uid: int = 0,
        gid: int = 0,
        source: Source | None = None,
        size: int = 0,
    ) -> None:
        super().__init__(fs, VType.REG, ino, mode, uid, gid)
        self.data = PagedData(fs, source, size)

    def v_size(self) -> int:
        """Length of the file."""
        return self.data.size

    def v_blocks(self) -> int:
        """Charged bytes, and those that still are the source's."""
        d = self.data
        return d.alloc // 512 + ((d.source_size + 4095) // 4096) * 8

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Bytes of the file; atime moves as with relatime (mount(8))."""
        out = self.data.read(off, n)
        if self.atime <= self.mtime or self.atime <= self.ctime:
            self._touch_atime()
        return out

    def _touch_atime(self) -> None:
        if not self.fs.readonly:
            self.atime = self.fs.kernel.wall_ns

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Store bytes; a hole is left between the end and ``off``."""
        self.fs.check_writable()
        n = self.data.write(off, data)
        self.mtime = self.ctime = self.fs.kernel.wall_ns
        if self.mode & (S_ISUID | S_ISGID) and lwp is not None:
            self._setid_on_write(lwp.proc.cred)
        return n

    def _set_size(self, size: int, cred: Cred) -> None:
        if self.data.pages and size < self.data.size:
            file_shrinks(self.fs.kernel, self, size)
        self.data.truncate(size)
        self.mtime = self.fs.kernel.wall_ns
        self._setid_on_write(cred)

    def _setid_on_write(self, cred: Cred) -> None:
        if not secpolicy_setid_retain(cred, self.uid):
            self.drop_suid()

    def seek_data(self, off: int) -> int:
        """SEEK_DATA."""
        at = self.data.seek_data(off) if off >= 0 else None
        if at is None:
            raise KernelError(Errno.ENXIO, "no data behind that offset")
        return at

    def seek_hole(self, off: int) -> int:
        """SEEK_HOLE."""
        if not 0 <= off < self.data.size:
            raise KernelError(Errno.ENXIO, "no hole behind that offset")
        return self.data.seek_hole(off)

    def getpage(self, idx: int) -> int:
        """The frame of a page."""
        return self.data.getpage(idx)

    def getpages(self, first: int, n: int) -> list[int]:
        """The frames of pages in a row; quick if all of them exist, as for exec."""
        pages = self.data.pages
        try:
            return list(map(pages.__getitem__, range(first, first + n)))
        except KeyError:
            return super().getpages(first, n)

    def free(self) -> None:
        """Free the content too."""
        self.data.release()
        super().free()


class TmpLink(TmpNode):
    """A symbolic link."""

    def __init__(
        self, fs: TmpFs, ino: int, target: bytes, uid: int = 0, gid: int = 0
    ) -> None:
        super().__init__(fs, VType.LNK, ino, 0o777, uid, gid)
        self.target = target

    def v_size(self) -> int:
        """Length of the text."""
        return len(self.target)

    def readlink(self, ctx: Proc | None = None) -> bytes:
        """The text."""
        return self.target

    def setattr(self, cred: Cred, **changes: int) -> None:
        """As for all nodes, but a link has no mode of its own (fchmodat(2))."""
        if "mode" in changes:
            raise KernelError(Errno.EOPNOTSUPP, "mode of a symbolic link")
        super().setattr(cred, **changes)


class TmpDev(TmpNode):
    """A device node, or the name of a socket."""

    def __init__(
        self,
        fs: TmpFs,
        vtype: VType,
        ino: int,
        mode: int,
        uid: int = 0,
        gid: int = 0,
        rdev: int = 0,
    ) -> None:
        super().__init__(fs, vtype, ino, mode, uid, gid, rdev)
        self.sock: UnixSocket | None = None
        """What a socket's name leads to (set by bind)."""

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """The device of its number; ENXIO for a socket or an unknown number."""
        if self.v_type is VType.SOCK:
            raise KernelError(Errno.ENXIO, "open of a socket")
        return dev_open(self, lwp, flag)


class TmpFifo(TmpNode):
    """A named pipe; the buffer exists while somebody has it open."""

    def __init__(
        self, fs: TmpFs, ino: int, mode: int, uid: int = 0, gid: int = 0
    ) -> None:
        super().__init__(fs, VType.FIFO, ino, mode, uid, gid)
        self.pipe = PipeBuf(fs.kernel)

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Wait for the other side as fifo(7) says."""
        fifo_open(self.pipe, lwp, flag)
        return self

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """One end less."""
        self.pipe.close_end(flag)

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Bytes from the pipe."""
        return self.pipe.read(n, flag)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Bytes into the pipe."""
        return self.pipe.write(lwp, data, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """State of the pipe."""
        return self.pipe.poll(events, flag)
