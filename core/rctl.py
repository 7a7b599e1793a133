"""Resource controls: the limits of processes, tasks, projects and zones.

A control is an ordered list of values; a *cursor* points at the one that is
enforced.  Going over it does what the value says (nothing, a signal, refuse)
and either refuses or moves on to the next value; the last, the system's, always
refuses (resource_controls(7)).  Resource limits (getrlimit) are a view of the
process controls: soft is the basic value, hard the privileged one.

Every entity has one ``RctlSet``.  fork.c:321 copies the process' set in two
steps, room first and then the copy under the set's lock, and runs the set
callbacks so that the limits cached in the child agree with its set.

Must not know: how a signal is delivered, what a file or a page is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from personae.core import policy
from personae.core.errno import Errno, KernelError, Panic
from personae.core.flags import quick_flags
from personae.core.signal import Sig
from personae.core.sync import LockOrder, Mutex

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc

INFINITY = (1 << 64) - 1
"""No limit; a brand has its own spelling."""
INT_MAX = (1 << 31) - 1
MAXSHARES = 65535
"""FSS_MAXSHARES (sys/fss.h)."""


class RctlPriv(IntEnum):
    """Who may change a value (RCPRIV_*, sys/rctl.h)."""

    BASIC = 0x01000000
    PRIVILEGED = 0x04000000
    SYSTEM = 0x07000000


@quick_flags
class RctlLocal(IntFlag):
    """What exceeding a value does (RCTL_LOCAL_*)."""

    NOACTION = 0
    SIGNAL = 1
    DENY = 2
    MAXIMAL = 0x80000000


@quick_flags
class RctlGlobal(IntFlag):
    """Properties of a control (RCTL_GLOBAL_*)."""

    NONE = 0
    NOBASIC = 1
    DENY_ALWAYS = 2
    DENY_NEVER = 4
    INFINITE = 8
    LOWERABLE = 16
    SIGNAL_NEVER = 32


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
    """

    name: str
    ceiling: int
    flags: RctlGlobal
    usage: str = ""
    cache: str = ""
    rlimit: str = ""

    @property
    def entity(self) -> str:
        """Kind of the entity: process, task, project or zone."""
        return self.name.partition(".")[0]


def _defs() -> dict[str, RctlDef]:
    g = RctlGlobal
    count = g.NOBASIC | g.INFINITE
    low = g.LOWERABLE | g.DENY_ALWAYS
    shares = g.NOBASIC | g.DENY_NEVER | g.SIGNAL_NEVER
    rows = (
        RctlDef(
            "process.max-cpu-time",
            INFINITY,
            g.LOWERABLE | g.DENY_NEVER | g.INFINITE,
            rlimit="CPU",
        ),
        RctlDef(
            "process.max-file-size", INFINITY, low, cache="fsz_ctl", rlimit="FSIZE"
        ),
        RctlDef("process.max-data-size", INFINITY, low, rlimit="DATA"),
        RctlDef(
            "process.max-stack-size", INFINITY, low, cache="stk_ctl", rlimit="STACK"
        ),
        RctlDef("process.max-core-size", INFINITY, low, rlimit="CORE"),
        RctlDef(
            "process.max-file-descriptor",
            INT_MAX,
            low,
            cache="fno_ctl",
            rlimit="NOFILE",
        ),
        RctlDef(
            "process.max-address-space", INFINITY, low, cache="vmem_ctl", rlimit="AS"
        ),
        RctlDef("process.max-locked-memory", INFINITY, low, rlimit="MEMLOCK"),
        RctlDef("process.max-sigqueue-size", INT_MAX, low, rlimit="SIGPENDING"),
        RctlDef("task.max-lwps", INT_MAX, g.INFINITE, "nlwps", "max_lwps"),
        RctlDef("task.max-processes", INT_MAX, g.INFINITE, "nprocs", "max_processes"),
        RctlDef("project.max-lwps", INT_MAX, count, "nlwps", "max_lwps"),
        RctlDef("project.max-processes", INT_MAX, count, "nprocs", "max_processes"),
        RctlDef("project.max-tasks", INT_MAX, count, "ntasks", "max_tasks"),
        RctlDef("project.max-contracts", INT_MAX, count, "contracts", "max_contracts"),
        RctlDef("project.cpu-shares", MAXSHARES, shares, cache="shares"),
        RctlDef("zone.cpu-shares", MAXSHARES, shares, cache="shares"),
        RctlDef("zone.max-lwps", INT_MAX, count, "nlwps", "max_lwps"),
        RctlDef("zone.max-processes", INT_MAX, count, "nprocs", "max_processes"),
    )
    return {row.name: row for row in rows}


