"""The machine once more and without the kernel: the oracle of the walk.

Each operation is a method that says what has to come of it (an errno, or None for
success) and changes the model.  It knows POSIX, fork(2), contract(5) and
resource_controls(7), and no data of the kernel.  Contracts and containers are in
``model_ct``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.invariants.model_ct import KEEP_EXEC, MCt, MTask, World

EINVAL, ESRCH, EPERM, ECHILD, EACCES = "EINVAL", "ESRCH", "EPERM", "ECHILD", "EACCES"
EDEADLK, EAGAIN, ENOENT = "EDEADLK", "EAGAIN", "ENOENT"
EXITED, KILLED, STOPPED, CONTINUED = 1, 2, 5, 6
SIGHUP, SIGKILL, SIGTERM, SIGUSR1, SIGUSR2 = 1, 9, 15, 16, 17
SIGSTOP, SIGCONT = 23, 25
SIGNALS = (SIGHUP, SIGKILL, SIGTERM, SIGUSR1, SIGUSR2, SIGSTOP)
"""Those that are followed; a SIGCONT and a SIGCLD leave nothing pending."""


@dataclass
class MLwp:
    """A lwp.

    Attributes:
        held: lwp_suspend stopped it.
        waited: Somebody may lwp_wait() for it.
        tmpl: Parameters of its active contract template; None without one.
        latest: The contract that it made last.
    """

    tid: int
    mask: set[int] = field(default_factory=set)
    pending: set[int] = field(default_factory=set)
    held: bool = False
    waited: bool = False
    tmpl: int | None = None
    latest: MCt | None = None


@dataclass(eq=False)
class MProc:
    """A process.

    Attributes:
        parent: Its parent's pid; 0 is the kernel process of its zone.
        kids: Children, the newest first.
        news: Untold change of state, (code, status), or how it died.
        told: The parent knows of ``news``.
        caught: Signals with a handler.
        lent: It waits for this vfork child.
        lender: It is a vfork child of this process.
        owned: Contracts it answers for.
    """

    pid: int
    parent: int
    pgid: int
    sid: int
    lwps: list[MLwp]
    zone: str
    task: MTask
    ct: MCt | None
    pool: str = "default"
    last: int = 1
    state: str = "run"
    kids: list[int] = field(default_factory=list)
    zombies: list[int] = field(default_factory=list)
    nofile: tuple[int, int] = (256, 65536)
    quiet: bool = False
    by_pid: bool = False
    nowait: bool = False
    execed: bool = False
    news: tuple[int, int] = (0, 0)
    told: bool = True
    pending: set[int] = field(default_factory=set)
    caught: set[int] = field(default_factory=set)
    ignored: set[int] = field(default_factory=set)
    killed: bool = False
    lent: int = 0
    lender: int = 0
    owned: list[MCt] = field(default_factory=list)

    def lwp(self, tid: int) -> MLwp | None:
        """Its lwp of that number."""
        return next((t for t in self.lwps if t.tid == tid), None)


class Model(World):
    """All processes, in the order of their making.

    Args:
        brand: Of every process.
    """

    def __init__(self, brand: str) -> None:
        super().__init__()
        self.renumbers = brand == "native"  # exec makes the lwp that is left number 1
        self.leaves_zombies = brand == "native"  # lwps that can be waited for
        self.procs: dict[int, MProc] = {}
        self.inits: dict[str, int] = {}
        self.closed: set[str] = set()
        """Zones that shut down."""

    def numbers(self) -> set[int]:
        """Every number in use."""
        out: set[int] = set()
        for p in self.procs.values():
            out |= {p.pid, p.pgid, p.sid}
        return out

    def acting(self, p: MProc) -> list[MLwp]:
        """The lwps of a process that can make a system call."""
        if p.state != "run" or p.lent:
            return []
        return [t for t in p.lwps if not t.held]

    def actors(self) -> list[int]:
        """Who can make a system call."""
        return [p.pid for p in self.procs.values() if self.acting(p)]

    def is_init(self, p: MProc) -> bool:
        """Whether it is the first process of a zone that lives."""
        return self.inits.get(p.zone) == p.pid

    # ---- the first process of a zone ----

    def boot(self, zone: str, pid: int, nofile: tuple[int, int]) -> MProc:
        """A zone with its init: leader of a session, in a task and contract of its own.

        The contract is the kernel's: its parameters are NOORPHAN.
        """
        task = MTask(zone, 0)
        p = self.procs[pid] = MProc(
            pid, 0, pid, pid, [MLwp(1)], zone, task, None, nofile=nofile, execed=True
        )
        task.members.append(p)
        self.join(p, self.new_contract(p, None, noorphan=True))
        self.inits[zone] = pid
        return p

    # ---- fork ----

    def fork(self, pid: int, tid: int, child: int, kind: str, flags: int) -> None:
        """The fork succeeded: its child is ``child``."""
        p = self.procs[pid]
        assert child not in self.numbers(), f"{child} is in use"
        caller = p.lwp(tid)
        assert caller is not None
        all_of_them = kind == "forkall"
        lwps = [
            MLwp(t.tid, set(t.mask), set(), t.held, t.waited, _inherited(t))
            for t in (p.lwps if all_of_them else [caller])
        ]
        c = self.procs[child] = MProc(
            child,
            pid,
            p.pgid,
            p.sid,
            lwps,
            p.zone,
            p.task,
            None,
            p.pool,
            p.last,
            zombies=list(p.zombies) if all_of_them else [],
            nofile=p.nofile,
            quiet=bool(flags & 1),
            by_pid=bool(flags & 2),
            nowait=p.nowait,
            caught=set() if kind == "vfork" else set(p.caught),
            ignored=set(p.ignored),
        )
        p.task.members.append(c)
        p.kids.insert(0, child)
        if kind == "vfork":
            p.lent, c.lender = child, pid
        if caller.tmpl is None:
            assert p.ct is not None
            self.join(c, p.ct)
            return
        caller.latest = self.new_contract(p, caller.tmpl)
        self.join(c, caller.latest)
        if caller.tmpl & KEEP_EXEC:
            self.abandon(caller.latest, explicit=True)

    # ---- exec ----

    def exec(self, pid: int, tid: int) -> None:
        """It runs another program now, in the lwp that called."""
        p = self.procs[pid]
        t = p.lwp(tid)
        assert t is not None
        for other in p.lwps:
            if other is not t:
                other.latest = None
                if other.waited and self.leaves_zombies:
                    p.zombies.append(other.tid)
        p.lwps, p.caught, p.execed = [t], set(), True
        t.latest = None
        if t.tmpl is not None and not t.tmpl & KEEP_EXEC:
            t.tmpl = None
        if self.renumbers:
            t.tid, p.last, p.zombies = 1, 1, []
        self._give_back(p)

    def _give_back(self, p: MProc) -> None:
        """A vfork child is done with the memory of its parent."""
        if p.lender:
            self.procs[p.lender].lent = 0
            p.lender = 0

    # ---- exit ----

    def exit(self, pid: int, news: tuple[int, int]) -> None:
        """It ends, and whatever follows from that."""
        p = self.procs[pid]
        p.lwps, was = [], p.lwps
        for t in was:
            t.latest = None
        self._orphan_check(p)
        self._give_back(p)
        for ct in list(p.owned):
            self.abandon(ct, explicit=False)
        self.leave(p)
        init = self.procs.get(self.inits.get(p.zone, 0))
        reaper = None if init is p else init
        for c in p.kids:
            kid = self.procs[c]
            kid.parent = reaper.pid if reaper is not None else 0
            kid.quiet = kid.by_pid = False
        if reaper is not None:
            reaper.kids[:0] = p.kids
        dead = [c for c in p.kids if self.procs[c].state == "dead"]
        p.kids = []
        for c in dead:
            self._notify(c)
        p.state, p.news, p.told, p.pending = "dead", news, True, set()
        self._notify(pid)
        if init is p:
            self.end_zone(p.zone)

    def end_zone(self, zone: str) -> None:
        """What is left of a zone is killed, the newest first."""
        self.inits.pop(zone, None)
        for p in [p for p in reversed(self.procs.values()) if p.zone == zone]:
            if p.state != "dead" and p.pid in self.procs:
                self.exit(p.pid, (KILLED, SIGKILL))
        for p in [p for p in self.procs.values() if p.zone == zone]:
            self.reap(p.pid)

    def _notify(self, pid: int) -> None:
        p = self.procs[pid]
        if not p.parent:
            self.reap(pid)
            self.kernel_takes_events(p.zone)
        elif self.procs[p.parent].nowait and not p.by_pid:
            self.reap(pid)

    def reap(self, pid: int) -> None:
        """The last of it goes."""
        p = self.procs.pop(pid)
        p.task.members.remove(p)
        if p.parent:
            self.procs[p.parent].kids.remove(pid)

    def _orphaned(self, pgid: int, leaving: int = 0) -> bool:
        for m in self.procs.values():
            if m.pgid != pgid or m.pid == leaving or m.state == "dead":
                continue
            par = self.procs.get(m.parent)
            if par is None or par.pid == leaving:
                continue
            if par.pgid != pgid and par.sid == m.sid:
                return False
        return True

    def _orphan_check(self, p: MProc) -> None:
        groups = dict.fromkeys([p.pgid, *(self.procs[c].pgid for c in p.kids)])
        for g in groups:
            if self._orphaned(g) or not self._orphaned(g, p.pid):
                continue
            rest = [m for m in self.procs.values() if m.pgid == g and m is not p]
            if any(m.state == "stop" for m in rest):
                for m in rest:
                    self.post(m, SIGHUP)
                    self.cont(m.pid)

    # ---- lwps ----

    def lwp_exit(self, pid: int, tid: int) -> None:
        """A lwp ends; with the last one its process."""
        p = self.procs[pid]
        if len(p.lwps) == 1:
            self.exit(pid, (EXITED, 0))
            return
        t = p.lwp(tid)
        assert t is not None
        t.latest = None
        p.lwps.remove(t)
        if t.waited and self.leaves_zombies:
            p.zombies.append(tid)

    def lwp_suspend(self, pid: int, tid: int) -> str | None:
        """Stop a lwp of the own process, but not the last that runs."""
        p = self.procs[pid]
        t = p.lwp(tid)
        if t is None:
            return ESRCH
        if not any(not o.held for o in p.lwps if o is not t):
            return EDEADLK
        t.held = True
        return None

    def lwp_continue(self, pid: int, tid: int) -> str | None:
        """Let it go on."""
        t = self.procs[pid].lwp(tid)
        if t is None:
            return ESRCH
        t.held = False
        return None

    def lwp_wait(self, pid: int, tid: int, who: int) -> str | None:
        """What lwp_wait says; "sleep" if it waits."""
        p = self.procs[pid]
        if who == tid:
            return EDEADLK
        if who in p.zombies or (not who and p.zombies):
            p.zombies.remove(who or p.zombies[0])
            return None
        if who:
            t = p.lwp(who)
            if t is None:
                return ESRCH
            return "sleep" if t.waited else EINVAL
        others = [t for t in p.lwps if t.tid != tid and t.waited]
        return "sleep" if others else EDEADLK

    # ---- signals ----

    def _effect(self, p: MProc, sig: int) -> str:
        if sig in p.ignored:
            return "ignore"
        if sig in p.caught:
            return "handler"
        if sig == SIGSTOP:
            return "stop"
        return "ignore" if self.is_init(p) else "end"

    def post(self, p: MProc, sig: int) -> None:
        """A signal for a process."""
        if p.state == "dead" or not p.lwps:
            return
        effect = self._effect(p, sig)
        if sig == SIGKILL and effect != "ignore":
            p.killed = True
        if effect == "ignore" and not all(sig in t.mask for t in p.lwps):
            return
        p.pending.add(sig)
        if sig == SIGKILL and p.state == "stop":
            p.state = "run"

    def post_lwp(self, p: MProc, t: MLwp, sig: int) -> None:
        """A signal for one lwp."""
        if sig in t.mask or self._effect(p, sig) != "ignore":
            t.pending.add(sig)

    def action(self, p: MProc, sig: int, what: str) -> None:
        """Another disposition; what is ignored now is no longer pending."""
        p.caught.discard(sig)
        p.ignored.discard(sig)
        if what == "catch":
            p.caught.add(sig)
        elif what == "ignore":
            p.ignored.add(sig)
        if self._effect(p, sig) == "ignore":
            p.pending.discard(sig)
            for t in p.lwps:
                t.pending.discard(sig)

    def _kill_member(self, p: MProc) -> None:
        p.killed = True
        self.post(p, SIGKILL)

    def settle(self) -> None:
        """Who has a signal and can run acts on it, the oldest first."""
        while any(self._acts(p) for p in list(self.procs.values())):
            pass

    def _acts(self, p: MProc) -> bool:
        if p.state != "run" or p.lent:
            return False
        return any(
            self._act(p, t) for t in p.lwps if SIGKILL in p.pending or not t.held
        )

    def _act(self, p: MProc, t: MLwp) -> bool:
        for sig in _order(p, t):
            effect = self._effect(p, sig)
            orphan = effect == "stop" and sig != SIGSTOP and self._orphaned(p.pgid)
            (t.pending if sig in t.pending else p.pending).discard(sig)
            if effect == "ignore" or orphan:
                continue
            if effect == "handler":
                t.mask.add(sig)
            elif effect == "stop":
                p.state, p.news, p.told = "stop", (STOPPED, sig), False
            else:
                self.exit(p.pid, (KILLED, sig))
            return True
        return False

    def cont(self, pid: int) -> None:
        """SIGCONT: no stop is pending any more, and a stopped process goes on."""
        p = self.procs[pid]
        if p.state == "dead":
            return
        p.pending.discard(SIGSTOP)
        for t in p.lwps:
            t.pending.discard(SIGSTOP)
        if p.state == "stop":
            p.state, p.news, p.told = "run", (CONTINUED, SIGCONT), False

    # ---- wait ----

    def wait(self, pid: int, which: str, number: int, events: int) -> int | str:
        """Who would be told of: a pid, 0 for none yet, or ECHILD."""
        found = False
        for c in self.procs[pid].kids:
            kid = self.procs[c]
            if which == "pid" and c != number:
                continue
            if which == "pgid" and kid.pgid != number:
                continue
            if kid.by_pid and which != "pid":
                found |= kid.state != "dead"
                continue
            found |= kid.state != "dead" or bool(events & 1)
            code = kid.news[0]
            ready = (
                bool(events & 1)
                if kid.state == "dead"
                else not kid.told and bool(events & (4 if code == STOPPED else 8))
            )
            if ready:
                return c
        return 0 if found else ECHILD

    def waited(self, pid: int) -> None:
        """The parent was told."""
        if self.procs[pid].state == "dead":
            self.reap(pid)
        else:
            self.procs[pid].told = True

    # ---- groups and sessions ----

    def setsid(self, pid: int) -> str | None:
        """setsid(2)."""
        if any(p.pgid == pid for p in self.procs.values()):
            return EPERM
        p = self.procs[pid]
        p.pgid = p.sid = pid
        return None

    def setpgid(self, pid: int, who: int, pgid: int) -> str | None:
        """setpgid(2)."""
        caller, p = self.procs[pid], self.procs.get(who or pid)
        if pgid < 0:
            return EINVAL
        if p is None or p.state == "dead":
            return ESRCH
        if p is not caller:
            if p.parent != pid:
                return ESRCH
            if p.execed:
                return EACCES
        if p.sid != caller.sid or p.sid == p.pid:
            return EPERM
        pgid = pgid or p.pid
        members = [m for m in self.procs.values() if m.pgid == pgid]
        if pgid not in (p.pid, p.pgid) and not any(
            m.sid == caller.sid for m in members
        ):
            return EPERM
        p.pgid = pgid
        return None


def _inherited(t: MLwp) -> int | None:
    """The template of a clone."""
    return None if t.tmpl is None or t.tmpl & KEEP_EXEC else t.tmpl


def _order(p: MProc, t: MLwp) -> Iterator[int]:
    """The signals a lwp takes: SIGKILL, its own, those of its process."""
    while True:
        bits = {
            s
            for s in t.pending | p.pending
            if s not in t.mask or s in (SIGKILL, SIGSTOP)
        }
        if not bits:
            return
        own = bits & t.pending
        yield SIGKILL if SIGKILL in bits else min(own or bits)
