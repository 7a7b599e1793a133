"""Sockets of the local family for native programs (sys/socket.h, socket.h(3HEAD)).

Other families are EAFNOSUPPORT, since the machine has no network.  Control messages,
and so sendmsg and recvmsg, are absent.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native.user import space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK, file_close
from personae.core.syscall import s32
from personae.core.vfs.unixname import bind_path, find_socket
from personae.core.vfs.unixqueue import Kind
from personae.core.vfs.unixsock import UnixSocket, accept_fd, join, sock_file, ucred_of
from personae.core.vfs.vnode import MAXIO

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.lwp import Lwp

AF_UNIX = 1
SOCK_TYPE_MASK = 0xFFFF
SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_NDELAY = 0x80000, 0x100000, 0x200000
KINDS = {1: Kind.DGRAM, 2: Kind.STREAM, 6: Kind.SEQPACKET}
"""By SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET, which are not Linux' numbers."""
NUMBERS = {kind: number for number, kind in KINDS.items()}
SUN_PATH = 108
MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_DONTWAIT, MSG_NOSIGNAL = 1, 2, 4, 0x80, 0x200
SEND_FLAGS = MSG_DONTROUTE | MSG_DONTWAIT | MSG_NOSIGNAL
RECV_FLAGS = MSG_PEEK | MSG_DONTWAIT

SOL_SOCKET = 0xFFFF
SO_ACCEPTCONN, SO_SNDBUF, SO_SNDTIMEO, SO_RCVTIMEO = 0x2, 0x1001, 0x1005, 0x1006
SO_ERROR, SO_TYPE, SO_PROTOTYPE, SO_DOMAIN = 0x1007, 0x1008, 0x1009, 0x100C
SNDBUF_LEAST, SNDBUF_MOST = 2048, 1 << 20
TIMEVAL = Struct("<qq")
MICRO = 1_000_000


def _socket_of(lwp: Lwp, fd: int) -> tuple[File, UnixSocket]:
    """The socket of a descriptor: EBADF, ENOTSOCK."""
    file = lwp.proc.fds.getf(s32(fd))
    if not isinstance(file.f_vnode, UnixSocket):
        raise KernelError(Errno.ENOTSOCK, "not a socket")
    return file, file.f_vnode


# ---- addresses ----


def _read_name(lwp: Lwp, addr: int, size: int) -> bytes:
    """The path of a sockaddr_un; EINVAL for another family or length."""
    size &= 0xFFFFFFFF
    if not 2 < size <= SUN_PATH + 2:
        raise KernelError(Errno.EINVAL, f"address of {size} bytes")
    raw = space_of(lwp).copyin(addr, size)
    if int.from_bytes(raw[:2], "little") != AF_UNIX:
        raise KernelError(Errno.EAFNOSUPPORT, "address of another family")
    name = raw[2:].split(b"\0", 1)[0]
    if not name:
        raise KernelError(Errno.ENOENT, "an address without a path")
    return name


def _store_name(lwp: Lwp, name: bytes, addr: int, lenp: int) -> None:
    """Store a sockaddr_un, cut to the room there is, and its full length."""
    if not addr:
        return
    as_ = space_of(lwp)
    (room,) = as_.load(lenp, "<I")
    full = AF_UNIX.to_bytes(2, "little") + (name + b"\0" if name else b"")
    if room:
        as_.copyout(addr, full[:room])
    as_.store(lenp, "<I", len(full))


# ---- making and connecting ----


def sys_so_socket(lwp: Lwp, family: int, kind: int, protocol: int) -> int:
    """so_socket(family, type, protocol, device, version)."""
    if s32(family) != AF_UNIX:
        raise KernelError(Errno.EAFNOSUPPORT, f"socket family {s32(family)}")
    kind &= 0xFFFFFFFF
    number = KINDS.get(kind & SOCK_TYPE_MASK)
    if kind & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK | SOCK_NDELAY):
        raise KernelError(Errno.EINVAL, f"type {kind:#x}")
    if number is None:
        raise KernelError(Errno.EPROTOTYPE, f"type {kind & SOCK_TYPE_MASK}")
    if s32(protocol):
        raise KernelError(Errno.EPROTONOSUPPORT, f"protocol {s32(protocol)}")
    p = lwp.proc
    flag = FNONBLOCK if kind & (SOCK_NONBLOCK | SOCK_NDELAY) else 0
    sock = UnixSocket(lwp.kernel, number, ucred_of(lwp))
    file = sock_file(lwp, sock, flag)
    return p.fds.install(lwp, file, p.fno_ctl, bool(kind & SOCK_CLOEXEC))


