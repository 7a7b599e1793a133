"""The ledger: every count, list and reference of the kernel, as plain values.

A fork that fails must leave nothing behind, and a child that was reaped must have
taken everything along.  ``ledger`` writes down what there is, ``ledger_diff`` says
in words what differs between two such snapshots.

Residues, which may differ after a failed fork, stand in a section of their own and
are not compared: statistics, failure counts of zones, cursors of pid and
contract numbers, virtual time.  So does what merely runs: a sibling that was held
for a fork enters its call again and so may be on a queue now where it slept before.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Any

from personae.core.door import door_ledger
from personae.core.lwp import TFlag, TpFlag
from personae.core.proc import PidFlag, ProcFlag, ProcPrFlag
from personae.core.schedctl import schedctl_ledger
from personae.core.vfs.vnode import counters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.contract import Contract
    from personae.core.ctqueue import CtQueue
    from personae.core.file import FdTable, File
    from personae.core.ipc import IpcObject
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As

NOT_COMPARED = ("residue", "run")
"""Sections that ``ledger_diff`` leaves out."""

HW_STATS = {"frames": 1, "tables": 3, "spaces": 4, "contexts": 5}
"""What is in use in the hardware, by number of ``enum hw_stat`` (hw.h)."""

Section = dict[str, Any]


class _Names:
    """Short names for objects, by the order in which the walk meets them."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.objects: list[Any] = []

    def name(self, obj: Any) -> str:
        """``#0``, ``#1`` ...; ``-`` for None."""
        if obj is None:
            return "-"
        n = self.numbers.get(id(obj))
        if n is None:
            n = self.numbers[id(obj)] = len(self.objects)
            self.objects.append(obj)
        return f"#{n}"


