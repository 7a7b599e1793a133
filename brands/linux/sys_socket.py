"""System calls on sockets: the local family, AF_UNIX (unix(7)).

Other families are EAFNOSUPPORT: the machine has no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.sockabi import (
    AF_UNIX,
    AF_UNSPEC,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_TYPE_MASK,
    family_of,
    read_address,
    store_address,
)
from personae.brands.linux.sys_fd import (
    getf,
)
from personae.brands.linux.sys_fdctl import install_pair
from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK
from personae.core.syscall import s32
from personae.core.vfs.unixname import bind_path, find_socket
from personae.core.vfs.unixqueue import Kind
from personae.core.vfs.unixsock import UnixSocket, accept_fd, join, sock_file, ucred_of
from personae.core.vfs.vnode import counters

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.lwp import Lwp


def socket_of(lwp: Lwp, fd: int) -> tuple[File, UnixSocket]:
    """The socket of a descriptor: EBADF, ENOTSOCK."""
    file = getf(lwp, fd)
    vp = file.f_vnode
    if not isinstance(vp, UnixSocket):
        raise KernelError(Errno.ENOTSOCK, "not a socket")
    return file, vp


def _kind(family: int, kind: int, protocol: int) -> tuple[Kind, int, bool]:
    """Type, FNONBLOCK and close-on-exec of a new socket."""
    kind &= 0xFFFFFFFF
    if kind & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise KernelError(Errno.EINVAL, f"type {kind:#x}")
    if s32(family) != AF_UNIX:
        raise KernelError(Errno.EAFNOSUPPORT, f"socket family {s32(family)}")
    if s32(protocol) not in (0, AF_UNIX):
        raise KernelError(Errno.EPROTONOSUPPORT, f"protocol {s32(protocol)}")
    number = kind & SOCK_TYPE_MASK
    if number == 3:  # SOCK_RAW is a datagram (unix_create)
        number = Kind.DGRAM
    if number not in list(Kind):
        raise KernelError(Errno.ESOCKTNOSUPPORT, f"type {number}")
    flag = FNONBLOCK if kind & SOCK_NONBLOCK else 0
    return Kind(number), flag, bool(kind & SOCK_CLOEXEC)


# ---- making and connecting ----


def sys_socket(lwp: Lwp, family: int, kind: int, protocol: int) -> int:
    """Make a socket."""
    number, flag, cloexec = _kind(family, kind, protocol)
    sock = UnixSocket(lwp.kernel, number, ucred_of(lwp))
    proc = lwp.proc
    return proc.fds.install(lwp, sock_file(lwp, sock, flag), proc.fno_ctl, cloexec)


def sys_socketpair(lwp: Lwp, family: int, kind: int, protocol: int, sv: int) -> int:
    """Make two sockets that are connected."""
    number, flag, cloexec = _kind(family, kind, protocol)
    who = ucred_of(lwp)
    a, b = (UnixSocket(lwp.kernel, number, who) for _ in range(2))
    join(a, b)
    return install_pair(
        lwp, sock_file(lwp, a, flag), sock_file(lwp, b, flag), sv, cloexec
    )


def _autobind(lwp: Lwp, sock: UnixSocket) -> None:
    """An abstract name of five hexadecimal digits (unix(7), autobind)."""
    zone = lwp.proc.zone.id
    for n in range(1 << 20):
        name = b"\0%05x" % n
        if (zone, sock.kind, name) not in counters(lwp.kernel).abstract:
            sock.bind(name, None, zone)
            return
    raise KernelError(Errno.ENOSPC, "every autobind name is taken")


def sys_bind(lwp: Lwp, fd: int, addr: int, size: int) -> int:
    """Give a socket its address."""
    _, sock = socket_of(lwp, fd)
    name = read_address(lwp, addr, size)
    if sock.name:
        raise KernelError(Errno.EINVAL, "the socket has an address")
    if not name:
        _autobind(lwp, sock)
    elif name[:1] == b"\0":
        sock.bind(name, None, lwp.proc.zone.id)
    else:
        bind_path(lwp, sock, name)
    return 0


def sys_listen(lwp: Lwp, fd: int, backlog: int) -> int:
    """Let others connect."""
    _, sock = socket_of(lwp, fd)
    sock.listen(s32(backlog), ucred_of(lwp))
    return 0


def sys_connect(lwp: Lwp, fd: int, addr: int, size: int) -> int:
    """Connect to a listener, or set where datagrams go."""
    file, sock = socket_of(lwp, fd)
    size &= 0xFFFFFFFF
    if sock.kind is Kind.DGRAM and family_of(lwp, addr, size) == AF_UNSPEC:
        sock.connect(lwp, None, file.f_flag)
        return 0
    name = read_address(lwp, addr, size)
    if not name:
        raise KernelError(Errno.EINVAL, "an address without a name")
    sock.connect(lwp, find_socket(lwp, name, sock.kind), file.f_flag)
    return 0


def sys_accept(lwp: Lwp, fd: int, addr: int, lenp: int) -> int:
    """Take the next connection."""
    return sys_accept4(lwp, fd, addr, lenp, 0)


def sys_accept4(lwp: Lwp, fd: int, addr: int, lenp: int, flags: int) -> int:
    """As accept, with flags for the new descriptor."""
    flags &= 0xFFFFFFFF
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise KernelError(Errno.EINVAL, f"flags {flags:#x}")
    file, sock = socket_of(lwp, fd)
    flag = FNONBLOCK if flags & SOCK_NONBLOCK else 0
    slot, got = accept_fd(lwp, file, sock, flag, bool(flags & SOCK_CLOEXEC))
    if addr:
        try:
            store_address(lwp, got.peer.name if got.peer else b"", addr, lenp)
        except KernelError:
            lwp.proc.fds.close(lwp, slot)
            raise
    return slot


def sys_getsockname(lwp: Lwp, fd: int, addr: int, lenp: int) -> int:
    """The socket's own address."""
    _, sock = socket_of(lwp, fd)
    store_address(lwp, sock.name, addr, lenp)
    return 0


def sys_getpeername(lwp: Lwp, fd: int, addr: int, lenp: int) -> int:
    """The address of the other end."""
    _, sock = socket_of(lwp, fd)
    if sock.peer is None:
        raise KernelError(Errno.ENOTCONN, "not connected")
    store_address(lwp, sock.peer.name, addr, lenp)
    return 0


def sys_shutdown(lwp: Lwp, fd: int, how: int) -> int:
    """End one direction or both."""
    _, sock = socket_of(lwp, fd)
    sock.shutdown(s32(how))
    return 0
