"""The same random calls on our tmpfs and on a folder of the host."""

# Path drops the trailing slashes that are tested here.
# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH115, PTH116, PTH211

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personae.core.errno import KernelError
from personae.core.file import (
    FAPPEND,
    FCREAT,
    FDIRECTORY,
    FEXCL,
    FNOFOLLOW,
    FREAD,
    FTRUNC,
    FWRITE,
    file_free,
    file_lseek,
    file_pread,
    file_pwrite,
    file_read,
    file_write,
)
from personae.core.vfs import vnops
from personae.core.vfs.lookup import lookup
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.vnode import VType

SHM = Path("/dev/shm")

NAMES = st.sampled_from(["a", "b", "c", "d"])
PATHS = st.builds(
    lambda parts, tail: "/".join(parts) + tail,
    st.lists(st.sampled_from(["a", "b", "c", "d", ".", ".."]), min_size=1, max_size=3),
    st.sampled_from(["", "", "", "", "/", "/."]),
)
TARGETS = st.sampled_from(["a", "b", "c/d", "../a", "nowhere", "a/", ".", "d/../c"])
FLAGS = st.sampled_from(
    [
        os.O_RDONLY,
        os.O_WRONLY,
        os.O_RDWR | os.O_CREAT,
        os.O_RDWR | os.O_CREAT | os.O_EXCL,
        os.O_WRONLY | os.O_TRUNC,
        os.O_RDWR | os.O_CREAT | os.O_APPEND,
        os.O_RDONLY | os.O_DIRECTORY,
        os.O_RDONLY | os.O_NOFOLLOW,
        os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW,
        os.O_RDONLY | os.O_TRUNC,
    ]
)
OPS = st.one_of(
    st.tuples(st.just("open"), PATHS, FLAGS, st.binary(max_size=20)),
    st.tuples(st.just("mkdir"), PATHS),
    st.tuples(st.just("rmdir"), PATHS),
    st.tuples(st.just("unlink"), PATHS),
    st.tuples(st.just("rename"), PATHS, PATHS),
    st.tuples(st.just("link"), PATHS, PATHS),
    st.tuples(st.just("symlink"), TARGETS, PATHS),
    st.tuples(st.just("readlink"), PATHS),
    st.tuples(st.just("stat"), PATHS),
    st.tuples(st.just("lstat"), PATHS),
    st.tuples(st.just("truncate"), PATHS, st.integers(0, 200_000)),
    st.tuples(
        st.just("rw"),
        PATHS,
        st.integers(0, 150_000),
        st.binary(min_size=1, max_size=30),
        st.integers(1, 4000),
    ),
    st.tuples(st.just("list"), PATHS),
    st.tuples(st.just("mkfifo"), PATHS),
)

_FLAGMAP = (
    (os.O_CREAT, FCREAT),
    (os.O_EXCL, FEXCL),
    (os.O_TRUNC, FTRUNC),
    (os.O_APPEND, FAPPEND),
    (os.O_DIRECTORY, FDIRECTORY),
    (os.O_NOFOLLOW, FNOFOLLOW),
)


def native_flags(flags: int) -> int:
    out = (FREAD, FWRITE, FREAD | FWRITE)[flags & 3]
    for host, ours in _FLAGMAP:
        if flags & host:
            out |= ours
    return out


class Guest:
    """The calls on our file system."""

    def __init__(self, lwp: Any) -> None:
        self.lwp = lwp

    def find(self, path: str, follow: bool = True) -> Any:
        return lookup(self.lwp.kernel, self.lwp.proc, path.encode(), follow=follow)

    def open(self, path: str, flags: int, data: bytes) -> Any:
        f = vnops.vn_open(self.lwp, path.encode(), native_flags(flags), 0o644)
        out: Any = f.f_vnode.v_type is VType.REG
        if f.f_flag & FWRITE:
            out = (file_write(self.lwp, f, data), f.f_offset)
        elif f.f_vnode.v_type is VType.REG:
            out = file_read(self.lwp, f, 100)
        file_free(self.lwp, f)
        return out

    def mkdir(self, path: str) -> None:
        vnops.vn_mkdir(self.lwp, path.encode(), 0o755)

    def rmdir(self, path: str) -> None:
        vnops.vn_rmdir(self.lwp, path.encode())

    def unlink(self, path: str) -> None:
        vnops.vn_unlink(self.lwp, path.encode())

    def rename(self, old: str, new: str) -> None:
        vnops.vn_rename(self.lwp, old.encode(), new.encode())

    def link(self, old: str, new: str) -> None:
        vnops.vn_link(self.lwp, self.find(old, False), new.encode())

    def symlink(self, target: str, path: str) -> None:
        vnops.vn_symlink(self.lwp, target.encode(), path.encode())

    def mkfifo(self, path: str) -> None:
        vnops.vn_mknod(self.lwp, path.encode(), VType.FIFO, 0o644)

    def readlink(self, path: str) -> Any:
        return vnops.vn_readlink(self.lwp, path.encode())

    def truncate(self, path: str, size: int) -> None:
        vnops.vn_truncate(self.lwp, self.find(path), size)

    def stat(self, path: str, follow: bool = True) -> Any:
        a = self.find(path, follow).getattr()
        size = a.size if a.type is not VType.DIR else 0
        return a.type.name, size, a.nlink, a.mode

    def lstat(self, path: str) -> Any:
        return self.stat(path, False)

    def rw(self, path: str, off: int, data: bytes, n: int) -> Any:
        f = vnops.vn_open(self.lwp, path.encode(), FREAD | FWRITE | FNOFOLLOW)
        try:
            if f.f_vnode.v_type is not VType.REG:
                return None
            file_pwrite(self.lwp, f, off, data)
            back = file_pread(self.lwp, f, max(0, off - 10), n)
            return back, file_lseek(f, 0, 2), file_pread(self.lwp, f, 0, n)
        finally:
            file_free(self.lwp, f)

    def list(self, path: str) -> Any:
        vp = self.find(path)
        names, cookie = [], 0
        while entries := vp.readdir(cookie):
            names += [(e.name.decode(), e.type.name) for e in entries]
            cookie = entries[-1].cookie
        return sorted(n for n in names if n[0] not in (".", ".."))


