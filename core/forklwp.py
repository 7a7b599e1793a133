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

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from personae.core import schedctl
from personae.core.contract import ctmpl_clear, ctmpl_dup
from personae.core.errno import Errno, KernelError, Panic
from personae.core.limits import lwp_limits_enter, lwp_limits_exit
from personae.core.lwp import (
    PR_SUSPENDED,
    TP_HOLDLWP,
    TP_MSACCT,
    TS_FREE,
    TS_SLEEP,
    TS_STOPPED,
    TS_ZOMB,
    Lwp,
)
from personae.core.pctx import freectx
from personae.core.pool import pool_of
from personae.core.proc import SEXITLWPS, SHOLDFORK, SHOLDFORK1, SMSACCT, Proc
from personae.core.regs import CYCLE, IDENT, INSTRET, PC, RES_ADDR
from personae.core.txn import Steps

if TYPE_CHECKING:
    from personae.core.txn import Transaction

FORK1_DIRSZ = 2
DEAD_REGS = memoryview(bytes(80 * 8)).cast("Q")
"""Registers of a lwp that has gone: all zero, and a store is an error."""


def holdlwps(lwp: Lwp, flag: int) -> list[Lwp]:
    """Stop every other lwp of the caller's process (holdlwps, os/lwp.c).

    Args:
        lwp: The caller, which goes on.
        flag: SHOLDFORK or SHOLDFORK1.

    Returns:
        For SHOLDFORK: those in an interruptible wait, which ends with the fork
        (MUSTRETURN), since else two processes would be in it.

    Raises:
        KernelError: EINTR, another lwp holds them already or the process exits; the
            caller will look at its signals.
    """
    p = lwp.proc
    if p.flag & (SEXITLWPS | SHOLDFORK | SHOLDFORK1):
        lwp.ast = True
        raise KernelError(Errno.EINTR, "the lwps of the process are held already")
    woken: list[Lwp] = []
    if p.lwpcnt == 1:
        return woken
    for t in p.lwps:
        if t is lwp:
            continue
        stopped = t.state is TS_STOPPED
        waits = t.whystop is PR_SUSPENDED if stopped else t.state is TS_SLEEP
        if flag == SHOLDFORK and waits and t.sysent and t.interruptible:
            woken.append(t)
        if not stopped:
            p.kernel.disp.stop(t, PR_SUSPENDED)
    return woken


def continuelwps(p: Proc) -> None:
    """Let held lwps run again, but not those of lwp_suspend (TP_HOLDLWP)."""
    for t in p.lwps:
        if (
            t.state is TS_STOPPED
            and t.whystop is PR_SUSPENDED
            and not t.tpflag & TP_HOLDLWP
        ):
            p.kernel.disp.setrun(t)


def lwp_start(lwp: Lwp) -> None:
    """Put a stopped lwp on the dispatch queue (lwp_create_done)."""
    lwp.kernel.disp.setrun(lwp)


def lwpdir_alloc(p: Proc, cp: Proc, forkall: bool) -> None:
    """Step C15: the child's lwp directory and tid hash (fork.c:341-354)."""
    size = len(p.lwpdir) if forkall else FORK1_DIRSZ
    cp.lwpdir = [None] * size
    cp.tidhash_sz = (size + 2) // 2
    cp.lgrpset = 0


def lwpdir_free(cp: Proc) -> None:
    """Undo of ``lwpdir_alloc``."""
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
    m = Making(proc, tid, source)
    txn.run(lwp_steps(tid), m)
    lwp = m.lwp
    if cls is not None:
        sched = proc.kernel.classes[cls]
        txn.call(f"cl_enterclass:{tid}", _enter_class, _leave_class, lwp, sched)
    for watch in proc.kernel.observers.personae_lwp_create:
        watch(lwp)
    return lwp


