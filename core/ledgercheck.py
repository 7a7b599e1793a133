"""The counts of one kernel held against what they count.

``ledger_diff`` finds what an operation has changed; ``ledger_check`` finds what is
wrong in itself, whatever came before, and so is the oracle of random walks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from personae.core.contract import CtState
from personae.core.ledger import HW_STATS, chain, unused_data
from personae.core.lwp import TState
from personae.core.proc import Proc, ProcFlag, ProcPrFlag, ProcStat
from personae.core.shm import Shm
from personae.core.vfs.vnode import VType, counters

if TYPE_CHECKING:
    from personae.core.contract import Contract
    from personae.core.cred import Cred
    from personae.core.file import File
    from personae.core.ipc import IpcObject
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

TRANSIENT = ProcFlag.SFORKING | ProcFlag.SHOLDFORK | ProcFlag.SHOLDFORK1
"""Flags that are clear when no fork is in progress."""


def ledger_check(kernel: Kernel) -> list[str]:
    """Hold every count against what it counts; what is wrong, one line each.

    For a kernel at rest, with no lwp inside a fork.
    """
    out: list[str] = []
    for check in (
        _check_procs,
        _check_containers,
        _check_contracts,
        _check_files,
        _check_creds,
        _check_lwps,
        _check_ipc,
    ):
        out.extend(check(kernel))
    return out


def _same(what: str, counted: Any, is_: Any) -> Iterator[str]:
    if counted != is_:
        yield f"{what}: counted {counted!r}, there are {is_!r}"


def _check_procs(k: Kernel) -> Iterator[str]:
    procs = k.practive
    yield from _same("nproc", k.nproc, len(procs))
    yield from _same("proc structures", k.proc_count, len(procs))
    ups = Counter((p.cred.uid, p.zone.id) for p in procs)
    yield from _same("upcount by uid and zone", k.upcount, dict(ups))
    yield from _same("slots", len(k.pids.free_slots) + len(procs), k.pids.slots)
    sessions = {id(p.sess): p.sess for p in procs if p.sess is not None}
    for sess in sessions.values():
        members = sum(p.sess is sess for p in procs)
        yield from _same(f"session {sess.sid}", sess.ref, members)
    sids = Counter(s.sid for s in sessions.values())
    # a brand may give an lwp a number of its own: ``pidp`` of its data
    datas = [t.brand_lwp for p in procs for t in p.lwps]
    tids = Counter(id(getattr(d, "pidp", None)) for d in datas)
    for n, pid in k.pids.hash.items():
        users = (pid.proc is not None) + (pid.pgrp is not None) + sids[n]
        users += tids[id(pid)]
        yield from _same(f"references of pid {n}", pid.ref, users)
    for p in procs:
        for c in chain(p.child, "sibling"):
            yield from _same(f"parent of {c.pid}", c.parent, p)
        for c in chain(p.orphan, "nextorph"):
            yield from _same(f"next of kin of {c.pid}", c.nextofkin, p)
        if p.stat is ProcStat.SIDL:
            yield f"process {p.pid} is half made"
        if p.flag & TRANSIENT:
            yield f"process {p.pid} has {p.flag & TRANSIENT!r}"
        if p.prflag & ProcPrFlag.P_PR_LOCK or p.poolcnt:
            yield f"process {p.pid} is locked: {p.prflag!r}, barrier {p.poolcnt}"
    if k.locks.held:
        yield f"locks held: {[m.name for m in k.locks.held]}"


def _check_containers(k: Kernel) -> Iterator[str]:
    procs = k.practive
    for t in k.tasks.values():
        mine = [p for p in procs if p.task is t]
        yield from _same(f"ring of task {t.id}", set(t.procs), set(mine))
        yield from _same(f"holds of task {t.id}", t.hold_count, len(mine))
        yield from _counts(t, mine, f"task {t.id}")
    for (z, i), pj in k.projects.items():
        mine = [p for p in procs if p.task is not None and p.task.project is pj]
        yield from _counts(pj, mine, f"project {z}:{i}")
        tasks = sum(t.project is pj for t in k.tasks.values())
        charged = sum(c.project is pj for c in k.contracts.values())
        yield from _same(f"tasks of project {z}:{i}", pj.ntasks, tasks)
        yield from _same(f"contracts of project {z}:{i}", pj.contracts, charged)
        ipc = sum(o.project is pj for o in _ipc(k))
        yield from _same(f"holds of project {z}:{i}", pj.ref, tasks + charged + ipc)
    for zone in k.zones.values():
        yield from _counts(zone, [p for p in procs if p.zone is zone], repr(zone))
        tasks = sum(t.zone is zone for t in k.tasks.values())
        yield from _same(f"tasks of {zone!r}", zone.ntasks, tasks)
    for pool in k.pools.values():
        bound = sum(p.pool is pool for p in procs)
        yield from _same(f"references of {pool!r}", pool.ref, bound)
        lwps = sum(p.lwpcnt for p in procs if p.pool is pool)
        yield from _same(f"lgroup load of {pool!r}", pool.load, lwps)


def _ipc(k: Kernel) -> Iterator[IpcObject]:
    for zone in k.zones.values():
        for table in zone.ipc.values():
            yield from table.slots.values()


def _check_ipc(k: Kernel) -> Iterator[str]:
    """Attachments of shared memory, and who uses its pages."""
    accts = {id(p.segacct): p.segacct for p in k.practive}
    attached = [a for table in accts.values() for a in table.values()]
    spaces = {id(p.as_): p.as_ for p in k.practive if p.as_ is not None}
    segs = Counter(
        id(seg.obj) for space in spaces.values() for seg in space.segs if seg.obj
    )
    for obj in _ipc(k):
        if isinstance(obj, Shm):
            mine = [a for a in attached if a.shm is obj]
            yield from _same(f"attachments of {obj!r}", obj.nattch, len(mine))
            ism = sum(a.ism for a in mine)
            yield from _same(f"ISM attachments of {obj!r}", obj.ismattch, ism)
            users = 1 + segs[id(obj.amp)]
            yield from _same(f"users of {obj!r}", obj.amp.refcnt, users)
            if obj.removed and not mine:
                yield f"{obj!r} is removed and still there"
    for zone in k.zones.values():
        for table in zone.ipc.values():
            keyed = {o.key: o for o in table.slots.values() if o.key and not o.removed}
            yield from _same(f"keys of {table.kind}", table.keys, keyed)


def _counts(entity: Any, procs: list[Proc], name: str) -> Iterator[str]:
    yield from _same(f"processes of {name}", entity.nprocs, len(procs))
    yield from _same(f"lwps of {name}", entity.nlwps, sum(p.lwpcnt for p in procs))


def _check_contracts(k: Kernel) -> Iterator[str]:
    latest = Counter(
        ct.id for p in k.practive for t in p.lwps for ct in t.ct_latest.values()
    )
    for ct in k.contracts.values():
        mine = [p for p in k.practive if p.ct_process is ct]
        members = set(getattr(ct, "members", mine))
        yield from _same(f"members of {ct!r}", members, set(mine))
        yield from _same(f"number of members of {ct!r}", ct.nmembers, len(mine))
        refs = ct.state.held + latest[ct.id] + len(mine)
        refs += len(ct.events.listeners)
        yield from _same(f"references of {ct!r}", ct.ref, refs)
        waiting = sum(not e.settled for e in ct.events)
        yield from _same(f"critical events of {ct!r}", ct.evcnt, waiting)
        yield from _check_holder(ct)
    for p in k.practive:
        for ct in p.ct_held:
            yield from _same(f"owner of {ct!r}", ct.owner, p)


def _check_holder(ct: Contract) -> Iterator[str]:
    """Its state, and who answers for it."""
    owned, inherited = ct.state is CtState.OWNED, ct.state is CtState.INHERITED
    yield from _same(f"{ct!r} has an owner", ct.owner is not None, owned)
    if ct.owner is not None:
        yield from _same(f"{ct!r} with its owner", ct.owner.ct_held.count(ct), 1)
        queue = ct.owner.ct_equeue
        if queue is None:
            yield f"{ct!r}: its owner has no queue"
        else:
            missing = [
                e.id for e in ct.events if not e.settled and e not in queue.events
            ]
            yield from _same(f"events of {ct!r} its owner misses", missing, [])
    kept = ct.regent.inherited.count(ct) if ct.regent is not None else 0
    yield from _same(f"{ct!r} with its regent", kept, int(inherited))
    for sub in ct.inherited:
        yield from _same(f"regent of {sub!r}", sub.regent, ct)
    if ct.state is CtState.ORPHAN and not ct.nmembers:
        yield f"{ct!r} is an orphan with nothing in it"


def _check_files(k: Kernel) -> Iterator[str]:
    tables = {id(p.user.fds): p.user.fds for p in k.practive if p.user.fds is not None}
    uses: Counter[int] = Counter()
    files: dict[int, File] = {}
    for fds in tables.values():
        sharing = sum(p.user.fds is fds for p in k.practive)
        yield from _same("processes sharing a table of files", fds.ref, sharing)
        for _, f in fds.fds():
            uses[id(f)] += 1
            files[id(f)] = f
    for n, f in files.items():
        yield from _same(f"descriptors of {f!r}", f.f_count, uses[n])
    ports = {id(f.f_vnode) for f in files.values() if f.f_vnode.v_type is VType.PORT}
    yield from _same("event ports", counters(k).ports, len(ports))


def _check_creds(k: Kernel) -> Iterator[str]:
    holders = [p.cred for p in k.practive]
    holders += [t.cred for p in k.practive for t in p.lwps]
    holders += [ct.cred for ct in k.contracts.values()]
    holders += [z.cred for z in k.zones.values()]
    refs = Counter(id(c) for c in holders)
    seen: dict[int, Cred] = {id(c): c for c in holders}
    for n, cred in seen.items():
        yield from _same(f"references of {cred!r}", cred.ref, refs[n])


def _check_lwps(k: Kernel) -> Iterator[str]:
    lwps: list[Lwp] = [t for p in k.practive for t in p.lwps]
    yield from _same("lwps", k.lwp_count, len(lwps))
    yield from _same("register contexts", k.hw.stat(HW_STATS["contexts"]), len(lwps))
    spaces = {id(p.as_) for p in k.practive if p.as_ is not None}
    yield from _same("spaces", k.hw.stat(HW_STATS["spaces"]), len(spaces))
    for c in k.classes.values():
        if hasattr(c.plugin, "members"):
            mine = {t for t in lwps if t.cls is c}
            yield from _same(f"lwps of class {c.name}", set(c.plugin.members), mine)
        yield from _same(f"unused data of class {c.name}", unused_data(c.plugin), 0)
    for p in k.practive:
        yield from _same(f"lwps of {p.pid}", p.lwpcnt, len(p.lwps))
        filed = {t for t in p.lwpdir if t is not None}
        yield from _same(f"directory of {p.pid}", filed, set(p.lwps))
    for t in lwps:
        asleep = t.state is TState.TS_SLEEP
        if t.wchans and not asleep:
            yield f"{t!r} is on a wait channel"
        if asleep and any(t not in cv.waiters for cv in t.wchans):
            yield f"{t!r} sleeps on a channel that does not know it"
