"""Lower layers: a folder of the host, or a tar archive, as something to read.

Nothing here ever writes to the host or follows a link of it: a folder is opened
name by name from its top with O_NOFOLLOW, everything else is looked at with lstat,
and only regular files are read.  Listings are sorted, and access times and host
inode numbers do not show, so a copy of a folder looks the same.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from personae.core.errno import Errno, KernelError
from personae.core.vfs.vnode import VType, makedev

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

_TYPES = {
    stat.S_IFREG: VType.REG,
    stat.S_IFDIR: VType.DIR,
    stat.S_IFLNK: VType.LNK,
    stat.S_IFCHR: VType.CHR,
    stat.S_IFBLK: VType.BLK,
    stat.S_IFIFO: VType.FIFO,
    stat.S_IFSOCK: VType.SOCK,
}


class LowerStat(NamedTuple):
    """Attributes of a lower file."""

    type: VType
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    nlink: int
    rdev: int


class LowerEntry(NamedTuple):
    """One name in a lower directory; equal keys are links to one file."""

    name: bytes
    type: VType
    key: tuple[int, int] | None


class Lower(Protocol):
    """A read-only tree; paths are relative to its top, b"" is the top."""

    def listdir(self, path: bytes) -> list[LowerEntry]:
        """Entries of a directory, sorted by name."""

    def lstat(self, path: bytes) -> LowerStat:
        """Attributes, links not followed."""

    def readlink(self, path: bytes) -> bytes:
        """Text of a link."""

    def load(self, path: bytes, off: int, n: int) -> bytes:
        """Bytes of a regular file."""


def host_error(e: OSError, what: bytes) -> KernelError:
    """A host's error as ours, by its name."""
    name = errno.errorcode.get(e.errno or 0, "EIO")
    return KernelError(getattr(Errno, name, Errno.EIO), f"host: {what!r}: {name}")


@dataclass
class LowerSource:
    """The bytes of one lower file, for PagedData."""

    lower: Lower
    path: bytes

    def load(self, off: int, n: int) -> bytes:
        """Bytes of the file."""
        return self.lower.load(self.path, off, n)


class HostLower:
    """A folder of the host.

    Args:
        top: The folder.  Its owner and group show as 0.
    """

    def __init__(self, top: str | os.PathLike[str]) -> None:
        self.top = os.path.realpath(top)
        st = Path(self.top).stat()
        self.uid, self.gid = st.st_uid, st.st_gid

    def opendir(self, path: bytes) -> int:
        """A host descriptor of a directory, reached without following links."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        fd = os.open(self.top, flags)
        try:
            for name in path.split(b"/") if path else ():
                nxt = os.open(name, flags | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = nxt
        except OSError:
            os.close(fd)
            raise
        return fd

    def listdir(self, path: bytes) -> list[LowerEntry]:
        """Entries of a directory."""
        try:
            fd = self.opendir(path)
            try:
                dev = os.fstat(fd).st_dev
                with os.scandir(fd) as it:
                    out = [_entry(e, dev) for e in it]
            finally:
                os.close(fd)
        except OSError as e:
            raise host_error(e, path) from e
        return sorted(out)

    def lstat(self, path: bytes) -> LowerStat:
        """Attributes."""
        try:
            if not path:
                st = Path(self.top).stat()
            else:
                fd = self.opendir(_dirname(path))
                try:
                    st = os.stat(_basename(path), dir_fd=fd, follow_symlinks=False)
                finally:
                    os.close(fd)
        except OSError as e:
            raise host_error(e, path) from e
        return self.convert(st)

    def convert(self, st: os.stat_result) -> LowerStat:
        """A host's stat as ours."""
        rdev = 0
        if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
            rdev = makedev(os.major(st.st_rdev), os.minor(st.st_rdev))
        return LowerStat(
            _TYPES.get(stat.S_IFMT(st.st_mode), VType.NON),
            stat.S_IMODE(st.st_mode),
            0 if st.st_uid == self.uid else st.st_uid,
            0 if st.st_gid == self.gid else st.st_gid,
            st.st_size,
            st.st_mtime_ns,
            st.st_nlink,
            rdev,
        )

    def readlink(self, path: bytes) -> bytes:
        """Text of a link."""
        try:
            fd = self.opendir(_dirname(path))
            try:
                return os.readlink(_basename(path), dir_fd=fd)
            finally:
                os.close(fd)
        except OSError as e:
            raise host_error(e, path) from e

    def openfile(self, path: bytes, flags: int) -> int:
        """A host descriptor of a regular file, never of a link, FIFO or device."""
        fd = self.opendir(_dirname(path))
        try:
            flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            new = os.open(_basename(path), flags, dir_fd=fd)
        finally:
            os.close(fd)
        if not stat.S_ISREG(os.fstat(new).st_mode):
            os.close(new)
            raise OSError(errno.EIO, "not a regular file any more")
        return new

    def load(self, path: bytes, off: int, n: int) -> bytes:
        """Bytes of a regular file."""
        try:
            fd = self.openfile(path, os.O_RDONLY)
            try:
                return os.pread(fd, n, off)
            finally:
                os.close(fd)
        except OSError as e:
            raise host_error(e, path) from e


