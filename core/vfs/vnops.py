"""Operations on paths that all brands share: vn_open, vn_rename and their like.

Each takes the calling lwp, a path and the directory where a relative path starts
(None: the current one), and raises the errno that Linux and illumos give.  The
file mode creation mask is applied here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FCREAT,
    FDIRECTORY,
    FEXCL,
    FNOFOLLOW,
    FOPENONLY,
    FPATH,
    FREAD,
    FTMPFILE,
    FTRUNC,
    FWRITE,
    File,
    fsize_check,
)
from personae.core.vfs.lookup import Last, Namei, cross
from personae.core.vfs.tmpfs import TmpDir
from personae.core.vfs.vnode import PATH_MAX, R_OK, W_OK, X_OK, Vnode, VType

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp

_DOTS = (b"", b".", b"..")


def vn_open(
    lwp: Lwp,
    path: bytes,
    flag: int,
    mode: int = 0,
    start: Vnode | None = None,
) -> File:
    """open(2): an open file that no descriptor refers to yet.

    Args:
        lwp: The caller.
        path: The path.
        flag: FREAD, FWRITE and the other flags of core/file.py.
        mode: Permissions of a file that is made, before the mask.
        start: Where a relative path starts.

    Raises:
        KernelError: As open(2) says.
        Sleep: A FIFO waits for its other end.
    """
    nd = Namei(lwp.proc)
    if flag & FPATH:
        flag &= FPATH | FDIRECTORY | FNOFOLLOW
        vp = nd.lookup(path, not flag & FNOFOLLOW, start)
        return vn_open_vp(lwp, vp, flag)
    if flag & FTMPFILE:
        return _open_tmpfile(lwp, nd.lookup(path, True, start), flag, mode)
    if not flag & FCREAT:
        return vn_open_vp(lwp, nd.lookup(path, not flag & FNOFOLLOW, start), flag)
    if flag & FDIRECTORY:
        raise KernelError(Errno.EINVAL, "a directory is not made by open")
    vp, made = _lookup_create(lwp, nd, nd.parent(path, start), flag, mode)
    return vn_open_vp(lwp, vp, flag, made)


def _lookup_create(
    lwp: Lwp, nd: Namei, last: Last, flag: int, mode: int
) -> tuple[Vnode, bool]:
    """The file to open with FCREAT, made if it is not there."""
    mode &= ~lwp.proc.user.u_cmask
    while True:
        d, name, slash = last
        if name in _DOTS:
            why = Errno.EEXIST if flag & FEXCL else Errno.EISDIR
            raise KernelError(why, "create of a directory")
        if slash:
            raise KernelError(Errno.EISDIR, "create with a trailing slash")
        vp = _entry(d, name, nd)
        if vp is None:
            return d.create(name, mode, nd.cred, True), True
        if flag & FEXCL:
            raise KernelError(Errno.EEXIST, repr(name))
        if vp.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, repr(name))
        if vp.v_type is not VType.LNK or flag & FNOFOLLOW:
            return vp, False
        target = nd.magic(vp)
        if target is not None:
            return target, False
        last = nd.parent(nd.text(vp), d)


def _entry(d: Vnode, name: bytes, nd: Namei) -> Vnode | None:
    """An entry, what is mounted on it, or None."""
    try:
        return cross(d.lookup(name, nd.cred))
    except KernelError as e:
        if e.errno is Errno.ENOENT:
            return None
        raise


def _open_tmpfile(lwp: Lwp, d: Vnode, flag: int, mode: int) -> File:
    if d.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "O_TMPFILE in a file")
    if not flag & FWRITE:
        raise KernelError(Errno.EINVAL, "O_TMPFILE only for reading")
    if not isinstance(d, TmpDir):
        raise KernelError(Errno.EOPNOTSUPP, "O_TMPFILE in this file system")
    d.fs.check_writable()
    vp = d.fs.tmpfile(d, mode & ~lwp.proc.user.u_cmask, lwp.proc.cred)
    return vn_open_vp(lwp, vp, flag & ~FDIRECTORY, True)


def vn_open_vp(lwp: Lwp, vp: Vnode, flag: int, made: bool = False) -> File:
    """Open a vnode that has been found (or just been made)."""
    cred = lwp.proc.cred
    vtype = vp.v_type
    if flag & FDIRECTORY and vtype is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "O_DIRECTORY")
    if flag & FPATH:
        return File(vp, flag, cred)
    if vtype is VType.LNK:
        raise KernelError(Errno.ELOOP, "open of a symbolic link")
    if vtype is VType.DIR and flag & (FWRITE | FTRUNC | FCREAT):
        raise KernelError(Errno.EISDIR, "directory")
    if not made:
        want = R_OK if flag & FREAD else 0
        if flag & (FWRITE | FTRUNC):
            want |= W_OK
        vp.access(cred, want)
        if want & W_OK and vp.v_text:
            raise KernelError(Errno.ETXTBSY, "being executed")
    new = vp.open(lwp, flag)
    if flag & FTRUNC and vtype is VType.REG and not made:
        new.setattr(cred, size=0)
    return File(new, flag & ~FOPENONLY, cred)


# ---- making ----


def _new_entry(nd: Namei, path: bytes, start: Vnode | None, isdir: bool) -> Last:
    """The place of an entry that is to be made (filename_create)."""
    last = nd.parent(path, start)
    if last.name in _DOTS:
        raise KernelError(Errno.EEXIST, repr(path))
    if last.slash and not isdir:
        if _entry(last.dir, last.name, nd) is not None:
            raise KernelError(Errno.EEXIST, repr(path))
        raise KernelError(Errno.ENOENT, "trailing slash")
    return last


def vn_mkdir(lwp: Lwp, path: bytes, mode: int, start: Vnode | None = None) -> Vnode:
    """mkdir(2)."""
    nd = Namei(lwp.proc)
    last = _new_entry(nd, path, start, True)
    return last.dir.mkdir(last.name, mode & ~lwp.proc.user.u_cmask, nd.cred)


def vn_mknod(
    lwp: Lwp,
    path: bytes,
    vtype: VType,
    mode: int,
    rdev: int = 0,
    start: Vnode | None = None,
    *,
    cred: Cred | None = None,
) -> Vnode:
    """mknod(2); also how bind() makes the name of a socket.

    ``cred``: whose rights count, if not the caller's: a brand that vouches for the
    device gives the kernel's.
    """
    nd = Namei(lwp.proc, cred)
    last = _new_entry(nd, path, start, False)
    mode &= ~lwp.proc.user.u_cmask
    return last.dir.mknod(last.name, vtype, mode, rdev, nd.cred)


def vn_symlink(
    lwp: Lwp, target: bytes, path: bytes, start: Vnode | None = None
) -> Vnode:
    """symlink(2)."""
    if not target:
        raise KernelError(Errno.ENOENT, "empty link")
    if len(target) >= PATH_MAX:
        raise KernelError(Errno.ENAMETOOLONG, f"link of {len(target)} bytes")
    nd = Namei(lwp.proc)
    last = _new_entry(nd, path, start, False)
    return last.dir.symlink(last.name, target, nd.cred)


def vn_link(lwp: Lwp, vp: Vnode, path: bytes, start: Vnode | None = None) -> None:
    """link(2) of a vnode the brand has found (AT_SYMLINK_FOLLOW, AT_EMPTY_PATH)."""
    nd = Namei(lwp.proc)
    last = _new_entry(nd, path, start, False)
    if last.dir.v_vfs is not vp.v_vfs:
        if _entry(last.dir, last.name, nd) is not None:
            raise KernelError(Errno.EEXIST, repr(path))
        raise KernelError(Errno.EXDEV, "link across file systems")
    last.dir.link(last.name, vp, nd.cred)


# ---- removing and renaming ----


def vn_unlink(lwp: Lwp, path: bytes, start: Vnode | None = None) -> None:
    """unlink(2)."""
    nd = Namei(lwp.proc)
    d, name, slash = nd.parent(path, start)
    if name in _DOTS:
        raise KernelError(Errno.EISDIR, repr(path))
    if slash:
        vp = d.lookup(name, nd.cred)
        why = Errno.EISDIR if vp.v_type is VType.DIR else Errno.ENOTDIR
        raise KernelError(why, repr(path))
    d.remove(name, nd.cred)


def vn_rmdir(lwp: Lwp, path: bytes, start: Vnode | None = None) -> None:
    """rmdir(2)."""
    nd = Namei(lwp.proc)
    d, name, _ = nd.parent(path, start)
    if name in _DOTS:
        why = {b"": Errno.EBUSY, b".": Errno.EINVAL, b"..": Errno.ENOTEMPTY}[name]
        raise KernelError(why, repr(path))
    d.rmdir(name, nd.cred)


def vn_rename(
    lwp: Lwp,
    old: bytes,
    new: bytes,
    oldstart: Vnode | None = None,
    newstart: Vnode | None = None,
    *,
    noreplace: bool = False,
    exchange: bool = False,
) -> None:
    """rename(2), and renameat2(2) with its flags."""
    if noreplace and exchange:
        raise KernelError(Errno.EINVAL, "RENAME_NOREPLACE with RENAME_EXCHANGE")
    src = Namei(lwp.proc)
    dst = Namei(lwp.proc)
    sd, sname, sslash = src.parent(old, oldstart)
    dd, dname, dslash = dst.parent(new, newstart)
    if sd.v_vfs is not dd.v_vfs:
        raise KernelError(Errno.EXDEV, "rename across file systems")
    if sname in _DOTS:
        raise KernelError(Errno.EBUSY, repr(old))
    if dname in _DOTS:
        raise KernelError(Errno.EEXIST if noreplace else Errno.EBUSY, repr(new))
    vp = sd.lookup(sname, src.cred)
    target = _entry(dd, dname, dst) if noreplace or exchange else None
    if noreplace and target is not None:
        raise KernelError(Errno.EEXIST, repr(new))
    if vp.v_type is not VType.DIR and (sslash or (dslash and not exchange)):
        raise KernelError(Errno.ENOTDIR, "trailing slash")
    if exchange and dslash and target and target.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "trailing slash")
    sd.rename(sname, dd, dname, src.cred, exchange)


# ---- the rest ----


def vn_readlink(lwp: Lwp, path: bytes, start: Vnode | None = None) -> bytes:
    """readlink(2)."""
    return Namei(lwp.proc).lookup(path, False, start).readlink(lwp.proc)


def vn_truncate(lwp: Lwp, vp: Vnode, size: int) -> None:
    """truncate(2) of a vnode that was found by its path."""
    if vp.v_type is VType.DIR:
        raise KernelError(Errno.EISDIR, "truncate of a directory")
    if vp.v_type is not VType.REG:
        raise KernelError(Errno.EINVAL, "truncate of no regular file")
    vp.access(lwp.proc.cred, W_OK)
    if vp.v_text:
        raise KernelError(Errno.ETXTBSY, "being executed")
    fsize_check(lwp, size)
    vp.setattr(lwp.proc.cred, size=size)


def vn_chdir(lwp: Lwp, vp: Vnode) -> None:
    """chdir(2), fchdir(2): make a directory the current one."""
    _check_dir(lwp, vp)
    u = lwp.proc.user
    old, u.u_cdir = u.u_cdir, vp.hold()
    u.u_cwd = None
    if old is not None:
        old.rele()


def vn_chroot(lwp: Lwp, vp: Vnode) -> None:
    """chroot(2), once it is allowed: make a directory the root."""
    _check_dir(lwp, vp)
    u = lwp.proc.user
    old, u.u_rdir = u.u_rdir, vp.hold()
    if old is not None:
        old.rele()


def _check_dir(lwp: Lwp, vp: Vnode) -> None:
    if vp.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, "not a directory")
    vp.access(lwp.proc.cred, X_OK)
