"""Open files that travel through sockets, and those that travel in a circle.

A file sent with SCM_RIGHTS is held by its message.  A socket that waits, unread, in
its own queue or in one of a ring of such sockets would be held for ever although no
process can reach it.  As Linux' unix_gc does: a socket held by nothing but messages
is a candidate; what can be reached from a socket that a descriptor holds is alive;
the queues of the rest are thrown away.

``VfsState.inflight`` counts, for each travelling file, the messages that hold it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.vfs.vnode import counters

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.vfs.unixsock import UnixSocket


def sent(kernel: Kernel, files: tuple[File, ...]) -> None:
    """Files begin to travel, held by one message more."""
    inflight = counters(kernel).inflight
    for file in files:
        inflight[file] = inflight.get(file, 0) + 1


def arrived(kernel: Kernel, files: tuple[File, ...]) -> None:
    """They travel no longer."""
    inflight = counters(kernel).inflight
    for file in files:
        inflight[file] -= 1
        if not inflight[file]:
            del inflight[file]


def travelling(kernel: Kernel) -> int:
    """How many files are on their way, each message counted."""
    return sum(counters(kernel).inflight.values())


def _queued(sock: UnixSocket) -> list[File]:
    """Files in the queue of a socket and of connections it has not accepted."""
    out = [f for m in sock.queue for f in m.files]
    for one in sock.pending:
        out += _queued(one)
    return out


def collect(kernel: Kernel) -> int:
    """Free the rings that nobody can reach; how many sockets they had."""
    from personae.core.vfs.unixsock import UnixSocket

    inflight = counters(kernel).inflight
    dead: dict[File, UnixSocket] = {}
    for file, n in inflight.items():
        if isinstance(file.f_vnode, UnixSocket) and file.f_count == n:
            dead[file] = file.f_vnode
    if not dead:
        return 0
    inside: dict[File, int] = {}
    """How many messages at candidates hold a file; the others can be reached."""
    for sock in dead.values():
        for file in _queued(sock):
            inside[file] = inside.get(file, 0) + 1
    reached = [f for f in dead if inside.get(f, 0) < inflight[f]]
    while reached:
        alive = dead.pop(reached.pop(), None)
        if alive is not None:
            reached += [f for f in _queued(alive) if f in dead]
    ends = list(dead.values())
    for sock in ends:
        sock.hold()
    for sock in ends:
        for one in (sock, *sock.pending):
            one.flush()
        sock.rele()
    return len(ends)
