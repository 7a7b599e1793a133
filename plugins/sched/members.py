"""What the classes of this package share: the list of members and their data.

A class keeps its lwps in ``members`` and counts in ``unused`` the data that
cl_alloc gave and neither cl_fork nor cl_free has taken; the ledger compares both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from personae.core.errno import Panic
from personae.core.forklwp import continuelwps
from personae.core.hookspecs import hookimpl
from personae.core.sync import LockOrder

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

D = TypeVar("D")


class Members(Generic[D]):
    """The list of a class whose lwps have data of type ``D``."""

    name = ""

    def __init__(self) -> None:
        self.members: dict[Lwp, D] = {}
        """The lwps of the class, oldest first (fx_plisthead and its like)."""
        self.unused = 0
        """Allocated data that no lwp has taken yet."""

    def data(self, lwp: Lwp) -> D:
        """The class data of a lwp."""
        data: D = lwp.cldata
        return data

    def install(self, lwp: Lwp, data: D) -> None:
        """A lwp enters the class."""
        if lwp in self.members:
            raise Panic(f"{lwp!r} enters class {self.name} twice")
        lwp.cldata = data
        self.members[lwp] = data

    def taken(self) -> None:
        """Allocated data has found its lwp, or was freed."""
        if self.unused <= 0:
            raise Panic(f"class {self.name}: data freed or taken twice")
        self.unused -= 1

    @hookimpl
    def cl_free(self, buf: Any) -> None:
        """Drop data that no lwp took."""
        del buf
        self.taken()

    @hookimpl
    def cl_exitclass(self, lwp: Lwp) -> None:
        """Take the lwp off the list of the class."""
        if lwp not in self.members:
            raise Panic(f"{lwp!r} is not in class {self.name}")
        del self.members[lwp]
        lwp.cldata = None


def child_first(lwp: Lwp, child: Lwp) -> None:
    """The part that ts_forkret, fx_forkret and fss_forkret have in common.

    The child is made runnable, pidlock is dropped, and the parent gives up its CPU
    at the end of the call.

    Locks: pidlock on entry; the p_lock of the parent on return, for the caller to
    drop.
    """
    pidlock = lwp.kernel.pidlock
    pidlock.assert_held()
    with child.proc.lock:
        continuelwps(child.proc)
    lwp.proc.lock.enter_as(LockOrder.P_LOCK)
    pidlock.exit()
    continuelwps(lwp.proc)
    lwp.kernel.preempt(lwp)
