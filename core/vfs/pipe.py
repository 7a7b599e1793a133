"""Pipes and FIFOs (pipe(7), fifo(7)).

``PipeBuf`` is the buffer with its counts of open ends; an anonymous pipe is one
``PipeVnode`` opened twice, a FIFO of a file system has a buffer of its own.  The
counts are of open *files*: a copy of a descriptor, also one inherited over fork,
shares the file, so the last close anywhere is what readers see as the end.

The open of a FIFO that waits leaves nothing behind if its lwp never comes back:
who waits is read from the waiters of the channel, and an end granted to a waiter
by its peer counts only while that lwp is still inside that very call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.file import FNDELAY, FNONBLOCK, FREAD, FWRITE, File
from personae.core.lwp import TState
from personae.core.signo import Sig
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.vnode import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    Vattr,
    Vnode,
    VType,
    counters,
    isowner,
    new_ino,
)

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

PIPE_CAPACITY = 65536
PIPE_BUF = 4096
"""A write of up to this many bytes is never interleaved (limits.h)."""
PIPE_SHARE = 8
"""All pipes together hold at most this part of the memory."""
PIPE_MAX = 1 << 20
"""Largest capacity without privilege (/proc/sys/fs/pipe-max-size)."""


class PipeBuf:
    """The bytes in a pipe, its open ends, and who waits.

    Attributes:
        nreaders: Open files for reading.
        nwriters: Open files for writing.
        had_writer: A writer has been there since the first reader came.
        granted: Ends given to lwps that still sleep in open(), with their tokens.
    """

    __slots__ = (
        "buf",
        "capacity",
        "cv_in",
        "cv_open_r",
        "cv_open_w",
        "cv_out",
        "granted",
        "had_writer",
        "kernel",
        "nreaders",
        "nwriters",
        "serial",
    )

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.buf = bytearray()
        self.capacity = PIPE_CAPACITY
        self.nreaders = 0
        self.nwriters = 0
        self.had_writer = False
        self.cv_in = CondVar()
        """Readers and pollers for input."""
        self.cv_out = CondVar()
        """Writers and pollers for room."""
        self.cv_open_r = CondVar()
        self.cv_open_w = CondVar()
        self.granted: list[tuple[Lwp, tuple[str, int]]] = []
        self.serial = 0

    # -- ends

    def readers(self) -> int:
        """Read ends, those granted to sleeping openers too."""
        return self.nreaders + self._granted("r") if self.granted else self.nreaders

    def writers(self) -> int:
        """Write ends, those granted to sleeping openers too."""
        return self.nwriters + self._granted("w") if self.granted else self.nwriters

    def _granted(self, end: str) -> int:
        gone = (TState.TS_ZOMB, TState.TS_FREE)
        self.granted = [
            (t, token)
            for t, token in self.granted
            if t.sysstate == token and t.state not in gone
        ]
        return sum(token[0] == end for _, token in self.granted)

    def grant(self, cv: CondVar, end: str) -> None:
        """Give an end to every opener that sleeps on ``cv``, and wake it."""
        for t in cv.waiters:
            if t.sysstate is None:
                self.serial += 1
                token = (end, self.serial)
                t.sysstate = token
                self.granted.append((t, token))
        if cv.waiters:
            self.kernel.wakeup(cv)

    def take_grant(self, lwp: Lwp) -> None:
        """An opener has come back: its end becomes an open file."""
        self.granted = [g for g in self.granted if g[0] is not lwp]

    def open_end(self, flag: int) -> None:
        """One open file more."""
        if flag & FREAD:
            self.nreaders += 1
        if flag & FWRITE:
            self.nwriters += 1
            self.had_writer = True

    def close_end(self, flag: int) -> None:
        """One open file less; the other side is told, the last one empties it."""
        wake = self.kernel.wakeup
        if flag & FREAD:
            self.nreaders -= 1
            if self.nreaders == 0 and self.cv_out.waiters:
                wake(self.cv_out)
        if flag & FWRITE:
            self.nwriters -= 1
            if self.nwriters == 0 and self.cv_in.waiters:
                wake(self.cv_in)
        if self.readers() == 0 and self.writers() == 0:
            self._count(-len(self.buf))
            self.buf.clear()
            self.had_writer = False

    # -- data

    def _count(self, n: int) -> None:
        """Bytes more, or less, in all pipes of the machine."""
        counters(self.kernel).pipe_bytes += n

    def room(self) -> int:
        """Bytes that can be written now.

        All pipes together hold a part of the machine's memory; beyond it each has
        PIPE_BUF, as pipe-user-pages-soft does it (pipe(7)).
        """
        here = len(self.buf)
        left = self.kernel.mem_bytes // PIPE_SHARE - counters(self.kernel).pipe_bytes
        return max(0, min(self.capacity - here, max(left, PIPE_BUF - here)))

    def read(self, n: int, flag: int) -> bytes:
        """What is there, up to ``n`` bytes; waits for the first one."""
        buf = self.buf
        if buf:
            out = bytes(buf[:n])
            del buf[:n]
            self._count(-len(out))
            if self.cv_out.waiters and self.room() >= PIPE_BUF:
                self.kernel.wakeup(self.cv_out)
            return out
        if n == 0 or self.writers() == 0:
            return b""
        if flag & FNONBLOCK:
            raise KernelError(Errno.EAGAIN, "empty pipe")
        if flag & FNDELAY:
            return b""
        raise Sleep(self.cv_in)

    def peek(self, n: int) -> bytes:
        """Up to ``n`` bytes that stay in the pipe (tee(2))."""
        return bytes(self.buf[:n])

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """All of ``data``, in parts if it is longer than PIPE_BUF.

        How much is done is kept in ``lwp.sysstate`` over a wait.
        """
        if not data:
            return 0
        done = 0
        if lwp is not None and type(lwp.sysstate) is int:
            done = lwp.sysstate
        if self.readers() == 0:
            if lwp is not None:
                self.kernel.tsignal(lwp, Sig.SIGPIPE)
            if done:
                return done
            raise KernelError(Errno.EPIPE, "nobody can read the pipe")
        total = len(data)
        take = min(self.room(), total - done)
        if take < total - done and total <= PIPE_BUF:
            take = 0
        if take:
            self.buf += data[done : done + take] if take < total else data
            self._count(take)
            done += take
            if self.cv_in.waiters:
                self.kernel.wakeup(self.cv_in)
        if done == total:
            return done
        if lwp is None or flag & (FNONBLOCK | FNDELAY):
            if done or flag & (FNONBLOCK | FNDELAY) == FNDELAY:
                return done
            raise KernelError(Errno.EAGAIN, "full pipe")
        lwp.sysstate = done
        raise Sleep(self.cv_out, partial=done or None)

    def poll(self, events: int, flag: int) -> tuple[int, list[CondVar]]:
        """POLLIN with data, POLLHUP without writers, POLLERR without readers."""
        ready = 0
        cvs = []
        if flag & FREAD:
            cvs.append(self.cv_in)
            if self.buf:
                ready |= events & POLLIN
            if self.had_writer and self.writers() == 0:
                ready |= POLLHUP
        if flag & FWRITE:
            cvs.append(self.cv_out)
            if self.room() >= PIPE_BUF:
                ready |= events & POLLOUT
            if self.readers() == 0:
                ready |= POLLERR
        return ready, cvs

    def set_capacity(self, n: int) -> int:
        """fcntl(F_SETPIPE_SZ): rounded up to a power of two of pages."""
        if n > PIPE_MAX:
            raise KernelError(Errno.EPERM, "above pipe-max-size")
        cap = PIPE_BUF
        while cap < n:
            cap *= 2
        if cap < len(self.buf):
            raise KernelError(Errno.EBUSY, "more than that is in the pipe")
        self.capacity = cap
        if self.cv_out.waiters:
            self.kernel.wakeup(self.cv_out)
        return cap


def fifo_open(pipe: PipeBuf, lwp: Lwp | None, flag: int) -> None:
    """Open an end of a FIFO, waiting for the other one (fifo(7)).

    Raises:
        KernelError: ENXIO, non-blocking for writing and nobody reads.
        Sleep: Until somebody opens the other end.
    """
    mode = flag & (FREAD | FWRITE)
    if lwp is not None and isinstance(lwp.sysstate, tuple):
        pipe.take_grant(lwp)
        lwp.sysstate = None
        pipe.open_end(flag)
        return
    if mode == FREAD | FWRITE or (mode == FREAD and flag & (FNONBLOCK | FNDELAY)):
        pass
    elif mode == FREAD:
        if not pipe.writers() and not pipe.cv_open_w.waiters:
            raise Sleep(pipe.cv_open_r)
    elif not pipe.readers() and not pipe.cv_open_r.waiters:
        if flag & (FNONBLOCK | FNDELAY):
            raise KernelError(Errno.ENXIO, "nobody has the FIFO open for reading")
        raise Sleep(pipe.cv_open_w)
    pipe.open_end(flag)
    if flag & FREAD:
        pipe.grant(pipe.cv_open_w, "w")
    if flag & FWRITE:
        pipe.grant(pipe.cv_open_r, "r")


class PipeVnode(Vnode):
    """An anonymous pipe."""

    def __init__(self, kernel: Kernel, cred: Cred) -> None:
        super().__init__(None, VType.FIFO)
        self.pipe = PipeBuf(kernel)
        self.ino = new_ino(kernel)
        self.mode = 0o600
        self.uid, self.gid = cred.fsuid, cred.fsgid
        self.time = kernel.wall_ns

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """One end less."""
        self.pipe.close_end(flag)

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Reopened through /proc: as a FIFO, but without waiting."""
        self.pipe.open_end(flag)
        return self

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Bytes from the pipe."""
        return self.pipe.read(n, flag)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Bytes into the pipe."""
        return self.pipe.write(lwp, data, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """State of the end ``flag`` says."""
        return self.pipe.poll(events, flag)

    def fionread(self) -> int:
        """Bytes that can be read at once."""
        return len(self.pipe.buf)

    def getattr(self) -> Vattr:
        """Attributes; all times are that of pipe()."""
        t = self.time
        return Vattr(
            VType.FIFO,
            self.mode,
            self.uid,
            self.gid,
            1,
            0,
            self.ino,
            0,
            0,
            t,
            t,
            t,
            4096,
            0,
        )

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Mode and owner can be changed; nothing else means anything."""
        if "size" in changes:
            raise KernelError(Errno.EINVAL, "truncate of a pipe")
        if not isowner(cred, self.uid):
            raise KernelError(Errno.EPERM, "not the owner")
        self.mode = changes.get("mode", self.mode) & 0o7777
        self.uid = changes.get("uid", self.uid)
        self.gid = changes.get("gid", self.gid)

    def anon_name(self) -> bytes:
        """As Linux shows it."""
        return b"pipe:[%d]" % self.ino


def pipe_create(kernel: Kernel, cred: Cred, flag: int = 0) -> tuple[File, File]:
    """A pipe: the file to read from and the one to write to.

    Args:
        kernel: The kernel.
        cred: The owner.
        flag: FNONBLOCK for both.
    """
    vp = PipeVnode(kernel, cred)
    vp.pipe.open_end(FREAD | FWRITE)
    return File(vp, FREAD | flag, cred), File(vp, FWRITE | flag, cred)


def make_pipe(lwp: Lwp, flag: int = 0) -> tuple[File, File]:
    """pipe(2) of the calling lwp, who owns it."""
    return pipe_create(lwp.kernel, lwp.proc.cred, flag)
