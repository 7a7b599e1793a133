"""The limits a fork meets: processes of a user, processes and lwps of containers.

Two families.  The old one counts all processes and those of a real uid in a zone
(v_maxup, v_maxupttl; fork.c:895).  The newer one asks the resource controls of
the task, the project and the zone, all three whatever the first says, because
each may have an action of its own.

A failure by one of the limits is punished by a delay that grows with how many
callers are being punished (fork.c:1104); delivering it is the fork's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.policy import secpolicy_newproc
from personae.core.proc import SSYS
from personae.core.rctl import rctl_test, rlimit_get
from personae.core.signo import SIGQUEUE_MAX

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.project import Project
    from personae.core.task import Task
    from personae.core.zone import Zone

RESERVED_PROCS = 5
"""Processes kept for the administrator: v_maxupttl = max_nprocs - this."""


def proc_limits(max_nprocs: int, maxuprc: int | None = None) -> tuple[int, int]:
    """(v_maxup, v_maxupttl) of a machine with room for ``max_nprocs`` processes."""
    total = max(1, max_nprocs - RESERVED_PROCS)
    return (total if maxuprc is None else min(maxuprc, total)), total


# ---- processes of a user ----


def upcount_get(kernel: Kernel, ruid: int, zoneid: int) -> int:
    """Processes of a real uid in a zone."""
    return kernel.upcount.get((ruid, zoneid), 0)


def upcount_inc(kernel: Kernel, ruid: int, zoneid: int) -> None:
    """Count one process more.

    Locks: pidlock.
    """
    kernel.pidlock.assert_held()
    kernel.upcount[ruid, zoneid] = kernel.upcount.get((ruid, zoneid), 0) + 1


def upcount_dec(kernel: Kernel, ruid: int, zoneid: int) -> None:
    """Count one process less; nothing is kept for a user without processes.

    Locks: pidlock.
    """
    kernel.pidlock.assert_held()
    left = kernel.upcount.get((ruid, zoneid), 0) - 1
    if left < 0:
        raise Panic(f"upcount of uid {ruid} in zone {zoneid} below 0")
    if left:
        kernel.upcount[ruid, zoneid] = left
    else:
        del kernel.upcount[ruid, zoneid]


def crset(proc: Proc, new: Cred) -> None:
    """Give a process and its lwps another credential (crset).

    A process counts for its real uid, so the count moves with that.

    Args:
        proc: The process.
        new: Its new credential; the caller's reference becomes the process'.

    Locks: none; pidlock inside.
    """
    kernel, zoneid, old = proc.kernel, proc.zone.id, proc.cred
    if new.uid != old.uid:
        with kernel.pidlock:
            upcount_dec(kernel, old.uid, zoneid)
            upcount_inc(kernel, new.uid, zoneid)
    was, proc.cred = old, new
    for lwp in proc.lwps:
        old, lwp.cred = lwp.cred, new.hold()
        old.rele()
    for watch in kernel.observers.personae_cred:
        watch(proc, was)
    was.rele()


def nproc_check(kernel: Kernel, cred: Cred, zone: Zone) -> None:
    """Refuse a process over the limit of its user or of all users (fork.c:895).

    Locks: none; pidlock inside.

    Raises:
        KernelError: EAGAIN.
    """
    if kernel.nproc < kernel.v_maxup:
        return
    with kernel.pidlock:
        over = (
            kernel.nproc >= kernel.v_maxupttl
            or upcount_get(kernel, cred.uid, zone.id) >= kernel.v_maxup
        )
    if over and not secpolicy_newproc(cred):
        zone.ffnoproc += 1
        why = f"out of per-user processes for uid {cred.uid}"
        kernel.notice(why)
        raise KernelError(Errno.EAGAIN, why)


def rlimit_nproc_check(kernel: Kernel, proc: Proc, cred: Cred) -> None:
    """Refuse a process over RLIMIT_NPROC, for brands that have that limit.

    Raises:
        KernelError: EAGAIN.
    """
    soft, _ = rlimit_get(proc, "NPROC")
    if upcount_get(kernel, cred.uid, proc.zone.id) < soft or secpolicy_newproc(cred):
        return
    raise KernelError(Errno.EAGAIN, f"RLIMIT_NPROC ({soft}) of uid {cred.uid}")


# ---- processes of a task, project, zone ----


def _containers(proc: Proc) -> tuple[Task, Project]:
    if proc.task is None:
        raise Panic(f"{proc!r} is in no task")
    return proc.task, proc.task.project


def _deny(control: str, proc: Proc, zone: Zone) -> bool:
    """Ask all three controls, also when the first one refuses."""
    task, project = _containers(proc)
    denied = False
    for kind, entity in (("task", task), ("project", project), ("zone", zone)):
        denied |= rctl_test(f"{kind}.{control}", entity, proc)
    return denied


def max_processes_enter(kernel: Kernel, proc: Proc, zone: Zone) -> None:
    """Count a process to come in its task, project and zone, if they allow it.

    Args:
        kernel: The kernel.
        proc: The parent, whose task the child joins.
        zone: The child's zone.

    Locks: none; zone_nlwps_lock inside.

    Raises:
        KernelError: EAGAIN; nothing was counted but the failure (ffcap).
    """
    task, project = _containers(proc)
    p_lock, nlwps_lock = proc.lock, kernel.nlwps_lock
    p_lock.enter()
    nlwps_lock.enter()
    try:
        if (
            (
                task.nprocs >= task.max_processes
                or project.nprocs >= project.max_processes
                or zone.nprocs >= zone.max_processes
            )
            # project 0 of the global zone (proj0p) is not limited
            and project is not kernel.projects.get((0, 0))
            and _deny("max-processes", proc, zone)
        ):
            zone.ffcap += 1
            raise KernelError(Errno.EAGAIN, f"max-processes of zone {zone.name}")
        task.nprocs += 1
        project.nprocs += 1
        zone.nprocs += 1
    finally:
        nlwps_lock.exit()
        p_lock.exit()


def max_processes_exit(
    kernel: Kernel, proc: Proc, zone: Zone, task: Task | None = None
) -> None:
    """Count a process less: it is reaped, or its fork failed.

    Args:
        kernel: The kernel.
        proc: The process, or for a failed fork its parent.
        zone: Its zone.
        task: Its task, if it has left it already.

    Locks: none or p_lock; zone_nlwps_lock inside.
    """
    if task is None:
        task, _ = _containers(proc)
    project, lock = task.project, kernel.nlwps_lock
    lock.enter()
    if task.nprocs <= 0 or project.nprocs <= 0 or zone.nprocs <= 0:
        raise Panic(f"nprocs of {task!r}, {project!r} or {zone!r} below 0")
    task.nprocs -= 1
    project.nprocs -= 1
    zone.nprocs -= 1
    lock.exit()


def nprocs_move(kernel: Kernel, old: Task, new: Task) -> None:
    """A process has changed its task: count it there.

    Locks: none or p_lock; zone_nlwps_lock inside.
    """
    with kernel.nlwps_lock:
        for src, dst in ((old, new), (old.project, new.project)):
            if src.nprocs <= 0:
                raise Panic(f"nprocs of {src!r} below 0")
            src.nprocs -= 1
            dst.nprocs += 1


# ---- lwps of a task, project, zone ----


def lwp_limits_enter(kernel: Kernel, proc: Proc) -> None:
    """Count a lwp to come in the containers of its process, if they allow it.

    Kernel processes are counted and not limited (the caller's class is SYS).

    Locks: none; zone_nlwps_lock inside.

    Raises:
        KernelError: EAGAIN; nothing was counted but the failure (ffcap).
    """
    zone = proc.zone
    task, project = _containers(proc)
    lock = kernel.nlwps_lock
    lock.enter()
    try:
        if (
            (
                task.nlwps >= task.max_lwps
                or project.nlwps >= project.max_lwps
                or zone.nlwps >= zone.max_lwps
            )
            and not proc.flag & SSYS
            and _deny("max-lwps", proc, zone)
        ):
            zone.ffcap += 1
            raise KernelError(Errno.EAGAIN, f"max-lwps of zone {zone.name}")
        task.nlwps += 1
        project.nlwps += 1
        zone.nlwps += 1
    finally:
        lock.exit()


def lwp_limits_exit(kernel: Kernel, proc: Proc) -> None:
    """Count a lwp less.

    Locks: none or p_lock; zone_nlwps_lock inside.
    """
    task, project = _containers(proc)
    zone, lock = proc.zone, kernel.nlwps_lock
    lock.enter()
    if task.nlwps <= 0 or project.nlwps <= 0 or zone.nlwps <= 0:
        raise Panic(f"nlwps of {task!r}, {project!r} or {zone!r} below 0")
    task.nlwps -= 1
    project.nlwps -= 1
    zone.nlwps -= 1
    lock.exit()


# ---- queued signals ----


def sigqueue_check(proc: Proc, target: Proc) -> None:
    """Refuse one more signal with a value, by process.max-sigqueue-size (sigqueue(3C)).

    Args:
        proc: The sender, whose limit counts.
        target: Who has them queued: what waits for it is counted, whoever sent it.

    Raises:
        KernelError: EAGAIN.
    """
    queues = [target.sigqueue, *(t.sigqueue for t in target.lwps)]
    name = "process.max-sigqueue-size"
    usage = sum(map(len, queues))
    if usage >= SIGQUEUE_MAX or rctl_test(name, proc, proc, usage=usage):
        raise KernelError(Errno.EAGAIN, name)


# ---- CPU time ----


def cpu_time_tick(lwp: Lwp, used: int) -> None:
    """The lwp has run ``used`` cycles: hold its process and task to their time.

    A second of the limit is over when it was used up (proc_cpu_time_test).

    Locks: none.
    """
    proc = lwp.proc
    proc.cpu_cycles += used
    task = proc.task
    if task is None:
        return  # it has gone
    task.cpu_cycles += used
    hz = proc.kernel.config.clock_hz
    if proc.cpu_cycles // hz >= proc.cpu_ctl:
        _cpu_test("process.max-cpu-time", proc, proc, hz)
    if task.cpu_cycles // hz >= task.max_cpu_time:
        _cpu_test("task.max-cpu-time", task, proc, hz)


def _cpu_test(name: str, entity: Proc | Task, proc: Proc, hz: int) -> None:
    rctl_test(name, entity, proc, usage=entity.cpu_cycles // hz)


# ---- the punishing delay ----


def fork_fail_delay(kernel: Kernel) -> int:
    """Ticks a caller is kept whose fork a limit refused (fork.c:1104).

    ``fork_fail_pending`` counts this caller already.
    """
    return kernel.fork_fail_pending // kernel.ncpus + 1
