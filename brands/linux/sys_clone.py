"""clone and clone3: processes and threads (clone(2)).

The core knows fork1 and vfork; what Linux adds is said here: which things the
child shares, where thread ids are stored, which signal its end sends.

The rules are those of Linux 6.12, not of illumos' LX: a plain fork sends SIGCHLD
whatever signal the parent itself was made with, PR_SET_PDEATHSIG is not inherited,
CHILD_CLEARTID counts for processes, too, and CLONE_IO is accepted (there is nothing
to share).  Differs from Linux on purpose: a bad pointer for a thread id is EFAULT
before anything is made (as LX has it), where Linux since 2.6.25 makes the child and
says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.brands.linux import sharing
from personae.brands.linux.abi import (
    CLONE_ARGS,
    CLONE_ARGS_SIZES,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_FILES,
    CLONE_FS,
    CLONE_NAMESPACES,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
    PAGE,
    U32,
    Clone,
)
from personae.brands.linux.data import ldata, pdata
from personae.brands.linux.pids import linux_pid
from personae.brands.linux.sigabi import SS_DISABLE, TO_NATIVE
from personae.brands.linux.threads import clone_thread
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.fork import (
    FORK1,
    FORK_CALLERONLY,
    FORK_KEEPHANDLERS,
    FORK_SHAREVM,
    ForkKind,
    cfork,
)
from personae.core.pid import link_child, unlink_child
from personae.core.rctl import rlimit_get
from personae.core.regs import SP, TP
from personae.core.sync import CondVar, Sleep

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As

CLONE_PIDFD = int(Clone.PIDFD)
PLAIN = ~(
    CSIGNAL
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_SETTID
    | CLONE_CHILD_CLEARTID
)
"""What a plain fork has none of: it shares nothing and needs no further rules."""

_KNOWN = Clone(0)
for _flag in Clone:
    _KNOWN |= _flag
CLONE3_KNOWN = int(_KNOWN & ~Clone.DETACHED)
del _flag


class CloneArgs(NamedTuple):
    """What clone and clone3 have in common (struct kernel_clone_args)."""

    flags: int
    exit_signal: int
    stack: int
    parent_tid: int
    child_tid: int
    tls: int


def sys_clone(lwp: Lwp, flags: int, stack: int, ptid: int, tls: int, ctid: int) -> int:
    """The old call: the exit signal is in the low byte of the flags."""
    args = CloneArgs(
        flags & 0xFFFFFFFF & ~CSIGNAL, flags & CSIGNAL, stack, ptid, ctid, tls
    )
    if flags & CLONE_PIDFD:
        raise KernelError(Errno.EINVAL, "no pidfds")
    return _clone(lwp, args)


def sys_clone3(lwp: Lwp, uargs: int, size: int) -> int:
    """The new call: all in a structure that may grow."""
    as_ = lwp.proc.as_
    assert as_ is not None
    if size > PAGE:
        raise KernelError(Errno.E2BIG, "struct clone_args")
    if size < CLONE_ARGS_SIZES[0]:
        raise KernelError(Errno.EINVAL, "struct clone_args")
    raw = as_.copyin(uargs, size)
    if any(raw[CLONE_ARGS.size :]):
        raise KernelError(Errno.E2BIG, "unknown members of struct clone_args")
    fields = CLONE_ARGS.unpack(raw[: CLONE_ARGS.size].ljust(CLONE_ARGS.size, b"\0"))
    flags, _pidfd, ctid, ptid, sig, stack, stack_size, tls, tids, ntids, _ = fields
    if sig & ~CSIGNAL or sig > 64:
        raise KernelError(Errno.EINVAL, "exit signal")
    if bool(tids) != bool(ntids) or ntids > 32:
        raise KernelError(Errno.EINVAL, "set_tid")
    if tids:
        raise KernelError(Errno.EINVAL, "set_tid is not supported")
    if flags & ~CLONE3_KNOWN or flags & CSIGNAL:
        raise KernelError(Errno.EINVAL, "flags of clone3")
    if flags & (CLONE_THREAD | CLONE_PARENT) and sig:
        raise KernelError(Errno.EINVAL, "an exit signal for a thread or sibling")
    if flags & CLONE_SIGHAND and flags & CLONE_CLEAR_SIGHAND:
        raise KernelError(Errno.EINVAL, "SIGHAND with CLEAR_SIGHAND")
    if bool(stack) != bool(stack_size):
        raise KernelError(Errno.EINVAL, "stack without size, or the other way round")
    if flags & (Clone.PIDFD | Clone.INTO_CGROUP):
        raise KernelError(Errno.EINVAL, "no pidfds, no cgroups")
    if stack:
        stack += stack_size
    return _clone(lwp, CloneArgs(flags, sig, stack & (1 << 64) - 1, ptid, ctid, tls))


def _clone(lwp: Lwp, args: CloneArgs) -> int:
    if lwp.sysstate is None:
        _validate(lwp, args)
        _check_tids(lwp, args)
    if args.flags & CLONE_THREAD:
        return clone_thread(lwp, args)
    return _clone_process(lwp, args)


def _validate(lwp: Lwp, args: CloneArgs) -> None:
    """The order of copy_process (kernel/fork.c)."""
    f = args.flags
    if not f & PLAIN:
        if args.exit_signal > 64:
            raise KernelError(Errno.EINVAL, "exit signal")
        _check_nproc(lwp)
        return
    if (f & Clone.NEWNS and f & CLONE_FS) or (f & Clone.NEWUSER and f & CLONE_FS):
        raise KernelError(Errno.EINVAL, "FS with a namespace of its own")
    if f & CLONE_THREAD and not f & CLONE_SIGHAND:
        raise KernelError(Errno.EINVAL, "THREAD without SIGHAND")
    if f & CLONE_SIGHAND and not f & CLONE_VM:
        raise KernelError(Errno.EINVAL, "SIGHAND without VM")
    if f & CLONE_PARENT and lwp.proc.zone.init is lwp.proc:
        raise KernelError(Errno.EINVAL, "init has no siblings")
    if f & CLONE_THREAD and f & (Clone.NEWUSER | Clone.NEWPID):
        raise KernelError(Errno.EINVAL, "THREAD in a namespace of its own")
    if f & CLONE_NAMESPACES:
        if not lwp.proc.cred.has(Priv.SYS_ADMIN) and not f & Clone.NEWUSER:
            raise KernelError(Errno.EPERM, "namespaces need CAP_SYS_ADMIN")
        raise KernelError(Errno.EINVAL, "there are no namespaces")
    if args.exit_signal > 64:
        raise KernelError(Errno.EINVAL, "exit signal")
    _check_nproc(lwp)


def _check_nproc(lwp: Lwp) -> None:
    """EAGAIN above RLIMIT_NPROC, for users without privilege (copy_process)."""
    proc = lwp.proc
    cred = proc.cred
    if cred.uid == 0 or cred.has(Priv.SYS_RESOURCE) or cred.has(Priv.SYS_ADMIN):
        return
    count = proc.kernel.upcount.get((cred.uid, proc.zone.id), 0)
    if count >= rlimit_get(proc, "NPROC")[0]:
        raise KernelError(Errno.EAGAIN, "RLIMIT_NPROC")


def _check_tids(lwp: Lwp, args: CloneArgs) -> None:
    """EFAULT for a bad pointer, before anything is made (FORK-82)."""
    as_ = lwp.proc.as_
    assert as_ is not None
    if args.flags & CLONE_PARENT_SETTID:
        as_.copyout(args.parent_tid, as_.copyin(args.parent_tid, 4))
    if args.flags & CLONE_CHILD_SETTID:
        as_.copyout(args.child_tid, as_.copyin(args.child_tid, 4))


def _clone_process(lwp: Lwp, args: CloneArgs) -> int:
    f = args.flags
    proc = lwp.proc
    exit_signal = args.exit_signal
    kind, flags = FORK1, 0
    isvfork = False
    if f & PLAIN:
        isvfork = f & CLONE_VFORK != 0 and f & CLONE_VM != 0
        if isvfork:
            kind = ForkKind.VFORK
            flags = FORK_KEEPHANDLERS | FORK_CALLERONLY
        elif f & CLONE_VM:
            flags = FORK_SHAREVM
        if f & CLONE_PARENT:
            exit_signal = pdata(proc).exit_signal
        if isinstance(lwp.sysstate, VforkWait):
            return _vfork_wait(lwp)
    try:
        child = cfork(lwp, kind, flags, exit_signal=TO_NATIVE[exit_signal])
    except KernelError as e:
        if e.errno is Errno.ENOTSUP:  # the agent lwp: as LX has it (lx_errno.c)
            raise KernelError(Errno.ENOSYS, e.why) from e
        raise
    pdata(child).exit_signal = exit_signal
    clone = child.lwps[0]
    if args.stack:
        clone.regs[SP] = args.stack
    if f & CLONE_SETTLS:
        clone.regs[TP] = args.tls
    if f & CLONE_CHILD_CLEARTID:
        clone.clear_child_tid = args.child_tid
    if f & PLAIN:
        if f & CLONE_VM and not isvfork:
            clone.sigaltstack = (0, 0, SS_DISABLE)
        if f & CLONE_PARENT:
            _make_sibling(proc, child)
        sharing.share(proc, child, f)
    pid = linux_pid(child)
    _store_tids(proc, child, args, pid)
    if f & CLONE_VFORK and not isvfork:
        lwp.sysstate = VforkWait(child.pid, pid)
        pdata(child).vfork_cv = CondVar()
        return _vfork_wait(lwp)
    return pid


class VforkWait(NamedTuple):
    """State of a clone with VFORK but without VM: a fork, and then a wait."""

    number: int
    result: int


def _vfork_wait(lwp: Lwp) -> int:
    """Wait till the child has exec'ed or exited; only SIGKILL ends it before."""
    state: VforkWait = lwp.sysstate
    child = lwp.kernel.pids.prfind(state.number)
    cv = pdata(child).vfork_cv if child is not None else None
    if cv is not None:
        raise Sleep(cv, interruptible=False)
    return state.result


