"""The process: struct proc and its user area, as plain data.

A ``Proc`` names everything that fork.c hands from a parent to a child.  What
each field does at a fork is said once, in ``getproc.py`` and ``fork.py``; this
module only says what a field is.  Nothing here knows an operating system.

``p_stat`` starts as SIDL: a walker of any process list skips a SIDL child, which
is how a half-made child stays invisible (fork.c:870).

Flag words are plain ints (see ``flags``).
"""

from __future__ import annotations

from enum import Enum, IntFlag, auto
from typing import TYPE_CHECKING, Any

from personae.core.fields import fields_of
from personae.core.flags import quick_flags
from personae.core.lwp import TS_STOPPED
from personae.core.msacct import NMSTATES
from personae.core.sync import CondVar

if TYPE_CHECKING:
    from personae.core.brand import Brand
    from personae.core.contract import Contract
    from personae.core.cred import Cred
    from personae.core.ctqueue import CtQueue
    from personae.core.door import ProcDoors
    from personae.core.file import FdTable
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.pid import Pid
    from personae.core.pool import Pool
    from personae.core.prctl import Control
    from personae.core.ptimer import PosixTimer
    from personae.core.rctl import RctlSet
    from personae.core.schedctl import ScPage
    from personae.core.session import Pgrp, Session
    from personae.core.signo import SigAction, SigInfo
    from personae.core.sync import Mutex
    from personae.core.task import Task
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As
    from personae.core.zone import Zone


class ProcStat(Enum):
    """Where a process is in its life (sys/proc.h, p_stat)."""

    SIDL = auto()
    """Being made; invisible to every walker."""
    SRUN = auto()
    SSTOP = auto()
    """Stopped by job control."""
    SZOMB = auto()
    """Exited, waiting to be reaped."""


@quick_flags
class ProcFlag(IntFlag):
    """p_flag (sys/proc.h), the bits fork.c reads or writes."""

    SSYS = 1 << 0
    """Kernel process."""
    SEXITLWPS = 1 << 1
    SHOLDFORK = 1 << 2
    SHOLDFORK1 = 1 << 3
    SFORKING = 1 << 4
    SVFORK = 1 << 5
    """Child: runs in its parent's address space."""
    SVFWAIT = 1 << 6
    """Parent: its address space is lent to a vfork child."""
    SJCTL = 1 << 7
    """SA_NOCLDSTOP is set for SIGCLD."""
    SNOWAIT = 1 << 8
    """SA_NOCLDWAIT: children leave no zombie."""
    SNOCD = 1 << 9
    """No core dump."""
    SMSFORK = 1 << 10
    SMSACCT = 1 << 11
    SLWPWRAP = 1 << 12
    SKILLED = 1 << 13
    SEXECED = 1 << 14
    SUGID = 1 << 15
    SZONETOP = 1 << 16
    SSCONT = 1 << 17
    """SIGCONT seen, parent not told yet (wait with WCONTINUED)."""
    SEXITING = 1 << 18
    """proc_exit has begun."""


@quick_flags
class ProcPrFlag(IntFlag):
    """p_proc_flag: what /proc does to the process."""

    P_PR_TRACE = 1
    P_PR_FORK = 2
    P_PR_LOCK = 4
    P_PR_ASYNC = 8
    P_PR_PTRACE = 16


@quick_flags
class PidFlag(IntFlag):
    """p_pidflag (changed under pidlock)."""

    CLDPEND = 1
    CLDCONT = 2
    CLDNOSIGCHLD = 4
    """FORK_NOSIGCHLD: the exit posts no signal."""
    CLDWAITPID = 8
    """FORK_WAITPID: only a wait for this very pid reaps it."""


@quick_flags
class AcctFlag(IntFlag):
    """u_acflag."""

    AFORK = 1
    ASU = 2
    ACORE = 4
    AXSIG = 8


