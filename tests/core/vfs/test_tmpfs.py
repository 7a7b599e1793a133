"""tmpfs and path operations: permissions, limits, and what guests may try."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pytest

from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FAPPEND,
    FCREAT,
    FDIRECTORY,
    FEXCL,
    FNOFOLLOW,
    FPATH,
    FREAD,
    FTMPFILE,
    FTRUNC,
    FWRITE,
    File,
    file_close,
    file_hold,
    file_pread,
    file_pwrite,
    file_read,
    file_write,
)
from personae.core.vfs import vnops
from personae.core.vfs.lookup import Namei, getcwd, lookup, lookup_parent, path_of
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.vnode import (
    READDIR_BATCH,
    Vnode,
    VType,
    makedev,
    mount,
    umount,
)


def errno_of(fn: Any, *args: Any, **kw: Any) -> Errno | None:
    try:
        fn(*args, **kw)
    except KernelError as e:
        return e.errno
    return None


def mk(lwp: Any, path: bytes, data: bytes = b"", mode: int = 0o644) -> Vnode:
    f = file_hold(vnops.vn_open(lwp, path, FWRITE | FCREAT, mode))
    file_write(lwp, f, data)
    vp = f.f_vnode
    file_close(lwp, f)
    return vp


def find(lwp: Any, path: bytes, **kw: Any) -> Vnode:
    return lookup(lwp.kernel, lwp.proc, path, **kw)


def names(vp: Vnode) -> list[bytes]:
    out: list[bytes] = []
    cookie = 0
    while part := vp.readdir(cookie):
        out += [e.name for e in part]
        cookie = part[-1].cookie
    return out


# ---- open ----


def test_open_flags(lwp: Any) -> None:
    """The table of open(2)."""
    mk(lwp, b"/f", b"data")
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    vnops.vn_symlink(lwp, b"f", b"/l")
    vnops.vn_symlink(lwp, b"new", b"/dangling")
    cases = [
        (b"/f", FREAD | FCREAT | FEXCL, Errno.EEXIST),
        (b"/l", FREAD | FCREAT | FEXCL, Errno.EEXIST),
        (b"/d", FREAD | FCREAT, Errno.EISDIR),
        (b"/d", FWRITE, Errno.EISDIR),
        (b"/d", FREAD | FTRUNC, Errno.EISDIR),
        (b"/f", FREAD | FDIRECTORY, Errno.ENOTDIR),
        (b"/f/", FREAD, Errno.ENOTDIR),
        (b"/x/", FREAD | FCREAT, Errno.EISDIR),
        (b"/l", FREAD | FNOFOLLOW, Errno.ELOOP),
        (b"/l", FREAD | FCREAT | FNOFOLLOW, Errno.ELOOP),
        (b"/none", FREAD, Errno.ENOENT),
        (b"/f/x", FREAD, Errno.ENOTDIR),
        (b"", FREAD, Errno.ENOENT),
        (b"/d", FREAD | FDIRECTORY, None),
        (b"/l", FPATH | FNOFOLLOW, None),
    ]
    for path, flag, want in cases:
        assert (path, flag, want) == (
            path,
            flag,
            errno_of(vnops.vn_open, lwp, path, flag, 0o644),
        )
    assert vnops.vn_open(lwp, b"/l", FPATH | FNOFOLLOW).f_vnode.v_type is VType.LNK
    vnops.vn_open(lwp, b"/dangling", FWRITE | FCREAT, 0o644)
    assert find(lwp, b"/new").v_type is VType.REG


def test_umask_and_setgid(lwp: Any) -> None:
    """The mask takes bits away; setgid of a folder is inherited."""
    lwp.proc.user.u_cmask = 0o027
    assert mk(lwp, b"/f", mode=0o666).getattr().mode == 0o640
    d = vnops.vn_mkdir(lwp, b"/d", 0o777)
    d.setattr(lwp.proc.cred, mode=0o2775, gid=50)
    assert vnops.vn_mkdir(lwp, b"/d/e", 0o777).getattr().mode == 0o2750
    assert mk(lwp, b"/d/f").getattr().gid == 50


def test_o_trunc_and_append(lwp: Any) -> None:
    """O_TRUNC empties, O_APPEND goes on at the end."""
    mk(lwp, b"/f", b"12345")
    f = vnops.vn_open(lwp, b"/f", FWRITE | FAPPEND)
    file_write(lwp, f, b"6")
    assert find(lwp, b"/f").getattr().size == 6
    vnops.vn_open(lwp, b"/f", FWRITE | FTRUNC)
    assert find(lwp, b"/f").getattr().size == 0


def test_text_busy(lwp: Any) -> None:
    """A running program is not opened for writing."""
    vp = mk(lwp, b"/f")
    vp.v_text = 1
    assert errno_of(vnops.vn_open, lwp, b"/f", FWRITE) is Errno.ETXTBSY
    assert errno_of(vnops.vn_truncate, lwp, vp, 0) is Errno.ETXTBSY
    assert errno_of(vnops.vn_open, lwp, b"/f", FREAD) is None


def test_tmpfile(lwp: Any) -> None:
    """O_TMPFILE makes a file without a name; a link gives it one."""
    f = file_hold(vnops.vn_open(lwp, b"/", FREAD | FWRITE | FTMPFILE, 0o600))
    file_write(lwp, f, b"x")
    assert f.f_vnode.getattr().nlink == 0
    vnops.vn_link(lwp, f.f_vnode, b"/named")
    assert find(lwp, b"/named") is f.f_vnode
    file_close(lwp, f)
    assert find(lwp, b"/named").getattr().size == 1


# ---- permissions ----


@pytest.fixture
def user(spawn: Any) -> Any:
    return spawn(Cred(1000, 1000, groups=(7,)))


def test_permission_bits(lwp: Any, user: Any) -> None:
    """Owner, group, others; only one of the three counts."""
    vp = mk(lwp, b"/f", mode=0o600)
    assert errno_of(vnops.vn_open, user, b"/f", FREAD) is Errno.EACCES
    vp.setattr(lwp.proc.cred, mode=0o640, gid=7)
    assert errno_of(vnops.vn_open, user, b"/f", FREAD) is None
    assert errno_of(vnops.vn_open, user, b"/f", FWRITE) is Errno.EACCES
    vp.setattr(lwp.proc.cred, mode=0o077, uid=1000)
    assert errno_of(vnops.vn_open, user, b"/f", FREAD) is Errno.EACCES
    assert errno_of(vnops.vn_open, lwp, b"/f", FREAD | FWRITE) is None
    assert errno_of(vp.access, lwp.proc.cred, 1) is None
    vp.setattr(lwp.proc.cred, mode=0o666)
    assert errno_of(vp.access, lwp.proc.cred, 1) is Errno.EACCES


def test_search_permission(lwp: Any, user: Any) -> None:
    """Without x nothing below a folder is reached, without w nothing is made."""
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    mk(lwp, b"/d/f")
    assert errno_of(vnops.vn_open, user, b"/d/n", FWRITE | FCREAT) is Errno.EACCES
    assert errno_of(vnops.vn_unlink, user, b"/d/f") is Errno.EACCES
    find(lwp, b"/d").setattr(lwp.proc.cred, mode=0o744)
    assert errno_of(find, user, b"/d/f") is Errno.EACCES
    assert errno_of(find, user, b"/d/none") is Errno.EACCES
    assert errno_of(find, user, b"/d/.") is Errno.EACCES
    assert errno_of(find, user, b"/d") is None


def test_sticky(lwp: Any, user: Any, spawn: Any) -> None:
    """In /tmp only the owner removes or renames."""
    vnops.vn_mkdir(lwp, b"/tmp", 0o777).setattr(lwp.proc.cred, mode=0o1777)
    other = spawn(Cred(1001, 1001))
    mk(user, b"/tmp/mine")
    assert errno_of(vnops.vn_unlink, other, b"/tmp/mine") is Errno.EPERM
    assert errno_of(vnops.vn_rename, other, b"/tmp/mine", b"/tmp/x") is Errno.EPERM
    assert errno_of(vnops.vn_unlink, user, b"/tmp/mine") is None


def test_chmod_chown_utime(lwp: Any, user: Any, spawn: Any) -> None:
    """Who may change what, and which bits go."""
    vp = mk(lwp, b"/f", mode=0o755)
    root, me = lwp.proc.cred, user.proc.cred
    assert errno_of(vp.setattr, me, mode=0o777) is Errno.EPERM
    vp.setattr(root, uid=1000, gid=1000)
    vp.setattr(me, mode=0o6755)
    assert vp.getattr().mode == 0o6755
    assert errno_of(vp.setattr, me, uid=0) is Errno.EPERM
    assert errno_of(vp.setattr, me, gid=99) is Errno.EPERM
    vp.setattr(me, gid=7)
    assert vp.getattr().mode == 0o755
    vp.setattr(root, gid=99)
    vp.setattr(me, mode=0o2755)
    assert vp.getattr().mode == 0o755
    assert errno_of(vp.setattr, spawn(Cred(5, 5)).proc.cred, mtime=1) is Errno.EPERM
    assert errno_of(vp.setattr, spawn(Cred(5, 5)).proc.cred, touch=1) is Errno.EACCES
    vp.setattr(me, atime=5, mtime=6)
    assert (vp.getattr().atime, vp.getattr().mtime) == (5, 6)


def test_write_clears_setuid(lwp: Any, user: Any) -> None:
    """A write by somebody without privilege drops setuid and setgid."""
    vp = mk(lwp, b"/f", mode=0o777)
    vp.setattr(lwp.proc.cred, mode=0o6777)
    f = vnops.vn_open(user, b"/f", FWRITE)
    file_write(user, f, b"x")
    assert vp.getattr().mode == 0o777


def test_device_nodes_need_privilege(lwp: Any, user: Any) -> None:
    """mknod of a device is for the privileged; the node works."""
    vnops.vn_mkdir(lwp, b"/d", 0o777).setattr(lwp.proc.cred, mode=0o777)
    dev = makedev(1, 3)
    why = errno_of(vnops.vn_mknod, user, b"/d/null", VType.CHR, 0o666, dev)
    assert why is Errno.EPERM
    vnops.vn_mknod(lwp, b"/d/null", VType.CHR, 0o666, dev)
    f = vnops.vn_open(lwp, b"/d/null", FREAD | FWRITE)
    assert file_write(lwp, f, b"x" * 100) == 100
    assert file_read(lwp, f, 10) == b""
    assert f.f_vnode.getattr().rdev == dev
    vnops.vn_mknod(lwp, b"/d/odd", VType.CHR, 0o666, makedev(200, 1))
    assert errno_of(vnops.vn_open, lwp, b"/d/odd", FREAD) is Errno.ENXIO


# ---- lookup ----


def test_symlink_loops_and_limits(lwp: Any) -> None:
    """ELOOP after 40 links, ENAMETOOLONG for names and paths."""
    vnops.vn_symlink(lwp, b"b", b"/a")
    vnops.vn_symlink(lwp, b"a", b"/b")
    assert errno_of(find, lwp, b"/a") is Errno.ELOOP
    assert errno_of(vnops.vn_open, lwp, b"/a", FWRITE | FCREAT) is Errno.ELOOP
    assert errno_of(find, lwp, b"/a", follow=False) is None
    mk(lwp, b"/s0")
    for i in range(1, 42):
        vnops.vn_symlink(lwp, b"s%d" % (i - 1), b"/s%d" % i)
    assert find(lwp, b"/s40").v_type is VType.REG
    assert errno_of(find, lwp, b"/s41") is Errno.ELOOP
    assert errno_of(find, lwp, b"/" + b"n" * 255) is Errno.ENOENT
    assert errno_of(find, lwp, b"/" + b"n" * 256) is Errno.ENAMETOOLONG
    assert errno_of(find, lwp, b"/." * 2047 + b"/") is None
    assert errno_of(find, lwp, b"/." * 2048) is Errno.ENAMETOOLONG
    assert errno_of(vnops.vn_mkdir, lwp, b"/" + b"n" * 256, 0) is Errno.ENAMETOOLONG


def test_last_components(lwp: Any) -> None:
    """What ".", ".." and "/" are refused with."""
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    assert errno_of(vnops.vn_rmdir, lwp, b"/d/.") is Errno.EINVAL
    assert errno_of(vnops.vn_rmdir, lwp, b"/d/..") is Errno.ENOTEMPTY
    assert errno_of(vnops.vn_rmdir, lwp, b"/") is Errno.EBUSY
    assert errno_of(vnops.vn_unlink, lwp, b"/d/..") is Errno.EISDIR
    assert errno_of(vnops.vn_rename, lwp, b"/d/.", b"/e") is Errno.EBUSY
    assert errno_of(vnops.vn_rename, lwp, b"/d", b"/e/..") is Errno.ENOENT
    assert errno_of(vnops.vn_mkdir, lwp, b"/", 0o755) is Errno.EEXIST
    d, name = lookup_parent(lwp.kernel, lwp.proc, b"/d/x")
    assert (d, name) == (find(lwp, b"/d"), b"x")


def test_root_is_the_top(lwp: Any) -> None:
    """Neither .. nor a link leaves a chroot."""
    mk(lwp, b"/secret")
    vnops.vn_mkdir(lwp, b"/jail", 0o755)
    vnops.vn_symlink(lwp, b"../../../secret", b"/jail/up")
    vnops.vn_symlink(lwp, b"/secret", b"/jail/abs")
    vnops.vn_chroot(lwp, find(lwp, b"/jail"))
    for path in (b"/../secret", b"/up", b"/abs", b"/../../jail/../secret"):
        assert (path, Errno.ENOENT) == (path, errno_of(find, lwp, path))
    assert find(lwp, b"/..") is find(lwp, b"/")


def test_outside_of_chroot_ends_at_zone(lwp: Any) -> None:
    """A descriptor kept from before a chroot climbs to the zone's root, not above."""
    vnops.vn_mkdir(lwp, b"/jail", 0o755)
    top = find(lwp, b"/")
    vnops.vn_chroot(lwp, find(lwp, b"/jail"))
    assert find(lwp, b"../../..", start=top) is top


