"""Each class by its operations, on a kernel of counters; FORK-68..71."""

from __future__ import annotations

import pickle
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from personae.core import savefile
from personae.core.brand import Brand
from personae.core.classes import class_points, load_class, load_classes
from personae.core.cls import SchedClass
from personae.core.clsparms import TQDEF, TQINF, FxParms, IaParms, RtParms, TsParms
from personae.core.cred import PRIV_ZONE, Cred, Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import ClassSpec, hookimpl
from personae.core.kernel import Kernel, KernelConfig
from personae.core.lwp import Lwp, TState
from personae.core.plugin import PluginError, spec_args
from personae.core.task import settaskid
from personae.plugins.sched.fss import FSS_QUANTUM, FairShare
from tests.core.fakes import FakeKernel, add_lwp, add_zone, as_any, first_proc, fork
from tests.core.realkernel import NullOps

NAMES = ["FSS", "FX", "IA", "RT"]
USER = Cred(1000, 100)
ROOT = Cred(0, 0)


def running(k: FakeKernel, cls: str, **kw: Any) -> Lwp:
    """A process of a class whose lwp is the current one."""
    first_proc(k, cls=cls, **kw)
    assert k.current is not None
    k.current.state = TState.TS_ONPROC
    return k.current


def clone(k: FakeKernel, lwp: Lwp) -> Lwp:
    """A fork as forklwp does it."""
    child = Lwp(lwp.kernel, fork(k, lwp.proc), k.hw.ctx_alloc())
    cls = lwp.cls
    assert cls is not None
    buf = cls.ops.cl_alloc(lwp)
    with child.proc.lock:
        cls.ops.cl_fork(lwp, child, buf)
    child.cls = cls
    child.proc.lwps.append(child)
    return child


def forkret(k: FakeKernel, lwp: Lwp, child: Lwp) -> None:
    k.pidlock.enter()
    ops(lwp).cl_forkret(lwp, child)
    assert k.locks.held == []


def ops(lwp: Lwp) -> Any:
    assert lwp.cls is not None
    return lwp.cls.ops


def refused(errno: Errno, call: Any, *args: Any) -> None:
    with pytest.raises(KernelError) as e:
        call(*args)
    assert e.value.errno is errno


# ---- loading ----


def test_installed() -> None:
    assert [p.name for p in class_points()] == NAMES
    assert [c.name for c in load_classes()] == NAMES
    assert [c.name for c in load_classes(["RT", "FX"])] == ["FX", "RT"]


def test_each_machine_has_its_own() -> None:
    one, two = load_classes(["FX"]), load_classes(["FX"])
    assert one[0].plugin is not two[0].plugin


class Good:
    """A class of somebody else."""

    @hookimpl
    def cl_quantum(self) -> int:
        return 7


class Broken:
    def __init__(self) -> None:
        raise OSError("no disk")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("TS", "tests.sched.test_classes:Good", "TS .*kernel's own"),
        ("X", "tests.sched.nowhere:Good", "X .tests.sched.nowhere:Good.* can't be"),
        ("X", "tests.sched.test_classes:Broken", "OSError: no disk"),
        ("X", "personae.plugins.sched.fx:FixedPriority", "both names"),
    ],
)
def test_wrong_entry_points(name: str, value: str, text: str) -> None:
    with pytest.raises(PluginError, match=text):
        load_class(EntryPoint(name, value, "personae.classes"))


def test_class_of_another_package() -> None:
    cls = load_class(EntryPoint("GOOD", "tests.sched.test_classes:Good", "x"))
    assert (cls.name, cls.ops.implemented) == ("GOOD", ["cl_quantum"])


def test_vectors_and_pickles() -> None:
    for cls in load_classes():
        again: SchedClass = pickle.loads(pickle.dumps(cls))
        for name in spec_args(ClassSpec):
            assert callable(getattr(again.ops, name))
        assert again.ops.cl_getclinfo().name == cls.name


# ---- what all have in common ----


