"""zone_enter: a process of the global zone moves into another zone (os/zone.c).

Everything that may be refused is looked at first; from ``_join`` on nothing fails.
The process takes along its memory, its open files and its ids.  It gets the zone's
root, pool, project 0, session (that of zsched) and limits, and loses every privilege
beyond the zone's.  It keeps its brand until it execs.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.limits import crset, upcount_dec, upcount_inc
from personae.core.policy import secpolicy_zone_config
from personae.core.pool import POOL_DEFAULT, pool_do_bind
from personae.core.priocntl import parmsset
from personae.core.proc import Proc, ProcFlag
from personae.core.session import pgexit, pgjoin, sess_hold, sess_rele
from personae.core.task import (
    Task,
    task_begin,
    task_create,
    task_detach,
    task_rele,
)
from personae.core.zone import GLOBAL_ZONEID, MAX_ZONEID, Zone, ZoneState

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


def zone_find(lwp: Lwp, zoneid: int) -> Zone:
    """The zone an administrative call is about: privilege, range, existence.

    Raises:
        KernelError: EPERM; EINVAL, there is no such zone but the global one.
    """
    secpolicy_zone_config(lwp.cred)
    zone = lwp.kernel.zones.get(zoneid)
    if zone is None or not GLOBAL_ZONEID < zoneid <= MAX_ZONEID:
        raise KernelError(Errno.EINVAL, f"zone {zoneid}")
    return zone


def zone_enter(lwp: Lwp, zoneid: int) -> None:
    """Move the caller's process into a zone.

    Raises:
        KernelError: EPERM, not all privileges, or the zone has some that the caller
            may not have; EFAULT, it maps shared anonymous memory; EINVAL, no such zone,
            the caller is not in the global zone, the zone is neither ready nor
            running, or the caller's contract or contracts would span zones.
        Sleep: A fork stands in the barrier of its pool.
    """
    zone, proc = zone_find(lwp, zoneid), lwp.proc
    _check(proc, zone)
    pool_do_bind(proc.kernel, proc, zone.pool or proc.kernel.pools[POOL_DEFAULT])
    _join(proc, zone)


def _check(proc: Proc, zone: Zone) -> None:
    if proc.as_ is not None and any(
        s.shared and s.vnode is None for s in proc.as_.segs
    ):
        raise KernelError(Errno.EFAULT, "shared anonymous memory stays in its zone")
    if proc.zone.id != GLOBAL_ZONEID:
        raise KernelError(Errno.EINVAL, "not in the global zone")
    ct = proc.ct_process
    if proc.ct_held or (ct is not None and ct.nmembers != 1):
        raise KernelError(Errno.EINVAL, "holds contracts, or shares its own")
    if ct is not None and any(c.mzoneid != zone.id for c in ct.inherited):
        raise KernelError(Errno.EINVAL, "its contract inherited others")
    if not ZoneState.READY <= zone.state < ZoneState.SHUTTING_DOWN:
        raise KernelError(Errno.EINVAL, f"zone {zone.name} is {zone.state.name}")
    if not zone.limitpriv <= proc.cred.permitted:
        raise KernelError(Errno.EPERM, "the zone has privileges the caller has not")


def _join(proc: Proc, zone: Zone) -> None:
    kernel, old_task = proc.kernel, proc.task
    if old_task is None or zone.zsched is None or zone.root is None:
        raise Panic(f"{proc!r} enters {zone!r}")
    task = task_create(kernel, 0, zone)
    with kernel.pidlock, proc.lock:
        task_detach(proc)
        task_begin(task, proc)
        _move_counts(proc, old_task, zone)
        upcount_dec(kernel, proc.cred.uid, proc.zone.id)
        upcount_inc(kernel, proc.cred.uid, zone.id)
        proc.zone = zone
        proc.flag |= ProcFlag.SZONETOP
        _join_session(proc, zone.zsched)
        for t in proc.lwps:
            if t.cls is not None:
                t.cls.ops.cl_changeproj(t)
    if proc.ct_process is not None:
        proc.ct_process.mzoneid = zone.id
    task_rele(old_task)
    _chroot(proc, zone)
    _restrict(proc, zone)
    _drop_core(proc)
    if proc.as_ is not None:
        proc.as_.acct = zone.acct
    _reclass(proc, zone)


def _move_counts(proc: Proc, old: Task, zone: Zone) -> None:
    """The process and its lwps count in the zone and its project 0 now.

    The zone's limits are not asked: a full zone can still be entered.

    Locks: pidlock and p_lock; zone_nlwps_lock inside.
    """
    new = proc.task
    if new is None:
        raise Panic(f"{proc!r} is in no task")
    moves = ((old, new), (old.project, new.project), (proc.zone, zone))
    with proc.kernel.nlwps_lock:
        for src, dst in moves:
            src.nprocs -= 1
            dst.nprocs += 1
            src.nlwps -= proc.lwpcnt
            dst.nlwps += proc.lwpcnt


def _join_session(proc: Proc, zsched: Proc) -> None:
    """Session and group become those of zsched, as init's in the global zone."""
    if proc.sess is None or zsched.sess is None or zsched.pgrp is None:
        raise Panic(f"{proc!r} or {zsched!r} is in no session")
    if proc.sess.leader is proc:
        proc.sess.leader = None
    pgexit(proc)
    sess_rele(proc.kernel, proc.sess)
    proc.sess = sess_hold(zsched.sess)
    pgjoin(proc, zsched.pgrp)


def _chroot(proc: Proc, zone: Zone) -> None:
    """The root and working directory are those of the zone."""
    user = proc.user
    assert zone.root is not None
    old = (user.u_cdir, user.u_rdir)
    user.u_cdir, user.u_rdir = zone.root.hold(), None
    for vp in old:
        if vp is not None:
            vp.rele()


def _drop_core(proc: Proc) -> None:
    """Core files go where the zone says (set_core_defaults)."""
    for ref in (proc.corefile, proc.content):
        if ref is not None:
            ref.rele()
    proc.corefile = proc.content = None


def _reclass(proc: Proc, zone: Zone) -> None:
    """Enter the zone's scheduling class if it has one; staying outside is no error."""
    cls = proc.kernel.classes.get(zone.sched_class)
    if cls is None:
        return
    for t in proc.lwps:
        if t.cls is not cls:
            with suppress(KernelError):
                parmsset(t, cls, None, proc.kernel.kcred)


def _restrict(proc: Proc, zone: Zone) -> None:
    """All privilege sets are cut to the zone's limit."""
    cred, limit = proc.cred, zone.limitpriv
    new = cred.copy(
        zoneid=zone.id,
        lpriv=cred.lpriv & limit,
        ppriv=cred.ppriv & limit,
        epriv=cred.epriv & limit,
        ipriv=cred.ipriv & limit,
    )
    crset(proc, new)
