"""Contracts on a real kernel: supervisors, and kernels without contracts."""

from __future__ import annotations

import random

import pytest

from personae.core import savefile
from personae.core.brand import Brand
from personae.core.contract import (
    CtState,
    NoContracts,
    contract_abandon,
    contract_ack,
    contract_adopt,
    ctmpl_clear,
)
from personae.core.contracts import load_contract_type
from personae.core.ctapi import CtCtl, CtEvents, CtTmpl
from personae.core.errno import Errno, KernelError
from personae.core.exit import freeproc, proc_exit
from personae.core.fork import fork1
from personae.core.kernel import Kernel, KernelConfig
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import Lwp
from personae.core.proc import Proc, ProcFlag
from personae.core.rctl import RctlLocal, RctlPriv, RctlVal, rlimit_set
from personae.core.rctlsys import rctl_set
from personae.core.signo import CldCode, Sig
from personae.plugins.contract_process import (
    CtEv,
    CtParam,
    CtTerm,
    ProcessContract,
    ProcessContracts,
)
from tests.core.realkernel import NullOps, first, kernel, run
from tests.core.test_walk import Walk


def exits(k: Kernel, p: Proc, status: int = 0) -> None:
    """The process ends and is reaped."""
    lwp = p.lwps[0]
    run(k, lwp)
    proc_exit(lwp, CldCode.EXITED, status)
    k.current = None
    if p.pidp is not None:
        freeproc(p)


def contract_of(p: Proc) -> ProcessContract:
    assert isinstance(p.ct_process, ProcessContract)
    return p.ct_process


class Supervisor:
    """A program that keeps services running, as svc.startd does."""

    def __init__(self, k: Kernel, lwp: Lwp, **terms: int) -> None:
        self.k, self.lwp = k, lwp
        self.tmpl = CtTmpl(k)
        for name, value in terms.items():
            self.tmpl.set_term(lwp, CtTerm[name], int(value))
        self.events = CtEvents.of_process(lwp)
        self.services: dict[int, Proc] = {}
        self.restarts = 0

    def start(self) -> Proc:
        run(self.k, self.lwp)
        self.tmpl.activate(self.lwp)
        service = fork1(self.lwp)
        self.tmpl.clear(self.lwp)
        self.tmpl.clear(service.lwps[0])  # it has a copy
        self.services[contract_of(service).id] = service
        return service

    def look(self) -> None:
        """Acknowledge what has come, and start again what is empty."""
        run(self.k, self.lwp)
        while self.events.pending(self.lwp):
            e = self.events.recv(self.lwp, nonblock=True)
            ctl = CtCtl(self.lwp, e.contract.id)
            if not e.informative:
                ctl.ack(self.lwp, e.id)
            if e.type == CtEv.EMPTY:
                del self.services[e.contract.id]
                ctl.abandon(self.lwp)
                self.restarts += 1
                self.start()


def test_supervisor_restarts_what_is_empty() -> None:
    k = kernel()
    lwp = first(k)
    before = ledger(k)
    boss = Supervisor(k, lwp)
    for _ in range(3):
        boss.start()
    for round_ in range(30):
        service = list(boss.services.values())[round_ % 3]
        run(k, service.lwps[0])
        helper = fork1(service.lwps[0])  # a part of the service
        exits(k, service)
        boss.look()
        assert boss.restarts == round_  # not empty yet
        exits(k, helper)
        boss.look()
        assert boss.restarts == round_ + 1
        assert ledger_check(k) == []
    for ctid, service in boss.services.items():
        exits(k, service)
        contract_abandon(k.contracts[ctid])
    boss.events.close()
    ctmpl_clear(lwp)
    lwp.proc.ct_equeue = None
    run(k, lwp)
    assert ledger_diff(before, ledger(k)) == []


@pytest.mark.parametrize("how", ["noorphan", "orphan", "adopted"])
def test_killed_supervisor(how: str) -> None:
    """Its services die, live on, or are taken over by the next supervisor."""
    k = kernel()
    init = first(k)
    above = Supervisor(k, init, PARAMS=CtParam.REGENT)
    startd = above.start()
    run(k, startd.lwps[0])
    spare = fork1(startd.lwps[0])
    params = {
        "noorphan": CtParam.NOORPHAN,
        "orphan": CtParam.NONE,
        "adopted": CtParam.INHERIT | CtParam.NOORPHAN,
    }
    boss = Supervisor(k, startd.lwps[0], PARAMS=params[how])
    service = boss.start()
    ct = contract_of(service)
    exits(k, startd)
    assert ledger_check(k) == []
    if how == "adopted":
        assert ct.state is CtState.INHERITED
        run(k, spare.lwps[0])
        contract_adopt(ct, spare)
        heir = CtEvents.of_process(spare.lwps[0])
        exits(k, service)
        assert heir.recv(spare.lwps[0]).type == CtEv.EMPTY
        assert ct.state is CtState.OWNED
    else:
        assert ct.state is CtState.ORPHAN
        doomed = how == "noorphan"
        assert bool(service.flag & ProcFlag.SKILLED) is doomed
        assert bool(service.sig & 1 << Sig.SIGKILL - 1) is doomed
        exits(k, service)
        assert ct.state is CtState.DEAD
    assert ledger_check(k) == []