def _entry(e: os.DirEntry[str], dev: int) -> LowerEntry:
    if e.is_symlink():
        vtype = VType.LNK
    elif e.is_dir(follow_symlinks=False):
        return LowerEntry(os.fsencode(e.name), VType.DIR, None)
    elif e.is_file(follow_symlinks=False):
        vtype = VType.REG
    else:
        mode = e.stat(follow_symlinks=False).st_mode
        vtype = _TYPES.get(stat.S_IFMT(mode), VType.NON)
    return LowerEntry(os.fsencode(e.name), vtype, (dev, e.inode()))


def _dirname(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _basename(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


@dataclass
class _TarNode:
    """A member of an archive."""

    stat: LowerStat
    key: tuple[int, int] | None = None
    target: bytes = b""
    offset: int = 0
    data: bytes | None = None
    children: set[bytes] = field(default_factory=set)


class TarLower:
    """A tar archive, also a compressed one; that is unpacked into memory.

    Args:
        path: The archive.  Members outside of its top (``..``) are left out.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import tarfile  # only a zone whose root is an archive needs it

        self.path = os.path.realpath(path)
        top = LowerStat(VType.DIR, 0o755, 0, 0, 0, 0, 1, 0)
        self.nodes: dict[bytes, _TarNode] = {b"": _TarNode(top)}
        with Path(self.path).open("rb") as f:
            plain = f.read(262)[257:] == b"ustar"
        with tarfile.open(self.path, errors="surrogateescape") as tar:
            for i, m in enumerate(_members(tar)):
                self._add(tar, m, i, plain)

    def _add(
        self, tar: tarfile.TarFile, m: tarfile.TarInfo, i: int, plain: bool
    ) -> None:
        parts = [p for p in os.fsencode(m.name).split(b"/") if p and p != b"."]
        if b".." in parts:
            return
        name = b"/".join(parts)
        if m.islnk():
            links = os.fsencode(m.linkname).split(b"/")
            target = self.nodes.get(b"/".join(p for p in links if p and p != b"."))
            if target is None or target.stat.type is VType.DIR:
                return
            target.stat = target.stat._replace(nlink=target.stat.nlink + 1)
            self._enter(name, target)
            return
        node = _TarNode(_tar_stat(m), (0, i), os.fsencode(m.linkname), m.offset_data)
        if m.isreg() and not plain:
            f = tar.extractfile(m)
            node.data = f.read() if f is not None else b""
        old = self.nodes.get(name)
        if old is not None and node.stat.type is VType.DIR:
            node.children = old.children
        self._enter(name, node)

    def _enter(self, name: bytes, node: _TarNode) -> None:
        self.nodes[name] = node
        while name:
            up = _dirname(name)
            have = self.nodes.get(up)
            if have is None or have.stat.type is not VType.DIR:
                have = self.nodes[up] = _TarNode(self.nodes[b""].stat)
            have.children.add(_basename(name))
            name = up

    def _node(self, path: bytes) -> _TarNode:
        node = self.nodes.get(path)
        if node is None:
            raise KernelError(Errno.EIO, f"not in the archive: {path!r}")
        return node

    def listdir(self, path: bytes) -> list[LowerEntry]:
        """Entries of a directory."""
        out = []
        for name in sorted(self._node(path).children):
            node = self._node(path + b"/" + name if path else name)
            isdir = node.stat.type is VType.DIR
            out.append(LowerEntry(name, node.stat.type, None if isdir else node.key))
        return out

    def lstat(self, path: bytes) -> LowerStat:
        """Attributes."""
        return self._node(path).stat

    def readlink(self, path: bytes) -> bytes:
        """Text of a link."""
        return self._node(path).target

    def load(self, path: bytes, off: int, n: int) -> bytes:
        """Bytes of a regular file."""
        node = self._node(path)
        n = min(n, node.stat.size - off)
        if node.data is not None:
            return node.data[off : off + n]
        try:
            with Path(self.path).open("rb") as f:
                f.seek(node.offset + off)
                return f.read(n)
        except OSError as e:
            raise host_error(e, path) from e


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    yield from tar


def _tar_stat(m: tarfile.TarInfo) -> LowerStat:
    kinds = (
        (m.isdir, VType.DIR),
        (m.issym, VType.LNK),
        (m.isfifo, VType.FIFO),
        (m.ischr, VType.CHR),
        (m.isblk, VType.BLK),
    )
    vtype = next((t for test, t in kinds if test()), VType.REG)
    rdev = 0
    if vtype in (VType.CHR, VType.BLK):
        rdev = makedev(m.devmajor, m.devminor)
    size = len(os.fsencode(m.linkname)) if vtype is VType.LNK else m.size
    mtime = int(m.mtime) * 10**9
    return LowerStat(vtype, m.mode & 0o7777, m.uid, m.gid, size, mtime, 1, rdev)
