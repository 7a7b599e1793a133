"""FORK-92 to FORK-120 but 115: forks that fail (fork-semantics 8.7)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from personae.core.cred import PRIV_ALL, Cred, Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.exit import freeproc
from personae.core.fork import ForkKind, cfork
from personae.core.ledger import chain, ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.limits import crset, upcount_dec
from personae.core.lwp import Lwp, TState
from personae.core.newproc import newproc
from personae.core.pid import link_child, unlink_child
from personae.core.proc import ProcFlag, ProcPrFlag
from personae.core.rctl import rctl_set_free, rctl_set_value, rlimit_get
from personae.core.rctldefs import RctlLocal
from personae.core.session import sess_rele
from personae.core.signal import psignal, set_action
from personae.core.signo import Sig, SigAction, SigInfo, sigbit
from personae.core.sync import Sleep
from personae.core.task import settaskid, task_rele
from personae.core.vm.as_ import Prot
from personae.core.vm.layout import MapFlag
from personae.core.zone import ZoneState
from personae.plugins.contract_process import Template
from tests.core.realkernel import run
from tests.invariants.stage import EACH_KIND, Stage, Watch

invariant = pytest.mark.invariant
each_kind = pytest.mark.parametrize(("brand", "kind"), EACH_KIND)

FIRST = {
    "flags": Errno.EINVAL,
    "agent": Errno.ENOTSUP,
    "secpolicy_basic_fork": Errno.EPERM,
    "holdlwps": Errno.EINTR,
}
"""What the first steps answer; all later ones EAGAIN (FORK-120)."""
COPY = ("sprlock", "sprunlock")
"""From the one to the other ENOMEM stays ENOMEM (fork.c:239)."""
PUNISHED = {"max_processes", "pid_allocate", "nproc_limit"}


def expected(steps: list[str], step: str, errno: Errno) -> Errno:
    """The errno of a fork whose ``step`` fails with ``errno``."""
    if step in FIRST:
        return FIRST[step]
    if errno is Errno.ENOMEM and COPY[0] in steps:
        lo, hi = (steps.index(s) for s in COPY)
        if lo <= steps.index(step) <= hi:
            return errno
    return Errno.EAGAIN


def kept(s: Stage, kind: str = "fork1") -> tuple[Errno, int]:
    """Errno of a fork that fails and leaves nothing, and the ticks it was kept."""
    before = s.k.now
    return s.fails(kind), (s.k.now - before) // s.k.tick


# ---- every step ----

ERRNOS = (Errno.EAGAIN, Errno.ENOMEM, Errno.EIO, Errno.EINVAL)


class Enumeration:
    """Lets each step of a fork fail with each errno, and looks at what is left."""

    def __init__(self, s: Stage, kind: str) -> None:
        self.s, self.kind = s, kind
        self.count = 0
        s.exit(s.fork(kind))
        self.steps = s.steps()
        self.watch = Watch(s)
        self.states = [t.state for t in s.p.lwps]

    def run(self) -> int:
        before = self.s.ledger()
        for step in self.steps:
            for errno in ERRNOS:
                self.fail(step, errno, before)
            self.watch.at = ""
            child = self.s.fork(self.kind)
            assert len(child.lwps) in (1, len(self.states))
            self.s.exit(child)
        assert self.s.diff(before) == []
        return self.count

    def fail(self, step: str, errno: Errno, before: dict[str, Any]) -> None:
        s, watch = self.s, self.watch
        watch.at, watch.errno = step, errno
        watch.seen.clear()
        now = s.k.now
        with pytest.raises(KernelError) as e:
            s.fork(self.kind)
        self.count += 1
        what = (self.kind, step, errno)
        assert (*what, e.value.errno) == (*what, expected(self.steps, step, errno))
        assert watch.seen[-1] == step
        assert (*what, s.diff(before)) == (*what, [])
        assert (*what, ledger_check(s.k)) == (*what, [])
        assert (*what, s.k.now > now) == (*what, step in PUNISHED)
        assert [t.state for t in s.p.lwps] == self.states
        assert s.p.poolcnt == 0
        assert s.k.fork_fail_pending == 0


@invariant(92, 93, 94, 95, 101, 103, 104, 105, 106, 119, 120)
@each_kind
def test_every_step(brand: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever fails and however: errno of its phase, and nothing is left."""
    total = 0
    for lwps in range(1, 7) if kind == "forkall" else (1, 3):
        s = Stage(brand)
        for _ in range(lwps - 1):
            s.add_lwp()
        s.lwp.ct_active["process"] = Template() if lwps == 3 else None
        if lwps != 3:
            s.lwp.ct_active.clear()
        total += Enumeration(s, kind).run() if lwps != 3 else _with_template(s, kind)
    with capsys.disabled():
        print(f" {total} failures injected", end="")


