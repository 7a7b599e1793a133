"""A small fake kernel for the file layer: waits, signals and frames are recorded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from personae.core.cred import Cred, kcred
from personae.core.errno import Errno, KernelError
from personae.core.file import FdTable
from personae.core.lwp import TState
from personae.core.proc import User
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.tmpfs import TmpFs

INFINITY = (1 << 64) - 1
MAXHW = 1 << 14


class FakeHw:
    """Frames in a dict."""

    def __init__(self) -> None:
        self.frames: dict[int, bytearray] = {}
        self.refs: dict[int, int] = {}
        self.last = 0
        self.limit = MAXHW

    def frame_alloc(self, acct: int) -> int:
        if len(self.frames) >= self.limit:
            return 0
        self.last += 1
        self.frames[self.last] = bytearray(4096)
        self.refs[self.last] = 1
        return self.last

    def frame_hold(self, pfn: int) -> None:
        self.refs[pfn] += 1

    def frame_rele(self, pfn: int) -> None:
        self.refs[pfn] -= 1
        if self.refs[pfn] == 0:
            del self.refs[pfn], self.frames[pfn]

    def frame_refs(self, pfn: int) -> int:
        return self.refs[pfn]

    def frame_read(self, pfn: int, off: int, n: int) -> bytes:
        assert off >= 0
        assert off + n <= 4096
        return bytes(self.frames[pfn][off : off + n])

    def frame_write(self, pfn: int, off: int, data: bytes) -> int:
        assert off + len(data) <= 4096
        self.frames[pfn][off : off + len(data)] = data
        return 0


class FakeKernel:
    """What the file layer asks of the kernel."""

    def __init__(self) -> None:
        self.hw = FakeHw()
        self.mem_bytes = 64 << 20
        self.vfs_state: Any = None
        self.now = 0
        self.signals: list[tuple[Any, int]] = []
        self.pgsignals: list[tuple[int, int]] = []
        self.rnd = 0
        self.output = b""
        self.classes: dict[str, Any] = {}
        self.procs: dict[int, Any] = {}
        self.practive: list[Any] = []
        self.pids = SimpleNamespace(pgfind=self.pgfind)

    @property
    def now_ns(self) -> int:
        return self.now

    @property
    def wall_ns(self) -> int:
        return 10**18 + self.now

    def note_output(self, data: bytes) -> None:
        self.output += data

    def cycles(self, ns: int) -> int:
        return ns

    def random_bytes(self, n: int) -> bytes:
        self.rnd += 1
        return bytes((self.rnd + i) & 255 for i in range(n))

    def wakeup(self, cv: CondVar) -> None:
        for t in list(cv.waiters):
            t.wake()

    def wakeone(self, cv: CondVar) -> None:
        if cv.waiters:
            cv.waiters[0].wake()

    def tsignal(self, lwp: Any, sig: int, info: Any = None) -> None:
        self.signals.append((lwp, int(sig)))

    def psignal(self, proc: Any, sig: int, info: Any = None) -> None:
        self.signals.append((proc, int(sig)))

    def pgsignal(self, pgid: int, sig: int, info: Any = None) -> None:
        self.pgsignals.append((pgid, int(sig)))

    def pgfind(self, pgid: int) -> Any:
        for p in self.procs.values():
            if p.pgrp is not None and p.pgrp.pgid == pgid:
                return p.pgrp
        return None


class FakeProc:
    """A process with a user area."""

    def __init__(self, kernel: FakeKernel, zone: Any, cred: Cred | None = None) -> None:
        self.kernel = kernel
        self.zone = zone
        self.cred = cred or kcred()
        self.user = User()
        self.user.fds = FdTable()
        self.fsz_ctl = INFINITY
        self.fno_ctl = 1024
        self.pid = 100 + len(kernel.procs)
        kernel.procs[self.pid] = self
        self.sess: Any = None
        self.pgrp: Any = None
        self.parent: Any = None
        self.lwps: list[Any] = []
        self.ignore = 0
        self.stat: Any = None

    @property
    def fds(self) -> FdTable:
        assert self.user.fds is not None
        return self.user.fds

    @property
    def pgid(self) -> int:
        return self.pgrp.pgid if self.pgrp else 0


class FakeLwp:
    """A lwp that runs one call at a time, as core/disp.py would."""

    def __init__(self, proc: FakeProc) -> None:
        self.kernel = proc.kernel
        self.proc = proc
        self.cred = proc.cred
        proc.lwps.append(self)
        self.sysstate: Any = None
        self.state = TState.TS_ONPROC
        self.sigmask = 0
        self.wchans: tuple[CondVar, ...] = ()
        self.deadline: int | None = None
        self.call_: tuple[Any, tuple[Any, ...]] | None = None

    def wake(self) -> None:
        for cv in self.wchans:
            cv.waiters.remove(self)
        self.wchans = ()
        self.state = TState.TS_RUN

    def call(self, fn: Any, *args: Any) -> Any:
        """Enter a call; None if it sleeps."""
        assert self.call_ is None
        self.sysstate = None
        self.call_ = (fn, args)
        return self.again()

    def again(self) -> Any:
        """Enter the call once more after a wake-up."""
        assert self.call_ is not None
        assert not self.wchans, "still asleep"
        fn, args = self.call_
        self.state = TState.TS_ONPROC
        try:
            out = fn(*args)
        except Sleep as s:
            self.wchans = s.cvs
            self.deadline = s.deadline
            for cv in s.cvs:
                cv.waiters.append(self)
            self.state = TState.TS_SLEEP
            self.partial = s.partial
            return None
        except KernelError as e:
            out = -int(e.errno)
        self.call_ = None
        self.sysstate = None
        return out

    @property
    def asleep(self) -> bool:
        return bool(self.wchans)

    def interrupt(self) -> Any:
        """A signal ends the wait: the call is entered once more, then ends."""
        self.wake()
        out = self.again()
        if out is None and self.wchans:
            self.wake()
            out = self.partial if self.partial is not None else -int(Errno.EINTR)
            self.call_ = None
            self.sysstate = None
        return out

    def kill(self) -> None:
        """It never comes back."""
        self.wake()
        self.state = TState.TS_ZOMB
        self.call_ = None


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.fixture
def zone(kernel: FakeKernel) -> Any:
    fs = TmpFs(kernel)  # type: ignore[arg-type]
    return SimpleNamespace(root=fs.root, console=None, id=0, init=None, cred=kcred())


@pytest.fixture
def lwp(kernel: FakeKernel, zone: Any) -> FakeLwp:
    return FakeLwp(FakeProc(kernel, zone))


@pytest.fixture
def spawn(kernel: FakeKernel, zone: Any) -> Any:
    """Make further processes, each with one lwp."""

    def make(cred: Cred | None = None) -> FakeLwp:
        return FakeLwp(FakeProc(kernel, zone, cred))

    return make
