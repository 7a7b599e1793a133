"""Event ports (port_create(3C), fs/portfs/port.c): one queue for events of many kinds.

A port is a vnode without a place.  Its queue holds events that were sent; files that
are associated with it are asked for their state when somebody wants events, so an
event of a file is never stale.  An association ends with its event, with the close
of its descriptor, and with the port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError
from personae.core.poll import first_timer, poll_file
from personae.core.rctl import rctl_test
from personae.core.sync import CondVar
from personae.core.vfs.vnode import (
    POLLIN,
    POLLOUT,
    Vattr,
    Vnode,
    VType,
    counters,
    new_ino,
)

if TYPE_CHECKING:
    from personae.core.file import FdTable, File
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

SOURCE_AIO, SOURCE_TIMER, SOURCE_USER, SOURCE_FD, SOURCE_ALERT, SOURCE_MQ = range(1, 7)
"""PORT_SOURCE_* (sys/port.h)."""

MAX_NESTING = 5
"""Ports that watch ports: deeper ones, and circles, are never ready."""


class PortEvent(NamedTuple):
    """One event (port_event_t).

    Attributes:
        pid: The only process that may take it; 0 for any.
    """

    events: int
    source: int
    object: int
    user: int
    pid: int = 0


class Watch:
    """An associated descriptor: of one table, as long as it means the same file."""

    __slots__ = ("events", "fd", "file", "table", "user")

    def __init__(
        self, table: FdTable, fd: int, file: File, events: int, user: int
    ) -> None:
        self.table = table
        self.fd = fd
        self.file = file
        self.events = events
        self.user = user

    def live(self) -> bool:
        """Whether the descriptor is still that file."""
        return self.table.files.get(self.fd) is self.file


class PortVnode(Vnode):
    """One port.

    Attributes:
        queue: Events that were sent, the oldest first.
        alert: What every taker gets at once, while there is an alert.
        watches: Associated descriptors.
        cv: Who waits for events.
        closed: The last descriptor is gone.
    """

    def __init__(self, proc: Proc) -> None:
        super().__init__(None, VType.PORT)
        self.kernel = kernel = proc.kernel
        count = counters(kernel).ports
        project = proc.task.project if proc.task is not None else None
        if project is not None and rctl_test(
            "project.max-port-ids", project, proc, usage=count
        ):
            raise KernelError(Errno.EAGAIN, "project.max-port-ids")
        counters(kernel).ports += 1
        self.ino = new_ino(kernel)
        self.uid, self.gid = proc.cred.euid, proc.cred.egid
        self.time = kernel.wall_ns
        self.queue: list[PortEvent] = []
        self.alert: PortEvent | None = None
        self.watches: list[Watch] = []
        self.cv = CondVar()
        self.closed = False

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The last descriptor is gone: so are events and associations."""
        counters(self.kernel).ports -= 1
        self.closed = True
        self.queue.clear()
        self.watches.clear()
        self.kernel.wakeup(self.cv)

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """A port has no name to open it by."""
        raise KernelError(Errno.ENXIO, "open of an event port")

    def getattr(self) -> Vattr:
        """Its size is the number of events (port_getattr)."""
        t = self.time
        return Vattr(
            VType.PORT,
            0,
            self.uid,
            self.gid,
            0,
            len(self.queue),
            self.ino,
            0,
            0,
            t,
            t,
            t,
            4096,
            0,
        )

    def anon_name(self) -> bytes:
        """It has no path."""
        return b"port:[%d]" % self.ino

    # -- sending

    def check_room(self, proc: Proc) -> None:
        """Refuse one more event or association: process.max-port-events.

        Raises:
            KernelError: EAGAIN.
        """
        usage = len(self.queue) + len(self.watches)
        name = "process.max-port-events"
        if rctl_test(name, proc, proc, usage=usage):
            raise KernelError(Errno.EAGAIN, name)

    def send(self, proc: Proc, event: PortEvent) -> None:
        """Queue an event, within the limit of who sends it."""
        self.check_room(proc)
        self.post(event)

    def post(self, event: PortEvent) -> None:
        """Queue an event whose place was granted before; a closed port drops it."""
        if self.closed:
            return
        self.queue.append(event)
        if self.cv.waiters:
            self.kernel.wakeup(self.cv)

    def set_alert(self, event: PortEvent | None) -> None:
        """Enter the alert mode, or leave it."""
        self.alert = event
        if event is not None:
            self.kernel.wakeup(self.cv)

    # -- files

    def associate(self, proc: Proc, fd: int, events: int, user: int) -> None:
        """Watch a descriptor of a process; again: with other events and user.

        Raises:
            KernelError: EBADF, EAGAIN.
        """
        file = proc.fds.getf(fd)
        watch = self._find(proc.fds, fd)
        if watch is None:
            self.check_room(proc)
            self.watches.append(Watch(proc.fds, fd, file, events, user))
        else:
            watch.events, watch.user = events, user
        if self.cv.waiters:
            self.kernel.wakeup(self.cv)

    def dissociate(self, proc: Proc, fd: int) -> None:
        """Watch it no longer; ENOENT if it was not watched."""
        watch = self._find(proc.fds, fd)
        if watch is None:
            raise KernelError(Errno.ENOENT, f"descriptor {fd} is not associated")
        self.watches.remove(watch)

    def _find(self, table: FdTable, fd: int) -> Watch | None:
        self.watches = [w for w in self.watches if w.live()]
        for w in self.watches:
            if w.table is table and w.fd == fd:
                return w
        return None

    # -- taking

    def ready(self, lwp: Lwp | None, cvs: list[CondVar]) -> list[tuple[Watch, int]]:
        """Watches with something to tell; ``cvs`` gets the channels to wait for."""
        self.watches = [w for w in self.watches if w.live()]
        num = counters(self.kernel)
        if num.port_depth >= MAX_NESTING:
            return []
        num.port_depth += 1
        try:
            found = [(w, poll_file(lwp, w.file, w.events, cvs)) for w in self.watches]
        finally:
            num.port_depth -= 1
        return [(w, got) for w, got in found if got]

    def mine(self, pid: int) -> int:
        """How many queued events a process may take."""
        return sum(not e.pid or e.pid == pid for e in self.queue)

    def take(
        self, pid: int, most: int, ready: list[tuple[Watch, int]]
    ) -> list[PortEvent]:
        """Up to ``most`` events, those that were sent first."""
        out: list[PortEvent] = []
        keep: list[PortEvent] = []
        for e in self.queue:
            if len(out) < most and (not e.pid or e.pid == pid):
                out.append(e)
            else:
                keep.append(e)
        self.queue = keep
        for watch, got in ready[: most - len(out)]:
            self.watches.remove(watch)
            out.append(PortEvent(got, SOURCE_FD, watch.fd, watch.user))
        return out

    def next_deadline(self) -> int | None:
        """The first timer among the files."""
        num = counters(self.kernel)
        if num.port_depth >= MAX_NESTING:
            return None
        num.port_depth += 1
        try:
            return first_timer(w.file for w in self.watches if w.live())
        finally:
            num.port_depth -= 1

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """POLLIN while there are events; POLLOUT always."""
        cvs = [self.cv]
        got = POLLOUT
        if self.queue or self.alert is not None or self.ready(lwp, cvs):
            got |= POLLIN
        return got & events, cvs