def _make_sibling(proc: Proc, child: Proc) -> None:
    """CLONE_PARENT: the caller's parent is the child's parent."""
    parent = proc.parent
    assert parent is not None
    with proc.kernel.pidlock:
        unlink_child(child)
        link_child(parent, child)
    child.ppid = parent.pid


def _store_tids(proc: Proc, child: Proc, args: CloneArgs, pid: int) -> None:
    """Store the id; the child exists by now, so a lack of memory is passed over."""
    f = args.flags
    if f & CLONE_PARENT_SETTID and proc.as_ is not None:
        _store_tid(proc.as_, args.parent_tid, pid)
    if f & CLONE_CHILD_SETTID and child.as_ is not None:
        _store_tid(child.as_, args.child_tid, pid)


def _store_tid(as_: As, addr: int, pid: int) -> None:
    try:
        as_.copyout(addr, U32.pack(pid))
    except KernelError:
        return


def sys_set_tid_address(lwp: Lwp, tidptr: int) -> int:
    """Where to store 0 and wake a futex when this thread exits."""
    lwp.clear_child_tid = tidptr
    return ldata(lwp).tid or linux_pid(lwp.proc)


def sys_unshare(lwp: Lwp, flags: int) -> int:
    """Stop sharing with other processes; namespaces there are none."""
    known = CLONE_NAMESPACES | (
        CLONE_FS | CLONE_FILES | Clone.SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM
    )
    if flags & ~int(known):
        raise KernelError(Errno.EINVAL, "flags of unshare")
    if flags & CLONE_NAMESPACES:
        if not lwp.proc.cred.has(Priv.SYS_ADMIN) and not flags & Clone.NEWUSER:
            raise KernelError(Errno.EPERM, "namespaces need CAP_SYS_ADMIN")
        raise KernelError(Errno.EINVAL, "there are no namespaces")
    alone = len(lwp.proc.lwps) == 1
    if flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) and not alone:
        raise KernelError(Errno.EINVAL, "threads share these for good")
    sharing.unshare(lwp.proc, flags)
    return 0