@pytest.mark.invariant(71)
@pytest.mark.parametrize("name", NAMES)
def test_lists(fake: FakeKernel, name: str) -> None:
    """FORK-71: the list of the class has k more after a fork of k lwps."""
    lwp = running(fake, name)
    plugin: Any = fake.classes[name].plugin
    add_lwp(fake, lwp.proc, name)
    assert len(plugin.members) == 2
    children = [clone(fake, t) for t in list(lwp.proc.lwps)]
    assert list(plugin.members)[2:] == children
    assert plugin.unused == 0
    for t in children:
        ops(t).cl_exitclass(t)
        assert t.cldata is None
    assert len(plugin.members) == 2
    with pytest.raises(Panic, match=name):
        ops(children[0]).cl_exitclass(children[0])
    with pytest.raises(Panic, match="twice"):
        ops(lwp).cl_enterclass(lwp, None)


@pytest.mark.parametrize("name", NAMES)
def test_data_is_taken_or_freed_once(fake: FakeKernel, name: str) -> None:
    lwp = running(fake, name)
    plugin: Any = fake.classes[name].plugin
    buf = ops(lwp).cl_alloc(lwp)
    assert plugin.unused == 1
    ops(lwp).cl_free(buf)
    assert plugin.unused == 0
    with pytest.raises(Panic, match="twice"):
        ops(lwp).cl_free(buf)


@pytest.mark.invariant(68, 70)
@pytest.mark.parametrize("name", NAMES)
def test_forkret_order(fake: FakeKernel, name: str) -> None:
    """FORK-68, FORK-70: the child is started, locks are dropped; who yields."""
    lwp = running(fake, name)
    child = clone(fake, lwp)
    before = lwp.pri
    forkret(fake, lwp, child)
    assert fake.disp.log == [f"setrun {child.proc.pid}/0 pri {child.pri}"]
    yields = name != "RT"
    assert fake.preempted == ([lwp] if yields else [])
    demoted = name == "IA"
    assert (lwp.pri < before) == demoted
    with pytest.raises(Panic, match="pidlock"):
        ops(lwp).cl_forkret(lwp, child)


@pytest.mark.parametrize(
    ("name", "parms"),
    [
        ("IA", IaParms(-3, 5, 0)),
        ("FX", FxParms(17, 20, 5_000_000)),
        ("FX", FxParms(0, 0, TQINF)),
        ("FSS", TsParms(-7, 12)),
        ("RT", RtParms(31, 1_000_000, 16)),
        ("RT", RtParms(0, TQINF, 0)),
    ],
)
def test_parameters_are_inherited(fake: FakeKernel, name: str, parms: Any) -> None:
    """FORK-71."""
    lwp = running(fake, name)
    ops(lwp).cl_parmsset(lwp, parms, None)
    assert ops(lwp).cl_parmsget(lwp) == parms
    fake.now += 3 * fake.tick
    child = clone(fake, lwp)
    assert ops(child).cl_parmsget(child) == parms
    assert child.pri == lwp.pri
    if name in ("IA", "FSS"):
        assert child.cldata.nice == lwp.cldata.nice
    # Entering with what was got gives the same again.
    ops(child).cl_exitclass(child)
    ops(child).cl_enterclass(child, parms)
    assert ops(child).cl_parmsget(child) == parms


# ---- IA ----


class FakeTty:
    def __init__(self, pgid: int) -> None:
        self.pgid = pgid


def on_terminal(lwp: Lwp) -> FakeTty:
    tty = FakeTty(lwp.proc.pgid)
    assert lwp.proc.sess is not None
    lwp.proc.sess.s_tty = tty
    return tty


def test_ia_follows_the_terminal(fake: FakeKernel) -> None:
    lwp = running(fake, "IA")
    assert lwp.pri == 29
    tty = on_terminal(lwp)
    pgid, sid = lwp.proc.pgid, lwp.proc.sid
    other = running(fake, "IA")
    told = fake.classes["IA"].ops.cl_set_process_group
    told(as_any(fake), sid, 0, pgid)
    assert (lwp.pri, other.pri) == (39, 29)
    assert ops(lwp).cl_surrender(lwp, other)
    assert not ops(other).cl_surrender(other, lwp)
    tty.pgid = 0
    told(as_any(fake), sid, pgid, 0)
    assert lwp.pri == 29
    tty.pgid = pgid
    ops(lwp).cl_tick(lwp, 1)
    assert lwp.pri == 39
    ops(lwp).cl_parmsset(lwp, IaParms(mode=0), USER)
    assert lwp.pri == 29
    ops(lwp).cl_wakeup(lwp)
    assert lwp.pri == 29


