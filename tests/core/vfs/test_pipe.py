"""Pipes and FIFOs: states, ends, atomicity, waiting."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from personae.core.errno import Errno
from personae.core.file import (
    FNONBLOCK,
    FREAD,
    FWRITE,
    File,
    file_close,
    file_hold,
    file_lseek,
    file_pread,
    file_read,
    file_write,
)
from personae.core.signo import Sig
from personae.core.vfs import vnops
from personae.core.vfs.pipe import PIPE_BUF, PIPE_CAPACITY, make_pipe
from personae.core.vfs.vnode import POLLERR, POLLHUP, POLLIN, POLLOUT, VType

EAGAIN, EPIPE, ENXIO = -Errno.EAGAIN, -Errno.EPIPE, -Errno.ENXIO


@pytest.fixture
def pipe(lwp: Any) -> tuple[File, File]:
    r, w = make_pipe(lwp)
    return file_hold(r), file_hold(w)


def test_data_then_eof(lwp: Any, pipe: Any) -> None:
    """Buffered data comes before the end of file, which is sticky."""
    r, w = pipe
    assert file_write(lwp, w, b"ab") == 2
    file_close(lwp, w)
    assert file_read(lwp, r, 8) == b"ab"
    assert file_read(lwp, r, 8) == b""
    assert file_read(lwp, r, 8) == b""


def test_inherited_copy_keeps_it_open(lwp: Any, pipe: Any) -> None:
    """Counts are of open files: only the last copy's close ends the data."""
    r, w = pipe
    file_hold(w)
    file_close(lwp, w)
    assert lwp.call(file_read, lwp, r, 1) is None
    assert lwp.asleep
    file_close(lwp, w)
    assert lwp.again() == b""


def test_reader_sleeps_until_data(lwp: Any, spawn: Any, pipe: Any) -> None:
    """An empty pipe makes the reader wait; a write wakes it."""
    r, w = pipe
    assert lwp.call(file_read, lwp, r, 10) is None
    other = spawn()
    assert other.call(file_write, other, w, b"x") == 1
    assert lwp.again() == b"x"


def test_nonblocking(lwp: Any, pipe: Any) -> None:
    """EAGAIN on empty and on full; a long write gives what fits."""
    r, w = pipe
    r.f_flag |= FNONBLOCK
    w.f_flag |= FNONBLOCK
    assert lwp.call(file_read, lwp, r, 1) == EAGAIN
    assert lwp.call(file_write, lwp, w, bytes(100_000)) == PIPE_CAPACITY
    assert lwp.call(file_write, lwp, w, b"x") == EAGAIN
    assert len(file_read(lwp, r, 100)) == 100
    assert lwp.call(file_write, lwp, w, bytes(PIPE_BUF)) == EAGAIN
    assert lwp.call(file_write, lwp, w, bytes(PIPE_BUF + 1)) == 100


def test_atomic_write_waits_whole(lwp: Any, spawn: Any, pipe: Any) -> None:
    """Up to PIPE_BUF bytes go in together or not at all."""
    r, w = pipe
    file_write(lwp, w, bytes(PIPE_CAPACITY - 10))
    assert lwp.call(file_write, lwp, w, b"y" * 20) is None
    assert lwp.sysstate == 0
    other = spawn()
    file_read(other, r, PIPE_BUF)
    assert lwp.again() == 20


def test_long_write_in_parts(lwp: Any, spawn: Any, pipe: Any) -> None:
    """A long write keeps its progress over waits and moves every byte once."""
    r, w = pipe
    data = bytes(i % 251 for i in range(200_000))
    assert lwp.call(file_write, lwp, w, data) is None
    assert lwp.sysstate == PIPE_CAPACITY
    other = spawn()
    got = b""
    while len(got) < len(data):
        got += file_read(other, r, 30_000)
        if not lwp.asleep and lwp.call_:
            lwp.again()
    assert got == data
    assert lwp.call_ is None


def test_signal_ends_long_write_with_its_part(lwp: Any, pipe: Any) -> None:
    """Interrupted after some bytes: the count; before any: EINTR."""
    _, w = pipe
    assert lwp.call(file_write, lwp, w, bytes(100_000)) is None
    assert lwp.interrupt() == PIPE_CAPACITY
    assert lwp.call(file_write, lwp, w, b"x") is None
    assert lwp.interrupt() == -Errno.EINTR