RCTLS = _defs()
"""The catalogue, by name.  Constant."""
RLIMITS = {d.rlimit: d.name for d in RCTLS.values() if d.rlimit}
"""Control behind each resource limit that is enforced through one."""
DEFAULT_MAX_CONTRACTS = 10000
DEFAULT_SHARES = 1

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


@dataclass(frozen=True)
class RctlVal:
    """One value of a control (rctl_val_t).

    Attributes:
        value: The threshold.
        privilege: Who may change it.
        action: What exceeding it does.
        signal: Signal for action SIGNAL.
        recipient: For a basic value of a set that several processes share, the one
            that set it: it applies to that process only.  None in the set of a
            process, which has one owner.
    """

    value: int
    privilege: RctlPriv
    action: RctlLocal = RctlLocal.NOACTION
    signal: int = 0
    recipient: Proc | None = None

    def order(self) -> tuple[bool, int, bool, int]:
        """Place in the list: maximal last, then value, no-deny first, privilege."""
        return (
            bool(self.action & RctlLocal.MAXIMAL),
            self.value,
            bool(self.action & RctlLocal.DENY),
            self.privilege,
        )


class Rctl:
    """One control of one set: its values and the cursor (rctl_t)."""

    __slots__ = ("cursor", "rdef", "values")

    def __init__(self, rdef: RctlDef) -> None:
        self.rdef = rdef
        system = RctlLocal.MAXIMAL | (
            RctlLocal.NOACTION if rdef.flags & RctlGlobal.DENY_NEVER else RctlLocal.DENY
        )
        self.values = [RctlVal(rdef.ceiling, RctlPriv.SYSTEM, system)]
        self.cursor = 0

    def copy(self) -> Rctl:
        """Another control with the same values and cursor."""
        new = Rctl.__new__(Rctl)
        new.rdef, new.values, new.cursor = self.rdef, list(self.values), self.cursor
        return new

    @property
    def enforced(self) -> RctlVal:
        """The value under the cursor."""
        return self.values[self.cursor]

    def insert(self, val: RctlVal) -> None:
        """Add a value in its place and enforce the lowest again."""
        self.values.append(val)
        self.values.sort(key=RctlVal.order)
        self.cursor = 0

    def remove(self, val: RctlVal) -> None:
        """Take a value away and enforce the lowest again."""
        self.values.remove(val)
        self.cursor = 0

    def find(self, privilege: RctlPriv, recipient: Proc | None = None) -> list[RctlVal]:
        """Values of a privilege; basic ones of one process only."""
        return [
            v
            for v in self.values
            if v.privilege is privilege
            and (privilege is not RctlPriv.BASIC or v.recipient is recipient)
        ]


class RctlSet:
    """All controls of one entity (rctl_set_t).

    Args:
        kind: Kind of the entity: process, task, project or zone.
        entity: The entity, whose cached limits follow the set.
        kernel: The kernel.
    """

    def __init__(self, kind: str, entity: Any, kernel: Kernel) -> None:
        self.kind = kind
        self.entity = entity
        self.lock = Mutex(kernel.locks, f"rcs_lock:{kind}", LockOrder.RCTL)
        self.rctls = {d.name: Rctl(d) for d in RCTLS.values() if d.entity == kind}
        self.shared: set[str] = set()
        """Controls that another set may have too: copied before they change."""
        self.stored: dict[str, tuple[int, int]] = {}
        """Resource limits that no control enforces."""
        self.freed = False

    def own(self, name: str) -> Rctl:
        """A control that is about to change: this set's alone from here on."""
        rctl = self.rctls[name]
        if name in self.shared:
            self.shared.discard(name)
            rctl = self.rctls[name] = rctl.copy()
        return rctl

    def callbacks(self) -> None:
        """Set the cached limits of the entity from the set (RCD_CALLBACK)."""
        for rctl in self.rctls.values():
            if rctl.rdef.cache:
                setattr(self.entity, rctl.rdef.cache, rctl.enforced.value)

    def snapshot(self) -> tuple[Any, ...]:
        """Values and cursors, to compare two sets."""
        rows = tuple(
            (
                name,
                rctl.cursor,
                tuple(
                    (v.value, int(v.privilege), int(v.action), v.signal)
                    for v in rctl.values
                ),
            )
            for name, rctl in self.rctls.items()
        )
        return rows, tuple(sorted(self.stored.items()))


