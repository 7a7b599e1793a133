"""waitid: learn of a child's change of state, and reap it (os/exit.c, waitid).

Locks: pidlock while the children are looked at.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError
from personae.core.exit import freeproc
from personae.core.flags import quick_flags
from personae.core.proc import CLDWAITPID, SZOMB, Proc
from personae.core.signal import sigcld_repost
from personae.core.signo import CLD_EXITED, SIGCLD, CldCode, sigbit
from personae.core.sync import Sleep

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


class IdType(Enum):
    """Which children (idtype_t)."""

    PID = "pid"
    PGID = "pgid"
    ALL = "all"


@quick_flags
class WaitFlag(IntFlag):
    """Options; the first six have illumos' numbers, the rest are a brand's wishes."""

    WEXITED = 1
    WTRAPPED = 2
    WUNTRACED = 4
    WCONTINUED = 8
    WNOHANG = 0x40
    WNOWAIT = 0x80
    WNOTHREAD = 0x10000
    WALL = 0x20000
    WCLONE = 0x40000


NATIVE_OPTIONS = (
    WaitFlag.WEXITED
    | WaitFlag.WTRAPPED
    | WaitFlag.WUNTRACED
    | WaitFlag.WCONTINUED
    | WaitFlag.WNOHANG
    | WaitFlag.WNOWAIT
)


WEXITED, WTRAPPED, WUNTRACED, WCONTINUED, WNOHANG, WNOWAIT = 1, 2, 4, 8, 0x40, 0x80
ANY_EVENT = WEXITED | WTRAPPED | WUNTRACED | WCONTINUED
ALL, PID, PGID = IdType.ALL, IdType.PID, IdType.PGID


class WaitResult(NamedTuple):
    """What a wait found.

    Attributes:
        code: CLD_EXITED, CLD_KILLED ...
        status: Exit status (all its bits), or signal (illumos number).
        utime: CPU time of the child and its reaped children, in cycles.
        stime: Likewise system time.
        zoneid: Its zone.
    """

    pid: int
    uid: int
    code: int
    status: int
    utime: int
    stime: int
    zoneid: int

    def wstat(self, sig: int | None = None) -> int:
        """The status word of wait(3), with the brand's number of the signal."""
        s = self.status if sig is None else sig
        if self.code == CLD_EXITED:
            return (self.status & 0xFF) << 8
        if self.code == CldCode.KILLED:
            return s & 0x7F
        if self.code == CldCode.DUMPED:
            return (s & 0x7F) | 0x80
        if self.code == CldCode.CONTINUED:
            return 0xFFFF
        return (s << 8) | 0x7F


def waitid(lwp: Lwp, idtype: IdType, ident: int, options: int) -> WaitResult | None:
    """Wait for a child.

    Args:
        lwp: The caller.
        idtype: Which children.
        ident: Pid or group; not used for ALL.
        options: ``WaitFlag`` bits, at least one of WEXITED, WUNTRACED, WCONTINUED,
            WTRAPPED.

    Returns:
        What was found; None with WNOHANG when no child has changed.

    Raises:
        KernelError: ECHILD, no such child; EINVAL, no event asked for.
        Sleep: Nothing yet.
    """
    p = lwp.proc
    if not options & ANY_EVENT:
        raise KernelError(Errno.EINVAL, "no event to wait for")
    found = False
    pidlock = p.kernel.pidlock
    pidlock.enter()
    try:
        wanted = p.brand.ops.b_wait_filter
        for c in p.children():
            if idtype is not ALL and not _matches(c, idtype, ident):
                continue
            if not wanted(lwp, c, options):
                continue
            if c.pidflag & CLDWAITPID and idtype is not PID:
                found = found or c.stat is not SZOMB
                continue
            if c.stat is not SZOMB or options & WEXITED:
                found = True
            if _ready(c, options):
                break
        else:
            c = None
    finally:
        pidlock.exit()
    if c is not None:
        return _report(p, c, options)
    if not found:
        raise KernelError(Errno.ECHILD, "no such child")
    if options & WNOHANG:
        return None
    raise Sleep(p.wait_cv)


def _matches(c: Proc, idtype: IdType, ident: int) -> bool:
    if idtype is PID:
        return c.pid == ident
    return idtype is not PGID or c.pgid == ident


def _ready(c: Proc, options: int) -> bool:
    if c.stat is SZOMB:
        return bool(options & WEXITED)
    if not c.newstate:
        return False
    if c.wcode == CldCode.STOPPED:
        return bool(options & WUNTRACED)
    if c.wcode == CldCode.TRAPPED:
        return bool(options & WTRAPPED)
    return bool(options & WCONTINUED)


def _report(p: Proc, c: Proc, options: int) -> WaitResult:
    result = WaitResult(
        c.pid,
        c.cred.uid,
        c.wcode,
        c.wdata,
        c.utime + c.cutime,
        c.stime + c.cstime,
        c.zone.id,
    )
    if options & WNOWAIT:
        return result
    if p.brand.sigcld_discard:
        _discard_sigcld(p, c)
    if c.stat is SZOMB:
        freeproc(c)
    else:
        c.newstate = False
    sigcld_repost(p)  # its own may have been the next to be told
    return result


def _discard_sigcld(p: Proc, c: Proc) -> None:
    """Drop the siginfo of a SIGCLD about this very change (sigcld_delete)."""
    for info in p.sigqueue:
        if (info.signo, info.pid, info.code) == (SIGCLD, c.pid, c.wcode):
            p.sigqueue.remove(info)
            p.sig &= ~sigbit(SIGCLD)
            return
