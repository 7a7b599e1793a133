"""What the linux brand keeps of its own: per zone, per process and per lwp.

Plain data, so that it goes into snapshots and is copied by fork.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.sync import CondVar
    from personae.core.vfs.tmpfs import TmpFs
    from personae.core.zone import Zone

RELEASE = b"6.12.0-personae"
VERSION = b"#1 SMP personae"


@dataclass
class ZoneData:
    """A zone of the brand: ``zone.brand_data``.

    Attributes:
        futexes: Waiters by key, the longest waiting first; a key is
            (address space or backing object, address or offset, private).
        boot_id: /proc/sys/kernel/random/boot_id.
        memfs: Where the files of memfd_create live.
    """

    nodename: bytes = b"personae"
    domainname: bytes = b"(none)"
    release: bytes = RELEASE
    version: bytes = VERSION
    boot_id: bytes = b""
    core_pattern: bytes = b"core"
    futexes: dict[tuple[object, int, bool], list[FutexWaiter]] = field(
        default_factory=dict
    )
    memfs: TmpFs | None = None

    @classmethod
    def of_zone(cls, zone: Zone) -> ZoneData:
        """The data of a new zone, from its name and the options of its brand."""
        data = cls(nodename=zone.hostname.encode())
        options = getattr(zone, "options", None) or {}
        for key in ("release", "version", "domainname"):
            if key in options:
                setattr(data, key, str(options[key]).encode())
        raw = zone.kernel.random_bytes(16).hex()
        parts = (raw[:8], raw[8:12], "4" + raw[13:16], "8" + raw[17:20], raw[20:])
        data.boot_id = "-".join(parts).encode()
        return data


@dataclass
class FutexWaiter:
    """One lwp in FUTEX_WAIT.

    Attributes:
        cv: What it sleeps on, alone.
        woken: FUTEX_WAKE has chosen it.
    """

    lwp: Lwp
    key: tuple[object, int, bool]
    bitset: int
    cv: CondVar
    woken: bool = False

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


class Group:
    """Processes that share their directories and umask (CLONE_FS)."""

    def __init__(self, members: list[Proc]) -> None:
        self.members = members


@dataclass
class ProcData:
    """A process of the brand: ``proc.brand_data``.

    Attributes:
        exit_signal: Linux number of the signal its parent gets; 0 none.
        caps: Effective and permitted capabilities, if capset changed them.
        fs: Who shares directories and umask with it.
        vfork_cv: A parent in clone(VFORK) without VM waits here.
        exit_cv: Who polls a pidfd of it waits here.
    """

    exit_signal: int = 17
    dumpable: int = 1
    keepcaps: int = 0
    no_new_privs: int = 0
    pdeathsig: int = 0
    subreaper: int = 0
    thp_disable: int = 0
    timerslack: int = 50_000
    personality: int = 0
    oom_score_adj: int = 0
    nice: int = 0
    ioprio: int = 0
    membarrier: bool = False
    limits_set: bool = False
    caps: tuple[int, int] | None = None
    fs: Group | None = None
    vfork_cv: CondVar | None = None
    exit_cv: CondVar | None = None

    def forked(self) -> ProcData:
        """What a child starts with (kernel/fork.c, copy_process)."""
        new = ProcData.__new__(ProcData)
        new.__dict__ = self.__dict__.copy()
        new.pdeathsig = new.subreaper = 0
        new.fs = new.vfork_cv = new.exit_cv = None
        return new

    @staticmethod
    def zeroed() -> ProcData:
        """What a process starts with before the copy."""
        new = ProcData.__new__(ProcData)
        new.__dict__ = _ZERO.copy()
        return new

    def exec(self) -> None:
        """What a new program starts with (fs/exec.c, begin_new_exec)."""
        self.exit_signal = 17
        self.dumpable = 1
        self.keepcaps = 0


_ZERO = ProcData().__dict__


@dataclass
class LwpData:
    """A thread of the brand: ``lwp.brand_lwp``.

    Attributes:
        tid: Its number; 0 means the pid of its process, which the first lwp
            of a process goes by.
        futex: The wait that it is in.
        policy: Scheduling policy, as sched_setscheduler gave it.
        rtprio: Its priority, 1 to 99; 0 for a policy without.
    """

    tid: int = 0
    futex: FutexWaiter | None = None
    pidp: Any = None
    policy: int = 0
    rtprio: int = 0


def pdata(proc: Proc) -> ProcData:
    """The brand's data of a process; made at its first use."""
    data = proc.brand_data
    if not isinstance(data, ProcData):
        data = proc.brand_data = ProcData()
    return data


def ldata(lwp: Lwp) -> LwpData:
    """The brand's data of a lwp; made at its first use."""
    data = lwp.brand_lwp
    if not isinstance(data, LwpData):
        data = lwp.brand_lwp = LwpData()
    return data
