"""The overlay and host shares: what the host has, and that it stays as it is."""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FCREAT,
    FREAD,
    FWRITE,
    file_close,
    file_hold,
    file_pread,
    file_read,
    file_write,
)
from personae.core.vfs import overlay as overlay_module
from personae.core.vfs import vnops
from personae.core.vfs.hostfs import HostFs
from personae.core.vfs.lookup import lookup, path_of
from personae.core.vfs.overlay import OverlayFs
from personae.core.vfs.vnode import Vnode, VType, mount


def errno_of(fn: Any, *args: Any) -> Errno | None:
    try:
        fn(*args)
    except KernelError as e:
        return e.errno
    return None


def digest(top: Path) -> str:
    """Everything about a tree but its access times."""
    h = hashlib.sha256()
    for path in [top, *sorted(top.rglob("*"))]:
        s = path.lstat()
        h.update(f"{path} {s.st_mode} {s.st_mtime_ns} {s.st_nlink} {s.st_ino}".encode())
        if path.is_symlink():
            h.update(str(path.readlink()).encode())
        elif path.is_file():
            h.update(path.read_bytes())
    return h.hexdigest()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a bit of everything, and a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    top = tmp_path / "root"
    (top / "bin").mkdir(parents=True)
    (top / "etc").mkdir()
    (top / "bin" / "busybox").write_bytes(b"#!" + bytes(200_000))
    (top / "bin" / "busybox").chmod(0o755)
    (top / "bin" / "sh").hardlink_to(top / "bin" / "busybox")
    (top / "bin" / "ls").symlink_to("busybox")
    (top / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (top / "etc" / "motd").symlink_to("/etc/passwd")
    (top / "out").symlink_to("../secret")
    (top / "abs").symlink_to(str(tmp_path / "secret"))
    (top / "outdir").symlink_to("..")
    os.mkfifo(top / "fifo")
    return top


def enter(lwp: Any, fs: Any) -> None:
    lwp.proc.zone = SimpleNamespace(root=fs.root, console=None, id=0, init=None)


@pytest.fixture
def fs(lwp: Any, kernel: Any, tree: Path) -> OverlayFs:
    fs = OverlayFs(kernel, tree)
    enter(lwp, fs)
    return fs


def find(lwp: Any, path: bytes, **kw: Any) -> Vnode:
    return lookup(lwp.kernel, lwp.proc, path, **kw)


def content(lwp: Any, path: bytes) -> bytes:
    f = file_hold(vnops.vn_open(lwp, path, FREAD))
    try:
        return file_pread(lwp, f, 0, 1 << 20)
    finally:
        file_close(lwp, f)


def names(vp: Vnode) -> list[bytes]:
    return [e.name for e in vp.readdir(0)][2:]


def test_shows_the_lower_layer(lwp: Any, fs: OverlayFs) -> None:
    """Names sorted, kinds, modes, owner root, links."""
    assert names(fs.root) == sorted(names(fs.root))
    a = find(lwp, b"/bin/busybox").getattr()
    assert (a.type, a.mode, a.uid, a.gid, a.nlink) == (VType.REG, 0o755, 0, 0, 2)
    assert a.size == 200_002
    assert find(lwp, b"/bin/sh") is find(lwp, b"/bin/busybox")
    assert find(lwp, b"/bin/ls", follow=False).readlink() == b"busybox"
    assert content(lwp, b"/etc/motd").startswith(b"root:")
    assert find(lwp, b"/fifo").v_type is VType.FIFO
    assert fs.root.getattr().nlink == 4
    kinds = {e.name: e.type for e in find(lwp, b"/bin").readdir(0)}
    assert kinds[b"ls"] is VType.LNK


def test_inode_numbers_agree(lwp: Any, fs: OverlayFs) -> None:
    """readdir and stat give the same number, before and after the lookup."""
    listed = {e.name: e.ino for e in find(lwp, b"/bin").readdir(0)}
    for name in (b"busybox", b"sh", b"ls"):
        vp = find(lwp, b"/bin/" + name, follow=False)
        assert listed[name] == vp.getattr().ino


def test_is_lazy(lwp: Any, fs: OverlayFs) -> None:
    """A node is made when it is looked up, a chunk read when it is needed."""
    assert len(fs.nodes) == 1
    vp = find(lwp, b"/bin/busybox")
    assert len(fs.nodes) == 3
    assert vp.data.chunks == {}  # type: ignore[attr-defined]
    vp.read(lwp, 70_000, 10, 0)
    assert list(vp.data.chunks) == [1]  # type: ignore[attr-defined]


def test_host_is_never_changed(lwp: Any, fs: OverlayFs, tree: Path) -> None:
    """Write, truncate, remove, rename, chmod: all in memory."""
    before = digest(tree.parent)
    f = file_hold(vnops.vn_open(lwp, b"/etc/passwd", FREAD | FWRITE))
    file_write(lwp, f, b"toor")
    file_close(lwp, f)
    assert content(lwp, b"/etc/passwd") == b"toor:x:0:0::/:/bin/sh\n"
    vnops.vn_truncate(lwp, find(lwp, b"/bin/sh"), 70_000)
    assert find(lwp, b"/bin/busybox").getattr().size == 70_000
    vnops.vn_unlink(lwp, b"/bin/sh")
    vnops.vn_rename(lwp, b"/etc", b"/bin/etc2")
    vnops.vn_mkdir(lwp, b"/new", 0o755)
    find(lwp, b"/bin").setattr(lwp.proc.cred, mode=0o700, uid=5)
    vnops.vn_unlink(lwp, b"/fifo")
    assert content(lwp, b"/bin/etc2/passwd").startswith(b"toor")
    assert errno_of(find, lwp, b"/etc") is Errno.ENOENT
    assert find(lwp, b"/bin/busybox").getattr().nlink == 1
    assert digest(tree.parent) == before


def test_shrink_then_grow_shows_zeros(lwp: Any, fs: OverlayFs, tree: Path) -> None:
    """What was cut off does not come back from the host."""
    (tree / "f").write_bytes(b"x" * 200_000)
    vp = find(lwp, b"/f")
    vnops.vn_truncate(lwp, vp, 100)
    vnops.vn_truncate(lwp, vp, 200_000)
    assert vp.read(lwp, 0, 300_000, 0) == b"x" * 100 + bytes(199_900)


def test_removed_name_can_be_made_again(lwp: Any, fs: OverlayFs) -> None:
    """rm -r of a lower folder, then a new one of that name is empty."""
    for name in names(find(lwp, b"/bin")):
        vnops.vn_unlink(lwp, b"/bin/" + name)
    vnops.vn_rmdir(lwp, b"/bin")
    vnops.vn_mkdir(lwp, b"/bin", 0o755)
    assert names(find(lwp, b"/bin")) == []
    assert fs.used > 0


def test_non_empty_lower_folder(lwp: Any, fs: OverlayFs) -> None:
    """rmdir and rename see lower entries that nobody has looked at."""
    assert errno_of(vnops.vn_rmdir, lwp, b"/bin") is Errno.ENOTEMPTY
    vnops.vn_mkdir(lwp, b"/e", 0o755)
    assert errno_of(vnops.vn_rename, lwp, b"/e", b"/etc") is Errno.ENOTEMPTY


def test_links_do_not_escape(lwp: Any, fs: OverlayFs) -> None:
    """A link of the host is text, resolved inside the zone."""
    for path in (b"/out", b"/abs", b"/outdir/secret", b"/../secret"):
        assert (path, Errno.ENOENT) == (path, errno_of(find, lwp, path))
    assert find(lwp, b"/outdir") is fs.root


def test_folder_swapped_for_a_link(lwp: Any, fs: OverlayFs, tree: Path) -> None:
    """Even if the host changes under us, no link of it is followed."""
    find(lwp, b"/bin")
    (tree / "bin").rename(tree / "moved")
    (tree / "bin").symlink_to(tree.parent)
    assert errno_of(find(lwp, b"/bin").readdir, 0) in (Errno.ENOTDIR, Errno.ELOOP)
    find(lwp, b"/etc")
    (tree / "etc" / "passwd").unlink()
    (tree / "etc" / "passwd").symlink_to(tree.parent / "secret")
    vp = find(lwp, b"/etc/passwd", follow=False)
    assert vp.v_type is VType.LNK


def test_lower_chunks_are_a_cache(
    lwp: Any, fs: OverlayFs, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unchanged chunks are dropped and read again; changed ones stay."""
    monkeypatch.setattr(overlay_module, "CLEAN_CACHE", 100_000)
    data = bytes(i % 253 for i in range(400_000))
    (tree / "big").write_bytes(data)
    vp = find(lwp, b"/big")
    vp.write(lwp, 10, b"CHANGED", 0)
    want = data[:10] + b"CHANGED" + data[17:]
    assert vp.read(lwp, 0, 500_000, 0) == want
    assert len(vp.data.chunks) < 4  # type: ignore[attr-defined]
    assert vp.read(lwp, 0, 500_000, 0) == want


def test_pickles(lwp: Any, fs: OverlayFs) -> None:
    """A snapshot goes on reading the host's folder lazily."""
    vnops.vn_mkdir(lwp, b"/made", 0o755)
    fs2, lwp2 = pickle.loads(pickle.dumps((fs, lwp)))
    assert content(lwp2, b"/etc/passwd").startswith(b"root:")
    assert names(fs2.root)[-1] == b"made"


def test_tar(lwp: Any, kernel: Any, tree: Path, tmp_path: Path) -> None:
    """A tar archive, plain or compressed, as a lower layer."""
    for name, mode in (("t.tar", "w"), ("t.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as tar:  # type: ignore[call-overload]
            tar.add(tree, arcname=".")
            evil = tarfile.TarInfo("../evil")
            tar.addfile(evil)
        fs = OverlayFs(kernel, tmp_path / name)
        enter(lwp, fs)
        assert content(lwp, b"/bin/ls") == (tree / "bin" / "busybox").read_bytes()
        assert content(lwp, b"/etc/motd").startswith(b"root:")
        assert find(lwp, b"/bin/sh") is find(lwp, b"/bin/busybox")
        assert find(lwp, b"/bin/sh").getattr().nlink == 2
        assert b"evil" not in names(fs.root)
        vnops.vn_unlink(lwp, b"/bin/sh")


def test_missing_lower_layer(kernel: Any, tmp_path: Path) -> None:
    """A path that is nothing is told at once."""
    with pytest.raises(OSError, match="nothing"):
        OverlayFs(kernel, tmp_path / "nothing")


# ---- host shares ----


@pytest.fixture
def share(lwp: Any, kernel: Any, tree: Path) -> HostFs:
    vnops.vn_mkdir(lwp, b"/mnt", 0o755)
    fs = HostFs(kernel, tree, readonly=False)
    mount(fs, find(lwp, b"/mnt"))
    return fs


def test_share_writes_through(lwp: Any, share: HostFs, tree: Path) -> None:
    """Make, write, rename, link, remove on the host."""
    f = file_hold(vnops.vn_open(lwp, b"/mnt/new", FREAD | FWRITE | FCREAT, 0o640))
    assert file_write(lwp, f, b"hello") == 5
    file_close(lwp, f)
    assert (tree / "new").read_bytes() == b"hello"
    assert (tree / "new").stat().st_mode & 0o777 == 0o640
    vnops.vn_mkdir(lwp, b"/mnt/d", 0o755)
    vnops.vn_rename(lwp, b"/mnt/new", b"/mnt/d/f")
    vnops.vn_link(lwp, find(lwp, b"/mnt/d/f"), b"/mnt/l")
    assert (tree / "l").read_bytes() == b"hello"
    vnops.vn_symlink(lwp, b"d/f", b"/mnt/s")
    assert content(lwp, b"/mnt/s") == b"hello"
    vnops.vn_rename(lwp, b"/mnt/d", b"/mnt/e")
    assert path_of(find(lwp, b"/mnt/e/f"), find(lwp, b"/")) == b"/mnt/e/f"
    find(lwp, b"/mnt/l").setattr(lwp.proc.cred, mode=0o600, size=2, mtime=10**9)
    assert (tree / "l").stat().st_size == 2
    assert (tree / "l").stat().st_mtime_ns == 10**9
    vnops.vn_unlink(lwp, b"/mnt/l")
    vnops.vn_unlink(lwp, b"/mnt/e/f")
    vnops.vn_rmdir(lwp, b"/mnt/e")
    assert not (tree / "e").exists()
    assert names(find(lwp, b"/mnt"))[-1] == b"s"


def test_share_does_not_escape(lwp: Any, share: HostFs, tree: Path) -> None:
    """Links lead into the zone, not into the host."""
    for path in (b"/mnt/out", b"/mnt/abs", b"/mnt/../secret"):
        assert (path, Errno.ENOENT) == (path, errno_of(find, lwp, path))
    assert find(lwp, b"/mnt/outdir") is lwp.proc.zone.root
    assert errno_of(vnops.vn_open, lwp, b"/mnt/fifo", FREAD) is Errno.ENXIO
    out = find(lwp, b"/mnt/out", follow=False)
    vnops.vn_link(lwp, out, b"/mnt/out2")
    assert (tree / "out2").is_symlink()
    assert (tree.parent / "secret").read_text() == "secret"


def test_share_removed_while_open(lwp: Any, share: HostFs, tree: Path) -> None:
    """An open file keeps its content after its name has gone."""
    f = file_hold(vnops.vn_open(lwp, b"/mnt/etc/passwd", FREAD | FWRITE))
    vnops.vn_unlink(lwp, b"/mnt/etc/passwd")
    assert not (tree / "etc" / "passwd").exists()
    assert file_read(lwp, f, 5) == b"root:"
    assert file_write(lwp, f, b"Y") == 1
    assert file_pread(lwp, f, 4, 3) == b":Y:"
    assert f.f_vnode.getattr().nlink == 0
    file_close(lwp, f)


def test_share_readonly(lwp: Any, kernel: Any, tree: Path) -> None:
    """A read-only share changes nothing."""
    vnops.vn_mkdir(lwp, b"/mnt", 0o755)
    mount(HostFs(kernel, tree), find(lwp, b"/mnt"))
    before = digest(tree)
    assert content(lwp, b"/mnt/etc/passwd").startswith(b"root")
    assert errno_of(vnops.vn_open, lwp, b"/mnt/etc/passwd", FWRITE) is Errno.EROFS
    assert errno_of(vnops.vn_unlink, lwp, b"/mnt/etc/passwd") is Errno.EROFS
    assert errno_of(vnops.vn_mkdir, lwp, b"/mnt/x", 0o755) is Errno.EROFS
    assert errno_of(vnops.vn_rename, lwp, b"/mnt/etc", b"/mnt/x") is Errno.EROFS
    assert digest(tree) == before


def test_share_mapped_page(lwp: Any, kernel: Any, share: HostFs, tree: Path) -> None:
    """Stores of a mapping reach the host when the last holder goes."""
    vp = find(lwp, b"/mnt/etc/passwd").hold()
    pfn = vp.getpage(0)
    assert kernel.hw.frame_read(pfn, 0, 4) == b"root"
    kernel.hw.frame_write(pfn, 0, b"ROOT")
    assert vp.read(lwp, 0, 6, 0) == b"ROOT:x"
    vp.write(lwp, 5, b"y", 0)
    assert kernel.hw.frame_read(pfn, 0, 6) == b"ROOT:y"
    vp.rele()
    assert (tree / "etc" / "passwd").read_bytes().startswith(b"ROOT:y")
    assert kernel.hw.frames == {}
