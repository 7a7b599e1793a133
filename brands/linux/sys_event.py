"""System calls for eventfd, timerfd, signalfd, pidfd, memfd and epoll."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.abi import ITIMERSPEC, NSEC, O
from personae.brands.linux.anonfd import EventFd, PidFd, SignalFd, TimerFd
from personae.brands.linux.data import ZoneData
from personae.brands.linux.epoll import EpollVnode, Item
from personae.brands.linux.ktime import cycles_to_ns, ns_to_cycles, timespec_ns
from personae.brands.linux.pids import find_proc
from personae.brands.linux.sigabi import sigset_to_native
from personae.brands.linux.sys_fd import getf, space_of
from personae.brands.linux.sys_poll import begin, sleep_for
from personae.brands.linux.sys_signal import queue_to
from personae.brands.linux.sys_time import clock_ns
from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK, FREAD, FWRITE, File
from personae.core.signo import CANTMASK
from personae.core.syscall import s32
from personae.core.vfs.tmpfs import TmpDir, TmpFs
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar
    from personae.core.vfs.vnode import Vnode

_BOTH = O.CLOEXEC | O.NONBLOCK
EPOLL_EVENT = Struct("<I4xQ")


def install(lwp: Lwp, vnode: Vnode, flags: int, mode: int = FREAD | FWRITE) -> int:
    """A descriptor for a new vnode; flags are O_CLOEXEC and O_NONBLOCK."""
    proc = lwp.proc
    flag = mode | (FNONBLOCK if flags & O.NONBLOCK else 0)
    file = File(vnode, flag, proc.cred)
    return proc.fds.install(lwp, file, proc.fno_ctl, bool(flags & O.CLOEXEC))


def _flags(flags: int, known: int) -> int:
    flags &= 0xFFFFFFFF
    if flags & ~known:
        raise KernelError(Errno.EINVAL, f"flags {flags:#x}")
    return flags


# ---- eventfd, signalfd, memfd ----


def sys_eventfd2(lwp: Lwp, count: int, flags: int) -> int:
    """A counter to wait for."""
    flags = _flags(flags, _BOTH | 1)
    vp = EventFd(lwp.kernel, count & 0xFFFFFFFF, bool(flags & 1))
    return install(lwp, vp, flags)


def sys_signalfd4(lwp: Lwp, fd: int, mask: int, size: int, flags: int) -> int:
    """Signals as data."""
    flags = _flags(flags, _BOTH)
    if size != 8:
        raise KernelError(Errno.EINVAL, "size of a sigset_t")
    raw = int.from_bytes(space_of(lwp).copyin(mask, 8), "little")
    native = sigset_to_native(raw) & ~CANTMASK
    if s32(fd) == -1:
        return install(lwp, SignalFd(lwp.kernel, native), flags)
    vp = getf(lwp, fd).f_vnode
    if not isinstance(vp, SignalFd):
        raise KernelError(Errno.EINVAL, "not a signalfd")
    vp.mask = native
    lwp.kernel.wakeup(vp.cv)
    return s32(fd)


_MFD_KNOWN = 0x1 | 0x2 | 0x8 | 0x10


def sys_memfd_create(lwp: Lwp, name: int, flags: int) -> int:
    """A file in memory without a name; seals can't be added."""
    flags = _flags(flags, _MFD_KNOWN)
    try:
        space_of(lwp).copyinstr(name, 250)
    except KernelError as e:
        if e.errno is Errno.ENAMETOOLONG:
            raise KernelError(Errno.EINVAL, "name of a memfd") from e
        raise
    zone = lwp.proc.zone
    data: ZoneData = zone.brand_data
    if data.memfs is None:
        data.memfs = TmpFs(lwp.kernel, acct=zone.acct)
    root = data.memfs.root
    assert isinstance(root, TmpDir)
    vp = data.memfs.tmpfile(root, 0o777, lwp.kernel.kcred)
    return install(lwp, vp, int(O.CLOEXEC) if flags & 1 else 0)


# ---- timerfd ----

_TFD_ABSTIME, _TFD_CANCEL = 1, 2
_TIMER_CLOCKS = frozenset(
    (
        abi.CLOCK_REALTIME,
        abi.CLOCK_MONOTONIC,
        abi.CLOCK_BOOTTIME,
        abi.CLOCK_REALTIME_ALARM,
        abi.CLOCK_BOOTTIME_ALARM,
    )
)


def sys_timerfd_create(lwp: Lwp, clock: int, flags: int) -> int:
    """A timer to wait for."""
    flags = _flags(flags, _BOTH)
    if s32(clock) not in _TIMER_CLOCKS:
        raise KernelError(Errno.EINVAL, f"clock {s32(clock)}")
    return install(lwp, TimerFd(lwp.kernel, s32(clock)), flags)


def _timerfd(lwp: Lwp, fd: int) -> TimerFd:
    vp = getf(lwp, fd).f_vnode
    if not isinstance(vp, TimerFd):
        raise KernelError(Errno.EINVAL, "not a timerfd")
    return vp


