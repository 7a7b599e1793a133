"""The kernel of one machine: every table, counter and lock hangs off it.

There are no module globals, so two machines in one process do not meet.  All
state is plain data: ``Machine.save`` pickles this object whole.  Nothing here reads
the host's clock, environment or random source.
"""

from __future__ import annotations

import hashlib
import traceback
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personae import hw
from personae.core import corefile, ptimer, schedctl, signal, zonelife
from personae.core import exit as exits
from personae.core.blame import blame, vectors_of
from personae.core.brand import Brand, BrandTable
from personae.core.cls import default_classes
from personae.core.contract import NoContracts
from personae.core.contracts import load_contract_type
from personae.core.cpu import Cpu
from personae.core.cred import Cred
from personae.core.ctqueue import CtqKind, CtQueue
from personae.core.disp import Dispatcher
from personae.core.errno import Errno, KernelError, Panic
from personae.core.file import FdTable
from personae.core.hookspecs import ContractSpec
from personae.core.limits import proc_limits, upcount_inc
from personae.core.lwp import TS_ONPROC
from personae.core.observers import Observers
from personae.core.pid import PidTable
from personae.core.plugin import Vector
from personae.core.pool import Pool
from personae.core.proc import SEXITING, SNOWAIT, SRUN, SSYS, Proc
from personae.core.rctl import rctl_set_init
from personae.core.session import sess_create
from personae.core.signo import CldCode, Sig, SigInfo
from personae.core.sync import CondVar, LockOrder, LockSet, Mutex
from personae.core.task import task_attach, task_create, task_rele
from personae.core.vfs.lookup import mounts_below
from personae.core.zone import Zone, ZoneState, zone_state_set

if TYPE_CHECKING:
    from personae.core.cls import SchedClass
    from personae.core.contract import Contract
    from personae.core.lwp import Lwp
    from personae.core.project import Project
    from personae.core.syscall import Sysent
    from personae.core.task import Task

MINARMEM = 25
"""t_minarmem: frames below which nobody forks (tune.h)."""
DEFAULT_EPOCH_NS = 1_767_225_600 * 10**9
"""2026-01-01T00:00:00Z: what the wall clock of a machine shows at its start."""


@dataclass(frozen=True)
class KernelConfig:
    """What a machine is made of.

    Attributes:
        seed: Every source of chance comes from it.
        cpus: Number of harts.
        memory: Bytes of physical memory.
        clock_hz: Cycles (retired instructions) in a virtual second.
        quantum: Cycles of a time slice, for a class that sets none.
        epoch_ns: Wall clock at the start, nanoseconds since 1970.
        max_nprocs: Room for processes (slots of /proc).
        maxpid: Highest pid number.
        syscall_cost: Cycles that a system call takes besides its instructions.
        trap_cost: Cycles of a trap that is no page fault, such as a breakpoint.
        fault_cost: Cycles of a page fault that the kernel settles; those that the
            hardware layer settles by itself take none.
        lock_checking: Whether lock order and ownership are checked.
        schedule_seed: Which schedule, see ``core.shuffle``; 0 is the plain one.
    """

    seed: int = 0
    cpus: int = 1
    memory: int = 512 << 20
    clock_hz: int = 1_000_000_000
    quantum: int = 1_000_000
    epoch_ns: int = DEFAULT_EPOCH_NS
    max_nprocs: int = 8192
    maxpid: int = 30000
    syscall_cost: int = 200
    trap_cost: int = 200
    fault_cost: int = 1000
    lock_checking: bool = True
    schedule_seed: int = 0


