"""What the walk compares: processes and containers, of the kernel and the model."""

from __future__ import annotations

from typing import Any

from personae.core.contract import Contract, CtState
from personae.core.kernel import Kernel
from personae.core.lwp import Lwp, TpFlag
from personae.core.proc import PidFlag, Proc, ProcFlag, ProcStat
from personae.core.rctl import rlimit_get
from personae.core.signo import SIG_IGN, sigbit
from tests.invariants.model import SIGNALS, MLwp, Model, MProc

STATES = {ProcStat.SRUN: "run", ProcStat.SSTOP: "stop", ProcStat.SZOMB: "dead"}
Said = dict[str, Any]


def _set(bits: int) -> list[int]:
    return [s for s in SIGNALS if bits & sigbit(s)]


def seen(p: Proc) -> Said:
    """A process of the kernel."""
    parent, task, acts = p.parent, p.task, p.user.u_signal
    assert parent is not None
    assert task is not None
    assert p.pool is not None
    return {
        "parent": 0 if parent.flag & ProcFlag.SSYS else p.ppid,
        "kids": [c.pid for c in p.children()],
        "group": (p.pgid, p.sid),
        "state": STATES[p.stat],
        "lwps": {t.tid: _lwp(t) for t in p.lwps},
        "last": p.lwpid,
        "zombies": p.zombies if p.lwps else [],
        "flags": (
            bool(p.pidflag & PidFlag.CLDNOSIGCHLD),
            bool(p.pidflag & PidFlag.CLDWAITPID),
            bool(p.flag & ProcFlag.SNOWAIT),
        ),
        "news": (p.wcode, p.wdata) if p.newstate or not p.lwps else None,
        "nofile": rlimit_get(p, "NOFILE") if p.rctls is not None else None,
        "vfork": (
            bool(p.flag & ProcFlag.SVFWAIT),
            p.lender.pid if p.lender is not None else 0,
        ),
        "pending": _set(p.sig),
        "actions": (
            {s: acts[s].handler == SIG_IGN for s in SIGNALS if s in acts}
            if p.lwps
            else None
        ),
        "zone": p.zone.name,
        "pool": p.pool.name,
        "task": (task.project.id, sorted(q.pid for q in task.procs)),
        "contract": p.ct_process.id if p.ct_process is not None else 0,
        "owned": sorted(ct.id for ct in p.ct_held),
    }


def _lwp(t: Lwp) -> Said:
    tmpl, latest = t.ct_active.get("process"), t.ct_latest.get("process")
    return {
        "mask": _set(t.sigmask),
        "pending": _set(t.sig),
        "held": bool(t.tpflag & TpFlag.TP_HOLDLWP),
        "waited": bool(t.tpflag & TpFlag.TP_TWAIT),
        "template": int(tmpl.params) if tmpl is not None else None,
        "latest": latest.id if latest is not None else 0,
    }


def wanted(m: MProc) -> Said:
    """The same of the model."""
    dead = m.state == "dead"
    return {
        "parent": m.parent,
        "kids": m.kids,
        "group": (m.pgid, m.sid),
        "state": m.state,
        "lwps": {t.tid: _mlwp(t) for t in m.lwps},
        "last": m.last,
        "zombies": [] if dead else m.zombies,
        "flags": (m.quiet, m.by_pid, m.nowait),
        "news": m.news if dead or not m.told else None,
        "nofile": None if dead else m.nofile,
        "vfork": (bool(m.lent), m.lender),
        "pending": [s for s in SIGNALS if s in m.pending],
        "actions": (
            None
            if dead
            else {s: s in m.ignored for s in SIGNALS if s in m.ignored | m.caught}
        ),
        "zone": m.zone,
        "pool": m.pool,
        "task": (m.task.project, sorted(q.pid for q in m.task.members)),
        "contract": m.ct.id if m.ct is not None else 0,
        "owned": sorted(ct.id for ct in m.owned),
    }


def _mlwp(t: MLwp) -> Said:
    return {
        "mask": [s for s in SIGNALS if s in t.mask],
        "pending": [s for s in SIGNALS if s in t.pending],
        "held": t.held,
        "waited": t.waited,
        "template": t.tmpl,
        "latest": t.latest.id if t.latest is not None else 0,
    }


def counted(k: Kernel) -> Said:
    """Contracts, and the counts of containers, of the kernel."""
    return {
        "processes": k.nproc,
        "lwps": k.lwp_count,
        "uid 0": sum(n for (uid, _), n in k.upcount.items() if uid == 0),
        "zones": {z.name: (z.nprocs, z.nlwps) for z in k.zones.values() if z.id},
        "pools": {p.name: p.ref for p in k.pools.values()},
        "contracts": {ct.id: _contract(ct) for ct in k.contracts.values()},
    }


def _contract(ct: Contract) -> Said:
    if ct.state is CtState.DEAD:
        return {"state": "dead"}
    owner = ct.owner
    return {
        "state": ct.state.value,
        "owner": owner.pid if owner and not owner.flag & ProcFlag.SSYS else 0,
        "params": int(ct.terms.params),
        "members": [p.pid for p in getattr(ct, "crew", ())],
        "inherited": [c.id for c in ct.inherited],
    }


def counted_by(m: Model, k: Kernel) -> Said:
    """The same of the model; p0 and the zones' kernel processes come on top."""
    procs = m.procs.values()
    zones = [z.name for z in k.zones.values() if z.id]
    kernels = 1 + len(zones)
    return {
        "processes": len(procs) + kernels,
        "lwps": sum(len(p.lwps) for p in procs) + len(zones),
        "uid 0": len(procs) + kernels,
        "zones": {
            z: (
                1 + sum(p.zone == z for p in procs),
                1 + sum(len(p.lwps) for p in procs if p.zone == z),
            )
            for z in zones
        },
        "pools": {
            n: sum(p.pool == n for p in procs) + kernels * (n == "default")
            for n in k.pools
        },
        "contracts": {
            ct.id: (
                {"state": "dead"}
                if ct.state == "dead"
                else {
                    "state": ct.state,
                    "owner": ct.owner.pid if ct.owner is not None else 0,
                    "params": ct.params,
                    "members": [p.pid for p in ct.members],
                    "inherited": [c.id for c in ct.inherited],
                }
            )
            for ct in m.contracts.values()
        },
    }
