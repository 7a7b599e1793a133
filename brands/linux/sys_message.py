"""System calls that send to and receive from sockets, with what comes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import MAX_RW_COUNT
from personae.brands.linux.pids import pid_from_guest
from personae.brands.linux.sockabi import (
    CONTROLLEN,
    MMSGHDR_SIZE,
    MSGHDR,
    NAMELEN,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    Msg,
    fds_that_fit,
    pack_cmsg,
    pack_ucred,
    padded,
    read_address,
    read_control,
    store_address,
)
from personae.brands.linux.sys_fd import CHUNK, gather, iovecs, scatter, space_of
from personae.brands.linux.sys_socket import socket_of
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK, File, file_close
from personae.core.sync import Sleep
from personae.core.vfs import unixgc
from personae.core.vfs.unixname import find_socket
from personae.core.vfs.unixqueue import Kind, Received, Ucred

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.lwp import Lwp
    from personae.core.vfs.unixsock import UnixSocket

UIO_MAXIOV = 1024


def _flag(file: File, flags: int) -> int:
    """Flags of the open file, with what MSG_DONTWAIT says."""
    if flags & Msg.OOB:
        raise KernelError(Errno.EOPNOTSUPP, "out-of-band data")
    return file.f_flag | (FNONBLOCK if flags & Msg.DONTWAIT else 0)


# ---- sending ----


def _send(
    lwp: Lwp,
    fd: int,
    data: bytes,
    flags: int,
    name: bytes | None = None,
    files: tuple[File, ...] = (),
    cred: Ucred | None = None,
) -> int:
    file, sock = socket_of(lwp, fd)
    to = None
    if name:
        if sock.kind is not Kind.DGRAM:
            error = Errno.EISCONN if sock.connected else Errno.EOPNOTSUPP
            raise KernelError(error, "an address for a stream")
        to = find_socket(lwp, name, sock.kind)
    return sock.send(
        lwp,
        data,
        _flag(file, flags),
        files=files,
        to=to,
        cred=cred,
        sigpipe=not flags & Msg.NOSIGNAL,
    )


def sys_sendto(
    lwp: Lwp, fd: int, buf: int, n: int, flags: int, addr: int, size: int
) -> int:
    """Send, with an address if it is a datagram."""
    socket_of(lwp, fd)
    name = read_address(lwp, addr, size & 0xFFFFFFFF) if addr else None
    return _send(lwp, fd, space_of(lwp).copyin(buf, min(n, CHUNK)), flags, name)


def sys_sendmsg(lwp: Lwp, fd: int, msg: int, flags: int) -> int:
    """Send out of several buffers, with descriptors and credentials."""
    socket_of(lwp, fd)
    name, namelen, iov, count, control, clen, _ = MSGHDR.unpack(
        space_of(lwp).copyin(msg, MSGHDR.size)
    )
    if count > UIO_MAXIOV:
        raise KernelError(Errno.EMSGSIZE, f"{count} vectors")
    where = read_address(lwp, name, namelen) if name and namelen else None
    says = read_control(lwp, control, clen if control else 0)
    files = tuple(lwp.proc.fds.getf(f & 0xFFFFFFFF) for f in says.fds)
    limit = lwp.proc.fno_ctl
    if files and unixgc.travelling(lwp.kernel) + len(files) > limit:
        unixgc.collect(lwp.kernel)
        if unixgc.travelling(lwp.kernel) + len(files) > limit:
            raise KernelError(Errno.ETOOMANYREFS, "too many files on their way")
    cred = _claimed(lwp, says.cred) if says.cred is not None else None
    vecs = iovecs(lwp, iov, count)
    total = sum(length for _, length in vecs)
    if total > CHUNK:
        vecs = _first(vecs, CHUNK)
    return _send(lwp, fd, gather(lwp, vecs), flags, where, files, cred)


def _first(vecs: list[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    """So much of the vectors as has ``room`` bytes."""
    out = []
    for base, length in vecs:
        out.append((base, min(length, room)))
        room -= out[-1][1]
    return out


def _claimed(lwp: Lwp, said: tuple[int, int, int]) -> Ucred:
    """SCM_CREDENTIALS of a sender: his own, unless he has the privilege."""
    pid, uid, gid = said
    proc = lwp.proc
    cred = proc.cred
    number = pid_from_guest(proc.zone, pid)
    if not cred.has(Priv.PROC_SETID):
        uids = (cred.uid, cred.euid, cred.suid)
        gids = (cred.gid, cred.egid, cred.sgid)
        if number != proc.pid or uid not in uids or gid not in gids:
            raise KernelError(Errno.EPERM, "credentials of somebody else")
    if number < 0:
        raise KernelError(Errno.ESRCH, f"process {pid}")
    return Ucred(number, uid, gid)


def sys_sendmmsg(lwp: Lwp, fd: int, vec: int, count: int, flags: int) -> int:
    """Several sendmsg in one call; the first failure ends it."""
    return _several(lwp, sys_sendmsg, fd, vec, count, flags)


def _several(
    lwp: Lwp,
    one: Callable[[Lwp, int, int, int], int],
    fd: int,
    vec: int,
    count: int,
    flags: int,
) -> int:
    """One call for each struct mmsghdr; only the first may wait or fail the whole."""
    socket_of(lwp, fd)
    done = 0
    while done < min(count & 0xFFFFFFFF, UIO_MAXIOV):
        at = vec + MMSGHDR_SIZE * done
        try:
            n = one(lwp, fd, at, flags | (Msg.DONTWAIT if done else 0))
            space_of(lwp).store(at + MSGHDR.size, "<I", n)
        except KernelError:
            if not done:
                raise
            break
        done += 1
    return done


# ---- receiving ----


class Taken:
    """State of a receive that waits for all of a stream (MSG_WAITALL).

    Attributes:
        done: Bytes that the caller has.
        inner: State of the socket's own wait.
    """

    __slots__ = ("done", "inner")

    def __init__(self) -> None:
        self.done = 0
        self.inner: object = None


def _receive(
    lwp: Lwp, fd: int, vecs: list[tuple[int, int]], flags: int
) -> tuple[UnixSocket, Received, int]:
    """Receive into buffers; the socket, what came last, and the bytes of all."""
    file, sock = socket_of(lwp, fd)
    flag = _flag(file, flags)
    n = sum(length for _, length in vecs)
    peek = bool(flags & Msg.PEEK)
    if flags & Msg.WAITALL and sock.kind is Kind.STREAM and not peek:
        return sock, *_receive_all(lwp, sock, vecs, n, flag)
    got = sock.recv(lwp, min(n, CHUNK), flag, peek=peek)
    _give(lwp, vecs, got)
    return sock, got, len(got.data)


def _give(lwp: Lwp, vecs: list[tuple[int, int]], got: Received) -> None:
    """Copy out; what came along and can't be given is closed."""
    try:
        scatter(lwp, vecs, got.data)
    except KernelError:
        for file in got.files:
            file_close(lwp, file)
        raise


