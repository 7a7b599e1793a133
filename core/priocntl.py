"""priocntl(2) without its layouts: classes by number, sets of lwps, parameters.

A brand decodes what its programs pass and calls these; the class checks and changes
the parameters themselves (``ClassSpec``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.lwp import TState, WhyStop
from personae.core.policy import hasprocperm, zone_visible
from personae.core.proc import ProcFlag, ProcStat

if TYPE_CHECKING:
    from personae.core.cls import SchedClass
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

P_MYID = -1


class IdType(IntEnum):
    """What the number of a set is a number of (sys/procset.h)."""

    P_PID = 0
    P_PPID = 1
    P_PGID = 2
    P_SID = 3
    P_CID = 4
    P_UID = 5
    P_GID = 6
    P_ALL = 7
    P_LWPID = 8
    P_TASKID = 9
    P_PROJID = 10
    P_POOLID = 11
    P_ZONEID = 12
    P_CTID = 13
    P_CPUID = 14


class SetOp(IntEnum):
    """How two sets make one (idop_t)."""

    POP_DIFF = 0
    POP_AND = 1
    POP_OR = 2
    POP_XOR = 3


@dataclass(frozen=True)
class ProcSet:
    """A set of lwps (procset_t): two by number, and an operation."""

    left: tuple[int, int]
    right: tuple[int, int] = (IdType.P_ALL, P_MYID)
    op: int = SetOp.POP_AND


def simple_set(idtype: int, number: int) -> ProcSet:
    """All whose id of that type is ``number``."""
    return ProcSet((idtype, number))


# ---- classes by number ----


def class_by_name(kernel: Kernel, name: str) -> tuple[int, SchedClass]:
    """Number and class of a name (PC_GETCID); EINVAL if there is none."""
    for cid, cls in enumerate(kernel.classes.values()):
        if cls.name == name:
            return cid, cls
    raise KernelError(Errno.EINVAL, f"no scheduling class {name!r}")


def class_by_id(kernel: Kernel, cid: int) -> SchedClass:
    """The class of a number (PC_GETCLINFO); EINVAL if there is none."""
    classes = list(kernel.classes.values())
    if not 0 <= cid < len(classes):
        raise KernelError(Errno.EINVAL, f"no scheduling class {cid}")
    return classes[cid]


def cid_of(lwp: Lwp) -> int:
    """The number of a lwp's class."""
    return class_by_name(lwp.kernel, class_of(lwp).name)[0]


def class_of(lwp: Lwp) -> SchedClass:
    """The class of a lwp; Panic if it has none."""
    if lwp.cls is None:
        raise Panic(f"{lwp!r} has no scheduling class")
    return lwp.cls


# ---- sets ----


def select(caller: Lwp, which: ProcSet) -> list[Lwp]:
    """The lwps of a set, those the caller's zone can see, oldest process first.

    Kernel processes belong to no set.

    Raises:
        KernelError: EINVAL, unknown operation or type; ESRCH, nobody.
    """
    if which.op not in tuple(SetOp):
        raise KernelError(Errno.EINVAL, f"set operation {which.op}")
    for idtype, _ in (which.left, which.right):
        if idtype not in tuple(IdType):
            raise KernelError(Errno.EINVAL, f"id type {idtype}")
    found = [
        t
        for p in reversed(caller.kernel.practive)
        if _selectable(caller, p)
        for t in p.lwps
        if _in_set(caller, t, which)
    ]
    if not found:
        raise KernelError(Errno.ESRCH, "the set is empty")
    return found


def _selectable(caller: Lwp, p: Proc) -> bool:
    if p.flag & ProcFlag.SSYS or p.stat in (ProcStat.SIDL, ProcStat.SZOMB):
        return False
    return zone_visible(caller.proc, p)


def _in_set(caller: Lwp, t: Lwp, which: ProcSet) -> bool:
    left, right = _has(caller, t, *which.left), _has(caller, t, *which.right)
    if which.op == SetOp.POP_DIFF:
        return left and not right
    if which.op == SetOp.POP_AND:
        return left and right
    if which.op == SetOp.POP_OR:
        return left or right
    return left is not right


def _has(caller: Lwp, t: Lwp, idtype: int, number: int) -> bool:
    if idtype == IdType.P_ALL:
        return True
    if idtype == IdType.P_LWPID and t.proc is not caller.proc:
        return False
    if number == P_MYID:
        return _id(t, idtype) == _id(caller, idtype)
    return _id(t, idtype) == number


