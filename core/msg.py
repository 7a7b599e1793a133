"""System V message queues (os/msg.c).

Who finds a queue full or without what it looks for sleeps on the queue and tries
again when something has come or gone.

Must not know: brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from personae.core.errno import Errno, KernelError
from personae.core.ipc import (
    IPC_NOWAIT,
    IPC_R,
    IPC_W,
    IpcObject,
    IpcTable,
    ipc_table,
    ipcaccess,
    ipcget,
    ipcowner,
    ipcset,
)
from personae.core.policy import secpolicy_ipc_config
from personae.core.rctl import rctl_value
from personae.core.sync import CondVar, Restart, Sleep

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone

MSG_NOERROR, MSG_EXCEPT = 0o10000, 0o20000
MSGMAX = 8192
"""Longest message."""
MSGMNB = 16384
"""Bytes that a queue takes unless its owner says otherwise."""
MSGTQL = (1 << 32) - 1
"""Messages that a queue takes unless its maker's control says less."""


class MsgQueue(IpcObject):
    """One queue (kmsqid_t).

    Attributes:
        msgs: Type and text of each message, the oldest first.
        qbytes: How many bytes fit.
        qmax: How many messages fit (process.max-msg-messages of its maker).
        snd: Who waits for room.
        rcv: Who waits for a message.
    """

    kind: ClassVar[str] = "msg"

    def __init__(self, table: IpcTable, proc: Proc, key: int, mode: int) -> None:
        super().__init__(table, proc, key, mode)
        self.msgs: list[tuple[int, bytes]] = []
        self.qbytes, self.qmax = MSGMNB, MSGTQL
        if proc.rctls is not None:
            size = rctl_value(proc.rctls, "process.max-msg-qbytes")
            number = rctl_value(proc.rctls, "process.max-msg-messages")
            self.qbytes, self.qmax = min(MSGMNB, size), min(MSGTQL, number)
        self.stime = self.rtime = 0
        self.lspid = self.lrpid = 0
        self.snd, self.rcv = CondVar(), CondVar()

    @property
    def cbytes(self) -> int:
        """Bytes of all messages."""
        return sum(len(text) for _, text in self.msgs)

    def destroy(self) -> None:
        """Who waits gets EIDRM."""
        self.removed = True
        kernel = self.table.zone.kernel
        kernel.wakeup(self.snd)
        kernel.wakeup(self.rcv)

    def ledger(self) -> Any:
        """Messages and size."""
        return (*super().ledger(), list(self.msgs), self.qbytes)


def msg_find(zone: Zone, ident: int) -> MsgQueue:
    """The queue of an identifier; EINVAL."""
    got = ipc_table(zone, "msg").find(ident)
    assert isinstance(got, MsgQueue)
    return got


def msgget(lwp: Lwp, key: int, flags: int) -> MsgQueue:
    """Find a queue or make one (msgget(2)); ENOENT EEXIST EACCES ENOSPC."""
    proc = lwp.proc
    table = ipc_table(proc.zone, "msg")

    def make() -> MsgQueue:
        return MsgQueue(table, proc, key, flags)

    def check(queue: MsgQueue) -> None:
        """Any will do."""

    return ipcget(lwp, table, key, flags, make, check)


def _again(lwp: Lwp, ident: int) -> MsgQueue:
    """The queue, also after a wait in which it may have been removed: EIDRM."""
    try:
        return msg_find(lwp.proc.zone, ident)
    except KernelError as e:
        if lwp.sysstate == ("msg", ident):
            raise KernelError(Errno.EIDRM, f"queue {ident} was removed") from e
        raise


def msgsnd(lwp: Lwp, ident: int, kind: int, text: bytes, flags: int) -> None:
    """Put a message into a queue (msgsnd(2)).

    Raises:
        KernelError: EACCES EAGAIN EIDRM EINVAL.
        Sleep: There is no room.
    """
    if kind < 1 or len(text) > MSGMAX:
        raise KernelError(Errno.EINVAL, f"message of type {kind}, {len(text)} bytes")
    queue = _again(lwp, ident)
    ipcaccess(queue, IPC_W, lwp.cred)
    count = len(queue.msgs)
    full = queue.cbytes + len(text) > queue.qbytes or count >= queue.qbytes
    if full or count >= queue.qmax:
        if flags & IPC_NOWAIT:
            raise KernelError(Errno.EAGAIN, "the queue is full")
        lwp.sysstate = ("msg", ident)
        raise Sleep(queue.snd, restart=Restart.NOHAND)
    queue.msgs.append((kind, text))
    queue.lspid, queue.stime = lwp.proc.pid, queue.now()
    lwp.kernel.wakeup(queue.rcv)


def msgrcv(lwp: Lwp, ident: int, size: int, want: int, flags: int) -> tuple[int, bytes]:
    """Take a message out of a queue (msgrcv(2)): its type and text.

    Args:
        lwp: The caller.
        ident: The queue.
        size: Room for the text.
        want: 0 for the first message; a type; or below 0 for the lowest type up to it.
        flags: IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT.

    Raises:
        KernelError: E2BIG EACCES EIDRM EINVAL ENOMSG.
        Sleep: There is no such message.
    """
    queue = _again(lwp, ident)
    ipcaccess(queue, IPC_R, lwp.cred)
    i = _choose(queue, want, bool(flags & MSG_EXCEPT))
    if i < 0:
        if flags & IPC_NOWAIT:
            raise KernelError(Errno.ENOMSG, f"no message of type {want}")
        lwp.sysstate = ("msg", ident)
        raise Sleep(queue.rcv, restart=Restart.NOHAND)
    kind, text = queue.msgs[i]
    if len(text) > size and not flags & MSG_NOERROR:
        raise KernelError(Errno.E2BIG, f"{len(text)} bytes, room for {size}")
    del queue.msgs[i]
    queue.lrpid, queue.rtime = lwp.proc.pid, queue.now()
    lwp.kernel.wakeup(queue.snd)
    return kind, text[:size]


def _choose(queue: MsgQueue, want: int, other: bool) -> int:
    """Place of the message that ``want`` means; -1 for none."""
    kinds = [kind for kind, _ in queue.msgs]
    if want < 0:
        low = min((k for k in kinds if k <= -want), default=0)
        return kinds.index(low) if low else -1
    for i, kind in enumerate(kinds):
        if want == 0 or (kind == want) != other:
            return i
    return -1


def msgset(
    lwp: Lwp, queue: MsgQueue, owner: tuple[int, int, int], qbytes: int, limit: int
) -> None:
    """IPC_SET: uid, gid and mode of ``owner``, and the size of the queue.

    Args:
        lwp: The caller.
        queue: The queue.
        owner: User id, group id, permission bits.
        qbytes: Bytes that it takes.
        limit: A size above needs the privilege sys_ipc_config.

    Raises:
        KernelError: EPERM.
    """
    if qbytes > limit:
        secpolicy_ipc_config(lwp.cred)
    ipcset(queue, lwp.cred, *owner)
    queue.qbytes = qbytes
    lwp.kernel.wakeup(queue.snd)


def msgrm(lwp: Lwp, queue: MsgQueue) -> None:
    """IPC_RMID: who waits gets EIDRM; EPERM."""
    ipcowner(queue, lwp.cred)
    queue.table.free(queue)