def _receive_all(
    lwp: Lwp, sock: UnixSocket, vecs: list[tuple[int, int]], n: int, flag: int
) -> tuple[Received, int]:
    """Receive until the buffers are full, the stream ends or a file comes."""
    state = lwp.sysstate
    if not isinstance(state, Taken):
        state = Taken()
    while True:
        lwp.sysstate = state.inner
        try:
            got = sock.recv(lwp, min(n - state.done, CHUNK), flag)
        except Sleep as s:
            state.inner, lwp.sysstate = lwp.sysstate, state
            s.partial = state.done or None
            raise
        except KernelError:
            if not state.done:
                raise
            return Received(b""), state.done
        _give(lwp, _behind(vecs, state.done), got)
        state.done += len(got.data)
        state.inner = None
        if state.done >= n or not got.data or got.files:
            return got, state.done


def _behind(vecs: list[tuple[int, int]], done: int) -> list[tuple[int, int]]:
    """The vectors without their first ``done`` bytes."""
    out = []
    for base, length in vecs:
        cut = min(done, length)
        done -= cut
        out.append((base + cut, length - cut))
    return out


def _result(sock: UnixSocket, got: Received, n: int, flags: int) -> int:
    """Bytes given; with MSG_TRUNC the length of the whole datagram."""
    if flags & Msg.TRUNC and sock.kind is not Kind.STREAM:
        return got.length
    return n


