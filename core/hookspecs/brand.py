"""Operations of a brand: what a personality decides (sys/brand.h)."""

# Specs are signatures only: arguments are named and never used here.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.hookspecs.marks import hookspec

if TYPE_CHECKING:
    from personae.core.coretext import CorePlan
    from personae.core.elf import ElfImage
    from personae.core.errno import Errno
    from personae.core.exec import ExecInfo, StartState
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigAction, SigInfo
    from personae.core.zone import Zone


class BrandSpec:
    """Operations of a brand (sys/brand.h, struct brand_ops).

    What proves a brand is no operation but data, ``Brand(conformance=...)``: its guest
    programs, its checks, what is known not to hold, and how its calls are made
    (``personae.core.conform``, docs/conformance.md).
    """

    # ---- a zone's life ----

    @hookspec
    def b_init_brand_data(self, zone: Zone) -> None:
        """The zone takes this brand: set ``zone.brand_data``.

        ``zone.options`` has the zone's table ``[zone.NAME.BRAND]``.

        When: the zone is made, before it has a root or a process.
        Locks: none.
        May fail: yes, the zone is not made.
        Source: b_init_brand_data, sys/brand.h.
        """

    @hookspec
    def b_free_brand_data(self, zone: Zone) -> None:
        """Drop ``zone.brand_data``.

        When: the zone is destroyed.
        Locks: none.
        May fail: no.
        Source: b_free_brand_data, sys/brand.h.
        """

    @hookspec
    def b_mountzone(self, zone: Zone) -> None:
        """Mount /dev, /proc and what programs expect to find.

        When: the zone goes to ready; it has a root and zsched.
        Locks: none.
        May fail: yes, the zone stays installed.
        Source: the brand's boot and platform files, brands(7).
        """

    # ---- fork ----

    @hookspec
    def b_setbrand(self, proc: Proc) -> None:
        """Give a process without brand data its own: ``proc.brand_data``.

        When: the first process of a zone, and for a fork just before
            b_copy_procdata.  The process has no lwp yet.
        Locks: the process' p_lock.
        May fail: no.
        Source: b_setbrand, os/brand.c; fork.c:937.
        """

    @hookspec
    def b_copy_procdata(self, child: Proc, parent: Proc) -> None:
        """Copy the brand's process data for a fork.

        Not called where the parent is of another brand: it has only b_setbrand's.
        The child has no lwp, and valid are only: pid, family, zone, brand,
        task, pool, cred, user area.

        When: getproc, after b_setbrand.
        Locks: none.
        May fail: yes, the fork returns EAGAIN and b_clearbrand runs.
        Source: fork.c:939.
        """

    @hookspec
    def b_clearbrand(self, proc: Proc) -> None:
        """Free the brand's process data.

        When: a fork has failed after b_setbrand, or the process is reaped.
        Locks: none.
        May fail: no.
        Source: brand_clearbrand, os/brand.c.
        """

    @hookspec
    def b_lwpdata_alloc(self, proc: Proc) -> Any:
        """Allocate what b_initlwp will install.

        When: before the lwp exists.
        Locks: none.
        May fail: yes, the lwp is not made.
        Source: b_lwpdata_alloc, sys/brand.h.
        """

    @hookspec
    def b_lwpdata_free(self, proc: Proc, data: Any) -> None:
        """Free what b_lwpdata_alloc gave.

        When: the lwp was not made, so b_initlwp never had the data.
        Locks: none.
        May fail: no.
        Source: b_lwpdata_free, sys/brand.h.
        """

    @hookspec
    def b_initlwp(self, lwp: Lwp, data: Any) -> None:
        """Install the brand's data in a new lwp.

        When: the lwp is made, before anybody can find it.
        Locks: p_lock.
        May fail: no.
        Source: b_initlwp, sys/brand.h.
        """

    @hookspec
    def b_initlwp_post(self, lwp: Lwp) -> None:
        """The new lwp can be found by its id.

        When: it has been put into the tid hash.
        Locks: p_lock.
        May fail: no.
        Source: b_initlwp_post, sys/brand.h.
        """

    @hookspec
    def b_forklwp(self, src: Lwp, dst: Lwp) -> None:
        """Copy the brand's lwp data for a fork.

        When: forklwp, after the contract templates, before the class.
        Locks: none.
        May fail: no.
        Source: b_forklwp, sys/brand.h; forklwp, os/lwp.c.
        """

    @hookspec
    def b_lwp_setrval(self, lwp: Lwp, v1: int, v2: int) -> None:
        """Put the child's return values: v1 the parent's pid, v2 1.

        When: after the commit; never for a child that is then discarded.
        Locks: none.
        May fail: no.
        Source: fork.c:466.
        """

    # ---- exec ----

    @hookspec
    def b_elfexec(self, lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
        """Build the start of a program: its stack and registers, in ``info.as_``.

        When: before the point of no return.
        Locks: none.
        May fail: yes, exec fails and the caller lives on.
        Source: b_elfexec, sys/brand.h.
        """

    @hookspec
    def b_exec(self, lwp: Lwp) -> None:
        """The process is the new program, with this one lwp.

        When: after the point of no return, registers set.
        Locks: none.
        May fail: no.
        Source: b_exec, sys/brand.h.
        """

    # ---- exit and wait ----

    @hookspec
    def b_lwpexit(self, lwp: Lwp) -> None:
        """The lwp exits: futexes, child tid and the like.

        When: before b_proc_exit and b_freelwp.
        Locks: none.
        May fail: no.
        Source: b_lwpexit, sys/brand.h.
        """

    @hookspec
    def b_freelwp(self, lwp: Lwp) -> None:
        """Drop the brand's data of a lwp.

        When: it has exited, or its fork has failed.
        Locks: none.
        May fail: no.
        Source: b_freelwp, sys/brand.h.
        """

    @hookspec
    def b_proc_exit(self, proc: Proc) -> None:
        """The process ends; its brand data lives until b_clearbrand.

        When: the last lwp exits, after its b_lwpexit.
        Locks: none.
        May fail: no.
        Source: b_proc_exit, sys/brand.h.
        """

    @hookspec
    def b_exit_with_sig(self, proc: Proc, info: SigInfo) -> None:
        """Tell the parent of an exit.

        When: the process has become a zombie.
        Locks: pidlock.
        May fail: no.
        Source: b_exit_with_sig, sys/brand.h.
        """

    @hookspec
    def b_reaper(self, proc: Proc) -> Proc | None:
        """Who adopts the children of a process that exits; None for the zone's init.

        When: exit, with the children still those of ``proc``.
        Locks: pidlock.
        May fail: no.
        Source: PR_SET_CHILD_SUBREAPER, prctl(2) of Linux; illumos has no such thing.
        """

    @hookspec
    def b_wait_filter(self, parent: Lwp, child: Proc, options: int) -> bool:
        """Whether a wait with these options may see this child.

        When: waitid looks at a child.
        Locks: pidlock.
        May fail: no.
        Source: b_waitid_helper, sys/brand.h.
        """

    @hookspec
    def b_coreinfo(self, lwp: Lwp, info: SigInfo, plan: CorePlan) -> bool:
        """Put the brand's numbers and paths into a core file; False: there is none.

        When: a signal with the action core ends the process.
        Locks: none.
        May fail: no.
        Source: b_native_exec and elfcore, os/core.c.
        """

    # ---- system calls and signals ----

    @hookspec
    def b_sysret(self, lwp: Lwp, v1: int, v2: int) -> None:
        """Put the results of a call that succeeded.

        A brand with one result, in a0, takes ``core.syscall.sysret_a0``, which the
        hardware does by itself on the way back to the program.

        When: the handler has returned; the pc is behind the ecall.
        Locks: none.
        May fail: no.
        Source: post_syscall, the brand's ABI.
        """

    @hookspec
    def b_syserr(self, lwp: Lwp, errno: Errno) -> None:
        """Put the error of a call that failed.

        When: the handler has raised; the pc is behind the ecall.
        Locks: none.
        May fail: no.
        Source: set_errno, the brand's ABI.
        """

    @hookspec
    def b_nosys(self, lwp: Lwp, number: int) -> None:
        """The number is not in the table; a signal may be posted here.

        When: also for a row of level absent.  Returning makes the call fail with
            ENOSYS.
        Locks: none.
        May fail: no.
        Source: nosys, os/main.c.
        """

    @hookspec
    def b_sendsig(
        self, lwp: Lwp, sig: int, info: SigInfo, act: SigAction, mask: int
    ) -> None:
        """Make the lwp run a handler: frame on its stack, registers.

        ``mask`` is the blocked set to put back at the end of the handler.

        When: on the way to user mode, for a signal that is caught.
        Locks: none.
        May fail: yes, EFAULT: no room on the stack; the process dies of SIGSEGV.
        Source: b_sendsig, sys/brand.h.
        """
