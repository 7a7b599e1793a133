"""Descriptors without a file: eventfd, timerfd, signalfd, pidfd.

Each is a vnode that has no place in any file system.  A poll that can become true
by time alone tells its time through ``next_deadline``.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux.data import pdata
from personae.brands.linux.pids import linux_pid, pid_to_guest
from personae.brands.linux.sigabi import TO_LINUX
from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK
from personae.core.proc import ProcStat
from personae.core.signal import take
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.vnode import POLLIN, POLLOUT, Vattr, Vnode, VType, new_ino

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

U64 = Struct("<Q")
_U64_MAX = (1 << 64) - 1


class AnonVnode(Vnode):
    """Base: attributes of an anonymous inode."""

    kind = b"unknown"

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(None, VType.NON)
        self.kernel = kernel
        self.ino = new_ino(kernel)
        self.cv = CondVar()

    def getattr(self) -> Vattr:
        """Mode 0600 and no kind, as Linux has it."""
        t = self.kernel.config.epoch_ns
        return Vattr(VType.NON, 0o600, 0, 0, 1, 0, self.ino, 0, 0, t, t, t, 4096, 0)

    def anon_name(self) -> bytes:
        """What /proc/PID/fd shows."""
        return b"anon_inode:[%s]" % self.kind

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Through /proc it can't be opened."""
        raise KernelError(Errno.ENXIO, "open of an anonymous file")


class EventFd(AnonVnode):
    """A counter (eventfd(2))."""

    kind = b"eventfd"

    def __init__(self, kernel: Kernel, count: int, semaphore: bool) -> None:
        super().__init__(kernel)
        self.count = count
        self.semaphore = semaphore

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """The counter, which becomes 0; or 1, with one taken off."""
        if n < 8:
            raise KernelError(Errno.EINVAL, "less than 8 bytes")
        if not self.count:
            if flag & FNONBLOCK:
                raise KernelError(Errno.EAGAIN, "the counter is 0")
            raise Sleep(self.cv)
        got = 1 if self.semaphore else self.count
        self.count -= got
        self.kernel.wakeup(self.cv)
        return U64.pack(got)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Add to the counter."""
        if len(data) < 8:
            raise KernelError(Errno.EINVAL, "less than 8 bytes")
        (more,) = U64.unpack_from(data)
        if more == _U64_MAX:
            raise KernelError(Errno.EINVAL, "2^64-1")
        if self.count + more >= _U64_MAX:
            if flag & FNONBLOCK:
                raise KernelError(Errno.EAGAIN, "the counter is full")
            raise Sleep(self.cv)
        self.count += more
        self.kernel.wakeup(self.cv)
        return 8

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Readable above 0, writable below the top."""
        got = POLLIN if self.count else 0
        if self.count < _U64_MAX - 1:
            got |= POLLOUT
        return got & events, [self.cv]


class TimerFd(AnonVnode):
    """A timer that counts its expirations (timerfd_create(2)); times in cycles."""

    kind = b"timerfd"

    def __init__(self, kernel: Kernel, clock: int) -> None:
        super().__init__(kernel)
        self.clock = clock
        self.deadline = 0
        self.interval = 0

    def arm(self, deadline: int, interval: int) -> None:
        """Start anew; deadline 0 stops it."""
        self.deadline, self.interval = deadline, interval
        self.kernel.wakeup(self.cv)

    def _expired(self) -> int:
        late = self.kernel.now - self.deadline
        if not self.deadline or late < 0:
            return 0
        return 1 + late // self.interval if self.interval else 1

    def left(self) -> int:
        """Cycles to the next expiration; 0 if it is stopped."""
        if not self.deadline:
            return 0
        late = self.kernel.now - self.deadline
        if late < 0:
            return -late
        return self.interval - late % self.interval if self.interval else 0

    def next_deadline(self) -> int | None:
        """When it expires."""
        return self.deadline or None

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """How often it has expired since the last read."""
        if n < 8:
            raise KernelError(Errno.EINVAL, "less than 8 bytes")
        count = self._expired()
        if not count:
            if flag & FNONBLOCK:
                raise KernelError(Errno.EAGAIN, "not expired")
            raise Sleep(self.cv, deadline=self.next_deadline())
        self.deadline = self.deadline + count * self.interval if self.interval else 0
        return U64.pack(count)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Readable once it has expired."""
        return (POLLIN & events if self._expired() else 0), [self.cv]


_SIGNALFD = Struct("<IiiIIiIIIIiiQQQQ48x")


class SignalFd(AnonVnode):
    """Pending signals of whoever reads (signalfd(2)); ``mask`` is native."""

    kind = b"signalfd"

    def __init__(self, kernel: Kernel, mask: int) -> None:
        super().__init__(kernel)
        self.mask = mask

    def _pending(self, lwp: Lwp) -> int:
        return (lwp.sig | lwp.proc.sig) & self.mask

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """As many signalfd_siginfo as are pending and fit."""
        if n < _SIGNALFD.size:
            raise KernelError(Errno.EINVAL, "less than one signalfd_siginfo")
        if lwp is None:
            return b""
        out = b""
        while (bits := self._pending(lwp)) and n - len(out) >= _SIGNALFD.size:
            out += self._take(lwp, (bits & -bits).bit_length())
        if out:
            lwp.sigwaiting = 0
            return out
        if flag & FNONBLOCK:
            raise KernelError(Errno.EAGAIN, "no signal is pending")
        lwp.sigwaiting = self.mask
        raise Sleep(self.cv)

    @staticmethod
    def _take(lwp: Lwp, sig: int) -> bytes:
        info = take(lwp, sig)
        pid = pid_to_guest(lwp.proc.zone, info.pid)
        value = info.value & _U64_MAX
        code = info.code if info.code != 32767 else 0x80
        return _SIGNALFD.pack(
            TO_LINUX[info.signo],
            0,
            code,
            pid,
            info.uid & 0xFFFFFFFF,
            *(0, 0, 0, 0, 0),
            info.status,
            (value & 0x7FFFFFFF) - (value & 0x80000000),
            value,
            info.utime,
            info.stime,
            info.addr & _U64_MAX,
        )

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Readable while a signal of the set is pending for who polls."""
        if lwp is None:
            return 0, [self.cv]
        lwp.sigwaiting |= self.mask
        return (POLLIN & events if self._pending(lwp) else 0), [self.cv]


class PidFd(AnonVnode):
    """A process (pidfd_open(2)): readable once it has ended."""

    kind = b"pidfd"

    def __init__(self, kernel: Kernel, proc: Proc) -> None:
        super().__init__(kernel)
        self.proc = proc

    def live(self) -> Proc:
        """The process; ESRCH once it has been reaped."""
        if self.proc.pidp is None:
            raise KernelError(Errno.ESRCH, "the process has been reaped")
        return self.proc

    def pid(self) -> int:
        """Its number, -1 once it has been reaped."""
        return linux_pid(self.proc) if self.proc.pidp is not None else -1

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Readable when it is a zombie or gone."""
        proc = self.proc
        if proc.pidp is None or proc.stat is ProcStat.SZOMB:
            return POLLIN & events, []
        data = pdata(proc)
        if data.exit_cv is None:
            data.exit_cv = CondVar()
        return 0, [data.exit_cv]
