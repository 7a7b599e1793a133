"""From user mode into the kernel and back: traps, system calls, the way out.

``run`` keeps one lwp on one CPU.  Each turn: a call in progress is entered again,
what is pending is looked at (``return_to_user``), then the hart runs until its next
trap.  Whatever a guest does ends here as a result, an errno or a signal.

Must not know: any brand's numbers or registers beyond a7 and the brand's operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from personae.core import probes, prstop, signal, watchpoint
from personae.core.errno import Errno, KernelError, Panic
from personae.core.lwp import (
    PR_SUSPENDED,
    T_VFPARENT,
    TP_HOLDLWP,
    TP_STEP,
    TS_ONPROC,
    TS_ZOMB,
)
from personae.core.msacct import DFAULT, TFAULT, TRAP, trap_mstate
from personae.core.rctl import rctl_action
from personae.core.regs import A0, A1, A2, A7, CYCLE, PC, TACCESS, TVAL
from personae.core.signal import Action
from personae.core.signo import SaFlag, SiCode, Sig
from personae.core.step import step
from personae.core.sync import Restart, Sleep
from personae.core.syscall import NoReturnType, sysret_a0
from personae.core.vfork import vfwait
from personae.core.vm.as_ import Fault
from personae.core.vm.hat import FETCH

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.syscall import Result, Sysent

S_CTX, S_AS, S_END, S_COST = 1, 2, 3, 4
SPENT = -1  # what the hardware's ``go`` says of BUDGET
BUDGET, ECALL, EBREAK, ILLEGAL, MISALIGNED = 0, 1, 2, 3, 4
ASK, PROT, UNMAPPED, NOMEM, AMO_MISALIGNED, LOGFULL = 5, 6, 7, 8, 9, 10
FLTILL, FLTBPT, FLTTRACE, FLTACCESS, FLTBOUNDS = 1, 3, 4, 5, 6
TRAP_TRACE = 2


def run(k: Kernel, part: Any, lwp: Lwp, end: int) -> None:
    """Run ``lwp`` in the slice of its CPU until ``end``, or until it can't go on.

    On return ``k.now`` is the time at which it stopped.  This is the one hot loop
    of the kernel: a call that succeeds at once passes through here alone.
    """
    regs, proc, disp = lwp.regs, lwp.proc, k.disp
    go, view = part.go, part.view
    view[S_CTX], view[S_END], view[S_COST] = lwp.ctx, end, k.syscall_cost
    find, sysret = proc.brand.sysent.get, proc.brand.ops.b_sysret
    counts, observers = k.syscalls, k.observers
    onproc, traced = TS_ONPROC, proc.user.u_systrap
    space = None
    while lwp.state is onproc:
        if lwp.sysent is not None:
            _again(k, lwp, lwp.sysent)
            if lwp.state is not onproc:
                return
        if lwp.ast:
            return_to_user(k, lwp)
            if lwp.state is not onproc:
                return
        if disp.yielding:
            return
        if proc.as_ is not space:  # the first time, and after an exec
            space = proc.as_
            view[S_AS] = space.hwid if space is not None else 0
        number = go(None)
        while True:  # once for each call that succeeds at once
            k.now = regs[CYCLE]
            ent = find(number)
            if ent is None or (fn := ent.fn) is None:
                if number == SPENT:
                    return
                if number < 0:
                    fault(k, lwp, -1 - number)
                else:
                    _nosys(k, lwp, number, ent)
                break
            try:
                counts[ent] += 1
            except KeyError:
                counts[ent] = 1
            lwp.sysent = ent
            if observers.of_calls or traced:
                _watched(k, lwp, ent)
                break
            n = ent.nargs
            try:  # ``call``, written out
                if n == 0:
                    rv = fn(lwp)
                elif n == 1:
                    rv = fn(lwp, regs[A0])
                elif n == 2:
                    rv = fn(lwp, regs[A0], regs[A1])
                elif n == 3:
                    rv = fn(lwp, regs[A0], regs[A1], regs[A2])
                else:
                    rv = fn(lwp, *regs[A0 : A0 + n].tolist())
            except (Sleep, KernelError) as e:
                _not_done(k, lwp, ent, e)
                break
            if rv.__class__ is not int or lwp.state is not onproc:
                _done(k, lwp, ent, rv)
                break
            lwp.sysent = lwp.sysstate = None
            if sysret is sysret_a0 and not lwp.ast and not disp.yielding:
                number = go(rv)
                continue
            regs[PC] += 4
            sysret(lwp, rv, 0)
            if lwp.sigoldmask is not None:
                lwp.sigmask, lwp.sigoldmask = lwp.sigoldmask, None
            break


# ---- system calls ----


def call(ent: Sysent, lwp: Lwp, r: memoryview) -> Result:
    """Call a handler, or what a plugin has put around it, with a0..a5."""
    fn, n = ent.fn, ent.nargs
    wrapped = lwp.kernel.observers.wrapped
    if wrapped and ent in wrapped:
        fn, n = wrapped[ent]
        return cast("Result", fn(lwp, *r[A0 : A0 + n].tolist()))
    if fn is None:
        raise KernelError(Errno.ENOSYS, "its plugin has gone")
    if n == 0:
        return fn(lwp)
    if n == 1:
        return fn(lwp, r[A0])
    if n == 2:
        return fn(lwp, r[A0], r[A1])
    if n == 3:
        return fn(lwp, r[A0], r[A1], r[A2])
    return fn(lwp, *r[A0 : A0 + n].tolist())


def _watched(k: Kernel, lwp: Lwp, ent: Sysent) -> None:
    """A call that somebody watches; a watcher may fail it."""
    args = tuple(lwp.regs[A0 : A0 + ent.nargs])
    try:
        for watch in k.observers.personae_syscall_entry:
            watch(lwp, ent.number, args)
    except KernelError as e:
        _fail(k, lwp, ent, e.errno)
    else:
        if not prstop.sysentry(lwp, ent.number):
            _again(k, lwp, ent)


def _again(k: Kernel, lwp: Lwp, ent: Sysent) -> None:
    """Enter a handler, mostly after a wait, and deal with what it says."""
    try:
        rv = call(ent, lwp, lwp.regs)
    except (Sleep, KernelError) as e:
        _not_done(k, lwp, ent, e)
    else:
        _done(k, lwp, ent, rv)


def _not_done(k: Kernel, lwp: Lwp, ent: Sysent, e: Sleep | KernelError) -> None:
    if isinstance(e, Sleep):
        _wait(k, lwp, ent, e)
        return
    if e.control:
        rctl_action(e.control, lwp.proc, lwp.proc)
    _fail(k, lwp, ent, e.errno)


def _done(k: Kernel, lwp: Lwp, ent: Sysent, rv: Result) -> None:
    if isinstance(rv, int):
        _finish(k, lwp, ent, rv, 0)
    elif isinstance(rv, NoReturnType):
        _end(k, lwp, ent, 0, 0)
    else:
        _finish(k, lwp, ent, rv[0], rv[1])


def _nosys(k: Kernel, lwp: Lwp, number: int, ent: Sysent | None) -> None:
    proc = lwp.proc
    if ent is not None and ent in k.observers.wrapped:
        k.syscalls[ent] += 1  # a plugin has it
        lwp.sysent = ent
        _watched(k, lwp, ent)
        return
    name = ent.name if ent is not None else str(number)
    k.count_unknown(proc.zone, name)
    proc.brand.ops.b_nosys(lwp, number)
    lwp.regs[PC] += 4
    proc.brand.ops.b_syserr(lwp, Errno.ENOSYS)


def _finish(k: Kernel, lwp: Lwp, ent: Sysent, v1: int, v2: int) -> None:
    if lwp.state is TS_ZOMB:
        return
    lwp.regs[PC] += 4
    lwp.proc.brand.ops.b_sysret(lwp, v1, v2)
    if lwp.sigoldmask is not None:
        lwp.sigmask, lwp.sigoldmask = lwp.sigoldmask, None
    _end(k, lwp, ent, 0, v1)


def _fail(k: Kernel, lwp: Lwp, ent: Sysent, errno: Errno) -> None:
    if lwp.state is TS_ZOMB:
        return
    lwp.regs[PC] += 4
    lwp.proc.brand.ops.b_syserr(lwp, errno)
    if lwp.sigoldmask is not None and errno is not Errno.EINTR:
        lwp.sigmask, lwp.sigoldmask = lwp.sigoldmask, None
    _end(k, lwp, ent, int(errno), -1)


def _end(k: Kernel, lwp: Lwp, ent: Sysent, errno: int, v1: int) -> None:
    lwp.sysent = None
    lwp.sysstate = None
    lwp.interrupted = False
    if lwp.state is TS_ZOMB:
        return  # exit does not return
    for watch in k.observers.personae_syscall_return:
        watch(lwp, ent.number, errno, v1)
    if lwp.proc.user.u_systrap:
        prstop.sysexit(lwp, ent.number)


def abort_call(lwp: Lwp) -> None:
    """End the call of a lwp that stands, with EINTR (PRSABORT)."""
    if lwp.sysent is not None:
        _fail(lwp.kernel, lwp, lwp.sysent, Errno.EINTR)


def set_returned(clone: Lwp, src: Lwp) -> None:
    """Give a clone the result that ``must_return`` is going to give its source."""
    clone.regs[PC] += 4
    if src.partial is not None:
        clone.proc.brand.ops.b_sysret(clone, src.partial, 0)
    else:
        clone.proc.brand.ops.b_syserr(clone, Errno.EINTR)


def must_return(lwp: Lwp) -> None:
    """End the wait of a lwp that was held in it: what it has done so far, or EINTR."""
    if lwp.sysent is None:
        return
    if lwp.partial is not None:
        _finish(lwp.kernel, lwp, lwp.sysent, lwp.partial, 0)
    else:
        _fail(lwp.kernel, lwp, lwp.sysent, Errno.EINTR)


def _wait(k: Kernel, lwp: Lwp, ent: Sysent, s: Sleep) -> None:
    """The handler has to wait: sleep, or end the call if a signal is there."""
    if lwp.state is not TS_ONPROC:
        return
    if s.interruptible:
        got = signal.peek(lwp)
        if got is not None:
            sig, action = got
            if action is not Action.HANDLER:
                # It stops or ends here; if it goes on, the call is entered again.
                _act(k, lwp, sig, action)
                return
            if lwp.proc.sigmask and prstop.signalled(lwp, sig):
                return
            _interrupt(k, lwp, ent, s, sig)
            return
    lwp.interrupted = False
    lwp.partial = s.partial
    k.disp.sleep(lwp, s)


def _interrupt(k: Kernel, lwp: Lwp, ent: Sysent, s: Sleep, sig: int) -> None:
    """A handler is going to run: end the call, or leave it to be restarted."""
    lwp.ast = True
    act = lwp.proc.user.u_signal[sig]
    if s.partial is not None:
        _finish(k, lwp, ent, s.partial, 0)
    elif s.restart is Restart.SYS and act.flags & SaFlag.SA_RESTART:
        # The pc is at the ecall: sigreturn comes back to it.
        _end(k, lwp, ent, int(Errno.ERESTART), -1)
    else:
        _fail(k, lwp, ent, Errno.EINTR)


# ---- the way out ----


def return_to_user(k: Kernel, lwp: Lwp) -> None:
    """Everything that is looked at before user mode (post_syscall, issig, AST)."""
    lwp.ast = False
    if lwp.post_sys and prstop.post_syscall(lwp):
        return
    if lwp.tflag & T_VFPARENT:
        try:
            vfwait(lwp)
        except Sleep as s:
            lwp.ast = True
            k.disp.sleep(lwp, s)
            return
    if prstop.requested(lwp):
        return
    while (got := signal.peek(lwp)) is not None:
        _act(k, lwp, *got)
        if lwp.state is not TS_ONPROC:
            lwp.ast = True
            return
    if lwp.sigoldmask is not None:
        lwp.sigmask, lwp.sigoldmask = lwp.sigoldmask, None
        return_to_user(k, lwp)
        return
    if lwp.tpflag & TP_HOLDLWP:
        lwp.ast = True
        k.disp.stop(lwp, PR_SUSPENDED)
    elif lwp.tpflag & TP_STEP:
        _one(k, lwp)


def _act(k: Kernel, lwp: Lwp, sig: int, action: Action) -> None:
    """Act on a signal, unless /proc wants to see it first or holds the process."""
    if lwp.proc.sigmask and prstop.signalled(lwp, sig):
        return
    if action is Action.TERMINATE or action is Action.CORE:
        try:
            prstop.relvm_barrier(lwp.proc)
        except Sleep as s:
            lwp.ast = True
            k.disp.sleep(lwp, s)
            return
    signal.act_on(lwp, sig, action)


def _one(k: Kernel, lwp: Lwp) -> None:
    """PRSTEP: one instruction, then the trace trap."""
    t = step(k, lwp)
    lwp.tpflag &= ~TP_STEP
    if t == BUDGET:
        _trapsig(lwp, FLTTRACE, Sig.SIGTRAP, TRAP_TRACE, lwp.regs[PC])
    else:
        _settle(k, lwp, t)
        if t in (ASK, PROT) and lwp.state is TS_ONPROC:
            lwp.tpflag |= TP_STEP  # the page is there now
            lwp.ast = True


def _settle(k: Kernel, lwp: Lwp, t: int) -> None:
    """What a step ended in, as the hart would have reported it."""
    regs = lwp.regs
    k.now = regs[CYCLE]
    if t == ECALL:
        regs[CYCLE] += k.syscall_cost
        k.now = regs[CYCLE]
        ent = lwp.proc.brand.sysent.get(regs[A7])
        if ent is None or ent.fn is None:
            _nosys(k, lwp, regs[A7], ent)
            return
        k.syscalls[ent] += 1
        lwp.sysent = ent
        _watched(k, lwp, ent)
    elif t != BUDGET:
        fault(k, lwp, t)


# ---- faults ----


def fault(k: Kernel, lwp: Lwp, t: int) -> None:
    """A trap other than an ecall: supply the page, or send the signal."""
    regs = lwp.regs
    addr = regs[TVAL]
    if t in (ASK, PROT, UNMAPPED, NOMEM):
        trap_mstate(lwp, TFAULT if regs[TACCESS] == FETCH else DFAULT)
        _page_fault(k, lwp, t, addr)
        return
    if t == LOGFULL:
        k.fold_log()
        return
    trap_mstate(lwp, TRAP)
    if t == ILLEGAL:
        _trapsig(lwp, FLTILL, Sig.SIGILL, SiCode.ILL_ILLOPC, regs[PC])
    elif t == EBREAK:
        if probes.tracepoint(lwp):
            _settle(k, lwp, probes.step_over(k, lwp))
        else:
            _trapsig(lwp, FLTBPT, Sig.SIGTRAP, SiCode.TRAP_BRKPT, regs[PC])
    elif t in (MISALIGNED, AMO_MISALIGNED):
        _trapsig(lwp, FLTACCESS, Sig.SIGBUS, SiCode.BUS_ADRALN, addr)
    else:
        raise Panic(f"{lwp!r}: the hardware says {t}")


def _trapsig(lwp: Lwp, flt: int, sig: int, code: int, addr: int) -> None:
    """A fault of the program's own: tell, stop if it is traced, post the signal."""
    for watch in lwp.kernel.observers.personae_fault:
        watch(lwp, flt, addr)
    if lwp.proc.fltmask and prstop.faulted(lwp, flt, sig, code, addr):
        return
    signal.trapsig(lwp, sig, code, addr)


def _page_fault(k: Kernel, lwp: Lwp, t: int, addr: int) -> None:
    space = lwp.proc.as_
    if space is None:
        _trapsig(lwp, FLTBOUNDS, Sig.SIGSEGV, SiCode.SEGV_MAPERR, addr)
        return
    got = space.fault(addr, lwp.regs[TACCESS], t)
    if got is Fault.OK:
        return
    if got is Fault.NOMEM:
        k.out_of_memory(lwp)
    elif got is Fault.WATCH:
        _settle(k, lwp, watchpoint.met(k, lwp))
    elif got is Fault.BUS_ADRERR:
        _trapsig(lwp, FLTACCESS, Sig.SIGBUS, SiCode.BUS_ADRERR, addr)
    elif got is Fault.SEGV_ACCERR:
        _trapsig(lwp, FLTACCESS, Sig.SIGSEGV, SiCode.SEGV_ACCERR, addr)
    else:
        _trapsig(lwp, FLTBOUNDS, Sig.SIGSEGV, SiCode.SEGV_MAPERR, addr)
