"""A random walk over everything a fork touches, as a script that can be run again.

An operation is plain data: who does what, with processes named by the operation that
made them, so that a script keeps its meaning when operations are left out.  ``Walk``
makes each one in the kernel and in ``Model``, and compares all there is.  ``shrink``
finds a short script that fails like a long one, and
``python -m tests.invariants.walk FILE`` runs a script again.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

from personae.core.kernel import Kernel
from personae.core.ledger import HW_STATS
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import Lwp, TFlag, TState
from personae.core.pool import Pool
from personae.core.proc import Proc, ProcFlag
from personae.core.rctl import rlimit_get
from personae.core.signal import act_on, peek
from personae.core.signo import Sig, sigbit
from personae.core.sync import Sleep
from personae.core.vfork import vfwait
from tests.core.realkernel import run
from tests.invariants.model import Model, MProc
from tests.invariants.stage import KINDS, Stage, Watch
from tests.invariants.walkops import Operations
from tests.invariants.walkseen import counted, counted_by, seen, wanted

SLOTS = 32
CHECK_EVERY = 50
Op = dict[str, Any]


class Skipped(Exception):
    """The operation makes no sense here: something before it was left out."""


class Walk(Operations):
    """One machine and one model of it.

    Args:
        brand: Of its processes.
        seed: Decides what is done; None to run a script.
    """

    def __init__(self, brand: str, seed: int | None = None) -> None:
        self.brand = brand
        self.rng = random.Random(f"{brand} {seed}")
        s = self.s = Stage(brand, max_nprocs=SLOTS)
        self.k: Kernel = s.k
        self.kinds = KINDS[brand]
        s.p.zone.init = s.p
        self.k.pools["two"] = Pool("two", (0,))
        self.model = Model(brand)
        self.model.last_ct = max(self.k.contracts) - 1
        self.model.boot(s.p.zone.name, s.p.pid, rlimit_get(s.p, "NOFILE"))
        self.pids = {0: s.p.pid}
        """Of all processes there were, by their labels."""
        self.root = s.p.pid
        self.log: list[Op] = []
        self.said: list[str] = []
        self.failures = 0
        self.done: dict[str, int] = {}
        self.steps: dict[str, list[str]] = {}
        for kind in self.kinds:
            s.exit(s.fork(kind))
            self.steps[kind] = s.steps()
        self.watch = Watch(s)
        self.rest(s.lwp)
        self.zone_names = [s.p.zone.name]

    # ---- one operation ----

    def step(self) -> None:
        """One random operation."""
        if not self.model.actors():
            self.perform({"op": "rescue", "by": 0, "tid": 1})
        self.perform(self.choose())

    def perform(self, op: Op) -> None:
        """Make an operation here and in the model; AssertionError if they differ."""
        self.log.append(op)
        got, expected = self._made(op)
        self.settle()
        self.model.settle()
        self.model.forget_dead()
        self.said.append(f"{op} -> {got}")
        self.done[op["op"]] = self.done.get(op["op"], 0) + 1
        assert got == expected, f"the kernel says {got}, the model {expected}"
        self.compare()

    def _made(self, op: Op) -> tuple[Any, Any]:
        args = {k: v for k, v in op.items() if k not in ("op", "by", "tid")}
        make = getattr(self, f"do_{op['op']}")
        if op["op"] in self.FROM_OUTSIDE:
            out: tuple[Any, Any] = make(**args)
            return out
        m = self.find(op["by"])
        acting = [t.tid for t in self.model.acting(m)]
        if not acting:
            raise Skipped
        tid = op["tid"] if op["tid"] in acting else acting[0]
        p = self.proc(m.pid)
        lwp = next(t for t in p.lwps if t.tid == tid)
        run(self.k, lwp)
        out = make(p, lwp, m, **args)
        self.rest(lwp)
        return out

    def find(self, label: int) -> MProc:
        """The process of a label; Skipped if it has gone."""
        m = self.model.procs.get(self.pids.get(label, 0))
        if m is None:
            raise Skipped
        return m

    def number(self, label: int) -> int:
        """The pid of a label, also of a process that has gone; else one of nobody."""
        return self.pids.get(label, 12345)

    def label(self, pid: int) -> int:
        """The label of a process: of several that had the number, the last."""
        return next(n for n in reversed(self.pids) if self.pids[n] == pid)

    def proc(self, pid: int) -> Proc:
        """The kernel's process."""
        p = self.k.prfind(pid)
        assert p is not None, f"the kernel has no process {pid}"
        return p

    # ---- the kernel, by hand ----

    def rest(self, lwp: Lwp) -> None:
        """Off its CPU, and on the queue if it can run."""
        self.k.current = None
        self.k.disp.yielding = False
        if lwp.state is TState.TS_ONPROC:
            if lwp.tflag & TFlag.T_VFPARENT:
                self.k.disp.sleep(lwp, Sleep(lwp.proc.cv, interruptible=False))
            else:
                self.k.disp.setrun(lwp)

    def settle(self) -> None:
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
                self.rest(t)
        if p.flag & ProcFlag.SVFWAIT:
            return False
        return any(self._takes(t) for t in list(p.lwps) if t.state is TState.TS_RUN)

    def _takes(self, lwp: Lwp) -> bool:
        if self.held(lwp) and not lwp.proc.sig & sigbit(Sig.SIGKILL):
            return False  # a clone of forkall that stops on its way
        got = peek(lwp)
        if got is None:
            return False
        run(self.k, lwp)
        act_on(lwp, *got)
        self.rest(lwp)
        return True

    # ---- comparing ----

    def compare(self) -> None:
        """All processes, contracts and counts."""
        mine = {p.pid: seen(p) for p in reversed(self.k.practive) if _user(p)}
        theirs = {pid: wanted(m) for pid, m in self.model.procs.items()}
        for pid in sorted({*mine, *theirs}):
            assert (pid, mine.get(pid)) == (pid, theirs.get(pid))
        assert list(mine) == list(theirs)
        assert counted(self.k) == counted_by(self.model, self.k)

    def check(self) -> None:
        """Every count of the kernel against what it counts."""
        assert ledger_check(self.k) == []

    def finish(self) -> None:
        """End everything: no process, contract, task or frame of theirs is left."""
        for zone in self.zone_names[::-1]:
            self.perform({"op": "zone_halt", "zone": zone})
        self.check()
        k = self.k
        assert not any(_user(p) for p in k.practive)
        assert (k.contracts, list(k.tasks), list(k.projects)) == ({}, [0], [(0, 0)])
        assert k.lwp_count == len(self.zone_names)
        while any(k.reclaim(z) for z in k.zones.values()):
            continue  # pages of the program's file
        hw = {name: k.hw.stat(n) for name, n in HW_STATS.items()}
        none = dict.fromkeys(("frames", "tables", "spaces"), 0)
        assert hw == {**none, "contexts": len(self.zone_names)}


