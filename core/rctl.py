"""Resource controls: the limits of processes, tasks, projects and zones.

A control is an ordered list of values; a *cursor* points at the one that is
enforced.  Going over it does what the value says (nothing, a signal, refuse)
and either refuses or moves on to the next value; the last, the system's, always
refuses (resource_controls(7)).  Resource limits (getrlimit) are a view of the
process controls: soft is the basic value, hard the privileged one.

Every entity has one ``RctlSet``.  fork.c:321 copies the process' set: here both
sets go on with the same controls until one of them changes one, so nothing has to be
allocated under the set's lock, and a fork does not pay for values that stay as they
are.  The set callbacks (``cache``) run, so that the limits cached in the child agree
with its set.

The catalogue is in ``rctldefs``, sets and values are in ``rctlset``; what setrctl(2)
and getrctl(2) do is in ``rctlsys``.

Must not know: how a signal is delivered, what a file or a page is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from personae.core import policy
from personae.core.errno import Errno, KernelError, Panic
from personae.core.rctldefs import (
    BY_ENTITY,
    DEFAULT_MAX_CONTRACTS,
    ENTITIES,
    INFINITY,
    INT_MAX,
    RCTLS,
    RLIM_DEFAULTS,
    RLIM_STORED,
    RLIMITS,
    RctlDef,
    RctlGlobal,
    RctlLocal,
    RctlPriv,
)
from personae.core.rctlset import Rctl, RctlSet, RctlVal
from personae.core.signo import SiCode, Sig, SigInfo

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.proc import Proc

__all__ = [
    "DEFAULT_MAX_CONTRACTS",
    "INFINITY",
    "INT_MAX",
    "RCTLS",
    "RLIMITS",
    "RLIM_DEFAULTS",
    "RLIM_STORED",
    "Rctl",
    "RctlDef",
    "RctlGlobal",
    "RctlLocal",
    "RctlPriv",
    "RctlSet",
    "RctlVal",
    "rctl_action",
    "rctl_changed",
    "rctl_exit",
    "rctl_set_attach",
    "rctl_set_dup",
    "rctl_set_free",
    "rctl_set_init",
    "rctl_set_tearoff",
    "rctl_set_value",
    "rctl_test",
    "rctl_value",
    "rctlproc_default_init",
    "rlimit_get",
    "rlimit_set",
]


# ---- a set's life ----


def rctl_set_attach(kind: str, entity: Any) -> RctlSet:
    """A fresh set for a task, project or zone: system values and the initial ones.

    A project begins with project.max-contracts, and projects and zones with one
    share of the CPU.
    """
    kernel = entity.kernel if kind != "project" else entity.zone.kernel
    rset = RctlSet(kind, entity, kernel)
    _begin(rset, kind)
    return rset


def _begin(rset: RctlSet, kind: str) -> None:
    """The initial values of an entity of that kind (rctl_add_default_limit)."""
    for rdef in BY_ENTITY[kind]:
        if rdef.initial is not None:
            denies = not rdef.flags & RctlGlobal.DENY_NEVER
            action = RctlLocal.DENY if denies else RctlLocal.NOACTION
            val = RctlVal(rdef.initial, RctlPriv.PRIVILEGED, action)
            rset.rctls[rdef.name].insert(val)
    rset.callbacks()


def rctl_set_init(proc: Proc) -> RctlSet:
    """Give a process a fresh set, as newproc does; no resource limits yet.

    An inherited set must have been freed.
    """
    if proc.rctls is not None:
        raise Panic(f"rctl_set_init: {proc!r} has a set")
    proc.rctls = RctlSet("process", proc, proc.kernel)
    _begin(proc.rctls, "process")
    return proc.rctls


def rctlproc_default_init(proc: Proc) -> None:
    """Set the seven resource limits of a process that begins a tree (fork.c:812)."""
    for name, (soft, hard) in RLIM_DEFAULTS.items():
        _rlimit_install(_set_of(proc), name, soft, hard)


def rctl_set_dup(parent: Proc, child: Proc) -> RctlSet:
    """Copy a process' set for its child and run the set callbacks (fork.c:321).

    Cursors are kept.  The copy is one table for both until one of them changes a
    control (``RctlSet.own``), so the loop of fork.c that finds room first and looks
    again under the lock has nothing to do.

    Locks: none on entry and return; the parent set's lock inside.
    """
    old = _set_of(parent)
    if old.freed or child.rctls is not None:
        raise Panic(f"rctl_set_dup for {child!r}")
    lock = old.lock
    lock.enter()
    new = RctlSet.__new__(RctlSet)
    new.kind, new.entity, new.freed = old.kind, child, False
    new.lock = lock.like()
    new.rctls, new.stored = old.rctls, old.stored
    old.cow = new.cow = True
    if old.mine:
        old.mine = set()
    new.mine, new.recipients = set(), 0
    # The set callbacks: the values are the parent's, and so is what is cached of them.
    child.cpu_ctl, child.fsz_ctl = parent.cpu_ctl, parent.fsz_ctl
    child.stk_ctl, child.fno_ctl = parent.stk_ctl, parent.fno_ctl
    child.vmem_ctl = parent.vmem_ctl
    lock.exit()
    child.rctls = new
    return new


def rctl_set_free(rset: RctlSet) -> None:
    """Free a set: exit, or a failed fork.  Panic if that was done already."""
    if rset.freed:
        raise Panic(f"rctl_set_free: the set of {rset.entity!r} is free")
    rset.freed = True
    if rset.kind == "process" and rset.entity.rctls is rset:
        rset.entity.rctls = None


def rctl_proc_free(proc: Proc) -> None:
    """Undo of ``rctl_set_dup`` and ``rctl_set_init``."""
    if proc.rctls is None:
        raise Panic(f"{proc!r} has no resource controls to free")
    rctl_set_free(proc.rctls)
    proc.rctls = None


def rctl_set_tearoff(rset: RctlSet, proc: Proc) -> None:
    """Take the basic values of a process out of a set that it leaves.

    Locks: none, or those before the set's lock.
    """
    if not rset.recipients:
        return
    for name in list(rset.rctls):
        for val in rset.rctls[name].find(RctlPriv.BASIC, proc):
            rset.own(name).remove(val)
            rctl_changed(rset, name)


def rctl_exit(proc: Proc) -> None:
    """A process exits: its set is freed, and its values in others go with it."""
    if proc.rctls is not None:
        rctl_set_free(proc.rctls)
        proc.rctls = None
    task = proc.task
    if task is not None:
        for entity in (task, task.project, proc.zone):
            rctl_set_tearoff(entity.rctls, proc)


def rctl_changed(rset: RctlSet, name: str) -> None:
    """A control's values have changed: count recipients, run its set callback."""
    rctl = rset.rctls[name]
    if rctl.rdef.cache:
        setattr(rset.entity, rctl.rdef.cache, rctl.enforced.value)
    if rset.kind != "process":
        rset.recipients = sum(
            v.recipient is not None for r in rset.rctls.values() for v in r.values
        )


