"""System V shared memory (os/shm.c): segments, and who has attached them.

A segment is an ``AnonMap``: its frames are made at first touch, are charged to the
zone and stay while the segment does, attached or not.  ``Proc.segacct`` says what
a process has attached and where; processes that share an address space share that
table as well, so a vfork child works on its parent's and a fork takes one attachment
for each (fork.c:280).

An ISM segment (SHM_SHARE_MMU) has all its frames from its first attachment on and
counts its attachments a second time (shm_ismattch).

Must not know: brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from personae.core.errno import Errno, KernelError, Panic
from personae.core.ipc import (
    IPC_R,
    IPC_W,
    IpcObject,
    IpcTable,
    ipc_table,
    ipcaccess,
    ipcget,
    ipcowner,
)
from personae.core.policy import secpolicy_lock_memory
from personae.core.rctl import rctl_test
from personae.core.vm.anon import AnonMap
from personae.core.vm.layout import PAGE, PAGE_MASK, PAGE_SHIFT, MapFlag, page_up
from personae.core.vm.seg import SegAnon

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As
    from personae.core.zone import Zone

SHMMAX = 1 << 38
"""No segment is larger than an address space."""
READ, WRITE, EXEC = 1, 2, 4


class Shm(IpcObject):
    """One segment (kshmid_t).

    Attributes:
        size: Bytes, as asked for.
        nattch: How many attachments there are.
        ismattch: How many of them are ISM.
        locked: SHM_LOCK.
        cpid: Pid of its maker; ``lpid`` of who attached or detached last.
    """

    kind: ClassVar[str] = "shm"

    def __init__(
        self, table: IpcTable, proc: Proc, key: int, mode: int, size: int
    ) -> None:
        super().__init__(table, proc, key, mode)
        self.size = size
        self.amp = AnonMap(proc.kernel, table.zone.acct)
        self.nattch = 0
        self.ismattch = 0
        self.locked = False
        self.cpid, self.lpid = proc.pid, 0
        self.atime = self.dtime = 0

    @property
    def bytes(self) -> int:
        """What it takes of max-shm-memory."""
        return page_up(self.size)

    def destroy(self) -> None:
        """The frames go with the last mapping."""
        if self.nattch:
            raise Panic(f"{self!r} is freed with {self.nattch} attachments")
        self.amp.rele()

    def ledger(self) -> Any:
        """Counts and stamps."""
        counts = (self.size, self.nattch, self.ismattch, self.lpid)
        return (*super().ledger(), *counts, self.atime, self.dtime)


class Segacct:
    """One attachment (segacct_t)."""

    __slots__ = ("addr", "ism", "shm")

    def __init__(self, addr: int, shm: Shm, ism: bool) -> None:
        self.addr = addr
        self.shm = shm
        self.ism = ism
        shm.nattch += 1
        shm.ismattch += ism

    def attach(self) -> Segacct:
        """The same attachment for a child (shmfork)."""
        return Segacct(self.addr, self.shm, self.ism)

    def detach(self, pid: int = 0) -> None:
        """It is over (kshmdt); a removed segment goes with its last one.

        Args:
            pid: Who detached it; 0 if it never came to be.
        """
        shm = self.shm
        if shm.nattch <= 0:
            raise Panic(f"{shm!r} detached too often")
        shm.nattch -= 1
        shm.ismattch -= self.ism
        if pid:
            shm.lpid, shm.dtime = pid, shm.now()
        if shm.removed and shm.nattch == 0:
            shm.table.free(shm)

    def __repr__(self) -> str:
        return f"<Segacct {self.addr:#x} {self.shm!r}{' ism' * self.ism}>"


def shm_find(zone: Zone, ident: int, *, removed: bool = False) -> Shm:
    """The segment of an identifier; EINVAL."""
    shm = ipc_table(zone, "shm").find(ident, removed=removed)
    assert isinstance(shm, Shm)
    return shm


def shm_all(zone: Zone) -> list[Shm]:
    """The segments of a zone."""
    return [s for s in ipc_table(zone, "shm").slots.values() if isinstance(s, Shm)]


def shmget(lwp: Lwp, key: int, size: int, flags: int) -> Shm:
    """Find a segment or make one (shmget(2)).

    Raises:
        KernelError: EINVAL, a size of 0, larger than the segment that is there, or
            over max-shm-memory; ENOENT EEXIST EACCES ENOSPC.
    """
    proc = lwp.proc
    table = ipc_table(proc.zone, "shm")

    def make() -> Shm:
        if not 0 < size <= SHMMAX:
            raise KernelError(Errno.EINVAL, f"segment of {size} bytes")
        _check_memory(proc, page_up(size))
        return Shm(table, proc, key, flags, size)

    def check(shm: Shm) -> None:
        if size > shm.size:
            raise KernelError(Errno.EINVAL, f"{shm!r} has {shm.size} bytes only")

    return ipcget(lwp, table, key, flags, make, check)


def _check_memory(proc: Proc, more: int) -> None:
    """project.max-shm-memory and zone.max-shm-memory."""
    segs = shm_all(proc.zone)
    project = proc.task.project if proc.task is not None else None
    mine = sum(s.bytes for s in segs if s.project is project)
    total = sum(s.bytes for s in segs)
    name = "max-shm-memory"
    if rctl_test(f"project.{name}", project, proc, more, mine) or rctl_test(
        f"zone.{name}", proc.zone, proc, more, total
    ):
        raise KernelError(Errno.EINVAL, f"over {name}")


def shmat(
    lwp: Lwp,
    shm: Shm,
    addr: int,
    *,
    rdonly: bool = False,
    exec_: bool = False,
    rnd: bool = False,
    remap: bool = False,
    ism: bool = False,
) -> int:
    """Attach a segment (shmat(2)); where it is.

    Args:
        lwp: The caller.
        shm: The segment.
        addr: Where; 0 for a free place.
        rdonly: Not for writing (SHM_RDONLY).
        exec_: For execution as well (SHM_EXEC).
        rnd: Round ``addr`` down to a page (SHM_RND).
        remap: What is there goes (SHM_REMAP); else it is EINVAL.
        ism: All frames at once, and counted (SHM_SHARE_MMU).

    Raises:
        KernelError: EACCES EINVAL ENOMEM.
    """
    proc = lwp.proc
    ipcaccess(shm, IPC_R if rdonly else IPC_R | IPC_W, lwp.cred)
    if rnd:
        addr &= ~PAGE_MASK
    if addr & PAGE_MASK or (remap and not addr):
        raise KernelError(Errno.EINVAL, f"attachment at {addr:#x}")
    if ism:
        for idx in range(shm.bytes >> PAGE_SHIFT):
            shm.amp.getpage(idx)
    prot = READ | (0 if rdonly else WRITE) | (EXEC if exec_ else 0)
    base = _map(_space(proc), shm, addr, prot, remap)
    if remap:
        shm_sync(proc)
    proc.segacct[base] = Segacct(base, shm, ism)
    shm.lpid, shm.atime = proc.pid, shm.now()
    return base


def _map(space: As, shm: Shm, addr: int, prot: int, remap: bool) -> int:
    flags = MapFlag.SHARED
    if addr:
        flags |= MapFlag.FIXED | (0 if remap else MapFlag.NOREPLACE)
    most = prot | READ | EXEC
    name = b"/SYSV%08x (deleted)" % (shm.key & 0xFFFFFFFF)
    try:
        return space.map(
            addr, shm.size, prot, flags, maxprot=most, name=name, amp=shm.amp
        )
    except KernelError as e:
        if e.errno is Errno.ENOMEM and not addr:
            raise
        raise KernelError(Errno.EINVAL, e.why) from e


def _space(proc: Proc) -> As:
    if proc.as_ is None:
        raise KernelError(Errno.EINVAL, "no address space")
    return proc.as_


def shmdt(lwp: Lwp, addr: int) -> None:
    """Detach what was attached at ``addr`` (shmdt(2)).

    Raises:
        KernelError: EINVAL, nothing was.
    """
    proc = lwp.proc
    acct = proc.segacct.get(addr)
    if acct is None:
        raise KernelError(Errno.EINVAL, f"nothing is attached at {addr:#x}")
    space = _space(proc)
    for base, size in _mapped(space, acct, addr):
        space.unmap(base, size)
    del proc.segacct[addr]
    acct.detach(proc.pid)


def _mapped(space: As, acct: Segacct, addr: int) -> list[tuple[int, int]]:
    """The parts of an attachment that are still mapped in their place."""
    shm = acct.shm
    return [
        (seg.base, seg.size)
        for seg in space.overlap(addr, addr + shm.bytes)
        if isinstance(seg, SegAnon)
        and seg.amp is shm.amp
        and seg.base - seg.off == addr
    ]


def shm_sync(proc: Proc) -> None:
    """After munmap, mremap or a mapping over others: what is gone is detached.

    For brands in which an attachment is a mapping like others; in illumos it stays
    until shmdt.
    """
    if not proc.segacct:
        return
    space = _space(proc)
    gone = [a for a, acct in proc.segacct.items() if not _mapped(space, acct, a)]
    for addr in gone:
        acct = proc.segacct.pop(addr)
        moved = _moved_to(proc, space, acct)
        if moved:
            acct.addr = moved
            proc.segacct[moved] = acct
        else:
            acct.detach(proc.pid)


def _moved_to(proc: Proc, space: As, acct: Segacct) -> int:
    """Where mremap has put an attachment; 0 if it is gone."""
    for seg in space.segs:
        if isinstance(seg, SegAnon) and seg.amp is acct.shm.amp:
            base = seg.base - seg.off
            if base not in proc.segacct:
                return base
    return 0


def shmrm(lwp: Lwp, shm: Shm) -> None:
    """IPC_RMID: the segment goes once nobody has it attached; EPERM."""
    ipcowner(shm, lwp.cred)
    shm.table.hide(shm)
    if shm.nattch == 0:
        shm.table.free(shm)


def shmlock(lwp: Lwp, shm: Shm, lock: bool, *, owner: bool = False) -> None:
    """SHM_LOCK and SHM_UNLOCK: frames never leave anyway, so it is only noted.

    Args:
        lwp: The caller.
        shm: The segment.
        lock: Which of the two.
        owner: Whether the owner may do it as well (Linux).

    Raises:
        KernelError: EPERM.
    """
    if not (owner and lwp.cred.euid in (shm.uid, shm.cuid)):
        secpolicy_lock_memory(lwp.cred)
    shm.locked = lock


def shm_frames(zone: Zone) -> tuple[int, int]:
    """Pages of all segments, and how many of them exist (SHM_INFO)."""
    segs = shm_all(zone)
    return sum(s.bytes for s in segs) // PAGE, sum(len(s.amp.frames) for s in segs)