def _setting(lwp: Lwp, timer: TimerFd) -> bytes:
    out: list[int] = []
    for cycles in (timer.interval, timer.left()):
        ns = cycles_to_ns(lwp.kernel, cycles)
        out += (ns // NSEC, ns % NSEC)
    return ITIMERSPEC.pack(*out)


def sys_timerfd_settime(lwp: Lwp, fd: int, flags: int, new: int, old: int) -> int:
    """Start or stop a timer."""
    as_ = space_of(lwp)
    isec, insec, sec, nsec = ITIMERSPEC.unpack(as_.copyin(new, 32))
    flags = _flags(flags, _TFD_ABSTIME | _TFD_CANCEL)
    interval, first = timespec_ns(isec, insec), timespec_ns(sec, nsec)
    timer = _timerfd(lwp, fd)
    was = _setting(lwp, timer)
    kernel = lwp.kernel
    deadline = 0
    if first:
        if flags & _TFD_ABSTIME:
            first = max(first - clock_ns(lwp, timer.clock), 0)
        deadline = max(kernel.now + ns_to_cycles(kernel, first), 1)
    timer.arm(deadline, ns_to_cycles(kernel, interval))
    if old:
        as_.copyout(old, was)
    return 0


def sys_timerfd_gettime(lwp: Lwp, fd: int, value: int) -> int:
    """What is left on a timer."""
    space_of(lwp).copyout(value, _setting(lwp, _timerfd(lwp, fd)))
    return 0


# ---- pidfd ----


def sys_pidfd_open(lwp: Lwp, pid: int, flags: int) -> int:
    """A descriptor for a process."""
    flags = _flags(flags, O.NONBLOCK)
    pid = s32(pid)
    if pid <= 0:
        raise KernelError(Errno.EINVAL, "pid")
    proc = find_proc(lwp.proc.zone, pid)
    return install(lwp, PidFd(lwp.kernel, proc), flags | O.CLOEXEC)


def pidfd_of(lwp: Lwp, fd: int) -> PidFd:
    """The pidfd of a descriptor.

    Raises:
        KernelError: EBADF, also for another kind of file.
    """
    vp = getf(lwp, fd).f_vnode
    if not isinstance(vp, PidFd):
        raise KernelError(Errno.EBADF, "not a pidfd")
    return vp


def sys_pidfd_send_signal(lwp: Lwp, fd: int, sig: int, info: int, flags: int) -> int:
    """Send a signal to the process of a pidfd."""
    _flags(flags, 0)
    return queue_to(lwp, pidfd_of(lwp, fd).live(), sig, info)


# ---- epoll ----


def sys_epoll_create1(lwp: Lwp, flags: int) -> int:
    """A set of descriptors."""
    flags = _flags(flags, O.CLOEXEC)
    return install(lwp, EpollVnode(lwp.kernel), flags)


def _epoll(lwp: Lwp, fd: int) -> EpollVnode:
    vp = getf(lwp, fd).f_vnode
    if not isinstance(vp, EpollVnode):
        raise KernelError(Errno.EINVAL, "not an epoll set")
    return vp


_ADD, _DEL, _MOD = 1, 2, 3


def sys_epoll_ctl(lwp: Lwp, epfd: int, op: int, fd: int, event: int) -> int:
    """Add, change or remove an entry."""
    op, fd = s32(op), fd & 0xFFFFFFFF
    events = data = 0
    if op != _DEL:
        events, data = EPOLL_EVENT.unpack(space_of(lwp).copyin(event, 16))
    epfile, file = getf(lwp, epfd), getf(lwp, fd)
    if file.f_vnode.v_type in (VType.REG, VType.DIR):
        raise KernelError(Errno.EPERM, "this kind of file is always ready")
    ep = epfile.f_vnode
    if not isinstance(ep, EpollVnode) or ep is file.f_vnode:
        raise KernelError(Errno.EINVAL, "not an epoll set, or itself")
    if op not in (_ADD, _DEL, _MOD):
        raise KernelError(Errno.EINVAL, "operation of epoll_ctl")
    item = ep.find(fd, file)
    if op == _ADD:
        if item is not None:
            raise KernelError(Errno.EEXIST, "is in the set")
        if isinstance(file.f_vnode, EpollVnode):
            file.f_vnode.depth(ep)
        ep.items.append(Item(fd, file, events, data))
    elif item is None:
        raise KernelError(Errno.ENOENT, "is not in the set")
    elif op == _DEL:
        ep.items.remove(item)
    else:
        item.events, item.data, item.out_told = events, data, False
    ep.changed()
    return 0


def sys_epoll_pwait(
    lwp: Lwp, epfd: int, events: int, count: int, ms: int, mask: int, size: int
) -> int:
    """Wait for entries; the time is in milliseconds, negative for ever."""
    ms = s32(ms)
    ns = None if ms < 0 else ms * 1_000_000
    return _wait(lwp, epfd, events, count, ns, 0, mask, size)


def sys_epoll_pwait2(
    lwp: Lwp, epfd: int, events: int, count: int, ts: int, mask: int, size: int
) -> int:
    """Wait for entries; the time is a timespec, NULL for ever."""
    return _wait(lwp, epfd, events, count, None, ts, mask, size)


def _wait(
    lwp: Lwp,
    epfd: int,
    events: int,
    count: int,
    ns: int | None,
    ts: int,
    mask: int,
    size: int,
) -> int:
    count = s32(count)
    if not 0 < count <= 0x7FFFFFFF // 16:
        raise KernelError(Errno.EINVAL, "number of events")
    ep = _epoll(lwp, epfd)
    state = begin(lwp, ts, mask, size, ns)
    lwp.sigwaiting = 0
    cvs: list[CondVar] = [ep.cv]
    got = ep.ready(lwp, min(count, 4096), cvs, True)
    expired = state.deadline is not None and lwp.kernel.now >= state.deadline
    if not got and not expired:
        raise sleep_for(lwp, 0, state, cvs, ep.next_deadline())
    lwp.sigwaiting = 0
    raw = b"".join(EPOLL_EVENT.pack(e, d) for e, d in got)
    if raw:
        space_of(lwp).copyout(events, raw)
    return len(got)