def test_ia_parameters(fake: FakeKernel) -> None:
    lwp = running(fake, "IA")
    for parms in (IaParms(61), IaParms(mode=2), IaParms(uprilim=-61)):
        refused(Errno.EINVAL, ops(lwp).cl_parmsset, lwp, parms, ROOT)
    refused(Errno.EPERM, ops(lwp).cl_parmsset, lwp, IaParms(1, 1), USER)
    refused(Errno.EPERM, ops(lwp).cl_parmsin, IaParms(1, 1), USER)
    ops(lwp).cl_parmsin(None, USER)
    assert ops(lwp).cl_parmsget(lwp) == IaParms(0, 0, 1)


# ---- FX ----


@pytest.mark.invariant(70)
def test_fx_is_not_demoted(fake: FakeKernel) -> None:
    """FORK-70: the quantum is new, the priority the same, the place the last."""
    lwp = running(fake, "FX")
    ops(lwp).cl_parmsset(lwp, FxParms(33, 40, TQDEF), ROOT)
    assert ops(lwp).cl_quantum(lwp) == 8 * fake.tick
    fake.now += 3 * fake.tick
    assert not ops(lwp).cl_tick(lwp, 3 * fake.tick)
    assert ops(lwp).cl_preempt(lwp)
    assert ops(lwp).cl_quantum(lwp) == 5 * fake.tick
    child = clone(fake, lwp)
    assert (child.pri, ops(child).cl_quantum(child)) == (33, 8 * fake.tick)
    forkret(fake, lwp, child)
    assert (lwp.pri, ops(lwp).cl_quantum(lwp)) == (33, 8 * fake.tick)
    assert not ops(lwp).cl_preempt(lwp)
    assert ops(lwp).cl_preempt(lwp)
    fake.now += 8 * fake.tick
    assert ops(lwp).cl_tick(lwp, 8 * fake.tick)
    assert (lwp.pri, ops(lwp).cl_quantum(lwp)) == (33, 8 * fake.tick)
    ops(lwp).cl_yield(lwp)
    assert not ops(lwp).cl_preempt(lwp)


def test_fx_parameters(fake: FakeKernel) -> None:
    lwp = running(fake, "FX")
    assert ops(lwp).cl_parmsget(lwp) == FxParms(0, 0, 200_000_000)
    for parms in (FxParms(-1), FxParms(61), FxParms(quantum=0), FxParms(quantum=-9)):
        refused(Errno.EINVAL, ops(lwp).cl_parmsset, lwp, parms, ROOT)
    for parms in (FxParms(1, 1), FxParms(quantum=TQINF)):
        refused(Errno.EPERM, ops(lwp).cl_parmsset, lwp, parms, USER)
    ops(lwp).cl_parmsset(lwp, FxParms(50, 30), ROOT)
    assert (lwp.pri, ops(lwp).cl_parmsget(lwp).uprilim) == (30, 30)
    ops(lwp).cl_parmsset(lwp, FxParms(10), USER)
    ops(lwp).cl_wakeup(lwp)
    assert lwp.pri == 10


def test_fx_nice(fake: FakeKernel) -> None:
    lwp = running(fake, "FX")
    assert ops(lwp).cl_donice(lwp, USER, 3) == 3
    assert lwp.pri == 0
    refused(Errno.EPERM, ops(lwp).cl_donice, lwp, USER, -4)
    assert ops(lwp).cl_donice(lwp, ROOT, -13) == -10
    assert (lwp.pri, ops(lwp).cl_donice(lwp, USER, 0)) == (30, -10)


