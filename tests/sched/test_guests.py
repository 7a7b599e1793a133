"""The classes under real programs: order after a fork, shares, caps, preemption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.clsparms import TQINF, FxParms, IaParms, RtParms, TsParms
from personae.core.cpucap import NO_CAP
from personae.core.hookspecs import hookimpl
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.priocntl import parmsset
from personae.core.rctl import rctl_set_value
from tests.sched.stage import CLASSES, FAST, PRIVILEGED, retired, run_for, zone

Elf = Callable[..., Path]


@pytest.mark.invariant(71, brand="native")
@pytest.mark.parametrize("privileged", [False, True])
def test_priocntl(elf: Elf, privileged: bool) -> None:
    """Every command, every class, from a program; FORK-71."""
    m = Machine()
    z = zone(m, "z", elf("prio"), limitpriv=PRIVILEGED if privileged else None)
    r = z.run(["/p", *(["privileged"] if privileged else [])], timeout="60s")
    assert (r.returncode, r.stdout) == (0, b"")


@pytest.mark.invariant(69, 70)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("cls", CLASSES)
def test_who_runs_first(elf: Elf, cls: str, brand: str) -> None:
    """FORK-69, FORK-70: the child on one CPU, but under RT the parent goes on."""
    m = Machine()
    z = zone(m, "z", elf("sched", brand), brand=brand, scheduling_class=cls)
    assert z.run(["/p", "order"]).stdout == (b"pc" if cls == "RT" else b"cp")


@pytest.mark.invariant(72)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("cpus", [1, 2])
def test_child_that_is_gone(elf: Elf, cls: str, cpus: int, brand: str) -> None:
    """FORK-72: the parent still gets the pid, and wait succeeds."""
    m = Machine(cpus=cpus)
    z = zone(m, "z", elf("sched", brand), brand=brand, scheduling_class=cls)
    assert z.run(["/p", "gone"], timeout="60s").returncode == 0
    assert ledger_check(m.kernel) == []


class Forkret:
    """Counts the calls of CL_FORKRET of each class and what was locked."""

    def __init__(self, m: Machine) -> None:
        self.calls: list[tuple[str, bool, bool]] = []
        self.created = 0
        for cls in m.kernel.classes.values():
            self._wrap(m, cls.name, cls.ops)

    def _wrap(self, m: Machine, name: str, ops: Any) -> None:
        real = ops.cl_forkret

        def forkret(lwp: Any, child: Any) -> None:
            before = m.kernel.pidlock.owned
            real(lwp, child)
            self.calls.append((name, before, m.kernel.pidlock.owned))

        ops.cl_forkret = forkret

    @hookimpl
    def personae_proc_create(self) -> None:
        self.created += 1


@pytest.mark.invariant(68)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("cls", CLASSES)
def test_forkret(
    elf: Elf, cls: str, brand: str, guest_file: Callable[[str, str], Path]
) -> None:
    """FORK-68: once for each fork, none for a vfork, pidlock held and dropped."""
    m = Machine()
    z = zone(m, "z", elf("sched", brand), brand=brand, scheduling_class=cls)
    seen = Forkret(m)
    m.plugins.register(seen)
    z.run(["/p", "gone"])
    assert seen.calls == [(cls, True, False)] * 20
    z.put("/vforktest", guest_file(brand, "vforktest").read_bytes())
    seen.calls.clear()
    forks = m.kernel.kstat.get("sysfork", 0)
    created = seen.created
    z.run(["/vforktest"])
    assert m.kernel.kstat["sysvfork"] > 0
    assert len(seen.calls) == m.kernel.kstat["sysfork"] - forks
    assert seen.created - created > len(seen.calls)


@pytest.mark.parametrize("cls", CLASSES)
def test_ledger_after_forks(elf: Elf, cls: str) -> None:
    """The lists of the class are what they were once the processes have gone."""
    m = Machine()
    z = zone(m, "z", elf("sched"), scheduling_class=cls)
    z.run(["/p", "gone"])
    before = ledger(m.kernel)
    z.run(["/p", "mixed"])
    after = ledger(m.kernel)
    assert before["containers"]["classes"] == after["containers"]["classes"]
    assert before["containers"]["class data"] == after["containers"]["class data"]
    assert ledger_check(m.kernel) == []


PARMS: dict[str, Any] = {
    "TS": TsParms(-7, 3),
    "IA": IaParms(-7, 3, 0),
    "FX": FxParms(5, 9, 30_000_000),
    "FSS": TsParms(11, 12),
    "RT": RtParms(7, TQINF, 16),
}


class SetParms:
    """Gives the lwp parameters before its first fork, and looks at its children."""

    def __init__(self, m: Machine, parms: Any) -> None:
        self.m, self.parms = m, parms
        self.children: list[tuple[Any, bool]] = []

    @hookimpl
    def personae_fork_step(self, step: str) -> None:
        k = self.m.kernel
        lwp = k.current
        if step == "flags" and not self.children and lwp is not None:
            assert lwp.cls is not None
            parmsset(lwp, lwp.cls, self.parms, k.kcred)

    @hookimpl
    def personae_proc_create(self, parent: Any, child: Any) -> None:
        t = child.lwps[0]
        listed = t in t.cls.plugin.members
        self.children.append((t.cls.ops.cl_parmsget(t), listed))


@pytest.mark.invariant(71)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("cls", CLASSES)
def test_child_has_the_parameters(elf: Elf, cls: str, brand: str) -> None:
    """FORK-71: parameters of the class, and its list has the child."""
    m = Machine()
    z = zone(m, "z", elf("sched", brand), brand=brand, scheduling_class=cls)
    plugin = SetParms(m, PARMS[cls])
    m.plugins.register(plugin)
    assert z.run(["/p", "gone"]).returncode == 0
    assert plugin.children == [(PARMS[cls], True)] * 20


class ChangeClass:
    """FORK-73: priocntl between CL_ALLOC and CL_FORK."""

    def __init__(self, m: Machine, new: str) -> None:
        self.m, self.new = m, new
        self.done = 0

    @hookimpl
    def personae_fork_step(self, step: str) -> None:
        lwp = self.m.kernel.current
        if step.startswith("cl_fork") and not self.done and lwp is not None:
            self.done += 1
            parmsset(lwp, self.m.kernel.classes[self.new], None, self.m.kernel.kcred)


@pytest.mark.invariant(73)
@pytest.mark.parametrize("brand", ["native", "linux"])
@pytest.mark.parametrize("new", CLASSES)
@pytest.mark.parametrize("old", ["TS", "FSS", "RT"])
def test_class_changes_during_a_fork(elf: Elf, old: str, new: str, brand: str) -> None:
    """FORK-73: the buffer of the old class is freed, the child is of the new one."""
    m = Machine()
    z = zone(m, "z", elf("sched", brand), brand=brand, scheduling_class=old)
    plugin = ChangeClass(m, new)
    m.plugins.register(plugin)
    job = z.start(["/p", "burn", "1"])
    run_for(m, 0.02)
    assert plugin.done == 1
    classes = [t.cls.name for p in m.kernel.zone_procs(z.zone) for t in p.lwps]
    assert classes == [new, new]
    assert ledger_check(m.kernel) == []
    assert not job.done


# ---- determinism and saving ----


def mixed(elf: Elf, cls: str, cpus: int, **kw: Any) -> tuple[Machine, Any]:
    m = Machine(cpus=cpus, **FAST)
    z = zone(m, "z", elf("sched"), scheduling_class=cls, **kw)
    return m, z.start(["/p", "mixed"])


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("cpus", [1, 3])
def test_digest_and_snapshot(elf: Elf, cls: str, cpus: int) -> None:
    """The same run twice, and the same from a snapshot in the middle."""
    runs = []
    for _ in range(2):
        m, job = mixed(elf, cls, cpus)
        m.run_until([job.proc])
        runs.append((m.digest(), m.kernel.now))
    m, job = mixed(elf, cls, cpus)
    for _ in range(12):
        m.step()
    saved = m.snapshot()
    for _ in range(5):
        m.step()
    m.restore(saved)
    assert ledger_check(m.kernel) == []
    proc = m.kernel.prfind(job.pid)
    assert proc is not None
    m.run_until([proc])
    runs.append((m.digest(), m.kernel.now))
    assert runs[0] == runs[1] == runs[2]


def test_saved_file(elf: Elf, tmp_path: Path) -> None:
    """A file with lwps of every class loads in another machine."""
    m = Machine(**FAST)
    for cls in CLASSES:
        zone(m, cls, elf("sched"), scheduling_class=cls).start(["/p", "burn", "1"])
    run_for(m, 0.3)
    m.save(tmp_path / "m")
    other = Machine.load(tmp_path / "m")
    for one in (m, other):
        run_for(one, 0.3)
    assert m.digest() == other.digest()
    assert ledger_diff(ledger(m.kernel), ledger(other.kernel)) == []


# ---- shares ----


def burners(m: Machine, elf: Elf, **shares: int) -> list[Any]:
    zones = [zone(m, n, elf("sched"), cpu_shares=s) for n, s in shares.items()]
    for z in zones:
        z.start(["/p", "burn", "2"])
    return zones


def counts(m: Machine, zones: list[Any]) -> list[int]:
    return [retired(m.kernel.zone_procs(z.zone)) for z in zones]


def test_shares_of_two_zones(elf: Elf) -> None:
    """1 to 3, within 5 %, over twenty virtual seconds."""
    m = Machine(**FAST)
    zones = burners(m, elf, a=1, b=3)
    run_for(m, 20)
    a, b = counts(m, zones)
    assert b / a == pytest.approx(3, rel=0.05)
    assert a + b == pytest.approx(20 * FAST["clock_hz"], rel=0.01)


def test_shares_of_three_zones_and_processes(elf: Elf) -> None:
    """Shares count, not the number of processes."""
    m = Machine(**FAST)
    zones = burners(m, elf, a=10, b=20, c=70)
    zones[0].start(["/p", "burn", "6"])
    run_for(m, 10)
    got = counts(m, zones)
    assert [n / sum(got) for n in got] == pytest.approx([0.1, 0.2, 0.7], rel=0.05)


def test_shares_on_two_cpus(elf: Elf) -> None:
    m = Machine(cpus=2, **FAST)
    zones = burners(m, elf, a=1, b=3)
    zones[1].start(["/p", "burn", "2"])
    run_for(m, 10)
    a, b = counts(m, zones)
    assert b / a == pytest.approx(3, rel=0.05)


def test_share_of_who_slept(elf: Elf) -> None:
    """Who comes later gets its part from then on, and does not catch up for long."""
    m = Machine(**FAST)
    (a,) = burners(m, elf, a=1)
    run_for(m, 10)
    (b,) = burners(m, elf, b=1)
    before = counts(m, [a])[0]
    run_for(m, 20)
    late = counts(m, [b])[0], counts(m, [a])[0] - before
    # The usage of ten seconds has decayed to four seconds' worth of a whole CPU.
    assert late[0] / late[1] == pytest.approx(1, rel=0.5)
    middle = counts(m, [a, b])
    run_for(m, 10)
    last = [n - o for n, o in zip(counts(m, [a, b]), middle, strict=True)]
    assert last[0] / last[1] == pytest.approx(1, rel=0.05)


# ---- caps ----


@pytest.mark.parametrize(("ncpus", "cpus"), [(0.25, 1), (0.5, 2), (1.5, 2)])
def test_capped_zone(elf: Elf, ncpus: float, cpus: int) -> None:
    """A zone gets no more, also when nobody else wants the CPU, and no less."""
    m = Machine(cpus=cpus, **FAST)
    z = zone(m, "z", elf("sched"), capped_cpu=ncpus)
    z.start(["/p", "burn", "4"])
    run_for(m, 5)
    got = counts(m, [z])[0] / (5 * FAST["clock_hz"])
    assert got == pytest.approx(ncpus, rel=0.02)


def test_others_get_what_a_cap_leaves(elf: Elf) -> None:
    m = Machine(**FAST)
    capped = zone(m, "capped", elf("sched"), capped_cpu=0.1)
    free = zone(m, "free", elf("sched"))
    for z in (capped, free):
        z.start(["/p", "burn", "2"])
    run_for(m, 5)
    got = [n / (5 * FAST["clock_hz"]) for n in counts(m, [capped, free])]
    assert got == pytest.approx([0.1, 0.9], rel=0.02)


def test_cap_of_a_program_that_ends(elf: Elf) -> None:
    """A program in a capped zone takes longer in virtual time, and ends."""
    times = []
    for cap in (None, 0.2):
        m = Machine(**FAST)
        z = zone(m, "z", elf("sched"), capped_cpu=cap)
        z.run(["/p", "spin", "1000000"])
        times.append(m.kernel.now)
    assert times[1] / times[0] == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize(("of_zone", "of_project"), [(None, 30), (0.5, 20), (0.2, 60)])
def test_capped_project(elf: Elf, of_zone: float | None, of_project: int) -> None:
    """project.cpu-cap holds as the zone's does; the lower of both is what counts."""
    m = Machine(**FAST)
    z = zone(m, "z", elf("sched"), capped_cpu=of_zone)
    job = z.start(["/p", "burn", "3"])
    project = job.proc.task.project
    rctl_set_value(project.rctls, "project.cpu-cap", of_project)
    run_for(m, 5)
    got = counts(m, [z])[0] / (5 * FAST["clock_hz"])
    assert got == pytest.approx(min(of_zone or 1, of_project / 100), rel=0.03)
    rctl_set_value(project.rctls, "project.cpu-cap", NO_CAP)
    assert project.cap is None


