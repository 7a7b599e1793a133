"""Vnodes: what every file, directory, device, pipe and socket is to the kernel.

A ``Vnode`` answers the illumos-style operations (sys/vnode.h, VOP_*); what a
kind of file cannot do raises the errno that Linux and illumos agree on.

References: ``lookup`` and the other operations that answer a vnode answer a
*borrowed* one.  The machine runs on one host thread, so a borrowed vnode stays
good until the system call ends; whoever keeps it longer (an open file, a
current directory, a mapping, an executable) calls ``hold()`` and later
``rele()``.  A removed file lives until the last holder has let go of it.

Waiting: an operation that has to wait raises ``Sleep``; it is entered again from
the start of the system call.  Non-blocking is said by FNONBLOCK in ``flag``.

Must not know: processes' file tables, brands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.policy import secpolicy_vnode_access

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.sync import CondVar
    from personae.core.vfs.locks import LockTable, Owner
    from personae.core.vfs.tty import Tty
    from personae.core.vfs.unixsock import UnixSocket

R_OK, W_OK, X_OK = 4, 2, 1
"""Bits of the ``want`` of access()."""

S_ISUID, S_ISGID, S_ISVTX = 0o4000, 0o2000, 0o1000

NAME_MAX = 255
PATH_MAX = 4096
"""Longest path with its NUL (limits.h)."""

MAXIO = 64 << 20
"""Most bytes one read of a file gives, so that no guest makes the host allocate
what it only asked for; a short read of a file is legal."""

READDIR_BATCH = 256
"""Entries that one readdir() gives at most."""

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32


class VType(IntEnum):
    """Kind of a vnode (enum vtype of sys/vnode.h)."""

    NON = 0
    REG = 1
    DIR = 2
    BLK = 3
    CHR = 4
    LNK = 5
    FIFO = 6
    DOOR = 7
    SOCK = 10
    PORT = 11


@dataclass
class Vattr:
    """Attributes of a vnode (struct vattr).  Times are in ns since the epoch."""

    __slots__ = (
        "atime",
        "blksize",
        "blocks",
        "ctime",
        "dev",
        "gid",
        "ino",
        "mode",
        "mtime",
        "nlink",
        "rdev",
        "size",
        "type",
        "uid",
    )
    type: VType
    mode: int
    """Permission bits with setuid, setgid and sticky; without the file type."""
    uid: int
    gid: int
    nlink: int
    size: int
    ino: int
    dev: int
    rdev: int
    atime: int
    mtime: int
    ctime: int
    blksize: int
    blocks: int
    """In units of 512 bytes."""


class Dirent(NamedTuple):
    """One entry of a directory; ``cookie`` is where to go on after it."""

    name: bytes
    ino: int
    type: VType
    cookie: int


class Statfs(NamedTuple):
    """What statvfs(2) and statfs(2) tell of a file system."""

    fstype: str
    bsize: int
    blocks: int
    bfree: int
    files: int
    ffree: int
    namemax: int
    readonly: bool


def makedev(major: int, minor: int) -> int:
    """A device number as in 64-bit illumos: 32 bits of major, 32 of minor."""
    return major << 32 | minor


def major(dev: int) -> int:
    """Major part of a device number."""
    return dev >> 32


def minor(dev: int) -> int:
    """Minor part of a device number."""
    return dev & 0xFFFFFFFF


def vaccess(cred: Cred, mode: int, uid: int, gid: int, want: int, isdir: bool) -> bool:
    """The check of permission bits, then of privileges (path_resolution(7)).

    Nobody executes a file that has no x bit at all.
    """
    bits = mode
    if cred.fsuid == uid:
        bits >>= 6
    elif cred.groupmember(gid):
        bits >>= 3
    refused = want & ~bits & 7
    if not refused:
        return True
    if refused & X_OK and not isdir and not mode & 0o111:
        return False
    try:
        secpolicy_vnode_access(cred, uid, refused, isdir)
    except KernelError:
        return False
    return True


def isowner(cred: Cred, uid: int) -> bool:
    """Whether ``cred`` may do what only the owner may."""
    return cred.fsuid == uid or cred.has(Priv.FILE_OWNER)


class Vfs:
    """A mounted or mountable file system.

    Attributes:
        fstype: Its name, as /proc/mounts shows it.
        source: What it was mounted from, for the same place.
        root: Its root directory.
        covered: The directory it is mounted on; None for a root file system.
        readonly: Whether changes are refused with EROFS.
        nosuid: Whether exec ignores setuid and setgid bits.
        noexec: Whether exec is refused.
        dev: Its device number.
    """

    fstype = "none"

    def __init__(self, kernel: Kernel, dev: int | None = None) -> None:
        self.kernel = kernel
        self.dev = new_dev(kernel) if dev is None else dev
        self.root: Vnode
        self.covered: Vnode | None = None
        self.source = b"none"
        self.readonly = False
        self.nosuid = False
        self.noexec = False

    def statfs(self) -> Statfs:
        """Sizes; a file system without any says 0."""
        return Statfs(self.fstype, 4096, 0, 0, 0, 0, NAME_MAX, self.readonly)

    def drop_frames(self) -> int:
        """Give back frames of file pages that nobody maps; answers how many."""
        return 0

    def sync(self) -> None:
        """Write back what a host share has pending; nothing elsewhere."""

    def check_writable(self) -> None:
        """EROFS on a read-only mount."""
        if self.readonly:
            raise KernelError(Errno.EROFS, "read-only file system")


@dataclass
class VfsState:
    """What the file layer keeps for a whole kernel (``kernel.vfs_state``)."""

    dev: int = 0
    """Last device number handed out."""
    ino: int = 0
    """Last inode number of those in no file system."""
    file: int = 0
    """Last serial number of an open file."""
    pipe_bytes: int = 0
    """Bytes in all pipes."""
    door: int = 0
    """Last number of a door."""
    ports: int = 0
    """Event ports."""
    port_depth: int = 0
    """Ports that ask each other for their state at this moment."""
    sock_bytes: int = 0
    """Bytes that wait in all sockets, with what their messages cost."""
    abstract: dict[tuple[int, int, bytes], UnixSocket] = field(default_factory=dict)
    """Sockets by zone, type and abstract name (unix(7))."""
    inflight: dict[File, int] = field(default_factory=dict)
    """Open files on their way through sockets: how many messages hold each."""
    lock_waits: dict[Owner, tuple[Owner, CondVar]] = field(default_factory=dict)
    """Who waited last for whose record lock."""
    mounts: list[Vfs] = field(default_factory=list)
    """Every mounted file system, the oldest first (rootvfs)."""


def counters(kernel: Kernel) -> VfsState:
    """The kernel's file-layer state, made at first use."""
    state: VfsState | None = kernel.vfs_state
    if state is None:
        state = kernel.vfs_state = VfsState()
    return state


