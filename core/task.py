"""Tasks: the container of the processes of one piece of work (settaskid(2)).

A task is held by each of its member processes and by whoever is about to
join one.  Its members stand in a ring, the newest first, which fork.c:960 puts
the child into while it is still half made: a walker skips SIDL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.policy import secpolicy_tasksys
from personae.core.project import Project, project_hold_by_id
from personae.core.rctl import RctlSet, rctl_set_attach, rctl_set_tearoff, rctl_test
from personae.core.zone import ZoneState, zone_task_gone

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc
    from personae.core.zone import Zone


class Task:
    """One task (task_t).

    Args:
        kernel: The kernel.
        id: Task id; 0 is the kernel's own.
        project: Its project; the caller's hold on it becomes the task's.
        zone: Its zone.
    """

    def __init__(
        self,
        kernel: Kernel,
        id: int,  # noqa: A002 (the field's name)
        project: Project,
        zone: Zone,
    ) -> None:
        self.kernel = kernel
        self.id = id
        self.project = project
        self.zone = zone
        self.hold_count = 1
        self.procs: list[Proc] = []
        """tk_memb_list, newest first."""
        self.nlwps = 0
        self.nprocs = 0
        self.max_lwps = 0
        self.max_processes = 0
        self.max_cpu_time = 0
        """Enforced value of task.max-cpu-time, in seconds."""
        self.cpu_cycles = 0
        """Cycles that its processes ran while they were in it."""
        self.final = False
        """TASK_FINAL: its members can't leave it."""
        self.rctls: RctlSet = rctl_set_attach("task", self)

    def __repr__(self) -> str:
        return f"<Task {self.id} project={self.project.id} hold={self.hold_count}>"


def task_create(kernel: Kernel, projid: int, zone: Zone) -> Task:
    """Make a task with one hold, the caller's.

    The hold goes to the first member by ``task_begin``, or is dropped by
    ``task_rele`` after a ``task_attach``.  Ids are given from 0 up, the lowest free
    one first, so the first task made is task 0.

    Locks: none.
    """
    project = project_hold_by_id(kernel, projid, zone)
    tkid = 0
    while tkid in kernel.tasks:
        tkid += 1
    try:
        task = Task(kernel, tkid, project, zone)
    except KernelError:
        project.rele()
        raise
    kernel.tasks[tkid] = task
    project.ntasks += 1
    zone.ntasks += 1
    return task


def task_hold(task: Task) -> Task:
    """Take a hold; returns the task."""
    if task.hold_count <= 0:
        raise Panic(f"task_hold of a dead {task!r}")
    task.hold_count += 1
    return task


def task_rele(task: Task) -> None:
    """Drop a hold; the last one destroys the task.

    Locks: none (the project may go too, so pidlock must have been dropped).
    """
    if task.hold_count <= 0:
        raise Panic(f"task_rele of a dead {task!r}")
    task.hold_count -= 1
    if task.hold_count:
        return
    if task.procs or task.nlwps or task.nprocs:
        raise Panic(f"last hold of {task!r} dropped while it has members")
    task.project.ntasks -= 1
    task.zone.ntasks -= 1
    del task.kernel.tasks[task.id]
    task.project.rele()
    if not task.zone.ntasks and task.zone.state is ZoneState.SHUTTING_DOWN:
        zone_task_gone(task.zone)


def task_attach(task: Task, proc: Proc) -> None:
    """Put a process at the head of the ring, with a hold of its own.

    Locks: pidlock.
    """
    task_hold(task)
    task_begin(task, proc)


def task_begin(task: Task, proc: Proc) -> None:
    """Put a process at the head of the ring; the caller's hold becomes its.

    Locks: pidlock.
    """
    task.kernel.pidlock.assert_held()
    if proc.task is not None:
        raise Panic(f"{proc!r} joins {task!r} and is still in {proc.task!r}")
    task.procs.insert(0, proc)
    proc.task = task


def task_detach(proc: Proc) -> Task:
    """Take a process out of the ring of its task.

    Returns:
        The task: its hold is now the caller's, for ``task_rele`` once pidlock is
        dropped.

    Locks: pidlock.
    """
    task = proc.task
    if task is None:
        raise Panic(f"task_detach: {proc!r} is in no task")
    task.kernel.pidlock.assert_held()
    task.procs.remove(proc)
    proc.task = None
    return task


def settaskid(proc: Proc, projid: int, *, final: bool = False) -> Task:
    """Move a process into a new task of a project (settaskid(2)).

    Args:
        proc: The process; all its lwps go along.
        projid: The project, made if it does not exist.
        final: Nobody can leave the new task.

    Returns:
        The task.

    Locks: none on entry and return.

    Raises:
        KernelError: EPERM, the privilege is missing; EACCES, its task is final;
            EAGAIN, project.max-tasks, max-lwps or max-processes of the new
            project.
    """
    kernel, old = proc.kernel, proc.task
    if old is None:
        raise Panic(f"settaskid: {proc!r} is in no task")
    secpolicy_tasksys(proc.cred)
    if old.final:
        raise KernelError(Errno.EACCES, f"task {old.id} is final")
    project = project_hold_by_id(kernel, projid, proc.zone)
    denied = rctl_test("project.max-tasks", project, proc)
    if project is not old.project:
        denied |= rctl_test("project.max-lwps", project, proc, proc.lwpcnt)
        if project is not kernel.projects.get((0, 0)):  # proj0p has no such limit
            denied |= rctl_test("project.max-processes", project, proc)
    if denied:
        project.rele()
        raise KernelError(Errno.EAGAIN, f"limits of project {projid}")
    task = task_create(kernel, projid, proc.zone)
    project.rele()
    task.final = final
    with kernel.pidlock, proc.lock:
        task_detach(proc)
        task_begin(task, proc)
        _move_counts(old, task, proc.lwpcnt)
        for t in proc.lwps:
            if t.cls is not None:
                t.cls.ops.cl_changeproj(t)
    rctl_set_tearoff(old.rctls, proc)
    if project is not old.project:
        rctl_set_tearoff(old.project.rctls, proc)
    task_rele(old)
    return task


def _move_counts(old: Task, new: Task, nlwps: int) -> None:
    """One process with its lwps counts elsewhere now."""
    with old.kernel.nlwps_lock:
        for src, dst in ((old, new), (old.project, new.project)):
            src.nprocs -= 1
            dst.nprocs += 1
            src.nlwps -= nlwps
            dst.nlwps += nlwps