def _user(p: Proc) -> bool:
    return not p.flag & ProcFlag.SSYS


# ---- scripts ----


def attempt(brand: str, seed: int, steps: int) -> tuple[Walk, str]:
    """Walk so many steps and check; what is wrong, or nothing."""
    walk = Walk(brand, seed)
    try:
        for n in range(1, steps + 1):
            walk.step()
            if n % CHECK_EVERY == 0:
                walk.check()
        walk.check()
        walk.finish()
    except Exception as e:
        return walk, f"{type(e).__name__}: {e}"
    return walk, ""


def replay(brand: str, script: list[Op]) -> str:
    """Run a script, with all counts checked after each operation; what is wrong."""
    walk = Walk(brand)
    try:
        for op in script:
            try:
                walk.perform(op)
            except Skipped:
                continue
            walk.check()
        walk.finish()
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return ""


def kind_of(wrong: str) -> str:
    """A failure without its numbers: two of one kind are the same fault."""
    return re.sub(r"[\d#]+", "", wrong)[:60]


def shrink(brand: str, script: list[Op], tries: int = 300) -> tuple[list[Op], str]:
    """A shorter script that fails (ddmin; Zeller and Hildebrandt 2002).

    Returns:
        The script, of which no operation can be left out if ``tries`` sufficed, and
        how it fails.
    """
    wrong = replay(brand, script)
    if not wrong:
        return script, ""
    parts = 2
    while len(script) > 1 and tries > 0:
        size = -(-len(script) // parts)
        for at in range(0, len(script), size):
            shorter = script[:at] + script[at + size :]
            tries -= 1
            again = replay(brand, shorter)
            if again and kind_of(again) == kind_of(wrong):
                script, wrong = shorter, again
                parts = max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(script))
    return script, wrong


def dump(brand: str, script: list[Op]) -> str:
    """A script as text: the brand, then an operation a line."""
    return "\n".join([json.dumps(brand), *map(json.dumps, script)]) + "\n"


def load(text: str) -> tuple[str, list[Op]]:
    """The inverse of ``dump``."""
    brand, *script = map(json.loads, text.splitlines())
    return brand, script


if __name__ == "__main__":
    outcome = replay(*load(Path(sys.argv[1]).read_text(encoding="utf-8")))
    print(outcome or "nothing is wrong")
    sys.exit(bool(outcome))