def test_mounts(lwp: Any, kernel: Any) -> None:
    """Mounts are crossed both ways, and cannot be removed or linked across."""
    vnops.vn_mkdir(lwp, b"/mnt", 0o755)
    mk(lwp, b"/mnt/under")
    mk(lwp, b"/f")
    fs = TmpFs(kernel)
    mount(fs, find(lwp, b"/mnt"))
    assert find(lwp, b"/mnt") is fs.root
    mk(lwp, b"/mnt/in")
    assert names(find(lwp, b"/mnt")) == [b".", b"..", b"in"]
    assert find(lwp, b"/mnt/../f").v_type is VType.REG
    assert path_of(find(lwp, b"/mnt/in"), find(lwp, b"/")) == b"/mnt/in"
    assert errno_of(vnops.vn_rmdir, lwp, b"/mnt") is Errno.EBUSY
    assert errno_of(vnops.vn_rename, lwp, b"/mnt", b"/m2") is Errno.EBUSY
    assert errno_of(vnops.vn_rename, lwp, b"/f", b"/mnt/f") is Errno.EXDEV
    assert errno_of(vnops.vn_link, lwp, find(lwp, b"/f"), b"/mnt/f") is Errno.EXDEV
    assert errno_of(mount, fs, find(lwp, b"/mnt")) is Errno.EBUSY
    fs.root.hold()
    assert errno_of(umount, fs) is Errno.EBUSY
    fs.root.rele()
    umount(fs)
    assert names(find(lwp, b"/mnt")) == [b".", b"..", b"under"]


