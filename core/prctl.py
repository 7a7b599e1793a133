"""Process control: what /proc does to a process (proc(5)).

``grab`` gives a ``Control``; its methods are the messages of a ctl file (PCSTOP, PCRUN,
PCSTRACE ...) under plain names.  The process stops at events of interest (see
``core.prstop``) and stays so until ``run``.

    c = prctl.grab(job.proc)
    c.set_exit([SYS_forksys]); c.inherit_on_fork(True)
    lwp = c.wait()                      # runs the machine
    child = prctl.grab(job.proc.children()[0])

The controller is the kernel's caller, or a guest that has opened a file of a brand's
/proc; whether it may is that file's to ask.

Must not know: brands, system call numbers.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from personae.core import prstop, signal, watchpoint
from personae.core.disp import Status
from personae.core.errno import Errno, KernelError
from personae.core.forklwp import lwp_create
from personae.core.lwp import TpFlag, TState, WhyStop
from personae.core.proc import Proc, ProcFlag, ProcPrFlag, ProcStat
from personae.core.regs import A7
from personae.core.signo import CANTMASK, Sig, sigbit
from personae.core.trap import abort_call
from personae.core.txn import Transaction
from personae.core.vm.poke import peek, poke

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from personae.core.lwp import Lwp
    from personae.core.machine import Door
    from personae.core.vm.watch import Area

NREGS = 66
"""Registers a controller may write: x, pc, fcsr, f (see hw.h)."""


class Flt(IntEnum):
    """Faults of sys/fault.h."""

    FLTILL = 1
    FLTPRIV = 2
    FLTBPT = 3
    FLTTRACE = 4
    FLTACCESS = 5
    FLTBOUNDS = 6
    FLTIOVF = 7
    FLTIZDIV = 8
    FLTFPE = 9
    FLTSTACK = 10
    FLTPAGE = 11
    FLTWATCH = 12


class LwpStatus(NamedTuple):
    """The part of lwpstatus_t that says where a lwp stands.

    Attributes:
        why: What stopped it; NONE if it is not stopped.
        what: Signal, fault or system call.
        cursig: The signal it is about to take.
    """

    tid: int
    why: WhyStop
    what: int
    cursig: int


class Control:
    """Control of one process; several may be held of one.

    Attributes:
        proc: The process.
        gone: It has exited, or this control was released.
        invalid: It has executed a set-id or unreadable file since.
        relvms: How often it has given up its address space (exec, exit).
    """

    def __init__(self, proc: Proc) -> None:
        self.proc = proc
        self.gone = self.invalid = False
        self.exclusive = False
        self.relvms = 0
        self.kill_on_close = False
        self.run_on_close = False
        self.locked = False

    def live(self) -> Proc:
        """The process, while it can be controlled.

        Raises:
            KernelError: ENOENT, it has gone; EAGAIN, it has gained rights by an exec.
        """
        if self.gone or self.proc.stat is ProcStat.SZOMB:
            raise KernelError(Errno.ENOENT, f"{self.proc!r} is not controlled")
        if self.invalid:
            raise KernelError(Errno.EAGAIN, f"{self.proc!r} has gained rights")
        return self.proc

    # ---- tracing masks and modes ----

    def set_signals(self, sigs: Iterable[int]) -> None:
        """Stop on these signals (PCSTRACE); SIGKILL is never traced."""
        self.live().sigmask = frozenset(sigs) - {Sig.SIGKILL}

    def set_faults(self, faults: Iterable[int]) -> None:
        """Stop on these faults (PCSFAULT)."""
        self.live().fltmask = frozenset(faults)

    def set_entry(self, calls: Iterable[int]) -> None:
        """Stop on entry to these calls, by the brand's numbers (PCSENTRY)."""
        self.live().user.u_entrymask = frozenset(calls)
        self._systrap()

    def set_exit(self, calls: Iterable[int]) -> None:
        """Stop on exit from these calls (PCSEXIT)."""
        self.live().user.u_exitmask = frozenset(calls)
        self._systrap()

    def _systrap(self) -> None:
        u = self.proc.user
        u.u_systrap = bool(u.u_entrymask or u.u_exitmask)

    def _mode(self, flag: ProcPrFlag, on: bool) -> None:
        p = self.live()
        with p.lock:
            p.prflag = p.prflag | flag if on else p.prflag & ~flag

    def inherit_on_fork(self, on: bool) -> None:
        """PR_FORK: a child is traced as its parent is, and stops out of the fork."""
        self._mode(ProcPrFlag.P_PR_FORK, on)

    def asynchronous(self, on: bool) -> None:
        """PR_ASYNC: a lwp that stops does not make its siblings stop."""
        self._mode(ProcPrFlag.P_PR_ASYNC, on)

    # ---- stopping and running ----

    def stop(self, lwp: Lwp | None = None) -> None:
        """Direct all lwps to stop, or one (PCDSTOP)."""
        for t in [lwp] if lwp is not None else self.live().lwps:
            prstop.request(t)

    def stopped(self) -> Lwp | None:
        """The lwp that stands on an event; one stopped by request comes last."""
        p = self.live()
        found = [t for t in p.lwps if prstop.isstopped(t)]
        if not found:
            return None
        if not p.prflag & ProcPrFlag.P_PR_ASYNC and not any(t.agent for t in found):
            busy = (TState.TS_RUN, TState.TS_ONPROC, TState.TS_SLEEP)
            if any(t.state in busy for t in p.lwps):
                return None
        found.sort(key=lambda t: t.whystop is WhyStop.PR_REQUESTED)
        return found[0]

    def wait(self, door: Door | None = None, limit: int | None = None) -> Lwp:
        """Run the machine until the process stands on an event (PCWSTOP).

        Args:
            door: The host's side of it, if it has one.
            limit: Virtual time in cycles to give up at.

        Returns:
            The lwp that stopped on it.

        Raises:
            KernelError: ENOENT, the process has exited; EAGAIN, nothing can run;
                ETIME, the limit was reached.
        """
        k = self.proc.kernel
        while (lwp := self.stopped()) is None:
            if limit is not None and k.now >= limit:
                raise KernelError(Errno.ETIME, "no stop within the limit")
            if door is not None:
                door.pump(False, None)
            if k.disp.step(limit) is Status.IDLE and not k.disp.nrunnable:
                raise KernelError(Errno.EAGAIN, "nothing can run")
        return lwp

    def run(
        self,
        lwp: Lwp | None = None,
        *,
        clear_signal: bool = False,
        clear_fault: bool = False,
        abort: bool = False,
        step: bool = False,
    ) -> None:
        """Start what stands on an event (PCRUN).

        Args:
            lwp: Only this one; else all of the process.
            clear_signal: PRCSIG: the current signal is taken away.
            clear_fault: PRCFAULT: the fault posts no signal; the instruction is
                executed again.
            abort: PRSABORT: the call at whose entry it stands, or in which it was
                stopped, fails with EINTR.
            step: PRSTEP: one instruction, then FLTTRACE.

        Raises:
            KernelError: EBUSY, it is not stopped, or an agent is there.
        """
        p = self.live()
        agent = next((t for t in p.lwps if t.agent), None)
        if agent is not None:
            lwp = lwp or agent
            if lwp is not agent:
                raise KernelError(Errno.EBUSY, "only the agent lwp may run")
        targets = [t for t in ([lwp] if lwp else p.lwps) if prstop.isstopped(t)]
        if not targets:
            raise KernelError(Errno.EBUSY, f"{p!r} is not stopped")
        for t in targets:
            if step:
                t.tpflag |= TpFlag.TP_STEP
                t.ast = True
            _setrun(t, clear_signal, clear_fault, abort)

    def run_chosen(
        self, t: Lwp, *, clear_signal: bool, clear_fault: bool, abort: bool
    ) -> None:
        """Settle what one lwp stands on; all run once none stands on an event.

        So does PCRUN of a process' ctl file (proc(5)): the lwp is then stopped by
        request, and when all are, all go on.

        Raises:
            KernelError: EBUSY, it is not stopped.
        """
        p = self.live()
        if not prstop.isstopped(t):
            raise KernelError(Errno.EBUSY, f"{t!r} is not stopped")
        _settle(t, clear_signal, clear_fault, abort)
        t.whystop = WhyStop.PR_REQUESTED
        waits = (WhyStop.PR_REQUESTED, WhyStop.PR_SUSPENDED)
        if any(u.state is TState.TS_STOPPED and u.whystop not in waits for u in p.lwps):
            return
        for u in p.lwps:
            u.tpflag &= ~TpFlag.TP_PRSTOP
            if prstop.isstopped(u):
                u.kernel.disp.setrun(u)

    def status(self) -> list[LwpStatus]:
        """Where each lwp stands."""
        return [
            LwpStatus(t.tid, t.whystop, t.whatstop, t.cursig) for t in self.live().lwps
        ]

    # ---- signals ----

    def kill(self, sig: int) -> None:
        """Post a signal (PCKILL)."""
        signal.psignal(self.live(), sig)

    def unkill(self, sig: int) -> None:
        """Take a pending signal away (PCUNKILL); EINVAL for SIGKILL."""
        if sigbit(sig) & sigbit(Sig.SIGKILL):
            raise KernelError(Errno.EINVAL, "SIGKILL can't be taken back")
        signal.flush(self.live(), sigbit(sig))

    def set_held(self, lwp: Lwp, mask: int) -> None:
        """The signals that a lwp blocks (PCSHOLD)."""
        lwp.sigmask = mask & ~CANTMASK
        lwp.ast = True

    # ---- registers and memory ----

    def regs(self, lwp: Lwp) -> tuple[int, ...]:
        """Registers of a lwp that stands: x0 to x31, pc, fcsr, f0 to f31."""
        self._stands(lwp)
        return tuple(lwp.regs[:NREGS])

    def set_regs(self, lwp: Lwp, values: Mapping[int, int]) -> None:
        """Change registers, by slot (PCSREG, PCSFPREG).

        At the entry to a call a changed number or argument is what is called.

        Raises:
            KernelError: EBUSY, it does not stand; EINVAL, no such register.
        """
        self._stands(lwp)
        if any(not 0 < slot < NREGS for slot in values):
            raise KernelError(Errno.EINVAL, f"registers {sorted(values)}")
        for slot, value in values.items():
            lwp.regs[slot] = value % (1 << 64)

    def _stands(self, lwp: Lwp) -> None:
        if lwp not in self.live().lwps or lwp.state is not TState.TS_STOPPED:
            raise KernelError(Errno.EBUSY, f"{lwp!r} is not stopped")

    def read(self, addr: int, n: int) -> bytes:
        """Memory, whatever its protection; EFAULT where nothing is mapped."""
        space = self.live().as_
        if space is None:
            raise KernelError(Errno.EFAULT, "no address space")
        return peek(space, addr, n)

    def write(self, addr: int, data: bytes) -> None:
        """Change memory, text too: the process gets pages of its own.

        Raises:
            KernelError: EFAULT; EIO, it would change a file; ENOMEM.
        """
        space = self.live().as_
        if space is None:
            raise KernelError(Errno.EFAULT, "no address space")
        poke(space, addr, data)

    # ---- watched areas ----

    def watch(self, addr: int, size: int, flags: int) -> None:
        """Set a watched area, or with flags 0 take it away (PCWATCH).

        Raises:
            KernelError: EINVAL, it overlaps another or is empty; ESRCH, there is no
                such area to take away; EBUSY, a vfork child has the space; ENOMEM.
        """
        watchpoint.set_area(self.live(), addr, size, flags)

    def watched(self) -> list[Area]:
        """The areas that are set."""
        return list(self.live().warea)

    # ---- the agent ----

    def agent(self, regs: Mapping[int, int]) -> Lwp:
        """Make the agent lwp, stopped, with these registers (PCAGENT).

        Raises:
            KernelError: EBUSY, the process does not stand, or has one; EAGAIN.
        """
        p = self.live()
        if any(t.agent for t in p.lwps) or self.stopped() is None:
            raise KernelError(Errno.EBUSY, f"{p!r} can't take an agent now")
        with Transaction("agent", p.kernel.fork_probe()) as txn:
            lwp = lwp_create(txn, p, tid=p.lwpid + 1, cls="TS", source=p.lwps[0])
            txn.commit()
        p.lwpid += 1
        lwp.agent = True
        lwp.tpflag &= ~TpFlag.TP_HOLDLWP
        lwp.sigmask = ((1 << 64) - 1) & ~CANTMASK
        lwp.whystop = WhyStop.PR_REQUESTED
        lwp.ast = True
        self.set_regs(lwp, regs)
        return lwp

    # ---- P_PR_LOCK ----

    def lock(self) -> None:
        """Hold the process: no fork copies it, no exec or exit drops its space.

        Raises:
            KernelError: EBUSY, it is held already.
        """
        p = self.live()
        if p.prflag & ProcPrFlag.P_PR_LOCK:
            raise KernelError(Errno.EBUSY, f"{p!r} is locked")
        prstop.sprlock(p)
        self.locked = True

    def unlock(self) -> None:
        """Let it go on."""
        if self.locked:
            self.locked = False
            prstop.sprunlock(self.proc)

    # ---- the end ----

    def relvm(self) -> None:
        """The process gives up its address space: addresses mean nothing now."""
        self.relvms += 1

    def release(self) -> None:
        """Let go of the process (close of the ctl file).

        The last one to do so ends it (kill-on-close), or clears its tracing and lets
        it run (run-on-last-close); without either it stays as it is.
        """
        if self.gone:
            return
        self.unlock()
        p, self.gone = self.proc, True
        p.trace.remove(self)
        if p.trace:
            p.trace[0].kill_on_close |= self.kill_on_close
            p.trace[0].run_on_close |= self.run_on_close
        elif self.kill_on_close:
            signal.psignal(p, Sig.SIGKILL)
        elif self.run_on_close:
            _let_go(p)


