"""Making lwps, copying them for a fork, holding and continuing them.

``lwp_create`` (os/lwp.c) makes one lwp as a run of steps of the transaction it is
given; ``forklwp`` (os/fork.c via os/lwp.c) makes the clone of one.  A fork that
fails discards them by the undo of each step, which is what forklwp_fail does
as a walk (fork.c:656-725).

Every lwp that is not running is at a clonable point: its registers are complete
and its system call, if any, is plain data.  So ``holdlwps`` has nobody to wait
for; it takes the siblings off the dispatch queue and out of their sleeps, and
``continuelwps`` lets them enter their calls again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.contract import ctmpl_clear, ctmpl_dup
from personae.core.errno import Errno, KernelError, Panic
from personae.core.limits import lwp_limits_enter, lwp_limits_exit
from personae.core.lwp import Lwp, TpFlag, TState, WhyStop
from personae.core.pctx import freectx
from personae.core.pool import pool_of
from personae.core.proc import Proc, ProcFlag

if TYPE_CHECKING:
    from personae.core.fork import ForkKind
    from personae.core.txn import Transaction

FORK1_DIRSZ = 2
DEAD_REGS = memoryview(bytes(80 * 8)).cast("Q")
"""Registers of a lwp that has gone: all zero, and a store is an error."""


def holdlwps(lwp: Lwp, flag: ProcFlag) -> None:
    """Stop every other lwp of the caller's process (holdlwps, os/lwp.c).

    Args:
        lwp: The caller, which goes on.
        flag: SHOLDFORK or SHOLDFORK1.

    Raises:
        KernelError: EINTR, another lwp holds them already or the process exits; the
            caller will look at its signals.
    """
    p = lwp.proc
    busy = ProcFlag.SEXITLWPS | ProcFlag.SHOLDFORK | ProcFlag.SHOLDFORK1
    if p.flag & busy:
        lwp.ast = True
        raise KernelError(Errno.EINTR, "the lwps of the process are held already")
    for t in p.lwps:
        if t is not lwp and t.state is not TState.TS_STOPPED:
            p.kernel.disp.stop(t, WhyStop.PR_SUSPENDED)


def continuelwps(p: Proc) -> None:
    """Let held lwps run again, but not those of lwp_suspend (TP_HOLDLWP)."""
    for t in p.lwps:
        if (
            t.state is TState.TS_STOPPED
            and t.whystop is WhyStop.PR_SUSPENDED
            and not t.tpflag & TpFlag.TP_HOLDLWP
        ):
            lwp_start(t)


def lwp_start(lwp: Lwp) -> None:
    """Put a stopped lwp on the dispatch queue (lwp_create_done)."""
    lwp.kernel.disp.setrun(lwp)


def lwpdir_alloc(p: Proc, cp: Proc, kind: ForkKind) -> None:
    """Step C15: the child's lwp directory and tid hash (fork.c:341-354)."""
    size = len(p.lwpdir) if kind.value == "forkall" else FORK1_DIRSZ
    cp.lwpdir = [None] * size
    cp.tidhash_sz = (size + 2) // 2
    cp.lgrpset = 0


def lwpdir_free(p: Proc, cp: Proc, kind: ForkKind) -> None:
    """Undo of ``lwpdir_alloc``."""
    del p, kind
    cp.lwpdir = []
    cp.tidhash_sz = 0