# ---- a set's life ----


def rctl_set_attach(kind: str, entity: Any) -> RctlSet:
    """A fresh set for a task, project or zone: only system values.

    A project is given its privileged max-contracts as well, and a project or zone
    the one share it has by default.
    """
    kernel = entity.kernel if kind != "project" else entity.zone.kernel
    rset = RctlSet(kind, entity, kernel)
    if kind == "project":
        rset.rctls["project.max-contracts"].insert(
            RctlVal(DEFAULT_MAX_CONTRACTS, RctlPriv.PRIVILEGED, RctlLocal.DENY)
        )
    if kind in ("project", "zone"):
        rset.rctls[f"{kind}.cpu-shares"].insert(
            RctlVal(DEFAULT_SHARES, RctlPriv.PRIVILEGED, RctlLocal.NOACTION)
        )
    rset.callbacks()
    return rset


def rctl_set_init(proc: Proc) -> RctlSet:
    """Give a process a fresh set, as newproc does; no limits yet.

    An inherited set must have been freed.
    """
    if proc.rctls is not None:
        raise Panic(f"rctl_set_init: {proc!r} has a set")
    proc.rctls = RctlSet("process", proc, proc.kernel)
    proc.rctls.callbacks()
    return proc.rctls


def rctlproc_default_init(proc: Proc) -> None:
    """Set the seven resource limits of a process that begins a tree (fork.c:812)."""
    for name, (soft, hard) in RLIM_DEFAULTS.items():
        _rlimit_install(_set_of(proc), name, soft, hard)


def rctl_set_dup_prealloc(parent_set: RctlSet) -> int:
    """First step of a dup: how many values there must be room for."""
    return sum(len(r.values) for r in parent_set.rctls.values())


def rctl_set_dup(parent: Proc, child: Proc) -> RctlSet:
    """Copy a process' set for its child and run the set callbacks (fork.c:321).

    The room is found without the lock, so it is counted again under it, and
    found again if the set has grown meanwhile.  Cursors are kept.

    Locks: none on entry and return; the set's lock inside.
    """
    parent_set = _set_of(parent)
    if parent_set.freed or child.rctls is not None:
        raise Panic(f"rctl_set_dup for {child!r}")
    while True:
        room = rctl_set_dup_prealloc(parent_set)
        with parent_set.lock:
            if rctl_set_dup_prealloc(parent_set) <= room:
                child.rctls = _dup(parent_set, child)
                return child.rctls


def _dup(parent_set: RctlSet, child: Proc) -> RctlSet:
    """Both sets have the same controls until one of them changes one (``own``)."""
    new = RctlSet.__new__(RctlSet)
    new.kind, new.entity, new.freed = parent_set.kind, child, False
    new.lock = Mutex(child.kernel.locks, parent_set.lock.name, LockOrder.RCTL)
    new.rctls = dict(parent_set.rctls)
    parent_set.shared.update(new.rctls)
    new.shared = set(new.rctls)
    new.stored = dict(parent_set.stored)
    new.callbacks()
    return new


def rctl_set_free(rset: RctlSet) -> None:
    """Free a set: exit, or a failed fork.  Panic if that was done already."""
    if rset.freed:
        raise Panic(f"rctl_set_free: the set of {rset.entity!r} is free")
    rset.freed = True
    if rset.kind == "process" and rset.entity.rctls is rset:
        rset.entity.rctls = None


# ---- the test ----


def rctl_value(rset: RctlSet, name: str) -> int:
    """The enforced value of a control."""
    return rset.rctls[name].enforced.value


def rctl_set_value(
    rset: RctlSet, name: str, value: int, action: RctlLocal = RctlLocal.DENY
) -> None:
    """Put one privileged value in place of those there (zonecfg's rctl).

    Raises:
        KernelError: EINVAL, above what the system allows.
    """
    rctl = rset.own(name)
    if not 0 <= value <= rctl.rdef.ceiling:
        raise KernelError(Errno.EINVAL, f"{name}: {value} is out of range")
    for old in rctl.find(RctlPriv.PRIVILEGED):
        rctl.remove(old)
    if value < rctl.rdef.ceiling:
        rctl.insert(RctlVal(value, RctlPriv.PRIVILEGED, action))
    rset.callbacks()


