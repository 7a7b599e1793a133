"""Advisory locks: fcntl records, open-file-description records, and flock.

All locks of a vnode are in its ``LockTable``.  A record lock belongs to a process (by
pid, so a fork does not inherit it and any close of the file drops it) or, for
F_OFD_*, to an open file; a flock belongs to an open file.  Owners are plain keys:
``("p", pid)``, ``("o", id)`` and ``("f", id)``, where id is a file's serial number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.vnode import counters

if TYPE_CHECKING:
    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.vfs.vnode import Vnode

EOF_POS = (1 << 63) - 1
"""Last byte of a lock to the end of the file."""

Owner = tuple[str, int]


def flock_range(file: File, whence: int, start: int, length: int) -> tuple[int, int]:
    """First and last byte that a struct flock means (fcntl(2)).

    Args:
        file: The open file, whose offset and size ``whence`` may mean.
        whence: 0 from the start, 1 from the offset, 2 from the end.
        start: l_start.
        length: l_len; 0 up to the end of the file wherever that is, negative for
            bytes before ``start``.

    Raises:
        KernelError: EINVAL, EOVERFLOW.
    """
    if whence == 1:
        start += file.f_offset
    elif whence == 2:
        start += file.f_vnode.getattr().size
    elif whence:
        raise KernelError(Errno.EINVAL, "l_whence")
    if length < 0:
        start, length = start + length, -length
    if start < 0:
        raise KernelError(Errno.EINVAL, "before the start of the file")
    last = start + length - 1 if length else EOF_POS
    if last > EOF_POS:
        raise KernelError(Errno.EOVERFLOW, "behind the largest offset")
    return start, last


class Lock(NamedTuple):
    """One lock; ``end`` is the last byte it covers."""

    owner: Owner
    start: int
    end: int
    exclusive: bool


class LockTable:
    """The locks of one vnode."""

    def __init__(self) -> None:
        self.records: list[Lock] = []
        """Record locks, sorted by owner and start; one owner's do not overlap."""
        self.flocks: dict[Owner, bool] = {}
        """flock by owner: whether it is exclusive."""
        self.cv = CondVar()

    def conflict(self, want: Lock) -> Lock | None:
        """The first lock of somebody else in the way."""
        for lk in self.records:
            if (
                lk.owner != want.owner
                and lk.start <= want.end
                and want.start <= lk.end
                and (lk.exclusive or want.exclusive)
            ):
                return lk
        return None

    def put(self, want: Lock | None, owner: Owner, start: int, end: int) -> None:
        """Replace the owner's locks in a range by ``want`` (None: unlock)."""
        keep = [lk for lk in self.records if lk.owner != owner]
        mine: list[Lock] = []
        for lk in self.records:
            if lk.owner != owner:
                continue
            if lk.start < start:
                mine.append(lk._replace(end=min(lk.end, start - 1)))
            if lk.end > end:
                mine.append(lk._replace(start=max(lk.start, end + 1)))
        if want is not None:
            mine.append(want)
        self.records = sorted(keep + _merge(mine))

    def empty(self) -> bool:
        """Whether there is no lock."""
        return not self.records and not self.flocks


def _merge(locks: list[Lock]) -> list[Lock]:
    """Join neighbours of one kind."""
    out: list[Lock] = []
    for lk in sorted(locks):
        last = out[-1] if out else None
        if last and last.exclusive == lk.exclusive and last.end + 1 == lk.start:
            out[-1] = last._replace(end=lk.end)
        else:
            out.append(lk)
    return out


def _table(vp: Vnode) -> LockTable:
    if vp.v_locks is None:
        vp.v_locks = LockTable()
    return vp.v_locks


def _changed(kernel: Kernel, vp: Vnode) -> None:
    table = vp.v_locks
    if table is not None and table.cv.waiters:
        kernel.wakeup(table.cv)


def getlk(
    vp: Vnode, owner: Owner, start: int, end: int, exclusive: bool
) -> Lock | None:
    """F_GETLK: the lock that would be in the way."""
    table = vp.v_locks
    if table is None:
        return None
    return table.conflict(Lock(owner, start, end, exclusive))


def setlk(
    kernel: Kernel,
    vp: Vnode,
    owner: Owner,
    start: int,
    end: int,
    exclusive: bool,
    wait: bool,
) -> None:
    """F_SETLK and F_SETLKW of a read or write lock on bytes start..end.

    Raises:
        KernelError: EAGAIN, somebody else's lock is in the way; EDEADLK.
        Sleep: With ``wait``, until a lock is dropped.
    """
    table = _table(vp)
    want = Lock(owner, start, end, exclusive)
    other = table.conflict(want)
    counters(kernel).lock_waits.pop(owner, None)
    if other is None:
        table.put(want, owner, start, end)
        _changed(kernel, vp)
        return
    if not wait:
        raise KernelError(Errno.EAGAIN, "locked by another")
    waits = counters(kernel).lock_waits
    if _deadlock(waits, owner, other.owner):
        raise KernelError(Errno.EDEADLK, "each would wait for the other")
    waits[owner] = other.owner, table.cv
    raise Sleep(table.cv)


def _deadlock(
    waits: dict[Owner, tuple[Owner, CondVar]], me: Owner, other: Owner
) -> bool:
    """Whether ``other`` waits, at last, for ``me``; processes only, as POSIX says."""
    seen = set()
    while other not in seen:
        if other == me:
            return True
        seen.add(other)
        if other not in waits:
            return False
        nxt, cv = waits[other]
        if not any(t.proc.pid == other[1] for t in cv.waiters):
            del waits[other]
            return False
        other = nxt
    return False


def unlk(kernel: Kernel, vp: Vnode, owner: Owner, start: int, end: int) -> None:
    """F_UNLCK of bytes start..end."""
    table = vp.v_locks
    if table is not None:
        table.put(None, owner, start, end)
        _changed(kernel, vp)


def flock(
    kernel: Kernel, vp: Vnode, owner: Owner, exclusive: bool | None, wait: bool
) -> None:
    """Lock a whole file (flock(2)); ``exclusive`` None unlocks.

    A conversion drops the lock that is held, also if the new one is not got
    (flock(2): not guaranteed to be atomic).

    Raises:
        KernelError: EAGAIN (EWOULDBLOCK).
        Sleep: With ``wait``.
    """
    table = _table(vp)
    if table.flocks.pop(owner, None) is not None:
        _changed(kernel, vp)
    if exclusive is None:
        return
    if table.flocks and (exclusive or any(table.flocks.values())):
        if not wait:
            raise KernelError(Errno.EAGAIN, "locked by another")
        raise Sleep(table.cv)
    table.flocks[owner] = exclusive


def cleanup(kernel: Kernel, vp: Vnode, owner: Owner) -> None:
    """Drop all locks of an owner on a vnode: close of the file, or exit."""
    table = vp.v_locks
    if table is None:
        return
    table.records = [lk for lk in table.records if lk.owner != owner]
    table.flocks.pop(owner, None)
    _changed(kernel, vp)
    if table.empty() and not table.cv.waiters:
        vp.v_locks = None
