"""Futexes: WAIT, WAKE and their kin, and robust lists (futex(2)).

A futex is named by the memory behind its address, so processes that share the
memory meet.  Waiters are kept in the zone's data, the longest waiting first;
each sleeps on a channel of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import TIMESPEC, U32
from personae.brands.linux.data import FutexWaiter, ZoneData, ldata
from personae.brands.linux.ktime import (
    deadline_after,
    ns_to_cycles,
    realtime_ns,
    timespec_ns,
)
from personae.brands.linux.pids import find_thread, linux_tid
from personae.core.errno import Errno, KernelError
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE = 0, 1, 3, 4
FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET = 9, 10
FUTEX_PRIVATE_FLAG = 128
FUTEX_CLOCK_REALTIME = 256
ANY = 0xFFFFFFFF

FUTEX_WAITERS = 0x80000000
FUTEX_OWNER_DIED = 0x40000000
FUTEX_TID_MASK = 0x3FFFFFFF
ROBUST_LIST_LIMIT = 2048

USER_LIMIT = 1 << 38

_Key = tuple[object, int, bool]


def _zone(lwp: Lwp) -> ZoneData:
    data: ZoneData = lwp.proc.zone.brand_data
    return data


def _key(lwp: Lwp, addr: int, private: bool) -> _Key:
    """What names a futex (get_futex_key): a private one is of this space alone.

    A shared and a private one at one address are two, for private memory too.
    """
    if addr & 3:
        raise KernelError(Errno.EINVAL, "futex is not aligned")
    as_ = lwp.proc.as_
    assert as_ is not None
    if addr >= USER_LIMIT:
        raise KernelError(Errno.EFAULT, "futex")
    return (as_, addr, True) if private else (*as_.object_at(addr), False)


def dequeue(w: FutexWaiter) -> None:
    """Take a waiter off its queue, if it is still on it."""
    futexes = w.lwp.proc.zone.brand_data.futexes
    queue = futexes.get(w.key)
    if queue is not None and w in queue:
        queue.remove(w)
        if not queue:
            del futexes[w.key]


def wake(
    lwp: Lwp, addr: int, count: int, bitset: int = ANY, private: bool = False
) -> int:
    """Wake up to ``count`` waiters of a futex; returns how many.

    Raises:
        KernelError: EINVAL, EFAULT.
    """
    key = _key(lwp, addr, private)
    queue = _zone(lwp).futexes.get(key, ())
    chosen = [w for w in queue if w.bitset & bitset][: max(count, 0)]
    for w in chosen:
        dequeue(w)
        w.woken = True
        lwp.kernel.wakeup(w.cv)
    return len(chosen)


def _requeue(
    lwp: Lwp, addr: int, addr2: int, wakes: int, moves: int, private: bool
) -> int:
    woken = wake(lwp, addr, wakes, private=private)
    key, key2 = _key(lwp, addr, private), _key(lwp, addr2, private)
    futexes = _zone(lwp).futexes
    moved = list(futexes.get(key, ()))[:moves]
    if key != key2:
        for w in moved:
            dequeue(w)
            w.key = key2
            futexes.setdefault(key2, []).append(w)
    return woken + len(moved)


def sys_futex(
    lwp: Lwp, addr: int, op: int, val: int, timeout: int, addr2: int, val3: int
) -> int:
    """Wait for a word of memory to change, or wake those who do."""
    op = s32(op)
    cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    if op & FUTEX_CLOCK_REALTIME and cmd != FUTEX_WAIT_BITSET:
        raise KernelError(Errno.ENOSYS, f"futex operation {op}")
    val3 &= ANY
    private = bool(op & FUTEX_PRIVATE_FLAG)
    if cmd in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        bitset = ANY if cmd == FUTEX_WAIT else val3
        return _wait(lwp, addr, op, val & ANY, timeout, bitset)
    if cmd in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
        bitset = ANY if cmd == FUTEX_WAKE else val3
        if not bitset:
            raise KernelError(Errno.EINVAL, "empty bitset")
        return wake(lwp, addr, max(s32(val), 1), bitset, private)
    if cmd in (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE):
        wakes, moves = s32(val), s32(timeout)
        if wakes < 0 or moves < 0:
            raise KernelError(Errno.EINVAL, "negative count")
        if cmd == FUTEX_CMP_REQUEUE and _load(lwp, addr) != val3:
            raise KernelError(Errno.EAGAIN, "the word has changed")
        return _requeue(lwp, addr, addr2, wakes, moves, private)
    raise KernelError(Errno.ENOSYS, f"futex operation {cmd}")


def _load(lwp: Lwp, addr: int) -> int:
    as_ = lwp.proc.as_
    assert as_ is not None
    word: int = U32.unpack(as_.copyin(addr, 4))[0]
    return word


def _wait(lwp: Lwp, addr: int, op: int, val: int, timeout: int, bitset: int) -> int:
    """State between entries: the deadline, kept also when a signal ends the wait."""
    data = ldata(lwp)
    w = data.futex
    if w is not None and w.woken:
        data.futex = None
        return 0
    if lwp.sysstate is None:
        if not bitset:
            raise KernelError(Errno.EINVAL, "empty bitset")
        lwp.sysstate = (_deadline(lwp, op, timeout),)
    (deadline,) = lwp.sysstate
    if w is None:
        key = _key(lwp, addr, bool(op & FUTEX_PRIVATE_FLAG))
        if _load(lwp, addr) != val:
            raise KernelError(Errno.EAGAIN, "the word has changed")
        w = data.futex = FutexWaiter(lwp, key, bitset, CondVar())
        _zone(lwp).futexes.setdefault(key, []).append(w)
    if deadline is not None and lwp.kernel.now >= deadline:
        dequeue(w)
        data.futex = None
        raise KernelError(Errno.ETIMEDOUT, "futex")
    if lwp.interrupted:
        dequeue(w)
        data.futex = None
    restart = Restart.SYS if deadline is None else Restart.NOHAND
    raise Sleep(w.cv, deadline=deadline, restart=restart, user_lock=True)


def _deadline(lwp: Lwp, op: int, timeout: int) -> int | None:
    if not timeout:
        return None
    as_ = lwp.proc.as_
    assert as_ is not None
    kernel = lwp.kernel
    ns = timespec_ns(*TIMESPEC.unpack(as_.copyin(timeout, 16)))
    cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    if cmd == FUTEX_WAIT:
        return deadline_after(kernel, ns)
    if op & FUTEX_CLOCK_REALTIME:
        return deadline_after(kernel, max(ns - realtime_ns(kernel), 0))
    return ns_to_cycles(kernel, ns)


# ---- robust lists ----


def sys_set_robust_list(lwp: Lwp, head: int, size: int) -> int:
    """Where the list of the robust mutexes of this thread begins."""
    if size != 24:
        raise KernelError(Errno.EINVAL, "struct robust_list_head")
    lwp.robust_list = head
    return 0


def sys_get_robust_list(lwp: Lwp, pid: int, head: int, size: int) -> int:
    """The list of a thread."""
    target = find_thread(lwp.proc.zone, s32(pid)) if s32(pid) else lwp
    if target.proc is not lwp.proc and lwp.proc.cred.euid != 0:
        raise KernelError(Errno.EPERM, "the list of another process")
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.store(size, "<Q", 24)
    as_.store(head, "<Q", target.robust_list)
    return 0


def exit_robust_list(lwp: Lwp) -> None:
    """Mark the robust mutexes of a dying thread (kernel/futex/core.c)."""
    head, lwp.robust_list = lwp.robust_list, 0
    as_ = lwp.proc.as_
    assert as_ is not None
    try:
        entry, offset, pending = as_.load(head, "<QqQ")
        for _ in range(ROBUST_LIST_LIMIT):
            if entry & ~1 == head:
                break
            (nxt,) = as_.load(entry & ~1, "<Q")
            if entry & ~1 != pending & ~1:
                _owner_died(lwp, (entry & ~1) + offset)
            entry = nxt
        if pending:
            _owner_died(lwp, (pending & ~1) + offset)
    except KernelError:
        return  # a broken list ends the walk


def _owner_died(lwp: Lwp, addr: int) -> None:
    as_ = lwp.proc.as_
    assert as_ is not None
    word = _load(lwp, addr)
    if word & FUTEX_TID_MASK != linux_tid(lwp):
        return
    as_.copyout(addr, U32.pack(word & FUTEX_WAITERS | FUTEX_OWNER_DIED))
    if word & FUTEX_WAITERS:
        wake(lwp, addr, 1)
