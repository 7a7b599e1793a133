"""Addresses of local sockets: the nodes of a file system, and abstract names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.vfs import vnops
from personae.core.vfs.lookup import Namei
from personae.core.vfs.tmpnode import TmpDev
from personae.core.vfs.vnode import W_OK, VType, counters

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.unixqueue import Kind
    from personae.core.vfs.unixsock import UnixSocket


def bind_path(lwp: Lwp, sock: UnixSocket, name: bytes) -> None:
    """Make the node of an address and give it to the socket (bind(2)).

    Raises:
        KernelError: EINVAL, the socket has one; EADDRINUSE, and as mknod(2) says.
    """
    if sock.name:
        raise KernelError(Errno.EINVAL, "the socket has an address")
    try:
        node = vnops.vn_mknod(lwp, name, VType.SOCK, 0o777)
    except KernelError as e:
        if e.errno is Errno.EEXIST:
            raise KernelError(Errno.EADDRINUSE, f"{name!r}") from None
        raise
    assert isinstance(node, TmpDev)
    sock.bind(name, node)


def find_socket(lwp: Lwp, name: bytes, kind: Kind) -> UnixSocket:
    """The socket with an address; a name that begins with NUL is an abstract one.

    Raises:
        KernelError: ECONNREFUSED, nobody has it; EACCES, and as a lookup says.
    """
    if name[:1] == b"\0":
        got = counters(lwp.kernel).abstract.get((lwp.proc.zone.id, kind, name))
    else:
        vp = Namei(lwp.proc).lookup(name)
        vp.access(lwp.proc.cred, W_OK)
        got = vp.sock if isinstance(vp, TmpDev) else None
    if got is None:
        raise KernelError(Errno.ECONNREFUSED, f"no socket at {name!r}")
    return got
