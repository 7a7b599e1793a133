"""The catalogue of hook points.

Two kinds, never mixed:

* **Operations** (``BrandSpec``, ``ClassSpec``, ``ContractSpec``): one
  implementation, chosen by the object the kernel works on.  Each brand and each
  scheduling class has a plugin manager of its own and is bound once into a vector;
  the kernel calls the vector.
* **Observers** (``ObserverSpec``): broadcast to every registered plugin.  Nobody
  listening costs one attribute test.

Each spec says when it runs, which locks are held, whether it may fail, and its
place in fork.c or the header it comes from.
"""

# Specs are signatures only: arguments are named and never used here.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from personae.core.clsparms import ClassInfo
    from personae.core.contract import Contract
    from personae.core.coretext import CorePlan
    from personae.core.cred import Cred
    from personae.core.elf import ElfImage
    from personae.core.errno import Errno
    from personae.core.exec import ExecInfo, StartState
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigAction, SigInfo
    from personae.core.zone import Zone

PROJECT = "personae"
API_VERSION = 1
"""Version of the operation vectors; a brand built for another is refused."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class BrandSpec:
    """Operations of a brand (sys/brand.h, struct brand_ops)."""

    # ---- a zone's life ----

    @hookspec
    def b_init_brand_data(self, zone: Zone) -> None:
        """The zone takes this brand: set ``zone.brand_data``.

        Locks: none.  May fail: yes.
        """

    @hookspec
    def b_free_brand_data(self, zone: Zone) -> None:
        """The zone is destroyed: drop ``zone.brand_data``.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_mountzone(self, zone: Zone) -> None:
        """The zone goes to ready: mount /dev, /proc and what programs expect.

        Locks: none.  May fail: yes, the zone stays installed.
        """

    # ---- fork ----

    @hookspec
    def b_setbrand(self, proc: Proc) -> None:
        """Give a process without brand data its own: ``proc.brand_data``.

        When: the first process of a zone, and for a fork just before
        b_copy_procdata.  The process has no lwp yet.
        Locks: the process' p_lock.  May fail: no.
        """

    @hookspec
    def b_copy_procdata(self, child: Proc, parent: Proc) -> None:
        """Copy the brand's process data for a fork.  fork.c:939, in getproc.

        The child has no lwp, and valid are only: pid, family, zone, brand,
        task, pool, cred, user area.
        Locks: none.  May fail: yes, the fork returns EAGAIN and b_clearbrand
        runs.
        """

    @hookspec
    def b_clearbrand(self, proc: Proc) -> None:
        """Free the brand's process data: failed fork, or reap.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_lwpdata_alloc(self, proc: Proc) -> Any:
        """Allocate what b_initlwp will install, before the lwp exists.

        Locks: none.  May fail: yes, the lwp is not made.
        """

    @hookspec
    def b_lwpdata_free(self, proc: Proc, data: Any) -> None:
        """Free what b_lwpdata_alloc gave, for a lwp that got no b_initlwp.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_initlwp(self, lwp: Lwp, data: Any) -> None:
        """Install the brand's data in a new lwp.

        Locks: p_lock.  May fail: no.
        """

    @hookspec
    def b_initlwp_post(self, lwp: Lwp) -> None:
        """The new lwp is in the tid hash.

        Locks: p_lock.  May fail: no.
        """

    @hookspec
    def b_forklwp(self, src: Lwp, dst: Lwp) -> None:
        """Copy the brand's lwp data for a fork, after the templates, before the class.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_lwp_setrval(self, lwp: Lwp, v1: int, v2: int) -> None:
        """Put the child's return values: v1 the parent's pid, v2 1.  fork.c:466.

        When: after the commit; never for a child that is then discarded.
        Locks: none.  May fail: no.
        """

    # ---- exec ----

    @hookspec
    def b_elfexec(self, lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
        """Build the start of a program: its stack and registers, in ``info.as_``.

        When: before the point of no return.
        Locks: none.  May fail: yes, exec fails and the caller lives on.
        """

    @hookspec
    def b_exec(self, lwp: Lwp) -> None:
        """The process is the new program, with this one lwp.

        Locks: none.  May fail: no.
        """

    # ---- exit and wait ----

    @hookspec
    def b_lwpexit(self, lwp: Lwp) -> None:
        """The lwp exits: futexes, child tid and the like.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_freelwp(self, lwp: Lwp) -> None:
        """Drop the brand's data of a lwp: exit, or a failed fork.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_proc_exit(self, proc: Proc) -> None:
        """The last lwp exits.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_exit_with_sig(self, proc: Proc, info: SigInfo) -> None:
        """Tell the parent of an exit.

        Locks: pidlock.  May fail: no.
        """

    @hookspec
    def b_wait_filter(self, parent: Lwp, child: Proc, options: int) -> bool:
        """Whether a wait with these options may see this child.

        Locks: pidlock.  May fail: no.
        """

    @hookspec
    def b_coreinfo(self, lwp: Lwp, info: SigInfo, plan: CorePlan) -> bool:
        """A core file is about to be written: put in the brand's numbers and paths.

        False: this process leaves none.
        Locks: none.  May fail: no.
        """

    # ---- system calls and signals ----

    @hookspec
    def b_sysret(self, lwp: Lwp, v1: int, v2: int) -> None:
        """Put the results of a call that succeeded.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_syserr(self, lwp: Lwp, errno: Errno) -> None:
        """Put the error of a call that failed.

        Locks: none.  May fail: no.
        """

    @hookspec
    def b_nosys(self, lwp: Lwp, number: int) -> None:
        """The number is not in the table, or its level is absent.

        Returning makes the call fail with ENOSYS; a signal may be posted here.
        Locks: none.  May fail: no.
        """

    @hookspec
    def b_sendsig(
        self, lwp: Lwp, sig: int, info: SigInfo, act: SigAction, mask: int
    ) -> None:
        """Make the lwp run a handler: frame on its stack, registers.

        ``mask`` is the blocked set to put back at the end of the handler.
        Locks: none.  May fail: yes (EFAULT: no room on the stack), the process then
        dies of SIGSEGV.
        """


class ClassSpec:
    """Operations of a scheduling class (sys/class.h, disp/class.c).

    What an operation does that a class leaves out is in ``cls.DefaultClass``.
    """

    @hookspec
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """A lwp enters the class with these parameters; None is its defaults.

        When: newproc (lwp_create with a class, fork.c:745, 775) and priocntl(2), where
        cl_parmsin has agreed.  CL_ENTERCLASS.
        Locks: p_lock.  May fail: yes, the lwp is not made or stays in its class.
        """

    @hookspec
    def cl_alloc(self, lwp: Lwp) -> Any:
        """Allocate class data for a clone of ``lwp``.

        When: forklwp, for each lwp, after b_forklwp; again if the class of the source
        has changed before cl_fork (FORK-73).  CL_ALLOC.
        Locks: none.  May fail: yes, the fork returns EAGAIN.
        """

    @hookspec
    def cl_free(self, buf: Any) -> None:
        """Free class data that no lwp took.

        When: a step before cl_fork failed, or the class changed.  CL_FREE.
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: Any) -> None:
        """Give the clone its class data, copied by the rules of the class.

        When: forklwp; after it the lwp leaves by cl_exit and cl_exitclass.  CL_FORK.
        Locks: p_lock of the child.  May fail: no.
        """

    @hookspec
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """CL_FORKRET, fork.c:534: start the child, drop pidlock, go on with the parent.

        When: once for each fork and forkall that succeeded, never for a vfork.
        Locks: pidlock on entry, none on return; the child's p_lock is taken
        before pidlock is dropped.  May fail: no.
        """

    @hookspec
    def cl_exit(self, lwp: Lwp) -> None:
        """The lwp exits: accounting only.

        When: exit, lwp_exit and the undo of forklwp, before cl_exitclass.  CL_EXIT.
        Locks: pidlock or p_lock.  May fail: no.
        """

    @hookspec
    def cl_exitclass(self, lwp: Lwp) -> None:
        """The lwp is freed, or enters another class: drop its class data.

        When: thread_free, and priocntl(2).  CL_EXITCLASS.
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """The lwp used ``used`` cycles; True if its quantum is over.

        When: it leaves the CPU and can still run; with True it goes to the back of its
        queue.  CL_TICK, which illumos calls at each clock tick.
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_quantum(self, lwp: Lwp) -> int:
        """Cycles the lwp may run before cl_tick is asked.

        When: it is put on a CPU.  illumos has it in the class data (timeleft).
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_yield(self, lwp: Lwp) -> None:
        """The lwp gives up the CPU: let others of its class go before it.

        When: yield(2), sched_yield(2); the lwp runs, and leaves its CPU (CL_YIELD).
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_sleep(self, lwp: Lwp) -> None:
        """The lwp goes to sleep; it is still on its CPU.  CL_SLEEP.

        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_wakeup(self, lwp: Lwp) -> None:
        """The lwp was woken: set its priority before it is queued.  CL_WAKEUP.

        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_preempt(self, lwp: Lwp) -> bool:
        """The lwp leaves the CPU and can still run; True keeps it first in its queue.

        When: after cl_tick, unless that said that the quantum is over.  ts_preempt
        and its like put a lwp with an unexpired quantum in front (setfrontdq).
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """The lwp was made runnable with a higher priority than the running one has.

        True makes ``running`` give up its CPU at the end of its call, False at the
        end of its slice.  cpu_surrender, disp/disp.c.
        Locks: none.  May fail: no.
        """

    # ---- parameters: priocntl(2), nice(2) ----

    @hookspec
    def cl_canexit(self, lwp: Lwp, cred: Cred) -> None:
        """Whether ``cred`` may take the lwp out of the class (sys/class.h).

        Locks: none.  May fail: yes, EPERM; the lwp stays.
        """

    @hookspec
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """Whether ``cred`` may have a lwp enter the class with these parameters.

        ``parms`` is of the class, or None for its defaults.
        Locks: none.  May fail: yes, EINVAL or EPERM.
        """

    @hookspec
    def cl_parmsget(self, lwp: Lwp) -> Any:
        """The parameters of the lwp, complete; None for a class without any.

        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """Set those parameters that are not None; ``cred`` None is the kernel.

        The basic permission (hasprocperm) has been checked.
        Locks: none.  May fail: yes, EINVAL or EPERM, and nothing has changed.
        """

    @hookspec
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """Add to the nice value; the answer is the new one, -20 to 19.

        Locks: none.  May fail: yes, EINVAL (the class knows none) or EPERM.
        """

    @hookspec
    def cl_getclinfo(self) -> ClassInfo:
        """What the class says of itself (PC_GETCLINFO).

        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_getclpri(self) -> tuple[int, int]:
        """Lowest and highest global priority of the class (PC_GETPRIRANGE).

        Locks: none.  May fail: no.
        """

    # ---- what the class may want to hear of ----

    @hookspec
    def cl_set_process_group(
        self, kernel: Kernel, sid: int, background: int, foreground: int
    ) -> None:
        """A terminal of session ``sid`` has another foreground group.

        When: tcsetpgrp(3), after the change; 0 for no group.  Every class is told.
        Locks: none.  May fail: no.
        """

    @hookspec
    def cl_changeproj(self, lwp: Lwp) -> None:
        """The process of the lwp is in another project now (settaskid(2)).

        Locks: pidlock and p_lock.  May fail: no.
        """


class ContractSpec:
    """Operations of a contract type (sys/contract_impl.h)."""

    @hookspec
    def contract_process_fork(
        self, tmpl: Any, child: Proc, parent: Proc, canfail: bool
    ) -> Contract | None:
        """Put the child in a contract: the last step of a fork that may fail.

        fork.c:401.  Without a template the child joins the contract of the caller,
        else a new one.
        Locks: none on entry and return.  May fail: yes if ``canfail``
        (EAGAIN).
        """

    @hookspec
    def contract_process_exit(self, contract: Any, proc: Proc) -> None:
        """The process leaves its contract: exit, or undo of a failed fork.

        The undo gets what ``contract_process_fork`` returned.
        Locks: none.  May fail: no.
        """

    @hookspec
    def contract_process_event(
        self, proc: Proc, event: str, status: int, sender: int
    ) -> None:
        """Something befell a process: event ``signal``, ``core`` or ``hwerr``.

        When: just before it ends by it.  ``status`` is the signal, ``sender`` the pid
        that sent it or 0.
        Locks: none.  May fail: no.
        """

    @hookspec
    def contract_template(self, system: bool) -> Any:
        """A new template; ``system``: for the first process of a zone (newproc).

        Locks: none.  May fail: no.
        """

    @hookspec
    def contract_accept(self, contract: Contract) -> bool:
        """Whether it inherits the contracts of a member that exits.

        contract_process_accept, contract/process.c.
        Locks: none.  May fail: no.
        """

    @hookspec
    def contract_orphaned(self, contract: Any) -> None:
        """Nobody owns it any more: make it an orphan, or destroy it (contop_abandon).

        Locks: none.  May fail: no.
        """

    @hookspec
    def contract_status(self, contract: Any, detail: bool) -> dict[str, Any]:
        """The type's part of a status file (contop_status).

        Locks: none.  May fail: no.
        """


class ObserverSpec:
    """What any plugin may watch."""

    @hookspec
    def personae_fork_step(self, op: str, step: str) -> None:
        """Before a step of a fork.

        Locks: as the step has them.  May fail: yes, by raising KernelError: the
        fork unwinds and returns that errno's image by the rules of fork.c.
        """

    @hookspec
    def personae_proc_create(self, parent: Proc, child: Proc) -> None:
        """A fork has committed and the child is about to run.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_proc_exec(self, proc: Proc, path: bytes) -> None:
        """An exec has succeeded.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_proc_exit(self, proc: Proc) -> None:
        """A process has become a zombie; its parent does not know yet.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_syscall_entry(
        self, lwp: Lwp, number: int, args: tuple[int, ...]
    ) -> None:
        """A system call begins; not called again when it is re-entered after a wait.

        Locks: none.  May fail: yes, by raising KernelError: the call returns that
        errno and is not made.
        """

    @hookspec
    def personae_syscall_return(
        self, lwp: Lwp, number: int, errno: int, v1: int
    ) -> None:
        """A system call ends; errno 0 is success.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_signal(self, lwp: Lwp, sig: int, info: SigInfo) -> None:
        """A signal is about to be acted upon.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_cred(self, proc: Proc, old: Cred) -> None:
        """A process has other credentials than ``old``: setuid(2) and its like, exec.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_signal_send(self, proc: Proc, sig: int) -> None:
        """A signal is posted to a process or one of its lwps.

        Locks: pidlock, or none.  May fail: no.
        """

    @hookspec
    def personae_fault(self, lwp: Lwp, fault: int, addr: int) -> None:
        """A program has done what ends in a signal; numbers of sys/fault.h.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_exec_failure(self, proc: Proc, path: bytes, errno: int) -> None:
        """An exec has failed and the process goes on.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_lwp_create(self, lwp: Lwp) -> None:
        """A lwp has been made; if its fork fails later, it goes without an exit.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_lwp_exit(self, lwp: Lwp) -> None:
        """A lwp ends.

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_count(self, name: str, n: int) -> None:
        """A counter of kernel statistics goes up.

        Locks: any.  May fail: no.
        """

    @hookspec
    def personae_tracepoint(self, lwp: Lwp, name: str) -> None:
        """A program has met a tracepoint in its text (``core.probes``).

        Locks: none.  May fail: no.
        """

    @hookspec
    def personae_zone_state(self, zone: Zone) -> None:
        """A zone has changed its state.

        Locks: none.  May fail: no.
        """
