"""Open files, descriptors, and what a fork does to them."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.errno import Errno, KernelError, Panic
from personae.core.file import (
    FAPPEND,
    FCREAT,
    FD_CLOEXEC,
    FD_MAX,
    FPATH,
    FREAD,
    FWRITE,
    SEEK_DATA,
    SEEK_HOLE,
    FdTable,
    File,
    file_close,
    file_hold,
    file_lseek,
    file_pread,
    file_pwrite,
    file_read,
    file_write,
    legal_size,
)
from personae.core.vfs import locks, vnops


@pytest.fixture
def file(lwp: Any) -> File:
    return vnops.vn_open(lwp, b"/file", FREAD | FWRITE | FCREAT, 0o644)


def errno_of(fn: Any, *args: Any) -> Errno | None:
    try:
        fn(*args)
    except KernelError as e:
        return e.errno
    return None


def test_lowest_free_descriptor(lwp: Any, file: File) -> None:
    """Always the lowest one, also after closes and from a minimum."""
    t = lwp.proc.fds
    assert [t.alloc(file, 100) for _ in range(5)] == [0, 1, 2, 3, 4]
    t.close(lwp, 1)
    t.close(lwp, 3)
    assert t.alloc(file, 100, 2) == 3
    assert t.alloc(file, 100) == 1
    assert t.alloc(file, 100) == 5
    assert t.alloc(file, 100, 10) == 10
    assert file.f_count == 7


def test_limit(lwp: Any, file: File) -> None:
    """EMFILE at the limit, and nothing has changed."""
    t = FdTable()
    t.alloc(file, 1)
    assert errno_of(t.alloc, file, 1) is Errno.EMFILE
    assert errno_of(t.alloc, file, 1 << 40, FD_MAX) is Errno.EMFILE
    assert file.f_count == 1


def test_sizes_are_legal(file: File) -> None:
    """The table has 2^n - 1 slots."""
    t = FdTable()
    for fd in range(20):
        t.alloc(file, 100)
        assert t.nfiles == legal_size(fd + 1)
        assert (t.nfiles + 1) & t.nfiles == 0


def test_fork_copies(lwp: Any, file: File) -> None:
    """FORK-11, FORK-12: same files, counted once more, smallest legal size."""
    t = FdTable()
    for _ in range(9):
        t.alloc(file, 100)
    t.setfd(2, FD_CLOEXEC)
    for fd in range(4, 9):
        t.close(lwp, fd)
    assert t.nfiles == 15
    child = t.fork()
    assert child.nfiles == 7
    assert [fd for fd, _ in child.fds()] == [0, 1, 2, 3]
    assert child.getf(0) is file
    assert child.getfd(2) == FD_CLOEXEC
    assert file.f_count == 8
    child.close(lwp, 0)
    assert t.getf(0) is file
    assert child.alloc(file, 100) == 0


def test_fork_keeps_reserved_slots(file: File) -> None:
    """FORK-13: an open in progress elsewhere keeps its slot in the child."""
    t = FdTable()
    assert t.reserve(100) == 0
    t.alloc(file, 100)
    child = t.fork()
    assert child.reserved == {0}
    assert child.alloc(file, 100) == 2
    assert errno_of(child.getf, 0) is Errno.EBADF


def test_fork_undo(file: File) -> None:
    """A failed fork takes the counts back and closes nothing."""
    t = FdTable()
    t.alloc(file, 100)
    t.fork().fork_undo()
    assert file.f_count == 1


def test_offset_is_shared(lwp: Any, file: File) -> None:
    """Parent and child read on from one offset."""
    t = FdTable()
    t.alloc(file, 100)
    file_write(lwp, file, b"abcdef")
    file_lseek(file, 0, 0)
    child = t.fork()
    assert file_read(lwp, t.getf(0), 3) == b"abc"
    assert file_read(lwp, child.getf(0), 3) == b"def"


def test_dup2(lwp: Any, file: File) -> None:
    """The old file of the target is closed; flags do not come along."""
    other = vnops.vn_open(lwp, b"/other", FREAD | FWRITE | FCREAT, 0o644)
    t = lwp.proc.fds
    a, b = t.alloc(file, 100, cloexec=True), t.alloc(other, 100)
    assert t.dup2(lwp, a, b, 100) == b
    assert t.getf(b) is file
    assert t.getfd(b) == 0
    assert other.f_count == 0
    assert t.dup2(lwp, a, a, 100) == a
    assert errno_of(t.dup2, lwp, 77, 1, 100) is Errno.EBADF
    assert errno_of(t.dup2, lwp, a, 100, 100) is Errno.EBADF
    assert t.dup2(lwp, a, 70, 100, True) == 70
    assert t.getfd(70) == FD_CLOEXEC
    assert t.nfiles == 127


def test_close_on_exec_and_close_all(lwp: Any, file: File) -> None:
    """exec closes what is marked, exit all."""
    t = lwp.proc.fds
    t.alloc(file, 100)
    t.alloc(file, 100, cloexec=True)
    t.close_on_exec(lwp)
    assert [fd for fd, _ in t.fds()] == [0]
    shared = t.share()
    t.close_all(lwp)
    assert file.f_count == 1
    shared.close_all(lwp)
    assert file.f_count == 0


def test_misuse_is_a_panic(lwp: Any, file: File) -> None:
    """Closing too often is our bug, and found."""
    with pytest.raises(Panic):
        file_close(lwp, file)
    with pytest.raises(Panic):
        FdTable().setf(3, file)
    file_hold(file)
    file_close(lwp, file)
    with pytest.raises(Panic):
        file.f_vnode.rele()


def test_append_and_pwrite(lwp: Any, file: File) -> None:
    """FAPPEND goes to the end, pwrite leaves the offset."""
    file_write(lwp, file, b"12345")
    file_lseek(file, 1, 0)
    assert file_pwrite(lwp, file, 3, b"XY") == 2
    assert file.f_offset == 1
    file.f_flag |= FAPPEND
    assert file_write(lwp, file, b"end") == 3
    assert file.f_offset == 8
    assert file_pread(lwp, file, 0, 99) == b"123XYend"


def test_lseek(lwp: Any, file: File) -> None:
    """Every whence, and offsets that are none."""
    file_pwrite(lwp, file, 1 << 20, b"x")
    assert file_lseek(file, 10, 0) == 10
    assert file_lseek(file, 5, 1) == 15
    assert file_lseek(file, -1, 2) == 1 << 20
    assert errno_of(file_lseek, file, -1, 0) is Errno.EINVAL
    assert errno_of(file_lseek, file, 0, 9) is Errno.EINVAL
    assert errno_of(file_lseek, file, 1 << 63, 0) is Errno.EINVAL
    assert file_lseek(file, 0, SEEK_DATA) == 1 << 20
    assert file_lseek(file, 0, SEEK_HOLE) == 0
    assert file_lseek(file, 1 << 20, SEEK_HOLE) == (1 << 20) + 1
    assert errno_of(file_lseek, file, 2 << 20, SEEK_DATA) is Errno.ENXIO


def test_file_size_limit(lwp: Any, file: File) -> None:
    """RLIMIT_FSIZE: a part is written, then EFBIG, by the control."""
    lwp.proc.fsz_ctl = 10
    assert file_write(lwp, file, b"x" * 15) == 10
    with pytest.raises(KernelError) as e:
        file_write(lwp, file, b"y")
    # the signal is the control's action, which the trap runs
    assert (e.value.errno, e.value.control) == (Errno.EFBIG, "process.max-file-size")
    assert errno_of(vnops.vn_truncate, lwp, file.f_vnode, 11) is Errno.EFBIG


def test_path_only(lwp: Any, file: File) -> None:
    """An O_PATH file reads and writes nothing."""
    f = vnops.vn_open(lwp, b"/file", FPATH)
    assert errno_of(file_read, lwp, f, 1) is Errno.EBADF
    assert errno_of(file_write, lwp, f, b"x") is Errno.EBADF
    assert errno_of(file_lseek, f, 0, 0) is Errno.EBADF


# ---- locks ----


def test_record_locks_split_and_merge(file: File, kernel: Any) -> None:
    """A range taken out of the middle leaves two; filling it joins them."""
    vp, me = file.f_vnode, ("p", 1)
    locks.setlk(kernel, vp, me, 0, 99, True, False)
    locks.unlk(kernel, vp, me, 40, 59)
    assert vp.v_locks is not None
    assert [(lk.start, lk.end) for lk in vp.v_locks.records] == [(0, 39), (60, 99)]
    locks.setlk(kernel, vp, me, 40, 59, True, False)
    assert [(lk.start, lk.end) for lk in vp.v_locks.records] == [(0, 99)]


def test_record_locks_between_processes(lwp: Any, spawn: Any, file: File) -> None:
    """Conflicts, waiting, F_GETLK, and release at any close of the file."""
    k, vp, other = lwp.kernel, file.f_vnode, spawn()
    t = lwp.proc.fds
    fd = t.alloc(file, 10)
    me, him = ("p", lwp.proc.pid), ("p", other.proc.pid)
    locks.setlk(k, vp, me, 0, 9, False, False)
    locks.setlk(k, vp, him, 0, 9, False, False)
    assert errno_of(locks.setlk, k, vp, him, 5, 5, True, False) is Errno.EAGAIN
    got = locks.getlk(vp, him, 5, 5, True)
    assert got is not None
    assert got.owner == me
    assert other.call(locks.setlk, k, vp, him, 5, 5, True, True) is None
    assert other.asleep
    t.close(lwp, fd)
    assert not other.asleep
    other.again()
    held = locks.getlk(vp, me, 0, 9, False)
    assert held == locks.Lock(him, 5, 5, True)


def test_deadlock_is_found(lwp: Any, spawn: Any, file: File) -> None:
    """Two processes that would wait for each other: EDEADLK."""
    k, vp, other = lwp.kernel, file.f_vnode, spawn()
    me, him = ("p", lwp.proc.pid), ("p", other.proc.pid)
    locks.setlk(k, vp, me, 0, 0, True, False)
    locks.setlk(k, vp, him, 1, 1, True, False)
    assert lwp.call(locks.setlk, k, vp, me, 1, 1, True, True) is None
    assert other.call(locks.setlk, k, vp, him, 0, 0, True, True) == -Errno.EDEADLK


def test_flock(lwp: Any, spawn: Any, file: File) -> None:
    """Whole-file locks belong to open files."""
    k, vp, other = lwp.kernel, file.f_vnode, spawn()
    a, b = ("f", 1), ("f", 2)
    locks.flock(k, vp, a, False, False)
    locks.flock(k, vp, b, False, False)
    assert errno_of(locks.flock, k, vp, a, True, False) is Errno.EAGAIN
    assert vp.v_locks is not None
    assert list(vp.v_locks.flocks) == [b]
    assert other.call(locks.flock, k, vp, a, True, True) is None
    locks.flock(k, vp, b, None, False)
    assert not other.asleep
    other.again()
    assert vp.v_locks.flocks == {a: True}