def sys_so_socketpair(lwp: Lwp, sv: int) -> int:
    """so_socketpair(sv): connect two sockets to each other (socketpair(3SOCKET))."""
    socks = [_socket_of(lwp, fd)[1] for fd in space_of(lwp).load(sv, "<ii")]
    a, b = socks
    if a is b or a.kind is not b.kind:
        raise KernelError(Errno.EINVAL, "no pair")
    for sock in socks:
        if sock.connected or sock.peer is not None:
            raise KernelError(Errno.EISCONN, "connected already")
        if sock.backlog >= 0:
            raise KernelError(Errno.EOPNOTSUPP, "a listener")
    join(a, b)
    return 0


def sys_bind(lwp: Lwp, fd: int, addr: int, size: int) -> int:
    """bind(fd, name, namelen, version)."""
    _, sock = _socket_of(lwp, fd)
    bind_path(lwp, sock, _read_name(lwp, addr, size))
    return 0


def sys_listen(lwp: Lwp, fd: int, backlog: int) -> int:
    """listen(fd, backlog, version)."""
    _, sock = _socket_of(lwp, fd)
    sock.listen(s32(backlog), ucred_of(lwp))
    return 0


def sys_connect(lwp: Lwp, fd: int, addr: int, size: int) -> int:
    """connect(fd, name, namelen, version)."""
    file, sock = _socket_of(lwp, fd)
    name = _read_name(lwp, addr, size)
    sock.connect(lwp, find_socket(lwp, name, sock.kind), file.f_flag)
    return 0


def sys_accept(
    lwp: Lwp, fd: int, addr: int, lenp: int, _version: int, flags: int
) -> int:
    """accept(fd, name, namelenp, version, flags)."""
    flags = s32(flags)
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK | SOCK_NDELAY):
        raise KernelError(Errno.EINVAL, f"accept flags {flags:#x}")
    file, sock = _socket_of(lwp, fd)
    flag = FNONBLOCK if flags & (SOCK_NONBLOCK | SOCK_NDELAY) else 0
    slot, got = accept_fd(lwp, file, sock, flag, bool(flags & SOCK_CLOEXEC))
    try:
        _store_name(lwp, got.peer.name if got.peer else b"", addr, lenp)
    except KernelError:
        lwp.proc.fds.close(lwp, slot)
        raise
    return slot


def sys_shutdown(lwp: Lwp, fd: int, how: int) -> int:
    """shutdown(fd, how, version)."""
    _, sock = _socket_of(lwp, fd)
    sock.shutdown(s32(how))
    return 0


def sys_getsockname(lwp: Lwp, fd: int, addr: int, lenp: int) -> int:
    """getsockname(fd, name, namelenp, version)."""
    _, sock = _socket_of(lwp, fd)
    _store_name(lwp, sock.name, addr, lenp)
    return 0


def sys_getpeername(lwp: Lwp, fd: int, addr: int, lenp: int) -> int:
    """getpeername(fd, name, namelenp, version)."""
    _, sock = _socket_of(lwp, fd)
    if sock.peer is None:
        raise KernelError(Errno.ENOTCONN, "not connected")
    _store_name(lwp, sock.peer.name, addr, lenp)
    return 0


# ---- data ----


def _flags(file: File, flags: int, known: int) -> int:
    """FNONBLOCK of a call; EOPNOTSUPP for flags that mean nothing here."""
    if s32(flags) & ~known:
        raise KernelError(Errno.EOPNOTSUPP, f"message flags {s32(flags):#x}")
    return file.f_flag | (FNONBLOCK if flags & MSG_DONTWAIT else 0)


def sys_send(lwp: Lwp, fd: int, buf: int, n: int, flags: int) -> int:
    """send(fd, buf, n, flags)."""
    return sys_sendto(lwp, fd, buf, n, flags, 0, 0)