# The same by their bare names, as the C has them: a look-up in an Enum class costs ten
# times as much as one in a module, and a fork makes two hundred.
SIDL, SRUN, SSTOP, SZOMB = ProcStat.SIDL, ProcStat.SRUN, ProcStat.SSTOP, ProcStat.SZOMB
SSYS, SEXITLWPS, SHOLDFORK, SHOLDFORK1, SFORKING, SVFORK, SVFWAIT, SJCTL = (
    1 << i for i in range(8)
)
SNOWAIT, SNOCD, SMSFORK, SMSACCT, SLWPWRAP, SKILLED, SEXECED, SUGID = (
    1 << i for i in range(8, 16)
)
SZONETOP, SSCONT, SEXITING = 1 << 16, 1 << 17, 1 << 18
P_PR_TRACE, P_PR_FORK, P_PR_LOCK, P_PR_ASYNC, P_PR_PTRACE = 1, 2, 4, 8, 16
CLDPEND, CLDCONT, CLDNOSIGCHLD, CLDWAITPID = 1, 2, 4, 8
AFORK, ASU, ACORE, AXSIG = 1, 2, 4, 8


class User:
    """The user area: what fork copies whole and then mends (fork.c:1041)."""

    u_cdir: Vnode | None = None
    u_rdir: Vnode | None = None
    u_cwd: bytes | None = None
    u_cmask: int = 0o022
    u_comm: bytes = b""
    u_psargs: bytes = b""
    u_argv: list[bytes]
    u_envp: list[bytes]
    u_auxv: list[tuple[int, int]]
    u_execsw: str = ""
    u_start: int = 0
    u_ticks: int = 0
    u_acflag: int = 0
    u_systrap: bool = False
    u_entrymask: frozenset[int] = frozenset()
    u_exitmask: frozenset[int] = frozenset()
    fds: FdTable | None = None
    u_signal: dict[int, SigAction]
    """Dispositions other than SIG_DFL, by signal number."""
    u_arg_range: tuple[int, int] = (0, 0)
    u_env_range: tuple[int, int] = (0, 0)

    def __init__(self) -> None:
        self.__dict__ = _USER.copy()
        self.u_argv = []
        self.u_envp = []
        self.u_auxv = []
        self.u_signal = {}