_KINDS = {
    0o100000: "REG",
    0o040000: "DIR",
    0o120000: "LNK",
    0o010000: "FIFO",
}


class Host:
    """The same calls on the host, below a folder."""

    def open(self, path: str, flags: int, data: bytes) -> Any:
        fd = os.open(path, flags | os.O_NONBLOCK, 0o644)
        try:
            reg = (os.fstat(fd).st_mode & 0o170000) == 0o100000
            if flags & 3:
                return os.write(fd, data), os.lseek(fd, 0, 1)
            return os.read(fd, 100) if reg else reg
        finally:
            os.close(fd)

    def mkdir(self, path: str) -> None:
        os.mkdir(path, 0o755)

    def rmdir(self, path: str) -> None:
        os.rmdir(path)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def rename(self, old: str, new: str) -> None:
        os.rename(old, new)

    def link(self, old: str, new: str) -> None:
        os.link(old, new, follow_symlinks=False)

    def symlink(self, target: str, path: str) -> None:
        os.symlink(target, path)

    def mkfifo(self, path: str) -> None:
        os.mkfifo(path, 0o644)

    def readlink(self, path: str) -> Any:
        return os.readlink(path).encode()

    def truncate(self, path: str, size: int) -> None:
        os.truncate(path, size)

    def stat(self, path: str, follow: bool = True) -> Any:
        s = os.stat(path, follow_symlinks=follow)
        kind = _KINDS[s.st_mode & 0o170000]
        size = s.st_size if kind != "DIR" else 0
        return kind, size, s.st_nlink, s.st_mode & 0o7777

    def lstat(self, path: str) -> Any:
        return self.stat(path, False)

    def rw(self, path: str, off: int, data: bytes, n: int) -> Any:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if (os.fstat(fd).st_mode & 0o170000) != 0o100000:
                return None
            os.pwrite(fd, data, off)
            back = os.pread(fd, n, max(0, off - 10))
            return back, os.lseek(fd, 0, 2), os.pread(fd, n, 0)
        finally:
            os.close(fd)

    def list(self, path: str) -> Any:
        with os.scandir(path) as it:
            return sorted(
                (e.name, _KINDS[e.stat(follow_symlinks=False).st_mode & 0o170000])
                for e in it
            )


def outcome(side: Any, op: tuple[Any, ...]) -> Any:
    try:
        return getattr(side, op[0])(*op[1:])
    except KernelError as e:
        return e.errno.name
    except OSError as e:
        name = errno.errorcode[e.errno or 0]
        return {"EWOULDBLOCK": "EAGAIN"}.get(name, name)


def is_fifo(lwp: Any, path: str) -> bool:
    try:
        return Guest(lwp).find(path).v_type is VType.FIFO
    except KernelError:
        return False


@pytest.mark.skipif(not SHM.is_dir(), reason="no tmpfs of the host")
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ops=st.lists(OPS, min_size=5, max_size=40))
def test_same_results_as_host(ops: list[Any], spawn: Any, kernel: Any) -> None:
    lwp = spawn()
    lwp.proc.user.u_cmask = 0o022
    fs = TmpFs(kernel)
    lwp.proc.zone = SimpleNamespace(root=fs.root, console=None, id=0, init=None)
    top = tempfile.mkdtemp(dir=SHM)
    here = Path.cwd()
    old_mask = os.umask(0o022)
    try:
        work = Path(top) / "w"
        work.mkdir()
        os.chdir(work)
        w = vnops.vn_mkdir(lwp, b"/w", 0o755)
        lwp.proc.user.u_cdir = w.hold()
        guest, host = Guest(lwp), Host()
        for op in ops:
            if op[0] in ("open", "rw") and is_fifo(lwp, op[1]):
                continue
            if _leaves(op, lwp, w):
                continue
            assert (op, outcome(host, op)) == (op, outcome(guest, op))
    finally:
        os.umask(old_mask)
        os.chdir(here)
        shutil.rmtree(top)
    assert fs.used >= 0


def _leaves(op: tuple[Any, ...], lwp: Any, w: Any) -> bool:
    """Whether a path climbs out of the folder, where the host has more."""
    for p in op[1:]:
        if not isinstance(p, str) or ".." not in p:
            continue
        at = w
        for part in p.split("/"):
            try:
                at = lookup(lwp.kernel, lwp.proc, part.encode() or b".", start=at)
            except KernelError:
                break
            if at is w.v_vfs.root:
                return True
    return False
