"""The machine as its user holds it: zones in, results out.

    m = Machine(seed=7)
    m.add_zone("web", brand="linux", rootfs="rootfs")
    r = m.zone("web").run(["/bin/busybox", "echo", "hi"])

``Machine`` owns one ``Kernel`` and drives it; nothing below it reads the host's
input, and it does so only through the door it is given (``Console``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from personae.core import savefile
from personae.core.brands import load_brands
from personae.core.classes import load_classes
from personae.core.config.units import parse_size
from personae.core.disp import IDLE, Status
from personae.core.kernel import Kernel, KernelConfig
from personae.core.observers import Observers
from personae.core.proc import SZOMB
from personae.core.rctl import RctlLocal, rctl_set_value
from personae.core.zone import ZoneState
from personae.core.zonelife import mount_brand
from personae.core.zonerun import ZoneHandle, install_root, show_root

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from personae.core.brand import Brand
    from personae.core.cls import SchedClass
    from personae.core.config.schema import Config
    from personae.core.cred import Priv
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode


class MachineError(Exception):
    """The machine can't do what it was asked; the text says what, where and why."""


class Deadlock(MachineError):
    """Every process waits for another, and no input can come."""


class TimeLimit(MachineError):
    """The virtual time that was allowed is over."""


class Door(Protocol):
    """Where a running machine meets the host: its input, its output.

    ``pump`` is called with the machine stopped at a trap.
    """

    def pump(self, idle: bool, until_ns: int | None) -> bool:
        """Move output out and input in.

        Args:
            idle: Nothing can run now.
            until_ns: Virtual nanoseconds to the next deadline when idle; None if
                there is none.

        Returns:
            Whether there was any input; when idle without deadline, False means
            that none can come any more.
        """
        ...


@dataclass(frozen=True)
class Snapshot:
    """A machine at one moment, for ``Machine.restore``."""

    data: bytes


