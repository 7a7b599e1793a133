"""Operations of the linux brand: what differs from the generic kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.brands.linux import (
    core,
    mounts,
    policies,
    sharing,
    start,
    threads,
)
from personae.brands.linux.abi import NEG_ERRNO
from personae.brands.linux.data import LwpData, ProcData, ZoneData, pdata
from personae.brands.linux.signals import sendsig
from personae.brands.linux.sys_proc import wait_filter
from personae.core.hookspecs import hookimpl
from personae.core.regs import A0
from personae.core.signal import psignal
from personae.core.signo import SIGCLD, SigInfo
from personae.core.syscall import sysret_a0

if TYPE_CHECKING:
    from personae.core.coretext import CorePlan
    from personae.core.elf import ElfImage
    from personae.core.errno import Errno
    from personae.core.exec import ExecInfo, StartState
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigAction
    from personae.core.zone import Zone


class LinuxOps:
    """The operation vector of Linux."""

    zone_options = ("release", "version", "domainname")
    """Keys of a zone's table ``[zone.NAME.linux]``; see ``ZoneData.of_zone``."""

    # ---- zone ----

    @hookimpl
    def b_init_brand_data(self, zone: Zone) -> None:
        """Names of the zone and its futexes."""
        zone.brand_data = ZoneData.of_zone(zone)

    @hookimpl
    def b_mountzone(self, zone: Zone) -> None:
        """/proc, /dev, /tmp and /dev/shm."""
        mounts.mountzone(zone)

    # ---- process ----

    @hookimpl
    def b_setbrand(self, proc: Proc) -> None:
        """A zeroed block."""
        proc.brand_data = ProcData.zeroed()

    @hookimpl
    def b_copy_procdata(self, child: Proc, parent: Proc) -> None:
        """A private copy for a fork."""
        child.brand_data = pdata(parent).forked()

    @hookimpl
    def b_lwpdata_alloc(self, proc: Proc) -> LwpData:
        """A further thread of a process gets a number of its own."""
        pidp = threads.new_tid(proc)
        return LwpData(tid=pidp.pid_id if pidp is not None else 0, pidp=pidp)

    @hookimpl
    def b_lwpdata_free(self, proc: Proc, data: Any) -> None:
        """The thread is not made."""
        threads.free_tid(data, proc)

    @hookimpl
    def b_forklwp(self, src: Lwp, dst: Lwp) -> None:
        """The scheduling policy is inherited."""
        policies.inherit(src, dst)

    @hookimpl
    def b_freelwp(self, lwp: Lwp) -> None:
        """The thread is gone: its number is free."""
        threads.free_tid(lwp.brand_lwp, lwp.proc)
        lwp.brand_lwp = None

    @hookimpl
    def b_lwp_setrval(self, lwp: Lwp, v1: int, v2: int) -> None:
        """A child returns 0, whatever the values; a1 stays.

        SCHED_RESET_ON_FORK acts here, where the child is in its class.
        """
        lwp.regs[A0] = 0
        policies.reset_on_fork(lwp)

    # ---- exec ----

    @hookimpl
    def b_elfexec(self, lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
        """Stack, auxiliary vector and the page handlers return to."""
        return start.elfexec(lwp, image, info)

    @hookimpl
    def b_exec(self, lwp: Lwp) -> None:
        """The process has become another program."""
        start.after_exec(lwp)

    # ---- exit and wait ----

    @hookimpl
    def b_lwpexit(self, lwp: Lwp) -> None:
        """Futexes and the child tid."""
        threads.lwp_gone(lwp)

    @hookimpl
    def b_proc_exit(self, proc: Proc) -> None:
        """Leave clone groups; children ask for a signal; a vfork parent goes on."""
        sharing.leave(proc)
        start.release_vfork_parent(proc)
        for child in proc.children():
            sig = pdata(child).pdeathsig if child.brand is proc.brand else 0
            if sig:
                start.parent_died(child, sig)

    @hookimpl
    def b_coreinfo(self, lwp: Lwp, info: SigInfo, plan: CorePlan) -> bool:
        """core_pattern, and the numbers that the guest knows."""
        return core.coreinfo(lwp, info, plan)

    @hookimpl
    def b_exit_with_sig(self, proc: Proc, info: SigInfo) -> None:
        """The exit signal of clone(2): SIGCHLD, another one, or none."""
        sig = proc.exit_signal
        cv = pdata(proc).exit_cv
        if cv is not None:
            proc.kernel.wakeup(cv)
        if sig == SIGCLD:
            proc.kernel.sigcld(proc, info)
        elif sig and proc.parent is not None:
            psignal(proc.parent, sig, info)

    @hookimpl
    def b_reaper(self, proc: Proc) -> Proc | None:
        """The nearest ancestor that said PR_SET_CHILD_SUBREAPER."""
        return start.subreaper_of(proc)

    @hookimpl
    def b_wait_filter(self, parent: Lwp, child: Proc, options: int) -> bool:
        """__WCLONE and __WALL."""
        del parent
        return wait_filter(child, options)

    # ---- system calls and signals ----

    b_sysret = staticmethod(sysret_a0)

    @hookimpl
    def b_syserr(self, lwp: Lwp, errno: Errno) -> None:
        """-errno in a0."""
        lwp.regs[A0] = NEG_ERRNO[errno]

    @hookimpl
    def b_sendsig(
        self, lwp: Lwp, sig: int, info: SigInfo, act: SigAction, mask: int
    ) -> None:
        """An rt_sigframe."""
        sendsig(lwp, sig, info, act, mask, start.SIGPAGE)
