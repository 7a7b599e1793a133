"""A real machine whose guest stands at its fork, with the kernel in the tester's hand.

The program is a real one of the brand, started by exec and run up to the system call;
then the test forks by ``cfork`` and looks, and may let the machine go on from there.
"""

from __future__ import annotations

import contextlib
from typing import Any

from personae.core.errno import Errno, KernelError
from personae.core.exit import freeproc, proc_exit
from personae.core.fork import ForkKind, cfork
from personae.core.forklwp import lwp_create, lwp_start
from personae.core.hookspecs import hookimpl
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import Lwp, TFlag, TpFlag
from personae.core.machine import Machine
from personae.core.proc import Proc
from personae.core.signo import CldCode
from personae.core.sync import Sleep
from personae.core.txn import Transaction
from personae.core.vfork import vfwait
from tests.core.machines import guest
from tests.core.realkernel import run

A0, A1, A7, PC = 10, 11, 17, 32
FORK_NUMBERS = {"native": 142, "linux": 220}
BRANDS = ("native", "linux")
KINDS = {
    "native": ("fork1", "forkall", "vfork"),
    "linux": ("fork1", "vfork"),
}
EACH_KIND = [(b, k) for b in BRANDS for k in KINDS[b]]


class AtFork(BaseException):
    """The guest has entered its fork."""


class _Stopper:
    """Stops the machine at the first fork."""

    def __init__(self, number: int) -> None:
        self.number = number

    @hookimpl
    def personae_syscall_entry(self, number: int) -> None:
        if number == self.number:
            raise AtFork


class Stage:
    """One machine, one zone, one process that is about to fork.

    Attributes:
        k: The kernel.
        p: The process.
        lwp: Its lwp that called; it is the current one.
    """

    def __init__(self, brand: str, how: str = "fork", **machine: Any) -> None:
        self.brand = brand
        self.machine = Machine(**{"memory": 64 << 20, **machine})
        self.zone = self.machine.add_zone("z", brand=brand)
        self.zone.put("/bin/prog", guest("forkstep", brand))
        self.job = self.zone.start(["/bin/prog", how, "1"])
        self.k = self.machine.kernel
        self.p = self.job.proc
        stop = _Stopper(FORK_NUMBERS[brand])
        self.machine.plugins.register(stop)
        with contextlib.suppress(AtFork):
            self.machine.run_until([self.p], door=self.job)
        self.machine.plugins.unregister(stop)
        self.lwp = self.p.lwps[0]
        for cpu in self.k.cpus:
            cpu.clock = max(cpu.clock, self.k.now)
        run(self.k, self.lwp)

    # ---- acting ----

    def fork(self, kind: str = "fork1", flags: int = 0, lwp: Lwp | None = None) -> Proc:
        """Fork; a punishing delay is waited for."""
        lwp = lwp or self.lwp
        run(self.k, lwp)
        try:
            return cfork(lwp, ForkKind(kind), flags)
        except Sleep as s:
            if s.deadline is None:
                raise
            self.k.now = s.deadline
            return cfork(lwp, ForkKind(kind), flags)

    def fails(self, kind: str = "fork1", flags: int = 0) -> Errno:
        """A fork that fails and leaves nothing behind; its errno."""
        before, wrong = self.ledger(), ledger_check(self.k)
        states = [(t.state, t.whystop) for t in self.p.lwps]
        try:
            child = self.fork(kind, flags)
        except KernelError as e:
            errno = e.errno
        else:
            raise AssertionError(f"{kind} made {child!r}")
        assert self.diff(before) == []
        assert ledger_check(self.k) == wrong
        assert self.p.lwprcnt == sum(s.name != "TS_STOPPED" for s, _ in states)
        assert len(states) == len(self.p.lwps)
        for t, (state, _) in zip(self.p.lwps, states, strict=True):
            assert (t.state is state) or (t.state.name == "TS_RUN"), t
        return errno

    def exit(self, p: Proc, status: int = 0, reap: bool = True) -> None:
        """End a process, reap it, and go on with the caller."""
        run(self.k, p.lwps[0])
        proc_exit(p.lwps[0], CldCode.EXITED, status)
        if reap and p.pidp is not None:
            freeproc(p)
        run(self.k, self.lwp)
        if self.lwp.tflag & TFlag.T_VFPARENT and reap:
            vfwait(self.lwp)
            run(self.k, self.lwp)

    def add_lwp(self, p: Proc | None = None) -> Lwp:
        """One lwp more; it is runnable and never run."""
        p = p or self.p
        with Transaction("lwp_create", self.k.fork_probe()) as txn:
            new = lwp_create(txn, p, tid=p.lwpid + 1, cls="TS", source=p.lwps[0])
            txn.commit()
        p.lwpid += 1
        new.tpflag &= ~TpFlag.TP_HOLDLWP
        lwp_start(new)
        return new

    def goes_on(self, v1: int, v2: int = 0) -> None:
        """End the call of the guest with this result, and let it go on."""
        lwp = self.lwp
        lwp.regs[PC] += 4
        self.p.brand.ops.b_sysret(lwp, v1, v2)
        self.unstage()

    def unstage(self) -> None:
        """Give the lwp back to the dispatcher, its call over."""
        self.lwp.sysent = self.lwp.sysstate = None
        self.lwp.ast = True
        self.k.current = None
        self.k.disp.yielding = False
        self.k.disp.setrun(self.lwp)

    def finish(self) -> str:
        """Run the guest to its end; what it printed."""
        self.machine.run_until([self.p], door=self.job)
        return self.job.result().stdout.decode()

    def again(self) -> None:
        """Let the guest make the call itself."""
        self.k.current = None
        self.lwp.sysent = None
        self.k.disp.setrun(self.lwp)

    # ---- looking ----

    def ledger(self) -> dict[str, Any]:
        """What there is."""
        return ledger(self.k)

    def diff(self, before: dict[str, Any]) -> list[str]:
        """What has changed."""
        return ledger_diff(before, ledger(self.k))

    def steps(self) -> list[str]:
        """The steps of the last fork."""
        return list(self.k.last_fork_steps)


class Watch:
    """Calls a function before each step of a fork; sees their names."""

    def __init__(self, stage: Stage, look: Any = None) -> None:
        self.seen: list[str] = []
        self.look = look
        self.at = ""
        self.errno = Errno.EAGAIN
        stage.machine.plugins.register(self)

    @hookimpl
    def personae_fork_step(self, step: str) -> None:
        self.seen.append(step)
        if self.look is not None:
            self.look(step)
        if step == self.at:
            raise KernelError(self.errno, "injected")