def test_readonly_mount(lwp: Any, kernel: Any) -> None:
    """EROFS for every change, not for reading."""
    mk(lwp, b"/f")
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    fs = lwp.proc.zone.root.v_vfs
    fs.readonly = True
    assert errno_of(vnops.vn_open, lwp, b"/f", FWRITE) is Errno.EROFS
    assert errno_of(vnops.vn_open, lwp, b"/g", FWRITE | FCREAT) is Errno.EROFS
    assert errno_of(vnops.vn_unlink, lwp, b"/f") is Errno.EROFS
    assert errno_of(vnops.vn_mkdir, lwp, b"/e", 0) is Errno.EROFS
    assert errno_of(vnops.vn_mkdir, lwp, b"/d", 0) is Errno.EEXIST
    assert errno_of(find(lwp, b"/f").setattr, lwp.proc.cred, mode=0) is Errno.EROFS
    assert errno_of(vnops.vn_open, lwp, b"/f", FREAD) is None


def test_working_directory(lwp: Any) -> None:
    """chdir, getcwd, and a removed current directory."""
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    vnops.vn_mkdir(lwp, b"/d/e", 0o755)
    vnops.vn_chdir(lwp, find(lwp, b"/d/e"))
    assert getcwd(lwp.proc) == b"/d/e"
    mk(lwp, b"f")
    assert find(lwp, b"/d/e/f") is find(lwp, b"f")
    vnops.vn_unlink(lwp, b"f")
    vnops.vn_rmdir(lwp, b"/d/e")
    assert errno_of(getcwd, lwp.proc) is Errno.ENOENT
    assert errno_of(vnops.vn_open, lwp, b"x", FWRITE | FCREAT) is Errno.ENOENT
    assert errno_of(find(lwp, b".").readdir, 0) is Errno.ENOENT
    assert find(lwp, b"..") is find(lwp, b"/d")
    vnops.vn_chdir(lwp, find(lwp, b"/d"))
    assert errno_of(vnops.vn_chdir, lwp, mk(lwp, b"f")) is Errno.ENOTDIR