def sys_recvfrom(
    lwp: Lwp, fd: int, buf: int, n: int, flags: int, addr: int, lenp: int
) -> int:
    """Receive, with the sender's address."""
    sock, got, done = _receive(lwp, fd, [(buf, min(n, MAX_RW_COUNT))], flags)
    for file in got.files:  # nobody asked for them
        file_close(lwp, file)
    if addr:
        store_address(lwp, got.name, addr, lenp)
    return _result(sock, got, done, flags)


def sys_recvmsg(lwp: Lwp, fd: int, msg: int, flags: int) -> int:
    """Receive into several buffers, with descriptors and credentials."""
    socket_of(lwp, fd)
    as_ = space_of(lwp)
    head = MSGHDR.unpack(as_.copyin(msg, MSGHDR.size))
    name, _, iov, count, control, room, _ = head
    if count > UIO_MAXIOV:
        raise KernelError(Errno.EMSGSIZE, f"{count} vectors")
    sock, got, done = _receive(lwp, fd, iovecs(lwp, iov, count), flags)
    try:
        used, cut = _put_control(lwp, sock, got, control, room, flags)
    finally:
        for file in got.files:
            file_close(lwp, file)
    out = flags & Msg.CMSG_CLOEXEC | cut
    if got.length > len(got.data):
        out |= Msg.TRUNC
    if name and got.name:
        store_address(lwp, got.name, name, msg + NAMELEN)
    elif name:
        as_.store(msg + NAMELEN, "<i", 0)
    as_.store(msg + CONTROLLEN, "<Qi", used, out)
    return _result(sock, got, done, flags)


def _put_control(
    lwp: Lwp, sock: UnixSocket, got: Received, ptr: int, room: int, flags: int
) -> tuple[int, int]:
    """Give credentials and descriptors.

    Returns:
        Bytes used, and MSG_CTRUNC if not all descriptors fitted.
    """
    out = b""
    if sock.passcred and got.cred is not None:
        out = padded(pack_cmsg(SCM_CREDENTIALS, pack_ucred(lwp, got.cred)))
        if len(out) > room:
            return 0, Msg.CTRUNC
    if got.files:
        proc, fds = lwp.proc, []
        for file in got.files[: fds_that_fit(room - len(out))]:
            try:
                cloexec = bool(flags & Msg.CMSG_CLOEXEC)
                fds.append(proc.fds.alloc(file, proc.fno_ctl, 0, cloexec))
            except KernelError:
                break
        body = b"".join(fd.to_bytes(4, "little") for fd in fds)
        if fds:
            out += padded(pack_cmsg(SCM_RIGHTS, body))[: room - len(out)]
        try:
            space_of(lwp).copyout(ptr, out)
        except KernelError:
            for fd in fds:
                proc.fds.close(lwp, fd)
            raise
        return len(out), 0 if len(fds) == len(got.files) else Msg.CTRUNC
    space_of(lwp).copyout(ptr, out)
    return len(out), 0


def sys_recvmmsg(
    lwp: Lwp, fd: int, vec: int, count: int, flags: int, timeout: int
) -> int:
    """Several recvmsg in one call; the time only counts between messages."""
    socket_of(lwp, fd)
    if timeout:
        sec, nsec = space_of(lwp).load(timeout, "<qq")
        if sec < 0 or not 0 <= nsec < 10**9:
            raise KernelError(Errno.EINVAL, "timeout")
    return _several(lwp, sys_recvmsg, fd, vec, count, flags & ~Msg.WAITFORONE)
