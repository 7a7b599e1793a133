"""FORK-68 to FORK-73: the scheduling class at a fork (fork-semantics 8.4)."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.clsparms import FxParms, RtParms, TsParms
from personae.core.hookspecs import hookimpl
from personae.core.lwp import Lwp, TState
from personae.core.priocntl import parmsset
from tests.invariants.stage import BRANDS, EACH_KIND, Stage, Watch

invariant = pytest.mark.invariant
PARMS: dict[str, Any] = {
    "TS": TsParms(-7, 5),
    "IA": TsParms(-7, 5),
    "FSS": TsParms(-7, 5),
    "FX": FxParms(11, 30, 20_000_000),
    "RT": RtParms(13, 30_000_000, 17),
}


def into(s: Stage, cls: str, parms: Any = None, lwp: Lwp | None = None) -> Lwp:
    """Put the caller into a class, as the kernel may."""
    lwp = lwp or s.lwp
    if cls == "SYS":  # which priocntl lets nobody into
        assert lwp.cls is not None
        lwp.cls.ops.cl_exitclass(lwp)
        lwp.cls = s.k.classes[cls]
        lwp.cls.ops.cl_enterclass(lwp, None)
        return lwp
    parmsset(lwp, s.k.classes[cls], parms, s.k.kcred)
    s.k.disp.yielding = False
    return lwp


@invariant(68)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_once_for_a_fork_and_never_else(brand: str, kind: str) -> None:
    s = Stage(brand)
    calls = []
    ops = s.k.classes["TS"].ops
    real = ops.cl_forkret

    def forkret(lwp: Lwp, child: Lwp) -> None:
        calls.append((lwp, child, s.k.pidlock.owned))
        real(lwp, child)
        assert not s.k.locks.held

    ops.cl_forkret = forkret
    watch = Watch(s)
    child = s.fork(kind)
    wanted = [] if kind == "vfork" else [(s.lwp, child.lwps[0], True)]
    assert calls == wanted
    s.exit(child)
    calls.clear()
    for step in s.steps():
        watch.at = step
        s.fails(kind)
    assert calls == []


class Order:
    """Who begins a system call, from the fork on."""

    def __init__(self, s: Stage) -> None:
        self.pids: list[int] = []
        s.machine.plugins.register(self)

    @hookimpl
    def personae_syscall_entry(self, lwp: Lwp) -> None:
        self.pids.append(lwp.proc.pid)


@invariant(69, 70, 72)
@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("cls", ["TS", "IA", "FX", "FSS", "RT"])
def test_who_runs_first(brand: str, cls: str) -> None:
    """On one CPU: the child, to its exit; under RT the parent, to its wait."""
    s = Stage(brand)
    into(s, cls)
    order = Order(s)
    s.again()
    assert s.finish() == "fork 1: child exited with 41\n"
    parent = s.job.pid
    assert [pid == parent for pid in order.pids[:3]] == [True, cls == "RT", cls != "RT"]


@invariant(69)
@pytest.mark.parametrize("cls", ["TS", "IA"])
def test_the_parent_pays(stage: Stage, cls: str) -> None:
    s = stage
    lwp = into(s, cls)
    s.k.now += 3 * s.k.tick
    level = lwp.cldata.cpupri
    from personae.core.tsdpt import TS_DPTBL

    child = s.fork()
    assert lwp.cldata.cpupri == TS_DPTBL[level].tqexp
    assert child.lwps[0].cldata.cpupri == level
    full = TS_DPTBL[TS_DPTBL[level].tqexp].quantum * s.k.tick
    assert lwp.cldata.timeleft == full
    assert s.k.disp.yielding


@invariant(70)
@pytest.mark.parametrize("cls", ["RT", "SYS", "FX", "FSS"])
def test_who_yields(stage: Stage, cls: str) -> None:
    s = stage
    lwp = into(s, cls, PARMS.get(cls))
    before, level = lwp.pri, getattr(lwp.cldata, "pri", None)
    if cls == "FSS":
        lwp.cldata.timeleft -= 5
    child = s.fork()
    assert s.k.disp.yielding == (cls in ("FX", "FSS"))
    assert child.lwps[0].state is TState.TS_RUN
    if cls != "FSS":
        assert (lwp.pri, getattr(lwp.cldata, "pri", None)) == (before, level)
    else:
        assert lwp.cldata.timeleft >= child.lwps[0].cldata.timeleft


@invariant(71)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
@pytest.mark.parametrize("cls", list(PARMS))
def test_parameters_and_list(brand: str, kind: str, cls: str) -> None:
    s = Stage(brand)
    into(s, cls, PARMS[cls])
    if kind == "forkall":
        into(s, cls, PARMS[cls], s.add_lwp())
    sched = s.k.classes[cls]
    members = sched.plugin.members  # type: ignore[attr-defined]
    before = len(members)
    wanted = [sched.ops.cl_parmsget(t) for t in s.p.lwps]
    child = s.fork(kind)
    assert [t.cls for t in child.lwps] == [sched] * len(child.lwps)
    got = [sched.ops.cl_parmsget(t) for t in child.lwps]
    assert got == wanted[: len(got)]
    for t in child.lwps:
        assert t.cldata is not s.lwp.cldata
    assert len(members) == before + len(child.lwps)
    s.exit(child)
    assert len(members) == before


@invariant(72)
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_a_child_that_exits_at_once(brand: str, kind: str) -> None:
    s = Stage(brand, kind.removesuffix("1"))
    child = s.fork(kind)
    s.exit(child, 41, reap=False)
    s.goes_on(child.pid)
    assert s.finish().endswith("1: child exited with 41\n")


@invariant(73)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_a_class_that_changes_meanwhile(brand: str, kind: str, fails: bool) -> None:
    """priocntl comes between CL_ALLOC and CL_FORK."""
    s = Stage(brand)
    into(s, "FX")
    watch = Watch(s)
    if fails:
        watch.at = "contract_process_fork"

    def look(step: str) -> None:
        if step == f"cl_fork:{s.lwp.tid}":
            parmsset(s.lwp, s.k.classes["TS"], None, s.k.kcred)

    watch.look = look
    if fails:
        before = s.ledger()
        with pytest.raises(Exception, match="injected"):
            s.fork(kind)
        assert [x for x in s.diff(before) if "class" not in x] == []
    else:
        child = s.fork(kind)
        assert child.lwps[0].cls is s.k.classes["TS"]
    for name in ("FX", "TS"):
        assert s.k.classes[name].plugin.unused == 0  # type: ignore[attr-defined]