class Kernel:
    """One kernel.

    Args:
        config: Its constants.
        brands: The brands it knows; ``native`` has to be one of them.
        classes: Scheduling classes besides TS and SYS, its own alone.
        contracts: The process contract type, its own alone; by default the one that
            is installed, and none if there is none.
    """

    def __init__(
        self,
        config: KernelConfig,
        brands: Iterable[Brand],
        classes: Iterable[SchedClass] = (),
        contracts: object | None = None,
    ) -> None:
        self.config = config
        self.hw = hw.Machine(config.memory, config.cpus)
        self.mem_bytes = config.memory
        self.ncpus = config.cpus
        self.cpus = [Cpu(i) for i in range(config.cpus)]
        self.now = 0
        """Virtual time in cycles."""
        self.quantum = config.quantum
        self.min_quantum = 1000
        self.syscall_cost = config.syscall_cost
        self.trapped = 0
        """Cycles that traps and faults have cost, in all."""
        self.tick = config.clock_hz // 100
        """Cycles of a clock tick (10 ms)."""
        self.current: Lwp | None = None
        self.observers = Observers()
        self._init_counters()
        self._init_tables(brands, classes, contracts)
        self._boot()

    # ---- construction ----

    def _init_counters(self) -> None:
        cfg = self.config
        self.nproc = 0
        self.proc_count = 0
        self.lwp_count = 0
        self.lwp_seq = 0
        self.upcount: dict[tuple[int, int], int] = {}
        self.v_proc = cfg.max_nprocs
        self.v_maxup, self.v_maxupttl = proc_limits(cfg.max_nprocs)
        self.frames = self.hw.stat(int(hw.Stat.FRAMES_TOTAL))
        """Frames of memory."""
        self.minarmem = MINARMEM
        """Frames that have to be free for a fork to begin (t_minarmem)."""
        self.maxpid = cfg.maxpid
        self.fork_fail_pending = 0
        self.rctl_syslog: set[str] = set()
        """Resource controls with the global action syslog (rctladm(8))."""
        self.kstat: dict[str, int] = {}
        self.syscalls: dict[Sysent, int] = {}
        """How often each call was made."""
        self.notices: deque[str] = deque(maxlen=256)
        self.oopses: deque[str] = deque(maxlen=16)
        """Faults of our own that a process has paid for."""
        self.last_fork_steps: tuple[str, ...] = ()
        self._digest = b"personae digest 1"
        self._random = 0

    def _init_tables(
        self,
        brands: Iterable[Brand],
        classes: Iterable[SchedClass],
        contracts: object | None,
    ) -> None:
        self.locks = LockSet(self.config.lock_checking)
        self.pidlock = Mutex(self.locks, "pidlock", LockOrder.PIDLOCK)
        self._p_lock = Mutex(self.locks, "p_lock", LockOrder.P_LOCK)
        self.nlwps_lock = Mutex(self.locks, "zone_nlwps_lock", LockOrder.NLWPS)
        self.vfs_state: Any = None
        self.practive: list[Proc] = []
        self.pids = PidTable(self, self.maxpid, self.v_proc)
        self.disp = Dispatcher(self)
        self.brands = BrandTable()
        for brand in brands:
            self.brands.register(brand)
        if "native" not in self.brands.brands:
            raise Panic("a kernel needs the native brand")
        self.native_brand = self.brands.brands["native"]
        self.zones: dict[int, Zone] = {}
        self.zone_lastid = 0
        """Id of the zone made last; each boot of a zone has one of its own."""
        self.zone_uniqid = 0
        """zone_uniqid of the zone made last: never given twice."""
        self.installed: dict[str, Any] = {}
        """Zones as their description has them, by name (``zoneadm.Installed``)."""
        self.description: Any = None
        """The configuration the machine was made from, if any."""
        self.accts_dead: list[int] = []
        """Accounts of destroyed zones that still pay for frames."""
        self.projects: dict[tuple[int, int], Project] = {}
        self.tasks: dict[int, Task] = {}
        self.pools: dict[str, Pool] = {}
        self.psets: dict[int, tuple[int, ...]] = {}
        """CPUs of the processor sets, by number (``core.pset``)."""
        self.contracts: dict[int, Contract] = {}
        self.classes = default_classes()
        for cls in classes:
            self.classes[cls.name] = cls
        self.contract_type = load_contract_type() if contracts is None else contracts
        self._bind_contracts()
        self.ct_bundle = CtQueue(CtqKind.BUNDLE)
        """Events of all process contracts."""
        self.sys_process_tmpl: Any = self.contract_ops.contract_template(True)

    def _bind_contracts(self) -> None:
        self.contract_ops: Any = Vector(
            ContractSpec, self.contract_type, "contract type process", NoContracts
        )

    def _boot(self) -> None:
        """Make the global zone, p0 and what they hang on (main(), os/main.c)."""
        zone = Zone(self, 0, "global", self.brands.hold("native"))
        self.zones[0] = zone
        self.kcred: Cred = zone.cred
        self.pools["default"] = Pool("default", tuple(range(self.ncpus)))
        task = task_create(self, 0, zone)
        p0 = Proc(self)
        p0.cred = self.kcred.hold()
        p0.flag |= SSYS | SNOWAIT
        p0.user.u_comm = p0.user.u_psargs = b"sched"
        p0.user.fds = FdTable()
        self.pids.allocate(p0, 0)
        self.p0 = p0
        with self.pidlock:
            self.nproc += 1
            self.proc_count += 1
            upcount_inc(self, p0.cred.uid, 0)
            self.practive.insert(0, p0)
            with p0.lock:
                task_attach(task, p0)
        task_rele(task)
        zone.nprocs += 1
        task.nprocs += 1
        task.project.nprocs += 1
        p0.pool = self.pools["default"].hold()
        rctl_set_init(p0)
        sess_create(p0)
        p0.stat = SRUN
        zone.zsched = p0
        zone_state_set(zone, ZoneState.RUNNING)

    def pool_create(
        self, name: str, cpus: tuple[int, ...] = (), scheduler: str = "TS"
    ) -> Pool:
        """Make a pool, or give the default pool other CPUs or another scheduler.

        Args:
            name: Its name.
            cpus: Ids of its CPUs; all by default.
            scheduler: Scheduling class of processes that start in its zones.

        Raises:
            KernelError: EINVAL, no such CPU or class.
        """
        if any(not 0 <= c < self.ncpus for c in cpus):
            raise KernelError(Errno.EINVAL, f"pool {name}: CPUs {cpus}")
        if scheduler not in self.classes:
            raise KernelError(Errno.EINVAL, f"pool {name}: no class {scheduler}")
        pool = self.pools.setdefault(name, Pool(name, ()))
        pool.cpus = tuple(sorted(set(cpus))) or tuple(range(self.ncpus))
        pool.scheduler = scheduler
        if len(pool.cpus) < self.ncpus:
            self.disp.restricted = True
        return pool

    def bind_cpu(self, lwp: Lwp, cpu: int) -> None:
        """Bind a lwp to a CPU, -1 for none (processor_bind(2)).

        Raises:
            KernelError: EINVAL, no such CPU.
        """
        if not -1 <= cpu < self.ncpus:
            raise KernelError(Errno.EINVAL, f"CPU {cpu}")
        lwp.bind_cpu = cpu
        if cpu >= 0 and self.ncpus > 1:
            self.disp.restricted = True

    def new_p_lock(self) -> Mutex:
        """A p_lock."""
        return self._p_lock.like()

    # ---- time and chance ----

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        return self.now * 1_000_000_000 // self.config.clock_hz

    @property
    def wall_ns(self) -> int:
        """Virtual wall clock, nanoseconds since 1970."""
        return self.config.epoch_ns + self.now_ns

    def cycles(self, ns: int) -> int:
        """Nanoseconds as cycles, rounded up."""
        return -(-ns * self.config.clock_hz // 1_000_000_000)

    def random_bytes(self, n: int) -> bytes:
        """Bytes of the machine's seeded generator."""
        out = []
        for _ in range(-(-n // 32)):
            text = f"{self.config.seed}:{self._random}".encode()
            out.append(hashlib.sha256(text).digest())
            self._random += 1
        return b"".join(out)[:n]

    def set_itimer(self, proc: Proc, deadline: int, interval: int) -> None:
        """Arm ITIMER_REAL of a process; deadline 0 disarms it (cycles)."""
        proc.itimer_real = (deadline, interval)
        if deadline:
            self.disp.at(deadline, proc)

    def itimer_expired(self, proc: Proc) -> None:
        """ITIMER_REAL has run out: SIGALRM, and arm it again if it repeats."""
        when, interval = proc.itimer_real
        proc.itimer_real = (0, 0)
        if interval:
            self.set_itimer(proc, when + interval, interval)
        self.psignal(proc, Sig.SIGALRM)

    def timers_cancel(self, proc: Proc) -> None:
        """The process exits: no timer of it goes off any more."""
        proc.itimer_real = (0, 0)
        ptimer.timers_cancel(proc)

    # ---- waiting ----

    def wakeup(self, cv: CondVar) -> None:
        """Wake all who sleep on ``cv``."""
        self.disp.wakeup(cv)

    def wakeone(self, cv: CondVar) -> None:
        """Wake the one who sleeps longest on ``cv``."""
        self.disp.wakeone(cv)

    # ---- processes and signals ----

    def prfind(self, pid: int) -> Proc | None:
        """The process of that pid, zombies too."""
        return self.pids.prfind(pid)

    def psignal(self, proc: Proc, sig: int, info: SigInfo | None = None) -> None:
        """Post a signal to a process."""
        signal.psignal(proc, sig, info)

    def tsignal(self, lwp: Lwp, sig: int, info: SigInfo | None = None) -> None:
        """Post a signal to one lwp."""
        signal.tsignal(lwp, sig, info)

    def pgsignal(self, pgid: int, sig: int, info: SigInfo | None = None) -> None:
        """Post a signal to every member of a process group."""
        pgrp = self.pids.pgfind(pgid)
        if pgrp is not None:
            for p in list(pgrp.members):
                signal.psignal(p, sig, info)

    def sigcld(self, proc: Proc, info: SigInfo) -> None:
        """SIGCLD by the generic rules."""
        signal.sigcld(proc, info)

    def sigexec(self, proc: Proc) -> None:
        """Signals of a process that execs: caught ones to default, no altstack."""
        signal.sigdefault(proc)
        for t in proc.lwps:
            t.sigaltstack = (0, 0, 2)

    def exitlwps(self, proc: Proc, lwp: Lwp) -> None:
        """End every lwp of ``proc`` but ``lwp``."""
        if lwp.proc is not proc:
            raise Panic("exitlwps for another process")
        exits.exitlwps(lwp)

    def proc_exit(self, lwp: Lwp, why: int, what: int) -> None:
        """End the process of ``lwp``."""
        exits.proc_exit(lwp, why, what)

    def core(self, lwp: Lwp, sig: int, info: SigInfo) -> bool:
        """Write the core files of a process; whether there is one."""
        return corefile.core(lwp, sig, info)

    def preempt(self, lwp: Lwp) -> None:
        """Make the running lwp give way."""
        self.disp.preempt(lwp)

    def yield_cpu(self, lwp: Lwp) -> None:
        """Let others go first (yield(2), sched_yield(2))."""
        if lwp.cls is not None:
            lwp.cls.ops.cl_yield(lwp)
        if lwp.schedctl is not None:
            schedctl.gives_way(lwp)
        self.disp.preempt(lwp)

    def reaper_of(self, proc: Proc) -> Proc:
        """Who adopts the children of ``proc``: its zone's init, else its zsched.

        A brand may know of somebody nearer.
        """
        nearer: Proc | None = proc.brand.ops.b_reaper(proc)
        if nearer is not None:
            return nearer
        init = proc.zone.init
        if init is not None and init is not proc and not init.flag & SEXITING:
            return init
        zsched = proc.zone.zsched
        return zsched if zsched is not None and zsched is not proc else self.p0

    def oops(self, lwp: Lwp, cause: Exception) -> None:
        """The kernel broke while it worked for ``lwp``: end that process, and tell.

        Whatever was done half stays so; ``oopses`` holds what to report.
        """
        what = lwp.sysent.name if lwp.sysent is not None else "trap"
        lines = traceback.format_exception(type(cause), cause, cause.__traceback__)
        who = blame(cause, vectors_of(self))
        who = f" in {who}" if who is not None else ""
        self.oopses.append(
            f"{lwp.proc!r} in {what}{who}: {''.join(lines[-3:]).strip()}"
        )
        self.count("oops")
        for lock in list(self.locks.held):
            lock.exit()
        if lwp.state is TS_ONPROC:
            try:
                exits.proc_exit(lwp, CldCode.KILLED, Sig.SIGKILL)
            except Exception as e:
                raise Panic(f"{lwp!r} can't be ended after: {cause!r}") from e

    def out_of_memory(self, lwp: Lwp) -> None:
        """No frame for a page the lwp touched: make room, or kill its process."""
        if self.reclaim(lwp.proc.zone):
            return  # the access is made again
        self.count("oom_kills")
        self.notice(f"out of memory: killed {lwp.proc!r}")
        exits.proc_exit(lwp, CldCode.KILLED, Sig.SIGKILL)

    def reclaim(self, zone: Zone) -> int:
        """Give back frames of file pages that nobody maps: the zone's, else others'.

        Returns:
            How many; 0 if there is none left.
        """
        for z in (zone, *self.zones.values()):
            if z.root is None or z.root.v_vfs is None:
                continue
            mounted = (z.root.v_vfs, *mounts_below(self, z.root))
            freed = sum(vfs.drop_frames() for vfs in mounted)
            if freed:
                self.count("reclaimed_frames", freed)
                return freed
        return 0

    # ---- zones (``zonelife``) ----

    def zone_create(
        self,
        name: str,
        brand: str,
        *,
        options: dict[str, object] | None = None,
        **kw: Any,
    ) -> Zone:
        """Make a zone; see ``zonelife.zone_create``."""
        return zonelife.zone_create(self, name, brand, options=options, **kw)

    def zone_boot(self, zone: Zone) -> None:
        """Take a zone to RUNNING without an init; see ``zonelife.zone_boot``."""
        zonelife.zone_boot(zone)

    def zone_procs(self, zone: Zone) -> list[Proc]:
        """User processes of a zone, zombies too, oldest first."""
        return zonelife.zone_procs(zone)

    def zone_halt(self, zone: Zone) -> None:
        """Refuse forks, end every process, and go to DOWN."""
        zonelife.zone_halt(zone)

    def zone_init_exited(self, proc: Proc) -> None:
        """The zone's init has gone: what is left of the zone goes too."""
        zonelife.zone_init_exited(proc)

    # ---- statistics, notices, digest ----

    def count(self, name: str, n: int = 1) -> None:
        """Add to a kernel statistic."""
        self.kstat[name] = self.kstat.get(name, 0) + n
        for watch in self.observers.personae_count:
            watch(name, n)

    def count_unknown(self, zone: Zone, name: str) -> None:
        """A zone called something its brand does not have."""
        zone.unknown_syscalls[name] = zone.unknown_syscalls.get(name, 0) + 1

    def notice(self, text: str) -> None:
        """A line for the operator (cmn_err)."""
        self.notices.append(text)

    def fork_probe(self) -> Any:
        """What a transaction calls at each step; None if nobody listens."""
        watchers = self.observers.personae_fork_step
        if not watchers:
            return None

        def probe(op: str, step: str) -> None:
            for watch in watchers:
                watch(op, step)

        return probe

    def fold_log(self) -> None:
        """Take the hardware's event log into the digest."""
        whole = hashlib.sha256(self._digest)
        if self.hw.log_fold(whole.update):
            self._digest = whole.digest()

    def note_output(self, data: bytes) -> None:
        """Take what a guest gave to the host into the digest."""
        self._digest = hashlib.sha256(self._digest + b"output" + data).digest()

    def digest(self) -> str:
        """Hash over all that the guests did so far."""
        log = self.hw.log_take()
        self.hw.log(log)
        return "sha256:" + hashlib.sha256(self._digest + log).hexdigest()

    # ---- saving ----

    def __getstate__(self) -> dict[str, Any]:
        """All but what is rebuilt: vectors and listeners."""
        if self.current is not None:
            raise Panic("a machine can't be saved while a lwp runs")
        state = self.__dict__.copy()
        del state["contract_ops"], state["observers"]
        return state

    def rebind(self) -> None:
        """After loading: the vectors, and the views of the registers."""
        self.observers = Observers()
        self._bind_contracts()
        for p in self.practive:
            for t in p.lwps:
                t.regs = self.hw.ctx_view(t.ctx)