class Making:
    """What the steps of making one lwp work on.

    Attributes:
        proc: Its process.
        tid: Its lwp id.
        source: Whose CPU bindings it gets, or None.
        ctx: Its hardware context.
        lwp: The lwp.
        data: The brand's data of it.
        src: Of a clone, what it is cloned from.
        held: Of a clone, the class data on their way.
    """

    __slots__ = ("ctx", "data", "held", "lwp", "proc", "source", "src", "tid")

    lwp: Lwp
    src: Lwp
    held: _ClassBuf

    def __init__(self, proc: Proc, tid: int, source: Lwp | None) -> None:
        self.proc = proc
        self.tid = tid
        self.source = source
        self.ctx = 0
        self.data: Any = None


def _limits_enter(m: Making) -> None:
    lwp_limits_enter(m.proc.kernel, m.proc)


def _limits_exit(m: Making) -> None:
    lwp_limits_exit(m.proc.kernel, m.proc)


def _ctx_alloc(m: Making) -> None:
    m.ctx = m.proc.kernel.hw.ctx_alloc()
    if m.ctx == 0:
        raise KernelError(Errno.ENOMEM, "no register context")


def _ctx_free(m: Making) -> None:
    m.proc.kernel.hw.ctx_free(m.ctx)


def _lwp_alloc(m: Making) -> None:
    proc = m.proc
    k = proc.kernel
    m.lwp = lwp = Lwp(k, proc, m.ctx)
    lwp.cred = proc.cred.hold()
    k.lwp_count += 1
    k.lwp_seq += 1
    lwp.regs[IDENT] = k.lwp_seq


def _lwp_unalloc(m: Making) -> None:
    _lwp_free(m.lwp)


def _lwp_free(lwp: Lwp) -> None:
    if lwp.ctxops:
        freectx(lwp, isexec=False)
    lwp.cred.rele()
    lwp.kernel.lwp_count -= 1
    lwp.state = TS_FREE


def _lwpdata_alloc(m: Making) -> None:
    m.data = m.proc.brand.ops.b_lwpdata_alloc(m.proc)


def _lwpdata_free(m: Making) -> None:
    if not m.lwp.brand_inited:
        m.proc.brand.ops.b_lwpdata_free(m.proc, m.data)


def _lwp_enter(m: Making) -> None:
    """Directory, tid hash, bindings of the caller (FORK-36)."""
    proc, lwp, source = m.proc, m.lwp, m.source
    lock = proc.lock
    lock.enter()
    lwpdir = proc.lwpdir
    if None not in lwpdir:
        lwpdir += [None] * (len(lwpdir) + 2)
        proc.tidhash_sz = (len(lwpdir) + 2) // 2
    lwpdir[lwpdir.index(None)] = lwp
    lwp.tid = m.tid
    lwp.start = proc.kernel.wall_ns
    if source is not None:
        lwp.bind_cpu, lwp.bind_pset = source.bind_cpu, source.bind_pset
    lwp.tpflag |= TP_HOLDLWP | TP_MSACCT if proc.flag & SMSACCT else TP_HOLDLWP
    proc.lwps.append(lwp)
    proc.lwpcnt += 1
    pool_of(proc).load += 1
    lock.exit()


def _lwp_unenter(m: Making) -> None:
    _lwp_leave(m.lwp)


def _lwp_leave(lwp: Lwp) -> None:
    proc = lwp.proc
    lock = proc.lock
    lock.enter()
    pool_of(proc).load -= 1
    proc.lwpcnt -= 1
    proc.lwps.remove(lwp)
    proc.lwpdir[proc.lwpdir.index(lwp)] = None
    lock.exit()


def _brand_init(m: Making) -> None:
    lwp = m.lwp
    ops, lock = m.proc.brand.ops, m.proc.lock
    lock.enter()
    try:
        ops.b_initlwp(lwp, m.data)
        lwp.brand_inited = True
        ops.b_initlwp_post(lwp)
    finally:
        lock.exit()


def _brand_free(m: Making) -> None:
    m.proc.brand.ops.b_freelwp(m.lwp)


