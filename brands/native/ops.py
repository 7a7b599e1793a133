"""Operations of the native brand: registers, program start, signals, mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi, sendsig, start
from personae.brands.native.data import LwpData
from personae.core.hookspecs import hookimpl
from personae.core.lwp import TpFlag
from personae.core.signal import tsignal
from personae.core.signo import Sig

if TYPE_CHECKING:
    from personae.core.elf import ElfImage
    from personae.core.errno import Errno
    from personae.core.exec import ExecInfo, StartState
    from personae.core.lwp import Lwp
    from personae.core.signo import SigAction, SigInfo
    from personae.core.zone import Zone


class NativeOps:
    """What illumos does where brands differ."""

    zone_options = ()
    """Keys of a zone's table ``[zone.NAME.native]``: there are none."""

    @hookimpl
    def b_mountzone(self, zone: Zone) -> None:
        """/dev, /tmp, /proc and /system/contract."""
        start.mountzone(zone)

    @hookimpl
    def b_lwpdata_alloc(self) -> LwpData:
        """Lwp data."""
        return LwpData()

    @hookimpl
    def b_lwpexit(self, lwp: Lwp) -> None:
        """Somebody may lwp_wait() for it; its timers of CPU time are gone."""
        if isinstance(lwp.brand_lwp, LwpData):
            for timer in lwp.brand_lwp.itimers.values():
                timer.cancel()
        if lwp.tpflag & TpFlag.TP_TWAIT:
            lwp.proc.zombies.append(lwp.tid)

    @hookimpl
    def b_exec(self, lwp: Lwp) -> None:
        """The one lwp that is left is number 1 (exec_args, os/exec.c)."""
        lwp.proc.zombies.clear()
        lwp.proc.lwpdaemon = 0
        lwp.tpflag &= ~TpFlag.TP_DAEMON
        lwp.tid = lwp.proc.lwpid = 1

    @hookimpl
    def b_lwp_setrval(self, lwp: Lwp, v1: int, v2: int) -> None:
        """The child of a fork sees the parent's id and 1."""
        _result(lwp, v1, v2)

    @hookimpl
    def b_sysret(self, lwp: Lwp, v1: int, v2: int) -> None:
        """Success: t0 is 0, a0 and a1 are the results."""
        _result(lwp, v1, v2)

    @hookimpl
    def b_syserr(self, lwp: Lwp, errno: Errno) -> None:
        """Failure: t0 is 1, a0 the error."""
        lwp.regs[abi.REG_T0] = 1
        lwp.regs[abi.REG_A0] = int(errno)

    @hookimpl
    def b_nosys(self, lwp: Lwp, number: int) -> None:
        """A number that nobody has: SIGSYS, and ENOSYS if that is survived.

        A call of illumos that is only absent here is ENOSYS and nothing more.
        """
        if number not in lwp.proc.brand.sysent:
            tsignal(lwp, Sig.SIGSYS)

    @hookimpl
    def b_elfexec(self, lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
        """Stack and registers of a new program."""
        return start.elfexec(lwp, image, info)

    @hookimpl
    def b_sendsig(
        self, lwp: Lwp, sig: int, info: SigInfo, act: SigAction, mask: int
    ) -> None:
        """Frame of a handler."""
        sendsig.sendsig(lwp, sig, info, act, mask)


def _result(lwp: Lwp, v1: int, v2: int) -> None:
    regs = lwp.regs
    regs[abi.REG_T0] = 0
    regs[abi.REG_A0] = v1 & 0xFFFFFFFFFFFFFFFF
    regs[abi.REG_A1] = v2 & 0xFFFFFFFFFFFFFFFF
