"""FORK-115: random operations with random failures, held against a model.

The walk makes an operation in the kernel and the same one in ``model``, and compares
all processes after each.  Every now and then the counts of the kernel are held against
what they count.  A failure says its seed and the shortest prefix that has it.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.exit import lwp_exit, proc_exit
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import Lwp, TFlag, TpFlag, TState
from personae.core.proc import PidFlag, Proc, ProcFlag, ProcStat
from personae.core.rctl import rlimit_get, rlimit_set
from personae.core.session import setpgid, setsid
from personae.core.signal import act_on, peek, psignal, set_action
from personae.core.signo import CldCode, Sig, SigAction
from personae.core.sync import Sleep
from personae.core.vfork import vfwait
from personae.core.wait import IdType, WaitFlag, waitid
from tests.core.realkernel import run
from tests.invariants.model import EXITED, KILLED, SIGKILL, Model
from tests.invariants.stage import KINDS, Stage, Watch
from tests.invariants.test_failure import expected

invariant = pytest.mark.invariant
SLOTS = 24
CHECK_EVERY = 50
STATES = {ProcStat.SRUN: "run", ProcStat.SSTOP: "stop", ProcStat.SZOMB: "dead"}
ERRNOS = (Errno.EAGAIN, Errno.ENOMEM, Errno.EIO)
WEIGHTS = {
    "fork": 18,
    "exit": 18,
    "kill": 4,
    "wait": 26,
    "setpgid": 8,
    "setsid": 3,
    "stop": 5,
    "cont": 6,
    "lwp_create": 8,
    "lwp_exit": 6,
    "rlimit": 4,
    "sigcld": 2,
}


class Walk:
    """One machine, one model, and a walker that only the seed decides."""

    def __init__(self, brand: str, seed: int) -> None:
        self.rng = random.Random(f"{brand} {seed}")
        s = self.s = Stage(brand, max_nprocs=SLOTS)
        self.k, self.kinds = s.k, KINDS[brand]
        self.zombies = brand == "native"  # lwps that ended and can be waited for
        s.p.zone.init = s.p
        self.model = Model(s.p.pid, s.p.pgid, s.p.sid)
        self.model.procs[s.p.pid].nofile = rlimit_get(s.p, "NOFILE")
        self.log: list[str] = []
        self.failures = 0
        self.steps: dict[str, list[str]] = {}
        for kind in self.kinds:
            s.exit(s.fork(kind))
            self.steps[kind] = s.steps()
        self.watch = Watch(s)
        self._rest(s.lwp)

    # ---- one operation ----

    def step(self) -> None:
        rng = self.rng
        if not self.model.actors():
            self.continue_from_outside()
        what = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        p = self._proc(rng.choice(self._actors(what)))
        if self.model.procs[p.pid].lender and rng.random() < 0.5:
            what = "exit"  # else soon everybody waits for a vfork child
        lwp = rng.choice(p.lwps)
        self.log.append(f"{what} by {p.pid}/{lwp.tid}")
        run(self.k, lwp)
        got, wanted = getattr(self, f"do_{what}")(p, lwp)
        self._rest(lwp)
        self._settle()
        self.model.settle()
        self.log[-1] += f" -> {got}"
        assert got == wanted, f"the kernel says {got}, the model {wanted}"
        self.compare()

    def _actors(self, what: str) -> list[int]:
        """Who may do it; the parents, where it is about children, with luck."""
        actors = self.model.actors()
        if what in ("wait", "setpgid") and self.rng.random() < 0.8:
            parents = [pid for pid in actors if self.model.procs[pid].kids]
            return parents or actors
        return actors

    def continue_from_outside(self) -> None:
        """Everybody waits for a vfork child, and the last of these is stopped."""
        for m in [m for m in self.model.procs.values() if m.state == "stop"]:
            psignal(self._proc(m.pid), Sig.SIGCONT)
            self.model.cont(m.pid)
        self._settle()
        self.model.settle()

    def do_fork(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        rng, s = self.rng, self.s
        kind, flags = rng.choice(self.kinds), rng.choice([0, 0, 0, 1, 2, 3])
        tids = [t.tid for t in p.lwps] if kind == "forkall" else [lwp.tid]
        steps = _for_lwps(self.steps[kind], tids)
        full = len(self.k.practive) >= SLOTS
        at, errno = "", rng.choice(ERRNOS)
        if rng.random() < 0.4:
            at = rng.choice(steps)
        self.log[-1] += f" {kind} {flags} {at} {errno.name}"
        self.watch.at, self.watch.errno = at, errno
        wanted: Errno | None = None
        if at:
            wanted = expected(steps, at, errno)
        if full and (not at or steps.index(at) > steps.index("pid_allocate")):
            wanted = Errno.EAGAIN
        before = s.ledger() if wanted and rng.random() < 0.2 else None
        try:
            child = s.fork(kind, flags, lwp)
        except KernelError as e:
            self.failures += 1
            if before is not None:
                assert s.diff(before) == []
            return e.errno, wanted
        finally:
            self.watch.at = ""
        self.model.fork(p.pid, lwp.tid, child.pid, kind, flags)
        return None, wanted

    def do_exit(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        if p.pid == self.model.root:
            return None, None
        status = self.rng.randrange(256)
        self.model.exit(p.pid, (EXITED, status))
        proc_exit(lwp, CldCode.EXITED, status)
        return None, None

    def do_kill(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        """SIGKILL to anybody who can run or is stopped."""
        pid = self.rng.choice(list(self.model.procs))
        m = self.model.procs[pid]
        if pid == self.model.root or m.state == "dead" or m.lent:
            return None, None
        victim = self._proc(pid)
        self.model.procs[pid].state = "run"
        self.model.exit(pid, (KILLED, SIGKILL))
        psignal(victim, Sig.SIGKILL)
        target = lwp if victim is p else victim.lwps[0]
        run(self.k, target)
        got = peek(target)
        assert got is not None
        act_on(target, *got)
        return None, None

    def do_wait(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        rng, m = self.rng, self.model
        which = rng.choice(["all", "all", "pid", "pgid"])
        number = 0
        if which == "pid":
            number = rng.choice([*m.procs[p.pid].kids, *m.procs, 12345])
        elif which == "pgid":
            number = rng.choice([q.pgid for q in m.procs.values()])
        events = rng.choice([1, 1, 1, 5, 13, 4, 8])
        options = events | rng.choice([0, int(WaitFlag.WNOHANG)])
        keep = rng.random() < 0.2
        if keep:
            options |= WaitFlag.WNOWAIT
        self.log[-1] += f" {which} {number} {options:#x}"
        wanted = m.wait(p.pid, which, number, events)
        news = m.procs[wanted].news if isinstance(wanted, int) and wanted else None
        try:
            r = waitid(lwp, IdType(which), number, options)
        except KernelError as e:
            return e.errno.name, wanted
        except Sleep:
            return 0, (wanted if not options & WaitFlag.WNOHANG else "no sleep")
        if r is None:
            return 0, (wanted if options & WaitFlag.WNOHANG else "a sleep")
        if isinstance(wanted, int) and wanted and not keep:
            m.waited(wanted)
        return (r.pid, (r.code, r.status)), (wanted, news)

    def do_setpgid(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        m, rng = self.model, self.rng
        who = rng.choice([*[0, p.pid] * 3, *m.procs[p.pid].kids * 3, *m.procs, 12345])
        groups = [q.pgid for q in m.procs.values()]
        pgid = rng.choice([*[0, who, p.pgid] * 4, -1, *groups, 12345])
        self.log[-1] += f" {who} {pgid}"
        wanted = m.setpgid(p.pid, who, pgid)
        return _errno(setpgid, p, who, pgid), wanted

    def do_setsid(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        return _errno(setsid, p), self.model.setsid(p.pid)

    def do_stop(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        if p.pid == self.model.root:
            return None, None
        psignal(p, Sig.SIGSTOP)
        got = peek(lwp)
        assert got is not None
        act_on(lwp, *got)
        self.model.stop(p.pid)
        return None, None

    def do_cont(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        stopped = [q.pid for q in self.model.procs.values() if q.state == "stop"]
        pid = self.rng.choice(stopped or [p.pid])
        psignal(self._proc(pid), Sig.SIGCONT)
        self.model.cont(pid)
        return None, None

    def do_lwp_create(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        m = self.model.procs[p.pid]
        if len(m.lwps) >= 5:
            return None, None
        new = self.s.add_lwp(p)
        if self.rng.random() < 0.5:
            new.tpflag |= TpFlag.TP_TWAIT
        m.last += 1
        m.lwps.append(m.last)
        return new.tid, m.last

    def do_lwp_exit(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        m = self.model.procs[p.pid]
        if len(m.lwps) == 1:
            if p.pid != self.model.root:
                self.model.exit(p.pid, (EXITED, 0))
                lwp_exit(lwp)
            return None, None
        m.lwps.remove(lwp.tid)
        if lwp.tpflag & TpFlag.TP_TWAIT and self.zombies:
            m.zombies.append(lwp.tid)
        lwp_exit(lwp)
        return None, None

    def do_rlimit(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        soft = self.rng.randrange(10, 100)
        hard = soft + self.rng.randrange(3) * 10
        rlimit_set(p, "NOFILE", soft, hard, lwp.cred)
        self.model.procs[p.pid].nofile = (soft, hard)
        return p.fno_ctl, soft

    def do_sigcld(self, p: Proc, lwp: Lwp) -> tuple[Any, Any]:
        if p.pid == self.model.root:
            return None, None
        ignore = self.rng.random() < 0.5
        set_action(p, Sig.SIGCLD, SigAction(int(ignore)))
        self.model.procs[p.pid].nowait = ignore
        return None, None

    # ---- inner ----

    def _proc(self, pid: int) -> Proc:
        p = self.k.prfind(pid)
        assert p is not None, f"the kernel has no process {pid}"
        return p

    def _rest(self, lwp: Lwp) -> None:
        """Off its CPU, and on the queue if it can run."""
        self.k.current = None
        self.k.disp.yielding = False
        if lwp.state is TState.TS_ONPROC:
            if lwp.tflag & TFlag.T_VFPARENT:
                self.k.disp.sleep(lwp, Sleep(lwp.proc.cv, interruptible=False))
            else:
                self.k.disp.setrun(lwp)

    def _settle(self) -> None:
        """What the lwps would do on their way to user mode, the oldest first."""
        while any(self._moves(p) for p in reversed(self.k.practive)):
            pass

    def _moves(self, p: Proc) -> bool:
        if not p.lwps or p.flag & ProcFlag.SSYS:
            return False
        for t in p.lwps:
            if t.tflag & TFlag.T_VFPARENT and not p.flag & ProcFlag.SVFWAIT:
                run(self.k, t)
                vfwait(t)
                self._rest(t)
        if p.flag & ProcFlag.SVFWAIT or p.stat is not ProcStat.SRUN:
            return False
        lwp = p.lwps[0]
        got = peek(lwp)
        if got is None:
            return False
        run(self.k, lwp)
        act_on(lwp, *got)
        self._rest(lwp)
        return True

    def compare(self) -> None:
        seen = {
            p.pid: _seen(p)
            for p in reversed(self.k.practive)
            if not p.flag & ProcFlag.SSYS
        }
        wanted = {pid: _wanted(m) for pid, m in self.model.procs.items()}
        wanted[self.model.root]["parent"] = seen[self.model.root]["parent"]
        if seen == wanted:
            return
        for pid in sorted({*seen, *wanted}):
            assert (pid, seen.get(pid)) == (pid, wanted.get(pid))

    def check(self) -> None:
        assert ledger_check(self.k) == []


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


def _seen(p: Proc) -> dict[str, Any]:
    return {
        "parent": p.ppid,
        "kids": [c.pid for c in p.children()],
        "group": (p.pgid, p.sid),
        "state": STATES[p.stat],
        "lwps": sorted(t.tid for t in p.lwps),
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
    }


def _wanted(m: Any) -> dict[str, Any]:
    dead = m.state == "dead"
    return {
        "parent": m.parent,
        "kids": m.kids,
        "group": (m.pgid, m.sid),
        "state": m.state,
        "lwps": sorted(m.lwps),
        "last": m.last,
        "zombies": [] if dead else m.zombies,
        "flags": (m.quiet, m.by_pid, m.nowait),
        "news": m.news if dead or not m.told else None,
        "nofile": None if dead else m.nofile,
        "vfork": (bool(m.lent), m.lender),
    }


# ---- the tests ----


def attempt(brand: str, seed: int, steps: int) -> tuple[Walk, str]:
    """Walk so many steps and check; what is wrong, or nothing."""
    walk = Walk(brand, seed)
    try:
        for n in range(1, steps + 1):
            walk.step()
            if n % CHECK_EVERY == 0:
                walk.check()
        walk.check()
    except Exception as e:
        return walk, f"{type(e).__name__}: {e}"
    return walk, ""


def shortest(brand: str, seed: int, steps: int) -> int:
    """The length of the shortest prefix that fails, by bisection."""
    good, bad = 0, steps
    while bad - good > 1:
        middle = (good + bad) // 2
        if attempt(brand, seed, middle)[1]:
            bad = middle
        else:
            good = middle
    return bad


def check_walk(brand: str, seed: int, steps: int) -> Walk:
    walk, wrong = attempt(brand, seed, steps)
    if wrong:
        length = shortest(brand, seed, len(walk.log))
        tail = "\n".join(attempt(brand, seed, length)[0].log[-12:])
        pytest.fail(f"{brand} seed {seed}, prefix of {length}: {wrong}\n{tail}")
    return walk


@invariant(115)
@pytest.mark.parametrize("seed", range(2))
def test_walk(brand: str, seed: int) -> None:
    walk = check_walk(brand, seed, 5000)
    assert walk.failures > 250


@pytest.mark.slow
@invariant(115)
@pytest.mark.parametrize("seed", range(100, 110))
def test_long_walk(brand: str, seed: int) -> None:
    check_walk(brand, seed, 5000)


def test_the_same_seed_walks_the_same_way() -> None:
    a, b = Walk("native", 7), Walk("native", 7)
    for _ in range(200):
        a.step()
        b.step()
    assert a.log == b.log
    assert a.k.digest() == b.k.digest()


def test_a_fault_is_found_at_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk notices, and bisection finds the very step."""
    from personae.core import exit as exits

    monkeypatch.setattr(exits, "upcount_dec", lambda *args: None)
    walk, wrong = attempt("native", 3, 400)
    assert "upcount" in wrong
    assert shortest("native", 3, len(walk.log)) <= len(walk.log)