# ---- the test ----


def rctl_value(rset: RctlSet, name: str) -> int:
    """The enforced value of a control."""
    return rset.rctls[name].enforced.value


def rctl_set_value(
    rset: RctlSet, name: str, value: int, action: RctlLocal | None = None
) -> None:
    """Put one privileged value in place of those there (zonecfg's rctl).

    Args:
        rset: The set.
        name: The control.
        value: The value; the system's own stands for none.
        action: What exceeding it does; by default to refuse where that can be.

    Raises:
        KernelError: EINVAL, above what the system allows.
    """
    rdef = rset.rctls[name].rdef
    if not 0 <= value <= rdef.ceiling:
        raise KernelError(Errno.EINVAL, f"{name}: {value} is out of range")
    if action is None:
        never = rdef.flags & RctlGlobal.DENY_NEVER
        action = RctlLocal.NOACTION if never else RctlLocal.DENY
    rctl = rset.own(name)
    for old in rctl.find(RctlPriv.PRIVILEGED):
        rctl.remove(old)
    if value < rdef.ceiling:
        rctl.insert(RctlVal(value, RctlPriv.PRIVILEGED, action))
    rctl_changed(rset, name)


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
    while want > rctl.enforced.value and not _unlimited(rctl):
        if _act(rset, kind, proc):
            return True
        rctl = rset.own(kind)
        if rctl.cursor + 1 == len(rctl.values):
            return not rdef.flags & RctlGlobal.DENY_NEVER
        rctl.cursor += 1
        if rdef.cache:
            setattr(entity, rdef.cache, rctl.enforced.value)
    return False