def new_dev(kernel: Kernel) -> int:
    """The next free device number for a file system: unnamed devices, major 0."""
    num = counters(kernel)
    num.dev += 1
    return makedev(0, num.dev)


def new_ino(kernel: Kernel) -> int:
    """The next inode number for what lives in no file system: pipes, sockets."""
    num = counters(kernel)
    num.ino += 1
    return num.ino


def mount(vfs: Vfs, on: Vnode) -> None:
    """Mount ``vfs`` on a directory (or its root file on a file).

    Raises:
        KernelError: EBUSY, it is mounted already; ENOTDIR, the kinds differ.
    """
    if vfs.covered is not None or vfs.root is on:
        raise KernelError(Errno.EBUSY, "mounted already")
    while on.v_mounted is not None:
        on = on.v_mounted.root
    if (on.v_type is VType.DIR) != (vfs.root.v_type is VType.DIR):
        raise KernelError(Errno.ENOTDIR, "mount of a directory on a file or vice versa")
    on.v_mounted = vfs
    vfs.covered = on.hold()
    counters(vfs.kernel).mounts.append(vfs)


def umount(vfs: Vfs, *, force: bool = False) -> None:
    """Take a mount away.

    Args:
        vfs: What is mounted.
        force: Though its root is somebody's directory: whoever is in it stays there
            and finds no way out (MS_FORCE).

    Raises:
        KernelError: EINVAL, it is not mounted; EBUSY, something is mounted in it
            or its root is somebody's directory.
    """
    on = vfs.covered
    if on is None:
        raise KernelError(Errno.EINVAL, "not mounted")
    if vfs.root.v_mounted is not None or (vfs.root.v_count > 0 and not force):
        raise KernelError(Errno.EBUSY, "in use")
    on.v_mounted = None
    vfs.covered = None
    on.rele()
    counters(vfs.kernel).mounts.remove(vfs)


