"""Open files of /proc: who may use them, and what they do (see ``procfs``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import procabi, procmem
from personae.brands.native.procctl import Ctl
from personae.core import prctl, prstop
from personae.core.errno import Errno, KernelError
from personae.core.file import FEXCL, FREAD, FWRITE
from personae.core.lwp import TState
from personae.core.policy import priv_proc_cred_perm
from personae.core.proc import ProcStat
from personae.core.vfs.pseudofs import PseudoOpen
from personae.core.vfs.vnode import POLLHUP, POLLIN, POLLOUT, POLLPRI
from personae.core.vm.poke import peek, poke

if TYPE_CHECKING:
    from personae.brands.native.procfs import PrNode
    from personae.core.lwp import Lwp
    from personae.core.prctl import Control
    from personae.core.proc import Proc
    from personae.core.sync import CondVar
    from personae.core.vm.as_ import As


def live(p: Proc, *, zombie: bool = False) -> Proc:
    """The process, unless it has gone (or is a zombie): ENOENT."""
    if p.pidp is None or (p.stat is ProcStat.SZOMB and not zombie):
        raise KernelError(Errno.ENOENT, f"{p!r} has gone")
    return p


def grab(p: Proc, flag: int) -> Control:
    """Control of a process by an open for writing; EBUSY if one of them is alone."""
    if any(c.exclusive for c in p.trace) or (flag & FEXCL and p.trace):
        raise KernelError(Errno.EBUSY, f"{p!r} is controlled already")
    control = prctl.grab(p)
    control.exclusive = bool(flag & FEXCL)
    return control


class PrOpen(PseudoOpen):
    """An open file of a process or lwp."""

    node: PrNode

    def __init__(self, node: PrNode, control: Control | None) -> None:
        super().__init__(node)
        self.control = control

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The last descriptor: let go of the process."""
        if self.control is not None:
            self.control.release()

    def check(self, lwp: Lwp | None) -> Proc:
        """Whether the reader still may; ENOENT, EAGAIN."""
        node = self.node
        p = live(node.proc, zombie=node.public)
        if node.lwp is not None and node.lwp.state is TState.TS_ZOMB:
            raise KernelError(Errno.ENOENT, f"{node.lwp!r} has ended")
        if not node.public and lwp is not None:
            try:
                priv_proc_cred_perm(lwp.cred, p.cred)
            except KernelError as e:
                raise KernelError(Errno.EAGAIN, e.why) from e
        return p

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """The structure as of now, at offset 0."""
        self.check(lwp)
        return super().read(lwp, off, n, flag)

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """POLLPRI: it stands on an event of interest.  POLLHUP: it has gone."""
        node = self.node
        p = node.proc
        gone = p.pidp is None or p.stat is ProcStat.SZOMB or not p.lwps
        if gone or (node.lwp is not None and node.lwp.state is TState.TS_ZOMB):
            return POLLHUP, []
        t = node.lwp or procabi.representative(p)
        ready = events & (POLLIN if flag & FREAD else 0)
        ready |= events & (POLLOUT if flag & FWRITE else 0)
        if t is not None and prstop.isstopped(t):
            ready |= events & POLLPRI
        return ready, [prstop.pr_wait(p)]


class CtlOpen(PrOpen):
    """An open ctl or lwpctl."""

    v_seekable = False

    def __init__(self, node: PrNode, control: Control) -> None:
        super().__init__(node, control)
        self.ctl = Ctl(control, node.lwp)

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Control messages."""
        if lwp is None:
            raise KernelError(Errno.EINVAL, "nobody writes")
        return self.ctl.write(lwp, data)


class AsOpen(PrOpen):
    """An open ``as``: the memory of the process, at its addresses."""

    def _space(self, lwp: Lwp | None, off: int, n: int) -> tuple[As, int]:
        """The space, and how many of ``n`` bytes are mapped in a row; EIO, none."""
        p = self.check(lwp)
        if self.control is not None:
            self.control.live()
        as_ = p.as_
        end = off
        while as_ is not None and end < off + n:
            seg = as_.find(end)
            if seg is None:
                break
            end = seg.end
        if as_ is None or end == off:
            raise KernelError(Errno.EIO, f"nothing is mapped at {off:#x}")
        return as_, min(n, end - off)

    def read(self, lwp: Lwp | None, off: int, n: int, flag: int) -> bytes:
        """Memory, whatever its protection; as far as it is mapped."""
        if n == 0:
            return b""
        as_, n = self._space(lwp, off, n)
        return procmem.io(lambda: peek(as_, off, n))

    def write(self, lwp: Lwp | None, off: int, data: bytes, flag: int) -> int:
        """Change memory; text gets pages of its own."""
        if not data:
            return 0
        as_, n = self._space(lwp, off, len(data))
        procmem.io(lambda: poke(as_, off, data[:n]))
        return n
