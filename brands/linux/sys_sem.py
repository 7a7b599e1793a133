"""System V semaphores and message queues (ipc/sem.c, ipc/msg.c)."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from personae.brands.linux import sysv
from personae.brands.linux.abi import TIMESPEC
from personae.brands.linux.ktime import deadline_after, timespec_ns
from personae.brands.linux.sys_fd import space_of
from personae.core.errno import Errno, KernelError
from personae.core.ipc import IPC_R, MAX_IDS, ipc_table, ipcaccess, ipcset
from personae.core.msg import (
    MSGMAX,
    MSGMNB,
    MsgQueue,
    msg_find,
    msgget,
    msgrcv,
    msgrm,
    msgset,
    msgsnd,
)
from personae.core.sem import (
    SEMMSL,
    SEMOPM,
    SEMVMX,
    SemOp,
    SemSet,
    SemWait,
    sem_find,
    semget,
    semop,
    semrm,
    semset,
)
from personae.core.syscall import s32, s64

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

GETPID, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL = range(11, 18)
SEM_STAT, SEM_INFO, SEM_STAT_ANY = 18, 19, 20
MSG_STAT, MSG_INFO, MSG_STAT_ANY = 11, 12, 13
MSG_COPY = 0o40000


def sys_semget(lwp: Lwp, key: int, n: int, flags: int) -> int:
    """Find a set of semaphores or make one."""
    return semget(lwp, s32(key), s32(n), flags).id


def sys_semop(lwp: Lwp, ident: int, ops: int, n: int) -> int:
    """Do operations as a whole."""
    return sys_semtimedop(lwp, ident, ops, n, 0)


def sys_semtimedop(lwp: Lwp, ident: int, ops: int, n: int, timeout: int) -> int:
    """The same, for a time at most."""
    n &= 0xFFFFFFFF
    if s32(ident) < 0 or n < 1:
        raise KernelError(Errno.EINVAL, "semop")
    if n > SEMOPM:
        raise KernelError(Errno.E2BIG, f"{n} operations")
    as_, deadline = space_of(lwp), None
    if timeout and not isinstance(lwp.sysstate, SemWait):
        ns = timespec_ns(*TIMESPEC.unpack(as_.copyin(timeout, TIMESPEC.size)))
        deadline = deadline_after(lwp.kernel, ns)
    raw = as_.copyin(ops, 6 * n)
    todo = [SemOp(*unpack("<Hhh", raw[i : i + 6])) for i in range(0, len(raw), 6)]
    semop(lwp, s32(ident), todo, deadline)
    return 0


def sys_semctl(lwp: Lwp, ident: int, num: int, cmd: int, arg: int) -> int:
    """Look at a set, change or remove it."""
    ident, num, cmd = s32(ident), s32(num), s32(cmd)
    zone = lwp.proc.zone
    table = ipc_table(zone, "sem")
    if ident < 0:
        raise KernelError(Errno.EINVAL, "identifier")
    if cmd in (sysv.IPC_INFO, SEM_INFO):
        total = sum(len(s.values) for s in table.slots.values() if type(s) is SemSet)
        used = (len(table.slots), total) if cmd == SEM_INFO else (20, SEMVMX)
        ids = MAX_IDS["sem"]
        limits = (ids * SEMMSL, ids, ids * SEMMSL, ids * SEMMSL, SEMMSL, SEMOPM, SEMOPM)
        raw = sysv.SEMINFO.pack(*limits, used[0], SEMVMX, used[1])
        space_of(lwp).copyout(arg, raw)
        return table.highest()
    if cmd in (SEM_STAT, SEM_STAT_ANY):
        sems = sysv.at_place(lwp, table, ident, cmd == SEM_STAT_ANY)
        assert isinstance(sems, SemSet)
        space_of(lwp).copyout(arg, _sem_stat(sems))
        return sems.id
    return _semctl(lwp, sem_find(zone, ident), num, cmd, arg)


def _semctl(lwp: Lwp, sems: SemSet, num: int, cmd: int, arg: int) -> int:
    as_ = space_of(lwp)
    if cmd == sysv.IPC_RMID:
        semrm(lwp, sems)
    elif cmd == sysv.IPC_SET:
        raw = as_.copyin(arg, sysv.SEMID.size)
        ipcset(sems, lwp.cred, *sysv.perm_in(raw))
    elif cmd == SETVAL:
        semset(lwp, sems, {num: s32(arg)})
    elif cmd == SETALL:
        n = len(sems.values)
        values = unpack(f"<{n}H", as_.copyin(arg, 2 * n))
        semset(lwp, sems, dict(enumerate(values)))
    else:
        return _semget(lwp, sems, num, cmd, arg)
    return 0


def _semget(lwp: Lwp, sems: SemSet, num: int, cmd: int, arg: int) -> int:
    """The commands that only look."""
    as_ = space_of(lwp)
    if cmd not in (sysv.IPC_STAT, GETALL, GETPID, GETVAL, GETNCNT, GETZCNT):
        raise KernelError(Errno.EINVAL, f"command {cmd}")
    ipcaccess(sems, IPC_R, lwp.cred)
    if cmd == sysv.IPC_STAT:
        as_.copyout(arg, _sem_stat(sems))
        return 0
    if cmd == GETALL:
        as_.copyout(arg, pack(f"<{len(sems.values)}H", *sems.values))
        return 0
    if not 0 <= num < len(sems.values):
        raise KernelError(Errno.EINVAL, f"no semaphore {num}")
    if cmd == GETVAL:
        return sems.values[num]
    if cmd == GETPID:
        return sysv.guest_pid(sems, sems.pids[num])
    return sems.waiting(num, cmd == GETZCNT)


def _sem_stat(sems: SemSet) -> bytes:
    times = (sems.otime, sems.ctime)
    return sysv.SEMID.pack(sysv.perm_of(sems), *times, len(sems.values))


# ---- message queues ----


def sys_msgget(lwp: Lwp, key: int, flags: int) -> int:
    """Find a queue or make one."""
    return msgget(lwp, s32(key), flags).id


def sys_msgsnd(lwp: Lwp, ident: int, buf: int, size: int, flags: int) -> int:
    """Send a message: a long with its type, then the text."""
    if s32(ident) < 0 or size > MSGMAX:
        raise KernelError(Errno.EINVAL, "msgsnd")
    raw = space_of(lwp).copyin(buf, 8 + size)
    (kind,) = unpack("<q", raw[:8])
    msgsnd(lwp, s32(ident), kind, raw[8:], flags)
    return 0


def sys_msgrcv(lwp: Lwp, ident: int, buf: int, size: int, want: int, flags: int) -> int:
    """Receive a message; how long it is."""
    if s32(ident) < 0 or s64(size) < 0:
        raise KernelError(Errno.EINVAL, "msgrcv")
    if flags & MSG_COPY:
        raise KernelError(Errno.ENOSYS, "MSG_COPY")
    kind, text = msgrcv(lwp, s32(ident), size, s64(want), flags)
    space_of(lwp).copyout(buf, pack("<q", kind) + text)
    return len(text)


def sys_msgctl(lwp: Lwp, ident: int, cmd: int, buf: int) -> int:
    """Look at a queue, change or remove it."""
    ident, cmd = s32(ident), s32(cmd)
    zone, as_ = lwp.proc.zone, space_of(lwp)
    table = ipc_table(zone, "msg")
    if ident < 0:
        raise KernelError(Errno.EINVAL, "identifier")
    if cmd in (sysv.IPC_INFO, MSG_INFO):
        queues = [q for q in table.slots.values() if isinstance(q, MsgQueue)]
        pool, maps, total = 0, 0, 0
        if cmd == MSG_INFO:
            pool, maps = len(queues), sum(len(q.msgs) for q in queues)
            total = sum(q.cbytes for q in queues)
        ids = MAX_IDS["msg"]
        raw = sysv.MSGINFO.pack(pool, maps, MSGMAX, MSGMNB, ids, 16, total, 0xFFFF)
        as_.copyout(buf, raw)
        return table.highest()
    if cmd in (MSG_STAT, MSG_STAT_ANY):
        queue = sysv.at_place(lwp, table, ident, cmd == MSG_STAT_ANY)
        assert isinstance(queue, MsgQueue)
        as_.copyout(buf, _msg_stat(queue))
        return queue.id
    queue = msg_find(zone, ident)
    if cmd == sysv.IPC_STAT:
        ipcaccess(queue, IPC_R, lwp.cred)
        as_.copyout(buf, _msg_stat(queue))
    elif cmd == sysv.IPC_SET:
        _msg_set(lwp, queue, as_.copyin(buf, sysv.MSQID.size))
    elif cmd == sysv.IPC_RMID:
        msgrm(lwp, queue)
    else:
        raise KernelError(Errno.EINVAL, f"command {cmd}")
    return 0


def _msg_set(lwp: Lwp, queue: MsgQueue, raw: bytes) -> None:
    (qbytes,) = unpack("<Q", raw[88:96])
    msgset(lwp, queue, sysv.perm_in(raw), qbytes, MSGMNB)


def _msg_stat(queue: MsgQueue) -> bytes:
    times = (queue.stime, queue.rtime, queue.ctime)
    pids = (sysv.guest_pid(queue, queue.lspid), sysv.guest_pid(queue, queue.lrpid))
    sizes = (queue.cbytes, len(queue.msgs), queue.qbytes)
    return sysv.MSQID.pack(sysv.perm_of(queue), *times, *sizes, *pids)
