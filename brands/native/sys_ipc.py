"""Native System V IPC: shmsys, semsys, msgsys (os/shm.c, os/sem.c, os/msg.c).

The layouts are those of 64-bit illumos (sys/ipc.h, sys/shm.h, sys/sem.h).
"""

from __future__ import annotations

from struct import Struct, pack, unpack
from typing import TYPE_CHECKING

from personae.brands.native.sys_time import deadline_of
from personae.core.errno import Errno, KernelError
from personae.core.ipc import IPC_R, ipc_table, ipcaccess, ipcset
from personae.core.msg import (
    MSGMAX,
    MsgQueue,
    msg_find,
    msgget,
    msgrcv,
    msgrm,
    msgset,
    msgsnd,
)
from personae.core.sem import (
    SEMOPM,
    SemOp,
    SemSet,
    SemWait,
    sem_find,
    semget,
    semop,
    semrm,
    semset,
)
from personae.core.shm import Shm, shm_find, shmat, shmdt, shmget, shmlock, shmrm
from personae.core.syscall import s32, s64

if TYPE_CHECKING:
    from personae.core.ipc import IpcObject
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

IPC_RMID, IPC_SET, IPC_STAT = 10, 11, 12
SHM_LOCK, SHM_UNLOCK = 3, 4
SHM_RDONLY, SHM_RND, SHM_SHARE_MMU, SHM_PAGEABLE = 0o10000, 0o20000, 0o40000, 0o100000
GETNCNT, GETPID, GETVAL, GETALL, GETZCNT, SETVAL, SETALL = range(3, 10)

PERM = Struct("<7I4x")
"""struct ipc_perm: uid gid cuid cgid mode seq key."""
SHMID = Struct("<32sQQHxxii4xQQqqq32x")
"""struct shmid_ds: perm segsz amp lkcnt lpid cpid nattch cnattch and three times."""
MSQID = Struct("<32s16xQQQiiqqq28x4x")
"""struct msqid_ds: perm first last cbytes qnum qbytes lspid lrpid and three times."""
SEMID = Struct("<32sQH6xqqi28x")
"""struct semid_ds: perm base nsems otime ctime binary."""


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def _perm(obj: IpcObject) -> bytes:
    ids = (obj.uid, obj.gid, obj.cuid, obj.cgid)
    return PERM.pack(*ids, obj.mode, obj.seq, obj.key & 0xFFFFFFFF)


def _set(lwp: Lwp, obj: IpcObject, buf: int) -> None:
    uid, gid, _, _, mode, *_ = PERM.unpack(_as(lwp).copyin(buf, PERM.size))
    ipcset(obj, lwp.cred, uid, gid, mode)


# ---- shared memory ----


def sys_shmsys(lwp: Lwp, op: int, a1: int, a2: int, a3: int) -> int:
    """shmsys: shmat 0, shmctl 1, shmdt 2, shmget 3, shmids 4."""
    op = s32(op)
    if op == 0:
        return _shmat(lwp, s32(a1), a2, a3)
    if op == 1:
        return _shmctl(lwp, s32(a1), s32(a2), a3)
    if op == 2:
        shmdt(lwp, a1)
        return 0
    if op == 3:
        return shmget(lwp, s32(a1), a2, a3 & 0xFFFFFFFF).id
    if op == 4:
        return _ids(lwp, "shm", a1, a2, a3)
    raise KernelError(Errno.EINVAL, f"shmsys {op}")


def _shmat(lwp: Lwp, ident: int, addr: int, flags: int) -> int:
    """DISM (SHM_PAGEABLE) is as good as a plain attachment: nothing is paged out."""
    return shmat(
        lwp,
        shm_find(lwp.proc.zone, ident),
        addr,
        rdonly=bool(flags & SHM_RDONLY),
        rnd=bool(flags & SHM_RND),
        ism=bool(flags & SHM_SHARE_MMU),
    )


def _shmctl(lwp: Lwp, ident: int, cmd: int, buf: int) -> int:
    shm = shm_find(lwp.proc.zone, ident)
    if cmd == IPC_STAT:
        ipcaccess(shm, IPC_R, lwp.cred)
        _as(lwp).copyout(buf, _shm_stat(shm))
    elif cmd == IPC_SET:
        _set(lwp, shm, buf)
    elif cmd == IPC_RMID:
        shmrm(lwp, shm)
    elif cmd in (SHM_LOCK, SHM_UNLOCK):
        shmlock(lwp, shm, cmd == SHM_LOCK)
    else:
        raise KernelError(Errno.EINVAL, f"shmctl {cmd}")
    return 0


def _shm_stat(shm: Shm) -> bytes:
    counts = (shm.nattch, shm.ismattch)
    times = (shm.atime, shm.dtime, shm.ctime)
    pids = (shm.lpid, shm.cpid)
    return SHMID.pack(_perm(shm), shm.size, 0, shm.locked, *pids, *counts, *times)


# ---- semaphores ----


