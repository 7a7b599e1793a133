"""newproc: processes that are no copy of their parent (fork.c:729-851).

The kernel's own, and the first of each zone: the steps of ``getproc`` and of one lwp,
and between them what such a process does not inherit.

Must not know: which brand, class or contract type it works for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core import rctl
from personae.core.errno import Errno, KernelError, Panic
from personae.core.forklwp import lwp_create
from personae.core.getproc import Birth, getproc, untraced
from personae.core.limits import nprocs_move
from personae.core.lwp import TP_HOLDLWP
from personae.core.proc import SNOWAIT, SRUN, SSYS, Proc
from personae.core.session import pgjoin
from personae.core.task import task_attach, task_create, task_detach, task_rele
from personae.core.txn import Transaction

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.task import Task
    from personae.core.zone import Zone


def newproc(
    kernel: Kernel,
    parent: Proc,
    *,
    system: bool,
    name: bytes,
    zone: Zone,
    cls: str | None = None,
    pid: int | None = None,
    cred: Cred | None = None,
) -> Lwp:
    """Make a process that is no copy of its parent (newproc, fork.c:729).

    Args:
        kernel: The kernel.
        parent: Its parent: p0, or the zone's zsched.
        system: A kernel process (first branch), else a user one (init's branch).
        name: Its command name.
        zone: Where it lives.
        cls: Scheduling class of its lwp; by default what its zone says.
        pid: The pid number to give it, for the few that have a fixed one.
        cred: Whose rights it has; by default its parent's.

    Returns:
        Its one lwp, stopped, with tid 1; ``lwp_start`` starts it.

    Raises:
        KernelError: EAGAIN, whatever step failed.
    """
    try:
        with Transaction("newproc", kernel.fork_probe()) as txn:
            f = Birth(parent, cred or parent.cred, system=system, pid=pid, zone=zone)
            cp = getproc(txn, f)
            cp.user.u_comm = cp.user.u_psargs = name
            if system:
                _newproc_system(txn, cp)
            else:
                _newproc_user(txn, cp, zone)
            lwp = lwp_create(
                txn, cp, tid=1, cls="SYS" if system else cls or zone.class_name()
            )
            if not system:
                ops = kernel.contract_ops
                tmpl = kernel.sys_process_tmpl
                txn.do(
                    "contract_process_fork",
                    lambda: ops.contract_process_fork(tmpl, cp, parent, False),
                    lambda ct: ops.contract_process_exit(ct, cp),
                )
            txn.commit()
    except KernelError as e:
        kernel.last_fork_steps = tuple(txn.steps)
        raise KernelError(Errno.EAGAIN, f"newproc:{txn.steps[-1]}: {e.why}") from e
    kernel.last_fork_steps = tuple(txn.steps)
    cp.lwpid = 1
    if parent.pgrp is None:
        raise Panic(f"{parent!r} has no process group")
    with kernel.pidlock:
        pgjoin(cp, parent.pgrp)
        cp.stat = SRUN
        with cp.lock:
            lwp.tpflag &= ~TP_HOLDLWP
    return lwp


def _newproc_system(txn: Transaction, cp: Proc) -> None:
    """Kernel branch (fork.c:745-773): no exec vnodes, no tracing, own controls."""
    cp.flag |= SNOWAIT | SSYS
    txn.call("rctl_set_init", rctl.rctl_set_init, rctl.rctl_proc_free, cp)
    untraced(cp)


def _newproc_user(txn: Transaction, cp: Proc, zone: Zone) -> None:
    """User branch (fork.c:775-823): a task of its own in project 0."""
    kernel = cp.kernel
    cp.flag &= ~SNOWAIT  # zsched's, which waits for nobody

    def swap_in() -> tuple[Task, Task]:
        task = task_create(kernel, 0, zone)
        with kernel.pidlock, cp.lock:
            old = task_detach(cp)
            task_attach(task, cp)
        task_rele(task)  # the reference of its making; the process holds it now
        nprocs_move(kernel, old, task)
        task_rele(old)
        return task, old

    # getproc's undo detaches from whatever task the process is in then, and takes
    # the process off the counts of its parent's task.
    txn.do("task_create", swap_in, lambda both: nprocs_move(kernel, *both))
    txn.call("rctl_set_init", rctl.rctl_set_init, rctl.rctl_proc_free, cp)
    txn.call("rctlproc_default_init", rctl.rctlproc_default_init, None, cp)
