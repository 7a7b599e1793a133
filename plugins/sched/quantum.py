"""A quantum that is used up slice by slice, for FX and RT.

Under these classes a lwp that loses the CPU before its quantum is over keeps its
place at the head of its priority; it goes to the back when the quantum is over, when
it yields and when it forks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.clsparms import TQDEF, TQINF
from personae.core.errno import Errno, KernelError
from personae.core.schedctl import NEVER, grace, put_off

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

NANOSEC = 1_000_000_000


@dataclass
class Quantum:
    """The quantum of one lwp.

    Attributes:
        length: Nanoseconds, or ``TQINF``.
        timeleft: Cycles left of it.
        begun: Virtual time when it began.
        backq: It has yielded: to the back of its queue.
    """

    length: int
    timeleft: int = 0
    begun: int = 0
    backq: bool = False

    def renew(self, lwp: Lwp) -> None:
        """A full quantum."""
        self.timeleft = lwp.kernel.cycles(self.length) if self.length >= 0 else 0
        self.begun = lwp.kernel.now

    def charge(self, lwp: Lwp, used: int, *, sharing: bool = False) -> bool:
        """Take off what was used; True when the quantum is over.

        With ``sharing`` the lwp may put that off for a while (``core.schedctl``).
        """
        if self.length == TQINF:
            if sharing and lwp.schedctl is not None:
                put_off(lwp, NEVER)  # no quantum that could bound it
            return False
        # A fork may have begun a new quantum during this run.
        self.timeleft -= min(used, lwp.kernel.now - self.begun)
        if self.timeleft > 0:
            return False
        if sharing and lwp.schedctl is not None and put_off(lwp, self.timeleft):
            return False
        self.renew(lwp)
        return True

    def asleep(self, lwp: Lwp) -> None:
        """The lwp goes to sleep: what it ran so far counts, and may be all."""
        if lwp.cpu is None or self.length == TQINF:
            return
        self.timeleft -= lwp.kernel.now - max(lwp.cpu.clock, self.begun)
        if self.timeleft <= 0:
            self.renew(lwp)

    def slice(self, lwp: Lwp) -> int:
        """Cycles until the dispatcher looks around."""
        if self.length == TQINF:
            return lwp.kernel.quantum
        left = self.timeleft
        return min(left if left > 0 else grace(lwp, left), lwp.kernel.quantum)

    def keeps_place(self) -> bool:
        """Whether it stays at the head of its priority."""
        keep = not self.backq
        self.backq = False
        return keep


def check_quantum(ns: int | None) -> None:
    """EINVAL for a length that is none."""
    if ns is not None and ns <= 0 and ns not in (TQINF, TQDEF):
        raise KernelError(Errno.EINVAL, f"quantum of {ns} ns")
