"""System V semaphores (os/sem.c).

A list of operations is done as a whole or not at all.  Who has to wait sleeps on the
set's one channel and tries again from the start when anything in the set has changed;
what it waits for is in ``lwp.sysstate``, so that counting the waiters needs no counter.

With SEM_UNDO the set remembers by process what to add when that process exits.  A
child of fork does not inherit that (FORK-17).

Must not know: brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

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
)
from personae.core.rctl import rctl_test
from personae.core.sync import CondVar, Restart, Sleep

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone

SEM_UNDO = 0o10000
SEMVMX = 32767
"""Highest value of a semaphore."""
SEMMSL = 32000
"""Most semaphores in a set."""
SEMOPM = 500
"""Most operations in a call."""


class SemOp(NamedTuple):
    """One operation (struct sembuf)."""

    num: int
    op: int
    flags: int


class SemWait(NamedTuple):
    """What a caller of semop waits for.

    Attributes:
        num: The semaphore.
        zero: Whether it is to become 0, else to grow.
        deadline: Until when, in cycles.
        ident: The set.
    """

    num: int
    zero: bool
    deadline: int | None
    ident: int


class SemSet(IpcObject):
    """One set (ksemid_t).

    Attributes:
        values: The semaphores.
        pids: Who changed each last.
        undo: By process, what is added to each semaphore at its exit.
        cv: All who wait for one of them.
    """

    kind: ClassVar[str] = "sem"

    def __init__(
        self, table: IpcTable, proc: Proc, key: int, mode: int, n: int
    ) -> None:
        super().__init__(table, proc, key, mode)
        self.values = [0] * n
        self.pids = [0] * n
        self.otime = 0
        self.undo: dict[int, dict[int, int]] = {}
        self.cv = CondVar()

    def waiting(self, num: int, zero: bool) -> int:
        """GETNCNT and GETZCNT."""
        states = [t.sysstate for t in self.cv.waiters]
        return sum(
            isinstance(s, SemWait) and (s.num, s.zero) == (num, zero) for s in states
        )

    def changed(self) -> None:
        """Let all who wait look again."""
        self.table.zone.kernel.wakeup(self.cv)

    def destroy(self) -> None:
        """Who waits gets EIDRM."""
        self.removed = True
        self.changed()

    def ledger(self) -> Any:
        """Values and what is to be undone."""
        undo = {pid: dict(adj) for pid, adj in self.undo.items()}
        return (*super().ledger(), list(self.values), list(self.pids), undo)


def sem_find(zone: Zone, ident: int) -> SemSet:
    """The set of an identifier; EINVAL."""
    got = ipc_table(zone, "sem").find(ident)
    assert isinstance(got, SemSet)
    return got


def semget(lwp: Lwp, key: int, n: int, flags: int) -> SemSet:
    """Find a set or make one (semget(2)).

    Raises:
        KernelError: EINVAL ENOENT EEXIST EACCES ENOSPC.
    """
    proc = lwp.proc
    table = ipc_table(proc.zone, "sem")
    if not 0 <= n <= SEMMSL:
        raise KernelError(Errno.EINVAL, f"set of {n} semaphores")

    def make() -> SemSet:
        name = "process.max-sem-nsems"
        if n == 0 or rctl_test(name, proc, proc, n, 0):
            raise KernelError(Errno.EINVAL, f"set of {n} semaphores")
        return SemSet(table, proc, key, flags, n)

    def check(sems: SemSet) -> None:
        if n > len(sems.values):
            raise KernelError(Errno.EINVAL, f"{sems!r} has {len(sems.values)} only")

    return ipcget(lwp, table, key, flags, make, check)


def semop(lwp: Lwp, ident: int, ops: list[SemOp], deadline: int | None = None) -> None:
    """Do all operations, or wait until they can be done (semtimedop(2)).

    Args:
        lwp: The caller.
        ident: The set.
        ops: What to do, in order.
        deadline: When to give up, in cycles; asked for at the first entry only.

    Raises:
        KernelError: EAGAIN EFBIG E2BIG EACCES EINVAL ERANGE EIDRM.
        Sleep: It has to wait; enter it again.
    """
    proc, state = lwp.proc, lwp.sysstate
    if isinstance(state, SemWait):
        deadline = state.deadline
        try:
            sems = sem_find(proc.zone, ident)
        except KernelError as e:
            raise KernelError(Errno.EIDRM, f"set {ident} was removed") from e
    else:
        sems = sem_find(proc.zone, ident)
    _check_ops(lwp, sems, ops)
    blocked = _try(proc, sems, ops)
    if blocked is None:
        return
    if blocked.flags & IPC_NOWAIT:
        raise KernelError(Errno.EAGAIN, "IPC_NOWAIT")
    if deadline is not None and proc.kernel.now >= deadline:
        raise KernelError(Errno.EAGAIN, "the time is over")
    lwp.sysstate = SemWait(blocked.num, blocked.op == 0, deadline, ident)
    raise Sleep(sems.cv, deadline=deadline, restart=Restart.NEVER)


def _check_ops(lwp: Lwp, sems: SemSet, ops: list[SemOp]) -> None:
    if len(ops) > SEMOPM or rctl_test(
        "process.max-sem-ops", lwp.proc, lwp.proc, len(ops), 0
    ):
        raise KernelError(Errno.E2BIG, f"{len(ops)} operations")
    if any(op.num >= len(sems.values) for op in ops):
        raise KernelError(Errno.EFBIG, "no such semaphore")
    alters = any(op.op for op in ops)
    ipcaccess(sems, IPC_W if alters else IPC_R, lwp.cred)


def _try(proc: Proc, sems: SemSet, ops: list[SemOp]) -> SemOp | None:
    """Do the operations; the first that has to wait if they can't all be done."""
    values = list(sems.values)
    adjust = dict(sems.undo.get(proc.pid, {}))
    for op in ops:
        value = values[op.num]
        if (op.op == 0 and value) or value + op.op < 0:
            return op
        if value + op.op > SEMVMX:
            raise KernelError(Errno.ERANGE, f"semaphore {op.num} over {SEMVMX}")
        values[op.num] += op.op
        if op.flags & SEM_UNDO and op.op:
            adj = adjust.get(op.num, 0) - op.op
            if not -SEMVMX - 1 < adj <= SEMVMX:
                raise KernelError(Errno.ERANGE, "too much to undo")
            adjust[op.num] = adj
    for op in ops:
        sems.pids[op.num] = proc.pid
    if adjust:
        sems.undo[proc.pid] = adjust
    changed, sems.values = sems.values != values, values
    sems.otime = sems.now()
    if changed:
        sems.changed()
    return None


