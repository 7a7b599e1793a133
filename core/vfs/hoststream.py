"""HostStream: standard input, output or error of a machine that has no terminal.

The host side feeds and takes bytes; the guest side looks like a pipe.  It is
deterministic whatever the chunks and the timing of the host: a read of n bytes
gives n bytes, or what is left before the end, so it waits until the host has
fed that much; polling always says ready, and a non-blocking read waits as well.
For that to be exact, the host side feeds whenever ``wants_input`` is true before
it lets the machine go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.sync import CondVar, Sleep
from personae.core.vfs.vnode import Vattr, Vnode, VType, new_ino

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp


class HostStream(Vnode):
    """One stream between the host and the guest.

    Args:
        kernel: The kernel.
        name: What /proc shows, e.g. b"stdin".
    """

    def __init__(self, kernel: Kernel, name: bytes = b"host") -> None:
        super().__init__(None, VType.FIFO)
        self.kernel = kernel
        self.name = name
        self.ino = new_ino(kernel)
        self.inbuf = bytearray()
        self.eof = False
        self.outbuf = bytearray()
        self.cv = CondVar()
        self.time = kernel.wall_ns

    # -- host side

    def feed(self, data: bytes) -> None:
        """Input for the guest."""
        self.inbuf += data
        if self.cv.waiters:
            self.kernel.wakeup(self.cv)

    def feed_eof(self) -> None:
        """No more input will come."""
        self.eof = True
        if self.cv.waiters:
            self.kernel.wakeup(self.cv)

    @property
    def wants_input(self) -> bool:
        """Whether somebody waits for more than has been fed."""
        return bool(self.cv.waiters)

    def take_output(self) -> bytes:
        """What the guest has written since the last call."""
        if not self.outbuf:
            return b""
        out = bytes(self.outbuf)
        self.outbuf.clear()
        return out

    # -- guest side

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """``n`` bytes, or all that is left at the end of input."""
        if len(self.inbuf) < n and not self.eof:
            raise Sleep(self.cv)
        out = bytes(self.inbuf[:n])
        del self.inbuf[:n]
        return out

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Everything, at once."""
        self.outbuf += data
        self.kernel.note_output(data)
        return len(data)

    def fionread(self) -> int:
        """Bytes fed so far."""
        return len(self.inbuf)

    def getattr(self) -> Vattr:
        """Attributes of a pipe."""
        t = self.time
        return Vattr(VType.FIFO, 0o600, 0, 0, 1, 0, self.ino, 0, 0, t, t, t, 4096, 0)

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Mode and owner stay, as for a pipe of somebody else."""
        if "size" in changes:
            raise KernelError(Errno.EINVAL, "truncate of a stream")

    def anon_name(self) -> bytes:
        """As a pipe."""
        return b"pipe:[%d]" % self.ino


class StreamConsole(Vnode):
    """The console of a zone without a terminal: its init's input and output.

    Args:
        stdin: What is read.
        stdout: Where writes go.
    """

    def __init__(self, stdin: HostStream, stdout: HostStream) -> None:
        super().__init__(None, VType.CHR)
        self.stdin = stdin
        self.stdout = stdout

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """From the input, as ``HostStream`` does it."""
        return self.stdin.read(lwp, off, n, flag)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """To the output."""
        return self.stdout.write(lwp, off, data, flag)

    def getattr(self) -> Vattr:
        """Those of the output, as a character device."""
        attr = self.stdout.getattr()
        attr.type = VType.CHR
        return attr

    def setattr(self, cred: Cred, **changes: int) -> None:
        """Mode and owner stay."""
        self.stdout.setattr(cred, **changes)

    def anon_name(self) -> bytes:
        """Its name."""
        return b"console"
