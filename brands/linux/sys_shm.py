"""System V shared memory: shmget, shmat, shmdt, shmctl (ipc/shm.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import sysv
from personae.brands.linux.sys_fd import space_of
from personae.core.errno import Errno, KernelError
from personae.core.ipc import IPC_R, MAX_IDS, ipc_table, ipcaccess, ipcset
from personae.core.shm import (
    SHMMAX,
    Shm,
    shm_find,
    shm_frames,
    shmat,
    shmdt,
    shmget,
    shmlock,
    shmrm,
)
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

NSEGS = MAX_IDS["shm"]


def sys_shmget(lwp: Lwp, key: int, size: int, flags: int) -> int:
    """Find a segment or make one."""
    if flags & sysv.SHM_HUGETLB:
        raise KernelError(Errno.ENOMEM, "no huge pages")
    return shmget(lwp, s32(key), size, flags).id


def sys_shmat(lwp: Lwp, ident: int, addr: int, flags: int) -> int:
    """Attach a segment; also one that is to be removed."""
    shm = shm_find(lwp.proc.zone, s32(ident), removed=True)
    return shmat(
        lwp,
        shm,
        addr,
        rdonly=bool(flags & sysv.SHM_RDONLY),
        exec_=bool(flags & sysv.SHM_EXEC),
        rnd=bool(flags & sysv.SHM_RND),
        remap=bool(flags & sysv.SHM_REMAP),
    )


def sys_shmdt(lwp: Lwp, addr: int) -> int:
    """Detach a segment."""
    shmdt(lwp, addr)
    return 0


def sys_shmctl(lwp: Lwp, ident: int, cmd: int, buf: int) -> int:
    """Look at a segment, change, lock or remove it."""
    ident, cmd = s32(ident), s32(cmd)
    zone = lwp.proc.zone
    if ident < 0:
        raise KernelError(Errno.EINVAL, "identifier")
    if cmd in (sysv.IPC_INFO, sysv.SHM_INFO):
        return _info(lwp, cmd, buf)
    if cmd in (sysv.SHM_STAT, sysv.SHM_STAT_ANY):
        anyone = cmd == sysv.SHM_STAT_ANY
        shm = sysv.at_place(lwp, ipc_table(zone, "shm"), ident, anyone)
        assert isinstance(shm, Shm)
        space_of(lwp).copyout(buf, stat_of(shm))
        return shm.id
    shm = shm_find(zone, ident, removed=True)
    if cmd == sysv.IPC_STAT:
        ipcaccess(shm, IPC_R, lwp.cred)
        space_of(lwp).copyout(buf, stat_of(shm))
    elif cmd == sysv.IPC_SET:
        raw = space_of(lwp).copyin(buf, sysv.SHMID.size)
        ipcset(shm, lwp.cred, *sysv.perm_in(raw))
    elif cmd == sysv.IPC_RMID:
        shmrm(lwp, shm)
    elif cmd in (sysv.SHM_LOCK, sysv.SHM_UNLOCK):
        shmlock(lwp, shm, cmd == sysv.SHM_LOCK, owner=True)
    else:
        raise KernelError(Errno.EINVAL, f"command {cmd}")
    return 0


def stat_of(shm: Shm) -> bytes:
    """The shmid64_ds of a segment."""
    mode = (sysv.SHM_DEST if shm.removed else 0) | (
        sysv.SHM_LOCKED if shm.locked else 0
    )
    times = (shm.atime, shm.dtime, shm.ctime)
    pids = (sysv.guest_pid(shm, shm.cpid), sysv.guest_pid(shm, shm.lpid))
    return sysv.SHMID.pack(sysv.perm_of(shm, mode), shm.size, *times, *pids, shm.nattch)


def _info(lwp: Lwp, cmd: int, buf: int) -> int:
    """IPC_INFO and SHM_INFO; the highest place in use."""
    zone = lwp.proc.zone
    table = ipc_table(zone, "shm")
    if cmd == sysv.IPC_INFO:
        pages = SHMMAX >> 12
        raw = sysv.SHMINFO.pack(SHMMAX, 1, NSEGS, NSEGS, pages, 0, 0, 0, 0)
    else:
        total, resident = shm_frames(zone)
        raw = sysv.SHM_INFO_S.pack(len(table.slots), total, resident, 0, 0, 0)
    space_of(lwp).copyout(buf, raw)
    return table.highest()
