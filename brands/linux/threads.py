"""Threads: clone with CLONE_THREAD, their ids, futexes at their end.

The first lwp of a process goes by the number of the process; each further one
holds a pid number of its own, which no process can get meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import futex, policies
from personae.brands.linux.abi import U32, Clone
from personae.brands.linux.data import LwpData, ldata
from personae.brands.linux.pids import linux_tid
from personae.core.cputime import settle
from personae.core.errno import Errno, KernelError
from personae.core.forklwp import lwp_create, lwp_start
from personae.core.lwp import TpFlag
from personae.core.pid import Pid
from personae.core.proc import ProcFlag
from personae.core.regs import A0, CYCLE, IDENT, INSTRET, PC, RES_ADDR, SP, TP
from personae.core.txn import Transaction

if TYPE_CHECKING:
    from personae.brands.linux.sys_clone import CloneArgs
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

_THREAD_NEEDS = Clone.VM | Clone.FS | Clone.FILES | Clone.SIGHAND | Clone.THREAD


def new_tid(proc: Proc) -> Pid | None:
    """A number for a further lwp of a process; None for its first one."""
    if not proc.lwps:
        return None
    pids = proc.kernel.pids
    pid = Pid(pids.next_number())
    pids.hash[pid.pid_id] = pid
    return pid


def clone_thread(lwp: Lwp, args: CloneArgs) -> int:
    """Make a thread of the calling process (copy_process with CLONE_THREAD)."""
    if args.flags & _THREAD_NEEDS != _THREAD_NEEDS:
        raise KernelError(Errno.ENOSYS, "threads with tables of their own")
    proc, kernel = lwp.proc, lwp.kernel
    if proc.flag & (ProcFlag.SVFORK | ProcFlag.SHOLDFORK1 | ProcFlag.SHOLDFORK):
        raise KernelError(Errno.EAGAIN, "no threads during a vfork")
    tid = proc.lwpid + 1
    cls = lwp.cls
    assert cls is not None
    with Transaction("lwp_create", kernel.fork_probe()) as txn:
        new = lwp_create(txn, proc, tid=tid, source=lwp)
        buf = txn.do(f"cl_alloc:{tid}", lambda: cls.ops.cl_alloc(lwp))
        txn.commit()
    proc.lwpid = tid
    with proc.lock:
        cls.ops.cl_fork(lwp, new, buf)
        new.cls = cls
    _copy(lwp, new, args)
    number = linux_tid(new)
    as_ = proc.as_
    assert as_ is not None
    if args.flags & Clone.PARENT_SETTID:
        as_.copyout(args.parent_tid, U32.pack(number))
    if args.flags & Clone.CHILD_SETTID:
        as_.copyout(args.child_tid, U32.pack(number))
    new.tpflag &= ~TpFlag.TP_HOLDLWP
    lwp_start(new)
    return number


def _copy(lwp: Lwp, new: Lwp, args: CloneArgs) -> None:
    """Registers and masks; the alternate stack is not the new thread's."""
    ident, cycle = new.regs[IDENT], new.regs[CYCLE]
    new.regs[:] = lwp.regs
    new.regs[IDENT], new.regs[CYCLE] = ident, cycle
    new.regs[INSTRET] = 0
    new.regs[RES_ADDR] = 0
    new.regs[PC] = lwp.regs[PC] + 4
    new.regs[A0] = 0
    if args.stack:
        new.regs[SP] = args.stack
    if args.flags & Clone.SETTLS:
        new.regs[TP] = args.tls
    if args.flags & Clone.CHILD_CLEARTID:
        new.clear_child_tid = args.child_tid
    new.sigmask = lwp.sigmask
    new.pri = lwp.pri
    new.post_sys = True
    policies.inherit(lwp, new)
    policies.reset_on_fork(new)


def lwp_gone(lwp: Lwp) -> None:
    """A lwp ends (mm_release, exit_robust_list): its futexes go first."""
    settle(lwp)
    data = ldata(lwp)
    if data.futex is not None:
        futex.dequeue(data.futex)
        data.futex = None
    if lwp.proc.as_ is None:
        return
    if lwp.robust_list:
        futex.exit_robust_list(lwp)
    clear_tid(lwp)


def clear_tid(lwp: Lwp) -> None:
    """Store 0 and wake whoever waits for the end, if anybody else has the memory."""
    addr, lwp.clear_child_tid = lwp.clear_child_tid, 0
    proc = lwp.proc
    as_ = proc.as_
    if not addr or as_ is None or (len(proc.lwps) == 1 and as_.users == 1):
        return
    try:
        as_.copyout(addr, U32.pack(0))
        futex.wake(lwp, addr, 1)
    except KernelError:
        return  # mm_release does not care


def free_tid(lwp_data: LwpData | None, proc: Proc) -> None:
    """Give the number of a thread back."""
    if lwp_data is not None and lwp_data.pidp is not None:
        proc.kernel.pids.rele(lwp_data.pidp)
        lwp_data.pidp = None
        lwp_data.tid = 0
