"""A CPU of the machine: a hart, its clock and what runs on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


@dataclass
class Cpu:
    """One CPU.

    Attributes:
        id: Number of its hart.
        clock: Its virtual time in cycles; CPUs are interleaved so that the one
            furthest behind goes next.
        lwp: What it runs at this moment.
        instret: Instructions it has retired.
    """

    id: int
    clock: int = 0
    lwp: Lwp | None = None
    instret: int = 0
