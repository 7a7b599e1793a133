"""The lwp: a thread of a process (klwp_t and kthread_t in one).

Its registers live in the hardware; everything else, down to how far a system
call has come, is plain data here, so an lwp can be stopped, copied or saved
at any trap.
"""

from __future__ import annotations

from enum import Enum, IntFlag, auto
from typing import TYPE_CHECKING, Any

from personae.core.fields import fields_of
from personae.core.flags import quick_flags
from personae.core.msacct import NMSTATES, STOPPED

if TYPE_CHECKING:
    from personae.core.cls import SchedClass
    from personae.core.cpu import Cpu
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo
    from personae.core.sync import CondVar
    from personae.core.syscall import Sysent


class TState(Enum):
    """t_state (sys/thread.h)."""

    TS_FREE = auto()
    TS_SLEEP = auto()
    TS_RUN = auto()
    """On a dispatch queue."""
    TS_ONPROC = auto()
    TS_ZOMB = auto()
    TS_STOPPED = auto()


class WhyStop(Enum):
    """t_whystop: who has to start a stopped lwp again."""

    NONE = auto()
    PR_SUSPENDED = auto()
    """Held by holdlwps, or suspended by lwp_suspend, or not started yet."""
    PR_JOBCONTROL = auto()
    PR_REQUESTED = auto()
    PR_SYSEXIT = auto()
    PR_SYSENTRY = auto()
    PR_SIGNALLED = auto()
    PR_FAULTED = auto()


@quick_flags
class TpFlag(IntFlag):
    """t_proc_flag (sys/thread.h)."""

    TP_DAEMON = 1
    TP_HOLDLWP = 2
    """Suspend at the next return to user mode."""
    TP_TWAIT = 4
    """Somebody may lwp_wait() for it: leaves a zombie."""
    TP_MSACCT = 8
    TP_PRSTOP = 16
    TP_CHKPT = 32
    TP_STEP = 64
    """Trap after one instruction (PRSTEP of /proc)."""


@quick_flags
class TFlag(IntFlag):
    """t_flag."""

    T_FORKALL = 1
    """A clone made by forkall of a lwp that did not call it."""
    T_VFPARENT = 2
    """Must run vfwait() on the way back to user mode."""
    T_VFKILL = 4
    """With T_VFPARENT: SIGKILL ends that wait (Linux)."""


# By their bare names, as in ``core.proc``.
TS_FREE, TS_SLEEP, TS_RUN = TState.TS_FREE, TState.TS_SLEEP, TState.TS_RUN
TS_ONPROC, TS_ZOMB, TS_STOPPED = TState.TS_ONPROC, TState.TS_ZOMB, TState.TS_STOPPED
PR_SUSPENDED = WhyStop.PR_SUSPENDED
TP_DAEMON, TP_HOLDLWP, TP_TWAIT, TP_MSACCT, TP_PRSTOP, TP_CHKPT, TP_STEP = (
    1 << i for i in range(7)
)
T_FORKALL, T_VFPARENT, T_VFKILL = 1, 2, 4


class Lwp:
    """One lwp; its fields are made as those of ``Proc``.

    ``regs`` is the view of its hardware context, 80 words.
    """

    kernel: Kernel
    proc: Proc
    ctx: int
    regs: memoryview
    tid: int = 0
    state: TState = TS_STOPPED
    whystop: WhyStop = PR_SUSPENDED
    whatstop: int = 0
    """The call, signal or fault it stopped on."""
    cursig: int = 0
    """The traced signal that it has stopped on and takes next."""
    curflt: tuple[int, int, int, int] | None = None
    """(fault, signal, code, address) that it stopped on."""
    tpflag: int = 0
    tflag: int = 0
    cred: Cred
    cpu: Cpu | None = None
    bind_cpu: int = -1
    bind_pset: int = -1
    start: int = 0

    # scheduling
    cls: SchedClass | None = None
    cldata: Any = None
    pri: int = 0
    qpri: int = 0
    """Priority under which it is queued."""
    ready: int = 0
    """When it became runnable, in cycles."""

    # the system call in progress
    sysent: Sysent | None = None
    sysstate: Any = None
    post_sys: bool = False

    # sleeping
    partial: int | None = None
    """What its call has done already: its result if the wait is ended."""
    wchans: tuple[CondVar, ...] = ()
    deadline: int | None = None
    interruptible: bool = True
    interrupted: bool = False
    """A signal woke it: the next Sleep of the same call ends the call."""

    # signals
    _sigmask: int = 0
    sig: int = 0
    """Pending for this lwp only."""
    sigqueue: list[SigInfo]
    sigoldmask: int | None = None
    """Mask to put back after the handler that ends sigsuspend and its like."""
    sigaltstack: tuple[int, int, int] = (0, 0, 2)
    """(sp, size, flags); flags 2 is SS_DISABLE."""
    sigwaiting: int = 0
    """Set that sigtimedwait waits for: these wake it though blocked."""
    ast: bool = False
    """Look at signals and flags before the next return to user mode."""

    ct_active: dict[str, Any]
    ct_latest: dict[str, Any]
    brand_lwp: Any = None
    brand_inited: bool = False
    agent: bool = False
    """The agent lwp of /proc, which can't fork."""
    vfork_pid: int = 0
    """The child that T_VFPARENT waits for."""
    clear_child_tid: int = 0
    robust_list: int = 0
    door: Any = None
    schedctl: Any = None
    """Its slot of the shared page (``core.schedctl``), once it has asked."""
    ctxops: list[Any]
    utime: int = 0
    stime: int = 0
    ms: list[int]
    """Cycles in each microstate; those on a CPU are all under USER."""
    mstate: int = STOPPED
    msince: int
    """When it came into its microstate."""

    def __init__(self, kernel: Kernel, proc: Proc, ctx: int) -> None:
        self.__dict__ = _LWP.copy()
        self.kernel = kernel
        self.proc = proc
        self.ctx = ctx
        self.regs = kernel.hw.ctx_view(ctx)
        self.cred = proc.cred
        self.sigqueue = []
        self.ct_active = {}
        self.ct_latest = {}
        self.ctxops = []
        self.ms = [0] * NMSTATES
        self.msince = kernel.now

    @property
    def sigmask(self) -> int:
        """Blocked signals (t_hold), bit (sig-1).  Setting it sets ``ast``."""
        return self._sigmask

    @sigmask.setter
    def sigmask(self, mask: int) -> None:
        self._sigmask = mask
        self.ast = True

    def __getstate__(self) -> dict[str, Any]:
        """All but the register view, which belongs to one hardware instance."""
        state = self.__dict__.copy()
        del state["regs"]
        return state

    def __repr__(self) -> str:
        return f"<Lwp {self.proc.pid}/{self.tid} {self.state.name}>"


_LWP = fields_of(Lwp)
