"""The catalogue of resource controls (resource_controls(7)): constants only.

What a value of a control may be, what going over it may do, and where the kernel
keeps its usage and a copy of the enforced value is said here; how values are kept,
tested and changed is in ``rctl`` and ``rctlsys``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from personae.core.flags import quick_flags
from personae.core.signo import Sig

INFINITY = (1 << 64) - 1
"""No limit; a brand has its own spelling."""
INT_MAX = (1 << 31) - 1
SHRT_MAX = (1 << 15) - 1
UINT_MAX = (1 << 32) - 1
FSS_MAXSHARES = 65535
"""sys/fss.h."""
MAXCAP = 100 * 1000
"""Hundredths of a CPU; more than any machine has."""


class RctlPriv(IntEnum):
    """Who may change a value (RCPRIV_*, sys/rctl.h)."""

    BASIC = 0x01000000
    PRIVILEGED = 0x04000000
    SYSTEM = 0x07000000


class RctlEntity(IntEnum):
    """Kind of the entity (RCENTITY_*), si_entity of the signal."""

    PROCESS = 0
    TASK = 1
    PROJECT = 2
    ZONE = 3


@quick_flags
class RctlLocal(IntFlag):
    """What exceeding a value does (RCTL_LOCAL_*)."""

    NOACTION = 0
    SIGNAL = 1
    DENY = 2
    PROJDB = 0x40000000
    """The value comes from project(5): setproject takes it away again."""
    MAXIMAL = 0x80000000


@quick_flags
class RctlGlobal(IntFlag):
    """Properties of a control, and the one global action (RCTL_GLOBAL_*)."""

    NONE = 0
    SYSLOG = 1
    """Global action: going over a value is a kernel notice."""
    SYSLOG_NEVER = 0x00080000
    COUNT = 0x00100000
    SECONDS = 0x00200000
    BYTES = 0x00400000
    UNOBSERVABLE = 0x00800000
    INFINITE = 0x01000000
    """The maximal value means no limit: it is never exceeded."""
    SIGNAL_NEVER = 0x02000000
    CPU_TIME = 0x04000000
    """SIGXCPU is a possible signal."""
    FILE_SIZE = 0x08000000
    """SIGXFSZ is a possible signal."""
    DENY_NEVER = 0x10000000
    DENY_ALWAYS = 0x20000000
    LOWERABLE = 0x40000000
    """A privileged value may be lowered without privilege."""
    NOBASIC = 0x80000000


SIGNALS = frozenset(
    (Sig.SIGABRT, Sig.SIGKILL, Sig.SIGTERM, Sig.SIGSTOP, Sig.SIGXRES, Sig.SIGHUP)
)
"""Signals that any control may send; two more by CPU_TIME and FILE_SIZE."""


@dataclass(frozen=True)
class RctlDef:
    """One control of the catalogue (rctl_dict_entry_t).

    Attributes:
        name: Its name, ``entity.control``.
        ceiling: The system value.
        flags: Properties.
        usage: Attribute of the entity that counts; empty if the caller counts.
        cache: Attribute of the entity (a proc for process controls) where the
            enforced value is cached; empty for none.
        rlimit: Neutral name of the resource limit, or empty.
        initial: The privileged value that a new entity has; None for none.
    """

    name: str
    ceiling: int
    flags: RctlGlobal
    usage: str = ""
    cache: str = ""
    rlimit: str = ""
    initial: int | None = None

    @property
    def entity(self) -> str:
        """Kind of the entity: process, task, project or zone."""
        return self.name.partition(".")[0]

    def signal_allowed(self, sig: int) -> bool:
        """Whether a value of it may send the signal (rctl_invalid_value)."""
        if sig == Sig.SIGXCPU:
            return bool(self.flags & RctlGlobal.CPU_TIME)
        if sig == Sig.SIGXFSZ:
            return bool(self.flags & RctlGlobal.FILE_SIZE)
        return sig in SIGNALS


_G = RctlGlobal
_LOW = _G.LOWERABLE | _G.DENY_ALWAYS
_SIZE = _LOW | _G.SIGNAL_NEVER | _G.BYTES
_SECONDS = _G.DENY_NEVER | _G.CPU_TIME | _G.INFINITE | _G.UNOBSERVABLE | _G.SECONDS
_COUNT = _G.NOBASIC | _G.COUNT
_IPC = _G.NOBASIC | _G.DENY_ALWAYS
_MEMORY = _IPC | _G.BYTES
_SHARES = _G.NOBASIC | _G.SIGNAL_NEVER | _G.DENY_NEVER | _G.SYSLOG_NEVER | _G.COUNT
_CAP = _SHARES | _G.INFINITE


def _process() -> tuple[RctlDef, ...]:
    """os/rctl_proc.c."""
    size, row = INFINITY, RctlDef
    deny = _G.DENY_ALWAYS
    return (
        row(
            "process.max-cpu-time",
            INFINITY,
            RctlGlobal(_G.LOWERABLE | _SECONDS),
            cache="cpu_ctl",
            rlimit="CPU",
        ),
        row(
            "process.max-file-size",
            size,
            RctlGlobal(_LOW | _G.FILE_SIZE | _G.BYTES),
            cache="fsz_ctl",
            rlimit="FSIZE",
        ),
        row("process.max-data-size", size, RctlGlobal(_SIZE), rlimit="DATA"),
        row(
            "process.max-stack-size",
            size,
            RctlGlobal(_SIZE),
            cache="stk_ctl",
            rlimit="STACK",
        ),
        row("process.max-core-size", size, RctlGlobal(_SIZE), rlimit="CORE"),
        row(
            "process.max-file-descriptor",
            INT_MAX,
            RctlGlobal(_LOW | _G.COUNT),
            cache="fno_ctl",
            rlimit="NOFILE",
        ),
        row(
            "process.max-address-space",
            size,
            RctlGlobal(_SIZE),
            cache="vmem_ctl",
            rlimit="AS",
        ),
        row("process.max-locked-memory", size, RctlGlobal(_SIZE), rlimit="MEMLOCK"),
        row(
            "process.max-sigqueue-size",
            INT_MAX,
            RctlGlobal(_LOW | _G.COUNT),
            rlimit="SIGPENDING",
        ),
        row(
            "process.max-port-events",
            INT_MAX,
            RctlGlobal(deny | _G.COUNT),
            initial=DEFAULT_PORT_EVENTS,
        ),
        row("process.max-msg-messages", UINT_MAX, RctlGlobal(deny | _G.COUNT)),
        row("process.max-msg-qbytes", INFINITY, RctlGlobal(deny | _G.BYTES)),
        row("process.max-sem-ops", INT_MAX, RctlGlobal(deny | _G.COUNT)),
        row("process.max-sem-nsems", SHRT_MAX, RctlGlobal(deny | _G.COUNT)),
    )


def _counts(entity: str, *controls: tuple[str, str]) -> tuple[RctlDef, ...]:
    """Controls over a counter of the entity; a task's may have basic values."""
    flags = _G.COUNT if entity == "task" else _COUNT
    return tuple(
        RctlDef(
            f"{entity}.{name}",
            INT_MAX,
            RctlGlobal(flags),
            usage,
            name.replace("-", "_"),
            initial=DEFAULT_MAX_CONTRACTS if name == "max-contracts" else None,
        )
        for name, usage in controls
    )


