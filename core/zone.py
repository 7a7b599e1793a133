"""Zones: the container of everything that belongs together (zones(7)).

A zone has a state, a root, a brand and its limits.  The sequences that take it
from one state to another (install, boot, halt) are the machine's; here is what
a zone is, and which steps between states exist.  A zone from SHUTTING_DOWN on
makes no more processes (fork.c:867).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from personae.core.cpucap import NO_CAP, CpuCap, cap_of
from personae.core.cred import PRIV_ALL, PRIV_ZONE, Cred, Priv, kcred
from personae.core.errno import Panic
from personae.core.pool import POOL_DEFAULT
from personae.core.rctl import (
    INFINITY,
    RctlSet,
    rctl_set_attach,
    rctl_set_value,
)
from personae.core.sync import CondVar

if TYPE_CHECKING:
    from personae.core.brand import Brand
    from personae.core.ipc import IpcTable
    from personae.core.kernel import Kernel
    from personae.core.pool import Pool
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vfs, Vnode

GLOBAL_ZONEID = 0
MAX_ZONEID = 9999
ZONENAME_MAX = 64
"""Room for a name with its NUL (sys/zone.h)."""
ZF_NET_EXCL = 8
"""zone_flags: the zone was made with an exclusive IP stack."""
PAGE_SHIFT = 12


class ZoneState(IntEnum):
    """zone_status_t (sys/zone.h): ordered, a zone only goes up."""

    UNINITIALIZED = 0
    INITIALIZED = 1
    READY = 2
    BOOTING = 3
    RUNNING = 4
    SHUTTING_DOWN = 5
    EMPTY = 6
    """All user processes have gone."""
    DOWN = 7
    DYING = 8
    DEAD = 9


class Zone:
    """One zone (zone_t).

    Args:
        kernel: The kernel.
        id: Zone id; 0 is the global zone.
        name: Its name.
        brand: What a process of it is by default.
        limit: Privileges a process of the zone can have (limitpriv); by default
            all for the global zone and the default set for others.
        hostname: Node name; the zone's name if not given.
        acct: Hardware account that pays for its memory; 0 has no limit.
    """

    def __init__(
        self,
        kernel: Kernel,
        id: int,  # noqa: A002 (the field's name)
        name: str,
        brand: Brand,
        *,
        limit: frozenset[Priv] | None = None,
        hostname: str = "",
        acct: int = 0,
    ) -> None:
        self.kernel = kernel
        self.id = id
        self.name = name
        self.brand = brand
        self.brand_data: Any = None
        self.state = ZoneState.UNINITIALIZED
        self.hostname = hostname or name
        self.acct = acct
        if limit is None:
            limit = PRIV_ALL if id == GLOBAL_ZONEID else PRIV_ZONE
        self.limitpriv = limit
        self.cred: Cred = kcred(id, limit)
        """zone_kcred: what zsched and the first process run with."""
        self.uniqid = 0
        """Generation number, never used again (zone_uniqid)."""
        self.root: Vnode | None = None
        self.rootpath = b"/" if id == GLOBAL_ZONEID else b""
        """Where the root is in the global zone; empty if it is not there."""
        self.root_held = False
        """The root is a folder of the global zone, and held."""
        self.mounts: list[Vfs] = []
        """What its brand has mounted at boot, which goes when it halts."""
        self.flags = 0
        self.initname = b"/sbin/init"
        """The program zone_boot(2) starts, and its arguments."""
        self.bootargs = b""
        self.fs_allowed = b""
        self.reboots = False
        """It went down to be booted again (uadmin(2))."""
        self.hostid: int | None = None
        """Emulated hostid; None for that of the machine."""
        self.cv = CondVar()
        """Who waits for its state to change."""
        self.init: Proc | None = None
        self.init_doomed = False
        """The global zone sent its init SIGKILL, which ends it after all."""
        self.zsched: Proc | None = None
        self.nlwps = 0
        self.nprocs = 0
        self.ntasks = 0
        self.max_lwps = 0
        """Enforced value of zone.max-lwps; changed by ``set_rctl``."""
        self.max_processes = 0
        self.cap: CpuCap | None = None
        """capped-cpu: None for no limit; follows zone.cpu-cap (``cpu_cap``)."""
        self._max_swap = self._max_physical = INFINITY
        self._capped = False
        self.own_acct = False
        """The account was made for a limit of this zone, and goes with it."""
        self.pool: Pool | None = None
        """The pool its processes are bound to; None for the default."""
        self.shares = 1
        """zone.cpu-shares, for FSS."""
        self.sched_class = ""
        """scheduling-class: of its first processes; empty for what follows."""
        self.ffcap = 0
        """Forks that failed: over a limit of the zone, project or task."""
        self.ffnoproc = 0
        """No slot, no pid, or too many processes of a user."""
        self.ffnomem = 0
        self.ffmisc = 0
        self.unknown_syscalls: dict[str, int] = {}
        self.console: Any = None
        self.core: Any = None
        """Settings of core files, once somebody asked (``corefile.core_zone``)."""
        self.ipc: dict[str, IpcTable] = {}
        """Its System V objects, by kind: shm, sem, msg."""
        self.options: dict[str, object] = {}
        """The brand's own table of the configuration."""
        self.rctls: RctlSet = rctl_set_attach("zone", self)

    def set_rctl(self, name: str, value: int) -> None:
        """Set a limit of the zone, e.g. ``zone.max-lwps``: refuse above ``value``."""
        rctl_set_value(self.rctls, name, value)

    # ---- memory: zone.max-swap and zone.max-physical-memory ----

    @property
    def mem_bytes(self) -> int:
        """What its processes have of the memory, if it has an account of its own."""
        return self.kernel.hw.acct_used(self.acct) << PAGE_SHIFT if self.acct else 0

    @property
    def max_swap(self) -> int:
        """Enforced value of zone.max-swap."""
        return self._max_swap

    @max_swap.setter
    def max_swap(self, value: int) -> None:
        self._max_swap = value
        self._cap_memory()

    @property
    def max_physical(self) -> int:
        """Enforced value of zone.max-physical-memory."""
        return self._max_physical

    @max_physical.setter
    def max_physical(self, value: int) -> None:
        self._max_physical = value
        self._cap_memory()

    def _cap_memory(self) -> None:
        """Limit the account that pays for its frames.

        There is no swap device, so memory that may be reserved and memory that may
        be used are the same frames, and the smaller limit counts.  A zone that ran
        before it had a limit has its frames on the common account, where they stay.
        """
        cap = min(self._max_swap, self._max_physical)
        if cap == INFINITY and not self._capped:
            return
        self._capped = True
        hw, frames = self.kernel.hw, cap >> PAGE_SHIFT
        if self.acct:
            hw.acct_limit(self.acct, frames)
        elif self.state <= ZoneState.READY:  # nothing of it has memory yet
            self.acct = hw.acct_create(max(1, frames))
            self.own_acct = self.acct != 0

    @property
    def cpu_cap(self) -> int:
        """zone.cpu-cap: percent of a CPU; NO_CAP for no limit."""
        return self.cap.percent if self.cap is not None else NO_CAP

    @cpu_cap.setter
    def cpu_cap(self, percent: int) -> None:
        self.cap = cap_of(self.kernel, percent, self.cap)

    def class_name(self) -> str:
        """Scheduling class of a process that starts in the zone (zonecfg(8)).

        What ``scheduling-class`` says; FSS if the zone was given shares; what its
        pool says; else TS.
        """
        if self.sched_class:
            return self.sched_class
        if self.shares != 1 and "FSS" in self.kernel.classes:
            return "FSS"
        pool = self.pool or self.kernel.pools[POOL_DEFAULT]
        return pool.scheduler

    @property
    def forkable(self) -> bool:
        """Whether a process of the zone may still fork."""
        return self.state < ZoneState.SHUTTING_DOWN

    def __repr__(self) -> str:
        return f"<Zone {self.id} {self.name} {self.state.name}>"


def zone_state_set(zone: Zone, state: ZoneState) -> None:
    """Take a zone to a later state and tell the observers.

    Panic if the state is an earlier one: zone states only go up, a halted zone
    boots as a new object.
    """
    if state < zone.state:
        raise Panic(f"{zone!r} cannot go back to {state.name}")
    if state is zone.state:
        return
    zone.state = state
    if zone.cv.waiters:
        zone.kernel.wakeup(zone.cv)
    for watch in zone.kernel.observers.personae_zone_state:
        watch(zone)


def zone_task_gone(zone: Zone) -> None:
    """The last task of a zone that shuts down has ended: nothing runs in it."""
    zone_state_set(zone, ZoneState.EMPTY)
    zone_state_set(zone, ZoneState.DOWN)
