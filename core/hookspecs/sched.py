"""Operations of a scheduling class: sys/class.h, disp/class.c.

What an operation does that a class leaves out is in ``cls.DefaultClass``.
"""

# Specs are signatures only: arguments are named and never used here.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.hookspecs.marks import hookspec

if TYPE_CHECKING:
    from personae.core.clsparms import ClassInfo
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp


class ClassSpec:
    """Operations of a scheduling class (sys/class.h, disp/class.c).

    What an operation does that a class leaves out is in ``cls.DefaultClass``.
    """

    @hookspec
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """A lwp enters the class with these parameters; None is its defaults.

        When: newproc (lwp_create with a class) and priocntl(2), where cl_parmsin
            has agreed.
        Locks: p_lock.
        May fail: yes, the lwp is not made or stays in its class.
        Source: CL_ENTERCLASS; fork.c:745, 775.
        """

    @hookspec
    def cl_alloc(self, lwp: Lwp) -> Any:
        """Allocate class data for a clone of ``lwp``.

        When: forklwp, for each lwp, after b_forklwp; again if the class of the source
            has changed before cl_fork (FORK-73).
        Locks: none.
        May fail: yes, the fork returns EAGAIN.
        Source: CL_ALLOC; forklwp, os/lwp.c.
        """

    @hookspec
    def cl_free(self, buf: Any) -> None:
        """Free class data that no lwp took.

        When: a step before cl_fork failed, or the class changed.
        Locks: none.
        May fail: no.
        Source: CL_FREE; forklwp, os/lwp.c.
        """

    @hookspec
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: Any) -> None:
        """Give the clone its class data, copied by the rules of the class.

        When: forklwp; after it the lwp leaves by cl_exit and cl_exitclass.
        Locks: p_lock of the child.
        May fail: no.
        Source: CL_FORK; forklwp, os/lwp.c.
        """

    @hookspec
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """Start the child, drop pidlock, go on with the parent.

        When: once for each fork and forkall that succeeded, never for a vfork.
        Locks: pidlock on entry, none on return; the child's p_lock is taken
            before pidlock is dropped.
        May fail: no.
        Source: CL_FORKRET, fork.c:534.
        """

    @hookspec
    def cl_exit(self, lwp: Lwp) -> None:
        """The lwp exits: accounting only.

        When: exit, lwp_exit and the undo of forklwp, before cl_exitclass.
        Locks: pidlock or p_lock.
        May fail: no.
        Source: CL_EXIT, os/exit.c.
        """

    @hookspec
    def cl_exitclass(self, lwp: Lwp) -> None:
        """Drop the class data of the lwp.

        When: thread_free, and priocntl(2) before the lwp enters another class.
        Locks: none.
        May fail: no.
        Source: CL_EXITCLASS, disp/thread.c.
        """

    @hookspec
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """The lwp used ``used`` cycles; True if its quantum is over.

        When: it leaves the CPU and can still run; with True it goes to the back of its
            queue.  illumos calls it at each clock tick.
        Locks: none.
        May fail: no.
        Source: CL_TICK, os/clock.c.
        """

    @hookspec
    def cl_quantum(self, lwp: Lwp) -> int:
        """Cycles the lwp may run before cl_tick is asked.

        When: it is put on a CPU.  illumos has it in the class data (timeleft).
        Locks: none.
        May fail: no.
        Source: ts_timeleft, sys/ts.h.
        """

    @hookspec
    def cl_yield(self, lwp: Lwp) -> None:
        """The lwp gives up the CPU: let others of its class go before it.

        When: yield(2), sched_yield(2); the lwp runs, and leaves its CPU.
        Locks: none.
        May fail: no.
        Source: CL_YIELD, syscall/yield.c.
        """

    @hookspec
    def cl_sleep(self, lwp: Lwp) -> None:
        """The lwp goes to sleep.

        When: it is still on its CPU.
        Locks: none.
        May fail: no.
        Source: CL_SLEEP, disp/sleepq.c.
        """

    @hookspec
    def cl_wakeup(self, lwp: Lwp) -> None:
        """The lwp was woken: set its priority.

        When: before it is queued.
        Locks: none.
        May fail: no.
        Source: CL_WAKEUP, disp/sleepq.c.
        """

    @hookspec
    def cl_preempt(self, lwp: Lwp) -> bool:
        """The lwp leaves the CPU and can still run; True keeps it first in its queue.

        When: after cl_tick, unless that said that the quantum is over.  ts_preempt
            and its like put a lwp with an unexpired quantum in front (setfrontdq).
        Locks: none.
        May fail: no.
        Source: CL_PREEMPT, disp/disp.c.
        """

    @hookspec
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """True makes ``running`` give up its CPU at the end of its call.

        False: at the end of its slice.

        When: ``lwp`` was made runnable with a higher priority than ``running`` has.
        Locks: none.
        May fail: no.
        Source: cpu_surrender, disp/disp.c.
        """

    # ---- parameters: priocntl(2), nice(2) ----

    @hookspec
    def cl_canexit(self, lwp: Lwp, cred: Cred) -> None:
        """Whether ``cred`` may take the lwp out of the class.

        When: priocntl(2), before anything changes.
        Locks: none.
        May fail: yes, EPERM; the lwp stays.
        Source: CL_CANEXIT, sys/class.h.
        """

    @hookspec
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """Whether ``cred`` may have a lwp enter the class with these parameters.

        ``parms`` is of the class, or None for its defaults.

        When: priocntl(2), before anything changes.
        Locks: none.
        May fail: yes, EINVAL or EPERM.
        Source: CL_PARMSIN, sys/class.h.
        """

    @hookspec
    def cl_parmsget(self, lwp: Lwp) -> Any:
        """The parameters of the lwp, complete; None for a class without any.

        When: priocntl(2) asks.
        Locks: none.
        May fail: no.
        Source: CL_PARMSGET, sys/class.h.
        """

    @hookspec
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """Set those parameters that are not None; ``cred`` None is the kernel.

        When: priocntl(2); the basic permission (hasprocperm) has been checked.
        Locks: none.
        May fail: yes, EINVAL or EPERM, and nothing has changed.
        Source: CL_PARMSSET, sys/class.h.
        """

    @hookspec
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """Add to the nice value; the answer is the new one, -20 to 19.

        When: nice(2), setpriority(2).
        Locks: none.
        May fail: yes, EINVAL (the class knows none) or EPERM.
        Source: CL_DONICE, syscall/nice.c.
        """

    @hookspec
    def cl_getclinfo(self) -> ClassInfo:
        """What the class says of itself.

        When: priocntl(2) with PC_GETCLINFO or PC_GETCID.
        Locks: none.
        May fail: no.
        Source: CL_GETCLINFO, sys/class.h.
        """

    @hookspec
    def cl_getclpri(self) -> tuple[int, int]:
        """Lowest and highest global priority of the class.

        When: priocntl(2) with PC_GETPRIRANGE.
        Locks: none.
        May fail: no.
        Source: CL_GETCLPRI, sys/class.h.
        """

    # ---- what the class may want to hear of ----

    @hookspec
    def cl_set_process_group(
        self, kernel: Kernel, sid: int, background: int, foreground: int
    ) -> None:
        """A terminal of session ``sid`` has another foreground group; 0 for none.

        When: tcsetpgrp(3), after the change.  Every class is told.
        Locks: none.
        May fail: no.
        Source: CL_SET_PROCESS_GROUP, os/session.c.
        """

    @hookspec
    def cl_changeproj(self, lwp: Lwp) -> None:
        """The process of the lwp is in another project now.

        When: settaskid(2).
        Locks: pidlock and p_lock.
        May fail: no.
        Source: fss_changeproj, disp/fss.c.
        """