def test_cap_is_deterministic(elf: Elf) -> None:
    digests = set()
    for _ in range(2):
        m, job = mixed(elf, "TS", 2, capped_cpu=0.3)
        m.run_until([job.proc])
        digests.add((m.digest(), m.kernel.now))
    assert len(digests) == 1


# ---- where: pools and bindings ----


def test_pool_cpus(elf: Elf) -> None:
    """A zone's lwps run on the CPUs of its pool, and the others on all."""
    m = Machine(cpus=4, **FAST)
    m.kernel.pool_create("small", (1, 2))
    z = zone(m, "z", elf("sched"), pool="small")
    z.start(["/p", "burn", "4"])
    run_for(m, 1)
    used = [c.instret for c in m.kernel.cpus]
    assert used[0] == used[3] == 0
    assert used[1:3] == pytest.approx([FAST["clock_hz"]] * 2, rel=0.01)
    free = zone(m, "free", elf("sched"))
    free.start(["/p", "burn", "4"])
    run_for(m, 1)
    assert min(c.instret for c in m.kernel.cpus) > 0


def test_pool_scheduler(elf: Elf) -> None:
    """zonecfg(8): scheduling-class, then shares, then the pool's scheduler."""
    m = Machine()
    m.kernel.pool_create("fx", scheduler="FX")
    names = []
    for n, kw in enumerate(
        (
            {"pool": "fx", "scheduling_class": "RT", "cpu_shares": 2},
            {"pool": "fx", "cpu_shares": 2},
            {"pool": "fx"},
            {},
        )
    ):
        z = zone(m, f"z{n}", elf("sched"), **kw)  # type: ignore[arg-type]
        names.append(z.start(["/p", "burn", "0"]).proc.lwps[0].cls.name)
    assert names == ["RT", "FSS", "FX", "TS"]


