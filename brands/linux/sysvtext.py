"""/proc/sysvipc: what ipcs(1) reads (ipc/shm.c, ipc/sem.c, ipc/msg.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.sysv import SHM_DEST, SHM_LOCKED, guest_pid
from personae.core.ipc import ipc_table
from personae.core.msg import MsgQueue
from personae.core.sem import SemSet
from personae.core.shm import Shm
from personae.core.vfs.pseudofs import PseudoFile
from personae.core.vm.layout import PAGE

if TYPE_CHECKING:
    from personae.core.ipc import IpcObject
    from personae.core.lwp import Lwp
    from personae.core.vfs.pseudofs import PseudoDir, PseudoFs
    from personae.core.zone import Zone

_HEADS = {
    "shm": "       key      shmid perms                  size  cpid  lpid nattch   uid"
    "   gid  cuid  cgid      atime      dtime      ctime                   rss"
    "                  swap\n",
    "sem": "       key      semid perms      nsems   uid   gid  cuid  cgid      otime"
    "      ctime\n",
    "msg": "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid"
    "  cuid  cgid      stime      rtime      ctime\n",
}


class SysvFile(PseudoFile):
    """One of the three tables."""

    def __init__(self, fs: PseudoFs, parent: PseudoDir, name: bytes, zone: Zone):
        super().__init__(fs, parent, name)
        self.zone = zone

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The table as of now."""
        kind = self.name.decode()
        objs = ipc_table(self.zone, kind).slots
        rows = [_row(objs[i]) for i in sorted(objs)]
        return (_HEADS[kind] + "".join(rows)).encode()


def _row(o: IpcObject) -> str:
    key = 0 if o.removed else o.key
    head = f"{key:10d} {o.id:10d}  "
    ids = f"{o.uid:5d} {o.gid:5d} {o.cuid:5d} {o.cgid:5d}"
    if isinstance(o, Shm):
        mode = o.mode | SHM_DEST * o.removed | SHM_LOCKED * o.locked
        pids = f"{guest_pid(o, o.cpid):5d} {guest_pid(o, o.lpid):5d}"
        times = f"{o.atime:10d} {o.dtime:10d} {o.ctime:10d}"
        rss = len(o.amp.frames) * PAGE
        return (
            f"{head}{mode:4o} {o.size:21d} {pids}  {o.nattch:5d} {ids} {times} "
            f"{rss:21d} {0:21d}\n"
        )
    if isinstance(o, SemSet):
        times = f"{o.otime:10d} {o.ctime:10d}"
        return f"{head}{o.mode:4o} {len(o.values):10d} {ids} {times}\n"
    assert isinstance(o, MsgQueue)
    pids = f"{guest_pid(o, o.lspid):5d} {guest_pid(o, o.lrpid):5d}"
    times = f"{o.stime:10d} {o.rtime:10d} {o.ctime:10d}"
    sizes = f"{o.cbytes:10d} {len(o.msgs):10d}"
    return f"{head}{o.mode:4o}  {sizes} {pids} {ids} {times}\n"
