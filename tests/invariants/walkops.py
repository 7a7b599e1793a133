"""The operations of the walk: how each is chosen, and made in kernel and model.

``do_NAME`` makes one and returns what the kernel said and what the model says it has to
say.  Choosing looks at the model alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from personae.brands.native.sys_lwp import (
    sys_lwp_continue,
    sys_lwp_suspend,
    sys_lwp_wait,
)
from personae.core.ctapi import CtCtl
from personae.core.ctmpl import PROCESS, ctmpl_activate
from personae.core.errno import Errno, KernelError
from personae.core.exec import exec_common
from personae.core.exit import lwp_exit, proc_exit
from personae.core.kernel import Kernel
from personae.core.lwp import Lwp, TpFlag
from personae.core.pool import pool_do_bind
from personae.core.proc import Proc
from personae.core.rctl import INT_MAX, rctl_set_value, rlimit_get, rlimit_set
from personae.core.session import setpgid, setsid
from personae.core.signal import psignal, set_action, tsignal
from personae.core.signo import CldCode, Sig, SigAction, sigbit
from personae.core.sync import Sleep
from personae.core.task import settaskid
from personae.core.wait import IdType, WaitFlag, waitid
from personae.core.zone import ZoneState, zone_state_set
from personae.plugins.contract_process import CtParam, Template
from tests.core.machines import guest
from tests.invariants import model as m_
from tests.invariants.model import Model, MProc
from tests.invariants.model_ct import INHERIT, REGENT
from tests.invariants.stage import Stage, Watch
from tests.invariants.test_failure import expected

Outcome = tuple[Any, Any]
Args = dict[str, Any]
SP = 2
MAX_LWPS = 5
MAX_ZONES = 4
SLOTS_LEFT = 6
"""A zone is not booted when there is less room."""
ERRNOS = (Errno.EAGAIN, Errno.ENOMEM, Errno.EIO)
PARAMS = (0, 1, 2, 3, 8, 9, 9, 9, 9, 9, 9, 11, 16, 17)
WEIGHTS = {
    "fork": 30,
    "exec": 6,
    "exit": 5,
    "wait": 24,
    "kill": 3,
    "stop": 4,
    "cont": 5,
    "mask": 4,
    "action": 4,
    "setpgid": 6,
    "setsid": 2,
    "lwp_create": 8,
    "lwp_exit": 5,
    "lwp_suspend": 4,
    "lwp_continue": 4,
    "lwp_wait": 3,
    "lwp_kill": 2,
    "rlimit": 3,
    "sigcld": 2,
    "limit": 5,
    "settaskid": 3,
    "bind_pool": 3,
    "template": 12,
    "abandon": 3,
    "adopt": 6,
    "zone_boot": 0.8,
    "zone_close": 0.4,
    "zone_halt": 0.3,
}
NATIVE_ONLY = ("lwp_suspend", "lwp_continue", "lwp_wait")


class Operations:
    """What a walk can do."""

    FROM_OUTSIDE = ("rescue", "zone_boot", "zone_close", "zone_halt")

    brand: str
    rng: random.Random
    s: Stage
    k: Kernel
    kinds: tuple[str, ...]
    model: Model
    pids: dict[int, int]
    log: list[Args]
    root: int
    steps: dict[str, list[str]]
    watch: Watch
    failures: int
    zone_names: list[str]
    find: Callable[[int], MProc]
    number: Callable[[int], int]
    label: Callable[[int], int]
    proc: Callable[[int], Proc]
    rest: Callable[[Lwp], None]

    @staticmethod
    def held(lwp: Lwp) -> bool:
        """lwp_suspend stops it."""
        return bool(lwp.tpflag & TpFlag.TP_HOLDLWP)

    # ---- choosing ----

    def new_label(self) -> int:
        """A name for the process that the next operation makes."""
        return len(self.log) + 1

    def choose(self) -> Args:
        """The next operation."""
        rng = self.rng
        what = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if what in NATIVE_ONLY and self.brand != "native":
            what = "lwp_kill"
        actors = self.model.actors()
        liked = [pid for pid in actors if self._likes(self.model.procs[pid], what)]
        if liked and rng.random() < 0.8:
            actors = liked
        p = self.model.procs[rng.choice(actors)]
        if p.lender and rng.random() < 0.5:
            # else soon everybody waits for a vfork child
            what = rng.choice(["exit", "exec"])
        lwp = rng.choice(self.model.acting(p))
        more: Args | None = getattr(self, f"choose_{what}", _nothing)(p)
        if more is None:
            return self.choose()
        if what in self.FROM_OUTSIDE:
            return {"op": what, **more}
        return {"op": what, "by": self.label(p.pid), "tid": lwp.tid, **more}

    def _likes(self, p: MProc, what: str) -> bool:
        """Whether the operation is more telling if this process does it."""
        if what in ("wait", "setpgid"):
            return bool(p.kids)
        if what == "adopt":
            return bool(self._inherited(p))
        if what != "exit" or p.ct is None:
            return False
        heirs = p.ct.params & REGENT and len(p.ct.members) > 1
        return bool(heirs and any(ct.params & INHERIT for ct in p.owned))

    def choose_fork(self, p: MProc) -> Args:
        rng = self.rng
        kind = rng.choice(self.kinds)
        step = rng.choice(self.steps[kind]).partition(":")
        at = step[0] if rng.random() < 0.4 else ""
        if at == "seg_dup":
            at = "seg_dup:0:vn"
        elif at and step[2]:
            at += f":{rng.choice(p.lwps).tid}"
        return {
            "kind": kind,
            "flags": rng.choice([0, 0, 0, 1, 2, 3]),
            "at": at,
            "errno": rng.choice(ERRNOS).name,
            "child": self.new_label(),
        }

    def choose_exec(self, p: MProc) -> Args:
        return {"path": "/bin/prog" if self.rng.random() < 0.7 else "/bin/none"}

    def choose_exit(self, p: MProc) -> Args | None:
        if p.pid == self.root or (self.model.is_init(p) and self.rng.random() < 0.8):
            return None
        return {"status": self.rng.randrange(256)}

    def choose_wait(self, p: MProc) -> Args:
        rng, procs = self.rng, self.model.procs
        which = rng.choice(["all", "all", "pid", "pgid"])
        number = -1
        if which == "pid":
            number = self.label(rng.choice([*p.kids, *procs]))
        elif which == "pgid":
            number = self._group(rng.choice([q.pgid for q in procs.values()]))
        options = rng.choice([1, 1, 1, 5, 13, 4, 8])
        options |= rng.choice([0, int(WaitFlag.WNOHANG)])
        if rng.random() < 0.2:
            options |= WaitFlag.WNOWAIT
        return {"which": which, "number": number, "options": int(options)}

    def _group(self, pgid: int) -> int:
        """A label for a group: that of a process of its number, if there was one."""
        return self.label(pgid) if pgid in self.pids.values() else -1

    def choose_kill(self, p: MProc) -> Args:
        sig = self.rng.choice([1, 9, 9, 15, 16, 16, 17])
        return {"sig": sig, "whom": self._anybody()}

    def choose_stop(self, p: MProc) -> Args | None:
        whom = self._anybody()
        return {"whom": whom} if whom else None

    def _anybody(self) -> int:
        return self.label(self.rng.choice(list(self.model.procs)))

    def choose_cont(self, p: MProc) -> Args:
        stopped = [q.pid for q in self.model.procs.values() if q.state == "stop"]
        return {"whom": self.label(self.rng.choice(stopped or [p.pid]))}

    def choose_mask(self, p: MProc) -> Args:
        return {"sigs": [s for s in (1, 15, 16, 17) if self.rng.random() < 0.4]}

    def choose_action(self, p: MProc) -> Args:
        what = self.rng.choice(["catch", "ignore", "default"])
        return {"sig": self.rng.choice([1, 15, 16, 17]), "what": what}

    def choose_setpgid(self, p: MProc) -> Args:
        rng, procs = self.rng, self.model.procs
        who = rng.choice([p.pid, p.pid, p.pid, *p.kids * 3, *procs])
        groups = [self._group(q.pgid) for q in procs.values()]
        pgid = rng.choice([*["zero", "who", "own"] * 4, "minus", *groups])
        return {"who": self.label(who), "pgid": pgid}

    def choose_lwp_create(self, p: MProc) -> Args | None:
        if len(p.lwps) >= MAX_LWPS:
            return None
        steps = ("thread_create", "lwp_alloc", "b_lwpdata_alloc", "lwp_enter")
        at = self.rng.choice(steps) if self.rng.random() < 0.2 else ""
        return {"waited": self.rng.random() < 0.5, "at": at}

    def choose_lwp_exit(self, p: MProc) -> Args | None:
        alone = len(self.model.acting(p)) == 1
        return None if alone and self.model.is_init(p) else {}

    def choose_lwp_suspend(self, p: MProc) -> Args:
        return {"who": self.rng.choice([*(t.tid for t in p.lwps), 99])}

    choose_lwp_continue = choose_lwp_suspend

    def choose_lwp_wait(self, p: MProc) -> Args:
        tids = [*p.zombies * 3, *(t.tid for t in p.lwps), 0, 99]
        return {"who": self.rng.choice(tids)}

    def choose_lwp_kill(self, p: MProc) -> Args:
        tid = self.rng.choice(p.lwps).tid
        return {"sig": self.rng.choice([1, 16, 17]), "who": tid}

    def choose_rlimit(self, p: MProc) -> Args:
        soft = self.rng.randrange(10, 100)
        return {"soft": soft, "hard": soft + self.rng.randrange(3) * 10}

    def choose_sigcld(self, p: MProc) -> Args | None:
        return None if p.pid == self.root else {"ignore": self.rng.random() < 0.5}

    def choose_limit(self, p: MProc) -> Args:
        rng = self.rng
        kind = rng.choice(["task", "project", "zone"])
        control = rng.choice(["max-processes", "max-lwps"])
        if kind == "project" and rng.random() < 0.4:
            control = "max-contracts"
        off = rng.random() < 0.75
        return {
            "kind": kind,
            "control": control,
            "room": None if off else rng.randrange(-1, 8),
        }

    def choose_settaskid(self, p: MProc) -> Args:
        return {"project": self.rng.randrange(3)}

    def choose_bind_pool(self, p: MProc) -> Args:
        return {"pool": self.rng.choice(["default", "two"])}

    def choose_template(self, p: MProc) -> Args:
        off = self.rng.random() < 0.5
        return {"params": None if off else self.rng.choice(PARAMS)}

    def choose_abandon(self, p: MProc) -> Args:
        ids = list(self.model.contracts)
        mine = [ct.id for ct in p.owned] + self._inherited(p)
        return {"nth": ids.index(self.rng.choice(mine or ids))}

    def choose_adopt(self, p: MProc) -> Args:
        ids = list(self.model.contracts)
        return {"nth": ids.index(self.rng.choice(self._inherited(p) or ids))}

    @staticmethod
    def _inherited(p: MProc) -> list[int]:
        """Contracts that wait for somebody like this process to adopt them."""
        return [ct.id for ct in p.ct.inherited] if p.ct is not None else []

    def choose_zone_boot(self, p: MProc) -> Args | None:
        full = len(self.k.pids.free_slots) < SLOTS_LEFT
        if full or len(self.zone_names) > MAX_ZONES:
            return None
        return {"zone": f"zone{len(self.zone_names)}", "init": self.new_label()}

    def choose_zone_halt(self, p: MProc) -> Args | None:
        alive = {q.zone for q in self.model.procs.values()} - {self.zone_names[0]}
        return {"zone": self.rng.choice(sorted(alive))} if alive else None

    choose_zone_close = choose_zone_halt

    # ---- fork, exec, exit ----

    def do_fork(
        self,
        p: Proc,
        lwp: Lwp,
        m: MProc,
        kind: str,
        flags: int,
        at: str,
        errno: str,
        child: int,
    ) -> Outcome:
        tids = [t.tid for t in m.lwps] if kind == "forkall" else [lwp.tid]
        steps = _for_lwps(self.steps[kind], tids)
        at = at if at in steps else ""
        self.watch.at, self.watch.errno = at, Errno[errno]
        fails = self._refusals(m, lwp.tid, kind, steps, tids)
        if at:
            fails.append((steps.index(at), expected(steps, at, Errno[errno])))
        will = min(fails, key=lambda f: f[0])[1] if fails else None
        before = self.s.ledger() if will and self.rng.random() < 0.2 else None
        try:
            cp = self.s.fork(kind, flags, lwp)
        except KernelError as e:
            self.failures += 1
            if before is not None:
                assert self.s.diff(before) == []
            return e.errno, will
        finally:
            self.watch.at = ""
        self.model.fork(p.pid, lwp.tid, cp.pid, kind, flags)
        self.pids[child] = cp.pid
        return None, will

    def _refusals(
        self, m: MProc, tid: int, kind: str, steps: list[str], tids: list[int]
    ) -> list[tuple[int, Errno]]:
        """Where the fork fails by itself, and how."""
        model, out = self.model, []
        t = m.lwp(tid)
        assert t is not None
        if m.zone in model.closed:
            out.append("zone_state")
        if not model.room(m, "max-processes"):
            out.append("max_processes")
        if not self.k.pids.free_slots:
            out.append("pid_allocate")
        room = model.room(m, "max-lwps")
        if room < len(tids):
            out.append(f"lwp_limits:{tids[room]}")
        if t.tmpl is not None and not model.may_contract(m):
            out.append("contract_process_fork")
        if t.tmpl is None and m.killed:
            out.append("contract_process_fork")
        return [(steps.index(s), Errno.EAGAIN) for s in out]

    def do_exec(self, p: Proc, lwp: Lwp, m: MProc, path: str) -> Outcome:
        if path != "/bin/prog":
            return _errno(exec_common, lwp, path.encode(), [b"x"], []), m_.ENOENT
        tid = lwp.tid
        exec_common(lwp, path.encode(), [b"prog", b"fork", b"1"], [b"A=1"])
        self.model.exec(p.pid, tid)
        return None, None

    def do_exit(self, p: Proc, lwp: Lwp, m: MProc, status: int) -> Outcome:
        self.model.exit(p.pid, (m_.EXITED, status))
        proc_exit(lwp, CldCode.EXITED, status)
        return None, None

    def do_wait(
        self, p: Proc, lwp: Lwp, m: MProc, which: str, number: int, options: int
    ) -> Outcome:
        model, pid = self.model, self.number(number)
        keep, nohang = options & WaitFlag.WNOWAIT, options & WaitFlag.WNOHANG
        will = model.wait(p.pid, which, pid, options & 15)
        news = model.procs[will].news if isinstance(will, int) and will else None
        try:
            r = waitid(lwp, IdType(which), pid, options)
        except KernelError as e:
            return e.errno.name, will
        except Sleep:
            return 0, (will if not nohang else "no sleep")
        if r is None:
            return 0, (will if nohang else "a sleep")
        if isinstance(will, int) and will and not keep:
            model.waited(will)
        return (r.pid, (r.code, r.status)), (will, news)

    # ---- signals ----

    def do_kill(self, p: Proc, lwp: Lwp, m: MProc, sig: int, whom: int) -> Outcome:
        victim = self.find(whom)
        psignal(self.proc(victim.pid), sig)
        self.model.post(victim, sig)
        return None, None

    def do_stop(self, p: Proc, lwp: Lwp, m: MProc, whom: int) -> Outcome:
        return self.do_kill(p, lwp, m, Sig.SIGSTOP, whom)

    def do_cont(self, p: Proc, lwp: Lwp, m: MProc, whom: int) -> Outcome:
        pid = self.find(whom).pid
        psignal(self.proc(pid), Sig.SIGCONT)
        self.model.cont(pid)
        return None, None

    def do_mask(self, p: Proc, lwp: Lwp, m: MProc, sigs: list[int]) -> Outcome:
        t = m.lwp(lwp.tid)
        assert t is not None
        t.mask = set(sigs)
        lwp.sigmask = sum(map(sigbit, sigs))
        return None, None

    def do_action(self, p: Proc, lwp: Lwp, m: MProc, sig: int, what: str) -> Outcome:
        handler = {"catch": 0x10000, "ignore": 1, "default": 0}[what]
        set_action(p, sig, SigAction(handler))
        self.model.action(m, sig, what)
        return None, None

    def do_sigcld(self, p: Proc, lwp: Lwp, m: MProc, ignore: bool) -> Outcome:
        set_action(p, Sig.SIGCLD, SigAction(int(ignore)))
        m.nowait = ignore
        return None, None

    def do_rescue(self) -> Outcome:
        """Nobody can act: continue who is stopped, and kill who is suspended."""
        model = self.model
        for m in [m for m in model.procs.values() if m.state == "stop"]:
            psignal(self.proc(m.pid), Sig.SIGCONT)
            model.cont(m.pid)
        for m in list(model.procs.values()):
            frozen = m.state == "run" and not m.lent and not model.acting(m)
            if frozen:
                psignal(self.proc(m.pid), Sig.SIGKILL)
                model.post(m, Sig.SIGKILL)
        return None, None

    # ---- groups ----

    def do_setpgid(self, p: Proc, lwp: Lwp, m: MProc, who: int, pgid: Any) -> Outcome:
        pid = self.number(who)
        plain = {"zero": 0, "who": pid, "own": p.pgid, "minus": -1}
        group = plain[pgid] if pgid in plain else self.number(pgid)
        will = self.model.setpgid(p.pid, pid, group)
        return _errno(setpgid, p, pid, group), will

    def do_setsid(self, p: Proc, lwp: Lwp, m: MProc) -> Outcome:
        return _errno(setsid, p), self.model.setsid(p.pid)

    # ---- lwps ----

    def do_lwp_create(
        self, p: Proc, lwp: Lwp, m: MProc, waited: bool, at: str
    ) -> Outcome:
        full = not self.model.room(m, "max-lwps")
        if full or at:
            self.watch.at, self.watch.errno = f"{at}:{m.last + 1}", Errno.ENOMEM
            got = _errno(self.s.add_lwp, p)
            self.watch.at = ""
            self.failures += 1
            return got, m_.EAGAIN if full else "ENOMEM"
        new = self.s.add_lwp(p)
        new.regs[SP] = lwp.regs[SP]
        if waited:
            new.tpflag |= TpFlag.TP_TWAIT
        m.last += 1
        m.lwps.append(m_.MLwp(m.last, waited=waited))
        return new.tid, m.last

    def do_lwp_exit(self, p: Proc, lwp: Lwp, m: MProc) -> Outcome:
        self.model.lwp_exit(p.pid, lwp.tid)
        lwp_exit(lwp)
        return None, None

    def do_lwp_suspend(self, p: Proc, lwp: Lwp, m: MProc, who: int) -> Outcome:
        will = self.model.lwp_suspend(p.pid, who)
        return _errno(sys_lwp_suspend, lwp, who), will

    def do_lwp_continue(self, p: Proc, lwp: Lwp, m: MProc, who: int) -> Outcome:
        will = self.model.lwp_continue(p.pid, who)
        return _errno(sys_lwp_continue, lwp, who), will

    def do_lwp_wait(self, p: Proc, lwp: Lwp, m: MProc, who: int) -> Outcome:
        will = self.model.lwp_wait(p.pid, lwp.tid, who)
        try:
            return _errno(sys_lwp_wait, lwp, who, 0), will
        except Sleep:
            return "sleep", will

    def do_lwp_kill(self, p: Proc, lwp: Lwp, m: MProc, sig: int, who: int) -> Outcome:
        t = m.lwp(who)
        if t is None:
            return None, None
        tsignal(next(x for x in p.lwps if x.tid == who), sig)
        self.model.post_lwp(m, t, sig)
        return None, None

    # ---- limits and containers ----

    def do_rlimit(self, p: Proc, lwp: Lwp, m: MProc, soft: int, hard: int) -> Outcome:
        rlimit_set(p, "NOFILE", soft, hard, lwp.cred)
        m.nofile = (soft, hard)
        return p.fno_ctl, soft

    def do_limit(
        self, p: Proc, lwp: Lwp, m: MProc, kind: str, control: str, room: int | None
    ) -> Outcome:
        assert p.task is not None
        owner = {"task": p.task, "project": p.task.project, "zone": p.zone}[kind]
        now = {
            "max-processes": owner.nprocs,
            "max-lwps": owner.nlwps,
            "max-contracts": getattr(owner, "contracts", 0),
        }[control]
        value = INT_MAX if room is None else max(0, now + room)
        rctl_set_value(owner.rctls, f"{kind}.{control}", value)
        self.model.set_limit(m, kind, control, value)
        return None, None

    def do_settaskid(self, p: Proc, lwp: Lwp, m: MProc, project: int) -> Outcome:
        will = self.model.settaskid(m, project)
        return _errno(settaskid, p, project), will

    def do_bind_pool(self, p: Proc, lwp: Lwp, m: MProc, pool: str) -> Outcome:
        pool_do_bind(self.k, p, self.k.pools[pool])
        self.model.bind_pool(m, pool)
        return None, None

    # ---- contracts ----

    def do_template(self, p: Proc, lwp: Lwp, m: MProc, params: int | None) -> Outcome:
        t = m.lwp(lwp.tid)
        assert t is not None
        t.tmpl = params
        new = None if params is None else Template(params=CtParam(params))
        ctmpl_activate(lwp, PROCESS, new)
        return None, None

    def do_abandon(self, p: Proc, lwp: Lwp, m: MProc, nth: int) -> Outcome:
        ct = self._contract(nth)
        will = "EACCES"
        if ct.zone != m.zone:
            will = m_.ENOENT
        elif ct.owner is m:
            will = None
        elif ct.state == "inherited" and ct.regent is m.ct:
            will = "EBUSY"
        got = _errno(lambda: CtCtl(lwp, ct.id).abandon(lwp))
        if will is None:
            self.model.abandon(ct, explicit=True)
        return got, will

    def do_adopt(self, p: Proc, lwp: Lwp, m: MProc, nth: int) -> Outcome:
        ct = self._contract(nth)
        got = _errno(lambda: CtCtl(lwp, ct.id).adopt(lwp))
        if ct.zone != m.zone:
            return got, m_.ENOENT
        return got, self.model.adopt(ct, m)

    def _contract(self, nth: int) -> Any:
        all_of_them = list(self.model.contracts.values())
        return all_of_them[nth % len(all_of_them)]

    # ---- zones ----

    def do_zone_boot(self, zone: str, init: int) -> Outcome:
        handle = self.s.machine.add_zone(zone, brand=self.brand)
        handle.put("/bin/prog", guest("forkstep", self.brand))
        p = handle.start(["/bin/prog", "fork", "1"], init=True).proc
        self.zone_names.append(zone)
        self.model.boot(zone, p.pid, rlimit_get(p, "NOFILE"))
        self.pids[init] = p.pid
        return None, None

    def _zone(self, name: str) -> Any:
        return next((z for z in self.k.zones.values() if z.name == name), None)

    def do_zone_close(self, zone: str) -> Outcome:
        """It shuts down: no fork in it succeeds any more."""
        z = self._zone(zone)
        if z is not None and z.state < ZoneState.SHUTTING_DOWN:
            zone_state_set(z, ZoneState.SHUTTING_DOWN)
            self.model.closed.add(zone)
        return None, None

    def do_zone_halt(self, zone: str) -> Outcome:
        z = self._zone(zone)
        if z is None or z.state >= ZoneState.DOWN:
            return None, None
        self.k.zone_halt(z)
        self.model.end_zone(zone)
        self.model.closed.add(zone)
        return z.state.name, "DOWN"


def _nothing(p: MProc) -> Args:
    return {}


def _for_lwps(steps: list[str], tids: list[int]) -> list[str]:
    """The steps of a fork of these lwps, by those of a fork of lwp 1."""
    out: list[str] = []
    mine = [s for s in steps if s.endswith(":1") and not s.startswith("seg")]
    for s in steps:
        if s not in mine:
            out.append(s)
        elif s == mine[0]:
            out.extend(f"{m[:-2]}:{t}" for t in tids for m in mine)
    return out


def _errno(call: Any, *args: Any) -> str | None:
    try:
        call(*args)
    except KernelError as e:
        return e.errno.name
    return None
