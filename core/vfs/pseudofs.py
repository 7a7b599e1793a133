"""A framework for file systems whose content is made when it is looked at.

/proc and its like are trees of ``PseudoDir``, ``PseudoFile`` and ``PseudoLink`` nodes.
A subclass says what is there: ``pr_entries`` and ``pr_lookup`` of a directory,
``pr_read`` and ``pr_write`` of a file, ``pr_link`` of a link.  A directory may make
its children anew at each lookup; who they are is said by their path, from which
the inode number comes.

Nodes are pickled with the kernel: they hold plain data and other nodes, no closures.
An open file keeps the text of its last read from offset 0, so that one reader sees
one state.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.file import FWRITE
from personae.core.vfs.lookup import path_of, root_of
from personae.core.vfs.vnode import (
    NAME_MAX,
    READDIR_BATCH,
    X_OK,
    Dirent,
    Vattr,
    Vfs,
    Vnode,
    VType,
    vaccess,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc


class PseudoFs(Vfs):
    """A mount of a pseudo file system.

    Args:
        kernel: The kernel.
        fstype: Its name in /proc/mounts.
    """

    def __init__(self, kernel: Kernel, fstype: str = "proc") -> None:
        super().__init__(kernel)
        self.fstype = fstype
        self.source = fstype.encode()
        self.time = kernel.wall_ns

    def set_root(self, root: PseudoDir) -> None:
        """Give it its root directory, which was made with no parent."""
        self.root = root


class PseudoNode(Vnode):
    """What all nodes have.

    Args:
        fs: The file system.
        parent: The directory it is in; None for the root.
        name: Its name there.
        mode: Permission bits.
    """

    vtype = VType.REG
    mode = 0o444

    def __init__(
        self,
        fs: PseudoFs,
        parent: PseudoDir | None,
        name: bytes,
        mode: int | None = None,
    ) -> None:
        super().__init__(fs, self.vtype)
        self.fs = fs
        self.parent = parent
        self.name = name
        self.mode = type(self).mode if mode is None else mode

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.pr_path()!r}>"

    def pr_path(self) -> bytes:
        """Its path from the root of the file system."""
        if self.parent is None:
            return b""
        return self.parent.pr_path() + b"/" + self.name

    def pr_owner(self) -> tuple[int, int]:
        """Uid and gid."""
        return 0, 0

    def pr_nlink(self) -> int:
        """Number of links."""
        return 1

    def pr_ino(self) -> int:
        """Inode number: the same for the same path."""
        digest = hashlib.blake2b(self.pr_path(), digest_size=6).digest()
        return int.from_bytes(digest, "little") | 1 << 48

    def pr_time(self) -> int:
        """All of its times."""
        return self.fs.kernel.wall_ns

    def v_size(self) -> int:
        """Length as stat shows it; nobody knows it before the text is made."""
        return 0

    def getattr(self) -> Vattr:
        """All attributes."""
        uid, gid = self.pr_owner()
        when = self.pr_time()
        return Vattr(
            self.v_type,
            self.mode,
            uid,
            gid,
            self.pr_nlink(),
            self.v_size(),
            self.pr_ino(),
            self.fs.dev,
            self.v_rdev,
            when,
            when,
            when,
            1024,
            0,
        )

    def access(self, cred: Cred, want: int) -> None:
        """The permission bits."""
        uid, gid = self.pr_owner()
        if not vaccess(cred, self.mode, uid, gid, want, self.v_type is VType.DIR):
            raise KernelError(Errno.EACCES, repr(self))

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Only the truncation that goes with an open for writing passes."""
        if changes.keys() != {"size"} or self.v_type is not VType.REG:
            raise KernelError(Errno.EPERM, "attributes of a pseudo file")

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Where it is."""
        return None if self.parent is None else (self.parent, self.name)


class PseudoDir(PseudoNode):
    """A directory."""

    vtype = VType.DIR
    mode = 0o555

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """Names and kinds, always in the same order."""
        return ()

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """The node of a name, or None."""
        return None

    def pr_nlink(self) -> int:
        """2 and one for each subdirectory."""
        return 2 + sum(vtype is VType.DIR for _, vtype in self.pr_entries())

    def lookup(self, name: bytes, cred: Cred) -> Vnode:
        """The entry ``name``."""
        self.access(cred, X_OK)
        if name == b".":
            return self
        if name == b"..":
            return self.parent or self
        if len(name) > NAME_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
        node = self.pr_lookup(name)
        if node is None:
            raise KernelError(Errno.ENOENT, repr(name))
        return node

    def readdir(self, cookie: int) -> list[Dirent]:
        """Entries by their position; the number of one that vanished shifts others."""
        up = self.parent or self
        out = []
        if cookie == 0:
            out.append(Dirent(b".", self.pr_ino(), VType.DIR, 1))
        if cookie <= 1:
            out.append(Dirent(b"..", up.pr_ino(), VType.DIR, 2))
        base = self.pr_path()
        for at, (name, vtype) in self.pr_slots(max(cookie - 2, 0)):
            if len(out) >= READDIR_BATCH:
                break
            digest = hashlib.blake2b(base + b"/" + name, digest_size=6).digest()
            ino = int.from_bytes(digest, "little") | 1 << 48
            out.append(Dirent(name, ino, vtype, at + 3))
        return out

    def pr_slots(self, start: int) -> Iterable[tuple[int, tuple[bytes, VType]]]:
        """Entries with rising numbers, from ``start`` on.

        A directory whose entries come and go overrides it with numbers that stay
        (a pid), so that a reader misses nothing.
        """
        for at, entry in enumerate(self.pr_entries()):
            if at >= start:
                yield at, entry


class StaticDir(PseudoDir):
    """A directory with a fixed set of nodes, in the order they were added."""

    def __init__(
        self,
        fs: PseudoFs,
        parent: PseudoDir | None,
        name: bytes,
        mode: int | None = None,
    ) -> None:
        super().__init__(fs, parent, name, mode)
        self.nodes: dict[bytes, PseudoNode] = {}

    def add(self, node: PseudoNode) -> PseudoNode:
        """Put a node, made with this directory as its parent, into it."""
        self.nodes[node.name] = node
        return node

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """What was added."""
        return [(name, node.v_type) for name, node in self.nodes.items()]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """What was added."""
        return self.nodes.get(name)


def decimal(name: bytes) -> int:
    """The number that a name spells as %d would; -1 if it spells none.

    >>> decimal(b"17"), decimal(b"0"), decimal(b"007"), decimal(b"self")
    (17, 0, -1, -1)
    """
    good = name.isdigit() and len(name) <= 10 and (name == b"0" or name[:1] != b"0")
    return int(name) if good else -1


class NumberedDir(StaticDir):
    """A directory of processes or their like, by number, behind what is fixed in it.

    They come and go; each has its position by its number, so a reader misses none.
    """

    def pr_first(self) -> int:
        """Position of number 0."""
        return len(self.nodes)

    def pr_numbers(self) -> Iterable[tuple[int, VType]]:
        """Numbers and kinds, rising."""
        return ()

    def pr_numbered(self, number: int) -> Vnode | None:
        """The node of a number, or None."""
        return None

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """All of it."""
        return [entry for _, entry in self.pr_slots(0)]

    def pr_slots(self, start: int) -> Iterable[tuple[int, tuple[bytes, VType]]]:
        """What is fixed in the order it was added, then by number."""
        yield from ((i, e) for i, e in enumerate(super().pr_entries()) if i >= start)
        first = self.pr_first()
        for number, kind in self.pr_numbers():
            if first + number >= start:
                yield first + number, (b"%d" % number, kind)

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """What is fixed, or has the number."""
        node = super().pr_lookup(name)
        if node is None and (number := decimal(name)) >= 0:
            node = self.pr_numbered(number)
        return node


class PseudoFile(PseudoNode):
    """A regular file whose text is made when it is read."""

    v_seekable = True

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The whole text as of now."""
        raise KernelError(Errno.EINVAL, "cannot be read")

    def pr_write(self, lwp: Lwp | None, off: int, data: bytes) -> int:
        """Take what a program writes."""
        raise KernelError(Errno.EIO, "cannot be written")

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """An open file with a text of its own."""
        if flag & FWRITE and not self.mode & 0o222:
            raise KernelError(Errno.EACCES, "read-only pseudo file")
        return PseudoOpen(self)

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Without an open: each read makes the text."""
        return self.pr_read(lwp)[off : off + n]

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """To ``pr_write``."""
        return self.pr_write(lwp, off, data)


class TextFile(PseudoFile):
    """A file with a fixed text."""

    def __init__(
        self,
        fs: PseudoFs,
        parent: PseudoDir | None,
        name: bytes,
        text: bytes,
        mode: int | None = None,
    ) -> None:
        super().__init__(fs, parent, name, mode)
        self.text = text

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The text."""
        return self.text


