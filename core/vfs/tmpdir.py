"""Directories of tmpfs: entries in slots, and every operation on them.

The slot number is the readdir cookie: removing an entry only empties its slot and a
new entry takes an empty one, so a directory can be emptied while it is being read
and never grows beyond what it held at once.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, cast

from personae.core.errno import Errno, KernelError
from personae.core.policy import secpolicy_devices, secpolicy_vnode_owner
from personae.core.vfs.tmpnode import (
    ENTRY_COST,
    NODE_COST,
    TmpDev,
    TmpFifo,
    TmpFile,
    TmpLink,
    TmpNode,
)
from personae.core.vfs.vnode import (
    NAME_MAX,
    READDIR_BATCH,
    S_ISGID,
    S_ISVTX,
    W_OK,
    X_OK,
    Dirent,
    Vnode,
    VType,
    vaccess,
)

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.vfs.tmpfs import TmpFs

LINK_MAX = 65000


class TmpDir(TmpNode):
    """A directory.

    Attributes:
        entries: Slot by name.
        names: Name by slot; None: the slot is free.
        inos: Inode number by slot.
        free_slots: Heap of the free slots.
        subdirs: How many entries are directories.
        dead: Removed; still somebody's current directory.
        loaded: False while a lower directory has not been listed.
    """

    fs: TmpFs

    def __init__(
        self, fs: TmpFs, ino: int, mode: int, uid: int = 0, gid: int = 0
    ) -> None:
        super().__init__(fs, VType.DIR, ino, mode, uid, gid)
        self.entries: dict[bytes, int] = {}
        self.names: list[bytes | None] = []
        self.inos: list[int] = []
        self.free_slots: list[int] = []
        self.subdirs = 0
        self.dead = False
        self.loaded = True
        self.paid = 0
        """Entries that were charged; those of a lower directory are not."""

    def load(self) -> None:
        """List the lower directory; the overlay has such."""
        self.loaded = True

    def v_size(self) -> int:
        """20 bytes an entry, as on Linux (shmem.c BOGO_DIRENT_SIZE)."""
        if not self.loaded:
            self.load()
        return 40 + 20 * len(self.entries)

    def v_nlink(self) -> int:
        """2 and one for each subdirectory; 0 once removed."""
        if not self.loaded:
            self.load()
        return 0 if self.dead else 2 + self.subdirs

    # -- finding

    def search(self, cred: Cred) -> None:
        """EACCES unless ``cred`` may look names up here."""
        if not vaccess(cred, self.mode, self.uid, self.gid, X_OK, True):
            raise KernelError(Errno.EACCES, f"search of {self!r}")

    def lookup(self, name: bytes, cred: Cred) -> Vnode:
        """The entry ``name``."""
        if self.mode & 0o111 != 0o111:
            self.search(cred)
        if not self.loaded:
            self.load()
        slot = self.entries.get(name)
        if slot is not None:
            ino = self.inos[slot]
            node = self.fs.nodes.get(ino)
            if node is None:
                return self.fs.materialise(self, name, ino)
            if node.nlink > 1:
                node.parent, node.name = self.ino, name
            return node
        if name == b"..":
            parent = self.fs.nodes.get(self.parent)
            if parent is None:
                raise KernelError(Errno.ENOENT, "parent directory is gone")
            return parent
        if name == b".":
            return self
        if len(name) > NAME_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
        raise KernelError(Errno.ENOENT, repr(name))

    def child(self, name: bytes) -> TmpNode | None:
        """The node of an entry, without any check; None if there is none."""
        if not self.loaded:
            self.load()
        slot = self.entries.get(name)
        if slot is None:
            return None
        ino = self.inos[slot]
        return self.fs.nodes.get(ino) or self.fs.materialise(self, name, ino)

    def child_ino(self, name: bytes) -> int:
        """Inode number of an entry; 0 if there is none."""
        slot = self.entries.get(name)
        return 0 if slot is None else self.inos[slot]

    def readdir(self, cookie: int) -> list[Dirent]:
        """Up to READDIR_BATCH entries from ``cookie`` on."""
        if self.dead:
            raise KernelError(Errno.ENOENT, "removed directory")
        if not self.loaded:
            self.load()
        out: list[Dirent] = []
        if cookie == 0:
            out.append(Dirent(b".", self.ino, VType.DIR, 1))
            cookie = 1
        if cookie == 1:
            out.append(Dirent(b"..", self.parent, VType.DIR, 2))
            cookie = 2
        names, inos = self.names, self.inos
        for slot in range(cookie - 2, len(names)):
            name = names[slot]
            if name is not None:
                ino = inos[slot]
                out.append(Dirent(name, ino, self.entry_type(name, ino), slot + 3))
                if len(out) >= READDIR_BATCH:
                    break
        return out

    def entry_type(self, name: bytes, ino: int) -> VType:
        """Kind of an entry, without making its node."""
        return self.fs.nodes[ino].v_type

    # -- entries

    def enter(self, name: bytes, node: TmpNode) -> None:
        """Add an entry that is known not to be there, for a node that is charged."""
        self.fs.charge(ENTRY_COST)
        self.paid += 1
        self.put_slot(name, node.ino)
        if node.v_type is VType.DIR:
            self.subdirs += 1
        node.nlink += 1
        node.parent, node.name = self.ino, name
        self.fs.nodes[node.ino] = node
        self.mtime = self.ctime = node.ctime = self.fs.kernel.wall_ns

    def put_slot(self, name: bytes, ino: int) -> None:
        """Give an entry a slot."""
        if self.free_slots:
            slot = heappop(self.free_slots)
            self.names[slot], self.inos[slot] = name, ino
        else:
            slot = len(self.names)
            self.names.append(name)
            self.inos.append(ino)
        self.entries[name] = slot

    def leave(self, name: bytes, node: TmpNode) -> None:
        """Take an entry out and drop the link to its node."""
        slot = self.entries.pop(name)
        self.names[slot] = None
        heappush(self.free_slots, slot)
        if not self.entries:
            self.names.clear()
            self.inos.clear()
            self.free_slots.clear()
        if self.paid:
            self.paid -= 1
            self.fs.charge(-ENTRY_COST)
        if node.v_type is VType.DIR:
            self.subdirs -= 1
        self.mtime = self.ctime = node.ctime = self.fs.kernel.wall_ns
        node.nlink -= 1
        if node.nlink == 0:
            self.fs.nodes.pop(node.ino, None)
            if node.v_count == 0:
                node.free()

    def prepare(self, name: bytes, cred: Cred) -> None:
        """Checks before an entry is made; EEXIST if it is there."""
        if self.child(name) is not None or name in (b".", b".."):
            raise KernelError(Errno.EEXIST, repr(name))
        if len(name) > NAME_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
        if not name or b"/" in name or b"\0" in name:
            raise KernelError(Errno.EINVAL, f"no name: {name!r}")
        if self.dead:
            raise KernelError(Errno.ENOENT, "removed directory")
        self.fs.check_writable()
        self.access(cred, W_OK | X_OK)

    def born(self, node: TmpNode, cred: Cred) -> None:
        """Charge a new node and give it its owner and group."""
        self.fs.charge(NODE_COST)
        self.fs.nfiles += 1
        node.cost = NODE_COST
        node.uid = cred.fsuid
        node.gid = self.gid if self.mode & S_ISGID else cred.fsgid

    def add_new(self, name: bytes, node: TmpNode, cred: Cred) -> None:
        """Charge, own and enter a new node, or none of it."""
        self.born(node, cred)
        try:
            self.enter(name, node)
        except KernelError:
            node.free()
            raise

    def new_file(self, mode: int, cred: Cred) -> TmpFile:
        """A regular file that has no name yet."""
        node = TmpFile(self.fs, self.fs.newino(), mode & 0o7777)
        self.born(node, cred)
        return node

    # -- making

    def create(self, name: bytes, mode: int, cred: Cred, excl: bool) -> Vnode:
        """A regular file."""
        have = self.child(name)
        if have is not None and not excl:
            return have
        self.prepare(name, cred)
        node = TmpFile(self.fs, self.fs.newino(), mode & 0o7777)
        self.add_new(name, node, cred)
        return node

    def mkdir(self, name: bytes, mode: int, cred: Cred) -> Vnode:
        """A directory; it inherits setgid."""
        self.prepare(name, cred)
        mode = mode & 0o1777 | self.mode & S_ISGID
        node = TmpDir(self.fs, self.fs.newino(), mode)
        self.add_new(name, node, cred)
        return node

    def mknod(
        self, name: bytes, vtype: VType, mode: int, rdev: int, cred: Cred
    ) -> Vnode:
        """A FIFO, socket, device (uid 0 only) or regular file."""
        if vtype is VType.REG:
            return self.create(name, mode, cred, True)
        if vtype not in (VType.FIFO, VType.SOCK, VType.CHR, VType.BLK):
            raise KernelError(Errno.EINVAL, f"mknod of {vtype.name}")
        self.prepare(name, cred)
        if vtype in (VType.CHR, VType.BLK):
            secpolicy_devices(cred)
        ino = self.fs.newino()
        node: TmpNode
        if vtype is VType.FIFO:
            node = TmpFifo(self.fs, ino, mode & 0o7777)
        else:
            node = TmpDev(self.fs, vtype, ino, mode & 0o7777, rdev=rdev)
        self.add_new(name, node, cred)
        return node

    def symlink(self, name: bytes, target: bytes, cred: Cred) -> Vnode:
        """A symbolic link; its text is never looked at."""
        self.prepare(name, cred)
        node = TmpLink(self.fs, self.fs.newino(), target)
        self.add_new(name, node, cred)
        return node

    def link(self, name: bytes, vp: Vnode, cred: Cred) -> None:
        """A further name for a node of this file system."""
        self.prepare(name, cred)
        if vp.v_vfs is not self.fs:
            raise KernelError(Errno.EXDEV, "link across file systems")
        if vp.v_type is VType.DIR:
            raise KernelError(Errno.EPERM, "link to a directory")
        node = cast("TmpNode", vp)
        if node.nlink == 0 and (node.name or not isinstance(node, TmpFile)):
            raise KernelError(Errno.ENOENT, "removed file")
        if node.nlink >= LINK_MAX:
            raise KernelError(Errno.EMLINK, f"{node.nlink} links")
        self.enter(name, node)

    # -- removing

    def may_delete(self, name: bytes, node: TmpNode, cred: Cred) -> None:
        """Write access to the directory, and the rule of sticky ones."""
        self.fs.check_writable()
        self.access(cred, W_OK | X_OK)
        if self.mode & S_ISVTX and cred.fsuid not in (self.uid, node.uid):
            secpolicy_vnode_owner(cred, node.uid)

    def victim(self, name: bytes, cred: Cred) -> TmpNode:
        """The node of an entry that is to go; ENOENT, EACCES or EPERM."""
        if self.mode & 0o111 != 0o111:
            self.search(cred)
        node = self.child(name)
        if node is None:
            if len(name) > NAME_MAX:
                raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
            raise KernelError(Errno.ENOENT, repr(name))
        self.may_delete(name, node, cred)
        return node

    def remove(self, name: bytes, cred: Cred) -> None:
        """unlink(2)."""
        node = self.victim(name, cred)
        if node.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, "unlink of a directory")
        if node.v_mounted is not None:
            raise KernelError(Errno.EBUSY, "mount point")
        self.leave(name, node)

    def rmdir(self, name: bytes, cred: Cred) -> None:
        """Remove an empty directory (rmdir(2))."""
        node = self.victim(name, cred)
        if not isinstance(node, TmpDir):
            raise KernelError(Errno.ENOTDIR, "rmdir of a file")
        if node.v_mounted is not None:
            raise KernelError(Errno.EBUSY, "mount point")
        node.check_empty()
        node.dead = True
        self.leave(name, node)

    def check_empty(self) -> None:
        """ENOTEMPTY if there is an entry."""
        if not self.loaded:
            self.load()
        if self.entries:
            raise KernelError(Errno.ENOTEMPTY, f"{len(self.entries)} entries")

    # -- renaming

    def rename(
        self,
        old: bytes,
        newdir: Vnode,
        new: bytes,
        cred: Cred,
        exchange: bool = False,
    ) -> None:
        """Move an entry; with ``exchange`` both must be there and change places."""
        if newdir.v_vfs is not self.fs:
            raise KernelError(Errno.EXDEV, "rename across file systems")
        if not isinstance(newdir, TmpDir):
            raise KernelError(Errno.ENOTDIR, "rename into a file")
        src = self._find(old, cred)
        if src is None:
            raise KernelError(Errno.ENOENT, repr(old))
        dst = newdir._find(new, cred)
        if dst is None and exchange:
            raise KernelError(Errno.ENOENT, repr(new))
        self._check_loop(src, newdir, dst, exchange)
        if src is dst:
            return
        self._check_rename(old, src, newdir, new, dst, cred, exchange)
        if exchange and dst is not None:
            self._swap(old, src, newdir, new, dst)
        else:
            self._move(old, src, newdir, new, dst)

    def _find(self, name: bytes, cred: Cred) -> TmpNode | None:
        if len(name) > NAME_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
        if self.mode & 0o111 != 0o111:
            self.search(cred)
        return self.child(name)

    def _check_loop(
        self, src: TmpNode, newdir: TmpDir, dst: TmpNode | None, exchange: bool
    ) -> None:
        """A directory does not go below itself; its ancestor is no empty target."""
        if self is newdir:
            return
        if isinstance(src, TmpDir) and newdir.below(src):
            raise KernelError(Errno.EINVAL, "rename of a directory into itself")
        if isinstance(dst, TmpDir) and self.below(dst):
            why = Errno.EINVAL if exchange else Errno.ENOTEMPTY
            raise KernelError(why, "rename onto an ancestor")

    def below(self, other: TmpDir) -> bool:
        """Whether this directory is ``other`` or lies below it."""
        d: TmpNode | None = self
        while d is not None and d is not other:
            up = self.fs.nodes.get(d.parent)
            if up is d:
                return False
            d = up
        return d is not None

    def _check_rename(
        self,
        old: bytes,
        src: TmpNode,
        newdir: TmpDir,
        new: bytes,
        dst: TmpNode | None,
        cred: Cred,
        exchange: bool,
    ) -> None:
        self.may_delete(old, src, cred)
        if dst is None:
            newdir.prepare(new, cred)
        else:
            newdir.may_delete(new, dst, cred)
            self._check_kinds(src, dst, exchange)
        if self is not newdir:
            for node in (src, dst if exchange else None):
                if isinstance(node, TmpDir):
                    node.access(cred, W_OK)
        if src.v_mounted is not None or (dst is not None and dst.v_mounted is not None):
            raise KernelError(Errno.EBUSY, "mount point")
        if isinstance(dst, TmpDir) and not exchange:
            dst.check_empty()

    @staticmethod
    def _check_kinds(src: TmpNode, dst: TmpNode, exchange: bool) -> None:
        if exchange:
            return
        if isinstance(src, TmpDir):
            if not isinstance(dst, TmpDir):
                raise KernelError(Errno.ENOTDIR, "directory onto a file")
        elif isinstance(dst, TmpDir):
            raise KernelError(Errno.EISDIR, "file onto a directory")

    def _move(
        self, old: bytes, src: TmpNode, newdir: TmpDir, new: bytes, dst: TmpNode | None
    ) -> None:
        if dst is not None:
            if isinstance(dst, TmpDir):
                dst.dead = True
            newdir.leave(new, dst)
        newdir.enter(new, src)
        self.leave(old, src)

    def _swap(
        self, old: bytes, src: TmpNode, newdir: TmpDir, new: bytes, dst: TmpNode
    ) -> None:
        self.inos[self.entries[old]] = dst.ino
        newdir.inos[newdir.entries[new]] = src.ino
        delta = int(isinstance(dst, TmpDir)) - int(isinstance(src, TmpDir))
        self.subdirs += delta
        newdir.subdirs -= delta
        src.parent, src.name = newdir.ino, new
        dst.parent, dst.name = self.ino, old
        now = self.fs.kernel.wall_ns
        for node in (self, newdir, src, dst):
            node.ctime = now
        self.mtime = newdir.mtime = now
