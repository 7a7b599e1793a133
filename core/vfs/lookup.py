"""Path lookup: from names to vnodes, inside the root of a process.

A lookup never leaves the root directory of the process or of its zone: ``..`` stops
there, and an absolute symbolic link starts there.  Links are followed here and
nowhere else, so what a host folder contains as links is only text.

Rules and errors are those of path_resolution(7): a path of PATH_MAX bytes or a
name above NAME_MAX is ENAMETOOLONG, more than 40 links are ELOOP, a trailing slash
asks for a directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError
from personae.core.vfs.vnode import PATH_MAX, X_OK, Vnode, VType, counters

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vfs

MAXSYMLINKS = 40

_LNK = VType.LNK


class Last(NamedTuple):
    """Where the last component of a path belongs.

    Attributes:
        dir: The directory.
        name: The component; b"" for the path "/", and it may be b"." or b"..".
        slash: Whether slashes follow it.
    """

    dir: Vnode
    name: bytes
    slash: bool


def root_of(proc: Proc) -> Vnode:
    """The root directory of a process: its own or its zone's."""
    root = proc.user.u_rdir or proc.zone.root
    if root is None:
        raise KernelError(Errno.ENOENT, "the zone has no root directory")
    return root


def cross(vp: Vnode) -> Vnode:
    """What is mounted on a vnode, or itself."""
    while vp.v_mounted is not None:
        vp = vp.v_mounted.root
    return vp


def components(path: bytes) -> list[bytes]:
    """Names of a path, the last one first; "." only where it is the last one."""
    names = [c for c in path.split(b"/") if c and c != b"."]
    if path[-1:] in (b".", b"/"):
        tail = path.rstrip(b"/")
        if tail == b"." or tail.endswith(b"/."):
            names.append(b".")
    names.reverse()
    return names


class Namei:
    """One path lookup, with the count of links followed so far.

    Args:
        ctx: The process, for its root, current directory and /proc/self.
        cred: Whose permissions count; the process' own if None.
        root: Where "/" is; the process' root by default.
    """

    __slots__ = ("cred", "ctx", "links", "root")

    def __init__(
        self, ctx: Proc, cred: Cred | None = None, root: Vnode | None = None
    ) -> None:
        self.ctx = ctx
        self.cred = ctx.cred if cred is None else cred
        self.root = root or root_of(ctx)
        self.links = 0

    def begin(self, path: bytes, start: Vnode | None) -> Vnode:
        """Where a path starts."""
        if not path:
            raise KernelError(Errno.ENOENT, "empty path")
        if len(path) >= PATH_MAX:
            raise KernelError(Errno.ENAMETOOLONG, f"path of {len(path)} bytes")
        if path[0] == 47:
            return self.root
        return start or self.ctx.user.u_cdir or self.root

    def lookup(
        self, path: bytes, follow: bool = True, start: Vnode | None = None
    ) -> Vnode:
        """The vnode a path names."""
        vp = self.begin(path, start)
        slash = path[-1] == 47
        vp, _ = self._run(vp, components(path), follow or slash, 0)
        if slash and vp.v_type is not VType.DIR:
            raise KernelError(Errno.ENOTDIR, repr(path))
        return vp

    def parent(self, path: bytes, start: Vnode | None = None) -> Last:
        """The directory of a path's last component, which is not looked up."""
        vp = self.begin(path, start)
        names = components(path)
        if not names:
            return Last(vp, b"", True)
        last = names[0]
        vp, _ = self._run(vp, names, True, 1)
        if vp.v_type is not VType.DIR:
            raise KernelError(Errno.ENOTDIR, repr(path))
        return Last(vp, last, path[-1] == 47)

    def _run(
        self, vp: Vnode, todo: list[bytes], follow: bool, keep: int
    ) -> tuple[Vnode, list[bytes]]:
        """Walk until ``keep`` names are left."""
        cred = self.cred
        while len(todo) > keep:
            name = todo.pop()
            if name == b"..":
                vp = self.dotdot(vp)
                continue
            if name == b".":
                _search(vp, cred)
                continue
            nxt = vp.lookup(name, cred)
            if nxt.v_mounted is not None:
                nxt = cross(nxt)
            if nxt.v_type is _LNK and (todo or follow):
                vp = self.follow(vp, nxt, todo)
            else:
                vp = nxt
        return vp, todo

    def follow(self, vp: Vnode, link: Vnode, todo: list[bytes]) -> Vnode:
        """Go on through a link found in ``vp``: its names come before ``todo``."""
        target = self.magic(link)
        if target is not None:
            return target
        text = self.text(link)
        if text.endswith(b"/"):
            text += b"."
        todo.extend(components(text))
        return self.root if text[0] == 47 else vp

    def magic(self, link: Vnode) -> Vnode | None:
        """Count a link; where it leads at once, if it is one of /proc's."""
        self.links += 1
        if self.links > MAXSYMLINKS:
            raise KernelError(Errno.ELOOP, f"more than {MAXSYMLINKS} links")
        return link.follow(self.ctx)

    def text(self, link: Vnode) -> bytes:
        """The text of a link that is to be followed."""
        text = link.readlink(self.ctx)
        if not text:
            raise KernelError(Errno.ENOENT, "empty link")
        return text

    def dotdot(self, vp: Vnode) -> Vnode:
        """The parent directory, but never above the root."""
        _search(vp, self.cred)
        while True:
            if vp is self.root or vp is self.ctx.zone.root:
                return vp
            vfs = vp.v_vfs
            if vfs is None or vp is not vfs.root:
                break
            if vfs.covered is None:
                return vp
            vp = vfs.covered
        return cross(vp.lookup(b"..", self.cred))


