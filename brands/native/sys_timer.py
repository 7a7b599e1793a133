"""POSIX timers of the native brand: timer_create(3C) with signals and port events."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.sys_poll import port_of
from personae.brands.native.sys_time import NANOSEC, clock_ns
from personae.brands.native.user import space_of
from personae.core.errno import Errno, KernelError
from personae.core.ptimer import (
    PosixTimer,
    timer_add,
    timer_delete,
    timer_find,
    timer_number,
)
from personae.core.signo import NSIG, SiCode, Sig, SigInfo
from personae.core.syscall import s32
from personae.core.vfs.port import SOURCE_TIMER, PortEvent, PortVnode

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

SIGEVENT = Struct("<iiQQQi4x")
"""sigev_notify, sigev_signo, sigev_value, function, attributes, pad (sys/siginfo.h)."""
SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_PORT = 1, 2, 3, 4
PORT_NOTIFY = Struct("<i4xQ")
"""portnfy_port, portnfy_user (sys/port.h)."""
ITIMERSPEC = Struct("<qqqq")
"""it_interval, it_value."""
TIMER_ABSTIME = 1
TIMER_CLOCKS = (0, abi.CLOCK_REALTIME, abi.CLOCK_MONOTONIC)


class NativeTimer(PosixTimer):
    """A timer that sends a signal, or an event to a port.

    Attributes:
        how: SIGEV_*; SIGEV_THREAD is a port event that the library waits for.
        port: Where its events go.
        event: Its last event.
    """

    def __init__(self, proc: Proc, ident: int, clock: int) -> None:
        super().__init__(proc, ident, clock)
        self.how = SIGEV_SIGNAL
        self.signo = int(Sig.SIGALRM)
        self.value = 0
        self.port: PortVnode | None = None
        self.event: PortEvent | None = None

    def notify(self) -> None:
        """A signal, or an event; what is pending still only counts the overrun."""
        if self.port is not None:
            self._to_port(self.port)
        elif self.how == SIGEV_SIGNAL:
            if self.pending(self.proc.sigqueue):
                self.overrun += 1
                return
            self.taking_overrun()
            self.sent = SigInfo(self.signo, SiCode.TIMER, value=self.value)
            self.proc.kernel.psignal(self.proc, self.signo, self.sent)

    def _to_port(self, port: PortVnode) -> None:
        """portev_events is the number of expirations that the event stands for."""
        for i, e in enumerate(port.queue):
            if e is self.event:
                self.event = port.queue[i] = e._replace(events=e.events + 1)
                self.told = e.events
                return
        self.told = 0
        self.event = PortEvent(1, SOURCE_TIMER, self.ident, self.value)
        port.post(self.event)


def sys_timer_create(lwp: Lwp, clock: int, evp: int, out: int) -> int:
    """timer_create(clock, sigevent, &timer)."""
    clock = s32(clock)
    if clock not in TIMER_CLOCKS:
        raise KernelError(Errno.EINVAL, f"timer on clock {clock}")
    as_ = space_of(lwp)
    timer = NativeTimer(lwp.proc, timer_number(lwp.proc), clock)
    timer.value = timer.ident
    if evp:
        _set_event(lwp, timer, as_.copyin(evp, SIGEVENT.size))
    as_.store(out, "<i", timer.ident)
    timer_add(timer)
    return 0


def _set_event(lwp: Lwp, timer: NativeTimer, raw: bytes) -> None:
    timer.how, signo, value, *_ = SIGEVENT.unpack(raw)
    if timer.how == SIGEV_SIGNAL:
        if not 0 < signo < NSIG:
            raise KernelError(Errno.EINVAL, f"signal {signo}")
        timer.signo, timer.value = signo, value
    elif timer.how in (SIGEV_THREAD, SIGEV_PORT):
        data = space_of(lwp).copyin(value, PORT_NOTIFY.size)
        fd, timer.value = PORT_NOTIFY.unpack(data)
        timer.port = port_of(lwp, fd)
        timer.port.check_room(lwp.proc)
    elif timer.how != SIGEV_NONE:
        raise KernelError(Errno.EINVAL, f"sigev_notify {timer.how}")


def sys_timer_settime(lwp: Lwp, ident: int, flags: int, new: int, old: int) -> int:
    """timer_settime(timer, flags, value, ovalue)."""
    isec, insec, sec, nsec = ITIMERSPEC.unpack(
        space_of(lwp).copyin(new, ITIMERSPEC.size)
    )
    for s, n in ((isec, insec), (sec, nsec)):
        if s < 0 or not 0 <= n < NANOSEC:
            raise KernelError(Errno.EINVAL, f"time {s}, {n}")
    timer = timer_find(lwp.proc, s32(ident))
    was = _setting(timer)
    first = sec * NANOSEC + nsec or -1
    if first > 0 and s32(flags) & TIMER_ABSTIME:
        first = max(first - clock_ns(lwp, timer.clock), 0)
    timer.set(first, isec * NANOSEC + insec)
    if old:
        space_of(lwp).copyout(old, was)
    return 0


def _setting(timer: PosixTimer) -> bytes:
    """Struct itimerspec: interval and what is left."""
    interval, left = timer.left()
    return ITIMERSPEC.pack(*divmod(interval, NANOSEC), *divmod(left, NANOSEC))


def sys_timer_gettime(lwp: Lwp, ident: int, value: int) -> int:
    """timer_gettime(timer, value)."""
    timer = timer_find(lwp.proc, s32(ident))
    space_of(lwp).copyout(value, _setting(timer))
    return 0


def sys_timer_getoverrun(lwp: Lwp, ident: int) -> int:
    """timer_getoverrun(timer): of the last signal or event that was sent."""
    return timer_find(lwp.proc, s32(ident)).told


def sys_timer_delete(lwp: Lwp, ident: int) -> int:
    """timer_delete(timer)."""
    timer_delete(lwp.proc, s32(ident))
    return 0
