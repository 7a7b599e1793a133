"""Core files of Linux: core_pattern, and the numbers that a guest knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.data import ZoneData, ldata, pdata
from personae.brands.linux.pids import linux_pid, linux_ppid, pid_to_guest
from personae.brands.linux.sigabi import TO_LINUX, pack_siginfo, sigset_to_linux
from personae.core.corefile import (
    CC_ANON,
    CC_DATA,
    CC_HEAP,
    CC_ISM,
    CC_SHANON,
    CC_SHM,
    CC_STACK,
)
from personae.core.coretext import common_names, expand

if TYPE_CHECKING:
    from personae.core.coretext import CorePlan
    from personae.core.lwp import Lwp
    from personae.core.signo import SigInfo

FILTER = CC_STACK | CC_HEAP | CC_ANON | CC_DATA | CC_SHANON | CC_SHM | CC_ISM
"""coredump_filter 0x33: anonymous memory, private and shared, and ELF headers."""


def coreinfo(lwp: Lwp, info: SigInfo, plan: CorePlan) -> bool:
    """Put the guest's numbers in; no core if the process is not dumpable.

    A pattern that begins with a bar names a program of the host's init to pipe to;
    there is none.
    """
    proc = lwp.proc
    zone: ZoneData = proc.zone.brand_data
    if pdata(proc).dumpable != 1 or zone.core_pattern[:1] in (b"|", b""):
        return False
    zid = proc.zone
    plan.signo = TO_LINUX[plan.signo]
    plan.pid, plan.ppid = linux_pid(proc), linux_ppid(proc)
    plan.pgrp, plan.sid = pid_to_guest(zid, proc.pgid), pid_to_guest(zid, proc.sid)
    plan.siginfo = pack_siginfo(info, pid_to_guest(zid, info.pid))
    plan.code = int.from_bytes(plan.siginfo[8:12], "little", signed=True)
    for thread in plan.threads:
        thread.tid = ldata(thread.lwp).tid or plan.pid
        thread.pending = sigset_to_linux(thread.pending)
        thread.blocked = sigset_to_linux(thread.blocked)
    names = {
        **common_names(lwp, plan.signo),
        "p": b"%d" % plan.pid,
        "P": b"%d" % proc.pid,
        "i": b"%d" % plan.threads[0].tid,
        "e": proc.user.u_comm.replace(b"/", b"!"),
        "h": zone.nodename,
    }
    plan.files = [(expand(zone.core_pattern, names), FILTER)]
    return True