def test_bound_lwp(elf: Elf) -> None:
    m = Machine(cpus=3, **FAST)
    z = zone(m, "z", elf("sched"))
    job = z.start(["/p", "burn", "3"])
    m.kernel.bind_cpu(job.proc.lwps[0], 2)  # the children inherit it
    run_for(m, 1)
    assert [c.instret > 0 for c in m.kernel.cpus] == [False, False, True]


def test_binding_outside_of_the_pool(elf: Elf) -> None:
    """Has no effect."""
    m = Machine(cpus=2, **FAST)
    m.kernel.pool_create("one", (1,))
    z = zone(m, "z", elf("sched"), pool="one")
    job = z.start(["/p", "spin", "10000"])
    m.kernel.bind_cpu(job.proc.lwps[0], 0)
    m.run_until([job.proc])
    assert [c.instret > 0 for c in m.kernel.cpus] == [False, True]


# ---- preemption ----


@pytest.mark.parametrize("cls", CLASSES)
def test_pingpong(elf: Elf, cls: str) -> None:
    """Two processes that pass a byte switch twice a turn, and not more often."""
    m = Machine()
    z = zone(m, "z", elf("sched"), scheduling_class=cls)
    job = z.start(["/p", "pingpong", "200"])
    steps = 0
    while not job.done:
        m.step()
        steps += 1
    assert job.result().returncode == 0
    assert 200 <= steps <= 2 * 200 + 40