def _id(t: Lwp, idtype: int) -> int | str:
    """The id of that type that a lwp has."""
    p = t.proc
    task, ct = p.task, p.ct_process
    if idtype == IdType.P_CID:
        return cid_of(t)
    if idtype == IdType.P_POOLID:
        return list(t.kernel.pools.values()).index(p.pool) if p.pool else -1
    ids = {
        IdType.P_PID: p.pid,
        IdType.P_PPID: p.ppid,
        IdType.P_PGID: p.pgid,
        IdType.P_SID: p.sid,
        IdType.P_UID: p.cred.euid,
        IdType.P_GID: p.cred.egid,
        IdType.P_LWPID: t.tid,
        IdType.P_TASKID: task.id if task is not None else -1,
        IdType.P_PROJID: task.project.id if task is not None else -1,
        IdType.P_ZONEID: p.zone.id,
        IdType.P_CTID: ct.id if ct is not None else -1,
        IdType.P_CPUID: t.bind_cpu,
    }
    return ids[IdType(idtype)]


# ---- parameters ----


def setparms(caller: Lwp, which: ProcSet, cls: SchedClass, parms: Any) -> None:
    """Put the lwps of a set into a class with these parameters (PC_SETPARMS).

    Those that can be changed are, also if others can't.

    Raises:
        KernelError: ESRCH; EPERM or EINVAL, one could not be changed.
    """
    _each(caller, which, lambda t: parmsset(t, cls, parms, caller.cred))


def _each(caller: Lwp, which: ProcSet, change: Any) -> list[Any]:
    """Change every lwp of a set that the caller may; then raise the first error."""
    results, failed = [], None
    for t in select(caller, which):
        try:
            if not hasprocperm(caller.cred, t.proc.cred):
                raise KernelError(Errno.EPERM, f"a process of another: {t.proc.pid}")
            results.append(change(t))
        except KernelError as e:
            failed = failed or e
    if failed is not None:
        raise failed
    return results


def parmsset(lwp: Lwp, cls: SchedClass, parms: Any, cred: Cred) -> None:
    """Parameters of one lwp, which enters the class if it is in another (parmsset).

    Raises:
        KernelError: EINVAL or EPERM; nothing has changed.
    """
    old = class_of(lwp)
    if old is cls:
        cls.ops.cl_parmsset(lwp, parms, cred)
        _gives_way(lwp)
        return
    if not cls.ops.cl_getclinfo().settable or not old.ops.cl_getclinfo().settable:
        raise KernelError(Errno.EINVAL, f"from class {old.name} to {cls.name}")
    old.ops.cl_canexit(lwp, cred)
    cls.ops.cl_parmsin(parms, cred)
    queued = lwp.state is TState.TS_RUN
    if queued:
        lwp.kernel.disp.stop(lwp, WhyStop.NONE)
    before = old.ops.cl_parmsget(lwp)
    old.ops.cl_exitclass(lwp)
    try:
        _enter(lwp, cls, parms)
    except KernelError:
        _enter(lwp, old, before)
        raise
    finally:
        if queued:
            lwp.kernel.disp.setrun(lwp)
    _gives_way(lwp)


def _enter(lwp: Lwp, cls: SchedClass, parms: Any) -> None:
    with lwp.proc.lock:
        cls.ops.cl_enterclass(lwp, parms)
        lwp.cls = cls


def _gives_way(lwp: Lwp) -> None:
    """The running lwp may not be the one with the highest priority any more."""
    disp = lwp.kernel.disp
    if disp.queues and max(disp.queues) > lwp.pri:
        disp.preempt(lwp)


def getparms(
    caller: Lwp, which: ProcSet, cls: SchedClass | None
) -> tuple[Lwp, SchedClass, Any]:
    """The lwp of the highest priority in a set, and its parameters (PC_GETPARMS).

    Args:
        caller: Who asks.
        which: The set.
        cls: Only lwps of this class; None for any.

    Raises:
        KernelError: ESRCH, there is none.
    """
    lwps = [t for t in select(caller, which) if cls in (None, t.cls)]
    if not lwps:
        raise KernelError(Errno.ESRCH, "no lwp of the class in the set")
    best = max(lwps, key=lambda t: t.pri)
    own = class_of(best)
    return best, own, own.ops.cl_parmsget(best)


def donice(caller: Lwp, which: ProcSet, incr: int) -> int:
    """Add to the nice values of a set (PC_DONICE); 0 only asks.

    Returns:
        The lowest nice value in the set, -20 to 19.

    Raises:
        KernelError: ESRCH; EINVAL, a class without nice values; EPERM.
    """

    def change(t: Lwp) -> int:
        nice = class_of(t).donice(t, caller.cred, incr)
        if incr:
            _gives_way(t)
        return nice

    lowest: int = min(_each(caller, which, change))
    return lowest
