"""Projects: the container that tasks of one purpose share (project(5)).

A project lives as long as something holds it: each of its tasks, each lwp
(t_proj) and each contract that is charged to it.  Its counters are compared
with the project's resource controls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cpucap import NO_CAP, CpuCap, cap_of
from personae.core.errno import Panic
from personae.core.rctl import RctlSet, rctl_set_attach

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.zone import Zone


class Project:
    """One project of one zone (kproject_t).

    Args:
        zone: Its zone.
        id: projid, unique in the zone.
    """

    def __init__(self, zone: Zone, id: int) -> None:  # noqa: A002 (the field's name)
        self.zone = zone
        self.id = id
        self.ref = 0
        self.nlwps = 0
        self.nprocs = 0
        self.ntasks = 0
        self.contracts = 0
        """kpd_contract: contracts charged to it."""
        self.max_lwps = 0
        self.max_processes = 0
        self.max_tasks = 0
        self.max_contracts = 0
        self.cap: CpuCap | None = None
        """What project.cpu-cap does; None without one."""
        self.shares = 1
        """project.cpu-shares, for FSS."""
        self.rctls: RctlSet = rctl_set_attach("project", self)

    @property
    def cpu_cap(self) -> int:
        """project.cpu-cap: percent of a CPU; NO_CAP for no limit."""
        return self.cap.percent if self.cap is not None else NO_CAP

    @cpu_cap.setter
    def cpu_cap(self, percent: int) -> None:
        self.cap = cap_of(self.zone.kernel, percent, self.cap)

    def hold(self) -> Project:
        """Take a reference; returns itself."""
        self.ref += 1
        return self

    def rele(self) -> None:
        """Drop a reference; the last one removes the project from the kernel."""
        if self.ref <= 0:
            raise Panic(f"project_rele of a dead {self!r}")
        self.ref -= 1
        if self.ref == 0:
            if self.nlwps or self.nprocs or self.ntasks or self.contracts:
                raise Panic(f"last hold of {self!r} dropped while it is in use")
            del self.zone.kernel.projects[self.zone.id, self.id]

    def __repr__(self) -> str:
        return f"<Project {self.zone.id}:{self.id} ref={self.ref}>"


def project_hold_by_id(kernel: Kernel, projid: int, zone: Zone) -> Project:
    """Hold a project, making it if nobody has it."""
    proj = kernel.projects.get((zone.id, projid))
    if proj is None:
        proj = Project(zone, projid)
        kernel.projects[zone.id, projid] = proj
    return proj.hold()
