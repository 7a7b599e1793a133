"""Watched areas of a process: set, met, parked for a vfork (os/watchpoint.c, prwatch).

An access to a watched page faults.  If it touches a watched area the process stops
(FLTWATCH) or gets SIGTRAP, before the instruction or after it (WA_TRAPAFTER); else
the one instruction is executed with the pages open.

Must not know: who set the areas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core import prstop, signal
from personae.core.errno import Errno, KernelError
from personae.core.proc import ProcFlag
from personae.core.regs import PC
from personae.core.signo import Sig
from personae.core.step import (
    BUDGET,
    NOMEM,
    Access,
    data_access,
    fetch,
    length,
    rearm,
    step,
)
from personae.core.vm.layout import USER_TOP
from personae.core.vm.watch import KINDS, Area, Watch, WFlag

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

FLTWATCH = 12
TRAP_RWATCH, TRAP_WWATCH, TRAP_XWATCH = 3, 4, 5
"""si_code of SIGTRAP (sys/siginfo.h)."""


def set_area(p: Proc, addr: int, size: int, flags: int) -> None:
    """Set a watched area, or with flags 0 clear it; see ``prctl.Control.watch``."""
    if p.as_ is None or p.flag & (ProcFlag.SVFWAIT | ProcFlag.SVFORK):
        raise KernelError(Errno.EBUSY, "the address space is lent")
    areas = [a for a in p.warea if (a.addr, a.size) != (addr, size)]
    if flags == 0:
        if len(areas) == len(p.warea):
            raise KernelError(Errno.ESRCH, f"no watched area at {addr:#x}")
    else:
        _check(addr, size, flags, areas)
        areas.append(Area(addr, size, flags))
    old, new = p.as_.watch, Watch(areas)
    if old is not None and old.shut:
        old.open(p.as_)
    p.as_.watch = new if areas else None
    try:
        if areas:
            new.arm(p.as_)
    except KernelError:
        new.open(p.as_)
        p.as_.watch = old
        rearm(p.as_)
        raise
    p.warea = sorted(areas)


def _check(addr: int, size: int, flags: int, areas: list[Area]) -> None:
    known = KINDS | int(WFlag.WA_TRAPAFTER)
    if flags & ~known or not flags & KINDS or size <= 0 or addr + size > USER_TOP:
        raise KernelError(Errno.EINVAL, f"watched area {addr:#x}+{size} {flags:#x}")
    if any(addr < a.addr + a.size and a.addr < addr + size for a in areas):
        raise KernelError(Errno.EINVAL, "it overlaps another watched area")


def clear_all(p: Proc) -> None:
    """The space goes, and with it what was watched."""
    p.warea, p.wpage = [], []


# ---- vfork: the child must not trip over the parent's areas (FORK-61) ----


def park(p: Proc) -> None:
    """Step C8v: the areas go to p_wpage, the space is open.  ENOMEM: nothing done."""
    if p.warea and p.as_ is not None and p.as_.watch is not None:
        try:
            p.as_.watch.open(p.as_)
        except KernelError:
            rearm(p.as_)
            raise
        p.as_.watch.parked = True
    p.wpage, p.warea = p.warea, []


def restore(p: Proc) -> None:
    """The space is the parent's again, or the vfork has failed."""
    if p.wpage:
        p.warea, p.wpage = p.wpage, []
        shut(p)


def shut(p: Proc) -> None:
    """Enforce the areas again, where that is due (the end of vfwait)."""
    space = p.as_
    if p.warea and space is not None and space.watch is not None:
        rearm(space)


# ---- an access ----


def met(k: Kernel, lwp: Lwp) -> int:
    """An access to a watched page has faulted: what the hart would say of it now.

    Returns:
        BUDGET, it is settled; else a trap to deal with.
    """
    space = lwp.proc.as_
    if space is None or space.watch is None:
        return BUDGET
    try:
        insn = fetch(space, lwp.regs[PC])
    except KernelError:
        return NOMEM
    hit = _hit(lwp, insn) if lwp.proc.warea else None
    if hit is not None and not hit[0].flags & WFlag.WA_TRAPAFTER:
        _report(lwp, *hit)
        return BUDGET
    trap = step(k, lwp)
    if hit is not None and trap == BUDGET:
        _report(lwp, *hit)
    return trap


def _hit(lwp: Lwp, insn: int) -> tuple[Area, Access] | None:
    """The area that this instruction touches, and how."""
    accesses = [Access(lwp.regs[PC], length(insn), int(WFlag.WA_EXEC))]
    data = data_access(insn, lwp.regs)
    if data is not None:
        accesses.append(data)
    for a in lwp.proc.warea:
        for got in accesses:
            touches = got.addr < a.addr + a.size and a.addr < got.addr + got.size
            if touches and a.flags & got.kinds:
                return a, got
    return None


def _report(lwp: Lwp, area: Area, got: Access) -> None:
    kinds = area.flags & got.kinds
    code = TRAP_XWATCH
    if kinds & WFlag.WA_WRITE:
        code = TRAP_WWATCH
    elif kinds & WFlag.WA_READ:
        code = TRAP_RWATCH
    addr = max(area.addr, got.addr)
    for watch in lwp.kernel.observers.personae_fault:
        watch(lwp, FLTWATCH, addr)
    if not prstop.faulted(lwp, FLTWATCH, Sig.SIGTRAP, code, addr):
        signal.trapsig(lwp, Sig.SIGTRAP, code, addr)
