"""System calls about files: kernel/sysfile.c, kernel/file.c, kernel/fs.h.

A directory is a file of 16-byte entries.  Here it is made from the entries of the real
one when it is read: each open directory keeps which name is in which place, so that
what is read does not move when names go and come, as on xv6's disk.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from personae.core.copyio import copyin, copyinstr, copyout, store
from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FCREAT,
    FPATH,
    FREAD,
    FTRUNC,
    FWRITE,
    File,
    file_free,
    file_read,
    file_write,
)
from personae.core.syscall import s32
from personae.core.vfs.lookup import lookup
from personae.core.vfs.pipe import PipeVnode, make_pipe
from personae.core.vfs.specdev import DEV_CONSOLE
from personae.core.vfs.vnode import VType, major, makedev
from personae.core.vfs.vnops import (
    vn_chdir,
    vn_link,
    vn_mkdir,
    vn_mknod,
    vn_open,
    vn_rmdir,
    vn_unlink,
)

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

NOFILE = 16
"""Descriptors of a process."""
MAXPATH = 128
DIRSIZ = 14
"""Longest name; what is longer is cut off."""
MAXFILE = (12 + 1024 // 4) * 1024
"""Longest file, bytes."""
CHUNK = (10 - 1 - 1 - 2) // 2 * 1024
"""Bytes of one transaction of the log: a longer write is several."""

O_WRONLY, O_RDWR, O_CREATE, O_TRUNC = 1, 2, 0x200, 0x400
T_DIR, T_FILE, T_DEVICE = 1, 2, 3
DIRENT = struct.Struct(f"<H{DIRSIZ}s")

CONSOLE, NDEV = 1, 10
OTHER_DEVICES = 0x78760000
"""Major numbers of nodes that are no console: xv6's number is in the low half."""
M32 = 0xFFFFFFFF


# ---- paths ----


def path_of(lwp: Lwp, addr: int) -> bytes:
    """A path of the program, its names cut to 14 bytes; the empty one is "."."""
    text = copyinstr(lwp, addr, MAXPATH)
    names = [name[:DIRSIZ] for name in text.split(b"/") if name]
    return (b"/" if text.startswith(b"/") else b"") + b"/".join(names) or b"."


def entry_of(lwp: Lwp, addr: int) -> bytes:
    """A path whose last name is to be made or removed: it has to have one."""
    path = path_of(lwp, addr)
    if path == b"/" or not copyinstr(lwp, addr, MAXPATH):
        raise KernelError(Errno.ENOENT, "a path without a name")
    return path


# ---- descriptors ----


def file_of(lwp: Lwp, fd: int) -> File:
    """The file of a descriptor."""
    return lwp.proc.fds.getf(s32(fd))


def sys_dup(lwp: Lwp, fd: int) -> int:
    """dup(fd): the lowest free descriptor."""
    return lwp.proc.fds.alloc(file_of(lwp, fd), NOFILE)


def sys_close(lwp: Lwp, fd: int) -> int:
    """close(fd)."""
    lwp.proc.fds.close(lwp, s32(fd))
    return 0


def sys_pipe(lwp: Lwp, addr: int) -> int:
    """pipe(int *fds): to read from, to write to."""
    fds = lwp.proc.fds
    reader, writer = make_pipe(lwp)
    try:
        one = fds.install(lwp, reader, NOFILE)
    except KernelError:
        file_free(lwp, writer)
        raise
    try:
        two = fds.install(lwp, writer, NOFILE)
    except KernelError:
        fds.close(lwp, one)
        raise
    try:
        store(lwp, addr, "<ii", one, two)
    except KernelError:
        fds.close(lwp, one)
        fds.close(lwp, two)
        raise
    return 0


# ---- read and write ----


def sys_read(lwp: Lwp, fd: int, addr: int, n: int) -> int:
    """read(fd, buf, n): of a directory, its entries."""
    file = file_of(lwp, fd)
    kind = file.f_vnode.v_type
    if kind in (VType.REG, VType.DIR):
        if file.f_offset + (n & M32) > M32:
            return 0
        n &= M32
    elif s32(n) <= 0:
        return 0
    if kind is VType.DIR:
        data = entries(lwp, file)[file.f_offset : file.f_offset + n]
        copyout(lwp, addr, data)
        file.f_offset += len(data)
        return len(data)
    data = file_read(lwp, file, n)
    copyout(lwp, addr, data)
    return len(data)


def sys_write(lwp: Lwp, fd: int, addr: int, n: int) -> int:
    """write(fd, buf, n): all of it, or -1."""
    file = file_of(lwp, fd)
    n = s32(n)
    if file.f_vnode.v_type is not VType.REG:
        return file_write(lwp, file, copyin(lwp, addr, n)) if n > 0 else 0
    if n < 0:
        raise KernelError(Errno.EINVAL, f"write of {n} bytes")
    if file.f_offset > file.f_vnode.v_size():
        raise KernelError(Errno.EINVAL, "a file has no holes")
    for at in range(0, n, CHUNK):
        size = min(CHUNK, n - at)
        if file.f_offset + size > MAXFILE:
            raise KernelError(Errno.EFBIG, f"a file has at most {MAXFILE} bytes")
        file_write(lwp, file, copyin(lwp, addr + at, size))
    return n