def lwp_create(
    txn: Transaction,
    proc: Proc,
    *,
    tid: int,
    cls: str | None = None,
    source: Lwp | None = None,
) -> Lwp:
    """Make one lwp of ``proc``, stopped (lwp_create, os/lwp.c).

    Args:
        txn: The operation it is a part of.
        proc: Its process.
        tid: Its lwp id.
        cls: The scheduling class to enter; None if the caller clones one.
        source: The lwp whose CPU bindings it gets, the caller of the fork.

    Returns:
        The lwp: stopped, suspended, in the tid hash.

    Raises:
        KernelError: EAGAIN a limit; ENOMEM no hardware context; the class' or
            brand's own.
    """
    k = proc.kernel
    n = f":{tid}"
    txn.call("lwp_limits" + n, lwp_limits_enter, lwp_limits_exit, k, proc)
    ctx = txn.do("thread_create" + n, _ctx_alloc, k.hw.ctx_free, proc)
    lwp = txn.do("lwp_alloc" + n, _lwp_alloc, _lwp_free, proc, ctx)
    ops = proc.brand.ops
    data = txn.do(
        "b_lwpdata_alloc" + n,
        ops.b_lwpdata_alloc,
        lambda d: None if lwp.brand_inited else ops.b_lwpdata_free(proc, d),
        proc,
    )
    txn.call("lwp_enter" + n, _lwp_enter, _lwp_unenter, lwp, tid, source)
    txn.call("b_initlwp" + n, _brand_init, _brand_free, lwp, data)
    if cls is not None:
        sched = k.classes[cls]
        txn.call("cl_enterclass" + n, _enter_class, _leave_class, lwp, sched)
    for watch in k.observers.personae_lwp_create:
        watch(lwp)
    return lwp


def _ctx_alloc(proc: Proc) -> int:
    ctx: int = proc.kernel.hw.ctx_alloc()
    if ctx == 0:
        raise KernelError(Errno.ENOMEM, "no register context")
    return ctx


def _lwp_alloc(proc: Proc, ctx: int) -> Lwp:
    k = proc.kernel
    lwp = Lwp(k, proc, ctx)
    lwp.cred = proc.cred.hold()
    k.lwp_count += 1
    k.lwp_seq += 1
    lwp.regs[68] = k.lwp_seq  # its name in the event log
    return lwp


def _lwp_free(lwp: Lwp) -> None:
    freectx(lwp, isexec=False)
    lwp.cred.rele()
    lwp.kernel.lwp_count -= 1
    lwp.state = TState.TS_FREE


def _lwp_enter(lwp: Lwp, tid: int, source: Lwp | None) -> None:
    """Directory, tid hash, bindings of the caller (FORK-36)."""
    proc = lwp.proc
    with proc.lock:
        if None not in proc.lwpdir:
            proc.lwpdir += [None] * (len(proc.lwpdir) + 2)
            proc.tidhash_sz = (len(proc.lwpdir) + 2) // 2
        proc.lwpdir[proc.lwpdir.index(None)] = lwp
        lwp.tid = tid
        lwp.start = proc.kernel.wall_ns
        if source is not None:
            lwp.bind_cpu, lwp.bind_pset = source.bind_cpu, source.bind_pset
        if proc.flag & ProcFlag.SMSACCT:
            lwp.tpflag |= TpFlag.TP_MSACCT
        lwp.tpflag |= TpFlag.TP_HOLDLWP
        proc.lwps.append(lwp)
        proc.lwpcnt += 1
        pool_of(proc).load += 1


def _lwp_unenter(lwp: Lwp, tid: int, source: Lwp | None) -> None:
    del tid, source
    _lwp_leave(lwp)


def _lwp_leave(lwp: Lwp) -> None:
    proc = lwp.proc
    with proc.lock:
        pool_of(proc).load -= 1
        proc.lwpcnt -= 1
        proc.lwps.remove(lwp)
        proc.lwpdir[proc.lwpdir.index(lwp)] = None


def _brand_init(lwp: Lwp, data: Any) -> None:
    ops = lwp.proc.brand.ops
    with lwp.proc.lock:
        ops.b_initlwp(lwp, data)
        lwp.brand_inited = True
        ops.b_initlwp_post(lwp)


def _brand_free(lwp: Lwp, data: Any) -> None:
    del data
    lwp.proc.brand.ops.b_freelwp(lwp)


def _enter_class(lwp: Lwp, sched: Any) -> None:
    with lwp.proc.lock:
        sched.ops.cl_enterclass(lwp, None)
        lwp.cls = sched


def _leave_class(lwp: Lwp, sched: Any = None) -> None:
    """CL_EXIT and CL_EXITCLASS of a lwp that is discarded or gone."""
    del sched
    cls = lwp.cls
    if cls is None:
        raise Panic(f"{lwp!r} left its class twice")
    with lwp.proc.lock:
        cls.ops.cl_exit(lwp)
    cls.ops.cl_exitclass(lwp)
    lwp.cls = None


