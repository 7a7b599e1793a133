"""Operations of the xv6 brand: registers, program start, limits.

Sources: kernel/exec.c, kernel/trap.c, kernel/param.h of xv6-riscv.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from personae.core.config.markers import Range
from personae.core.errno import Errno, KernelError
from personae.core.exec import StartState
from personae.core.hookspecs import hookimpl
from personae.core.regs import A0, A1, MASK
from personae.core.signal import set_action
from personae.core.signo import SIG_IGN, Sig, SigAction
from personae.core.vm.layout import PAGE, MapFlag, Prot, page_up

if TYPE_CHECKING:
    from personae.core.elf import ElfImage
    from personae.core.exec import ExecInfo
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As
    from personae.core.zone import Zone

NPROC = 64
"""Most processes, when the zone does not say otherwise."""
RW = int(Prot.READ | Prot.WRITE)
FIXED = MapFlag.PRIVATE | MapFlag.FIXED
UNKNOWN_SIGNALS = (
    Sig.SIGPIPE, Sig.SIGINT, Sig.SIGQUIT, Sig.SIGTSTP, Sig.SIGTTIN, Sig.SIGTTOU,
    Sig.SIGHUP,
)  # fmt: skip
"""What pipes and terminals send here and xv6 has no notion of."""


@dataclass(frozen=True)
class Options:
    """The table ``[zone.NAME.xv6]``."""

    nproc: Annotated[int, Range(1, 8192), "most processes"] = NPROC


class Xv6Ops:
    """What xv6 does where brands differ."""

    zone_options = Options
    """The table ``[zone.NAME.xv6]``."""

    @hookimpl
    def b_init_brand_data(self, zone: Zone) -> None:
        """The size of xv6's process table, as a limit of the zone."""
        nproc = zone.options.get("nproc", NPROC)
        if type(nproc) is not int or nproc < 1:
            why = f"zone {zone.name}: nproc = {nproc!r} is not a number from 1 on"
            raise KernelError(Errno.EINVAL, why)
        zone.set_rctl("zone.max-processes", nproc)

    @hookimpl
    def b_lwp_setrval(self, lwp: Lwp) -> None:
        """Fork returns 0 in the child."""
        lwp.regs[A0] = 0

    @hookimpl
    def b_sysret(self, lwp: Lwp, v1: int) -> None:
        """The result is in a0."""
        lwp.regs[A0] = v1 & MASK

    @hookimpl
    def b_syserr(self, lwp: Lwp) -> None:
        """Every error is -1."""
        lwp.regs[A0] = MASK

    @hookimpl
    def b_elfexec(self, image: ElfImage, info: ExecInfo) -> StartState:
        """Behind the program a guard page and one page of stack; argv is on it."""
        fill_gaps(info.as_, image, info.base)
        base = page_up(info.brk) + PAGE
        top = base + PAGE
        info.as_.map(base, PAGE, RW, FIXED, name=b"[stack]")
        sp, at = top, []
        for arg in info.argv:
            sp = (sp - len(arg) - 1) & ~15
            at.append((sp, arg + b"\0"))
        strings = sp
        sp = (sp - 8 * (len(at) + 1)) & ~15
        if sp < base:
            raise KernelError(Errno.E2BIG, "the arguments fill the page of the stack")
        vector = struct.pack(f"<{len(at) + 1}Q", *(a for a, _ in at), 0)
        for where, data in (*at, (sp, vector)):
            info.as_.copyout(where, data)
        return StartState(
            sp=sp,
            pc=info.start,
            regs={A0: len(at), A1: sp},
            arg_range=(strings, top),
            env_range=(top, top),
            stack=(base, top),
            brk=top,
        )

    @hookimpl
    def b_exec(self, lwp: Lwp) -> None:
        """Nothing but kill ends a process."""
        for sig in UNKNOWN_SIGNALS:
            set_action(lwp.proc, sig, SigAction(SIG_IGN))

    @hookimpl
    def b_coreinfo(self) -> bool:
        """A process that is killed leaves no core file."""
        return False


def fill_gaps(as_: As, image: ElfImage, base: int) -> None:
    """A process has all memory from 0 to its size, also between its segments."""
    end = 0
    for p in image.loads:
        start = p.vaddr + base
        if start > end:
            as_.map(end, start - end, p.prot | Prot.READ, FIXED)
        end = page_up(start + p.memsz)
