"""Process ids as a Linux guest sees them.

Numbers are global to the machine, as in LX.  A guest sees those of its own zone
only; its zone's init shows as 1, and what lies above init shows as 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone


def first_of(zone: Zone) -> Proc | None:
    """Who shows as 1: the zone's init or, where none was started, its zsched."""
    return zone.init or zone.zsched


def linux_pid(proc: Proc) -> int:
    """The number a process shows inside its own zone."""
    zone = proc.zone
    return 1 if (zone.init or zone.zsched) is proc else proc.pid


def linux_ppid(proc: Proc) -> int:
    """The parent's number; 0 for init, and for what was started beside init."""
    parent, zone = proc.parent, proc.zone
    if parent is None or parent.zone is not zone:
        return 0
    if parent is zone.zsched:
        return 1 if zone.init is None else 0
    return 1 if zone.init is parent else parent.pid


def pid_to_guest(zone: Zone, pid: int) -> int:
    """A process, group or session number as the zone sees it; 0 from outside."""
    init = first_of(zone)
    if init is not None and pid == init.pid:
        return 1
    if pid <= 0:
        return 0
    proc = zone.kernel.pids.prfind(pid)
    if proc is not None and proc.zone is not zone:
        return 0
    return pid


def pid_from_guest(zone: Zone, pid: int) -> int:
    """The machine's number for what a guest names; -1 for what it can't see.

    Zero stays zero, as it means the caller in most calls.
    """
    init = first_of(zone)
    if pid == 1:
        return init.pid if init is not None else -1
    if init is not None and pid == init.pid:
        return -1
    if zone.zsched is not None and pid == zone.zsched.pid:
        return -1  # above init, so nobody (it shows as 0)
    return pid


def find_proc(zone: Zone, pid: int) -> Proc:
    """The process of the zone that a guest names.

    Raises:
        KernelError: ESRCH, there is none in this zone.
    """
    number = pid_from_guest(zone, pid)
    proc = zone.kernel.pids.prfind(number) if number > 0 else None
    if proc is None or proc.zone is not zone:
        raise KernelError(Errno.ESRCH, f"no process {pid}")
    return proc


def linux_tid(lwp: Lwp) -> int:
    """The thread id of a lwp: its own number, or that of its process."""
    data = lwp.brand_lwp
    tid: int = data.tid if data is not None else 0
    return tid or linux_pid(lwp.proc)


def find_thread(zone: Zone, tid: int) -> Lwp:
    """The thread of the zone that a guest names.

    Raises:
        KernelError: ESRCH, there is none.
    """
    number = pid_from_guest(zone, tid)
    pid = zone.kernel.pids.hash.get(number) if number > 0 else None
    if pid is not None:
        proc = pid.proc
        if proc is not None and proc.zone is zone:
            for lwp in proc.lwps:
                if lwp.brand_lwp is None or not lwp.brand_lwp.tid:
                    return lwp
            if proc.lwps:
                return proc.lwps[0]
        for proc in zone_procs(zone):
            for lwp in proc.lwps:
                if linux_tid(lwp) == tid:
                    return lwp
    raise KernelError(Errno.ESRCH, f"no thread {tid}")


def zone_procs(zone: Zone) -> list[Proc]:
    """The user processes of a zone, zombies too, by number."""
    return sorted(zone.kernel.zone_procs(zone), key=lambda p: p.pid)
