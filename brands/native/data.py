"""What the native brand keeps with a lwp."""

from __future__ import annotations

from dataclasses import dataclass, field

from personae.core.cputimer import CpuTimer
from personae.core.sync import CondVar


@dataclass
class LwpData:
    """Of a lwp.

    Attributes:
        unparked: An unpark came before the park.
        park: Where it sleeps in lwp_park().
        itimers: Its interval timers of CPU time, by number.
    """

    unparked: bool = False
    park: CondVar = field(default_factory=CondVar)
    itimers: dict[int, CpuTimer] = field(default_factory=dict)