class Machine:
    """A machine with its kernel, zones and plugins.

    Args:
        seed: The source of all chance in it.
        cpus: Number of harts.
        memory: Physical memory: bytes, or a text such as "256M".
        clock_hz: Cycles in a virtual second.
        quantum: Cycles of a time slice.
        schedule_seed: Another order of what runs; 0 is the plain one.
        brands: The personalities it knows; by default all that are installed.
        classes: Scheduling classes besides TS and SYS; by default all that are
            installed.
        plugins: Observers to register.
        plugin_policy: What becomes of a plugin that fails: "disable", "keep" or
            "panic".
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        cpus: int = 1,
        memory: int | str = 512 << 20,
        clock_hz: int = 1_000_000_000,
        brands: Iterable[Brand] | None = None,
        classes: Iterable[SchedClass] | None = None,
        schedule_seed: int = 0,
        plugins: Iterable[object] = (),
        plugin_policy: str = "disable",
        **more: Any,
    ) -> None:
        config = KernelConfig(
            seed=seed,
            cpus=cpus,
            memory=parse_size(memory),
            clock_hz=clock_hz,
            schedule_seed=schedule_seed,
            **more,
        )
        self._brands = list(load_brands() if brands is None else brands)
        self.kernel = Kernel(
            config, self._brands, load_classes() if classes is None else classes
        )
        self.plugins = Observers(policy=plugin_policy)
        self._attach()
        for p in plugins:
            self.plugins.register(p)

    @property
    def config(self) -> Config | None:
        """The file it was made from, if any; it is saved with the machine."""
        found: Config | None = self.kernel.description
        return found

    # ---- making ----

    @classmethod
    def from_toml(
        cls, path: str | Path, overrides: Mapping[str, Any] | None = None
    ) -> Machine:
        """A machine as a TOML file describes it; its zones are made, not booted.

        Args:
            path: The file.
            overrides: Dotted keys and values that go before the file's, such as
                ``{"machine.seed": 7}``.

        Raises:
            ConfigError: The file is wrong; every error with its line.
        """
        from personae.core import config
        from personae.core.fromconfig import build

        return build(cls, config.load(Path(path), overrides=dict(overrides or {})))

    def add_zone(
        self,
        name: str,
        *,
        brand: str = "linux",
        rootfs: str | Path | None = None,
        hostname: str = "",
        max_lwps: int | None = None,
        max_processes: int | None = None,
        memory: int | str | None = None,
        mounts: Sequence[tuple[str, str, bool]] = (),
        limitpriv: frozenset[Priv] | None = None,
        pool: str | None = None,
        scheduling_class: str | None = None,
        cpu_shares: int | None = None,
        capped_cpu: float | None = None,
        options: Mapping[str, object] | None = None,
        zonepath: str | None = None,
        root: Vnode | None = None,
        acct: int = 0,
        boot: bool = True,
    ) -> ZoneHandle:
        """Make a zone and boot it.

        Args:
            name: Its name.
            brand: Its personality.
            rootfs: A folder or .tar of the host, never written to; None for an
                empty root.
            hostname: Node name, the zone's name by default.
            max_lwps: Limit of lwps in it.
            max_processes: Limit of processes in it.
            memory: Limit of physical memory (capped-memory).
            mounts: Host folders to share: (host path, path in the zone, read only).
            limitpriv: Privileges its processes can have.
            pool: The pool it is bound to, the default one by default.
            scheduling_class: Of its processes; by default FSS if it has shares,
                else what its pool says.
            cpu_shares: Its part of the CPU time among zones in FSS.
            capped_cpu: The most CPU time it gets, in CPUs; a fraction is allowed.
            options: The brand's own options.
            zonepath: Where the global zone finds it: its root is ``root`` there, if
                the global zone has a file tree (``set_global``); /zones/NAME by
                default.
            root: The files it had at an earlier boot, in place of ``rootfs`` and
                ``mounts``.
            acct: The account that paid for them.
            boot: Whether to boot it at once.

        Raises:
            MachineError: A path does not exist, the name is taken, or there is no
                such pool or class.
        """
        k = self.kernel
        if scheduling_class is None and cpu_shares is not None:
            scheduling_class = "FSS"
        if scheduling_class is not None and scheduling_class not in k.classes:
            raise MachineError(f"zone {name}: no scheduling class {scheduling_class}")
        if pool is not None and pool not in k.pools:
            raise MachineError(f"zone {name}: no pool {pool}")
        if memory is not None and acct == 0:
            acct = k.hw.acct_create(max(1, parse_size(memory) >> 12))
            if acct == 0:
                raise MachineError(f"zone {name}: too many zones with capped memory")
        zone = k.zone_create(
            name,
            brand,
            hostname=hostname,
            acct=acct,
            limit=limitpriv,
            options=dict(options or {}),
        )
        if max_lwps is not None:
            zone.set_rctl("zone.max-lwps", max_lwps)
        if max_processes is not None:
            zone.set_rctl("zone.max-processes", max_processes)
        zone.pool = k.pools[pool] if pool is not None else None
        zone.sched_class = scheduling_class or ""
        if cpu_shares is not None:
            rctl_set_value(
                zone.rctls, "zone.cpu-shares", cpu_shares, RctlLocal.NOACTION
            )
        if capped_cpu is not None:
            zone.set_rctl("zone.cpu-cap", max(1, round(capped_cpu * 100)))
        if memory is not None:
            zone.set_rctl("zone.max-physical-memory", parse_size(memory))
        if root is None:
            install_root(k, zone, Path(rootfs) if rootfs is not None else None, mounts)
        else:
            zone.root = root
        show_root(zone, zonepath or f"/zones/{name}")
        if boot:
            k.zone_boot(zone)
        return ZoneHandle(self, zone.id)

    def set_global(
        self,
        *,
        rootfs: str | Path | None = None,
        hostname: str = "",
        mounts: Sequence[tuple[str, str, bool]] = (),
    ) -> ZoneHandle:
        """Give the global zone a file tree, so that programs can run in it.

        The roots of zones that are added later appear in it.

        Args:
            rootfs: A folder or .tar of the host, never written to; None for an
                empty root.
            hostname: Node name.
            mounts: Host folders to share: (host path, path in the zone, read only).

        Raises:
            MachineError: It has one.
        """
        zone = self.kernel.zones[0]
        if zone.root is not None:
            raise MachineError("the global zone has a root already")
        zone.hostname = hostname or zone.hostname
        root = Path(rootfs) if rootfs is not None else None
        install_root(self.kernel, zone, root, mounts)
        mount_brand(zone)
        return ZoneHandle(self, 0)

    # ---- looking ----

    def zone(self, name: str) -> ZoneHandle:
        """The zone of that name.

        Raises:
            KeyError: There is none.
        """
        for z in self.kernel.zones.values():
            if z.name == name:
                return ZoneHandle(self, z.id)
        known = ", ".join(z.name for z in self.kernel.zones.values())
        raise KeyError(f"no zone {name!r}; there are: {known}")

    @property
    def zones(self) -> list[ZoneHandle]:
        """All zones by id, the global one first."""
        return [ZoneHandle(self, z) for z in sorted(self.kernel.zones)]

    def digest(self) -> str:
        """Hash over all that the guests did: calls, results, output, instructions."""
        return self.kernel.digest()

    def report(self) -> dict[str, Any]:
        """What happened so far, as plain data (see ``--report``)."""
        from personae.core.report import run_report

        return run_report(self.kernel)

    def ptree(self, zone: str | None = None) -> str:
        """Print the processes as a tree, like the ptree command of illumos."""
        from personae.core.report import ptree

        return ptree(self.kernel, zone)

    # ---- running ----

    def boot(self) -> Self:
        """Boot every zone that is not booted yet; a context manager that halts."""
        for z in list(self.kernel.zones.values()):
            if z.state is ZoneState.INITIALIZED:
                self.kernel.zone_boot(z)
        return self

    def halt(self) -> None:
        """Halt every zone but the global one."""
        for z in list(self.kernel.zones.values()):
            if z.id != 0 and z.state < ZoneState.DOWN:
                self.kernel.zone_halt(z)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.halt()

    def step(self, limit: int | None = None) -> Status:
        """Let one lwp run on one CPU, or time go on (see ``Dispatcher.step``)."""
        return self.kernel.disp.step(limit)

    def run_until(
        self,
        procs: Sequence[Proc],
        *,
        door: Door | None = None,
        limit: int | None = None,
    ) -> None:
        """Run until every process of ``procs`` has exited.

        Args:
            procs: What to wait for.
            door: The host's side.
            limit: Virtual time in cycles by which they must have.

        Raises:
            Deadlock: Nothing can run any more and no input can come.
            TimeLimit: The limit was reached.
        """
        k = self.kernel
        disp = k.disp
        while _any_alive(procs):
            if limit is not None and k.now >= limit and not disp.nrunnable:
                raise TimeLimit(_still(procs))
            idle = not disp.nrunnable
            if door is not None:
                when = disp.next_deadline() if idle else None
                until = None if when is None else _ns(k, when - k.now)
                if door.pump(idle, until):
                    continue
            if disp.step(limit) is IDLE and not disp.nrunnable:
                raise Deadlock(_still(procs))
            if limit is not None and min(c.clock for c in k.cpus) >= limit:
                raise TimeLimit(_still(procs))
        if door is not None:
            door.pump(False, None)

    def run_for(self, ns: int, door: Door | None = None) -> bool:
        """Run for so many virtual nanoseconds, or until nothing can run any more.

        Returns:
            Whether it came to rest: only input can wake it.
        """
        limit = self.kernel.now + self.kernel.cycles(ns)
        try:
            self.run_until([self.kernel.p0], door=door, limit=limit)
        except Deadlock:
            return True
        except TimeLimit:
            pass
        return False

    # ---- saving ----

    def snapshot(self) -> Snapshot:
        """The whole machine at this moment; it must not be inside a step."""
        return Snapshot(savefile.dump(self.kernel, level=0))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; zone handles stay good, process objects do not."""
        self.kernel = savefile.load(snapshot.data, self._brands)
        self._attach()

    def save(self, path: str | Path) -> None:
        """Write the machine to a file."""
        Path(path).write_bytes(savefile.dump(self.kernel))

    @classmethod
    def load(cls, path: str | Path, brands: Iterable[Brand] | None = None) -> Machine:
        """The machine that ``save`` wrote, in this or another program.

        Raises:
            SaveError: The file is no machine, damaged, or needs a brand that is
                not installed.
        """
        self = cls.__new__(cls)
        self._brands = list(load_brands() if brands is None else brands)
        self.kernel = savefile.load(Path(path).read_bytes(), self._brands)
        self.plugins = Observers()
        self._attach()
        return self

    def _attach(self) -> None:
        """Let the plugins watch the kernel, which may be another one now."""
        self.plugins.notify = self.kernel.notice
        self.plugins.attach(self.kernel.brands.brands)
        self.kernel.observers = self.plugins


def _any_alive(procs: Sequence[Proc]) -> bool:
    for p in procs:  # noqa: SIM110 (asked at each step, and a generator is slow)
        if p.stat is not SZOMB:
            return True
    return False


def _ns(k: Kernel, cycles: int) -> int:
    return max(0, cycles) * 1_000_000_000 // k.config.clock_hz


def _still(procs: Sequence[Proc]) -> str:
    alive = [p for p in procs if p.stat is not SZOMB]
    return "still there: " + ", ".join(
        f"{p.pid} {p.user.u_comm.decode(errors='replace')}" for p in alive
    )
