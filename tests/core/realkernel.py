"""A real kernel with a process, run by hand: no guest program is needed."""

from __future__ import annotations

from typing import Any

from personae.core.brand import Brand
from personae.core.errno import Errno, KernelError
from personae.core.file import File
from personae.core.hookspecs import hookimpl
from personae.core.kernel import Kernel, KernelConfig
from personae.core.lwp import Lwp, TState
from personae.core.newproc import newproc
from personae.core.proc import ProcFlag
from personae.core.vfs.vnode import Vnode, VType
from personae.core.vm.as_ import As


class NullOps:
    """A brand that is just enough to fork."""

    @hookimpl
    def b_elfexec(self) -> None:
        pass

    @hookimpl
    def b_lwp_setrval(self, lwp: Lwp, v1: int, v2: int) -> None:
        lwp.regs[10], lwp.regs[11] = v1, v2

    @hookimpl
    def b_sendsig(self) -> None:
        pass

    @hookimpl
    def b_sysret(self) -> None:
        pass

    @hookimpl
    def b_syserr(self) -> None:
        pass


class Failer:
    """Fails one step, by name; remembers all it sees."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.at = ""
        self.errno = Errno.EAGAIN

    @hookimpl
    def personae_fork_step(self, step: str) -> None:
        self.seen.append(step)
        if step == self.at:
            raise KernelError(self.errno, "injected")


def kernel(**config: Any) -> Kernel:
    return Kernel(
        KernelConfig(memory=64 << 20, **config), [Brand("native", NullOps(), {})]
    )


def first(k: Kernel) -> Lwp:
    """A process with memory, files and directories; its lwp is the current one."""
    lwp = newproc(k, k.p0, system=False, name=b"init", zone=k.zones[0])
    p = lwp.proc
    p.flag &= ~ProcFlag.SNOWAIT
    p.as_ = As(k, 0, p)
    p.as_.map(0x10000, 0x8000, 6, 0x12)
    p.as_.copyout(0x10000, b"hello")
    root = Vnode(None, VType.DIR)
    p.user.u_cdir, p.exec = root.hold(), root.hold()
    p.fds.alloc(File(root, 1), 256)
    p.fds.alloc(p.fds.getf(0), 256, 5, cloexec=True)
    run(k, lwp)
    return lwp


def run(k: Kernel, lwp: Lwp) -> None:
    """Make ``lwp`` the one that runs."""
    k.disp.forget(lwp)
    lwp.state = TState.TS_ONPROC
    lwp.cpu = k.cpus[0]
    k.current = lwp