# ---- directories and attributes ----


def inum(ino: int) -> int:
    """A file's number in the 16 bits that an entry has for it, never 0."""
    return (ino - 1) % 0xFFFF + 1


def entries(lwp: Lwp, file: File) -> bytes:
    """An open directory as xv6 stores it; a name that went leaves a hole."""
    found: dict[bytes, int] = {}
    cookie = 0
    while batch := file.f_vnode.readdir(cookie):
        for ent in batch:
            found[ent.name] = ent.ino
            cookie = ent.cookie
    slots: list[bytes] = file.f_data if file.f_data is not None else [b".", b".."]
    slots = [name if name in found else b"" for name in slots]
    for name in found:
        if name not in slots:
            if b"" in slots:
                slots[slots.index(b"")] = name
            else:
                slots.append(name)
    file.f_data = slots
    return b"".join(
        DIRENT.pack(inum(found[name]) if name else 0, name[:DIRSIZ]) for name in slots
    )


def sys_fstat(lwp: Lwp, fd: int, addr: int) -> int:
    """fstat(fd, struct stat *): dev, ino, type, nlink, size."""
    file = file_of(lwp, fd)
    vp = file.f_vnode
    if isinstance(vp, PipeVnode):
        raise KernelError(Errno.EINVAL, "a pipe has no attributes")
    attr = vp.getattr()
    kind, nlink, size = T_DEVICE, attr.nlink, 0
    if vp.v_type is VType.DIR:
        kind, nlink, size = T_DIR, attr.nlink - 1, len(entries(lwp, file))
    elif vp.v_type is VType.REG:
        kind, size = T_FILE, attr.size
    dev = attr.dev & 0x7FFFFFFF
    store(lwp, addr, "<iIhh4xQ", dev, inum(attr.ino), kind, nlink & 0x7FFF, size)
    return 0


# ---- names ----


def sys_open(lwp: Lwp, path: int, mode: int) -> int:
    """open(path, mode)."""
    mode = s32(mode)
    name = entry_of(lwp, path) if mode & O_CREATE else path_of(lwp, path)
    flag = 0 if mode & O_WRONLY else FREAD
    flag |= FWRITE if mode & (O_WRONLY | O_RDWR) else 0
    if mode & O_CREATE:
        file = vn_open(lwp, name, flag | FCREAT | trunc_of(lwp, name, mode), 0o777)
    else:
        vp = lookup(lwp.kernel, lwp.proc, name)
        if vp.v_type is VType.DIR and mode:
            raise KernelError(Errno.EISDIR, "a directory is only read")
        if no_driver(vp):
            flag = FPATH
        file = vn_open(lwp, name, flag | trunc_of(lwp, name, mode))
    return lwp.proc.fds.install(lwp, file, NOFILE)


def trunc_of(lwp: Lwp, name: bytes, mode: int) -> int:
    """FTRUNC if O_TRUNC is given and a descriptor is free: xv6 looks for one first."""
    if mode & O_TRUNC and len(lwp.proc.fds.files) < NOFILE:
        return FTRUNC
    return 0


def no_driver(vp: Vnode) -> bool:
    """Whether it is a device without a driver: it opens, and nothing else works."""
    if vp.v_type is not VType.CHR or major(vp.v_rdev) & ~0xFFFF != OTHER_DEVICES:
        return False
    if major(vp.v_rdev) & 0xFFFF >= NDEV:
        raise KernelError(Errno.ENXIO, "a device of a number that can't be")
    return True


def sys_mknod(lwp: Lwp, path: int, number: int, minor: int) -> int:
    """mknod(path, major, minor): major 1 is the console."""
    number &= 0xFFFF
    dev = makedev(OTHER_DEVICES | number, minor & 0xFFFF)
    if number == CONSOLE:
        dev = DEV_CONSOLE
    name, kcred = entry_of(lwp, path), lwp.kernel.kcred  # there is no superuser
    vn_mknod(lwp, name, VType.CHR, 0o666, dev, cred=kcred)
    return 0


def sys_mkdir(lwp: Lwp, path: int) -> int:
    """mkdir(path)."""
    vn_mkdir(lwp, entry_of(lwp, path), 0o777)
    return 0


def sys_chdir(lwp: Lwp, path: int) -> int:
    """chdir(path)."""
    vn_chdir(lwp, lookup(lwp.kernel, lwp.proc, path_of(lwp, path)))
    return 0


def sys_link(lwp: Lwp, old: int, new: int) -> int:
    """link(old, new)."""
    name = entry_of(lwp, new)
    vp = lookup(lwp.kernel, lwp.proc, path_of(lwp, old))
    if vp.v_type is VType.DIR:
        raise KernelError(Errno.EPERM, "link to a directory")
    vn_link(lwp, vp, name)
    return 0


def sys_unlink(lwp: Lwp, path: int) -> int:
    """unlink(path): an empty directory, too."""
    name = entry_of(lwp, path)
    if name.rsplit(b"/", 1)[-1] in (b".", b".."):
        raise KernelError(Errno.EINVAL, "'.' and '..' stay")
    vp = lookup(lwp.kernel, lwp.proc, name, follow=False)
    (vn_rmdir if vp.v_type is VType.DIR else vn_unlink)(lwp, name)
    return 0