def _with_template(s: Stage, kind: str) -> int:
    """A new contract each time: only failures, as success leaves the contract."""
    s.exit(s.fork(kind))
    steps, watch, before = s.steps(), Watch(s), s.ledger()
    latest = dict(s.lwp.ct_latest)
    for step in steps:
        for errno in ERRNOS:
            watch.at, watch.errno = step, errno
            with pytest.raises(KernelError) as e:
                s.fork(kind)
            assert (step, e.value.errno) == (step, expected(steps, step, errno))
            assert (step, s.diff(before)) == (step, [])
            assert s.lwp.ct_latest == latest
    return len(steps) * len(ERRNOS)


@invariant(108, 120)
@pytest.mark.parametrize("system", [True, False], ids=["system", "user"])
def test_every_step_of_newproc(
    brand: str, system: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    s = Stage(brand)
    k, zone = s.k, s.p.zone
    assert zone.zsched is not None
    k.current = None

    def make() -> Lwp:
        assert zone.zsched is not None
        return newproc(k, zone.zsched, system=system, name=b"x", zone=zone)

    lwp = make()
    steps, watch, count = s.steps(), Watch(s), 0
    before = s.ledger()
    for step in steps:
        for errno in ERRNOS:
            watch.at, watch.errno = step, errno
            with pytest.raises(KernelError) as e:
                make()
            assert (step, e.value.errno) == (step, Errno.EAGAIN)
            assert (step, s.diff(before), ledger_check(k)) == (step, [], [])
            count += 1
    assert lwp.tid == 1
    with capsys.disabled():
        print(f" {count} failures injected", end="")


@invariant(103, 104)
@pytest.mark.parametrize("errno", [Errno.ENOMEM, Errno.EIO])
def test_each_segment(stage: Stage, errno: Errno) -> None:
    s, space = stage, stage.p.as_
    assert space is not None
    rw = Prot.READ | Prot.WRITE
    for i in range(4):
        flags = MapFlag.SHARED if i % 2 else MapFlag.PRIVATE
        at = space.map(0, 0x3000, rw, flags, name=b"%d" % i)
        space.copyout(at, b"x" * 0x2000)
    s.exit(s.fork())
    watch = Watch(s)
    watch.errno = errno
    waiters = []
    segments = [x for x in s.steps() if x.startswith("seg_dup")]
    assert len(segments) >= 8
    for step in segments:
        watch.at = step
        assert s.fails() is errno if errno is Errno.ENOMEM else Errno.EAGAIN
        assert not s.p.flag & ProcFlag.SFORKING
        assert not s.p.prflag & ProcPrFlag.P_PR_LOCK
        waiters.append(step)
    assert waiters == segments


# ---- one by one ----


@invariant(92)
@each_kind
def test_bad_flags(brand: str, kind: str) -> None:
    s = Stage(brand)
    sibling = s.add_lwp()
    for flags in (0x8000, 1 << 40, -1):
        assert s.fails(kind, flags) is Errno.EINVAL
        assert s.steps() == ["flags"]
        assert sibling.state is TState.TS_RUN


@invariant(93)
@each_kind
def test_the_agent(brand: str, kind: str) -> None:
    s = Stage(brand)
    s.lwp.agent = True
    assert s.fails(kind) is Errno.ENOTSUP
    assert s.steps()[-1] == "agent"
    s.p.brand.ops.b_syserr(s.lwp, Errno.ENOTSUP)
    a0 = s.lwp.regs[10]
    assert a0 == (48 if brand == "native" else (1 << 64) - 95)


@invariant(94)
@each_kind
def test_no_privilege(brand: str, kind: str) -> None:
    s = Stage(brand)
    s.add_lwp()
    crset(s.p, s.p.cred.copy(effective=PRIV_ALL - {Priv.PROC_FORK}))
    assert kept(s, kind) == (Errno.EPERM, 0)
    assert s.steps()[-1] == "secpolicy_basic_fork"
    assert s.p.zone.ffmisc == 1


@invariant(96)
@each_kind
def test_zone_states(brand: str, kind: str) -> None:
    s = Stage(brand)
    for state in ZoneState:
        s.p.zone.state = state
        if state < ZoneState.SHUTTING_DOWN:
            s.exit(s.fork(kind))
        else:
            assert kept(s, kind) == (Errno.EAGAIN, 0)  # though it is root's


@invariant(97)
def test_no_frame_is_left(brand: str) -> None:
    """Frames run out at every place of a fork, one after the other."""
    s = Stage(brand, memory=8 << 20)
    s.k.minarmem = 0
    space = s.p.as_
    assert space is not None
    hog = space.map(0, 8 << 20, Prot.READ | Prot.WRITE, MapFlag.PRIVATE)
    at = hog
    with suppress(KernelError):
        while True:
            space.copyout(at, b"x")
            at += 4096
    assert at < hog + (8 << 20)
    before = s.ledger()
    outcomes = set()
    for _ in range(40):
        now = s.k.now
        try:
            child = s.fork()
        except KernelError as e:
            outcomes.add(e.errno)
        else:
            outcomes.add(Errno.EIO)  # it worked
            s.exit(child)
            break
        assert s.k.now == now
        assert s.diff(before) == []
        at -= 4096
        space.unmap(at, 4096)
        before = s.ledger()
    assert outcomes - {Errno.EAGAIN} == {Errno.ENOMEM, Errno.EIO}


@invariant(97)
@each_kind
def test_too_few_frames_to_begin(brand: str, kind: str) -> None:
    """t_minarmem: EAGAIN at once, before anything is made."""
    s = Stage(brand, memory=8 << 20)
    free = s.k.hw.stat(0) - s.k.hw.stat(1)
    s.k.minarmem = free + 1
    while s.k.reclaim(s.p.zone):
        free = s.k.hw.stat(0) - s.k.hw.stat(1)
        s.k.minarmem = free + 1
    assert kept(s, kind) == (Errno.EAGAIN, 0)
    assert s.steps()[-1] == "page_mem_avail"
    s.k.minarmem = free
    s.exit(s.fork(kind))


@invariant(101)
@each_kind
def test_the_executable_cannot_be_opened(
    brand: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file system refuses: EAGAIN; opens and closes are as many in the end."""
    s = Stage(brand)
    vp = s.p.exec
    assert vp is not None
    opens = []

    def opened(lwp: Any, flag: int) -> Any:
        opens.append(1)
        return vp

    def closed(lwp: Any, flag: int) -> None:
        opens.append(-1)

    def refuse(lwp: Any, flag: int) -> Any:
        raise KernelError(Errno.EIO, "gone stale")

    monkeypatch.setattr(vp, "open", opened)
    monkeypatch.setattr(vp, "close", closed)
    s.exit(s.fork(kind))
    assert opens == [1, -1]
    watch = Watch(s)
    for step in s.steps():
        watch.at = step
        s.fails(kind)
        assert sum(opens) == 0
    watch.at = ""
    monkeypatch.setattr(vp, "open", refuse)
    assert kept(s, kind) == (Errno.EAGAIN, 0)
    assert s.steps()[-1] == "exec_hold"
    assert sum(opens) == 0
    monkeypatch.undo()
    s.exit(s.fork(kind))


ENTITIES = ("task", "project", "zone")


def owners(s: Stage) -> dict[str, Any]:
    task = settaskid(s.p, 20)  # project 0 of the global zone is exempt
    return {"task": task, "project": task.project, "zone": s.p.zone}


@invariant(98)
@pytest.mark.parametrize("entity", ENTITIES)
@each_kind
def test_max_processes(brand: str, kind: str, entity: str) -> None:
    s = Stage(brand)
    owner = owners(s)[entity]
    rctl_set_value(owner.rctls, f"{entity}.max-processes", owner.nprocs)
    assert kept(s, kind) == (Errno.EAGAIN, 2)
    assert (s.p.zone.ffcap, s.p.zone.ffnoproc) == (1, 0)
    rctl_set_value(owner.rctls, f"{entity}.max-processes", owner.nprocs + 1)
    s.exit(s.fork(kind))


@invariant(98)
def test_all_three_controls_act(stage: Stage) -> None:
    """Each sends its signal, though the first one refuses already."""
    s = stage
    signals = dict(zip(ENTITIES, (Sig.SIGHUP, Sig.SIGTERM, Sig.SIGXRES), strict=True))
    s.lwp.sigmask = sum(sigbit(sig) for sig in signals.values())
    both = RctlLocal.DENY | RctlLocal.SIGNAL
    for kind, owner in owners(s).items():
        name = f"{kind}.max-processes"
        rctl_set_value(owner.rctls, name, owner.nprocs, both)
        rctl = owner.rctls.own(name)
        at = rctl.cursor
        rctl.values[at] = replace(rctl.values[at], signal=signals[kind])
    with pytest.raises(KernelError):
        s.fork()
    assert (s.p.sig | s.lwp.sig) == s.lwp.sigmask
    assert s.p.zone.ffcap == 1


@invariant(105)
@pytest.mark.parametrize("entity", ENTITIES)
@each_kind
def test_max_lwps(brand: str, kind: str, entity: str) -> None:
    """Room for all but the last one of the child's lwps."""
    s = Stage(brand)
    for _ in range(3):
        s.add_lwp()
    owner = owners(s)[entity]
    need = 4 if kind == "forkall" else 1
    for room in range(need):
        rctl_set_value(owner.rctls, f"{entity}.max-lwps", owner.nlwps + room)
        assert kept(s, kind) == (Errno.EAGAIN, 0)
        assert s.p.zone.ffcap == room + 1
    rctl_set_value(owner.rctls, f"{entity}.max-lwps", owner.nlwps + need)
    s.exit(s.fork(kind))


@invariant(99)
@each_kind
def test_slots_and_numbers(brand: str, kind: str) -> None:
    s = Stage(brand, max_nprocs=12)
    k = s.k
    while k.pids.free_slots:
        s.fork("fork1")
    assert kept(s, kind) == (Errno.EAGAIN, 2)
    assert (k.kstat["procovf"], k.notices[-1]) == (1, "out of processes")
    k.v_proc += 1  # slots are gone though there are not so many processes
    assert kept(s, kind) == (Errno.EAGAIN, 2)
    assert k.kstat["procovf"] == 1


@invariant(99)
@each_kind
def test_numbers_run_out(brand: str, kind: str) -> None:
    s = Stage(brand)
    pids = s.k.pids
    pids.maxpid = max(pids.hash)
    notices = len(s.k.notices)
    while True:
        try:
            s.fork("fork1")
        except KernelError:
            break
    assert kept(s, kind) == (Errno.EAGAIN, 2)
    assert len(s.k.notices) == notices
    assert s.p.zone.ffnoproc == 2


@invariant(100)
@each_kind
def test_processes_of_a_user(brand: str, kind: str) -> None:
    s = Stage(brand)
    k, p = s.k, s.p
    user = Cred(7, 7)
    crset(p, user)
    other = s.fork("fork1")
    k.v_maxup, k.v_maxupttl = 2, 100
    assert kept(s, kind) == (Errno.EAGAIN, 2)
    assert k.notices[-1] == "out of per-user processes for uid 7"
    crset(other, Cred(8, 8))
    s.exit(s.fork(kind))  # each user for itself
    k.v_maxupttl = k.nproc
    assert kept(s, kind) == (Errno.EAGAIN, 2)  # and all of them together
    crset(p, Cred(0, 0))
    s.exit(s.fork(kind))


@invariant(100)
def test_users_of_two_zones(brand: str) -> None:
    s = Stage(brand)
    k = s.k
    crset(s.p, Cred(7, 7))
    two = s.machine.add_zone("two", brand=brand)
    with k.pidlock:
        k.upcount[7, two.id] = 50
    k.v_maxup = 2
    s.fork()
    with k.pidlock:
        del k.upcount[7, two.id]


@invariant(102)
@pytest.mark.parametrize("cpus", [1, 2])
def test_the_delay_grows(brand: str, cpus: int) -> None:
    s = Stage(brand, max_nprocs=20, cpus=cpus)
    k = s.k
    procs = [s.fork() for _ in range(6)]
    while k.pids.free_slots:
        s.fork()
    for n, p in enumerate(procs, 1):
        run(k, p.lwps[0])
        with pytest.raises(Sleep) as e:
            cfork(p.lwps[0], ForkKind.FORK1)
        assert e.value.deadline == k.now + (n // cpus + 1) * k.tick
        assert not e.value.interruptible
    assert k.fork_fail_pending == len(procs)
    with pytest.raises(Sleep):  # too early
        cfork(procs[0].lwps[0], ForkKind.FORK1)
    s.exit(procs.pop())  # one dies in its delay
    assert k.fork_fail_pending == len(procs)
    k.now += 100 * k.tick
    for p in procs:
        with pytest.raises(KernelError) as failed:
            cfork(p.lwps[0], ForkKind.FORK1)
        assert failed.value.errno is Errno.EAGAIN
    assert k.fork_fail_pending == 0


@invariant(106)
@each_kind
def test_max_contracts(brand: str, kind: str) -> None:
    s = Stage(brand)
    lwp, task = s.lwp, s.p.task
    assert task is not None
    tmpl = lwp.ct_active["process"] = Template()
    s.exit(s.fork(kind))
    latest = lwp.ct_latest["process"]
    name = "project.max-contracts"
    rctl_set_value(task.project.rctls, name, task.project.contracts)
    assert kept(s, kind) == (Errno.EAGAIN, 0)
    assert lwp.ct_active["process"] is tmpl
    assert lwp.ct_latest["process"] is latest
    lwp.ct_active.clear()  # without a template no contract is made
    s.exit(s.fork(kind))


@invariant(107)
@each_kind
def test_a_killed_parent(brand: str, kind: str) -> None:
    s = Stage(brand)
    s.p.flag |= ProcFlag.SKILLED
    assert kept(s, kind) == (Errno.EAGAIN, 0)
    assert s.steps()[-1] == "contract_process_fork"
    s.lwp.ct_active["process"] = Template()
    child = s.fork(kind)
    assert not child.flag & ProcFlag.SKILLED
    assert child.ct_process is not s.p.ct_process


@invariant(109)
def test_a_kernel_process(brand: str) -> None:
    s = Stage(brand)
    k, zone = s.k, s.p.zone
    zsched = zone.zsched
    assert zsched is not None
    assert s.p.exec is not None
    zsched.exec, held = s.p.exec, s.p.exec.v_count
    zsched.sigmask, zsched.user.u_systrap = frozenset([3]), True
    lwp = newproc(k, zsched, system=True, name=b"kproc", zone=zone)
    p = lwp.proc
    both = ProcFlag.SNOWAIT | ProcFlag.SSYS
    assert p.flag & both == both
    assert (p.pool, p.task) == (k.pools["default"], k.tasks[0])
    assert (p.ct_process, p.as_, p.exec, p.execdir) == (None, None, None, None)
    assert s.p.exec.v_count == held
    assert (p.sigmask, p.fltmask, p.user.u_systrap) == (set(), set(), False)
    assert (lwp.tid, p.lwpid) == (1, 1)
    zsched.exec = None


@invariant(110)
def test_a_first_process(brand: str) -> None:
    s = Stage(brand)
    k, zone = s.k, s.p.zone
    assert zone.zsched is not None
    lwp = newproc(k, zone.zsched, system=False, name=b"init", zone=zone)
    p = lwp.proc
    assert p.task is not None
    assert (p.task.procs, p.task.project.id) == ([p], 0)
    names = ("CPU", "FSIZE", "DATA", "STACK", "CORE", "NOFILE", "AS")
    assert {n: rlimit_get(p, n)[0] for n in ("STACK", "NOFILE")} == {
        "STACK": 8 << 20,
        "NOFILE": 256,
    }
    assert all(len(rlimit_get(p, n)) == 2 for n in names)
    ct: Any = p.ct_process
    wanted = k.contract_ops.contract_template(True)
    assert (ct.terms.params, ct.terms.fatal) == (wanted.params, wanted.fatal)
    assert "NOORPHAN" in ct.terms.params.name
    assert ct.terms.fatal.name == "HWERR"
    rctl_set_value(p.task.project.rctls, "project.max-contracts", 1)
    newproc(k, zone.zsched, system=False, name=b"more", zone=zone)


@invariant(111)
@pytest.mark.parametrize("where", ["only", "head", "middle"])
@each_kind
def test_places_in_the_lists(brand: str, kind: str, where: str) -> None:
    """A child that init adopts may arrive at the head in the midst of the fork."""
    s = Stage(brand)
    p, k = s.p, s.k
    older = [] if where == "only" else [s.fork("fork1")]
    other = s.fork("fork1")
    with k.pidlock:
        unlink_child(other)
        link_child(k.p0, other)
    watch = Watch(s)
    watch.at = "contract_process_fork"

    def look(step: str) -> None:
        if where == "middle" and step == "rctl_set_dup":
            with k.pidlock:
                unlink_child(other)
                link_child(p, other)

    watch.look = look
    with pytest.raises(KernelError):
        s.fork(kind)
    kids = [other, *older] if where == "middle" else older
    assert list(chain(p.child, "sibling")) == kids
    assert list(chain(p.orphan, "nextorph")) == kids
    for before, c in zip([None, *kids], kids, strict=False):
        assert c.psibling is before
    assert [x for x in ledger_check(k) if "of" not in x] == []


class Helper:
    """A tracing helper: what fork does with it is to copy it."""

    made = 0

    def copy(self) -> Helper:
        Helper.made += 1
        return self

    def free(self) -> None:
        Helper.made -= 1


@invariant(112)
@each_kind
def test_helpers_and_watched_pages(brand: str, kind: str) -> None:
    s = Stage(brand)
    p = s.p
    areas: list[Any] = [object()]
    helpers: list[Any] = [Helper()]
    p.warea, p.dtrace_helpers = list(areas), list(helpers)
    s.exit(s.fork(kind))
    watch = Watch(s)
    for step in s.steps():
        watch.at = step
        s.fails(kind)
        assert (p.warea, p.wpage, p.dtrace_helpers) == (areas, [], helpers)


@invariant(113)
@each_kind
def test_signals_meanwhile(brand: str, kind: str) -> None:
    s = Stage(brand)
    p, k = s.p, s.k
    set_action(p, Sig.SIGUSR1, SigAction(0x1000))
    watch = Watch(s)
    watch.at = "contract_process_fork"
    tried = []

    def look(step: str) -> None:
        if step == "lwpdir":
            psignal(p, Sig.SIGUSR1, SigInfo(Sig.SIGUSR1, pid=42))
            young = k.practive[0]
            tried.append(k.prfind(young.pid))
            psignal(young, Sig.SIGUSR1, SigInfo(Sig.SIGUSR1))
            assert young.sigqueue == []

    watch.look = look
    with pytest.raises(KernelError):
        s.fork(kind)
    assert tried == [None]
    assert [(i.signo, i.pid) for i in p.sigqueue] == [(Sig.SIGUSR1, 42)]


@invariant(116)
def test_second_undo_is_detected(stage: Stage) -> None:
    s = stage
    k = s.k
    child = s.fork()
    pool, task, sess, cred = child.pool, child.task, child.sess, child.cred
    rctls, lwp, ct = child.rctls, child.lwps[0], child.ct_process
    assert pool is not None
    assert task is not None
    assert sess is not None
    assert rctls is not None
    assert ct is not None
    s.exit(child)
    with pytest.raises(Panic):
        freeproc(child)
    with pytest.raises(Panic):
        k.pids.free(child)
    with pytest.raises(Panic):
        rctl_set_free(rctls)
    for count, release in (
        (pool.ref, pool.rele),
        (cred.ref, cred.rele),
        (task.hold_count, lambda: task_rele(task)),
        (sess.ref, lambda: sess_rele(k, sess)),
    ):
        assert count > 0
        pool.ref = cred.ref = task.hold_count = sess.ref = 0
        with pytest.raises(Panic):
            release()
    with pytest.raises(Panic), k.pidlock:
        upcount_dec(k, 12345, 0)
    with pytest.raises(Panic):
        k.classes["TS"].ops.cl_exitclass(lwp)
    with pytest.raises(Panic):
        k.classes["TS"].ops.cl_free(object())


@invariant(117)
@pytest.mark.parametrize("error", [KernelError(Errno.EAGAIN, "armed"), Sleep()])
@each_kind
def test_beyond_the_commit(
    brand: str, kind: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that fails where none may fail is a panic, never an errno."""

    def fail(*_args: object) -> None:
        raise error

    s = Stage(brand)
    s.exit(s.fork(kind))
    assert s.steps()[-1] == "contract_process_fork"  # no step follows
    monkeypatch.setattr(s.p.brand.ops, "b_lwp_setrval", fail)
    with pytest.raises(Panic):
        s.fork(kind)
    monkeypatch.undo()
    if kind != "vfork":
        s = Stage(brand)
        s.k.classes["TS"].ops.cl_forkret = fail
        with pytest.raises(Panic):
            s.fork(kind)


@invariant(118)
@each_kind
def test_the_number_was_never_seen(brand: str, kind: str) -> None:
    s = Stage(brand)
    k = s.k
    watch = Watch(s)
    watch.at = "contract_process_fork"
    numbers = []

    def look(step: str) -> None:
        young = k.practive[0]
        if young.parent is s.p:
            numbers.append(young.pid)
            assert young.pid not in [p.pid for p in k.zone_procs(s.p.zone)]

    watch.look = look
    s.fails(kind)
    assert len(set(numbers)) == 1
    watch.at = ""
    watch.look = None
    k.pids.mpid = numbers[0] - 1
    assert s.fork(kind).pid == numbers[0]


@invariant(119)
@each_kind
def test_as_if_nothing_had_failed(brand: str, kind: str) -> None:
    """The ledgers of a machine with failures and one without are equal."""
    a, b = Stage(brand), Stage(brand)
    for s in (a, b):
        if kind == "forkall":
            s.add_lwp()
        s.exit(s.fork(kind))
    watch = Watch(a)
    for step in a.steps():
        watch.at = step
        with pytest.raises(KernelError):
            a.fork(kind)
    watch.at = ""
    a.k.pids.mpid, a.k.now = b.k.pids.mpid, b.k.now
    assert a.fork(kind).pid == b.fork(kind).pid
    assert ledger_diff(ledger(a.k), ledger(b.k)) == []
