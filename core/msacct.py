"""Microstate accounting: where the virtual time of a lwp has gone (sys/msacct.h).

A lwp is in one microstate at a time.  Time is charged only where the dispatcher
changes it (dispatch, end of a slice, sleep, stop, wakeup), so the states add up to
the age of the lwp to the cycle, and running costs nothing.  On a CPU the time is the
system's as far as system calls cost any, that of traps and faults as far as these
do (``trap_cost``, ``fault_cost``), and else the user's.

A wakeup by a CPU that is behind does not put a lwp back in its own time.
"""

from __future__ import annotations

from enum import IntEnum
from operator import add
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc


class Lms(IntEnum):
    """The microstates (sys/msacct.h)."""

    USER = 0
    SYSTEM = 1
    TRAP = 2
    TFAULT = 3
    DFAULT = 4
    KFAULT = 5
    USER_LOCK = 6
    SLEEP = 7
    WAIT_CPU = 8
    STOPPED = 9


CYCLE = 67
"""Slot of the clock of a lwp's hart."""
NMSTATES = len(Lms)
TRAP, TFAULT, DFAULT, KFAULT = 2, 3, 4, 5
USER, USER_LOCK, SLEEP, WAIT_CPU, STOPPED = 0, 6, 7, 8, 9
"""The same as plain ints, for the dispatcher."""


def new_mstate(lwp: Lwp, state: int) -> None:
    """Charge the time since the last change and go to another state."""
    now = lwp.kernel.now
    spent = now - lwp.msince
    if spent > 0:
        lwp.ms[lwp.mstate] += spent
        lwp.msince = now
    lwp.mstate = state


def trap_mstate(lwp: Lwp, state: int) -> None:
    """The running lwp takes a trap or fault: let that cost time, in this state."""
    k = lwp.kernel
    cost = k.config.trap_cost if state == TRAP else k.config.fault_cost
    lwp.ms[state] += cost
    k.trapped += cost
    k.now += cost
    lwp.regs[CYCLE] = k.now


def lwp_mstates(lwp: Lwp) -> tuple[int, ...]:
    """Cycles in each state up to now; a slice in progress is the user's."""
    ms = lwp.ms.copy()
    ms[lwp.mstate] += max(0, lwp.kernel.now - lwp.msince)
    return _split(ms, lwp.stime)


def proc_mstates(proc: Proc) -> tuple[int, ...]:
    """Cycles in each state of all lwps a process has and has had."""
    out = list(_split(proc.ms, proc.stime))
    for t in proc.lwps:
        out = [a + b for a, b in zip(out, lwp_mstates(t), strict=True)]
    return tuple(out)


def mstates_of(kernel: Kernel) -> dict[str, int]:
    """Cycles in each state of all processes that are not reaped yet."""
    total = [0] * NMSTATES
    for proc in kernel.practive:
        total = [a + b for a, b in zip(total, proc_mstates(proc), strict=True)]
    return {s.name.lower(): total[s] for s in Lms}


def lwp_mstate_exit(lwp: Lwp) -> None:
    """A lwp ends: what it spent goes to its process."""
    new_mstate(lwp, STOPPED)
    lwp.proc.ms = list(map(add, lwp.proc.ms, lwp.ms))


def _split(ms: list[int], system: int) -> tuple[int, ...]:
    """The time on CPUs, counted as the user's, is partly the system's and of traps."""
    return (ms[USER] - system - sum(ms[TRAP : KFAULT + 1]), system, *ms[2:])
