"""System V IPC of Linux as data: commands, and the layouts of the generic ABI.

asm-generic/ipcbuf.h, shmbuf.h, sembuf.h and msgbuf.h with 64-bit longs.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux.pids import pid_to_guest
from personae.core.ipc import IPC_R, ipcaccess

if TYPE_CHECKING:
    from personae.core.ipc import IpcObject, IpcTable
    from personae.core.lwp import Lwp

IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO = 0, 1, 2, 3
SHM_LOCK, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY = 11, 12, 13, 14, 15
SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC = 0o10000, 0o20000, 0o40000, 0o100000
SHM_HUGETLB = 0o4000
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000
"""In shm_perm.mode."""

PERM = Struct("<iIIIIIHHxxxxQQ")
"""struct ipc64_perm: key uid gid cuid cgid mode seq pad unused(2)."""
SHMID = Struct("<48sQqqqiiQ16x")
"""struct shmid64_ds: perm segsz atime dtime ctime cpid lpid nattch unused(2)."""
SHMINFO = Struct("<9Q")
SHM_INFO_S = Struct("<i4x5Q")
"""struct shm_info: used_ids tot rss swp swap_attempts swap_successes."""
SEMID = Struct("<48sqqQ16x")
"""struct semid64_ds: perm otime ctime nsems unused(2)."""
SEMINFO = Struct("<10i")
MSQID = Struct("<48sqqqQQQii16x")
"""struct msqid64_ds: perm stime rtime ctime cbytes qnum qbytes lspid lrpid."""
MSGINFO = Struct("<7iHxx")


def perm_of(obj: IpcObject, mode: int = 0) -> bytes:
    """The ipc64_perm of an object; ``mode`` is what is added to its bits."""
    key = 0 if obj.removed else obj.key
    ids = (obj.uid, obj.gid, obj.cuid, obj.cgid)
    return PERM.pack(key, *ids, obj.mode | mode, obj.seq, 0, 0, 0)


def perm_in(raw: bytes) -> tuple[int, int, int]:
    """Owner, group and mode that IPC_SET asks for."""
    _, uid, gid, _, _, mode, *_ = PERM.unpack(raw[: PERM.size])
    return uid, gid, mode


def guest_pid(obj: IpcObject, pid: int) -> int:
    """A pid as the zone sees it."""
    return pid_to_guest(obj.table.zone, pid) if pid else 0


def at_place(lwp: Lwp, table: IpcTable, idx: int, anyone: bool) -> IpcObject:
    """The object of SHM_STAT and its like; ``anyone`` for the _ANY form."""
    obj = table.at(idx)
    if not anyone:
        ipcaccess(obj, IPC_R, lwp.cred)
    return obj
