"""Signals as data: numbers, sets, flags, siginfo and dispositions.

Inside the kernel the numbers are illumos'; a brand translates at its edge.  A set
of signals is an int with bit ``sig - 1``.

Must not know: processes, lwps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from personae.core.flags import quick_flags


class Sig(IntEnum):
    """Signal numbers of illumos, sys/iso/signal_iso.h; 42..74 are realtime."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGEMT = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGBUS = 10
    SIGSEGV = 11
    SIGSYS = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGUSR1 = 16
    SIGUSR2 = 17
    SIGCLD = 18
    SIGPWR = 19
    SIGWINCH = 20
    SIGURG = 21
    SIGPOLL = 22
    SIGSTOP = 23
    SIGTSTP = 24
    SIGCONT = 25
    SIGTTIN = 26
    SIGTTOU = 27
    SIGVTALRM = 28
    SIGPROF = 29
    SIGXCPU = 30
    SIGXFSZ = 31
    SIGWAITING = 32
    SIGLWP = 33
    SIGFREEZE = 34
    SIGTHAW = 35
    SIGCANCEL = 36
    SIGLOST = 37
    SIGXRES = 38


SIGKILL, SIGCLD, SIGCONT = 9, 18, 25
"""Those that every fork and exit looks at, at the price of a number."""
SIGRTMIN = 42
SIGRTMAX = 74
NSIG = 75
SIGQUEUE_MAX = 8192
"""Instances that may wait for a process or a lwp (process.max-sigqueue-size)."""

SIG_DFL = 0
SIG_IGN = 1


def sigbit(sig: int) -> int:
    """The bit of one signal in a set."""
    return 1 << (sig - 1)


def sigset(*sigs: int) -> int:
    """A set of signals."""
    out = 0
    for s in sigs:
        out |= 1 << (s - 1)
    return out


CANTMASK = sigset(Sig.SIGKILL, Sig.SIGSTOP)
STOPDEFAULT = sigset(Sig.SIGSTOP, Sig.SIGTSTP, Sig.SIGTTIN, Sig.SIGTTOU)
IGNOREDEFAULT = sigset(
    Sig.SIGCONT,
    Sig.SIGCLD,
    Sig.SIGPWR,
    Sig.SIGWINCH,
    Sig.SIGURG,
    Sig.SIGWAITING,
    Sig.SIGLWP,
    Sig.SIGCANCEL,
    Sig.SIGFREEZE,
    Sig.SIGTHAW,
    Sig.SIGXRES,
)
COREDEFAULT = sigset(
    Sig.SIGQUIT,
    Sig.SIGILL,
    Sig.SIGTRAP,
    Sig.SIGABRT,
    Sig.SIGEMT,
    Sig.SIGFPE,
    Sig.SIGBUS,
    Sig.SIGSEGV,
    Sig.SIGSYS,
    Sig.SIGXCPU,
    Sig.SIGXFSZ,
)


@quick_flags
class SaFlag(IntFlag):
    """sa_flags of illumos."""

    SA_ONSTACK = 1
    SA_RESETHAND = 2
    SA_RESTART = 4
    SA_SIGINFO = 8
    SA_NODEFER = 0x10
    SA_NOCLDWAIT = 0x10000
    SA_NOCLDSTOP = 0x20000


class SiCode(IntEnum):
    """si_code, the values of illumos that the kernel itself gives."""

    USER = 0
    LWP = -1
    QUEUE = -2
    TIMER = -3
    RCTL = 2049
    """A resource control went over a value; ``SigInfo.entity`` says whose."""
    KERNEL = 32767
    SEGV_MAPERR = 1
    SEGV_ACCERR = 2
    BUS_ADRALN = 1
    BUS_ADRERR = 2
    ILL_ILLOPC = 1
    TRAP_BRKPT = 1


class CldCode(IntEnum):
    """si_code of SIGCLD; equal in illumos and Linux."""

    EXITED = 1
    KILLED = 2
    DUMPED = 3
    TRAPPED = 4
    STOPPED = 5
    CONTINUED = 6


CLD_EXITED = CldCode.EXITED
"""The code of nearly all exits."""


@dataclass
class SigInfo:
    """What goes with a signal (siginfo_t), numbers of illumos.

    Attributes:
        status: Exit status or signal of a child.
        addr: Address of a fault.
        value: Of sigqueue.
        utime: CPU time of a child in cycles.
        stime: System time of a child in cycles.
        entity: For si_code RCTL: process 0, task 1, project 2, zone 3.
        zoneid: Zone of the sender; -1 where that is the taker's own.
    """

    signo: int
    code: int = SiCode.USER
    pid: int = 0
    uid: int = 0
    status: int = 0
    addr: int = 0
    value: int = 0
    utime: int = 0
    stime: int = 0
    entity: int = 0
    zoneid: int = -1


@dataclass(frozen=True)
class SigAction:
    """A disposition.

    Attributes:
        handler: SIG_DFL, SIG_IGN or an address.
        flags: ``SaFlag`` bits.
        mask: Blocked while the handler runs.
        restorer: Address of the brand's return code, where it has such.
    """

    handler: int = SIG_DFL
    flags: int = 0
    mask: int = 0
    restorer: int = 0


DEFAULT_ACTION = SigAction()
