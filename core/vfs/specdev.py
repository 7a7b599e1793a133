"""Devices: what stands behind a character device node (specfs).

A device node is a name with a number; opening it answers a ``SpecVnode``, which has
the attributes of the node and the behaviour of the device.  The numbers are
Linux' (Documentation/admin-guide/devices.txt); illumos gives its own out at boot.

Devices are plain objects without state of their own, or hang off what they belong
to: a terminal off its session or zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.vfs.vnode import (
    MAXIO,
    POLLIN,
    POLLOUT,
    Vattr,
    Vnode,
    VType,
    makedev,
)

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar
    from personae.core.vfs.tmpnode import TmpNode
    from personae.core.vfs.tty import Tty

DEV_NULL = makedev(1, 3)
DEV_ZERO = makedev(1, 5)
DEV_FULL = makedev(1, 7)
DEV_RANDOM = makedev(1, 8)
DEV_URANDOM = makedev(1, 9)
DEV_TTY = makedev(5, 0)
DEV_CONSOLE = makedev(5, 1)
DEV_PTMX = makedev(5, 2)
PTS_MAJOR = 136


class Device:
    """A character device.  The default reads as empty and swallows nothing."""

    seekable = False
    tty: Tty | None = None
    anon = False
    """Whether a mapping of it is anonymous memory (/dev/zero)."""

    def opened(self, lwp: Lwp | None, flag: int) -> Device:
        """One open file more; answers what that file uses."""
        return self

    def closed(self, lwp: Lwp | None, flag: int) -> None:
        """One open file less."""

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """Up to ``n`` bytes."""
        return b""

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """Take bytes."""
        return len(data)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int
    ) -> tuple[int, list[CondVar]]:
        """State; always ready unless a device says otherwise."""
        return events & (POLLIN | POLLOUT), []

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """A request by its neutral name."""
        raise KernelError(Errno.ENOTTY, cmd)


class NullDev(Device):
    """/dev/null: empty, takes everything."""

    seekable = True


class ZeroDev(Device):
    """/dev/zero: endless zeros, takes everything."""

    seekable = True
    anon = True

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """Zeros."""
        return bytes(min(n, MAXIO))


class FullDev(ZeroDev):
    """/dev/full: endless zeros, takes nothing."""

    anon = False

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """ENOSPC."""
        if not data:
            return 0
        raise KernelError(Errno.ENOSPC, "/dev/full")


class RandomDev(Device):
    """/dev/random and /dev/urandom: the machine's seeded generator."""

    seekable = True
    PIECE = 4096

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """Pseudo-random bytes."""
        if lwp is None:
            raise KernelError(Errno.EIO, "no kernel to ask")
        rnd = lwp.kernel.random_bytes
        n = min(n, 32 << 20)
        whole, rest = divmod(n, self.PIECE)
        parts = [rnd(self.PIECE) for _ in range(whole)]
        if rest:
            parts.append(rnd(rest))
        return b"".join(parts)


class SpecVnode(Vnode):
    """An open device: the attributes of its node, the behaviour of the device."""

    def __init__(self, real: Vnode, dev: Device) -> None:
        super().__init__(real.v_vfs, real.v_type, real.v_rdev)
        self.real = real.hold()
        self.dev = dev
        self.v_seekable = dev.seekable

    def fionread(self) -> int:
        """Bytes that can be read at once; ENOTTY where nobody knows."""
        return int(self.dev.ioctl(None, "FIONREAD", None))

    @property
    def v_tty(self) -> Tty | None:
        """The terminal, if the device is one."""
        return self.dev.tty

    def inactive(self) -> None:
        """Let go of the node."""
        self.real.rele()

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Opened once more, through /proc."""
        return SpecVnode(self.real, self.dev.opened(lwp, flag))

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """Tell the device."""
        self.dev.closed(lwp, flag)

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """From the device; no offset matters."""
        return self.dev.read(lwp, n, flag)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """To the device."""
        return self.dev.write(lwp, data, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """State of the device."""
        return self.dev.poll(lwp, events, flag)

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """To the device."""
        return self.dev.ioctl(lwp, cmd, arg)

    def fsync(self) -> None:
        """Refused, as by drivers without such."""
        raise KernelError(Errno.EINVAL, "fsync of a device")

    def v_size(self) -> int:
        """A device has no length."""
        return 0

    def seek_data(self, off: int) -> int:
        """Every place is the start for these devices (null_lseek)."""
        return 0

    seek_hole = seek_data

    def getattr(self) -> Vattr:
        """Those of the node."""
        return self.real.getattr()

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Change the node's."""
        if "size" in changes:
            raise KernelError(Errno.EINVAL, "truncate of a device")
        self.real.setattr(cred, **changes)

    def access(self, cred: Cred, want: int) -> None:
        """The node's permissions."""
        self.real.access(cred, want)

    def parent_name(self) -> tuple[Vnode, bytes] | None:
        """Where the node is."""
        return self.real.parent_name()

    def last_place(self) -> tuple[Vnode, bytes] | None:
        """Where the node was."""
        return self.real.last_place()


def dev_open(node: TmpNode, lwp: Lwp | None, flag: int) -> Vnode:
    """The device of a node's number.

    Raises:
        KernelError: ENXIO, there is none of that number.
    """
    rdev = node.v_rdev
    if node.v_type is not VType.CHR:
        raise KernelError(Errno.ENXIO, "there are no block devices")
    if rdev == DEV_NULL:
        return SpecVnode(node, NullDev())
    if rdev == DEV_ZERO:
        return SpecVnode(node, ZeroDev())
    if rdev == DEV_FULL:
        return SpecVnode(node, FullDev())
    if rdev in (DEV_RANDOM, DEV_URANDOM):
        return SpecVnode(node, RandomDev())
    if lwp is not None and rdev == DEV_TTY:
        return _open_device(node, lwp.proc.sess and lwp.proc.sess.s_tty, lwp, flag)
    if lwp is not None and rdev == DEV_CONSOLE:
        return _open_device(node, lwp.proc.zone.console, lwp, flag)
    if lwp is not None and rdev == DEV_PTMX:
        return node.fs.open_ptmx(node, lwp, flag)
    if rdev >> 32 == PTS_MAJOR:
        return node.fs.open_pts(node, lwp, flag)
    raise KernelError(Errno.ENXIO, f"no device {rdev >> 32}:{rdev & 0xFFFFFFFF}")


def _open_device(node: Vnode, dev: Any, lwp: Lwp, flag: int) -> Vnode:
    """Open a terminal, or a stream that stands in for one."""
    if dev is None:
        raise KernelError(Errno.ENXIO, "no such terminal")
    if isinstance(dev, Vnode):
        return dev.open(lwp, flag)
    assert isinstance(dev, Device)
    return SpecVnode(node, dev.opened(lwp, flag))
