"""Pseudo files and host streams."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

import pytest

from personae.core.errno import Errno
from personae.core.file import (
    FNONBLOCK,
    FREAD,
    FTRUNC,
    FWRITE,
    File,
    file_lseek,
    file_pread,
    file_read,
    file_write,
)
from personae.core.vfs import vnops
from personae.core.vfs.hoststream import HostStream
from personae.core.vfs.lookup import lookup, path_of
from personae.core.vfs.pseudofs import (
    PseudoDir,
    PseudoFile,
    PseudoFs,
    PseudoLink,
    StaticDir,
    TextFile,
)
from personae.core.vfs.vnode import POLLIN, Vnode, VType, mount


class Counter(PseudoFile):
    """Counts how often its text was made; takes what is written."""

    mode = 0o644
    made = 0
    got = b""

    def pr_read(self, lwp: Any) -> bytes:
        self.made += 1
        return b"made %d times\n" % self.made

    def pr_write(self, lwp: Any, off: int, data: bytes) -> int:
        self.got += data
        return len(data)


class Numbers(PseudoDir):
    """Folders 0..999, made at each lookup."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        return [(b"%d" % i, VType.DIR) for i in range(1000)]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        if name.isdigit() and int(name) < 1000:
            return StaticDir(self.fs, self, name)
        return None


class SelfLink(PseudoLink):
    """Names who asks."""

    def pr_link(self, ctx: Any) -> bytes:
        return b"n/%d" % ctx.pid


class Magic(PseudoLink):
    """Leads to the root of who asks, whatever its text."""

    def pr_link(self, ctx: Any) -> bytes:
        return b"/nowhere"

    def follow(self, ctx: Any) -> Vnode | None:
        return ctx.zone.root  # type: ignore[no-any-return]


@pytest.fixture
def fs(lwp: Any, kernel: Any) -> PseudoFs:
    fs = PseudoFs(kernel)
    root = StaticDir(fs, None, b"")
    fs.set_root(root)
    root.add(Counter(fs, root, b"count"))
    root.add(TextFile(fs, root, b"text", b"fixed\n"))
    root.add(Numbers(fs, root, b"n"))
    root.add(SelfLink(fs, root, b"self"))
    root.add(Magic(fs, root, b"magic"))
    vnops.vn_mkdir(lwp, b"/proc", 0o555)
    mount(fs, lookup(kernel, lwp.proc, b"/proc"))
    return fs


def find(lwp: Any, path: bytes, **kw: Any) -> Vnode:
    return lookup(lwp.kernel, lwp.proc, path, **kw)


def test_text_is_made_at_the_start(lwp: Any, fs: PseudoFs) -> None:
    """One reader sees one state, until it goes back to the start."""
    f = vnops.vn_open(lwp, b"/proc/count", FREAD)
    assert file_read(lwp, f, 6) == b"made 1"
    assert file_read(lwp, f, 99) == b" times\n"
    assert file_read(lwp, f, 99) == b""
    g = vnops.vn_open(lwp, b"/proc/count", FREAD)
    assert file_read(lwp, g, 6) == b"made 2"
    file_lseek(f, 0, 0)
    assert file_read(lwp, f, 6) == b"made 3"
    assert file_pread(lwp, f, 0, 6) == b"made 4"


def test_writing(lwp: Any, fs: PseudoFs) -> None:
    """Writes arrive; a read-only file is refused, also to root."""
    f = vnops.vn_open(lwp, b"/proc/count", FWRITE | FTRUNC)
    assert file_write(lwp, f, b"55") == 2
    assert find(lwp, b"/proc/count").got == b"55"  # type: ignore[attr-defined]
    assert lwp.call(vnops.vn_open, lwp, b"/proc/text", FWRITE) == -Errno.EACCES
    assert lwp.call(vnops.vn_mkdir, lwp, b"/proc/d", 0) == -Errno.EPERM
    assert lwp.call(vnops.vn_unlink, lwp, b"/proc/text") == -Errno.EPERM


def test_directories(lwp: Any, fs: PseudoFs) -> None:
    """Listing goes on from cookies, numbers agree with stat, .. works."""
    d = find(lwp, b"/proc/n")
    seen, cookie = {}, 0
    while part := d.readdir(cookie):
        seen.update({e.name: e.ino for e in part})
        cookie = part[-1].cookie
    assert len(seen) == 1002
    assert seen[b"77"] == find(lwp, b"/proc/n/77").getattr().ino
    assert seen[b".."] == find(lwp, b"/proc").getattr().ino
    assert find(lwp, b"/proc/n/77/..") is d
    assert find(lwp, b"/proc/n/../..") is lwp.proc.zone.root
    assert lwp.call(find, lwp, b"/proc/n/1000") == -Errno.ENOENT
    assert path_of(find(lwp, b"/proc/n/5"), find(lwp, b"/")) == b"/proc/n/5"


def test_links(lwp: Any, fs: PseudoFs) -> None:
    """A link may depend on who asks, or lead somewhere directly."""
    pid = lwp.proc.pid
    assert vnops.vn_readlink(lwp, b"/proc/self") == b"n/%d" % pid
    assert path_of(find(lwp, b"/proc/self")) == b"/proc/n/%d" % pid
    assert find(lwp, b"/proc/magic") is lwp.proc.zone.root
    assert find(lwp, b"/proc/magic/proc") is fs.root
    assert vnops.vn_readlink(lwp, b"/proc/magic") == b"/nowhere"


def test_pickle(lwp: Any, fs: PseudoFs) -> None:
    """The tree survives a snapshot."""
    fs2 = pickle.loads(pickle.dumps(fs))
    assert [e.name for e in fs2.root.readdir(0)][2:] == [
        b"count",
        b"text",
        b"n",
        b"self",
        b"magic",
    ]


# ---- host streams ----


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_stream_does_not_show_chunks(lwp: Any, kernel: Any, chunk: int) -> None:
    """A read gives n bytes or what is left, however the host feeds."""
    s = HostStream(kernel)
    f = File(s, FREAD | FNONBLOCK)
    data = bytes(range(20))
    got = []
    pieces = [data[i : i + chunk] for i in range(0, 20, chunk)]
    while True:
        out = lwp.call(file_read, lwp, f, 8)
        while out is None:
            assert s.wants_input
            if pieces:
                s.feed(pieces.pop(0))
            else:
                s.feed_eof()
            out = lwp.again()
        if not out:
            break
        got.append(out)
    assert got == [data[:8], data[8:16], data[16:]]
    assert not s.wants_input


def test_stream_output(lwp: Any, kernel: Any) -> None:
    """Everything written is taken once; polling says ready."""
    s = HostStream(kernel)
    f = File(s, FWRITE)
    file_write(lwp, f, b"one")
    file_write(lwp, f, b"two")
    assert s.take_output() == b"onetwo"
    assert s.take_output() == b""
    assert s.poll(lwp, POLLIN)[0] == POLLIN
    assert s.getattr().type is VType.FIFO
    assert lwp.call(file_lseek, f, 0, 0) == -Errno.ESPIPE