def test_no_critical_event_is_lost_in_10000_forks() -> None:
    k = kernel()
    lwp = first(k)
    everything = CtEv.FORK | CtEv.EXIT | CtEv.EMPTY
    boss = Supervisor(k, lwp, EV_CRITICAL=everything, EV_INFO=0)
    master = boss.start()
    ct = contract_of(master)
    rng = random.Random(1)
    forked: list[int] = [master.pid]
    seen: list[tuple[int, int]] = []
    last = 0
    for n in range(10_000):
        run(k, master.lwps[0])
        child = fork1(master.lwps[0])
        forked.append(child.pid)
        exits(k, child)
        if n < 9999 and rng.random() < 0.9:
            continue  # the supervisor is slow
        while boss.events.pending(lwp):
            e = boss.events.recv(lwp, nonblock=True, critical=True)
            assert e.id > last
            last = e.id
            seen.append((e.type, e.pid))
            contract_ack(ct, e.id)
    wanted = [(CtEv.FORK, forked[0])]
    for pid in forked[1:]:
        wanted += [(CtEv.FORK, pid), (CtEv.EXIT, pid)]
    assert seen == wanted
    assert (ct.evcnt, ct.members) == (0, [master])
    assert max(len(ct.events), len(k.ct_bundle)) < 200
    assert ledger_check(k) == []


def test_a_machine_is_saved_with_its_contracts() -> None:
    k = kernel()
    lwp = first(k)
    boss = Supervisor(k, lwp, PARAMS=CtParam.INHERIT)
    service = boss.start()
    exits(k, service)
    lwp.proc.user.fds = lwp.proc.exec = lwp.proc.user.u_cdir = None
    brand = Brand("native", NullOps(), {})
    k2 = savefile.load(savefile.dump(k, level=0), [brand])
    p = next(p for p in k2.practive if p.pid == lwp.proc.pid)
    [ct] = p.ct_held
    assert isinstance(ct, ProcessContract)
    assert p.ct_equeue is not None
    [e] = p.ct_equeue
    assert (e.type, e.contract, list(ct.events)) == (CtEv.EMPTY, ct, [e])
    contract_ack(ct, e.id)
    contract_abandon(ct)
    assert ct.state is CtState.DEAD


# ---- without the plugin ----


def test_the_type_is_found_by_entry_point() -> None:
    assert isinstance(load_contract_type(), ProcessContracts)
    assert isinstance(kernel().contract_type, ProcessContracts)


def test_a_kernel_without_contracts_forks() -> None:
    k = Kernel(
        KernelConfig(memory=64 << 20),
        [Brand("native", NullOps(), {})],
        contracts=NoContracts(),
    )
    lwp = first(k)
    before = ledger(k)
    child = fork1(lwp)
    assert (child.ct_process, k.contracts) == (None, {})
    assert k.last_fork_steps[-1] == "contract_process_fork"
    exits(k, child)
    run(k, lwp)
    assert ledger_diff(before, ledger(k)) == []
    assert ledger_check(k) == []
    with pytest.raises(KernelError) as e:
        CtTmpl(k)
    assert e.value.errno is Errno.ENOENT


# ---- random walks with contracts and controls in them ----


class ContractWalk(Walk):
    """The walk over forks and exits, with what owners do in between."""

    def step(self) -> None:
        super().step()
        act = self.rng.choice([self.own, self.adopt, self.listen, self.limit])
        act()

    def own(self) -> None:
        owned = [ct for ct in self.k.contracts.values() if ct.owner is not None]
        if not owned:
            return
        ct = self.rng.choice(owned)
        waiting = [e for e in ct.events if not e.settled]
        if waiting and self.rng.random() < 0.7:
            contract_ack(ct, self.rng.choice(waiting).id)
        elif ct.id != 1:
            contract_abandon(ct)

    def adopt(self) -> None:
        for ct in list(self.k.contracts.values()):
            if ct.state is CtState.INHERITED and ct.regent is not None:
                heirs = [p for p in self.k.practive if p.ct_process is ct.regent]
                if heirs:
                    contract_adopt(ct, self.rng.choice(heirs))
                return

    def listen(self) -> None:
        lwp = self.root
        ct = self.rng.choice(list(self.k.contracts.values()))
        which = self.rng.randrange(3)
        if which == 0:
            events = CtEvents.of_contract(lwp, ct.id)
        else:
            make = CtEvents.of_type if which == 1 else CtEvents.of_process
            events = make(lwp)
        events.reset()
        if self.rng.random() < 0.5:
            events.reliable(lwp)
        while self.rng.random() < 0.8 and events.pending(lwp):
            events.recv(lwp, nonblock=True)
        events.close()

    def limit(self) -> None:
        rng = self.rng
        p = rng.choice([p for p in self.k.practive if p.rctls is not None])
        if p.pid == 0:
            return
        rlimit_set(p, "NOFILE", rng.randrange(64, 100), 1000, self.k.kcred)
        action = RctlLocal(rng.choice([0, 1]))
        val = RctlVal(
            rng.randrange(50, 60),
            RctlPriv.BASIC,
            action,
            Sig.SIGXRES if action else 0,
        )
        if p.cred.uid == 0:
            rctl_set(p, "task.max-lwps", val, 0)


@pytest.mark.parametrize("seed", range(4))
def test_walk_with_contracts(seed: int) -> None:
    walk = ContractWalk(seed)
    for _ in range(250):
        walk.step()
        assert ledger_check(walk.k) == []
    walk.finish()
    assert [ct for ct in walk.k.contracts if ct != 1] == []
    assert list(walk.k.ct_bundle) == []
