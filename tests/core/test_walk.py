"""FORK-115: random walks of everything that touches the containers of a process.

After each step every count of the kernel is held against what it counts; at the end
all is as it was at the start.
"""

from __future__ import annotations

import contextlib
import random

import pytest

from personae.core.contract import contract_abandon, ctmpl_clear
from personae.core.errno import KernelError
from personae.core.exit import freeproc, proc_exit
from personae.core.fork import fork1, forkall, vfork
from personae.core.forklwp import lwp_create, lwp_start
from personae.core.kernel import Kernel
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.limits import crset
from personae.core.lwp import Lwp, TFlag, TpFlag
from personae.core.pool import Pool, pool_do_bind
from personae.core.proc import Proc
from personae.core.rctl import INT_MAX
from personae.core.signo import CldCode
from personae.core.sync import Sleep
from personae.core.task import settaskid
from personae.core.txn import Transaction
from personae.core.vfork import vfwait
from personae.plugins.contract_process import CtEv, CtParam, Template
from tests.core.realkernel import Failer, first, kernel, run

FORKS = {"fork1": fork1, "forkall": forkall, "vfork": vfork}


class Walk:
    """One kernel, and a walker that only the seed decides."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.k: Kernel = kernel(max_nprocs=self.rng.choice([12, 40]))
        self.k.pools["two"] = Pool("two", (0,))
        self.root = first(self.k)
        self.before = ledger(self.k)
        self.failer = Failer()
        self.k.observers.register(self.failer)
        self.exit(self.fork(self.root, "forkall"))
        self.steps = self.k.last_fork_steps

    def step(self) -> None:
        rng, k = self.rng, self.k
        p = rng.choice([p for p in k.practive if p.lwps])
        lwp = rng.choice(p.lwps)
        self.failer.at = rng.choice(self.steps) if rng.random() < 0.4 else ""
        lwp.ct_active = {}
        if rng.random() < 0.3:
            lwp.ct_active["process"] = Template(
                params=CtParam(rng.randrange(32)), info=CtEv(rng.randrange(8))
            )
        k.zones[0].set_rctl("zone.max-lwps", rng.choice([10, 20, 1000]))
        acts = ["fork1", "fork1", "forkall", "vfork"]
        if p is not self.root.proc:
            acts += ["exit", "exit", "exit", "lwp", "cred", "pool", "task"]
        with contextlib.suppress(KernelError):  # injected, or a limit
            self.act(rng.choice(acts), lwp)

    def act(self, what: str, lwp: Lwp) -> None:
        rng, k, p = self.rng, self.k, lwp.proc
        if what == "exit":
            self.exit(p)
        elif what == "lwp":
            self.new_lwp(p)
        elif what == "cred":
            crset(p, p.cred.copy(uid=rng.choice([0, 5, 6])))
        elif what == "pool":
            pool_do_bind(k, p, rng.choice(list(k.pools.values())))
        elif what == "task":
            settaskid(p, rng.choice([0, 1, 2]))
        else:
            child = self.fork(lwp, what)
            if lwp.tflag & TFlag.T_VFPARENT:
                self.exit(child)
                vfwait(lwp)

    def fork(self, lwp: Lwp, kind: str) -> Proc:
        run(self.k, lwp)
        try:
            return FORKS[kind](lwp)
        except Sleep as s:
            self.k.now = s.deadline or 0
            return FORKS[kind](lwp)

    def exit(self, p: Proc) -> None:
        lwp = self.rng.choice(p.lwps)
        run(self.k, lwp)
        proc_exit(lwp, CldCode.EXITED, 0)
        if p.pidp is not None:
            freeproc(p)
        self.k.current = None

    def new_lwp(self, p: Proc) -> None:
        with Transaction("lwp_create", self.k.fork_probe()) as txn:
            lwp = lwp_create(txn, p, tid=p.lwpid + 1, cls="TS", source=p.lwps[0])
            txn.commit()
        p.lwpid += 1
        lwp.tpflag &= ~TpFlag.TP_HOLDLWP
        lwp_start(lwp)

    def finish(self) -> None:
        self.failer.at = ""
        for p in self.k.practive[:]:
            if p.lwps and p is not self.root.proc:
                self.exit(p)
        self.k.zones[0].set_rctl("zone.max-lwps", INT_MAX)
        ctmpl_clear(self.root)
        for ct in self.root.proc.ct_held[:]:
            contract_abandon(ct)


@pytest.mark.parametrize("seed", range(3))
def test_walk(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(200):
        walk.step()
        assert ledger_check(walk.k) == []
    walk.finish()
    assert ledger_diff(walk.before, ledger(walk.k)) == []


def test_the_same_seed_walks_the_same_way() -> None:
    a, b = Walk(9), Walk(9)
    for _ in range(50):
        a.step()
        b.step()
    assert a.failer.seen == b.failer.seen
    assert ledger_diff(ledger(a.k), ledger(b.k), ignore=()) == []