class Vnode:
    """Base of all vnodes.  The defaults refuse.

    Attributes:
        v_type: Its kind.
        v_vfs: Its file system; None for a pipe, a socket and their like.
        v_count: Holders (see the module).
        v_mounted: The file system mounted on it.
        v_rdev: Device number, if it is a device.
        v_locks: fcntl and flock locks; None while there are none.
        v_text: How many processes execute it; while it is not 0, opening it for
            writing is ETXTBSY.
    """

    v_seekable = False
    """Whether a file offset means something (lseek, pread)."""

    def __init__(self, vfs: Vfs | None, vtype: VType, rdev: int = 0) -> None:
        self.v_type = vtype
        self.v_vfs = vfs
        self.v_count = 0
        self.v_mounted: Vfs | None = None
        self.v_rdev = rdev
        self.v_locks: LockTable | None = None
        self.v_text = 0

    # -- references

    def hold(self) -> Vnode:
        """One more holder."""
        self.v_count += 1
        return self

    def rele(self) -> None:
        """One holder less; the last one of a removed file frees it."""
        if self.v_count <= 0:
            raise Panic(f"vnode released too often: {self!r}")
        self.v_count -= 1
        if self.v_count == 0:
            self.inactive()

    def inactive(self) -> None:
        """The last holder is gone (VOP_INACTIVE)."""

    def ledger(self) -> dict[str, object]:
        """What it holds besides, for the account of the kernel (core/ledger.py)."""
        return {}

    # -- open files

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """An open of the vnode; a device may answer another one to use instead."""
        return self

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The last descriptor of an open file is gone."""

    def last_but_one(self) -> None:
        """A descriptor of a door was closed, and one is left."""

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Up to ``n`` bytes from ``off``; b"" is end of file."""
        if self.v_type is VType.DIR:
            raise KernelError(Errno.EISDIR, "read of a directory")
        raise KernelError(Errno.EINVAL, "cannot be read")

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Store ``data`` at ``off``; answers how much was taken."""
        raise KernelError(Errno.EINVAL, "cannot be written")

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """Which of ``events`` hold now, and where to wait for a change.

        POLLERR and POLLHUP are told unasked.  ``flag`` is that of the open file: a
        pipe's two ends are one vnode.
        """
        return events & (POLLIN | POLLOUT), []

    def next_deadline(self) -> int | None:
        """When it becomes ready by time alone, in cycles; None for never."""
        return None

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """A neutral request by name; what is not known is ENOTTY."""
        raise KernelError(Errno.ENOTTY, cmd)

    @property
    def v_tty(self) -> Tty | None:
        """The terminal behind it, if it is one."""
        return None

    def fsync(self) -> None:
        """Nothing is ever behind; a stream has nothing to sync."""
        if self.v_type in (VType.FIFO, VType.SOCK):
            raise KernelError(Errno.EINVAL, "cannot be synced")

    # -- attributes

    def v_size(self) -> int:
        """Length as stat shows it."""
        return self.getattr().size

    def seek_data(self, off: int) -> int:
        """SEEK_DATA: all of it is data; ENXIO from the end on."""
        if not 0 <= off < self.v_size():
            raise KernelError(Errno.ENXIO, "no data behind that offset")
        return off

    def seek_hole(self, off: int) -> int:
        """SEEK_HOLE: the end is a hole; ENXIO from there on."""
        size = self.v_size()
        if not 0 <= off < size:
            raise KernelError(Errno.ENXIO, "no hole behind that offset")
        return size

    def getattr(self) -> Vattr:
        """All attributes (VOP_GETATTR)."""
        raise NotImplementedError

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Change mode, uid, gid, size, atime or mtime, if ``cred`` may.

        ``touch=1`` says that both times are set to now, which whoever may write the
        file may do; other times are for the owner.
        """
        raise KernelError(Errno.EPERM, "attributes cannot be changed")

    def access(self, cred: Cred, want: int) -> None:
        """EACCES unless the permission bits let ``cred`` do all of ``want``."""
        a = self.getattr()
        isdir = self.v_type is VType.DIR
        if not vaccess(cred, a.mode, a.uid, a.gid, want, isdir):
            raise KernelError(Errno.EACCES, f"mode {a.mode:o}, uid {a.uid}")
        if want & W_OK and self.v_type in (VType.REG, VType.DIR, VType.LNK):
            vfs = self.v_vfs
            if vfs is not None and vfs.readonly:
                raise KernelError(Errno.EROFS, "read-only file system")

    # -- directories

    def _notdir(self, what: str) -> NoReturn:
        if self.v_type is not VType.DIR:
            raise KernelError(Errno.ENOTDIR, what)
        vfs = self.v_vfs
        if vfs is not None and vfs.readonly:
            raise KernelError(Errno.EROFS, what)
        raise KernelError(Errno.EPERM, f"{what}: not in this file system")

    def lookup(self, name: bytes, cred: Cred) -> Vnode:
        """The entry ``name`` of this directory; b".." is its parent."""
        if self.v_type is VType.DIR:
            raise KernelError(Errno.ENOENT, "no such entry")
        raise KernelError(Errno.ENOTDIR, "lookup in a file")

    def create(self, name: bytes, mode: int, cred: Cred, excl: bool) -> Vnode:
        """Make a regular file, or answer the one that is there unless ``excl``."""
        self._notdir("create")

    def mkdir(self, name: bytes, mode: int, cred: Cred) -> Vnode:
        """Make a directory."""
        self._notdir("mkdir")

    def mknod(
        self, name: bytes, vtype: VType, mode: int, rdev: int, cred: Cred
    ) -> Vnode:
        """Make a FIFO, device, socket or regular file."""
        self._notdir("mknod")

    def symlink(self, name: bytes, target: bytes, cred: Cred) -> Vnode:
        """Make a symbolic link."""
        self._notdir("symlink")

    def link(self, name: bytes, vp: Vnode, cred: Cred) -> None:
        """A further name for ``vp``."""
        self._notdir("link")

    def remove(self, name: bytes, cred: Cred) -> None:
        """Remove a name of something that is no directory."""
        self._notdir("remove")

    def rmdir(self, name: bytes, cred: Cred) -> None:
        """Remove an empty directory."""
        self._notdir("rmdir")

    def rename(
        self,
        old: bytes,
        newdir: Vnode,
        new: bytes,
        cred: Cred,
        exchange: bool = False,
    ) -> None:
        """Move the entry ``old`` to ``new`` of ``newdir``, in one file system."""
        self._notdir("rename")

    def readdir(self, cookie: int) -> list[Dirent]:
        """Some entries from ``cookie`` on (0: from the start); [] is the end."""
        raise KernelError(Errno.ENOTDIR, "readdir of a file")

    def readlink(self, ctx: Proc | None = None) -> bytes:
        """The text of a symbolic link; ``ctx`` is who asks, for /proc/self."""
        raise KernelError(Errno.EINVAL, "not a symbolic link")

    def follow(self, ctx: Proc) -> Vnode | None:
        """Where a magic link (/proc/N/fd/0) leads; None: to what its text says."""
        return None

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Parent directory and name, for path_of(); None if it has none (now)."""
        return None

    def last_place(self) -> tuple[Vnode, bytes] | None:
        """Where a removed file was last, for path_of()."""
        return None

    def anon_name(self) -> bytes:
        """What /proc shows for a vnode without a path, as b"pipe:[7]"."""
        return b"anon_inode:[unknown]"

    # -- pages

    def getpage(self, idx: int) -> int:
        """The frame that holds page ``idx``; the vnode keeps a reference to it.

        Raises:
            KernelError: ENODEV, cannot be mapped; ENOMEM; EFAULT, behind the end.
        """
        raise KernelError(Errno.ENODEV, "cannot be mapped")

    def getpages(self, first: int, n: int) -> list[int]:
        """The frames of ``n`` pages in a row; raises as ``getpage`` does."""
        return [self.getpage(i) for i in range(first, first + n)]
