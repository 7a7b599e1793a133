"""System V IPC: identifiers, keys and permissions (os/ipc.c).

Shared memory, semaphores and message queues are found, guarded and removed in
the same way; what they are is said in ``shm``, ``sem`` and ``msg``.  Each zone has
a table for each of the three.  An identifier is a place in the table and a
sequence number, so that an old identifier does not find a new object.

An object is charged to the project of its maker, which it holds.

Must not know: brands; the layout of any ``struct shmid_ds``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from personae.core.errno import Errno, KernelError, Panic
from personae.core.policy import secpolicy_ipc_access, secpolicy_ipc_owner
from personae.core.rctl import rctl_test

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.project import Project
    from personae.core.zone import Zone

IPC_PRIVATE = 0
IPC_CREAT, IPC_EXCL, IPC_NOWAIT = 0o1000, 0o2000, 0o4000
"""Alike in illumos and Linux (sys/ipc.h)."""
IPC_R, IPC_W = 4, 2
"""What is asked of ``ipcaccess``."""

SEQ_SHIFT = 15
"""Places in a table: bits of an identifier below the sequence number."""
SEQ_MASK = (1 << 16) - 1
NSEC = 1_000_000_000

MAX_IDS = {"shm": 4096, "sem": 32000, "msg": 32000}
"""Most objects of a zone, whatever its resource controls say."""


class IpcObject:
    """What the three kinds have in common (kipc_perm_t).

    Attributes:
        id: Its identifier.
        key: IPC_PRIVATE for an object without one.
        uid: Owner; with ``gid`` what IPC_SET changes.
        cuid: Who made it; with ``cgid``.
        mode: Permission bits.
        ctime: When it was last changed, in seconds.
        removed: IPC_RMID was called; it lives until its last user has gone.
    """

    kind: ClassVar[str] = ""

    def __init__(self, table: IpcTable, proc: Proc, key: int, mode: int) -> None:
        cred = proc.cred
        if proc.task is None:
            raise Panic(f"{proc!r} is in no task")
        self.table = table
        self.id = -1
        self.key = key
        self.uid = self.cuid = cred.euid
        self.gid = self.cgid = cred.egid
        self.mode = mode & 0o777
        self.project: Project = proc.task.project.hold()
        self.removed = False
        self.ctime = self.now()

    def now(self) -> int:
        """The time that the object's stamps show."""
        return self.table.zone.kernel.wall_ns // NSEC

    @property
    def seq(self) -> int:
        """Sequence number of its place."""
        return self.id >> SEQ_SHIFT

    def destroy(self) -> None:
        """It has left the table: give back what it is made of."""

    def ledger(self) -> Any:
        """What of it is compared by the ledger."""
        return (self.key, self.uid, self.gid, self.mode, self.removed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} key={self.key:#x}>"


T = TypeVar("T", bound=IpcObject)


class IpcTable:
    """The objects of one kind in one zone (ipc_service_t)."""

    def __init__(self, zone: Zone, kind: str) -> None:
        self.zone = zone
        self.kind = kind
        self.slots: dict[int, IpcObject] = {}
        self.keys: dict[int, IpcObject] = {}
        self.seq = 0
        self.last = -1
        """Place that was given last: at a lower one a new sequence begins."""

    def enter(self, proc: Proc, obj: IpcObject) -> None:
        """Give a new object its identifier; if there is none, drop it.

        Raises:
            KernelError: ENOSPC, too many in the project, the zone or the table.
        """
        try:
            self._limits(proc, obj)
        except KernelError:
            obj.project.rele()
            obj.destroy()
            raise
        idx = next(i for i in range(len(self.slots) + 1) if i not in self.slots)
        if idx <= self.last:
            self.seq = (self.seq + 1) & SEQ_MASK
        self.last = idx
        obj.id = self.seq << SEQ_SHIFT | idx
        self.slots[idx] = obj
        if obj.key != IPC_PRIVATE:
            self.keys[obj.key] = obj

    def _limits(self, proc: Proc, obj: IpcObject) -> None:
        name = f"max-{self.kind}-ids"
        mine = sum(o.project is obj.project for o in self.slots.values())
        total = len(self.slots)
        if total >= MAX_IDS[self.kind]:
            raise KernelError(Errno.ENOSPC, f"{total} identifiers")
        if rctl_test(f"project.{name}", obj.project, proc, usage=mine) or rctl_test(
            f"zone.{name}", self.zone, proc, usage=total
        ):
            raise KernelError(Errno.ENOSPC, f"over {name}")

    def find(self, ident: int, *, removed: bool = False) -> IpcObject:
        """The object of an identifier.

        Args:
            ident: From a guest.
            removed: Whether one that IPC_RMID was called for is found as well.

        Raises:
            KernelError: EINVAL, there is none.
        """
        obj = self.slots.get(ident & (1 << SEQ_SHIFT) - 1) if ident >= 0 else None
        if obj is None or obj.id != ident or (obj.removed and not removed):
            raise KernelError(Errno.EINVAL, f"no {self.kind} identifier {ident}")
        return obj

    def at(self, idx: int) -> IpcObject:
        """The object at a place of the table (SHM_STAT and its like)."""
        obj = self.slots.get(idx)
        if obj is None:
            raise KernelError(Errno.EINVAL, f"no {self.kind} at {idx}")
        return obj

    def ids(self) -> list[int]:
        """Identifiers of all objects, in the order of their places."""
        return [obj.id for _, obj in sorted(self.slots.items()) if not obj.removed]

    def highest(self) -> int:
        """Highest place in use; 0 if there is none."""
        return max(self.slots, default=0)

    def hide(self, obj: IpcObject) -> None:
        """IPC_RMID: nobody finds it by its key any more."""
        obj.removed = True
        if self.keys.get(obj.key) is obj:
            del self.keys[obj.key]

    def free(self, obj: IpcObject) -> None:
        """The object goes for good."""
        self.hide(obj)
        del self.slots[obj.id & (1 << SEQ_SHIFT) - 1]
        obj.project.rele()
        obj.destroy()


def ipc_table(zone: Zone, kind: str) -> IpcTable:
    """The table of a zone, made at its first use."""
    table: IpcTable | None = zone.ipc.get(kind)
    if table is None:
        table = zone.ipc[kind] = IpcTable(zone, kind)
    return table


def ipc_zone_halt(zone: Zone) -> None:
    """The zone has no process any more: all its objects go."""
    for table in zone.ipc.values():
        for obj in list(table.slots.values()):
            table.free(obj)
    zone.ipc.clear()


def ipcaccess(obj: IpcObject, want: int, cred: Cred) -> None:
    """Check permission bits: ``IPC_R`` and ``IPC_W`` (ipcperm_access).

    Raises:
        KernelError: EACCES.
    """
    bits = obj.mode
    if cred.euid in (obj.uid, obj.cuid):
        bits >>= 6
    elif cred.groupmember(obj.gid) or cred.groupmember(obj.cgid):
        bits >>= 3
    refused = want & ~bits & 7
    if refused:
        secpolicy_ipc_access(cred, refused)


def ipcowner(obj: IpcObject, cred: Cred) -> None:
    """Only owner and maker may change or remove it.

    Raises:
        KernelError: EPERM.
    """
    if cred.euid not in (obj.uid, obj.cuid):
        secpolicy_ipc_owner(cred)


def ipcset(obj: IpcObject, cred: Cred, uid: int, gid: int, mode: int) -> None:
    """IPC_SET, the part that is alike for all."""
    ipcowner(obj, cred)
    if uid == 0xFFFFFFFF or gid == 0xFFFFFFFF:
        raise KernelError(Errno.EINVAL, "no such owner")
    obj.uid, obj.gid = uid, gid
    obj.mode = mode & 0o777
    obj.ctime = obj.now()


def ipcget(
    lwp: Lwp,
    table: IpcTable,
    key: int,
    flags: int,
    make: Callable[[], T],
    check: Callable[[T], None],
) -> T:
    """Find an object by its key or make one (ipc_get).

    Args:
        lwp: The caller.
        table: Where to look.
        key: From the guest; IPC_PRIVATE always makes one.
        flags: IPC_CREAT, IPC_EXCL and permission bits.
        make: Makes the object; its checks raise.
        check: What has to hold of one that is there already.

    Raises:
        KernelError: ENOENT EEXIST EACCES ENOSPC, and those of ``make``, ``check``.
    """
    found: Any = None if key == IPC_PRIVATE else table.keys.get(key)
    if found is not None:
        if flags & IPC_CREAT and flags & IPC_EXCL:
            raise KernelError(Errno.EEXIST, f"key {key:#x}")
        check(found)
        ipcaccess(found, (flags >> 6 | flags >> 3 | flags) & 7, lwp.cred)
        got: T = found
        return got
    if key != IPC_PRIVATE and not flags & IPC_CREAT:
        raise KernelError(Errno.ENOENT, f"key {key:#x}")
    new = make()
    table.enter(lwp.proc, new)
    return new
