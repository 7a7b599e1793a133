"""hostfs: a folder of the host shared with a zone, if the user asks for it.

Unlike the overlay it shows the host as it is and, unless read-only, changes it, so a
run that uses it is only as repeatable as the folder.  It never leaves the folder:
every operation starts at its top and opens name by name without following links;
links are text that the kernel resolves inside the zone.

The owner of the folder shows as uid 0.  A file that is removed while it is open is
kept in memory from then on.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.vfs.cache import PAGE, PAGE_SHIFT, PagedData
from personae.core.vfs.lower import HostLower, LowerSource, host_error
from personae.core.vfs.vnode import (
    MAXIO,
    NAME_MAX,
    PATH_MAX,
    READDIR_BATCH,
    W_OK,
    X_OK,
    Dirent,
    Statfs,
    Vattr,
    Vfs,
    Vnode,
    VType,
    isowner,
)
from personae.core.vm.revoke import file_shrinks

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc


class HostFs(Vfs):
    """A shared folder.

    Args:
        kernel: The kernel.
        top: The folder.
        readonly: Whether the zone may not change it.
        acct: Account that pays for the frames of mapped pages.
    """

    fstype = "hostfs"

    def __init__(
        self,
        kernel: Kernel,
        top: str | os.PathLike[str],
        readonly: bool = True,
        acct: int = 0,
    ) -> None:
        super().__init__(kernel)
        self.lower = HostLower(top)
        self.source = b"hostfs"  # the host's path is no business of a guest
        self.readonly = readonly
        self.acct = acct
        self.lastino = 1
        self.nodes: dict[bytes, HostNode] = {}
        self.root = self.node(b"", VType.DIR)

    def node(self, path: bytes, vtype: VType) -> HostNode:
        """The node of a path, made if there is none of that kind."""
        node = self.nodes.get(path)
        if node is None or node.v_type is not vtype:
            self.lastino += 1
            node = self.nodes[path] = HostNode(self, path, vtype, self.lastino)
        return node

    def moved(self, old: bytes, new: bytes) -> None:
        """A path was renamed: nodes at and below it go along."""
        below = old + b"/"
        for path in [p for p in self.nodes if p == old or p.startswith(below)]:
            node = self.nodes.pop(path)
            node.path = new + path[len(old) :]
            self.nodes[node.path] = node

    def charge(self, n: int) -> None:
        """What is kept in memory for open removed files is not limited."""

    def loaded(self, data: PagedData, ci: int, n: int) -> None:
        """Chunks are not kept: the host is the truth."""
        data.forget(ci)

    def statfs(self) -> Statfs:
        """A fixed size, since the host's changes from run to run."""
        n = 1 << 20
        return Statfs(self.fstype, 4096, n, n // 2, n, n // 2, NAME_MAX, self.readonly)


class HostNode(Vnode):
    """A file or folder of the host, by its path below the top."""

    def __init__(self, fs: HostFs, path: bytes, vtype: VType, ino: int) -> None:
        super().__init__(fs, vtype)
        self.fs = fs
        self.path = path
        self.ino = ino
        self.v_seekable = vtype is VType.REG
        self.data: PagedData | None = None
        """Frames of mapped pages; all of the file once it is removed."""
        self.attr: Vattr | None = None
        """Attributes of a removed file."""

    # -- helpers

    def _below(self, name: bytes) -> bytes:
        if len(name) > NAME_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"{len(name)} bytes")
        if not name or b"/" in name or b"\0" in name or name in (b".", b".."):
            raise KernelError(Errno.EINVAL, f"no name: {name!r}")
        path = self.path + b"/" + name if self.path else name
        if len(path) >= PATH_MAX:
            raise KernelError(Errno.ENAMETOOLONG, "path in a host folder")
        return path

    def _at(self, call: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """A host call with this directory as its ``dir_fd``."""
        try:
            fd = self.fs.lower.opendir(self.path)
            try:
                return call(*args, dir_fd=fd, **kw)
            finally:
                os.close(fd)
        except OSError as e:
            raise host_error(e, self.path) from e

    def _with_file(self, flags: int, call: Callable[..., Any], *args: Any) -> Any:
        """A host call on a descriptor of this regular file."""
        try:
            fd = self.fs.lower.openfile(self.path, flags)
            try:
                return call(fd, *args)
            finally:
                os.close(fd)
        except OSError as e:
            raise host_error(e, self.path) from e

    def _change(self, cred: Cred) -> None:
        if self.v_type is not VType.DIR:
            raise KernelError(Errno.ENOTDIR, "not a directory")
        self.fs.check_writable()
        self.access(cred, W_OK | X_OK)

    def _up(self) -> HostNode:
        return self.fs.node(self.path.rpartition(b"/")[0], VType.DIR)

    # -- attributes

    def getattr(self) -> Vattr:
        """The host's, without its times of access and numbers."""
        if self.attr is not None:
            return self.attr
        st = self.fs.lower.lstat(self.path)
        size = st.size if st.type is not VType.DIR else PAGE
        return Vattr(
            self.v_type,
            st.mode,
            st.uid,
            st.gid,
            st.nlink,
            size,
            self.ino,
            self.fs.dev,
            0,
            st.mtime,
            st.mtime,
            st.mtime,
            4096,
            (size + 4095) // 4096 * 8,
        )

    def setattr(self, cred: Cred, **changes: int) -> None:
        """chmod, chown, utimes and truncate on the host."""
        self.fs.check_writable()
        attr = self.getattr()
        if "touch" in changes:
            if not isowner(cred, attr.uid):
                self.access(cred, W_OK)
            now = self.fs.kernel.wall_ns
            changes["atime"] = changes["mtime"] = now
        elif changes.keys() - {"size"} and not isowner(cred, attr.uid):
            raise KernelError(Errno.EPERM, "not the owner")
        if self.attr is not None:
            return
        if "size" in changes:
            self._truncate(changes["size"])
        name = self.path.rpartition(b"/")[2] or b"."
        at = self._up()._at if self.path else self._at
        if "mode" in changes:
            self._chmod(changes["mode"] & 0o7777)
        if "uid" in changes or "gid" in changes:
            low = self.fs.lower
            uid, gid = changes.get("uid", -1), changes.get("gid", -1)
            uid, gid = uid or low.uid, gid or low.gid
            at(os.chown, name, uid, gid, follow_symlinks=False)
        if "atime" in changes or "mtime" in changes:
            mtime = changes.get("mtime", attr.mtime)
            ns = (changes.get("atime", mtime), mtime)
            at(os.utime, name, ns=ns, follow_symlinks=False)

    def _chmod(self, mode: int) -> None:
        if self.v_type is VType.DIR:
            try:
                fd = self.fs.lower.opendir(self.path)
                try:
                    os.fchmod(fd, mode)
                finally:
                    os.close(fd)
            except OSError as e:
                raise host_error(e, self.path) from e
        elif self.v_type is VType.REG:
            self._with_file(os.O_RDONLY, os.fchmod, mode)
        else:
            raise KernelError(Errno.EOPNOTSUPP, "mode of a special file")

    def _truncate(self, size: int) -> None:
        if self.v_type is not VType.REG:
            raise KernelError(Errno.EINVAL, "truncate of no regular file")
        if self.data is not None and self.data.pages and size < self.data.size:
            file_shrinks(self.fs.kernel, self, size)
        self._with_file(os.O_WRONLY, os.ftruncate, size)
        if self.data is not None:
            self.data.truncate(size)

    # -- content

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Files and folders only: the host's pipes and devices are not the zone's."""
        if self.v_type not in (VType.REG, VType.DIR):
            raise KernelError(Errno.ENXIO, "special file of the host")
        return self

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Bytes of the host's file."""
        if self.v_type is not VType.REG:
            return super().read(lwp, off, n, flag)
        if self.data is not None:
            if self.attr is None:
                self.data.size = max(self.data.size, self.getattr().size)
            return self.data.read(off, n)
        return bytes(self._with_file(os.O_RDONLY, os.pread, min(n, MAXIO), off))

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Bytes into the host's file."""
        self.fs.check_writable()
        n = len(data)
        if self.attr is None:
            n = int(self._with_file(os.O_WRONLY, os.pwrite, data, off))
        if self.attr is not None and self.data is not None:
            return self.data.write(off, data)
        if self.data is not None:
            self.data.size = max(self.data.size, off + n)
            self.data.to_frames(off, data[:n])
        return n

    def getpage(self, idx: int) -> int:
        """A frame; what is stored into it reaches the host at fsync or at the end."""
        if self.v_type is not VType.REG:
            raise KernelError(Errno.ENODEV, "cannot be mapped")
        size = self.getattr().size
        if self.data is None:
            self.data = PagedData(self.fs, LowerSource(self.fs.lower, self.path), size)
        self.data.size = max(self.data.size, size)
        return self.data.getpage(idx)

    def fsync(self) -> None:
        """Write back what mappings have stored."""
        if self.data is None or self.attr is not None or self.fs.readonly:
            return
        hw = self.fs.kernel.hw
        size = self.getattr().size
        for i, pfn in sorted(self.data.pages.items()):
            off = i << PAGE_SHIFT
            page = hw.frame_read(pfn, 0, max(0, min(PAGE, size - off)))
            if page != self._with_file(os.O_RDONLY, os.pread, len(page), off):
                self._with_file(os.O_WRONLY, os.pwrite, page, off)

    def inactive(self) -> None:
        """Nobody has it open or mapped: write back and keep nothing."""
        if self.data is not None:
            with contextlib.suppress(KernelError):
                self.fsync()
            self.data.release()
            self.data = None

    # -- directories

    def lookup(self, name: bytes, cred: Cred) -> Vnode:
        """An entry of the host's folder."""
        if self.v_type is not VType.DIR:
            raise KernelError(Errno.ENOTDIR, "lookup in a file")
        self.access(cred, X_OK)
        if name == b".":
            return self
        if name == b"..":
            return self._up() if self.path else self
        path = self._below(name)
        return self.fs.node(path, self.fs.lower.lstat(path).type)

    def readdir(self, cookie: int) -> list[Dirent]:
        """Entries in the order of their names; the cookie counts them."""
        if self.v_type is not VType.DIR:
            return super().readdir(cookie)
        up = self._up() if self.path else self
        every = [(b".", self.ino, VType.DIR), (b"..", up.ino, VType.DIR)]
        for e in self.fs.lower.listdir(self.path):
            path = self.path + b"/" + e.name if self.path else e.name
            every.append((e.name, self.fs.node(path, e.type).ino, e.type))
        part = every[cookie : cookie + READDIR_BATCH]
        return [Dirent(*e, cookie + i + 1) for i, e in enumerate(part)]

    def readlink(self, ctx: Proc | None = None) -> bytes:
        """Text of a link."""
        if self.v_type is not VType.LNK:
            return super().readlink(ctx)
        return self.fs.lower.readlink(self.path)

    def create(self, name: bytes, mode: int, cred: Cred, excl: bool) -> Vnode:
        """A regular file on the host."""
        path = self._below(name)
        have = self._peek(path)
        if have is not None:
            if excl:
                raise KernelError(Errno.EEXIST, repr(name))
            return have
        self._change(cred)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(self._at(os.open, name, flags, mode & 0o777))
        return self.fs.node(path, VType.REG)

    def _peek(self, path: bytes) -> HostNode | None:
        try:
            return self.fs.node(path, self.fs.lower.lstat(path).type)
        except KernelError as e:
            if e.errno is Errno.ENOENT:
                return None
            raise

    def mkdir(self, name: bytes, mode: int, cred: Cred) -> Vnode:
        """A folder on the host."""
        path = self._below(name)
        if self._peek(path) is not None:
            raise KernelError(Errno.EEXIST, repr(name))
        self._change(cred)
        self._at(os.mkdir, name, mode & 0o777)
        return self.fs.node(path, VType.DIR)

    def symlink(self, name: bytes, target: bytes, cred: Cred) -> Vnode:
        """A link on the host."""
        path = self._below(name)
        self._change(cred)
        self._at(lambda dir_fd: os.symlink(target, name, dir_fd=dir_fd))
        return self.fs.node(path, VType.LNK)

    def link(self, name: bytes, vp: Vnode, cred: Cred) -> None:
        """A further name on the host; to a file, never to what a link names."""
        if not isinstance(vp, HostNode) or vp.fs is not self.fs:
            raise KernelError(Errno.EXDEV, "link across file systems")
        if vp.v_type is VType.DIR:
            raise KernelError(Errno.EPERM, "link to a directory")
        self._below(name)
        self._change(cred)
        src = vp.path.rpartition(b"/")[2]
        up = vp._up()

        def call(dir_fd: int) -> None:
            up._at(
                lambda dir_fd, to: os.link(
                    src, name, src_dir_fd=dir_fd, dst_dir_fd=to, follow_symlinks=False
                ),
                to=dir_fd,
            )

        self._at(call)

    def remove(self, name: bytes, cred: Cred) -> None:
        """Remove a file of the host."""
        path = self._below(name)
        node = self.fs.node(path, self.fs.lower.lstat(path).type)
        if node.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, "unlink of a directory")
        self._change(cred)
        node.detach()
        self._at(os.unlink, name)
        self.fs.nodes.pop(path, None)

    def detach(self) -> None:
        """The name goes while the file is open: take the content into memory."""
        if self.v_count == 0 or self.v_type is not VType.REG or self.attr is not None:
            return
        attr = self.getattr()
        if self.data is None:
            self.data = PagedData(self.fs)
        self.data.source, self.data.source_size = None, 0
        for off in range(0, attr.size, MAXIO):
            self.data.write(off, self._with_file(os.O_RDONLY, os.pread, MAXIO, off))
        attr.nlink = 0
        self.attr = attr

    def rmdir(self, name: bytes, cred: Cred) -> None:
        """Remove a folder of the host."""
        path = self._below(name)
        node = self.fs.node(path, self.fs.lower.lstat(path).type)
        if node.v_mounted is not None:
            raise KernelError(Errno.EBUSY, "mount point")
        self._change(cred)
        self._at(os.rmdir, name)
        self.fs.nodes.pop(path, None)

    def rename(
        self,
        old: bytes,
        newdir: Vnode,
        new: bytes,
        cred: Cred,
        exchange: bool = False,
    ) -> None:
        """Move on the host."""
        if not isinstance(newdir, HostNode) or newdir.fs is not self.fs:
            raise KernelError(Errno.EXDEV, "rename across file systems")
        if exchange:
            raise KernelError(Errno.EINVAL, "exchange in a host folder")
        src, dst = self._below(old), newdir._below(new)
        self._change(cred)
        newdir._change(cred)
        target = newdir._peek(dst)
        if target is not None and src != dst:
            target.detach()
        self._at(
            lambda dir_fd: newdir._at(
                lambda dir_fd, frm: os.rename(
                    old, new, src_dir_fd=frm, dst_dir_fd=dir_fd
                ),
                frm=dir_fd,
            )
        )
        if src != dst:
            self.fs.nodes.pop(dst, None)
            self.fs.moved(src, dst)

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Where it is."""
        if self.attr is not None or not self.path:
            return None
        return self._up(), self.path.rpartition(b"/")[2]

    def last_place(self) -> tuple[Vnode, bytes] | None:
        """Where it was."""
        return self._up(), self.path.rpartition(b"/")[2]