def test_fx_sleep_counts(fake: FakeKernel) -> None:
    """Who sleeps just before the end of its quantum does not get it whole again."""
    lwp = running(fake, "FX")
    lwp.cpu = as_any(type("C", (), {"clock": 0}))
    fake.now = 15 * fake.tick
    ops(lwp).cl_sleep(lwp)
    assert ops(lwp).cl_quantum(lwp) == 5 * fake.tick


def test_infinite_quantum(fake: FakeKernel) -> None:
    for name, parms in (("FX", FxParms(quantum=TQINF)), ("RT", RtParms(3, TQINF))):
        lwp = running(fake, name)
        ops(lwp).cl_parmsset(lwp, parms, ROOT)
        fake.now += 10**9
        assert not ops(lwp).cl_tick(lwp, 10**9)
        assert ops(lwp).cl_preempt(lwp)
        assert ops(lwp).cl_quantum(lwp) == fake.quantum


# ---- RT ----


def test_rt_priorities_and_quanta(fake: FakeKernel) -> None:
    lwp = running(fake, "RT")
    for pri, ticks in ((0, 100), (19, 80), (45, 20), (59, 10)):
        ops(lwp).cl_parmsset(lwp, RtParms(pri, TQDEF), ROOT)
        assert (lwp.pri, ops(lwp).cl_quantum(lwp)) == (100 + pri, ticks * fake.tick)
    assert fake.classes["RT"].ops.cl_getclpri() == (100, 159)
    ts = running(fake, "TS")
    assert ops(lwp).cl_surrender(lwp, ts)
    assert not ops(ts).cl_surrender(ts, lwp)


def test_rt_signal(fake: FakeKernel) -> None:
    sent: list[tuple[Lwp, int]] = []
    fake.tsignal = lambda t, sig: sent.append((t, sig))  # type: ignore[attr-defined]
    lwp = running(fake, "RT")
    ops(lwp).cl_parmsset(lwp, RtParms(5, 20_000_000, 16), ROOT)
    fake.now += fake.tick
    assert not ops(lwp).cl_tick(lwp, fake.tick)
    assert sent == []
    fake.now += fake.tick
    assert ops(lwp).cl_tick(lwp, fake.tick)
    assert sent == [(lwp, 16)]
    assert ops(lwp).cl_quantum(lwp) == 2 * fake.tick


def test_rt_is_for_the_privileged(fake: FakeKernel) -> None:
    lwp = running(fake, "RT")
    zone = Cred(0, 0, limit=PRIV_ZONE)
    for cred in (USER, zone):
        refused(Errno.EPERM, ops(lwp).cl_parmsin, RtParms(1), cred)
        refused(Errno.EPERM, ops(lwp).cl_parmsset, lwp, RtParms(1), cred)
    may = Cred(0, 0, limit=PRIV_ZONE | {Priv.PROC_PRIOCNTL})
    ops(lwp).cl_parmsset(lwp, RtParms(1), may)
    for parms in (RtParms(60), RtParms(-1), RtParms(tqsignal=99), RtParms(quantum=0)):
        refused(Errno.EINVAL, ops(lwp).cl_parmsset, lwp, parms, ROOT)
    refused(Errno.EINVAL, ops(lwp).cl_donice, lwp, ROOT, 1)


# ---- FSS ----


def fss_of(k: FakeKernel) -> FairShare:
    plugin = k.classes["FSS"].plugin
    assert isinstance(plugin, FairShare)
    return plugin


def test_fss_projects_come_and_go(fake: FakeKernel) -> None:
    """threads of the record of a project: +1 by a fork, and the last one ends it."""
    lwp = running(fake, "FSS")
    fss = fss_of(fake)
    assert fss.ledger(as_any(fake)) == {"0:10": 1}
    child = clone(fake, lwp)
    assert child.cldata.proj is lwp.cldata.proj
    assert fss.ledger(as_any(fake)) == {"0:10": 2}
    ops(child).cl_exitclass(child)
    ops(lwp).cl_exitclass(lwp)
    assert fss.projects == {}


