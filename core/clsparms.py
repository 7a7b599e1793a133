"""What a scheduling class says about itself, and the parameters of its lwps.

priocntl(2) hands parameters to a class and back.  A field that is None is left as it
is when parameters are set, and has the default of the class when one is entered
(TS_NOCHANGE and its like).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.policy import secpolicy_raisepriority

if TYPE_CHECKING:
    from personae.core.cred import Cred

NZERO = 20
"""The normal nice value, in the kernel's counting from 0 to 39."""
MAXUPRI = 60
"""Limit of user priorities of TS, IA, FX and FSS (ts_maxupri)."""
TQINF = -2
"""No end of the quantum (RT_TQINF, FX_TQINF)."""
TQDEF = -3
"""The quantum of the priority's row in the table (RT_TQDEF, FX_TQDEF)."""
IA_INTERACTIVE_OFF = 0
IA_SET_INTERACTIVE = 1


@dataclass(frozen=True)
class ClassInfo:
    """What PC_GETCLINFO tells of a class.

    Attributes:
        name: Its name.
        maxupri: Highest user priority; for RT the highest real-time priority.
        niced: Whether its lwps have nice values.
        privileged: Only a holder of PROC_PRIOCNTL may put a lwp into it.
        settable: Whether priocntl(2) may put lwps into it at all.
    """

    name: str
    maxupri: int = 0
    niced: bool = False
    privileged: bool = False
    settable: bool = True


@dataclass(frozen=True)
class TsParms:
    """TS, IA and FSS: a user priority and its limit (tsparms_t)."""

    upri: int | None = None
    uprilim: int | None = None


@dataclass(frozen=True)
class IaParms(TsParms):
    """IA: user priority, its limit, and whether the boost applies (iaparms_t)."""

    mode: int | None = None


@dataclass(frozen=True)
class FxParms:
    """FX: priority, its limit and the quantum (fxparms_t).

    Attributes:
        upri: Priority, 0 to 60.
        uprilim: Its limit.
        quantum: Nanoseconds, ``TQINF`` or ``TQDEF``.
    """

    upri: int | None = None
    uprilim: int | None = None
    quantum: int | None = None


@dataclass(frozen=True)
class RtParms:
    """RT: priority, quantum and signal (rtparms_t).

    Attributes:
        pri: 0 to 59.
        quantum: Nanoseconds, ``TQINF`` or ``TQDEF``.
        tqsignal: Sent at the end of each quantum; 0 for none.
    """

    pri: int | None = None
    quantum: int | None = None
    tqsignal: int | None = None


def user_priority(
    parms: TsParms, upri: int, uprilim: int, cred: Cred | None
) -> tuple[int, int]:
    """The user priority and limit that ``parms`` make of those there (ts_parmsset).

    Args:
        parms: What is asked for.
        upri: The present user priority.
        uprilim: The present limit.
        cred: Who asks; None is the kernel, which may.

    Raises:
        KernelError: EINVAL out of range; EPERM, only a privileged caller raises the
            limit.
    """
    for value in (parms.upri, parms.uprilim):
        if value is not None and not -MAXUPRI <= value <= MAXUPRI:
            raise KernelError(Errno.EINVAL, f"user priority {value}")
    limit = uprilim if parms.uprilim is None else parms.uprilim
    wanted = upri if parms.upri is None else parms.upri
    may_raise(cred, limit > uprilim)
    return min(wanted, limit), limit


def may_raise(cred: Cred | None, raises: bool) -> None:
    """EPERM if this would raise a priority and the caller must not."""
    if raises and cred is not None and not secpolicy_raisepriority(cred):
        raise KernelError(Errno.EPERM, "raising a priority")


def nice_of(upri: int) -> int:
    """The nice value, 0 to 39, that a user priority stands for."""
    down = NZERO * abs(upri) // MAXUPRI  # as C divides: towards 0
    return max(0, min(2 * NZERO - 1, NZERO - down if upri > 0 else NZERO + down))


def moved_nice(nice: int, cred: Cred, incr: int) -> int:
    """A nice value after an increment; EPERM if it falls without privilege."""
    may_raise(cred, incr < 0)
    return max(0, min(2 * NZERO - 1, nice + incr))


def upri_of(nice: int) -> int:
    """The user priority of a nice value (ts_donice)."""
    return (NZERO - nice) * MAXUPRI // NZERO