def test_no_reader(lwp: Any, pipe: Any, kernel: Any) -> None:
    """SIGPIPE and EPIPE, also for a writer that waits already."""
    r, w = pipe
    file_write(lwp, w, bytes(PIPE_CAPACITY))
    assert lwp.call(file_write, lwp, w, b"x") is None
    file_close(lwp, r)
    assert lwp.again() == EPIPE
    assert kernel.signals == [(lwp, Sig.SIGPIPE)]


def test_no_reader_after_part(lwp: Any, pipe: Any, kernel: Any) -> None:
    """The reader goes in the middle: the count so far, and the signal."""
    r, w = pipe
    assert lwp.call(file_write, lwp, w, bytes(70_000)) is None
    file_close(lwp, r)
    assert lwp.again() == PIPE_CAPACITY
    assert kernel.signals == [(lwp, Sig.SIGPIPE)]


def test_empty_write_and_read(lwp: Any, pipe: Any) -> None:
    """Nothing to do is done at once."""
    r, w = pipe
    assert file_write(lwp, w, b"") == 0
    assert file_read(lwp, r, 0) == b""


def test_wrong_end_and_seek(lwp: Any, pipe: Any) -> None:
    """EBADF and ESPIPE."""
    r, w = pipe
    assert lwp.call(file_read, lwp, w, 1) == -Errno.EBADF
    assert lwp.call(file_write, lwp, r, b"x") == -Errno.EBADF
    assert lwp.call(file_lseek, r, 0, 0) == -Errno.ESPIPE
    assert lwp.call(file_pread, lwp, r, 0, 1) == -Errno.ESPIPE


def test_poll(lwp: Any, pipe: Any) -> None:
    """Events of both ends."""
    r, w = pipe
    both = POLLIN | POLLOUT
    assert r.poll(lwp, both)[0] == 0
    assert w.poll(lwp, both)[0] == POLLOUT
    file_write(lwp, w, b"x")
    assert r.poll(lwp, both)[0] == POLLIN
    file_write(lwp, w, bytes(PIPE_CAPACITY - PIPE_BUF))
    assert w.poll(lwp, both)[0] == 0
    file_close(lwp, w)
    assert r.poll(lwp, both)[0] == POLLIN | POLLHUP
    file_read(lwp, r, PIPE_CAPACITY)
    assert r.poll(lwp, both)[0] == POLLHUP


def test_poll_without_reader(lwp: Any, pipe: Any) -> None:
    """POLLERR at the write end."""
    r, w = pipe
    file_close(lwp, r)
    assert w.poll(lwp, POLLOUT)[0] == POLLOUT | POLLERR


def test_capacity(lwp: Any, pipe: Any) -> None:
    """F_SETPIPE_SZ rounds up, and is refused below what is in it."""
    _, w = pipe
    buf = w.f_vnode.pipe
    file_write(lwp, w, bytes(5000))
    assert buf.set_capacity(6000) == 8192
    assert lwp.call(buf.set_capacity, 4096) == -Errno.EBUSY
    assert lwp.call(buf.set_capacity, 2 << 20) == -Errno.EPERM


def test_pickle(lwp: Any, pipe: Any) -> None:
    """A pipe with data survives a snapshot."""
    r, w = pipe
    file_write(lwp, w, b"kept")
    r2, w2 = pickle.loads(pickle.dumps((r, w)))
    assert r2.f_vnode is w2.f_vnode
    assert file_read(None, r2, 9) == b"kept"


# ---- FIFOs ----


@pytest.fixture
def fifo(lwp: Any) -> bytes:
    vnops.vn_mknod(lwp, b"/f", VType.FIFO, 0o666)
    return b"/f"


def buffer(lwp: Any) -> Any:
    return lwp.proc.zone.root.child(b"f").pipe


@pytest.mark.parametrize(("first", "second"), [(FREAD, FWRITE), (FWRITE, FREAD)])
def test_open_waits_for_peer(
    lwp: Any, spawn: Any, fifo: Any, first: int, second: int
) -> None:
    """Whoever comes first waits; both are through once the other one comes."""
    other = spawn()
    assert lwp.call(vnops.vn_open, lwp, fifo, first) is None
    f2 = other.call(vnops.vn_open, other, fifo, second)
    assert isinstance(f2, File)
    f1 = lwp.again()
    assert isinstance(f1, File)
    assert (buffer(lwp).nreaders, buffer(lwp).nwriters) == (1, 1)
    assert buffer(lwp).granted == []