class _Walk:
    """One pass over a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.files = _Names()
        self.vnodes = _Names()
        self.creds = _Names()
        self.tables = _Names()
        self.spaces = _Names()
        self.anons = _Names()

    def counters(self) -> Section:
        k = self.kernel
        return {
            "nproc": k.nproc,
            "procs": k.proc_count,
            "lwps": k.lwp_count,
            "upcount": {f"{u}@{z}": n for (u, z), n in sorted(k.upcount.items())},
            "practive": [p.pid for p in k.practive],
            "free_slots": len(k.pids.free_slots),
            "fork_fail_pending": k.fork_fail_pending,
            "ports": counters(k).ports,
            "psets": dict(sorted(k.psets.items())),
            "timers": sum(len(p.timers) for p in k.practive if p.timers),
            "locks": [m.name for m in k.locks.held],
            "hw": {name: k.hw.stat(what) for name, what in HW_STATS.items()},
            "mounts": len(counters(k).mounts),
            "accounts of dead zones": k.accts_dead.copy(),
        }

    def pids(self) -> Section:
        return {
            str(n): {
                "ref": pid.ref,
                "proc": pid.proc is not None,
                "pgrp": [p.pid for p in pid.pgrp.members] if pid.pgrp else [],
            }
            for n, pid in sorted(self.kernel.pids.hash.items())
        }

    def sessions(self) -> Section:
        out: Section = {}
        for p in self.kernel.practive:
            if p.sess is not None:
                leader = p.sess.leader
                out[str(p.sess.sid)] = {
                    "ref": p.sess.ref,
                    "leader": leader.pid if leader is not None else 0,
                    "tty": p.sess.s_tty is not None,
                }
        return out

    def procs(self) -> Section:
        """Oldest first, so that a newcomer does not move the names of others."""
        return {str(p.pid): self.proc(p) for p in reversed(self.kernel.practive)}

    def proc(self, p: Proc) -> Section:
        return {
            "stat": p.stat.name,
            "flags": [
                *_flags(ProcFlag, p.flag),
                *_flags(ProcPrFlag, p.prflag),
                *_flags(PidFlag, p.pidflag),
            ],
            "family": self.family(p),
            "pgid": p.pgid,
            "sid": p.sid,
            "zone": p.zone.id,
            "brand": p.brand.name,
            "brand_data": p.brand_data is not None,
            "task": p.task.id if p.task is not None else -1,
            "pool": f"{p.pool.name if p.pool else '-'} barrier {p.poolcnt}",
            "cred": self.creds.name(p.cred),
            "rctls": p.rctls.snapshot() if p.rctls is not None else None,
            "ctl": (p.stk_ctl, p.fsz_ctl, p.vmem_ctl, p.fno_ctl),
            "contract": p.ct_process.id if p.ct_process is not None else 0,
            "contracts held": [ct.id for ct in p.ct_held],
            "contract events": _queue(p.ct_equeue),
            "memory": self.memory(p),
            "dirs": {
                "cdir": self.vnodes.name(p.user.u_cdir),
                "rdir": self.vnodes.name(p.user.u_rdir),
                "exec": self.vnodes.name(p.exec),
                "execdir": self.vnodes.name(p.execdir),
            },
            "files": self.tables.name(p.user.fds),
            "signals": (p.ignore, p.sig, len(p.sigqueue)),
            "tracing": (sorted(p.sigmask), sorted(p.fltmask), len(p.trace)),
            "lwps": self.lwps(p),
            "probes": _probes(p),
            "door": door_ledger(p),
            "schedctl": schedctl_ledger(p),
            "held": (len(p.dtrace_helpers), len(p.pctx)),
            "attached": {f"{addr:x}": repr(seg) for addr, seg in p.segacct.items()},
            "core": (repr(p.corefile), repr(p.content)),
            "audit": repr(p.audit),
        }

    @staticmethod
    def family(p: Proc) -> Section:
        return {
            "parent": (p.ppid, p.parent.pid if p.parent is not None else 0),
            "children": [c.pid for c in chain(p.child, "sibling")],
            "psibling": p.psibling.pid if p.psibling is not None else 0,
            "orphans": [c.pid for c in chain(p.orphan, "nextorph")],
            "nextofkin": p.nextofkin.pid if p.nextofkin is not None else 0,
        }

    def memory(self, p: Proc) -> Section:
        scalars = (p.bssbase, p.brkbase, p.brksize, p.stkbase, p.stksize)
        return {
            "space": self.spaces.name(p.as_),
            "scalars": scalars,
            "watch": (len(p.wpage), len(p.warea)),
        }

    def lwps(self, p: Proc) -> Section:
        out: Section = {
            "count": p.lwpcnt,
            "last id": p.lwpid,
            "daemons, zombies": (p.lwpdaemon, p.zombies.copy()),
            "dir": [t.tid if t is not None else 0 for t in p.lwpdir],
            "tidhash": p.tidhash_sz,
        }
        for t in p.lwps:
            out[str(t.tid)] = {
                "flags": [*_flags(TpFlag, t.tpflag), *_flags(TFlag, t.tflag)],
                "cred": self.creds.name(t.cred),
                "class": _class_of(t),
                "data": (t.cldata is not None, t.brand_lwp is not None),
                "templates": {k: repr(v) for k, v in sorted(t.ct_active.items())},
                "latest": {k: v.id for k, v in sorted(t.ct_latest.items())},
                "mask": t.sigmask,
                "bind": (t.bind_cpu, t.bind_pset),
            }
        return out

    def containers(self) -> Section:
        k = self.kernel
        return {
            "tasks": {str(t.id): _task(t) for t in k.tasks.values()},
            "projects": {
                f"{z}:{i}": {
                    "ref": pj.ref,
                    "nlwps": pj.nlwps,
                    "nprocs": pj.nprocs,
                    "ntasks": pj.ntasks,
                    "contracts": pj.contracts,
                    "rctls": pj.rctls.snapshot(),
                }
                for (z, i), pj in sorted(k.projects.items())
            },
            "zones": {z.name: self.zone(z) for z in k.zones.values()},
            "pools": {
                p.name: (p.ref, p.load, len(p.binding)) for p in k.pools.values()
            },
            "contracts": {str(c.id): self.contract(c) for c in k.contracts.values()},
            "bundle of contracts": _queue(k.ct_bundle),
            "classes": {
                c.name: (len(getattr(c.plugin, "members", ())), unused_data(c.plugin))
                for c in k.classes.values()
            },
            "class data": {
                c.name: own
                for c in k.classes.values()
                if (own := _own(c.plugin, k)) is not None
            },
            "brands": {
                name: (k.brands.refcnt[name], _own(b.plugin, k))
                for name, b in sorted(k.brands.brands.items())
            },
        }

    def zone(self, z: Any) -> Section:
        return {
            "state": z.state.name,
            "nlwps": z.nlwps,
            "nprocs": z.nprocs,
            "ntasks": z.ntasks,
            "rctls": z.rctls.snapshot(),
            "cred": self.creds.name(z.cred),
            "root": self.vnodes.name(z.root),
            "ipc": {
                f"{kind} {obj.id}": (obj.ledger(), self._pages(obj))
                for kind, table in sorted(z.ipc.items())
                for obj in table.slots.values()
            },
            "frames": self.kernel.hw.acct_used(z.acct) if z.acct else 0,
        }

    def _pages(self, obj: IpcObject) -> str:
        amp = getattr(obj, "amp", None)
        return self.anons.name(amp)

    def contract(self, ct: Contract) -> Section:
        return {
            "ref": ct.ref,
            "state": ct.state.name,
            "owner": ct.owner.pid if ct.owner is not None else 0,
            "regent": ct.regent.id if ct.regent is not None else 0,
            "terms": repr(ct.terms),
            "events": _queue(ct.events),
            "unacknowledged": ct.evcnt,
            **ct.ledger(),
            "inherited": [c.id for c in ct.inherited],
            "cred": self.creds.name(ct.cred),
            "project": (ct.project.zone.id, ct.project.id),
        }

    def objects(self) -> Section:
        """What the walk has met; each list may add to those after it."""
        return {
            "fd tables": _numbered(self.tables, self.table),
            "files": _numbered(self.files, self.file),
            "spaces": _numbered(self.spaces, self.space),
            "anon maps": _numbered(self.anons, lambda a: (a.refcnt, len(a.frames))),
            "vnodes": _numbered(self.vnodes, _vnode),
            "creds": _numbered(self.creds, lambda c: (repr(c), c.ref)),
        }

    def table(self, fds: FdTable) -> Section:
        return {
            "size": fds.nfiles,
            "ref": fds.ref,
            "reserved": sorted(fds.reserved),
            "flags": sorted(fds.fdflags.items()),
            "fds": {str(fd): self.files.name(f) for fd, f in fds.fds()},
        }

    def file(self, f: File) -> Section:
        return {"count": f.f_count, "flag": f.f_flag, "vn": self.vnodes.name(f.f_vnode)}

    def space(self, as_: As) -> Section:
        out: Section = {"size": as_.size}
        for seg in as_.segs:
            obj = seg.obj
            who = "-"
            if obj is not None:
                names = self.anons if hasattr(obj, "refcnt") else self.vnodes
                who = type(obj).__name__ + names.name(obj)
            out[f"{seg.base:x}"] = (seg.kind, seg.size, seg.prot, int(seg.flags), who)
        return out

    def run(self) -> Section:
        k = self.kernel
        return {
            f"{t.proc.pid}/{t.tid}": (t.state.name, t.whystop.name, t.pri)
            for p in k.practive
            for t in p.lwps
        }

    def residue(self) -> Section:
        k = self.kernel
        return {
            "now": k.now,
            "kstat": dict(sorted(k.kstat.items())),
            "mpid": k.pids.mpid,
            "contract event": k.ct_bundle.evid,
            "zones": {
                z.name: (z.ffcap, z.ffnoproc, z.ffnomem, z.ffmisc)
                for z in k.zones.values()
            },
        }


def ledger(kernel: Kernel) -> dict[str, Any]:
    """A complete, comparable snapshot of what the kernel has."""
    walk = _Walk(kernel)
    return {
        "counters": walk.counters(),
        "pids": walk.pids(),
        "sessions": walk.sessions(),
        "procs": walk.procs(),
        "containers": walk.containers(),
        "objects": walk.objects(),
        "run": walk.run(),
        "residue": walk.residue(),
    }


def ledger_diff(
    a: dict[str, Any], b: dict[str, Any], ignore: tuple[str, ...] = NOT_COMPARED
) -> list[str]:
    """What differs between two snapshots, one line each; empty if nothing does.

    Args:
        a: Before.
        b: After.
        ignore: Sections that are not compared.
    """
    out: list[str] = []
    for section in a:
        if section not in ignore:
            _diff(section, a[section], b[section], out)
    return out


def _diff(path: str, a: Any, b: Any, out: list[str]) -> None:
    if not (isinstance(a, dict) and isinstance(b, dict)):
        if a != b:
            out.append(f"{path}: {a!r} -> {b!r}")
        return
    for key in a:
        if key in b:
            _diff(f"{path}.{key}", a[key], b[key], out)
        else:
            out.append(f"{path}.{key}: gone, was {a[key]!r}")
    out.extend(f"{path}.{key}: new, {b[key]!r}" for key in b if key not in a)


def chain(first: Proc | None, link: str) -> Iterator[Proc]:
    """The processes of a list, by the field that links them."""
    while first is not None:
        yield first
        first = getattr(first, link)


def _flags(names: type[IntFlag], value: int) -> list[str]:
    return [str(f.name) for f in names if f & value]


def _task(t: Any) -> Section:
    return {
        "project": (t.zone.id, t.project.id),
        "hold": t.hold_count,
        "ring": [p.pid for p in t.procs],
        "nlwps": t.nlwps,
        "nprocs": t.nprocs,
        "rctls": t.rctls.snapshot(),
    }


def _queue(q: CtQueue | None) -> Section:
    """Events and readers of a queue; an empty one is as good as none."""
    if q is None or not (q.events or q.listeners):
        return {}
    return {
        "events": [(e.contract.id, str(e.type.name), e.acked) for e in q.events],
        "listeners": [
            (q.events.index(li.position) if li.position is not None else -1)
            for li in q.listeners
        ],
    }


def _probes(p: Proc) -> Section:
    """Tracepoints in the text, and helpers with how many of their kind there are."""
    points = p.as_.points if p.as_ is not None else {}
    return {
        "points": sorted(points),
        "helpers": [repr(getattr(h, "provider", h)) for h in p.dtrace_helpers],
    }


def _class_of(t: Lwp) -> str:
    """Class and parameters of a lwp; the priority is what merely runs."""
    if t.cls is None:
        return "-"
    parms = t.cls.ops.cl_parmsget(t)
    return t.cls.name if parms is None else f"{t.cls.name} {parms!r}"


def unused_data(plugin: object) -> int:
    """Class data allocated and not taken, where the class counts it."""
    n: int = getattr(plugin, "unused", 0)
    return n


def _own(plugin: object, kernel: Kernel) -> Any:
    """What a brand or class wants compared: its ``ledger(kernel)``, if it has one."""
    own = getattr(plugin, "ledger", None)
    return own(kernel) if own is not None else None


def _numbered(names: _Names, describe: Any) -> Section:
    out: Section = {}
    for obj in names.objects:  # grows while it is walked
        out[names.name(obj)] = describe(obj)
    return out


def _vnode(vp: Vnode) -> Section:
    return {
        "kind": type(vp).__name__,
        "count": vp.v_count,
        "text": vp.v_text,
        "locks": vp.v_locks is not None,
        **vp.ledger(),
    }