class PseudoLink(PseudoNode):
    """A symbolic link; override ``follow`` for one that leads to a vnode directly."""

    vtype = VType.LNK
    mode = 0o777

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The text; ``ctx`` is who asks."""
        raise KernelError(Errno.EINVAL, "empty link")

    def readlink(self, ctx: Proc | None = None) -> bytes:
        """The text."""
        return self.pr_link(ctx)


class ProcLink(PseudoLink):
    """A link that leads straight to a file of the process ``proc``, not by its text."""

    proc: Proc

    def pr_target(self, ctx: Proc | None) -> Vnode:
        """The file; ``ctx`` is who asks.

        Raises:
            KernelError: ENOENT, there is none; EACCES.
        """
        raise KernelError(Errno.ENOENT, repr(self.name))

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The path, as seen from the root of who asks."""
        return path_of(self.pr_target(ctx), root_of(ctx or self.proc))

    def follow(self, ctx: Proc) -> Vnode | None:
        """Straight there."""
        return self.pr_target(ctx)


class PseudoOpen(Vnode):
    """An open pseudo file: keeps the text of the last read from its start."""

    v_seekable = True

    def __init__(self, node: PseudoFile) -> None:
        super().__init__(node.v_vfs, node.v_type)
        self.node = node
        self.text: bytes | None = None

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Part of the text, made anew at offset 0."""
        if off == 0 or self.text is None:
            self.text = self.node.pr_read(lwp)
        return self.text[off : off + n]

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """To the file."""
        return self.node.pr_write(lwp, off, data)

    def v_size(self) -> int:
        """Length of the node."""
        return self.node.v_size()

    def getattr(self) -> Vattr:
        """Those of the node."""
        return self.node.getattr()

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Those of the node."""
        self.node.setattr(cred, **changes)

    def access(self, cred: Cred, want: int) -> None:
        """The node's permission bits."""
        self.node.access(cred, want)

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Opened once more, through /proc."""
        return self.node.open(lwp, flag)

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Where the node is."""
        return self.node.parent_name()