def _setrun(t: Lwp, clear_signal: bool, clear_fault: bool, abort: bool) -> None:
    """pr_setrun: settle what it stands on, and make it runnable."""
    _settle(t, clear_signal, clear_fault, abort)
    t.kernel.disp.setrun(t)


def _settle(t: Lwp, clear_signal: bool, clear_fault: bool, abort: bool) -> None:
    """What it stands on is dealt with."""
    why, flt = t.whystop, t.curflt
    t.whystop, t.whatstop, t.curflt = WhyStop.NONE, 0, None
    t.tpflag &= ~TpFlag.TP_PRSTOP
    if flt is not None and not clear_fault:
        signal.trapsig(t, *flt[1:])
    if t.cursig and clear_signal:
        if signal.pending(t) & sigbit(t.cursig):
            signal.take(t, t.cursig)
        t.cursig = 0
    if t.sysent is not None:
        if abort:
            abort_call(t)
        elif why is WhyStop.PR_SYSENTRY:
            number = t.regs[A7]
            t.sysent = t.proc.brand.sysent.get(number)


def _let_go(p: Proc) -> None:
    """No tracing, and nothing stands any more (run-on-last-close)."""
    modes = ProcPrFlag.P_PR_FORK | ProcPrFlag.P_PR_ASYNC | ProcPrFlag.P_PR_TRACE
    p.sigmask = p.fltmask = frozenset()
    p.user.u_entrymask = p.user.u_exitmask = frozenset()
    p.user.u_systrap = False
    p.prflag &= ~modes
    for area in list(p.warea):
        watchpoint.set_area(p, area.addr, area.size, 0)
    for t in p.lwps:
        t.tpflag &= ~TpFlag.TP_PRSTOP
        if prstop.isstopped(t):
            _setrun(t, False, False, False)


def grab(proc: Proc) -> Control:
    """Take control of a process.

    Raises:
        KernelError: ENOENT, it is half made or a zombie; EBUSY, it is the kernel's.
    """
    if proc.stat in (ProcStat.SIDL, ProcStat.SZOMB):
        raise KernelError(Errno.ENOENT, f"{proc!r} can't be controlled")
    if proc.flag & ProcFlag.SSYS:
        raise KernelError(Errno.EBUSY, f"{proc!r} is the kernel's")
    control = Control(proc)
    if proc.trace:  # modes are the process', whoever has set them
        control.kill_on_close = proc.trace[0].kill_on_close
        control.run_on_close = proc.trace[0].run_on_close
    proc.trace.append(control)
    proc.prflag |= ProcPrFlag.P_PR_TRACE
    return control