def semset(lwp: Lwp, sems: SemSet, values: dict[int, int]) -> None:
    """SETVAL and SETALL: new values, and nothing of the old ones is undone.

    Raises:
        KernelError: EACCES; EINVAL, no such semaphore; ERANGE.
    """
    ipcaccess(sems, IPC_W, lwp.cred)
    for num, value in values.items():
        if not 0 <= num < len(sems.values):
            raise KernelError(Errno.EINVAL, f"no semaphore {num}")
        if not 0 <= value <= SEMVMX:
            raise KernelError(Errno.ERANGE, f"value {value}")
    for num, value in values.items():
        sems.values[num] = value
        sems.pids[num] = lwp.proc.pid
        for adjust in sems.undo.values():
            adjust.pop(num, None)
    sems.ctime = sems.now()
    sems.changed()


def semrm(lwp: Lwp, sems: SemSet) -> None:
    """IPC_RMID: who waits gets EIDRM; EPERM."""
    ipcowner(sems, lwp.cred)
    sems.table.free(sems)


def semexit(proc: Proc) -> None:
    """The process exits: what it asked to be undone is (semexit, os/sem.c)."""
    table = proc.zone.ipc.get("sem")
    if table is None:
        return
    for sems in table.slots.values():
        adjust = sems.undo.pop(proc.pid, None) if isinstance(sems, SemSet) else None
        if adjust is None or not isinstance(sems, SemSet):
            continue
        for num, adj in adjust.items():
            sems.values[num] = min(max(sems.values[num] + adj, 0), SEMVMX)
            sems.pids[num] = proc.pid
        sems.otime = sems.now()
        sems.changed()