def rctl_action(kind: str, entity: Any, proc: Proc) -> bool:
    """Do what the enforced value says: its limit was met elsewhere (rctl_action).

    Returns:
        Whether it refuses.  If it does not, the next value is enforced.
    """
    rset: RctlSet | None = entity.rctls
    if rset is None or proc.pid == 0:
        return False
    if _unlimited(rset.rctls[kind]):
        return False
    if _act(rset, kind, proc):
        return True
    rctl = rset.own(kind)
    if rctl.cursor + 1 < len(rctl.values):
        rctl.cursor += 1
        rctl_changed(rset, kind)
    return False


def _unlimited(rctl: Rctl) -> bool:
    """The maximal value of an infinite control is no limit."""
    return bool(
        rctl.rdef.flags & RctlGlobal.INFINITE
        and rctl.enforced.action & RctlLocal.MAXIMAL
    )


def _act(rset: RctlSet, name: str, proc: Proc) -> bool:
    """Global, then local action of the enforced value; True if one refuses."""
    rctl = rset.own(name)
    val = rctl.enforced
    kernel = proc.kernel
    rctl.values[rctl.cursor] = replace(val, fired=kernel.now)
    if name in kernel.rctl_syslog:
        kernel.notice(
            f"{val.privilege.name.lower()} rctl {name} (value {val.value}) exceeded "
            f"by {rset.kind} {_entity_id(rset)} in zone {proc.zone.name}"
        )
    if val.action & RctlLocal.SIGNAL and val.signal:
        _send(rset, val, proc)
    flags = rctl.rdef.flags
    if flags & RctlGlobal.DENY_ALWAYS:
        return True
    if flags & RctlGlobal.DENY_NEVER:
        return False
    mine = val.recipient is None or val.recipient is proc
    return bool(val.action & RctlLocal.DENY) and mine


def _entity_id(rset: RctlSet) -> int:
    return int(rset.entity.pid if rset.kind == "process" else rset.entity.id)


def _send(rset: RctlSet, val: RctlVal, proc: Proc) -> None:
    """The signal of a value: to the lwp that went over it, or to the recipient."""
    kernel, lwp = proc.kernel, proc.kernel.current
    info = SigInfo(val.signal, SiCode.RCTL, entity=ENTITIES[rset.kind])
    target = val.recipient if val.recipient is not None else proc
    if lwp is not None and lwp.proc is target:
        kernel.tsignal(lwp, val.signal, info)
    else:
        kernel.psignal(target, val.signal, info)


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


def rlimit_set(
    proc: Proc, name: str, soft: int, hard: int, cred: Cred, *, kill: bool = False
) -> None:
    """Set a resource limit of a process.

    Args:
        proc: The process.
        name: Neutral name of the limit.
        soft: Basic value.
        hard: Privileged value.
        cred: Who sets it.
        kill: The hard limit of CPU time kills, as it does in Linux; illumos
            sends SIGXCPU once more.

    Raises:
        KernelError: EINVAL (soft above hard, no such limit), EPERM (hard raised
            without SYS_RESOURCE).
    """
    if soft > hard:
        raise KernelError(Errno.EINVAL, f"{name}: soft limit above the hard one")
    _, old_hard = rlimit_get(proc, name)
    if hard > old_hard and not policy.secpolicy_rctlsys(cred):
        raise KernelError(Errno.EPERM, f"{name}: raising a hard limit")
    _rlimit_install(_set_of(proc), name, soft, hard, kill)


def _rlimit_install(
    rset: RctlSet, name: str, soft: int, hard: int, kill: bool = False
) -> None:
    if name in RLIM_STORED:
        rset.stored = {**rset.stored, name: (soft, hard)}
        return
    control = RLIMITS[name]
    rctl = rset.own(control)
    action, signal = RctlLocal.DENY, 0
    if name == "CPU":
        action, signal = RctlLocal.SIGNAL, int(Sig.SIGXCPU)
    elif name == "FSIZE":
        action, signal = RctlLocal(3), int(Sig.SIGXFSZ)
    last = int(Sig.SIGKILL) if kill and name == "CPU" else signal
    with rset.lock:
        for old in rctl.find(RctlPriv.BASIC) + rctl.find(RctlPriv.PRIVILEGED):
            rctl.remove(old)
        ceiling = rctl.rdef.ceiling
        if hard < ceiling:
            rctl.insert(RctlVal(hard, RctlPriv.PRIVILEGED, action, last))
        if soft < ceiling:
            rctl.insert(RctlVal(soft, RctlPriv.BASIC, action, signal))
        rctl_changed(rset, control)