def test_path_of(lwp: Any) -> None:
    """Paths follow renames; removed files are told."""
    root = find(lwp, b"/")
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    f = file_hold(vnops.vn_open(lwp, b"/d/f", FWRITE | FCREAT, 0o644))
    vnops.vn_rename(lwp, b"/d", b"/e")
    assert path_of(f.f_vnode, root) == b"/e/f"
    assert path_of(f.f_vnode, find(lwp, b"/e")) == b"/f"
    vnops.vn_link(lwp, f.f_vnode, b"/g")
    vnops.vn_unlink(lwp, b"/e/f")
    find(lwp, b"/g")
    assert path_of(f.f_vnode, root) == b"/g"
    vnops.vn_unlink(lwp, b"/g")
    assert path_of(f.f_vnode, root) == b"/g (deleted)"
    assert path_of(root, root) == b"/"
    assert path_of(root, find(lwp, b"/e")) == b"(unreachable)/"


def test_rename_exchange_and_noreplace(lwp: Any) -> None:
    """renameat2's flags."""
    mk(lwp, b"/f", b"file")
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    vnops.vn_mkdir(lwp, b"/p", 0o755)
    vnops.vn_mkdir(lwp, b"/p/q", 0o755)
    assert errno_of(vnops.vn_rename, lwp, b"/f", b"/d", noreplace=True) is Errno.EEXIST
    vnops.vn_rename(lwp, b"/f", b"/p/q", exchange=True)
    assert find(lwp, b"/f").v_type is VType.DIR
    assert find(lwp, b"/p/q").getattr().size == 4
    assert find(lwp, b"/").getattr().nlink == 5
    assert find(lwp, b"/p").getattr().nlink == 2
    assert find(lwp, b"/f/..") is find(lwp, b"/")
    assert errno_of(vnops.vn_rename, lwp, b"/f", b"/no", exchange=True) is Errno.ENOENT
    why = errno_of(vnops.vn_rename, lwp, b"/p/q", b"/p", exchange=True)
    assert why is Errno.EINVAL