def _search(vp: Vnode, cred: Cred) -> None:
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "not a directory")
    vp.access(cred, X_OK)


def lookup(
    kernel: Kernel,
    ctx: Proc,
    path: bytes,
    *,
    follow: bool = True,
    start: Vnode | None = None,
    cred: Cred | None = None,
) -> Vnode:
    """The vnode a path names (lookuppnat).

    Args:
        kernel: The kernel.
        ctx: The process.
        path: The path, no NUL in it.
        follow: Whether a link as the last component is followed.
        start: Where a relative path starts; the current directory if None.
        cred: Whose permissions count (access(2): the real ids).

    Returns:
        A borrowed vnode.
    """
    return Namei(ctx, cred).lookup(path, follow, start)


def lookup_parent(
    kernel: Kernel, ctx: Proc, path: bytes, start: Vnode | None = None
) -> tuple[Vnode, bytes]:
    """The directory of a path's last component, and that component."""
    last = Namei(ctx).parent(path, start)
    return last.dir, last.name


# ---- back from vnodes to names ----


def path_of(vp: Vnode, root: Vnode | None = None) -> bytes:
    """The path of a vnode as seen from ``root``, as /proc shows it.

    A removed file's last path gets " (deleted)", a vnode without any is named as
    b"pipe:[7]", a directory outside of ``root`` has b"(unreachable)" before it.

    Raises:
        KernelError: ENAMETOOLONG, longer than PATH_MAX.
    """
    if vp.v_vfs is None:
        return vp.anon_name()
    parts: list[bytes] = []
    tail = prefix = b""
    length = 0
    while vp is not root:
        vfs = vp.v_vfs
        if vfs is None:
            break
        if vp is vfs.root:
            if vfs.covered is None:
                prefix = b"" if root is None else b"(unreachable)"
                break
            vp = vfs.covered
            continue
        up = vp.parent_name()
        if up is None:
            tail = b" (deleted)"
            up = vp.last_place()
            if up is None:
                parts.append(vp.anon_name())
                break
        vp, name = up
        parts.append(name)
        length += len(name) + 1
        if length >= PATH_MAX:
            raise KernelError(Errno.ENAMETOOLONG, "path of a deep directory")
    parts.reverse()
    return prefix + b"/" + b"/".join(parts) + tail


def is_below(vp: Vnode | None, root: Vnode) -> bool:
    """Whether a vnode is ``root`` or somewhere below it, over mounts as well."""
    while vp is not None and vp is not root:
        vfs = vp.v_vfs
        if vfs is None:
            return False
        if vp is vfs.root:
            vp = vfs.covered
            continue
        up = vp.parent_name() or vp.last_place()
        vp = up[0] if up is not None else None
    return vp is root


def mounts_below(kernel: Kernel, root: Vnode) -> list[Vfs]:
    """File systems mounted below a directory, the oldest first; not one on it."""
    return [
        vfs
        for vfs in counters(kernel).mounts
        if vfs.root is not root and is_below(vfs.covered, root)
    ]


def getcwd(proc: Proc) -> bytes:
    """The path of the current directory; ENOENT if it has been removed."""
    root = root_of(proc)
    cwd = proc.user.u_cdir or root
    path = path_of(cwd, root)
    if cwd is not root and path.endswith(b" (deleted)") and not cwd.getattr().nlink:
        raise KernelError(Errno.ENOENT, "the current directory has been removed")
    return path
