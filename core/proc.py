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

    def __init__(self) -> None:
        self.u_cdir: Vnode | None = None
        self.u_rdir: Vnode | None = None
        self.u_cwd: bytes | None = None
        self.u_cmask = 0o022
        self.u_comm = b""
        self.u_psargs = b""
        self.u_argv: list[bytes] = []
        self.u_envp: list[bytes] = []
        self.u_auxv: list[tuple[int, int]] = []
        self.u_execsw = ""
        self.u_start = 0
        self.u_ticks = 0
        self.u_acflag = 0
        self.u_systrap = False
        self.u_entrymask: frozenset[int] = frozenset()
        self.u_exitmask: frozenset[int] = frozenset()
        self.fds: FdTable | None = None
        self.u_signal: dict[int, SigAction] = {}
        """Dispositions other than SIG_DFL, by signal number."""
        self.u_arg_range = (0, 0)
        self.u_env_range = (0, 0)


class Proc:
    """One process.  Fields carry the names of sys/proc.h without ``p_``."""

    __slots__ = (
        "ancpid", "as_", "audit", "brand", "brand_data", "brkbase", "brksize",
        "bssbase", "child", "content", "corefile", "cpu_ctl", "cpu_cycles", "cred",
        "cstime", "ct_equeue", "ct_held", "ct_process", "cutime", "cv", "datprot",
        "doors", "dtrace_helpers",
        "exec", "exec_path", "execdir", "exit_signal", "exit_status", "fixalignment",
        "flag", "fltmask", "fno_ctl", "fsz_ctl", "ignore", "itimer_real", "kernel",
        "lender", "lgrpset", "lock", "lwpcnt", "lwpdaemon", "lwpdir", "lwpid",
        "lwps", "ms", "mstart", "newstate", "nextofkin", "nextorph", "orphan",
        "parent", "pctx", "pgrp", "pidflag", "pidp", "pool", "poolcnt", "portcnt",
        "ppid", "pr_cv", "prflag", "prof", "psibling", "rctls", "segacct", "sess",
        "sibling",
        "sig", "siginfo", "sigmask", "sigqueue", "slot", "stat", "stime", "stk_ctl",
        "stkbase", "stkprot", "stksize", "stopsig", "task", "tidhash_sz", "timers",
        "trace",
        "user", "utime", "vmem_ctl", "wait_cv", "warea", "wcode", "wdata",
        "wpage", "zombies", "zone",
    )  # fmt: skip

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.pidp: Pid | None = None
        self.slot = -1
        self.stat = SIDL
        self.flag = 0
        self.prflag = 0
        self.pidflag = 0
        self.lock: Mutex = kernel.new_p_lock()
        self.cv = CondVar()
        """The parent in vfwait, and /proc waiters."""
        self.wait_cv = CondVar()
        """This process' own lwps in waitid()."""

        # family
        self.ppid = 0
        self.ancpid = 0
        self.parent: Proc | None = None
        self.child: Proc | None = None
        self.sibling: Proc | None = None
        self.psibling: Proc | None = None
        self.nextofkin: Proc | None = None
        self.orphan: Proc | None = None
        self.nextorph: Proc | None = None
        self.pgrp: Pgrp | None = None
        self.sess: Session | None = None

        # identity and containers
        self.cred: Cred = kernel.kcred
        self.zone: Zone = kernel.zones[0]
        self.brand: Brand = kernel.native_brand
        self.brand_data: Any = None
        self.task: Task | None = None
        self.pool: Pool | None = None
        self.poolcnt = 0
        self.rctls: RctlSet | None = None
        self.ct_process: Contract | None = None
        self.ct_held: list[Contract] = []
        self.ct_equeue: CtQueue | None = None
        """Events of all contracts it owns, once it has had one."""

        # memory
        self.as_: As | None = None
        self.lender: Proc | None = None
        """SVFORK: whose address space it runs in."""
        self.segacct: dict[int, Any] = {}
        self.wpage: list[Any] = []
        self.warea: list[Any] = []
        self.bssbase = 0
        self.brkbase = 0
        self.brksize = 0
        self.stkbase = 0
        self.stksize = 0
        self.stkprot = 3
        self.datprot = 3
        self.exec: Vnode | None = None
        self.execdir: Vnode | None = None
        self.exec_path = b""

        # limits cached out of the rctl set
        self.stk_ctl = 0
        self.fsz_ctl = 0
        self.vmem_ctl = 0
        self.fno_ctl = 0
        self.cpu_ctl = (1 << 64) - 1
        """process.max-cpu-time, in seconds."""
        self.cpu_cycles = 0
        """Cycles that its lwps ran, which are held against ``cpu_ctl``."""

        # signals
        self.sig = 0
        """Pending for the process, bit (sig-1)."""
        self.sigqueue: list[SigInfo] = []
        self.ignore = 0
        self.siginfo = 0
        self.sigmask: frozenset[int] = frozenset()
        """Signals traced through /proc."""
        self.fltmask: frozenset[int] = frozenset()
        self.trace: list[Control] = []
        """Who controls it (``core.prctl``)."""
        self.doors: ProcDoors | None = None
        """Its doors and their servers, once it has had any (``core.door``)."""
        self.pr_cv: CondVar | None = None
        """Who waits for it to stop, once somebody does (pr_wait)."""
        self.stopsig = 0
        self.exit_status = 0
        """Status with which the process ends when its last lwp exits."""
        self.exit_signal = 0
        """Signal the parent gets at exit; 0 none.  Set by the brand at fork."""
        self.itimer_real: tuple[int, int] = (0, 0)
        """(deadline in cycles or 0, interval in cycles)."""
        self.timers: dict[int, PosixTimer] | None = None
        """POSIX timers by number, once it has had one (``core.ptimer``)."""
        self.wcode = 0
        self.wdata = 0
        """Why a child is waitable: CLD_* and its status (sys/proc.h)."""
        self.newstate = False
        """Stopped or continued, parent not told yet."""

        # lwps
        self.lwps: list[Lwp] = []
        self.lwpid = 0
        """Last lwp id handed out."""
        self.lwpcnt = 0
        self.lwpdaemon = 0
        self.zombies: list[int] = []
        """Ids of lwps that ended and that nobody has waited for yet."""
        self.lwpdir: list[Lwp | None] = []
        self.tidhash_sz = 0
        self.lgrpset = 0

        # accounting, all in cycles
        self.mstart = 0
        self.ms = [0] * NMSTATES
        """Microstates of lwps that ended; see ``core.msacct``."""
        self.utime = 0
        self.stime = 0
        self.cutime = 0
        self.cstime = 0
        self.prof: Any = None
        self.portcnt = 0
        self.dtrace_helpers: list[Any] = []
        self.pctx: list[Any] = []
        self.corefile: Any = None
        self.content: Any = None
        self.audit: Any = None
        self.fixalignment = False
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
