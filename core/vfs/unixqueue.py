"""The queue of a local socket: messages, the files in them, and what they cost.

What is sent waits at the socket that will read it.  Open files travel in messages as
references of their own, which ``unixgc`` counts.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from personae.core.file import File, file_close, file_hold
from personae.core.sync import CondVar
from personae.core.vfs import unixgc
from personae.core.vfs.vnode import Vnode, VType, counters

if TYPE_CHECKING:
    from personae.core.kernel import Kernel

SNDBUF = 212992
"""Bytes that may wait at one reader (net.core.wmem_default, socket(7))."""
OVERHEAD = 768
"""What a message costs besides its data, so that empty ones are not free."""
MEM_SHARE = 8
"""All sockets together hold at most this part of the memory."""


class Kind(IntEnum):
    """Type of a socket (SOCK_STREAM and its kin, Linux' numbers)."""

    STREAM = 1
    DGRAM = 2
    SEQPACKET = 5


class Ucred(NamedTuple):
    """Who a peer is (SO_PEERCRED, SCM_CREDENTIALS); pid as the kernel counts."""

    pid: int
    uid: int
    gid: int


class Message:
    """What one send has queued.

    Attributes:
        data: What is left of it.
        files: Open files that travel with it; each is held.
        cred: Who sent it.
        name: The address it was sent from; empty without one.
    """

    __slots__ = ("cred", "data", "files", "name")

    def __init__(
        self, data: bytes, files: tuple[File, ...], cred: Ucred, name: bytes
    ) -> None:
        self.data = bytearray(data)
        self.files = files
        self.cred = cred
        self.name = name


class Received(NamedTuple):
    """What ``recv`` gives.

    Attributes:
        data: The bytes, at most as many as were asked for.
        files: Open files, each held for the caller; of a peek, too.
        cred: Who sent it; None at the end of the stream.
        name: The address it came from.
        length: Bytes of the whole datagram.
    """

    data: bytes
    files: tuple[File, ...] = ()
    cred: Ucred | None = None
    name: bytes = b""
    length: int = 0


class MessageQueue(Vnode):
    """What a socket has been sent and nobody has read.

    Attributes:
        kind: Stream, datagram or packets.
        queue: The messages, the oldest first.
        held: Bytes in ``queue``, with what messages cost.
        passcred: Whether messages of different senders are kept apart.
    """

    def __init__(self, kernel: Kernel, kind: Kind) -> None:
        super().__init__(None, VType.SOCK)
        self.kernel = kernel
        self.kind = kind
        self.queue: deque[Message] = deque()
        self.held = 0
        self.passcred = False
        self.cv_in = CondVar()
        """Who waits for something to read or to accept."""
        self.cv_out = CondVar()
        """Who waits for room in the queue."""

    def room(self, sndbuf: int = SNDBUF) -> int:
        """Bytes of a message that this queue takes now, of a sender with a limit."""
        left = self.kernel.mem_bytes // MEM_SHARE - counters(self.kernel).sock_bytes
        limit = sndbuf - self.held
        if self.held:
            limit = min(limit, left)
        return max(0, limit - OVERHEAD)

    def enqueue(self, msg: Message) -> None:
        """A message has come; of a stream it may join the last one."""
        last = self.queue[-1] if self.queue else None
        cost = len(msg.data)
        if (
            self.kind is Kind.STREAM
            and last is not None
            and not last.files
            and not msg.files
            and last.cred == msg.cred
        ):
            last.data += msg.data
        elif msg.data or self.kind is not Kind.STREAM:
            for file in msg.files:
                file_hold(file)
            unixgc.sent(self.kernel, msg.files)
            self.queue.append(msg)
            cost += OVERHEAD
        self._account(cost)
        self.kernel.wakeup(self.cv_in)

    def _account(self, n: int) -> None:
        self.held += n
        counters(self.kernel).sock_bytes += n

    def take_one(self, n: int, peek: bool) -> Received:
        """The first message; its end is lost if it is longer than ``n``."""
        msg = self.queue[0]
        files = msg.files
        for file in files:
            file_hold(file)
        if not peek:
            self._drop(self.queue.popleft())
        data = bytes(msg.data)
        return Received(data[:n], files, msg.cred, msg.name, len(data))

    def take_some(self, n: int, peek: bool) -> Received:
        """Bytes of a stream, up to the end of a message with files."""
        parts: list[bytes] = []
        files: tuple[File, ...] = ()
        cred = self.queue[0].cred
        left = n
        for msg in self.queue:
            if left <= 0 or (self.passcred and msg.cred != cred):
                break
            parts.append(bytes(msg.data[:left]))
            left -= len(parts[-1])
            if msg.files:
                files = msg.files
                break
        for file in files:
            file_hold(file)
        if not peek:
            self._consume(parts)
        data = b"".join(parts)
        return Received(data, files, cred, b"", len(data))

    def _consume(self, parts: list[bytes]) -> None:
        """Take what was read out of the first messages of a stream."""
        for part in parts:
            msg = self.queue[0]
            if len(part) == len(msg.data):
                self._drop(self.queue.popleft())
                continue
            del msg.data[: len(part)]
            self._account(-len(part))
            self._let_go(msg)
            self.kernel.wakeup(self.cv_out)

    def _let_go(self, msg: Message) -> None:
        """A message's files travel no longer; whoever receives them holds them."""
        files, msg.files = msg.files, ()
        unixgc.arrived(self.kernel, files)
        for file in files:
            file_close(None, file)

    def _drop(self, msg: Message) -> None:
        """A message has left the queue."""
        self._account(-len(msg.data) - OVERHEAD)
        self._let_go(msg)
        self.kernel.wakeup(self.cv_out)

    def flush(self) -> None:
        """Throw away what has come and nobody has read."""
        while self.queue:
            self._drop(self.queue.popleft())

    def fionread(self) -> int:
        """Bytes of the first datagram, or of all that has come on a stream."""
        if self.kind is Kind.STREAM:
            return sum(len(m.data) for m in self.queue)
        return len(self.queue[0].data) if self.queue else 0

    def ledger(self) -> dict[str, object]:
        """What waits in the queue."""
        files = sum(len(m.files) for m in self.queue)
        return {"messages": len(self.queue), "bytes": self.held, "files": files}
