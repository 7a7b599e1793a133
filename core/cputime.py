"""CPU time as of now: what is counted, and what a lwp has run since (in cycles)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.regs import INSTRET

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

"""Slot of a lwp's registers that counts its instructions, one a cycle."""


def lwp_cycles(lwp: Lwp) -> tuple[int, int]:
    """User and system time of a lwp."""
    return max(lwp.utime, lwp.regs[INSTRET]), lwp.stime


def proc_cycles(proc: Proc) -> tuple[int, int]:
    """User and system time of a process with all its lwps."""
    user, system = proc.utime, proc.stime
    for lwp in proc.lwps:
        u, s = lwp_cycles(lwp)
        user += u
        system += s
    return user, system


def settle(lwp: Lwp) -> None:
    """The lwp ends: what it used is in its counters from now on."""
    lwp.utime, lwp.stime = lwp_cycles(lwp)