def test_fss_changes_project(fake: FakeKernel) -> None:
    lwp = running(fake, "FSS")
    settaskid(lwp.proc, 77)
    assert fss_of(fake).ledger(as_any(fake)) == {"0:77": 1}


@pytest.mark.invariant(70)
def test_fss_forkret_renews_the_quantum(fake: FakeKernel) -> None:
    """FORK-70."""
    lwp = running(fake, "FSS")
    fake.now += 4 * fake.tick
    ops(lwp).cl_tick(lwp, 4 * fake.tick)
    assert ops(lwp).cl_quantum(lwp) == (FSS_QUANTUM - 4) * fake.tick
    before = lwp.cldata.umdpri
    child = clone(fake, lwp)
    forkret(fake, lwp, child)
    assert (child.cldata.umdpri, child.cldata.fsspri) == (before, 0)
    assert ops(lwp).cl_quantum(lwp) == FSS_QUANTUM * fake.tick


def test_fss_decays(fake: FakeKernel) -> None:
    lwp = running(fake, "FSS")
    used = 10 * fake.tick
    fake.now += used
    ops(lwp).cl_tick(lwp, used)
    proj = lwp.cldata.proj
    assert (proj.usage, proj.total) == (used, used)
    fake.now += 100 * fake.tick
    ops(lwp).cl_tick(lwp, 0)
    assert (proj.usage, proj.total) == (used * 96 // 128, used)


def turns(k: FakeKernel, lwps: list[Lwp], n: int) -> list[int]:
    """Run the lwp of the highest priority for a tick, n times; who had how many."""
    had = [0] * len(lwps)
    for t in lwps:
        t.state = TState.TS_RUN
    for _ in range(n):
        i = max(range(len(lwps)), key=lambda i: (lwps[i].pri, -had[i]))
        lwps[i].state = TState.TS_ONPROC
        k.now += k.tick
        ops(lwps[i]).cl_tick(lwps[i], k.tick)
        lwps[i].state = TState.TS_RUN
        had[i] += 1
    return had


def test_fss_shares_of_zones_and_projects(fake: FakeKernel) -> None:
    """The zone's share is divided among its active projects by theirs."""
    zones = [add_zone(fake, n, f"z{n}") for n in (1, 2)]
    zones[0].shares, zones[1].shares = 1, 2
    lwps = [
        running(fake, "FSS", zone=zones[0], projid=5),
        running(fake, "FSS", zone=zones[1], projid=5),
        running(fake, "FSS", zone=zones[1], projid=6),
    ]
    fake.projects[2, 6].shares = 3
    had = turns(fake, lwps, 1200)
    assert [n / 1200 for n in had] == pytest.approx([1 / 3, 1 / 6, 1 / 2], abs=0.01)


def test_fss_no_shares(fake: FakeKernel) -> None:
    """Shares of 0: only when nobody else wants the CPU."""
    zones = [add_zone(fake, n, f"z{n}") for n in (1, 2)]
    zones[0].shares = 0
    lwps = [running(fake, "FSS", zone=z) for z in zones]
    had = turns(fake, lwps, 100)
    assert had[0] <= 2


def test_fss_nice_is_within_a_project(fake: FakeKernel) -> None:
    lwp = running(fake, "FSS")
    nice = add_lwp(fake, lwp.proc, "FSS")
    assert ops(nice).cl_donice(nice, USER, 19) == 19
    refused(Errno.EPERM, ops(nice).cl_donice, nice, USER, -1)
    other = running(fake, "FSS", projid=11)
    had = turns(fake, [lwp, nice, other], 600)
    assert had[0] > 1.5 * had[1]
    assert had[0] + had[1] == pytest.approx(had[2], abs=3)


def test_saved_class_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may name the package of an installed class, and no other."""
    cls = SchedClass("GOOD", Good())
    k = Kernel(KernelConfig(memory=16 << 20), [Brand("native", NullOps(), {})], [cls])
    brands = list(k.brands.brands.values())
    data = savefile.dump(k)
    monkeypatch.setattr(savefile, "class_packages", lambda: {"tests"})
    assert savefile.load(data, brands).classes["GOOD"].ops.cl_quantum(None) == 7