def test_real_time_goes_first(elf: Elf) -> None:
    """A RT sleeper gets the CPU when it wakes, however busy TS is."""
    m = Machine(**FAST)
    busy = zone(m, "busy", elf("sched"))
    busy.start(["/p", "burn", "3"])
    run_for(m, 0.5)
    rt = zone(m, "rt", elf("sched"), scheduling_class="RT")
    job = rt.start(["/p", "spin", "200000"])
    begun = m.kernel.now
    m.run_until([job.proc])
    used = m.kernel.now - begun
    assert used < 200000 * 12
    m2 = Machine(**FAST)
    alone = zone(m2, "rt", elf("sched"), scheduling_class="RT")
    alone.run(["/p", "spin", "200000"])
    assert used == pytest.approx(m2.kernel.now, rel=0.05)


def test_fixed_priority_is_not_demoted(elf: Elf) -> None:
    """FX burners stay where they are and share evenly; FORK-70."""
    m = Machine(**FAST)
    z = zone(m, "z", elf("sched"), scheduling_class="FX")
    z.start(["/p", "burn", "3"])
    run_for(m, 1)
    procs = m.kernel.zone_procs(z.zone)[1:]
    before = [retired([p]) for p in procs]
    run_for(m, 6)
    assert {t.pri for p in procs for t in p.lwps} == {0}
    parts = [retired([p]) - n for p, n in zip(procs, before, strict=True)]
    assert max(parts) - min(parts) <= 0.2 * FAST["clock_hz"] * 1.01