def forklwp(txn: Transaction, caller: Lwp, src: Lwp, cp: Proc) -> Lwp:
    """Clone one lwp into the child (forklwp, os/lwp.c).

    Args:
        txn: The fork.
        caller: Who forks; its bindings go to the clone.
        src: The lwp to clone: the caller, or for forkall each lwp in turn.
        cp: The child.

    Returns:
        The clone, stopped, with the tid of its source.
    """
    lwp = lwp_create(txn, cp, tid=src.tid, source=caller)
    n = f":{src.tid}"
    _copy_lwp(src, lwp, caller)
    txn.call("lwp_ctmpl_copy" + n, ctmpl_dup, _ctmpl_undup, src, lwp)
    cp.brand.ops.b_forklwp(src, lwp)
    held = txn.do("cl_alloc" + n, _ClassBuf, _ClassBuf.free, src)
    txn.call("cl_fork" + n, _cl_fork, _cl_unfork, src, lwp, held)
    return lwp


def _ctmpl_undup(src: Lwp, lwp: Lwp) -> None:
    del src
    ctmpl_clear(lwp)


class _ClassBuf:
    """What CL_ALLOC gave, until CL_FORK takes it or CL_FREE gets it back."""

    __slots__ = ("buf", "cls", "taken")

    def __init__(self, src: Lwp) -> None:
        cls = src.cls
        if cls is None:
            raise Panic(f"{src!r} has no scheduling class")
        self.cls = cls
        self.buf = cls.ops.cl_alloc(src)
        self.taken = False

    def free(self) -> None:
        """Give it back, unless a lwp has it."""
        if not self.taken:
            self.cls.ops.cl_free(self.buf)


def _cl_fork(src: Lwp, lwp: Lwp, held: _ClassBuf) -> None:
    """CL_FORK, which takes the buffer that CL_ALLOC made.

    If priocntl(2) has changed the class of the source meanwhile, the buffer is one
    of the wrong class, and another is allocated (FORK-73).
    """
    while src.cls is not held.cls:
        new = _ClassBuf(src)
        held.free()
        held.cls, held.buf = new.cls, new.buf
    with lwp.proc.lock:
        held.cls.ops.cl_fork(src, lwp, held.buf)
        lwp.cls = held.cls
    held.taken = True


def _cl_unfork(src: Lwp, lwp: Lwp, held: _ClassBuf) -> None:
    del src, held
    _leave_class(lwp)


def _copy_lwp(src: Lwp, lwp: Lwp, caller: Lwp) -> None:
    """Struct copy and fix-ups (fork-semantics 2.3, 2.4)."""
    regs = lwp.regs
    ident, cycle = regs[68], regs[67]
    regs[:] = src.regs
    regs[68], regs[67] = ident, cycle
    regs[66] = 0  # instructions retired by the new lwp
    regs[72] = 0  # no reservation
    if src is caller and src.sysent is not None:
        regs[32] += 4  # past the ecall; a sibling of forkall enters its call again
    lwp.sigmask = src.sigmask
    lwp.sigaltstack = src.sigaltstack
    lwp.sigoldmask = src.sigoldmask
    lwp.pri = src.pri
    lwp.post_sys = True
    if not src.tpflag & TpFlag.TP_HOLDLWP:
        lwp.tpflag &= ~TpFlag.TP_HOLDLWP
    if src.ctxops:
        lwp.ctxops = [op.fork(lwp) for op in src.ctxops]


def lwp_discard(lwp: Lwp) -> None:
    """Free a lwp that has exited: class, brand data, context, counts.

    Locks: none.
    """
    proc, k = lwp.proc, lwp.kernel
    ctmpl_clear(lwp)
    if lwp.brand_inited:
        proc.brand.ops.b_freelwp(lwp)
    if lwp.cls is not None:
        _leave_class(lwp)
    _lwp_leave(lwp)
    _lwp_free(lwp)
    lwp_limits_exit(k, proc)
    lwp.regs = DEAD_REGS
    k.hw.ctx_free(lwp.ctx)
    lwp.state = TState.TS_ZOMB
