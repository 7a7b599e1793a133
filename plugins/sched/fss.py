"""FSS, the fair-share class: CPU time by the shares of projects and zones.

As in disp/fss.c, each project with members has a record of its CPU usage, which
decays once a second, and a project's usage weighs less the more shares it has.  The
part of a project is: the zone's shares of those of all zones, times the project's
shares of those of the active projects of the zone.

Where fss.c turns usage into priorities by a formula, here projects are ranked: the
one with the least weighted usage has the highest band of priorities, down to the one
with the most.  So whoever is furthest behind its part runs, and over a long run parts
are exact.  Within its band a lwp stands by what it used itself, weighted by its nice
value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from personae.core.cls import MINCLSYSPRI, setpri
from personae.core.clsparms import (
    MAXUPRI,
    NZERO,
    ClassInfo,
    TsParms,
    moved_nice,
    nice_of,
    upri_of,
    user_priority,
)
from personae.core.errno import Panic
from personae.core.hookspecs import hookimpl
from personae.core.lwp import TState
from personae.core.schedctl import grace, put_off
from personae.plugins.sched.members import Members, child_first

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.project import Project

FSS_QUANTUM = 11
"""Ticks of a quantum (fss_quantum)."""
DECAY_NUM, DECAY_DEN = 96, 128
"""What is left of a usage after a second (FSS_DECAY_USG)."""
TICKS_PER_SECOND = 100
SCALE = 1 << 20
MAXPRI = MINCLSYSPRI - 1
RUNS = (TState.TS_RUN, TState.TS_ONPROC)


@dataclass(eq=False)
class FssProj:
    """A project with lwps in the class (fssproj_t).

    Attributes:
        project: The project.
        threads: Its lwps in the class.
        usage: Cycles it had, decayed.
        total: Cycles it had in all.
        rank: Its place among the active projects, 0 is first.
    """

    project: Project
    threads: int = 0
    usage: int = 0
    total: int = 0
    rank: int = 0


@dataclass
class FssProc:
    """Class data of one lwp (fssproc_t).

    Attributes:
        proj: The record of its project; None while the data is in no lwp.
        fsspri: Its own use, weighted by the nice value, decayed.
        umdpri: Its priority.
        timeleft: Cycles left of the quantum.
        begun: Virtual time from which its running is still to be charged.
    """

    proj: FssProj | None = None
    upri: int = 0
    uprilim: int = 0
    nice: int = NZERO
    fsspri: int = 0
    umdpri: int = MAXPRI // 2
    timeleft: int = 0
    begun: int = 0


@dataclass
class _Ranking:
    """When priorities were computed last, and for how many projects."""

    bands: int = 1
    next_rank: int = 0
    next_decay: int = 0


class FairShare(Members[FssProc]):
    """FSS."""

    name = "FSS"

    def __init__(self) -> None:
        super().__init__()
        self.projects: dict[tuple[int, int], FssProj] = {}
        """Records by zone and project id."""
        self.ranking = _Ranking()

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Enter in the middle of the band of its project."""
        fss = FssProc()
        self._set(fss, parms or TsParms(), None)
        self._join(lwp, fss)

    @hookimpl
    def cl_alloc(self, lwp: Lwp) -> FssProc:
        """A copy of the data, for the clone; it belongs to no project yet."""
        buf = replace(self.data(lwp), proj=None)
        self.unused += 1
        return buf

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: FssProc) -> None:
        """Same priority, a full quantum, no use of its own so far (fss_fork)."""
        child.proc.lock.assert_held()
        src = self.data(lwp)
        buf.upri, buf.uprilim, buf.nice = src.upri, src.uprilim, src.nice
        buf.umdpri, buf.fsspri = src.umdpri, 0
        self.taken()
        self._join(child, buf)

    @hookimpl
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """Child first, then the parent with a new quantum (fss_forkret)."""
        child_first(lwp, child)
        self._new_quantum(lwp, self.data(lwp))
        lwp.proc.lock.exit()

    @hookimpl
    def cl_exit(self, lwp: Lwp) -> None:
        """Charge what it ran since it was put on the CPU."""
        self._charge_running(lwp)

    @hookimpl
    def cl_exitclass(self, lwp: Lwp) -> None:
        """Leave project and class; a record without lwps goes."""
        if lwp not in self.members:
            raise Panic(f"{lwp!r} is not in class {self.name}")
        self._leave_project(self.data(lwp))
        super().cl_exitclass(lwp)

    @hookimpl
    def cl_changeproj(self, lwp: Lwp) -> None:
        """The usage so far stays with the old project (fss_changeproj)."""
        self._charge_running(lwp)
        fss = self.data(lwp)
        self._leave_project(fss)
        self._enter_project(lwp, fss)

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """Charge the project; every tick of 10 ms all are ranked anew."""
        fss, now = self.data(lwp), lwp.kernel.now
        self._charge(lwp, max(0, min(used, now - fss.begun)))
        if now >= self.ranking.next_rank:
            self._update(lwp.kernel)
        over = fss.timeleft <= 0
        if over and lwp.schedctl is not None:
            over = not put_off(lwp, fss.timeleft)
        if over:
            self._new_quantum(lwp, fss)
        lwp.pri = fss.umdpri
        return over

    @hookimpl
    def cl_quantum(self, lwp: Lwp) -> int:
        """What is left, but no more than a time slice of the machine."""
        left = self.data(lwp).timeleft
        return min(left if left > 0 else grace(lwp, left), lwp.kernel.quantum)

    @hookimpl
    def cl_sleep(self, lwp: Lwp) -> None:
        """Charge what it ran."""
        self._charge_running(lwp)

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """The priority of its project now (fss_wakeup)."""
        fss = self.data(lwp)
        if fss.timeleft <= 0:
            self._new_quantum(lwp, fss)
        if lwp.kernel.now >= self.ranking.next_rank:
            self._update(lwp.kernel)
        lwp.pri = fss.umdpri

    # ---- parameters ----

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """As if a lwp of user priority 0 asked for them."""
        self._set(FssProc(), parms or TsParms(), cred)

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> TsParms:
        """User priority and limit."""
        fss = self.data(lwp)
        return TsParms(fss.upri, fss.uprilim)

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """The nice value follows (fss_parmsset); it counts from the next ranking."""
        self._set(self.data(lwp), parms or TsParms(), cred)

    @hookimpl
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """fss_donice: weighs the lwp within its project, never the project."""
        fss = self.data(lwp)
        if incr:
            fss.nice = moved_nice(fss.nice, cred, incr)
            fss.upri = upri_of(fss.nice)
            fss.uprilim = max(fss.uprilim, fss.upri)
        return fss.nice - NZERO

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """The class."""
        return ClassInfo(self.name, MAXUPRI, niced=True)

    def ledger(self, kernel: Kernel) -> dict[str, int]:
        """Lwps by project: what the ledger compares besides the list."""
        del kernel
        return {f"{z}:{i}": fp.threads for (z, i), fp in sorted(self.projects.items())}

    # ---- inner ----

    @staticmethod
    def _set(fss: FssProc, parms: TsParms, cred: Cred | None) -> None:
        fss.upri, fss.uprilim = user_priority(parms, fss.upri, fss.uprilim, cred)
        fss.nice = nice_of(fss.upri)

    def _join(self, lwp: Lwp, fss: FssProc) -> None:
        if not self.members:
            self.ranking.next_decay = lwp.kernel.now + _second(lwp.kernel)
        self.install(lwp, fss)
        self._enter_project(lwp, fss)
        self._new_quantum(lwp, fss)
        lwp.pri = fss.umdpri

    def _enter_project(self, lwp: Lwp, fss: FssProc) -> None:
        task = lwp.proc.task
        if task is None:
            raise Panic(f"{lwp!r} is in no task")
        project = task.project
        key = (project.zone.id, project.id)
        proj = self.projects.get(key)
        if proj is None:
            proj = self.projects[key] = FssProj(project)
        proj.threads += 1
        fss.proj = proj

    def _leave_project(self, fss: FssProc) -> None:
        proj, fss.proj = fss.proj, None
        if proj is None:
            raise Panic("class FSS: data without a project")
        proj.threads -= 1
        if proj.threads == 0:
            del self.projects[proj.project.zone.id, proj.project.id]

    @staticmethod
    def _new_quantum(lwp: Lwp, fss: FssProc) -> None:
        fss.timeleft = FSS_QUANTUM * lwp.kernel.tick

    def _charge(self, lwp: Lwp, used: int) -> None:
        """What a lwp ran: to its project and, by its nice value, to itself."""
        fss = self.data(lwp)
        fss.begun = lwp.kernel.now
        fss.timeleft -= used
        fss.fsspri += used * (fss.nice + 1)
        if fss.proj is not None:
            fss.proj.usage += used
            fss.proj.total += used

    def _charge_running(self, lwp: Lwp) -> None:
        """Charge the part of a run that is over now."""
        if lwp.cpu is None or lwp.kernel.current is not lwp:
            return
        begun = max(lwp.cpu.clock, self.data(lwp).begun)
        self._charge(lwp, max(0, lwp.kernel.now - begun))

    def _update(self, kernel: Kernel) -> None:
        """Rank the projects, and give every lwp its priority (fss_update)."""
        r, now = self.ranking, kernel.now
        r.next_rank = now + kernel.tick
        if now >= r.next_decay:
            r.next_decay = now + _second(kernel)
            self._decay()
        peaks = self._rank()
        for t, fss in self.members.items():
            pri = self._pri(fss, peaks.get(id(fss.proj), 0))
            if pri != fss.umdpri:
                fss.umdpri = pri
                if t.state is not TState.TS_ONPROC:
                    setpri(t, pri)

    def _decay(self) -> None:
        for proj in self.projects.values():
            proj.usage = proj.usage * DECAY_NUM // DECAY_DEN
        for fss in self.members.values():
            fss.fsspri = fss.fsspri * DECAY_NUM // DECAY_DEN

    def _rank(self) -> dict[int, int]:
        """Order the active projects; answers the largest fsspri in each."""
        peaks: dict[int, int] = {}
        active: dict[int, FssProj] = {}
        for t, fss in self.members.items():
            proj = fss.proj
            if proj is None:
                continue
            peaks[id(proj)] = max(peaks.get(id(proj), 0), fss.fsspri)
            if t.state in RUNS:
                active[id(proj)] = proj
        in_zone: dict[int, int] = {}
        for proj in active.values():
            zone = proj.project.zone.id
            in_zone[zone] = in_zone.get(zone, 0) + max(1, proj.project.shares)
        order = sorted(
            self.projects.values(), key=lambda proj: _weighted(proj, in_zone)
        )
        for rank, proj in enumerate(order):
            proj.rank = rank
        self.ranking.bands = max(1, len(order))
        return peaks

    def _pri(self, fss: FssProc, peak: int) -> int:
        """Place in the band of the project: who used less stands higher."""
        rank = fss.proj.rank if fss.proj is not None else 0
        band = max(1, (MAXPRI + 1) // self.ranking.bands)
        down = fss.fsspri * (band - 1) // peak if peak else 0
        return max(0, MAXPRI - rank * band - down)


def _second(kernel: Kernel) -> int:
    return TICKS_PER_SECOND * kernel.tick


def _weighted(proj: FssProj, in_zone: dict[int, int]) -> tuple[int, int, int]:
    """Usage over the project's part (fssp_shusage); ties by zone and id.

    Shares of 0 get what nobody else wants.
    """
    project = proj.project
    zone = project.zone
    if zone.shares == 0 or project.shares == 0:
        return 1 << 200, zone.id, project.id
    usage = proj.usage * SCALE * in_zone.get(zone.id, project.shares)
    return usage // (zone.shares * project.shares), zone.id, project.id
