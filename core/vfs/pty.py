"""Pseudo terminals: /dev/ptmx, and the devpts with the slaves (pty(7)).

A master is a device whose writes are typed on the slave and whose reads take what
the slave shows.  When the last descriptor of the master goes, the slave is hung up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.file import FNONBLOCK
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.specdev import DEV_PTMX, PTS_MAJOR, Device, SpecVnode
from personae.core.vfs.tmpfs import TmpDir, TmpFs
from personae.core.vfs.tmpnode import TmpDev, TmpNode
from personae.core.vfs.tty import Tty
from personae.core.vfs.vnode import (
    POLLHUP,
    POLLIN,
    POLLOUT,
    Vnode,
    VType,
    makedev,
    minor,
)

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

OUTMAX = 16384
"""Bytes the slave may be ahead of the master."""
INMAX = 4096
"""Bytes typed ahead of the slave (N_TTY_BUF_SIZE)."""
TTY_GID = 5
MAXPTYS = 4096


class PtyMaster(Device):
    """The master side.

    Attributes:
        number: Of /dev/pts/N.
        slave: The terminal.
        locked: The slave cannot be opened yet (unlockpt).
        was_open: Somebody has had the slave open.
    """

    def __init__(self, kernel: Kernel, fs: DevPts, number: int) -> None:
        self.kernel = kernel
        self.fs = fs
        self.number = number
        self.slave = PtySlave(kernel, self)
        self.slave.rdev = makedev(PTS_MAJOR, number)
        self.tty: Tty | None = self.slave
        self.locked = True
        self.was_open = False
        self.gone = False

    def opened(self, lwp: Lwp | None, flag: int) -> Device:
        """A master is opened once, as /dev/ptmx; through /proc it is refused."""
        raise KernelError(Errno.EIO, "second open of a master")

    def closed(self, lwp: Lwp | None, flag: int) -> None:
        """The slave is hung up, and its name goes."""
        self.gone = True
        self.fs.forget(self.number)
        self.slave.hangup()

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """What the slave shows; EIO once nobody has it open any more."""
        slave = self.slave
        data = slave.take_output(n)
        if data or n == 0:
            return data
        if self.was_open and slave.opens == 0:
            raise KernelError(Errno.EIO, "the slave is closed")
        if flag & FNONBLOCK:
            raise KernelError(Errno.EAGAIN, "nothing shown")
        raise Sleep(slave.cv_taker)

    def _room(self) -> int:
        """Bytes the slave still takes; an unfinished line never blocks the typist."""
        line = self.slave.line
        return max(0, INMAX - line.held() + len(line.edit))

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """Type on the slave."""
        done = 0
        if lwp is not None and type(lwp.sysstate) is int:
            done = lwp.sysstate
        take = min(self._room(), len(data) - done)
        self.slave.feed(data[done : done + take])
        done += take
        if done == len(data):
            return done
        if lwp is None or flag & FNONBLOCK:
            if done:
                return done
            raise KernelError(Errno.EAGAIN, "the slave does not read")
        lwp.sysstate = done
        raise Sleep(self.slave.cv_room, partial=done or None)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int
    ) -> tuple[int, list[CondVar]]:
        """POLLIN when the slave shows something, POLLHUP when it is closed."""
        slave = self.slave
        ready = 0
        if slave.line.out and not slave.line.stopped:
            ready |= events & POLLIN
        if self._room():
            ready |= events & POLLOUT
        if self.was_open and slave.opens == 0:
            ready |= POLLHUP
        return ready, [slave.cv_taker, slave.cv_room]

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """Number and lock of the slave; the slave's modes, size and group."""
        slave = self.slave
        if cmd == "TIOCGPTN":
            return self.number
        if cmd == "TIOCSPTLCK":
            self.locked = bool(arg)
            return None
        if cmd == "TIOCGPTLCK":
            return int(self.locked)
        if cmd == "TIOCGPGRP":
            return slave.pgid
        if cmd == "TIOCGSID":
            if slave.session is None:
                raise KernelError(Errno.ENOTTY, "controls no session")
            return slave.session.sid
        if cmd in ("FIONREAD", "TIOCOUTQ"):
            return slave.outq() if cmd == "FIONREAD" else slave.line.held()
        if cmd == "TIOCSIG":
            if slave.pgid:
                self.kernel.pgsignal(slave.pgid, arg)
            return None
        asker = None if cmd.startswith(("TCSET", "TCFLSH", "TCXONC")) else lwp
        return slave.ioctl(asker, cmd, arg)


class PtySlave(Tty):
    """The slave side: a terminal whose host is the master."""

    v_shown = False

    def __init__(self, kernel: Kernel, master: PtyMaster) -> None:
        super().__init__(kernel, OUTMAX)
        self.master = master
        self.cv_room = CondVar()
        """A master that waits for the slave to read."""

    def opened(self, lwp: Lwp | None, flag: int) -> Device:
        """EIO while it is locked, or when the master is gone."""
        if self.master.locked or self.master.gone:
            raise KernelError(Errno.EIO, "locked, or without a master")
        self.master.was_open = True
        return super().opened(lwp, flag)

    def released(self) -> None:
        """The last close ends the master's input."""
        super().released()
        if self.opens == 0:
            self.kernel.wakeup(self.cv_taker)

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """As any terminal; makes room for the master."""
        data = super().read(lwp, n, flag)
        if self.cv_room.waiters:
            self.kernel.wakeup(self.cv_room)
        return data


class DevPts(TmpFs):
    """/dev/pts: the slaves of one zone."""

    fstype = "devpts"

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, limit=16 << 20)
        self.source = b"devpts"
        self.masters: dict[int, PtyMaster] = {}
        ptmx = TmpDev(self, VType.CHR, self.newino(), 0o666, rdev=DEV_PTMX)
        self.top().enter(b"ptmx", ptmx)

    def top(self) -> TmpDir:
        """The root directory."""
        root = self.root
        assert isinstance(root, TmpDir)
        return root

    def open_ptmx(self, node: TmpNode, lwp: Lwp, flag: int) -> Vnode:
        """A new master; the slave belongs to the opener."""
        number = 0
        while number in self.masters:
            number += 1
        if number >= MAXPTYS:
            raise KernelError(Errno.ENOSPC, "too many pseudo terminals")
        cred = lwp.proc.cred
        rdev = makedev(PTS_MAJOR, number)
        slave = TmpDev(self, VType.CHR, self.newino(), 0o620, cred.fsuid, TTY_GID, rdev)
        self.top().enter(b"%d" % number, slave)
        master = self.masters[number] = PtyMaster(self.kernel, self, number)
        return SpecVnode(node, master)

    def forget(self, number: int) -> None:
        """The master of a slave is gone: its name goes, too."""
        del self.masters[number]
        name = b"%d" % number
        node = self.top().child(name)
        if node is not None:
            self.top().leave(name, node)

    def open_pts(self, node: TmpNode, lwp: Lwp | None, flag: int) -> Vnode:
        """A slave."""
        master = self.masters.get(minor(node.v_rdev))
        if master is None:
            raise KernelError(Errno.EIO, "the master is gone")
        return SpecVnode(node, master.slave.opened(lwp, flag))
