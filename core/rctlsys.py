"""getrctl(2), setrctl(2) and their private relatives (syscall/rctlsys.c).

A process sees and changes the controls of itself, its task, its project and its
zone.  Values are ``RctlVal``; how a brand lays one out in memory (rctlblk) is the
brand's.

Must not know: registers, memory of a guest.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.policy import secpolicy_rctlsys
from personae.core.proc import ProcStat
from personae.core.rctl import RctlSet, RctlVal, rctl_changed
from personae.core.rctldefs import RCTLS, RctlDef, RctlGlobal, RctlLocal, RctlPriv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc

GLOBAL_ZONEID = 0
PROJSET_MAX = 1024
"""Values of one rctl_projset."""
LOCAL_MASK = RctlLocal.SIGNAL | RctlLocal.DENY | RctlLocal.MAXIMAL | RctlLocal.PROJDB


class RctlSetFlag(IntEnum):
    """What setrctl(2) does."""

    INSERT = 0
    DELETE = 1
    REPLACE = 2


# ---- finding ----


def rctl_def(name: str) -> RctlDef:
    """A control of the catalogue (rctl_hndl_lookup).

    Raises:
        KernelError: EINVAL, there is none of that name.
    """
    rdef = RCTLS.get(name)
    if rdef is None:
        raise KernelError(Errno.EINVAL, f"there is no resource control {name}")
    return rdef


def rctl_entity(name: str, proc: Proc) -> Any:
    """What the control of a process is a control of (rctl_entity_obtain_rset)."""
    kind = rctl_def(name).entity
    if kind == "process":
        return proc
    if kind == "zone":
        return proc.zone
    if proc.task is None:
        raise Panic(f"{proc!r} is in no task")
    return proc.task if kind == "task" else proc.task.project


def _rset(name: str, proc: Proc) -> RctlSet:
    rset: RctlSet | None = rctl_entity(name, proc).rctls
    if rset is None:
        raise KernelError(Errno.ESRCH, f"{proc!r} has no resource controls")
    return rset


def _key(val: RctlVal, rset: RctlSet, proc: Proc | None) -> RctlVal:
    """A value as it is in the set: a basic one of a shared set has a recipient."""
    shared = rset.kind != "process" and val.privilege is RctlPriv.BASIC
    return replace(val, recipient=proc if shared else None)


def _match(rset: RctlSet, name: str, val: RctlVal) -> RctlVal:
    for have in rset.rctls[name].values:
        if have.same(val):
            return have
    raise KernelError(Errno.ESRCH, f"{name} has no value {val.value} to match")


def _visible(val: RctlVal, proc: Proc) -> bool:
    return val.recipient is None or val.recipient is proc


# ---- getrctl ----


def rctl_first(proc: Proc, name: str) -> RctlVal:
    """RCTL_FIRST: the lowest value.

    Raises:
        KernelError: EINVAL, no such control.
    """
    return _rset(name, proc).rctls[name].values[0]


def rctl_next(proc: Proc, name: str, old: RctlVal) -> RctlVal:
    """RCTL_NEXT: the value after ``old``.

    A basic value is another process' if its recipient says so; it is shown, as the
    value of the one that set it.

    Raises:
        KernelError: EINVAL, no such control; ESRCH, it has no value like ``old``;
            ENOENT, ``old`` is the last one.
    """
    rset = _rset(name, proc)
    if rset.kind != "process" and old.privilege is RctlPriv.BASIC:
        old = replace(old, recipient=old.recipient or proc)
    elif old.recipient is not None:
        old = replace(old, recipient=None)
    values = rset.rctls[name].values
    at = values.index(_match(rset, name, old))
    if at + 1 == len(values):
        raise KernelError(Errno.ENOENT, f"{name} has no value after {old.value}")
    return values[at + 1]


def rctl_usage(proc: Proc, name: str) -> RctlVal:
    """RCTL_USAGE: how much there is, as a system value without action.

    Raises:
        KernelError: EINVAL, no such control; ENOTSUP, nobody counts it.
    """
    rdef = rctl_def(name)
    if not rdef.usage:
        raise KernelError(Errno.ENOTSUP, f"the usage of {name} is not counted")
    return RctlVal(getattr(rctl_entity(name, proc), rdef.usage), RctlPriv.SYSTEM)


def rctl_list() -> list[str]:
    """Names of all controls (rctl_walk(3C))."""
    return list(RCTLS)


# ---- setrctl ----


def rctl_check_value(rdef: RctlDef, val: RctlVal) -> None:
    """Hold a value against the properties of its control (rctl_invalid_value).

    Raises:
        KernelError: EINVAL; the text says why.
    """
    flags, act = rdef.flags, val.action
    if act & ~LOCAL_MASK:
        why = f"local action {act:#x}"
    elif val.privilege is RctlPriv.BASIC and flags & RctlGlobal.NOBASIC:
        why = "has no basic values"
    elif not act & RctlLocal.DENY and flags & RctlGlobal.DENY_ALWAYS:
        why = "always denies"
    elif act & RctlLocal.DENY and flags & RctlGlobal.DENY_NEVER:
        why = "never denies"
    elif act & RctlLocal.SIGNAL and flags & RctlGlobal.SIGNAL_NEVER:
        why = "never signals"
    elif act & RctlLocal.SIGNAL and not val.signal:
        why = "a signal action needs a signal"
    elif val.signal and not rdef.signal_allowed(val.signal):
        why = f"can't send signal {val.signal}"
    elif not 0 <= val.value <= rdef.ceiling:
        why = f"{val.value} is above the system's value"
    else:
        return
    raise KernelError(Errno.EINVAL, f"{rdef.name}: {why}")


def _demand(cred: Cred, rdef: RctlDef) -> None:
    """May change privileged values; a zone's only from the global zone.

    Raises:
        KernelError: EACCES.
    """
    if not secpolicy_rctlsys(cred):
        raise KernelError(Errno.EACCES, f"{rdef.name}: privileged value")
    if rdef.entity == "zone" and cred.zoneid != GLOBAL_ZONEID:
        raise KernelError(Errno.EACCES, f"{rdef.name}: only from the global zone")


def _recipient(rdef: RctlDef, proc: Proc, cred: Cred, pid: int | None) -> Proc:
    """Who a basic value is for: the caller, or with privilege another process.

    Raises:
        KernelError: EINVAL, EACCES, ESRCH.
    """
    if pid is None or pid == proc.pid:
        return proc
    if rdef.entity == "process":
        raise KernelError(Errno.EINVAL, "a process control has one recipient")
    if not secpolicy_rctlsys(cred):
        raise KernelError(Errno.EACCES, "a basic value for another process")
    who = proc.kernel.pids.prfind(pid)
    if who is None or who.stat in (ProcStat.SIDL, ProcStat.SZOMB):
        raise KernelError(Errno.ESRCH, f"there is no process {pid}")
    if rctl_entity(rdef.name, who) is not rctl_entity(rdef.name, proc):
        raise KernelError(Errno.ESRCH, f"process {pid} is in another {rdef.entity}")
    return who


def rctl_set(
    proc: Proc,
    name: str,
    new: RctlVal,
    action: int,
    *,
    old: RctlVal | None = None,
    pid: int | None = None,
) -> None:
    """Insert, delete or replace a value (setrctl(2)); the lowest is enforced again.

    Args:
        proc: The caller; its credential decides.
        name: The control.
        new: The value to insert, to delete, or to put in the place of ``old``.
        action: ``RctlSetFlag``.
        old: The value to replace.
        pid: RCTL_USE_RECIPIENT_PID: the process a basic value is for.

    Raises:
        KernelError: EINVAL, no such control or action, or a value that the control
            can't have, or has; EPERM, a system value; EACCES, a privileged value
            without privilege; ESRCH, no such value, or no such recipient.

    Locks: none; the set's lock inside.
    """
    if action not in RctlSetFlag.__members__.values():
        raise KernelError(Errno.EINVAL, f"setrctl action {action}")
    rdef, cred = rctl_def(name), proc.cred
    rctl_check_value(rdef, new)
    who = None
    if new.privilege is RctlPriv.BASIC:
        who = _recipient(rdef, proc, cred, pid)
    rset = _rset(name, proc)
    new = _key(replace(new, fired=0), rset, who)
    if action == RctlSetFlag.REPLACE:
        old = _replaced(rset, rdef, old, who or proc)
        _may_replace(cred, rdef, old, new)
    elif new.privilege is RctlPriv.SYSTEM:
        raise KernelError(Errno.EPERM, f"{name}: system values are fixed")
    elif new.privilege is RctlPriv.PRIVILEGED:
        _demand(cred, rdef)
    with rset.lock:
        _change(rset, name, action, old, new)


def _replaced(rset: RctlSet, rdef: RctlDef, old: RctlVal | None, who: Proc) -> RctlVal:
    """The value of the set that ``old`` names."""
    if old is None:
        raise KernelError(Errno.EFAULT, "setrctl: no value to replace")
    rctl_check_value(rdef, old)
    found = _match(rset, rdef.name, _key(old, rset, who))
    if found.privilege is RctlPriv.SYSTEM:
        raise KernelError(Errno.EPERM, f"{rdef.name}: system values are fixed")
    return found


def _may_replace(cred: Cred, rdef: RctlDef, old: RctlVal, new: RctlVal) -> None:
    """LOWERABLE lets anybody lower a privileged value, and do nothing else to it."""
    if new.privilege is RctlPriv.SYSTEM:
        raise KernelError(Errno.EPERM, f"{rdef.name}: system values are fixed")
    privileged = (old.privilege, new.privilege).count(RctlPriv.PRIVILEGED)
    lowers = (
        privileged == 2
        and rdef.flags & RctlGlobal.LOWERABLE
        and rdef.entity != "zone"
        and (old.action, old.signal) == (new.action, new.signal)
        and new.value <= old.value
    )
    if privileged and not lowers:
        _demand(cred, rdef)


def _change(
    rset: RctlSet, name: str, action: int, old: RctlVal | None, new: RctlVal
) -> None:
    have = rset.rctls[name]
    gone: list[RctlVal] = []
    if action == RctlSetFlag.DELETE:
        gone = [_match(rset, name, new)]
    elif old is not None:
        gone = [old]
    elif new.privilege is RctlPriv.BASIC:  # a process has one basic value
        gone = have.find(RctlPriv.BASIC, new.recipient)
    keep = action != RctlSetFlag.DELETE
    if keep and any(v.same(new) and v not in gone for v in have.values):
        raise KernelError(Errno.EINVAL, f"{name} has that value already")
    rctl = rset.own(name)
    for val in gone:
        rctl.remove(val)
    if keep:
        rctl.insert(new)
    rctl_changed(rset, name)


def rctl_projset(
    proc: Proc, name: str, values: Iterable[RctlVal], *, purge: bool = False
) -> None:
    """Give the caller's project the values of project(5) (setproject(3PROJECT)).

    Args:
        proc: The caller.
        name: A ``project.`` control.
        values: Privileged values.
        purge: Take away those that an earlier call gave (TASK_PROJ_PURGE).

    Raises:
        KernelError: EINVAL, no project control, no value or one that can't be;
            EPERM, no privilege, or a value that is not privileged.
    """
    rdef, new = rctl_def(name), [replace(v, recipient=None, fired=0) for v in values]
    if rdef.entity != "project" or not 0 < len(new) <= PROJSET_MAX:
        raise KernelError(Errno.EINVAL, f"projset of {name} with {len(new)} values")
    if not secpolicy_rctlsys(proc.cred):
        raise KernelError(Errno.EPERM, "projset")
    for val in new:
        if val.privilege is not RctlPriv.PRIVILEGED:
            raise KernelError(Errno.EPERM, "a project's values are privileged")
        rctl_check_value(rdef, val)
    rset = _rset(name, proc)
    with rset.lock:
        rctl = rset.own(name)
        if purge:
            for val in [v for v in rctl.values if v.action & RctlLocal.PROJDB]:
                rctl.remove(val)
        for val in new:
            if not any(v.same(val) for v in rctl.values):
                action = RctlLocal(val.action | RctlLocal.PROJDB)
                rctl.insert(replace(val, action=action))
        rctl_changed(rset, name)


# ---- rctladm ----


def rctl_global_get(kernel: Kernel, name: str) -> RctlGlobal:
    """Properties and global action of a control (RCTLCTL_GET).

    Raises:
        KernelError: ESRCH, there is no such control.
    """
    rdef = RCTLS.get(name)
    if rdef is None:
        raise KernelError(Errno.ESRCH, f"there is no resource control {name}")
    syslog = RctlGlobal.SYSLOG if name in kernel.rctl_syslog else 0
    return RctlGlobal(rdef.flags | syslog)


def rctl_global_set(proc: Proc, name: str, *, syslog: bool) -> None:
    """Switch the global action of a control, a kernel notice (RCTLCTL_SET).

    Raises:
        KernelError: EPERM, not a privileged process of the global zone; ESRCH, no
            such control; EINVAL, it is never logged.
    """
    kernel = proc.kernel
    if not secpolicy_rctlsys(proc.cred) or proc.cred.zoneid != GLOBAL_ZONEID:
        raise KernelError(Errno.EPERM, "rctladm")
    flags = rctl_global_get(kernel, name)
    if syslog and flags & RctlGlobal.SYSLOG_NEVER:
        raise KernelError(Errno.EINVAL, f"{name} is never logged")
    if syslog:
        kernel.rctl_syslog.add(name)
    else:
        kernel.rctl_syslog.discard(name)