# ---- directories while they change ----


def test_readdir_while_removing(lwp: Any) -> None:
    """rm -rf: remove what was read, go on from the cookie; every name once."""
    vnops.vn_mkdir(lwp, b"/d", 0o755)
    for i in range(1000):
        mk(lwp, b"/d/%d" % i)
    d = find(lwp, b"/d")
    seen, cookie = [], 0
    while part := d.readdir(cookie):
        assert len(part) <= READDIR_BATCH
        for e in part:
            cookie = e.cookie
            if e.name not in (b".", b".."):
                seen.append(e.name)
                vnops.vn_unlink(lwp, b"/d/" + e.name)
    assert sorted(seen) == sorted(b"%d" % i for i in range(1000))
    assert names(d) == [b".", b".."]
    vnops.vn_rmdir(lwp, b"/d")


def test_slots_are_reused(lwp: Any) -> None:
    """A folder in which files come and go does not grow."""
    mk(lwp, b"/keep")
    for i in range(100):
        mk(lwp, b"/f%d" % i)
        vnops.vn_unlink(lwp, b"/f%d" % i)
    root = find(lwp, b"/")
    assert len(root.names) == 2  # type: ignore[attr-defined]


# ---- data ----


def test_open_file_outlives_its_name(lwp: Any) -> None:
    """unlink of an open file: data stays until the last close, then space is back."""
    fs = lwp.proc.zone.root.v_vfs
    before = (fs.used, fs.nfiles)
    f = file_hold(vnops.vn_open(lwp, b"/f", FREAD | FWRITE | FCREAT, 0o644))
    file_write(lwp, f, b"x" * 100_000)
    vnops.vn_unlink(lwp, b"/f")
    assert len(file_pread(lwp, f, 0, 200_000)) == 100_000
    file_close(lwp, f)
    assert (fs.used, fs.nfiles) == before