def rctl_test(
    kind: str, entity: Any, proc: Proc, incr: int = 1, usage: int | None = None
) -> bool:
    """Whether ``incr`` more would be refused; runs the actions on the way.

    Args:
        kind: Name of the control, e.g. ``"task.max-lwps"``.
        entity: The process, task, project or zone it belongs to.
        proc: Who asks for more.
        incr: How much more.
        usage: How much there is, for controls that don't count by themselves.

    Returns:
        True to refuse.

    Locks: as the caller has them; a signal is posted without dropping one.
    """
    rset: RctlSet | None = entity.rctls
    if rset is None or proc.pid == 0:
        return False
    rctl = rset.rctls[kind]
    rdef = rctl.rdef
    want = (getattr(entity, rdef.usage) if usage is None else usage) + incr
    while want > rctl.enforced.value:
        if _exceeded(rctl, proc):
            return True
        if rctl.cursor + 1 == len(rctl.values):
            return not rdef.flags & RctlGlobal.DENY_NEVER
        rctl = rset.own(kind)
        rctl.cursor += 1
        if rdef.cache:
            setattr(entity, rdef.cache, rctl.enforced.value)
    return False


def _exceeded(rctl: Rctl, proc: Proc) -> bool:
    """Do what the enforced value says; True if that is to refuse."""
    val = rctl.enforced
    flags = rctl.rdef.flags
    mine = val.recipient is None or val.recipient is proc
    if val.action & RctlLocal.SIGNAL and val.signal:
        target = val.recipient if val.recipient is not None else proc
        proc.kernel.psignal(target, val.signal, None)
    if flags & RctlGlobal.DENY_ALWAYS:
        return True
    if flags & RctlGlobal.DENY_NEVER:
        return False
    return bool(val.action & RctlLocal.DENY) and mine


# ---- resource limits ----


def _set_of(proc: Proc) -> RctlSet:
    if proc.rctls is None:
        raise Panic(f"{proc!r} has no resource controls")
    return proc.rctls


def rlimit_get(proc: Proc, name: str) -> tuple[int, int]:
    """Soft and hard value of a resource limit, by its neutral name.

    Raises:
        KernelError: EINVAL, there is no such limit.
    """
    rset = _set_of(proc)
    if name in RLIMITS:
        rctl = rset.rctls[RLIMITS[name]]
        ceiling = INFINITY
        hard = min((v.value for v in rctl.find(RctlPriv.PRIVILEGED)), default=ceiling)
        soft = min((v.value for v in rctl.find(RctlPriv.BASIC)), default=hard)
        return min(soft, hard), hard
    if name in RLIM_STORED:
        return rset.stored.get(name, (INFINITY, INFINITY))
    raise KernelError(Errno.EINVAL, f"there is no resource limit {name}")


def rlimit_set(proc: Proc, name: str, soft: int, hard: int, cred: Cred) -> None:
    """Set a resource limit of a process.

    Raises:
        KernelError: EINVAL (soft above hard, no such limit), EPERM (hard raised
            without SYS_RESOURCE).
    """
    if soft > hard:
        raise KernelError(Errno.EINVAL, f"{name}: soft limit above the hard one")
    _, old_hard = rlimit_get(proc, name)
    if hard > old_hard and not policy.secpolicy_rctlsys(cred):
        raise KernelError(Errno.EPERM, f"{name}: raising a hard limit")
    _rlimit_install(_set_of(proc), name, soft, hard)


def _rlimit_install(rset: RctlSet, name: str, soft: int, hard: int) -> None:
    if name in RLIM_STORED:
        rset.stored[name] = (soft, hard)
        return
    rctl = rset.own(RLIMITS[name])
    action, signal = RctlLocal.DENY, 0
    if name == "CPU":
        action, signal = RctlLocal.SIGNAL, int(Sig.SIGXCPU)
    elif name == "FSIZE":
        action, signal = RctlLocal.DENY | RctlLocal.SIGNAL, int(Sig.SIGXFSZ)
    with rset.lock:
        for old in rctl.find(RctlPriv.BASIC) + rctl.find(RctlPriv.PRIVILEGED):
            rctl.remove(old)
        ceiling = rctl.rdef.ceiling
        if hard < ceiling:
            rctl.insert(RctlVal(hard, RctlPriv.PRIVILEGED, action, signal))
        if soft < ceiling:
            rctl.insert(RctlVal(soft, RctlPriv.BASIC, action, signal))
        rset.callbacks()
