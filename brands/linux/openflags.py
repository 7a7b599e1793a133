"""Open flags and attributes: between Linux' numbers and the kernel's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from personae.brands.linux.abi import (
    NSEC,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFREG,
    S_IFSOCK,
    STAT,
    O,
    makedev,
)
from personae.core import file as f
from personae.core.vfs.vnode import VType, major, minor

if TYPE_CHECKING:
    from personae.core.vfs.vnode import Vattr

_PAIRS = (
    (int(O.CREAT), f.FCREAT),
    (int(O.EXCL), f.FEXCL),
    (int(O.NOCTTY), f.FNOCTTY),
    (int(O.TRUNC), f.FTRUNC),
    (int(O.APPEND), f.FAPPEND),
    (int(O.NONBLOCK), f.FNONBLOCK),
    (int(O.DSYNC), f.FDSYNC),
    (int(O.ASYNC), f.FASYNC),
    (int(O.DIRECT), f.FDIRECT),
    (int(O.DIRECTORY), f.FDIRECTORY),
    (int(O.NOFOLLOW), f.FNOFOLLOW),
    (int(O.NOATIME), f.FNOATIME),
    (int(O.CLOEXEC), f.FCLOEXEC),
    (0o4000000, f.FSYNC),
    (int(O.PATH), f.FPATH),
    (0o20000000, f.FTMPFILE),
)
_ACCESS = (f.FREAD, f.FWRITE, f.FREAD | f.FWRITE, 0)
"""Mode 3 opens for ioctl only."""

_IFMT = {
    VType.REG: S_IFREG,
    VType.DIR: S_IFDIR,
    VType.BLK: S_IFBLK,
    VType.CHR: S_IFCHR,
    VType.LNK: S_IFLNK,
    VType.FIFO: S_IFIFO,
    VType.SOCK: S_IFSOCK,
}
VTYPE_OF = {fmt: vt for vt, fmt in _IFMT.items()}


@lru_cache(maxsize=256)
def flags_to_native(flags: int) -> int:
    """Open flags of a guest as the kernel's; unknown ones are dropped."""
    out = _ACCESS[flags & 3]
    for lin, nat in _PAIRS:
        if flags & lin:
            out |= nat
    return out


def flags_to_linux(flags: int) -> int:
    """f_flag as fcntl(F_GETFL) shows it, with O_LARGEFILE."""
    acc = flags & (f.FREAD | f.FWRITE)
    out = int(O.LARGEFILE)
    if acc == f.FREAD | f.FWRITE:
        out |= O.RDWR
    elif acc == f.FWRITE:
        out |= O.WRONLY
    elif not acc and not flags & f.FPATH:
        out |= O.ACCMODE
    for lin, nat in _PAIRS:
        if flags & nat and not nat & f.FOPENONLY:
            out |= lin
    if flags & f.FSYNC:
        out |= O.DSYNC
    if flags & f.FPATH:
        out &= ~int(O.LARGEFILE)
    return out


def linux_mode(a: Vattr) -> int:
    """st_mode."""
    return _IFMT.get(a.type, 0) | a.mode


def linux_dev(dev: int) -> int:
    """st_dev or st_rdev."""
    return makedev(major(dev) & 0xFFF, minor(dev) & 0xFFFFF)


def pack_stat(a: Vattr) -> bytes:
    """Struct stat of a file."""
    return STAT.pack(
        linux_dev(a.dev),
        a.ino,
        _IFMT.get(a.type, 0) | a.mode,
        a.nlink,
        a.uid,
        a.gid,
        linux_dev(a.rdev),
        0,
        a.size,
        a.blksize,
        0,
        a.blocks,
        a.atime // NSEC,
        a.atime % NSEC,
        a.mtime // NSEC,
        a.mtime % NSEC,
        a.ctime // NSEC,
        a.ctime % NSEC,
        0,
        0,
    )
