"""Native system calls on attributes of files: access, mode, owner, times, limits."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.user import find_at, path_at, space_of
from personae.core.errno import Errno, KernelError
from personae.core.syscall import s32
from personae.core.vfs.lookup import getcwd, lookup, path_of, root_of
from personae.core.vfs.pipe import PIPE_BUF
from personae.core.vfs.vnode import NAME_MAX, PATH_MAX, VType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

ID_MASK = 0xFFFFFFFF
NSEC = 1_000_000_000
UTIME_NOW, UTIME_OMIT = -1, -2
"""tv_nsec that means now, and that leaves a time as it is (sys/stat.h)."""
S64_MAX_SEC = (1 << 63) // NSEC - 1

STATVFS = Struct("<9Q16sQQ32s")
"""statvfs_t, LP64: bsize frsize blocks bfree bavail files ffree favail fsid basetype
flag namemax fstr."""
ST_RDONLY, ST_NOSUID, ST_NOTRUNC = 1, 2, 4


# ---- permissions ----


def sys_access(lwp: Lwp, path: int, mode: int) -> int:
    """access(path, mode), by the real ids; E_OK (010) asks by the effective ones."""
    flag = abi.AT_EACCESS if mode & 0o10 else 0
    return sys_faccessat(lwp, abi.AT_FDCWD, path, mode & ~0o10, flag)


def sys_faccessat(lwp: Lwp, fd: int, path: int, mode: int, flag: int) -> int:
    """faccessat(fd, path, mode, flag)."""
    mode, flag = s32(mode), s32(flag)
    if mode & ~7 or flag & ~abi.AT_EACCESS:
        raise KernelError(Errno.EINVAL, f"access mode {mode:#x}, flag {flag:#x}")
    cred = lwp.cred
    if not flag and (cred.euid, cred.egid) != (cred.uid, cred.gid):
        cred = cred.copy(euid=cred.uid, egid=cred.gid)
    vp = find_at(lwp, fd, path, cred=cred)
    if mode:
        vp.access(cred, mode)
    return 0


def sys_chmod(lwp: Lwp, path: int, mode: int) -> int:
    """chmod(path, mode)."""
    return sys_fchmodat(lwp, abi.AT_FDCWD, path, mode, 0)


def sys_fchmod(lwp: Lwp, fd: int, mode: int) -> int:
    """fchmod(fd, mode)."""
    vp = lwp.proc.fds.getf(s32(fd)).f_vnode
    vp.setattr(lwp.cred, mode=mode & 0o7777)
    return 0


def sys_fchmodat(lwp: Lwp, fd: int, path: int, mode: int, flag: int) -> int:
    """fchmodat(fd, path, mode, flag)."""
    follow = _follow(flag)
    find_at(lwp, fd, path, follow).setattr(lwp.cred, mode=mode & 0o7777)
    return 0


def _follow(flag: int) -> bool:
    """Whether links are followed, by the flag of an ...at() call."""
    flag = s32(flag)
    if flag & ~abi.AT_SYMLINK_NOFOLLOW:
        raise KernelError(Errno.EINVAL, f"flag {flag:#x}")
    return not flag


# ---- owners ----


def _chown(lwp: Lwp, vp: Vnode, uid: int, gid: int) -> int:
    ids = {"uid": s32(uid), "gid": s32(gid)}
    if min(ids.values()) < -1:
        raise KernelError(Errno.EINVAL, f"owner {ids}")
    changes = {k: v for k, v in ids.items() if v != -1}
    if changes:
        vp.setattr(lwp.cred, **changes)
    return 0


def sys_chown(lwp: Lwp, path: int, uid: int, gid: int) -> int:
    """chown(path, uid, gid); -1 leaves an id as it is."""
    return _chown(lwp, find_at(lwp, abi.AT_FDCWD, path), uid, gid)


def sys_lchown(lwp: Lwp, path: int, uid: int, gid: int) -> int:
    """lchown(path, uid, gid): of a link itself."""
    return _chown(lwp, find_at(lwp, abi.AT_FDCWD, path, False), uid, gid)


def sys_fchown(lwp: Lwp, fd: int, uid: int, gid: int) -> int:
    """fchown(fd, uid, gid)."""
    return _chown(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode, uid, gid)


def sys_fchownat(lwp: Lwp, fd: int, path: int, uid: int, gid: int, flag: int) -> int:
    """fchownat(fd, path, uid, gid, flag)."""
    return _chown(lwp, find_at(lwp, fd, path, _follow(flag)), uid, gid)


# ---- times ----


def sys_utimesys(lwp: Lwp, code: int, a1: int, a2: int, a3: int, a4: int) -> int:
    """utimesys: futimens(fd, times) is code 0, utimensat(fd, path, times, flag) 1."""
    code = s32(code)
    if code == 0:
        times = _times(lwp, a2)
        vp = lwp.proc.fds.getf(s32(a1)).f_vnode
    elif code == 1:
        times = _times(lwp, a3)
        follow = _follow(a4)
        if a2 == 0 and a1 & ID_MASK != abi.AT_FDCWD:
            vp = lwp.proc.fds.getf(s32(a1)).f_vnode
        else:
            vp = find_at(lwp, a1, a2, follow)
    else:
        raise KernelError(Errno.EINVAL, f"utimesys {code}")
    if times:
        vp.setattr(lwp.cred, **times)
    return 0


def _times(lwp: Lwp, addr: int) -> dict[str, int]:
    """What to change, of two timespecs or of none, which is now."""
    if addr == 0:
        return {"touch": 1}
    words = space_of(lwp).load(addr, "<qqqq")
    pairs = (words[:2], words[2:])
    if all(nsec == UTIME_NOW for _, nsec in pairs):
        return {"touch": 1}
    out = {}
    for key, (sec, nsec) in zip(("atime", "mtime"), pairs, strict=True):
        if nsec == UTIME_OMIT:
            continue
        if nsec == UTIME_NOW:
            out[key] = lwp.kernel.wall_ns
        elif 0 <= nsec < NSEC and abs(sec) <= S64_MAX_SEC:
            out[key] = sec * NSEC + nsec
        else:
            raise KernelError(Errno.EINVAL, f"time {sec}, {nsec}")
    return out


# ---- file systems ----


def _statvfs(lwp: Lwp, vp: Vnode, buf: int) -> int:
    vfs = vp.v_vfs
    if vfs is None:
        raise KernelError(Errno.ENOSYS, "in no file system")
    s = vfs.statfs()
    flag = ST_NOTRUNC
    flag |= ST_RDONLY if s.readonly else 0
    flag |= ST_NOSUID if vfs.nosuid else 0
    data = STATVFS.pack(
        s.bsize,
        s.bsize,
        s.blocks,
        s.bfree,
        s.bfree,
        s.files,
        s.ffree,
        s.ffree,
        vfs.dev,
        s.fstype.encode()[:15],
        flag,
        s.namemax,
        vfs.source[:31],
    )
    space_of(lwp).copyout(buf, data)
    return 0


def sys_statvfs(lwp: Lwp, path: int, buf: int) -> int:
    """statvfs(path, buf)."""
    return _statvfs(lwp, find_at(lwp, abi.AT_FDCWD, path), buf)


def sys_fstatvfs(lwp: Lwp, fd: int, buf: int) -> int:
    """fstatvfs(fd, buf)."""
    return _statvfs(lwp, lwp.proc.fds.getf(s32(fd)).f_vnode, buf)


_PATHCONF = {
    1: 32767,  # _PC_LINK_MAX
    2: 256,  # _PC_MAX_CANON
    3: 512,  # _PC_MAX_INPUT
    4: NAME_MAX,
    5: PATH_MAX,
    6: PIPE_BUF,
    7: 1,  # _PC_NO_TRUNC
    8: 0,  # _PC_VDISABLE: that character
    9: 1,  # _PC_CHOWN_RESTRICTED
    12: 1,  # _PC_SYNC_IO
    18: PATH_MAX,  # _PC_SYMLINK_MAX
    19: 1,  # _PC_2_SYMLINKS
    26: 1,  # _PC_TIMESTAMP_RESOLUTION, ns
    67: 64,  # _PC_FILESIZEBITS
    100: 0,  # _PC_XATTR_ENABLED
    101: 0,  # _PC_XATTR_EXISTS
}
"""Answers by name (sys/unistd.h); the same for all our file systems."""


def _pathconf(vp: Vnode, name: int) -> int:
    name = s32(name)
    value = _PATHCONF.get(name)
    if value is None:
        raise KernelError(Errno.EINVAL, f"pathconf {name}")
    if name in (2, 3, 8) and vp.v_type is not VType.CHR:
        raise KernelError(Errno.EINVAL, "of no terminal")
    if name == 6 and vp.v_type not in (VType.FIFO, VType.DIR):
        raise KernelError(Errno.EINVAL, "of no pipe")
    return value


def sys_pathconf(lwp: Lwp, path: int, name: int) -> int:
    """pathconf(path, name)."""
    return _pathconf(find_at(lwp, abi.AT_FDCWD, path), name)


def sys_fpathconf(lwp: Lwp, fd: int, name: int) -> int:
    """fpathconf(fd, name)."""
    return _pathconf(lwp.proc.fds.getf(s32(fd)).f_vnode, name)


# ---- names ----


def sys_resolvepath(lwp: Lwp, path: int, buf: int, size: int) -> int:
    """resolvepath(path, buf, size): the path without links; no NUL, cut to size.

    A relative path stays relative.
    """
    name = path_at(lwp, path)
    out = path_of(lookup(lwp.kernel, lwp.proc, name), root_of(lwp.proc))
    if not name.startswith(b"/"):
        out = _relative(out, getcwd(lwp.proc))
    if size == 0:
        return 0
    out = out[:size]
    space_of(lwp).copyout(buf, out)
    return len(out)


def _relative(path: bytes, start: bytes) -> bytes:
    """A path as seen from a directory; both absolute.

    >>> _relative(b"/a/b", b"/a/c")
    b'../b'
    >>> _relative(b"/a", b"/a")
    b'.'
    """
    to, at = ([c for c in p.split(b"/") if c] for p in (path, start))
    same = 0
    while same < min(len(to), len(at)) and to[same] == at[same]:
        same += 1
    return b"/".join([b".."] * (len(at) - same) + to[same:]) or b"."


# ---- syncing ----

FSYNC, FDSYNC = 0x10, 0x40


def sys_fdsync(lwp: Lwp, fd: int, flag: int) -> int:
    """fdsync(fd, flag): fsync and fdatasync; nothing is ever behind."""
    file = lwp.proc.fds.getf(s32(fd))
    if s32(flag) & ~(FSYNC | FDSYNC) or not flag:
        raise KernelError(Errno.EINVAL, f"fdsync {s32(flag):#x}")
    file.f_vnode.fsync()
    return 0


def sys_sync(lwp: Lwp) -> int:
    """sync(): nothing is ever behind."""
    return 0
