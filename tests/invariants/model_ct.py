"""The walk's own idea of contracts, tasks, projects, pools and limits.

After contract(5), process(5), resource_controls(7) and settaskid(2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.invariants.model import MProc

INHERIT, NOORPHAN, REGENT, KEEP_EXEC = 1, 2, 8, 16
NO_LIMIT = 2**31 - 1
Key = tuple[str, ...]


@dataclass(eq=False)
class MTask:
    """A task: a ring of processes, dead ones too, charged to a project."""

    zone: str
    project: int
    members: list[MProc] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class MCt:
    """A process contract.

    Attributes:
        owner: Who answers for it; None: the kernel, or nobody.
        state: owned, inherited, orphan, dead.
        project: Charged with it: zone and number.
    """

    id: int
    params: int
    owner: MProc | None
    zone: str
    project: tuple[str, int]
    state: str = "owned"
    members: list[MProc] = field(default_factory=list)
    regent: MCt | None = None
    inherited: list[MCt] = field(default_factory=list)


class World:
    """Containers of processes: contracts, tasks, projects, pools and their limits."""

    procs: dict[int, MProc]

    def __init__(self) -> None:
        self.last_ct = 0
        self.contracts: dict[int, MCt] = {}
        self.limits: dict[tuple[str, int] | str, dict[str, int]] = {}
        """Of projects, by zone and number, and of zones, by name."""

    # ---- contracts ----

    def new_contract(
        self, owner: MProc, params: int | None, noorphan: bool = False
    ) -> MCt:
        """Made by a fork of ``owner``, or by the kernel for the init ``owner``."""
        self.last_ct += 1
        ct = MCt(
            self.last_ct,
            NOORPHAN if noorphan else params or 0,
            None if noorphan else owner,
            owner.zone,
            (owner.task.zone, owner.task.project),
        )
        if noorphan:
            ct.project = ("global", 0)
        else:
            owner.owned.append(ct)
        self.contracts[ct.id] = ct
        return ct

    def join(self, p: MProc, ct: MCt) -> None:
        """Become a member."""
        p.ct = ct
        ct.members.append(p)

    def leave(self, p: MProc) -> None:
        """It exits: the last member of an orphan ends it."""
        ct, p.ct = p.ct, None
        assert ct is not None
        ct.members.remove(p)
        if ct.state == "orphan" and not ct.members:
            self._destroy(ct)

    def abandon(self, ct: MCt, *, explicit: bool) -> None:
        """Its owner gives it up, or exits: then a regent may inherit it."""
        owner, ct.owner = ct.owner, None
        if owner is not None:
            owner.owned.remove(ct)
            above = owner.ct
            if (
                not explicit
                and above is not None
                and ct.params & INHERIT
                and above.params & REGENT
            ):
                ct.state, ct.regent = "inherited", above
                above.inherited.insert(0, ct)
                return
        self._orphan(ct)

    def _orphan(self, ct: MCt) -> None:
        ct.regent = None
        if not ct.members:
            self._destroy(ct)
            return
        ct.state = "orphan"
        if ct.params & NOORPHAN:
            for p in reversed(ct.members):
                self._kill_member(p)

    def _kill_member(self, p: MProc) -> None:
        raise NotImplementedError

    def _destroy(self, ct: MCt) -> None:
        ct.state = "dead"
        while ct.inherited:
            self._orphan(ct.inherited.pop(0))

    def adopt(self, ct: MCt, p: MProc) -> str | None:
        """A member of the regent takes over what that has inherited."""
        if ct.state != "inherited" or ct.regent is not p.ct or ct.zone != p.zone:
            return "EACCES" if ct.owner is not p else "EBUSY"
        assert ct.regent is not None
        ct.regent.inherited.remove(ct)
        ct.state, ct.owner = "owned", p
        p.owned.append(ct)
        return None

    def kernel_takes_events(self, zone: str) -> None:
        """The kernel process of a zone gives up its contracts that are empty."""
        for ct in list(self.contracts.values()):
            kernels = ct.state == "owned" and ct.owner is None and ct.zone == zone
            if kernels and not ct.members:
                self._orphan(ct)

    def forget_dead(self) -> None:
        """Contracts that are dead and nobody's latest are gone; empty projects too."""
        latest = {id(t.latest) for p in self.procs.values() for t in p.lwps if t.latest}
        for ct in list(self.contracts.values()):
            if ct.state == "dead" and id(ct) not in latest:
                del self.contracts[ct.id]
        used = {(p.task.zone, p.task.project) for p in self.procs.values()}
        used |= {ct.project for ct in self.contracts.values()}
        for key in list(self.limits):
            if isinstance(key, tuple) and key not in used:
                del self.limits[key]

    # ---- counts and limits ----

    def charged(self, project: tuple[str, int]) -> int:
        """Contracts that a project pays for."""
        return sum(ct.project == project for ct in self.contracts.values())

    def entities(self, p: MProc) -> Iterator[tuple[str, dict[str, int], list[MProc]]]:
        """Task, project and zone of a process: limits, and who is in them."""
        task = p.task
        project = (task.zone, task.project)
        yield "task", task.limits, task.members
        everybody = self.procs.values()
        yield (
            "project",
            self.limits.get(project, {}),
            [q for q in everybody if (q.task.zone, q.task.project) == project],
        )
        yield (
            "zone",
            self.limits.get(p.zone, {}),
            [q for q in everybody if q.zone == p.zone],
        )

    def room(self, p: MProc, control: str) -> int:
        """How many more processes or lwps the controls of a process allow."""
        out = NO_LIMIT
        for kind, limits, members in self.entities(p):
            value = limits.get(control, NO_LIMIT)
            if value < NO_LIMIT:
                out = min(out, value - usage(members, control) - (kind == "zone"))
        return max(out, 0)

    def set_limit(self, p: MProc, kind: str, control: str, value: int) -> None:
        """Another value of a control of the task, project or zone of a process."""
        if kind == "task":
            p.task.limits[control] = value
        else:
            key = (p.task.zone, p.task.project) if kind == "project" else p.zone
            self.limits.setdefault(key, {})[control] = value

    def may_contract(self, p: MProc) -> bool:
        """Whether its project may have one contract more."""
        project = (p.task.zone, p.task.project)
        value = self.limits.get(project, {}).get("max-contracts", NO_LIMIT)
        return self.charged(project) < value

    def settaskid(self, p: MProc, project: int) -> str | None:
        """A new task for one process."""
        old = p.task
        if project != old.project:
            key = (p.zone, project)
            limits = self.limits.get(key, {})
            there = [q for q in self.procs.values() if (q.zone, q.task.project) == key]
            for control, more in (("max-lwps", len(p.lwps)), ("max-processes", 1)):
                value = limits.get(control, NO_LIMIT)
                if usage(there, control) + more > value:
                    return "EAGAIN"
        old.members.remove(p)
        p.task = MTask(p.zone, project, [p])
        return None

    def bind_pool(self, p: MProc, pool: str) -> None:
        """The process, and whom of its descendants is in the same pool."""
        old, todo = p.pool, [p]
        while todo:
            q = todo.pop()
            todo += [self.procs[c] for c in q.kids]
            if q.pool == old:
                q.pool = pool


def usage(members: Iterable[MProc], control: str) -> int:
    """Processes, or lwps, of these."""
    if control == "max-lwps":
        return sum(len(q.lwps) for q in members)
    return sum(1 for _ in members)
