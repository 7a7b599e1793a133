"""What processes are, said once more and without the kernel: the oracle of the walk.

Each operation is a method that says what has to come of it (an errno, or None for
success) and changes the model.  It knows POSIX and fork(2), and no data of the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EINVAL, ESRCH, EPERM, ECHILD = "EINVAL", "ESRCH", "EPERM", "ECHILD"
EXITED, KILLED, STOPPED, CONTINUED = 1, 2, 5, 6
SIGHUP, SIGKILL, SIGSTOP, SIGCONT = 1, 9, 23, 25


@dataclass
class MProc:
    """A process.

    Attributes:
        kids: Children, the newest first.
        news: Untold change of state, (code, status), or how it died.
        told: The parent knows of ``news``.
        doomed: A SIGHUP is pending.
        lent: It waits for this vfork child.
        lender: It is a vfork child of this process.
    """

    pid: int
    parent: int
    pgid: int
    sid: int
    lwps: list[int]
    last: int = 1
    state: str = "run"
    kids: list[int] = field(default_factory=list)
    zombies: list[int] = field(default_factory=list)
    nofile: tuple[int, int] = (256, 65536)
    quiet: bool = False
    by_pid: bool = False
    nowait: bool = False
    news: tuple[int, int] = (0, 0)
    told: bool = True
    doomed: bool = False
    lent: int = 0
    lender: int = 0


class Model:
    """All processes, in the order of their making."""

    def __init__(self, root: int, pgid: int, sid: int) -> None:
        self.root = root
        self.procs = {root: MProc(root, 0, pgid, sid, [1])}

    def numbers(self) -> set[int]:
        """Every number in use."""
        out: set[int] = set()
        for p in self.procs.values():
            out |= {p.pid, p.pgid, p.sid}
        return out

    def actors(self) -> list[int]:
        """Who can make a system call."""
        return [p.pid for p in self.procs.values() if p.state == "run" and not p.lent]

    # ---- fork ----

    def fork(self, pid: int, tid: int, child: int, kind: str, flags: int) -> None:
        p = self.procs[pid]
        assert child not in self.numbers(), f"{child} is in use"
        all_of_them = kind == "forkall"
        self.procs[child] = MProc(
            child,
            pid,
            p.pgid,
            p.sid,
            list(p.lwps) if all_of_them else [tid],
            p.last,
            zombies=list(p.zombies) if all_of_them else [],
            nofile=p.nofile,
            quiet=bool(flags & 1),
            by_pid=bool(flags & 2),
            nowait=p.nowait,
        )
        p.kids.insert(0, child)
        if kind == "vfork":
            p.lent, self.procs[child].lender = child, pid

    # ---- exit ----

    def exit(self, pid: int, news: tuple[int, int]) -> None:
        p = self.procs[pid]
        self._orphan_check(p)
        if p.lender:
            self.procs[p.lender].lent = 0
            p.lender = 0
        root = self.procs[self.root]
        for c in p.kids:
            kid = self.procs[c]
            kid.parent, kid.quiet, kid.by_pid = self.root, False, False
        root.kids[:0] = p.kids
        dead = [c for c in p.kids if self.procs[c].state == "dead"]
        p.kids = []
        for c in dead:
            self._notify(c)
        p.state, p.news, p.told, p.lwps, p.doomed = "dead", news, True, [], False
        self._notify(pid)

    def _notify(self, pid: int) -> None:
        p = self.procs[pid]
        if self.procs[p.parent].nowait and not p.by_pid:
            self.reap(pid)

    def reap(self, pid: int) -> None:
        p = self.procs.pop(pid)
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
                    if m.state != "dead":
                        m.doomed = m.doomed or m.pid != self.root
                        self.cont(m.pid)

    def settle(self) -> None:
        """Who has a fatal signal and can run dies, the oldest first."""
        while True:
            for p in self.procs.values():
                if p.doomed and p.state == "run" and not p.lent:
                    self.exit(p.pid, (KILLED, SIGHUP))
                    break
            else:
                return

    # ---- stop and continue ----

    def stop(self, pid: int) -> None:
        p = self.procs[pid]
        p.state, p.news, p.told = "stop", (STOPPED, SIGSTOP), False

    def cont(self, pid: int) -> None:
        p = self.procs[pid]
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
        if self.procs[pid].state == "dead":
            self.reap(pid)
        else:
            self.procs[pid].told = True

    # ---- groups and sessions ----

    def setsid(self, pid: int) -> str | None:
        if any(p.pgid == pid for p in self.procs.values()):
            return EPERM
        p = self.procs[pid]
        p.pgid = p.sid = pid
        return None

    def setpgid(self, pid: int, who: int, pgid: int) -> str | None:
        caller, p = self.procs[pid], self.procs.get(who or pid)
        if pgid < 0:
            return EINVAL
        if p is None or p.state == "dead":
            return ESRCH
        if p is not caller and p.parent != pid:
            return ESRCH
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