def test_foreground_is_boosted(elf: Elf) -> None:
    """IA: the foreground group of a terminal gets the CPU before the rest."""
    m = Machine(**FAST)
    z = zone(m, "z", elf("sched"), scheduling_class="IA")
    front = z.start(["/p", "burn", "1"], tty=(24, 80))
    back = z.start(["/p", "burn", "1"])
    run_for(m, 0.1)
    assert front.proc.lwps[0].cldata.boost == 10
    assert back.proc.lwps[0].cldata.boost == 0
    assert front.tty is not None
    front.tty.pgid = 0
    run_for(m, 1)
    burner = front.proc.child
    assert burner is not None
    assert burner.lwps[0].cldata.boost == 0


@pytest.mark.parametrize("cls", CLASSES)
def test_no_cpu_waits_while_somebody_could_run(elf: Elf, cls: str) -> None:
    """A lwp that a faster CPU has just left is no reason for a slower one to wait."""
    m = Machine(cpus=3, **FAST)
    z = zone(m, "z", elf("sched"), scheduling_class=cls)
    z.start(["/p", "burn", "5"])
    run_for(m, 0.2)
    before = [c.instret for c in m.kernel.cpus]
    run_for(m, 2)
    used = [c.instret - n for c, n in zip(m.kernel.cpus, before, strict=True)]
    assert used == pytest.approx([2 * FAST["clock_hz"]] * 3, rel=0.01)