def _containers(entity: str) -> tuple[RctlDef, ...]:
    """Controls that projects and zones have alike (os/project.c, os/zone.c)."""
    row = RctlDef
    shares = RctlGlobal(_SHARES)
    return (
        *_counts(entity, ("max-lwps", "nlwps"), ("max-processes", "nprocs")),
        row(f"{entity}.cpu-shares", FSS_MAXSHARES, shares, cache="shares", initial=1),
        row(f"{entity}.cpu-cap", MAXCAP, RctlGlobal(_CAP), cache="cpu_cap"),
        row(f"{entity}.max-shm-memory", INFINITY, RctlGlobal(_MEMORY)),
        row(f"{entity}.max-shm-ids", 1 << 24, RctlGlobal(_IPC | _G.COUNT)),
        row(f"{entity}.max-msg-ids", 1 << 24, RctlGlobal(_IPC | _G.COUNT)),
        row(f"{entity}.max-sem-ids", 1 << 24, RctlGlobal(_IPC | _G.COUNT)),
        row(f"{entity}.max-locked-memory", INFINITY, RctlGlobal(_MEMORY)),
    )


DEFAULT_MAX_CONTRACTS = 10000
DEFAULT_PORT_EVENTS = 65536
"""PORT_DEFAULT_EVENTS (sys/port_kernel.h)."""


def _defs() -> dict[str, RctlDef]:
    memory = RctlGlobal(_MEMORY)
    rows = (
        *_process(),
        *_counts("task", ("max-lwps", "nlwps"), ("max-processes", "nprocs")),
        RctlDef(
            "task.max-cpu-time", INFINITY, RctlGlobal(_SECONDS), cache="max_cpu_time"
        ),
        *_containers("project"),
        *_counts("project", ("max-tasks", "ntasks"), ("max-contracts", "contracts")),
        RctlDef(
            "project.max-port-ids", 1 << 24, RctlGlobal(_IPC | _G.COUNT), initial=8192
        ),
        *_containers("zone"),
        RctlDef("zone.max-swap", INFINITY, memory, "mem_bytes", "max_swap"),
        RctlDef(
            "zone.max-physical-memory", INFINITY, memory, "mem_bytes", "max_physical"
        ),
    )
    return {row.name: row for row in rows}


RCTLS = _defs()
"""The catalogue, by name.  Constant."""
BY_ENTITY = {
    kind: tuple(d for d in RCTLS.values() if d.entity == kind)
    for kind in ("process", "task", "project", "zone")
}
CACHED = {
    kind: tuple((d.name, d.cache) for d in rows if d.cache)
    for kind, rows in BY_ENTITY.items()
}
"""Controls whose enforced value is cached, and where."""
ENTITIES = {kind: RctlEntity[kind.upper()] for kind in BY_ENTITY}
RLIMITS = {d.rlimit: d.name for d in RCTLS.values() if d.rlimit}
"""Control behind each resource limit that is enforced through one."""

RLIM_DEFAULTS: dict[str, tuple[int, int]] = {
    "CPU": (INFINITY, INFINITY),
    "FSIZE": (INFINITY, INFINITY),
    "DATA": (INFINITY, INFINITY),
    "STACK": (8 << 20, INFINITY),
    "CORE": (INFINITY, INFINITY),
    "NOFILE": (256, 65536),
    "AS": (INFINITY, INFINITY),
}
"""The seven limits of a new process tree (os/rctl_proc.c)."""
RLIM_STORED = ("RSS", "NPROC", "LOCKS", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME")
"""Limits of other systems, kept for getrlimit; what they limit is the brand's."""