class Proc:
    """One process.  Fields carry the names of sys/proc.h without ``p_``.

    What a field starts with is said here; a new process gets all of them at once, as a
    copy of one dict, since a fork makes one.
    """

    kernel: Kernel
    pidp: Pid | None = None
    slot: int = -1
    stat: ProcStat = SIDL
    flag: int = 0
    prflag: int = 0
    pidflag: int = 0
    lock: Mutex
    cv: CondVar
    """The parent in vfwait, and /proc waiters."""
    wait_cv: CondVar
    """This process' own lwps in waitid()."""

    # family
    ppid: int = 0
    ancpid: int = 0
    parent: Proc | None = None
    child: Proc | None = None
    sibling: Proc | None = None
    psibling: Proc | None = None
    nextofkin: Proc | None = None
    orphan: Proc | None = None
    nextorph: Proc | None = None
    pgrp: Pgrp | None = None
    sess: Session | None = None

    # identity and containers
    cred: Cred
    zone: Zone
    brand: Brand
    brand_data: Any = None
    task: Task | None = None
    pool: Pool | None = None
    poolcnt: int = 0
    rctls: RctlSet | None = None
    ct_process: Contract | None = None
    ct_held: list[Contract]
    ct_equeue: CtQueue | None = None
    """Events of all contracts it owns, once it has had one."""

    # memory
    as_: As | None = None
    lender: Proc | None = None
    """SVFORK: whose address space it runs in."""
    sc_pages: tuple[ScPage, ...] = ()
    """Pages of schedctl slots, the newest first."""
    segacct: dict[int, Any]
    wpage: list[Any]
    warea: list[Any]
    bssbase: int = 0
    brkbase: int = 0
    brksize: int = 0
    stkbase: int = 0
    stksize: int = 0
    stkprot: int = 3
    datprot: int = 3
    exec: Vnode | None = None
    execdir: Vnode | None = None
    exec_path: bytes = b""

    # limits cached out of the rctl set
    stk_ctl: int = 0
    fsz_ctl: int = 0
    vmem_ctl: int = 0
    fno_ctl: int = 0
    cpu_ctl: int = (1 << 64) - 1
    """process.max-cpu-time, in seconds."""
    cpu_cycles: int = 0
    """Cycles that its lwps ran, which are held against ``cpu_ctl``."""

    # signals
    sig: int = 0
    """Pending for the process, bit (sig-1)."""
    sigqueue: list[SigInfo]
    ignore: int = 0
    siginfo: int = 0
    sigmask: frozenset[int] = frozenset()
    """Signals traced through /proc."""
    fltmask: frozenset[int] = frozenset()
    trace: list[Control]
    """Who controls it (``core.prctl``)."""
    doors: ProcDoors | None = None
    """Its doors and their servers, once it has had any (``core.door``)."""
    pr_cv: CondVar | None = None
    """Who waits for it to stop, once somebody does (pr_wait)."""
    stopsig: int = 0
    exit_status: int = 0
    """Status with which the process ends when its last lwp exits."""
    exit_signal: int = 0
    """Signal the parent gets at exit; 0 none.  Set by the brand at fork."""
    itimer_real: tuple[int, int] = (0, 0)
    """(deadline in cycles or 0, interval in cycles)."""
    timers: dict[int, PosixTimer] | None = None
    """POSIX timers by number, once it has had one (``core.ptimer``)."""
    wcode: int = 0
    wdata: int = 0
    """Why a child is waitable: CLD_* and its status (sys/proc.h)."""
    newstate: bool = False
    """Stopped or continued, parent not told yet."""

    # lwps
    lwps: list[Lwp]
    lwpid: int = 0
    """Last lwp id handed out."""
    lwpcnt: int = 0
    lwpdaemon: int = 0
    zombies: list[int]
    """Ids of lwps that ended and that nobody has waited for yet."""
    lwpdir: list[Lwp | None]
    tidhash_sz: int = 0
    lgrpset: int = 0

    # accounting, all in cycles
    mstart: int = 0
    ms: list[int]
    """Microstates of lwps that ended; see ``core.msacct``."""
    utime: int = 0
    stime: int = 0
    cutime: int = 0
    cstime: int = 0
    dtrace_helpers: list[Any]
    pctx: list[Any]
    corefile: Any = None
    content: Any = None
    audit: Any = None
    user: User

    def __init__(self, kernel: Kernel) -> None:
        self.__dict__ = _PROC.copy()
        self.kernel = kernel
        self.lock = kernel.new_p_lock()
        self.cv = CondVar()
        self.wait_cv = CondVar()
        self.cred = kernel.kcred
        self.zone = kernel.zones[0]
        self.brand = kernel.native_brand
        self.ct_held = []
        self.segacct = {}
        self.wpage = []
        self.warea = []
        self.sigqueue = []
        self.trace = []
        self.lwps = []
        self.zombies = []
        self.lwpdir = []
        self.ms = [0] * NMSTATES
        self.dtrace_helpers = []
        self.pctx = []
        self.user = User()

    @property
    def pid(self) -> int:
        """Process id, unique in the machine; -1 before one is allocated."""
        return self.pidp.pid_id if self.pidp is not None else -1

    @property
    def pgid(self) -> int:
        """Process group id; 0 for a process that has joined none."""
        return self.pgrp.pgid if self.pgrp is not None else 0

    @property
    def sid(self) -> int:
        """Session id."""
        return self.sess.sid if self.sess is not None else 0

    @property
    def fds(self) -> FdTable:
        """The table of open files."""
        fds = self.user.fds
        assert fds is not None, "a process without a file table"
        return fds

    @property
    def lwprcnt(self) -> int:
        """Lwps that are not stopped."""
        return sum(t.state is not TS_STOPPED for t in self.lwps)

    def children(self) -> list[Proc]:
        """Children, newest first, half-made ones left out."""
        out, c = [], self.child
        while c is not None:
            if c.stat is not SIDL:
                out.append(c)
            c = c.sibling
        return out

    def __repr__(self) -> str:
        comm = self.user.u_comm.decode(errors="replace")
        return f"<Proc {self.pid} {comm!r} {self.stat.name} zone={self.zone.name}>"


_USER, _PROC = fields_of(User), fields_of(Proc)