def test_holes(lwp: Any) -> None:
    """A write far out costs what it writes; the rest reads as zeros."""
    fs = lwp.proc.zone.root.v_vfs
    f = vnops.vn_open(lwp, b"/f", FREAD | FWRITE | FCREAT, 0o644)
    far = (1 << 62) + 5
    assert file_pwrite(lwp, f, far, b"end") == 3
    assert file_pread(lwp, f, far - 3, 10) == b"\0\0\0end"
    assert fs.used < 200_000
    vnops.vn_truncate(lwp, f.f_vnode, 1 << 60)
    assert f.f_vnode.getattr().size == 1 << 60
    assert f.f_vnode.getattr().blocks == 0
    assert len(file_pread(lwp, f, 0, 1 << 63)) == 64 << 20
    vnops.vn_truncate(lwp, f.f_vnode, 0)
    assert errno_of(file_pwrite, lwp, f, (1 << 63) - 1, b"xy") is Errno.EFBIG
    assert file_pwrite(lwp, f, (1 << 63) - 2, b"xy") == 1
    why = errno_of(vnops.vn_truncate, lwp, f.f_vnode, 1 << 63)
    assert why is Errno.EFBIG


def test_limit_of_bytes_and_nodes(lwp: Any, kernel: Any) -> None:
    """ENOSPC: a part of a long write, then nothing; names run out, too."""
    fs = TmpFs(kernel, limit=300_000)
    vnops.vn_mkdir(lwp, b"/m", 0o755)
    mount(fs, find(lwp, b"/m"))
    f = file_hold(vnops.vn_open(lwp, b"/m/f", FREAD | FWRITE | FCREAT, 0o644))
    n = file_write(lwp, f, b"x" * 1_000_000)
    assert 200_000 < n < 300_000
    assert errno_of(file_write, lwp, f, b"x" * 100_000) is Errno.ENOSPC
    vnops.vn_unlink(lwp, b"/m/f")
    file_close(lwp, f)
    assert fs.used == 0
    made = 0
    while errno_of(mk, lwp, b"/m/%d" % made) is None:
        made += 1
    assert 200 < made < 300
    st = fs.statfs()
    assert (st.blocks, st.ffree) == (300_000 // 4096, (300_000 - fs.used) // 1024)
    for i in range(made):
        vnops.vn_unlink(lwp, b"/m/%d" % i)
    assert (fs.used, fs.nfiles) == (0, 0)


def test_punch(lwp: Any) -> None:
    """A hole in the middle reads as zeros."""
    vp = mk(lwp, b"/f", b"x" * 200_000)
    vp.data.punch(10, 150_000)  # type: ignore[attr-defined]
    want = b"x" * 10 + bytes(150_000) + b"x" * 49_990
    assert vp.read(lwp, 0, 200_000, 0) == want


def test_any_byte_in_a_name(lwp: Any) -> None:
    """All but slash and NUL is a name."""
    name = bytes(c for c in range(1, 256) if c != 47)
    mk(lwp, b"/" + name)
    assert names(find(lwp, b"/")) == [b".", b"..", name]


def test_deep_tree(lwp: Any, kernel: Any) -> None:
    """Twenty thousand levels: errors, no recursion, also in a snapshot."""
    fs = lwp.proc.zone.root.v_vfs
    fs.limit = 1 << 40
    vp = find(lwp, b"/")
    for _ in range(20_000):
        vp = vp.mkdir(b"d", 0o755, lwp.proc.cred)
    lwp.proc.user.u_cdir = vp
    assert errno_of(getcwd, lwp.proc) is Errno.ENAMETOOLONG
    mk(lwp, b"f")
    assert errno_of(vnops.vn_rename, lwp, b"/d", b"../d2") is Errno.EINVAL
    fs2 = pickle.loads(pickle.dumps(fs))
    assert len(fs2.nodes) == len(fs.nodes)
    assert sys.getrecursionlimit() < 20_000


# ---- pages ----


def test_frames_are_the_truth(lwp: Any, kernel: Any) -> None:
    """Stores of a mapping are read, writes reach the mapping."""
    vp = mk(lwp, b"/f", b"a" * 5000)
    pfn = vp.getpage(1)
    assert kernel.hw.frame_read(pfn, 0, 4096) == b"a" * 904 + bytes(3192)
    assert vp.getpage(1) == pfn
    kernel.hw.frame_write(pfn, 0, b"MAP")
    assert vp.read(lwp, 4090, 10, 0) == b"aaaaaaMAPa"
    vp.write(lwp, 4097, b"..", 0)
    assert kernel.hw.frame_read(pfn, 0, 4) == b"M..a"
    assert errno_of(vp.getpage, 2) is Errno.EFAULT


def test_frames_and_truncate(lwp: Any, kernel: Any) -> None:
    """Shrinking frees frames and clears the tail; growing shows zeros."""
    vp = mk(lwp, b"/f", b"a" * 10_000)
    pfns = [vp.getpage(i) for i in range(3)]
    kernel.hw.frame_write(pfns[2], 4000, b"behind the end")
    vnops.vn_truncate(lwp, vp, 5000)
    assert pfns[2] not in kernel.hw.frames
    vnops.vn_truncate(lwp, vp, 12_000)
    assert vp.read(lwp, 4999, 10, 0) == b"a" + bytes(9)
    assert kernel.hw.frame_read(pfns[1], 904, 10) == bytes(10)
    vnops.vn_unlink(lwp, b"/f")
    assert kernel.hw.frames == {}


def test_no_frame_left(lwp: Any, kernel: Any) -> None:
    """Out of memory is ENOMEM."""
    vp = mk(lwp, b"/f", b"a")
    kernel.hw.limit = 0
    assert errno_of(vp.getpage, 0) is Errno.ENOMEM


def test_idle_frames_can_be_dropped(lwp: Any, kernel: Any) -> None:
    """What only the cache holds is given back, with what was stored in it."""
    fs = lwp.proc.zone.root.v_vfs
    vp = mk(lwp, b"/f", b"a" * 8192)
    a, b = vp.getpage(0), vp.getpage(1)
    kernel.hw.frame_write(a, 10, b"stored")
    kernel.hw.frame_hold(b)
    assert fs.drop_frames() == 1
    assert list(kernel.hw.frames) == [b]
    assert vp.read(lwp, 8, 10, 0) == b"aastoredaa"


def test_namei_counts_one_walk(lwp: Any) -> None:
    """A lookup borrows: nothing is held when it is over."""
    vp = mk(lwp, b"/f")
    Namei(lwp.proc).lookup(b"/f")
    assert vp.v_count == 0
    f = File(vp, FREAD)
    assert vp.v_count == 1
    assert f.f_count == 0