def test_peer_gone_before_opener_runs(lwp: Any, spawn: Any, fifo: Any) -> None:
    """A writer opens, writes and closes before the waiting reader runs again."""
    other = spawn()
    assert lwp.call(vnops.vn_open, lwp, fifo, FREAD) is None
    w = file_hold(other.call(vnops.vn_open, other, fifo, FWRITE))
    assert other.call(file_write, other, w, b"hello") == 5
    file_close(other, w)
    r = file_hold(lwp.again())
    assert file_read(lwp, r, 10) == b"hello"
    assert file_read(lwp, r, 10) == b""


def test_interrupted_open_leaves_nothing(lwp: Any, spawn: Any, fifo: Any) -> None:
    """EINTR: no reader is counted."""
    assert lwp.call(vnops.vn_open, lwp, fifo, FREAD) is None
    assert lwp.interrupt() == -Errno.EINTR
    other = spawn()
    assert other.call(vnops.vn_open, other, fifo, FWRITE | FNONBLOCK) == ENXIO
    assert buffer(lwp).readers() == 0


def test_killed_opener_leaves_nothing(lwp: Any, spawn: Any, fifo: Any) -> None:
    """An opener that got its end but never comes back does not count."""
    assert lwp.call(vnops.vn_open, lwp, fifo, FREAD) is None
    other = spawn()
    w = file_hold(other.call(vnops.vn_open, other, fifo, FWRITE))
    assert buffer(lwp).readers() == 1
    lwp.kill()
    assert buffer(lwp).readers() == 0
    assert other.call(file_write, other, w, b"x") == EPIPE


def test_several_waiting_readers(lwp: Any, spawn: Any, fifo: Any) -> None:
    """One writer lets all waiting readers through."""
    a, b = spawn(), spawn()
    assert a.call(vnops.vn_open, a, fifo, FREAD) is None
    assert b.call(vnops.vn_open, b, fifo, FREAD) is None
    assert isinstance(lwp.call(vnops.vn_open, lwp, fifo, FWRITE), File)
    assert isinstance(a.again(), File)
    assert isinstance(b.again(), File)
    assert buffer(lwp).nreaders == 2


def test_nonblocking_opens(lwp: Any, fifo: Any) -> None:
    """For reading at once, for writing only with a reader, for both always."""
    assert lwp.call(vnops.vn_open, lwp, fifo, FWRITE | FNONBLOCK) == ENXIO
    r = file_hold(vnops.vn_open(lwp, fifo, FREAD | FNONBLOCK))
    assert r.poll(lwp, POLLIN)[0] == 0
    assert file_read(lwp, r, 5) == b""
    w = file_hold(vnops.vn_open(lwp, fifo, FWRITE | FNONBLOCK))
    assert lwp.call(file_read, lwp, r, 5) == EAGAIN
    file_close(lwp, w)
    assert r.poll(lwp, POLLIN)[0] == POLLHUP
    file_close(lwp, r)
    assert isinstance(vnops.vn_open(lwp, fifo, FREAD | FWRITE), File)


def test_data_is_lost_with_the_last_end(lwp: Any, fifo: Any) -> None:
    """Once nobody has it open the buffer is empty again."""
    f = file_hold(vnops.vn_open(lwp, fifo, FREAD | FWRITE))
    file_write(lwp, f, b"gone")
    file_close(lwp, f)
    f = file_hold(vnops.vn_open(lwp, fifo, FREAD | FNONBLOCK))
    assert file_read(lwp, f, 9) == b""


def test_fifo_works_after_unlink(lwp: Any, fifo: Any) -> None:
    """The name may go while it is open."""
    f = file_hold(vnops.vn_open(lwp, fifo, FREAD | FWRITE))
    vnops.vn_unlink(lwp, fifo)
    file_write(lwp, f, b"still")
    assert file_read(lwp, f, 9) == b"still"
    assert f.f_vnode.getattr().nlink == 0
    file_close(lwp, f)