@lru_cache(maxsize=256)
def lwp_steps(tid: int) -> Steps:
    """The steps that make the lwp of this id."""
    n = f":{tid}"
    return Steps(
        ("lwp_limits" + n, _limits_enter, _limits_exit),
        ("thread_create" + n, _ctx_alloc, _ctx_free),
        ("lwp_alloc" + n, _lwp_alloc, _lwp_unalloc),
        ("b_lwpdata_alloc" + n, _lwpdata_alloc, _lwpdata_free),
        ("lwp_enter" + n, _lwp_enter, _lwp_unenter),
        ("b_initlwp" + n, _brand_init, _brand_free),
    )


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
    ops, lock = cls.ops, lwp.proc.lock
    lock.enter()
    try:
        ops.cl_exit(lwp)
    finally:
        lock.exit()
    ops.cl_exitclass(lwp)
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
    m = Making(cp, src.tid, caller)
    m.src = src
    txn.run(clone_steps(src.tid), m)
    return m.lwp


def _brand_init_clone(m: Making) -> None:
    """The lwp is made; then what it copies of its source, which can't fail."""
    _brand_init(m)
    for watch in m.proc.kernel.observers.personae_lwp_create:
        watch(m.lwp)
    _copy_lwp(m.src, m.lwp, m.source is m.src)


@lru_cache(maxsize=256)
def clone_steps(tid: int) -> Steps:
    """The steps that make a clone of the lwp of this id."""
    n = f":{tid}"
    return Steps(
        *lwp_steps(tid).rows[:-1],
        ("b_initlwp" + n, _brand_init_clone, _brand_free),
        ("lwp_ctmpl_copy" + n, _ctmpl_dup, _ctmpl_undup),
        ("cl_alloc" + n, _cl_alloc, _cl_free),
        ("cl_fork" + n, _cl_fork, _cl_unfork),
    )


def _ctmpl_dup(m: Making) -> None:
    """Templates; then what the brand copies, which can't fail."""
    src, lwp = m.src, m.lwp
    ctmpl_dup(src, lwp)
    lwp.proc.brand.ops.b_forklwp(src, lwp)


def _ctmpl_undup(m: Making) -> None:
    ctmpl_clear(m.lwp)


def _cl_alloc(m: Making) -> None:
    m.held = _ClassBuf(m.src)


def _cl_free(m: Making) -> None:
    m.held.free()


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


def _cl_fork(m: Making) -> None:
    """CL_FORK, which takes the buffer that CL_ALLOC made.

    If priocntl(2) has changed the class of the source meanwhile, the buffer is one
    of the wrong class, and another is allocated (FORK-73).
    """
    src, lwp, held = m.src, m.lwp, m.held
    while src.cls is not held.cls:
        new = _ClassBuf(src)
        held.free()
        held.cls, held.buf = new.cls, new.buf
    lock = lwp.proc.lock
    lock.enter()
    try:
        held.cls.ops.cl_fork(src, lwp, held.buf)
        lwp.cls = held.cls
    finally:
        lock.exit()
    held.taken = True


def _cl_unfork(m: Making) -> None:
    _leave_class(m.lwp)


def _copy_lwp(src: Lwp, lwp: Lwp, iscaller: bool) -> None:
    """Struct copy and fix-ups (fork-semantics 2.3, 2.4)."""
    regs = lwp.regs
    ident, cycle = regs[IDENT], regs[CYCLE]
    regs[:] = src.regs
    regs[IDENT], regs[CYCLE] = ident, cycle
    regs[INSTRET] = 0
    regs[RES_ADDR] = 0
    if iscaller and src.sysent is not None:
        regs[PC] += 4  # past the ecall; a sibling of forkall enters its call again
    lwp.sigmask = src.sigmask
    lwp.sigaltstack = src.sigaltstack
    lwp.sigoldmask = src.sigoldmask
    lwp.pri = src.pri
    lwp.post_sys = True
    if not src.tpflag & TP_HOLDLWP:
        lwp.tpflag &= ~TP_HOLDLWP
    if src.ctxops:
        lwp.ctxops = [op.fork(lwp) for op in src.ctxops]


def lwp_discard(lwp: Lwp) -> None:
    """Free a lwp that has exited: class, brand data, context, counts.

    Locks: none.
    """
    proc, k = lwp.proc, lwp.kernel
    if lwp.schedctl is not None:
        schedctl.lwp_cleanup(lwp)
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
    lwp.state = TS_ZOMB
