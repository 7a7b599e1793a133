"""Sockets of the local kind: AF_UNIX streams, datagrams, packets (unix(7)).

A ``UnixSocket`` is a vnode.  What is sent is queued, message by message, at the
socket that will read it, so a socket's memory is what others have sent to it; the
two ends of a connection are each other's ``peer``.  Open files travel in messages
(SCM_RIGHTS) as references of their own; ``unixgc`` finds those that only travel in
a circle.

Waiting is as everywhere: ``Sleep``, and the operation is entered again.  How far a
send has come and until when a call may wait is kept in ``lwp.sysstate``.

Must not know: address structures, options or numbers of any brand.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK, FREAD, FWRITE, File, file_close
from personae.core.signo import Sig
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.vfs import unixgc
from personae.core.vfs.unixqueue import (
    OVERHEAD,
    SNDBUF,
    Kind,
    Message,
    MessageQueue,
    Received,
    Ucred,
)
from personae.core.vfs.vnode import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    Vattr,
    Vnode,
    VType,
    counters,
    new_ino,
)

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vfs.tmpnode import TmpDev

DGRAM_QLEN = 10
"""Datagrams that may wait at one reader (net.unix.max_dgram_qlen)."""
SOMAXCONN = 4096
"""Longest queue of connections that nobody has accepted (listen(2))."""


class Waiting(NamedTuple):
    """Kept in ``lwp.sysstate`` over a wait: bytes done, and when to give up."""

    done: int
    deadline: int | None


def ucred_of(lwp: Lwp) -> Ucred:
    """The credentials that a peer is shown."""
    cred = lwp.proc.cred
    return Ucred(lwp.proc.pid, cred.euid, cred.egid)


class UnixSocket(MessageQueue):
    """One socket.

    Attributes:
        name: Its address; empty until it is bound.
        peer: The other end; for datagrams where they go by default.
        peercred: Who made the other end.
        backlog: How many connections may wait; -1 while it does not listen.
        pending: Connections to accept, the oldest first.
        rd_shut: Nothing more will be read.
        wr_shut: Nothing more will be sent.
        error: What the next call reports, once (SO_ERROR).
        timeouts: ns that reading and writing may wait; 0 for ever.
        sndbuf: Bytes it may have waiting at its reader (SO_SNDBUF).
        options: What a brand keeps of options without a meaning here.
    """

    def __init__(self, kernel: Kernel, kind: Kind, cred: Ucred) -> None:
        super().__init__(kernel, kind)
        self.ino = new_ino(kernel)
        self.cred = cred
        self.name = b""
        self.node: TmpDev | None = None
        self.abstract: tuple[int, Kind, bytes] | None = None
        self.peer: UnixSocket | None = None
        self.peercred: Ucred | None = None
        self.connected = False
        self.backlog = -1
        self.pending: deque[UnixSocket] = deque()
        self.rd_shut = self.wr_shut = self.closed = False
        self.error: Errno | None = None
        self.timeouts = [0, 0]
        self.sndbuf = SNDBUF
        self.options: dict[int, int] = {}

    # -- names and connections

    def bind(self, name: bytes, node: TmpDev | None, zone_id: int = 0) -> None:
        """Give it its address: the name of a node, or an abstract one of a zone.

        Raises:
            KernelError: EINVAL, it has one; EADDRINUSE.
        """
        if self.name:
            raise KernelError(Errno.EINVAL, "the socket has an address")
        if node is not None:
            node.sock = self
            node.hold()
            self.node = node
        else:
            key = zone_id, self.kind, name
            table = counters(self.kernel).abstract
            if key in table:
                raise KernelError(Errno.EADDRINUSE, f"{name!r}")
            table[key] = self
            self.abstract = key
        self.name = name

    def listen(self, backlog: int, cred: Ucred) -> None:
        """Let others connect (listen(2)).

        Raises:
            KernelError: EOPNOTSUPP, datagrams; EINVAL, no address or connected.
        """
        if self.kind is Kind.DGRAM:
            raise KernelError(Errno.EOPNOTSUPP, "listen for datagrams")
        if not self.name or self.connected:
            raise KernelError(Errno.EINVAL, "without an address, or connected")
        self.backlog = min(backlog, SOMAXCONN) if backlog >= 0 else SOMAXCONN
        self.cred = cred
        self.kernel.wakeup(self.cv_out)

    def connect(self, lwp: Lwp, target: UnixSocket | None, flag: int) -> None:
        """Connect to a listener, or set where datagrams go; None dissolves that.

        Raises:
            KernelError: EISCONN, EINVAL (it listens), EPROTOTYPE, ECONNREFUSED;
                EAGAIN, the listener's queue is full.
            Sleep: Until there is room in that queue.
        """
        if self.kind is Kind.DGRAM:
            self._aim(target)
            return
        if self.backlog >= 0:
            raise KernelError(Errno.EINVAL, "the socket listens")
        if self.connected:
            raise KernelError(Errno.EISCONN, "connected")
        if target is None:
            raise KernelError(Errno.EINVAL, "no address to connect to")
        if target.kind is not self.kind:
            raise KernelError(Errno.EPROTOTYPE, "sockets of different types")
        if target.backlog < 0 or target.closed or target.rd_shut:
            raise KernelError(Errno.ECONNREFUSED, "nobody listens")
        if len(target.pending) > target.backlog:
            self._wait(lwp, target.cv_out, 1, flag)
        other = UnixSocket(self.kernel, self.kind, target.cred)
        other.name = target.name
        self.cred = ucred_of(lwp)
        join(self, other)
        other.passcred = target.passcred
        target.pending.append(other)
        self.kernel.wakeup(target.cv_in)

    def _aim(self, target: UnixSocket | None) -> None:
        if target is not None:
            if target.kind is not Kind.DGRAM:
                raise KernelError(Errno.EPROTOTYPE, "sockets of different types")
            if target.closed:
                raise KernelError(Errno.ECONNREFUSED, "the socket is closed")
            if target.peer not in (None, self):
                raise KernelError(Errno.EPERM, "it has another peer")
        self.peer = target
        self.connected = target is not None
        self.peercred = target.cred if target is not None else None

    def accept(self, lwp: Lwp, flag: int) -> UnixSocket:
        """The oldest waiting connection; no open file refers to it yet.

        Raises:
            KernelError: EINVAL, it does not listen; EOPNOTSUPP; EAGAIN.
            Sleep: Until somebody connects.
        """
        if self.kind is Kind.DGRAM:
            raise KernelError(Errno.EOPNOTSUPP, "accept of datagrams")
        if self.backlog < 0 or self.rd_shut:
            raise KernelError(Errno.EINVAL, "the socket does not listen")
        if not self.pending:
            self._wait(lwp, self.cv_in, 0, flag)
        got = self.pending.popleft()
        self.kernel.wakeup(self.cv_out)
        return got

    def unaccept(self, sock: UnixSocket) -> None:
        """Undo ``accept``: the connection waits again."""
        self.pending.appendleft(sock)

    # -- waiting

    def _wait(
        self, lwp: Lwp | None, cv: CondVar, side: int, flag: int, done: int = 0
    ) -> NoReturn:
        """Wait on ``cv``, at most for this side's timeout; EAGAIN if it is over."""
        state = lwp.sysstate if lwp is not None else None
        ns = self.timeouts[side]
        deadline = None
        if isinstance(state, Waiting):
            deadline = state.deadline
        elif ns:
            deadline = self.kernel.now + self.kernel.cycles(ns)
        late = deadline is not None and self.kernel.now >= deadline
        if lwp is None or flag & FNONBLOCK or late:
            raise KernelError(Errno.EAGAIN, "it would have to wait")
        lwp.sysstate = Waiting(done, deadline)
        raise Sleep(
            cv,
            deadline=deadline,
            restart=Restart.NOHAND if ns else Restart.SYS,
            partial=done or None,
        )

    def take_error(self) -> Errno | None:
        """The pending error, which is pending no longer (SO_ERROR)."""
        got, self.error = self.error, None
        return got

    def _raise_error(self) -> None:
        got = self.take_error()
        if got is not None:
            raise KernelError(got, "of an earlier call")

    # -- sending

    def send(
        self,
        lwp: Lwp | None,
        data: bytes,
        flag: int,
        *,
        files: tuple[File, ...] = (),
        to: UnixSocket | None = None,
        cred: Ucred | None = None,
        sigpipe: bool = True,
    ) -> int:
        """Queue ``data`` at the peer, or at ``to`` (send(2)).

        Args:
            lwp: Who sends.
            data: A whole datagram or packet; of a stream as much as fits at a time.
            flag: FNONBLOCK.
            files: Open files to send along; the message holds each.
            to: Where a datagram goes, if not to the peer.
            cred: Whom to name as the sender, if not the caller.
            sigpipe: Whether EPIPE brings SIGPIPE.

        Raises:
            KernelError: EPIPE, ENOTCONN, ECONNREFUSED, EMSGSIZE, EAGAIN.
            Sleep: Until there is room.
        """
        self._raise_error()
        if self.wr_shut:
            self._broken(lwp, sigpipe)
        who = cred or (ucred_of(lwp) if lwp is not None else self.cred)
        if self.kind is Kind.DGRAM:
            return self._send_dgram(lwp, data, flag, files, to, who)
        peer = self.peer
        if not self.connected or peer is None:
            raise KernelError(Errno.ENOTCONN, "not connected")
        if self.kind is Kind.SEQPACKET:
            if peer.closed or peer.rd_shut:
                self._broken(lwp, sigpipe)
            self._fit(lwp, peer, data, flag)
            peer.enqueue(Message(data, files, who, b""))
            return len(data)
        return self._send_stream(lwp, peer, data, flag, files, who, sigpipe)

    def _broken(self, lwp: Lwp | None, sigpipe: bool) -> NoReturn:
        if lwp is not None and sigpipe and self.kind is not Kind.DGRAM:
            self.kernel.tsignal(lwp, Sig.SIGPIPE)
        raise KernelError(Errno.EPIPE, "nobody will read it")

    def _fit(self, lwp: Lwp | None, peer: UnixSocket, data: bytes, flag: int) -> None:
        """Wait until ``peer`` takes all of ``data``."""
        if len(data) > self.sndbuf - OVERHEAD:
            raise KernelError(Errno.EMSGSIZE, f"{len(data)} bytes at once")
        full = self.kind is Kind.DGRAM and len(peer.queue) >= DGRAM_QLEN
        room = peer.room(self.sndbuf)
        if full or room < len(data) or (peer.held and not room):
            self._wait(lwp, peer.cv_out, 1, flag)

    def _send_dgram(
        self,
        lwp: Lwp | None,
        data: bytes,
        flag: int,
        files: tuple[File, ...],
        to: UnixSocket | None,
        who: Ucred,
    ) -> int:
        target = to or self.peer
        if target is None:
            raise KernelError(Errno.ENOTCONN, "a datagram without a destination")
        if target.closed:
            if to is None:
                self.peer, self.connected = None, False
            raise KernelError(Errno.ECONNREFUSED, "the socket is closed")
        if target.kind is not Kind.DGRAM:
            raise KernelError(Errno.EPROTOTYPE, "sockets of different types")
        if target.peer not in (None, self):
            raise KernelError(Errno.EPERM, "it has another peer")
        if target.rd_shut:
            raise KernelError(Errno.EPIPE, "nobody will read it")
        self._fit(lwp, target, data, flag)
        target.enqueue(Message(data, files, who, self.name))
        return len(data)

    def _send_stream(
        self,
        lwp: Lwp | None,
        peer: UnixSocket,
        data: bytes,
        flag: int,
        files: tuple[File, ...],
        who: Ucred,
        sigpipe: bool,
    ) -> int:
        state = lwp.sysstate if lwp is not None else None
        done = state.done if isinstance(state, Waiting) else 0
        if peer.closed or peer.rd_shut:
            if done:
                return done
            self._broken(lwp, sigpipe)
        take = min(peer.room(self.sndbuf), len(data) - done)
        if take:
            sent = () if done else files
            peer.enqueue(Message(data[done : done + take], sent, who, b""))
            done += take
        if done < len(data):
            try:
                self._wait(lwp, peer.cv_out, 1, flag, done)
            except KernelError:
                if not done:
                    raise
        return done

    # -- receiving

    def recv(
        self, lwp: Lwp | None, n: int, flag: int, *, peek: bool = False
    ) -> Received:
        """What has come, up to ``n`` bytes (recv(2)).

        Of a stream, what comes with open files ends the read, and messages of
        different senders are not joined while ``passcred`` is set.

        Args:
            lwp: Who reads.
            n: Bytes at most; the rest of a datagram is lost.
            flag: FNONBLOCK.
            peek: Leave it in the queue.

        Raises:
            KernelError: ENOTCONN, ECONNRESET, EAGAIN; EINVAL, it listens.
            Sleep: Until something comes.
        """
        if self.backlog >= 0:
            raise KernelError(Errno.EINVAL, "the socket listens")
        if not self.queue:
            self._raise_error()
            if self.kind is not Kind.DGRAM and not self.connected:
                if self.kind is Kind.STREAM:
                    raise KernelError(Errno.EINVAL, "not connected")
                raise KernelError(Errno.ENOTCONN, "not connected")
            if self.at_end():
                return Received(b"")
            self._wait(lwp, self.cv_in, 0, flag)
        if self.kind is not Kind.STREAM:
            return self.take_one(n, peek)
        return self.take_some(n, peek)

    def at_end(self) -> bool:
        """Whether no more can come."""
        if self.rd_shut:
            return True
        peer = self.peer
        if self.kind is Kind.DGRAM:
            return False
        return peer is None or peer.closed or peer.wr_shut

    # -- ending

    def shutdown(self, how: int) -> None:
        """End reading (0), writing (1) or both (2) (shutdown(2)); EINVAL, ENOTCONN."""
        if how not in (0, 1, 2):
            raise KernelError(Errno.EINVAL, f"shutdown {how}")
        if not self.connected and self.backlog < 0 and self.kind is not Kind.DGRAM:
            raise KernelError(Errno.ENOTCONN, "not connected")
        self.rd_shut |= how != 1
        self.wr_shut |= how != 0
        for sock in (self, self.peer):
            if sock is not None:
                self.kernel.wakeup(sock.cv_in)
                self.kernel.wakeup(sock.cv_out)

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The last open file is gone: the peer sees the end, listeners' queues go."""
        self.closed = True
        if self.node is not None:
            self.node.sock = None
            self.node.rele()
            self.node = None
        if self.abstract is not None:
            del counters(self.kernel).abstract[self.abstract]
            self.abstract = None
        peer, unread = self.peer, bool(self.queue)
        self.flush()
        while self.pending:  # whoever connected is told that nobody accepted
            one = self.pending.popleft()
            if one.peer is not None:
                one.peer.error = Errno.ECONNRESET
            one.close(lwp, flag)
        if self.kind is not Kind.DGRAM and peer is not None:
            if unread:
                peer.error = Errno.ECONNRESET
            self.kernel.wakeup(peer.cv_in)
            self.kernel.wakeup(peer.cv_out)
            if peer.closed:
                peer.peer = self.peer = None
        self.kernel.wakeup(self.cv_in)
        self.kernel.wakeup(self.cv_out)
        unixgc.collect(self.kernel)

    # -- as a file

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Through /proc it can't be opened."""
        raise KernelError(Errno.ENXIO, "open of a socket")

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """As recv() without flags; files that came along are closed."""
        got = self.recv(lwp, n, flag)
        for file in got.files:
            file_close(lwp, file)
        return got.data

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """As send() without flags."""
        return self.send(lwp, data, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """As unix_poll: input, room at the peer, an end, an error."""
        cvs = [self.cv_in]
        got = POLLERR if self.error is not None else 0
        if self.backlog >= 0:
            return got | (POLLIN if self.pending else 0) & events, cvs
        if self.queue or self.at_end():
            got |= POLLIN
        stream = self.kind is not Kind.DGRAM
        gone = stream and self.connected and (self.peer is None or self.peer.closed)
        if gone or (stream and not self.connected) or (self.rd_shut and self.wr_shut):
            got |= POLLHUP
        peer = self.peer
        if peer is None or peer.closed:
            got |= POLLOUT
        else:
            cvs.append(peer.cv_out)
            full = not stream and len(peer.queue) >= DGRAM_QLEN
            if not full and peer.held * 4 <= self.sndbuf:
                got |= POLLOUT
        return got & (events | POLLERR | POLLHUP), cvs

    def getattr(self) -> Vattr:
        """Attributes of a socket."""
        t = self.kernel.config.epoch_ns
        uid, gid = self.cred.uid, self.cred.gid
        return Vattr(
            VType.SOCK, 0o777, uid, gid, 1, 0, self.ino, 0, 0, t, t, t, 4096, 0
        )

    def anon_name(self) -> bytes:
        """As Linux shows it."""
        return b"socket:[%d]" % self.ino


def join(a: UnixSocket, b: UnixSocket) -> None:
    """Make two sockets the ends of a connection (socketpair(2))."""
    a.peer, b.peer = b, a
    a.connected = b.connected = True
    a.peercred, b.peercred = b.cred, a.cred


def sock_file(lwp: Lwp, sock: UnixSocket, flag: int) -> File:
    """An open file of the caller for a socket; ``flag`` is FNONBLOCK or 0."""
    return File(sock, FREAD | FWRITE | flag, lwp.proc.cred)


def accept_fd(
    lwp: Lwp, file: File, sock: UnixSocket, flag: int, cloexec: bool
) -> tuple[int, UnixSocket]:
    """Accept a connection into a descriptor of the caller (accept(2)).

    Returns:
        The descriptor, and the socket.

    Raises:
        KernelError: As ``accept``; EMFILE, and the connection waits on.
        Sleep: Until somebody connects.
    """
    fds, limit = lwp.proc.fds, lwp.proc.fno_ctl
    got = sock.accept(lwp, file.f_flag)
    try:
        slot = fds.reserve(limit)
    except KernelError:
        sock.unaccept(got)
        raise
    fds.setf(slot, sock_file(lwp, got, flag), cloexec)
    return slot, got
