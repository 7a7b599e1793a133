"""Resource pools: the CPUs a process may run on, and the barrier of rebinding.

Binding a process to another pool must not meet a half-made child that has
already copied the old binding.  So a fork stands inside the process' *barrier*
(fork.c:187): a binder raises PBWAIT, lets the forks inside finish, keeps new
ones out, and only then moves the process and the children it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Panic
from personae.core.sync import CondVar, Sleep

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc

POOL_DEFAULT = "default"


class Pool:
    """One pool (pool_t).

    Args:
        name: Its name.
        cpus: Ids of its CPUs, lowest first.  Sets of several pools may overlap.
        scheduler: Scheduling class of a process that starts in a zone of the pool.
    """

    def __init__(self, name: str, cpus: tuple[int, ...], scheduler: str = "TS") -> None:
        self.name = name
        self.cpus = cpus
        self.scheduler = scheduler
        self.ref = 0
        """Processes bound to it."""
        self.load = 0
        """Lwps of those processes: the load of its lgroup.  A pool's CPUs are one
        locality group, for all memory is equally far from each of them."""
        self.binding: list[Proc] = []
        """Processes that are being bound elsewhere (PBWAIT)."""
        self.cv = CondVar()

    def hold(self) -> Pool:
        """Count one more process; returns itself."""
        self.ref += 1
        return self

    def rele(self) -> None:
        """Count one process less."""
        if self.ref <= 0:
            raise Panic(f"pool_ref of {self.name} below 0")
        self.ref -= 1

    def __repr__(self) -> str:
        return f"<Pool {self.name} ref={self.ref}>"


def pool_of(proc: Proc) -> Pool:
    """The pool of a process; Panic if it has none."""
    if proc.pool is None:
        raise Panic(f"{proc!r} is in no pool")
    return proc.pool


def pool_barrier_enter(proc: Proc) -> None:
    """Keep binders out of the process until ``pool_barrier_exit``.

    Locks: none; p_lock inside.

    Raises:
        Sleep: A binder is at work (PBWAIT); nothing was done.
    """
    pool, lock = pool_of(proc), proc.lock
    lock.enter()
    binding = pool.binding and proc in pool.binding
    if not binding:
        proc.poolcnt += 1
    lock.exit()
    if binding:
        raise Sleep(pool.cv, interruptible=False)


def pool_barrier_exit(proc: Proc) -> None:
    """Leave the barrier, and let a binder that waits go on.

    Locks: none; p_lock inside.
    """
    if proc.poolcnt <= 0:
        raise Panic(f"pool_barrier_exit: {proc!r} is not inside")
    lock = proc.lock
    lock.enter()
    proc.poolcnt -= 1
    lock.exit()
    pool = pool_of(proc)
    if pool.binding and proc.poolcnt == 0 and proc in pool.binding:
        proc.kernel.wakeup(pool.cv)


def pool_do_bind(kernel: Kernel, proc: Proc, pool: Pool) -> None:
    """Bind a process and its descendants that share its pool to another pool.

    Locks: none.

    Raises:
        Sleep: A fork is inside the barrier; entered again, the call goes on.
    """
    old = pool_of(proc)
    if old is pool:
        return
    with proc.lock:
        if proc not in old.binding:
            old.binding.append(proc)
        busy = proc.poolcnt > 0
    if busy:
        raise Sleep(old.cv, interruptible=False)
    old.binding.remove(proc)
    for p in _family(proc):
        if p.pool is old:
            with p.lock:
                old.load -= p.lwpcnt
                pool.load += p.lwpcnt
                old.rele()
                p.pool = pool.hold()
    kernel.wakeup(old.cv)


def _family(proc: Proc) -> list[Proc]:
    out, todo = [], [proc]
    while todo:
        p = todo.pop()
        out.append(p)
        todo.extend(p.children())
    return out