def sys_semsys(lwp: Lwp, op: int, a1: int, a2: int, a3: int, a4: int) -> int:
    """semsys: semctl 0, semget 1, semop 2, semids 3, semtimedop 4."""
    op, ident = s32(op), s32(a1)
    if op == 0:
        return _semctl(lwp, sem_find(lwp.proc.zone, ident), s32(a2), s32(a3), a4)
    if op == 1:
        return semget(lwp, ident, s32(a2), a3 & 0xFFFFFFFF).id
    if op in (2, 4):
        return _semop(lwp, ident, a2, a3, a4 if op == 4 else 0)
    if op == 3:
        return _ids(lwp, "sem", a1, a2, a3)
    raise KernelError(Errno.EINVAL, f"semsys {op}")


def _semop(lwp: Lwp, ident: int, ops: int, n: int, timeout: int) -> int:
    if n > SEMOPM:
        raise KernelError(Errno.E2BIG, f"{n} operations")
    deadline = None
    if timeout and not isinstance(lwp.sysstate, SemWait):
        deadline = deadline_of(lwp, timeout)
    raw = _as(lwp).copyin(ops, 6 * n)
    todo = [SemOp(*unpack("<Hhh", raw[i : i + 6])) for i in range(0, len(raw), 6)]
    semop(lwp, ident, todo, deadline)
    return 0


def _semctl(lwp: Lwp, sems: SemSet, num: int, cmd: int, arg: int) -> int:
    n = len(sems.values)
    if cmd == IPC_RMID:
        semrm(lwp, sems)
    elif cmd == IPC_SET:
        _set(lwp, sems, arg)
    elif cmd == SETVAL:
        semset(lwp, sems, {num: s32(arg)})
    elif cmd == SETALL:
        values = unpack(f"<{n}H", _as(lwp).copyin(arg, 2 * n))
        semset(lwp, sems, dict(enumerate(values)))
    elif cmd in (IPC_STAT, GETALL):
        ipcaccess(sems, IPC_R, lwp.cred)
        times = (sems.otime, sems.ctime)
        stat = SEMID.pack(_perm(sems), 0, n, *times, 0)
        _as(lwp).copyout(arg, stat if cmd == IPC_STAT else pack(f"<{n}H", *sems.values))
    else:
        return _semval(lwp, sems, num, cmd)
    return 0


def _semval(lwp: Lwp, sems: SemSet, num: int, cmd: int) -> int:
    if cmd not in (GETNCNT, GETPID, GETVAL, GETZCNT) or not 0 <= num < len(sems.values):
        raise KernelError(Errno.EINVAL, f"semctl {cmd} of semaphore {num}")
    ipcaccess(sems, IPC_R, lwp.cred)
    if cmd == GETVAL:
        return sems.values[num]
    return sems.pids[num] if cmd == GETPID else sems.waiting(num, cmd == GETZCNT)


# ---- message queues ----


def sys_msgsys(lwp: Lwp, op: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int:
    """msgsys: msgget 0, msgctl 1, msgrcv 2, msgsnd 3, msgids 4."""
    op, ident = s32(op), s32(a1)
    if op == 0:
        return msgget(lwp, ident, a2 & 0xFFFFFFFF).id
    if op == 1:
        return _msgctl(lwp, msg_find(lwp.proc.zone, ident), s32(a2), a3)
    if op == 2 and s64(a3) >= 0:
        kind, text = msgrcv(lwp, ident, a3, s64(a4), s32(a5))
        _as(lwp).copyout(a2, pack("<q", kind) + text)
        return len(text)
    if op == 3 and a3 <= MSGMAX:
        raw = _as(lwp).copyin(a2, 8 + a3)
        (kind,) = unpack("<q", raw[:8])
        msgsnd(lwp, ident, kind, raw[8:], s32(a4))
        return 0
    if op == 4:
        return _ids(lwp, "msg", a1, a2, a3)
    raise KernelError(Errno.EINVAL, f"msgsys {op}")


def _msgctl(lwp: Lwp, queue: MsgQueue, cmd: int, buf: int) -> int:
    if cmd == IPC_RMID:
        msgrm(lwp, queue)
    elif cmd == IPC_STAT:
        ipcaccess(queue, IPC_R, lwp.cred)
        sizes = (queue.cbytes, len(queue.msgs), queue.qbytes)
        pids = (queue.lspid, queue.lrpid)
        times = (queue.stime, queue.rtime, queue.ctime)
        _as(lwp).copyout(buf, MSQID.pack(_perm(queue), *sizes, *pids, *times))
    elif cmd == IPC_SET:
        raw = _as(lwp).copyin(buf, MSQID.size)
        uid, gid, _, _, mode, *_ = PERM.unpack(raw[: PERM.size])
        _, _, _, qbytes, *_ = MSQID.unpack(raw)
        msgset(lwp, queue, (uid, gid, mode), qbytes, queue.qbytes)
    else:
        raise KernelError(Errno.EINVAL, f"msgctl {cmd}")
    return 0


def _ids(lwp: Lwp, kind: str, buf: int, nids: int, pnids: int) -> int:
    """shmids(2) and its like: identifiers of the zone, and how many there are."""
    ids = ipc_table(lwp.proc.zone, kind).ids()
    some = ids[: nids & 0xFFFFFFFF]
    if some:
        _as(lwp).store(buf, f"<{len(some)}i", *some)
    _as(lwp).store(pnids, "<I", len(ids))
    return 0
