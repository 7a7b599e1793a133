"""Options of sockets: getsockopt and setsockopt (socket(7), unix(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import ERRNO, TIMEVAL
from personae.brands.linux.sockabi import AF_UNIX, SOL_SOCKET, pack_ucred
from personae.brands.linux.sys_fd import space_of
from personae.brands.linux.sys_socket import socket_of
from personae.core.errno import Errno, KernelError
from personae.core.syscall import s32
from personae.core.vfs.unixqueue import SNDBUF, Ucred

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.unixsock import UnixSocket

SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_BROADCAST = 2, 3, 4, 6
SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_LINGER = 7, 8, 9, 13
SO_PASSCRED, SO_PEERCRED, SO_RCVTIMEO, SO_SNDTIMEO = 16, 17, 20, 21
SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN = 30, 38, 39
SNDBUF_MIN, SNDBUF_MAX = 4608, 425984
_KEPT = (SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE)
"""Kept and told, without a meaning for this family."""


def sys_setsockopt(
    lwp: Lwp, fd: int, level: int, option: int, ptr: int, size: int
) -> int:
    """Set an option of SOL_SOCKET."""
    _, sock = socket_of(lwp, fd)
    level, option, size = s32(level), s32(option), s32(size)
    if level != SOL_SOCKET:
        raise KernelError(Errno.EOPNOTSUPP, f"options of level {level}")
    if size < 4:
        raise KernelError(Errno.EINVAL, f"option of {size} bytes")
    as_ = space_of(lwp)
    (value,) = as_.load(ptr, "<i")
    if option in (SO_RCVTIMEO, SO_SNDTIMEO):
        if size < TIMEVAL.size:
            raise KernelError(Errno.EINVAL, "a time is a struct timeval")
        sec, usec = TIMEVAL.unpack(as_.copyin(ptr, TIMEVAL.size))
        if not 0 <= usec < 10**6:
            raise KernelError(Errno.EDOM, "microseconds")
        side = option - SO_RCVTIMEO
        sock.timeouts[side] = sec * 10**9 + usec * 1000 if sec >= 0 else 1
    elif option == SO_PASSCRED:
        sock.passcred = value != 0
    elif option == SO_SNDBUF:
        sock.sndbuf = max(SNDBUF_MIN, min(2 * max(value, 0), SNDBUF_MAX))
    elif option == SO_RCVBUF:
        sock.options[option] = max(2304, min(2 * max(value, 0), SNDBUF_MAX))
    elif option in _KEPT:
        sock.options[option] = int(value != 0)
    else:
        raise KernelError(Errno.ENOPROTOOPT, f"option {option}")
    return 0


def _option(lwp: Lwp, sock: UnixSocket, option: int) -> bytes:
    if option in (SO_RCVTIMEO, SO_SNDTIMEO):
        ns = sock.timeouts[option - SO_RCVTIMEO]
        return TIMEVAL.pack(ns // 10**9, ns % 10**9 // 1000)
    if option == SO_PEERCRED:
        return pack_ucred(lwp, sock.peercred or Ucred(0, 0xFFFFFFFF, 0xFFFFFFFF))
    if option == SO_LINGER:
        return bytes(8)
    if option == SO_ERROR:
        error = sock.take_error()
        return _int(ERRNO[error] if error is not None else 0)
    if option in (SO_RCVBUF, *_KEPT):
        default = SNDBUF if option == SO_RCVBUF else 0
        return _int(sock.options.get(option, default))
    values = {
        SO_TYPE: int(sock.kind),
        SO_SNDBUF: sock.sndbuf,
        SO_PASSCRED: int(sock.passcred),
        SO_ACCEPTCONN: int(sock.backlog >= 0),
        SO_PROTOCOL: 0,
        SO_DOMAIN: AF_UNIX,
    }
    if option not in values:
        raise KernelError(Errno.ENOPROTOOPT, f"option {option}")
    return _int(values[option])


def _int(value: int) -> bytes:
    return value.to_bytes(4, "little")


def sys_getsockopt(
    lwp: Lwp, fd: int, level: int, option: int, ptr: int, lenp: int
) -> int:
    """Tell an option of SOL_SOCKET."""
    _, sock = socket_of(lwp, fd)
    if s32(level) != SOL_SOCKET:
        raise KernelError(Errno.EOPNOTSUPP, f"options of level {s32(level)}")
    as_ = space_of(lwp)
    (room,) = as_.load(lenp, "<i")
    if room < 0:
        raise KernelError(Errno.EINVAL, "negative length")
    raw = _option(lwp, sock, s32(option))[:room]
    as_.copyout(ptr, raw)
    as_.store(lenp, "<i", len(raw))
    return 0
