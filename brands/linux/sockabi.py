"""Sockets as Linux lays them out: addresses, message headers, control messages.

From the uapi headers linux/socket.h, linux/un.h and asm-generic/socket.h, with
64-bit longs.
"""

from __future__ import annotations

from enum import IntFlag
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from personae.brands.linux.pids import pid_to_guest
from personae.brands.linux.sys_fd import space_of
from personae.core.errno import Errno, KernelError
from personae.core.flags import quick_flags

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.unixqueue import Ucred

AF_UNSPEC, AF_UNIX = 0, 1
SOL_SOCKET = 1
SCM_RIGHTS, SCM_CREDENTIALS = 1, 2
SCM_MAX_FD = 253
"""Most descriptors in one message (net/scm.h)."""
SUN_PATH = 108
SOCK_TYPE_MASK = 0xF
SOCK_NONBLOCK, SOCK_CLOEXEC = 0o4000, 0o2000000

_CMSG = Struct("<Qii")
_UCRED = Struct("<iII")
MSGHDR = Struct("<QI4xQQQQi4x")
"""struct user_msghdr: name, namelen, iov, iovlen, control, controllen, flags."""
NAMELEN, CONTROLLEN = 8, 40
"""Offsets in it; the flags follow the length of the control messages."""
MMSGHDR_SIZE = 64


@quick_flags
class Msg(IntFlag):
    """Flags of send and recv (linux/socket.h)."""

    OOB = 0x1
    PEEK = 0x2
    DONTROUTE = 0x4
    CTRUNC = 0x8
    TRUNC = 0x20
    DONTWAIT = 0x40
    EOR = 0x80
    WAITALL = 0x100
    NOSIGNAL = 0x4000
    MORE = 0x8000
    WAITFORONE = 0x10000
    CMSG_CLOEXEC = 0x40000000


class Control(NamedTuple):
    """What the control messages of a send say: descriptors, and who sends."""

    fds: tuple[int, ...]
    cred: tuple[int, int, int] | None


# ---- addresses ----


def read_address(lwp: Lwp, ptr: int, size: int) -> bytes:
    """An AF_UNIX address: a path without its NUL, or NUL and an abstract name.

    Returns:
        The name; empty for one that is nothing but the family.

    Raises:
        KernelError: EINVAL, another family or a bad length; EFAULT.
    """
    if not 2 <= size <= SUN_PATH + 2:
        raise KernelError(Errno.EINVAL, f"address of {size} bytes")
    raw = space_of(lwp).copyin(ptr, size)
    if int.from_bytes(raw[:2], "little") != AF_UNIX:
        raise KernelError(Errno.EINVAL, "address of another family")
    name = raw[2:]
    return name if name[:1] == b"\0" else name.split(b"\0", 1)[0]


def family_of(lwp: Lwp, ptr: int, size: int) -> int:
    """The family of an address."""
    if size < 2:
        raise KernelError(Errno.EINVAL, f"address of {size} bytes")
    return int.from_bytes(space_of(lwp).copyin(ptr, 2), "little")


def address(name: bytes) -> bytes:
    """The struct sockaddr_un of a name, as long as it has to be."""
    family = AF_UNIX.to_bytes(2, "little")
    if not name or name[:1] == b"\0":
        return family + name
    return family + name + b"\0"


def store_address(lwp: Lwp, name: bytes, ptr: int, lenp: int) -> None:
    """Give an address to the caller, cut to his length; its own length always.

    Raises:
        KernelError: EINVAL, a negative length; EFAULT.
    """
    as_ = space_of(lwp)
    (room,) = as_.load(lenp, "<i")
    if room < 0:
        raise KernelError(Errno.EINVAL, "negative length")
    raw = address(name)
    as_.copyout(ptr, raw[:room])
    as_.store(lenp, "<i", len(raw))


# ---- control messages ----


def _aligned(n: int) -> int:
    return (n + 7) & ~7


def read_control(lwp: Lwp, ptr: int, size: int) -> Control:
    """The control messages of a sendmsg (cmsg(3)).

    Raises:
        KernelError: EINVAL, a broken one or too many descriptors; EFAULT; ENOBUFS.
    """
    if size > 20480:  # net.core.optmem_max
        raise KernelError(Errno.ENOBUFS, f"{size} bytes of control messages")
    raw = space_of(lwp).copyin(ptr, size) if size else b""
    fds: tuple[int, ...] = ()
    cred = None
    at = 0
    while at + _CMSG.size <= len(raw):
        length, level, kind = _CMSG.unpack_from(raw, at)
        if length < _CMSG.size or length > len(raw) - at:
            raise KernelError(Errno.EINVAL, "length of a control message")
        body = raw[at + _CMSG.size : at + length]
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            n = len(body) // 4
            fds += Struct(f"<{n}i").unpack_from(body)
            if len(fds) > SCM_MAX_FD:
                raise KernelError(Errno.EINVAL, f"{len(fds)} descriptors")
        elif level == SOL_SOCKET and kind == SCM_CREDENTIALS:
            if len(body) != _UCRED.size:
                raise KernelError(Errno.EINVAL, "length of credentials")
            cred = _UCRED.unpack(body)
        elif level == SOL_SOCKET:
            raise KernelError(Errno.EINVAL, f"control message {kind}")
        at += _aligned(length)
    return Control(fds, cred)


def pack_ucred(lwp: Lwp, cred: Ucred) -> bytes:
    """A struct ucred, with the pid as the caller's zone knows it."""
    return _UCRED.pack(pid_to_guest(lwp.proc.zone, cred.pid), cred.uid, cred.gid)


def pack_cmsg(kind: int, body: bytes) -> bytes:
    """One control message of SOL_SOCKET, not padded."""
    return _CMSG.pack(_CMSG.size + len(body), SOL_SOCKET, kind) + body


def fds_that_fit(room: int) -> int:
    """How many descriptors fit in so many bytes of control messages."""
    return max(0, (room - _CMSG.size) // 4)


def padded(cmsg: bytes) -> bytes:
    """A control message, so long that another may follow (CMSG_SPACE)."""
    return cmsg.ljust(_aligned(len(cmsg)), b"\0")