def sys_sendto(
    lwp: Lwp, fd: int, buf: int, n: int, flags: int, addr: int, size: int
) -> int:
    """sendto(fd, buf, n, flags, to, tolen)."""
    file, sock = _socket_of(lwp, fd)
    flag = _flags(file, flags, SEND_FLAGS)
    to = None
    if addr:
        if sock.kind is not Kind.DGRAM:
            raise KernelError(Errno.EISCONN, "an address for a connection")
        to = find_socket(lwp, _read_name(lwp, addr, size), sock.kind)
    n = min(n, MAXIO)
    data = space_of(lwp).copyin(buf, n) if n else b""
    quiet = bool(flags & MSG_NOSIGNAL)
    return sock.send(lwp, data, flag, to=to, sigpipe=not quiet)


def sys_recv(lwp: Lwp, fd: int, buf: int, n: int, flags: int) -> int:
    """recv(fd, buf, n, flags)."""
    return sys_recvfrom(lwp, fd, buf, n, flags, 0, 0)


def sys_recvfrom(
    lwp: Lwp, fd: int, buf: int, n: int, flags: int, addr: int, lenp: int
) -> int:
    """recvfrom(fd, buf, n, flags, from, fromlenp)."""
    file, sock = _socket_of(lwp, fd)
    flag = _flags(file, flags, RECV_FLAGS)
    got = sock.recv(lwp, min(n, MAXIO), flag, peek=bool(flags & MSG_PEEK))
    for extra in got.files:  # descriptors that nobody asked for are closed
        file_close(lwp, extra)
    if got.data:
        space_of(lwp).copyout(buf, got.data)
    _store_name(lwp, got.name, addr, lenp)
    return len(got.data)


# ---- options ----


def sys_getsockopt(
    lwp: Lwp, fd: int, level: int, option: int, val: int, lenp: int
) -> int:
    """getsockopt(fd, level, option, value, lenp, version)."""
    _, sock = _socket_of(lwp, fd)
    if s32(level) != SOL_SOCKET:
        raise KernelError(Errno.ENOPROTOOPT, f"level {s32(level):#x}")
    option = s32(option)
    as_ = space_of(lwp)
    (room,) = as_.load(lenp, "<I")
    data = _option(sock, option)[:room]
    if data:
        as_.copyout(val, data)
    as_.store(lenp, "<I", len(data))
    return 0


def _option(sock: UnixSocket, option: int) -> bytes:
    """The value of an option, as it lies in memory."""
    if option in (SO_RCVTIMEO, SO_SNDTIMEO):
        us = sock.timeouts[option == SO_SNDTIMEO] // 1000
        return TIMEVAL.pack(us // MICRO, us % MICRO)
    if option == SO_ERROR:
        error = sock.take_error()
        number = int(error) if error is not None else 0
    elif option == SO_TYPE:
        number = NUMBERS[sock.kind]
    elif option == SO_ACCEPTCONN:
        number = SO_ACCEPTCONN if sock.backlog >= 0 else 0
    elif option == SO_SNDBUF:
        number = sock.sndbuf
    elif option in (SO_DOMAIN, SO_PROTOTYPE):
        number = AF_UNIX if option == SO_DOMAIN else 0
    else:
        raise KernelError(Errno.ENOPROTOOPT, f"option {option:#x}")
    return number.to_bytes(4, "little")


def sys_setsockopt(
    lwp: Lwp, fd: int, level: int, option: int, val: int, size: int
) -> int:
    """setsockopt(fd, level, option, value, len, version): buffer size and times."""
    _, sock = _socket_of(lwp, fd)
    option = s32(option)
    if s32(level) != SOL_SOCKET:
        raise KernelError(Errno.ENOPROTOOPT, f"level {s32(level):#x}")
    as_ = space_of(lwp)
    if option == SO_SNDBUF and size & 0xFFFFFFFF == 4:
        (number,) = as_.load(val, "<I")
        sock.sndbuf = max(SNDBUF_LEAST, min(number, SNDBUF_MOST))
    elif option in (SO_RCVTIMEO, SO_SNDTIMEO) and size & 0xFFFFFFFF == TIMEVAL.size:
        sec, usec = as_.load(val, "<qq")
        if not 0 <= usec < MICRO or sec < 0:
            raise KernelError(Errno.EDOM, "not a time")
        sock.timeouts[option == SO_SNDTIMEO] = (sec * MICRO + usec) * 1000
    elif option in (SO_SNDBUF, SO_RCVTIMEO, SO_SNDTIMEO):
        raise KernelError(Errno.EINVAL, f"value of {size & 0xFFFFFFFF} bytes")
    else:
        raise KernelError(Errno.ENOPROTOOPT, f"option {option:#x}")
    return 0
