"""The configuration of a machine as classes: every table and every key.

These classes are the one description: the validator walks them, the JSON
Schema is generated from them, and the kernel is built from their instances.
The vocabulary is that of zonecfg(8), in kebab case.  Values are plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from personae.core.config.errors import Path, Problem, Where
from personae.core.config.markers import (
    CpuSet,
    Epoch,
    HostFile,
    Names,
    Ncpus,
    Occurrence,
    OneOf,
    OneOrMany,
    Pattern,
    Range,
    Size,
)
from personae.core.config.units import When
from personae.core.errno import Errno

ZONE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
ZONE_NAME_MEANT = "letters, digits, '-', '_' and '.', at most 63, as in zonecfg(8)"
ABSOLUTE = Pattern(r"/.*", "an absolute path inside the zone, such as /data")
ERRNO_NAMES = tuple(errno.name for errno in Errno)


@dataclass(frozen=True)
class MachineConf:
    """The machine that all zones share."""

    seed: Annotated[int, Range(0, 2**64 - 1), "the source of all chance"] = 0
    cpus: Annotated[int, Range(1, 64), "harts, RV64GC with Sv39"] = 1
    memory: Annotated[int, Size(1 << 20), "physical memory"] = 512 << 20
    quantum: Annotated[int, Range(100), "instructions in a time slice"] = 1_000_000
    clock_hz: Annotated[
        int, Range(1_000_000, 1_000_000_000), "instructions a virtual second"
    ] = 1_000_000_000
    epoch: Annotated[int, Epoch(), "the virtual time of day at boot"] = (
        1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
    )
    schedule_seed: Annotated[
        int, Range(0, 2**64 - 1), "another order of what runs; 0 is the plain one"
    ] = 0
    lock_checking: Annotated[bool, "the kernel checks its locks: order, owner"] = True
    engine: Annotated[Literal["c", "python"], "what executes instructions"] = "c"


@dataclass(frozen=True)
class PoolConf:
    """A set of CPUs with a scheduling class of its own; poolcfg(8)."""

    name: str = field(default="", metadata={"from": "name"})
    cpus: Annotated[tuple[int, ...], CpuSet(), "such as 0-1"] = ()
    scheduler: Literal["FSS", "TS", "IA", "FX", "RT"] = "TS"


@dataclass(frozen=True)
class PluginsConf:
    """Which plugins are loaded."""

    enable: Annotated[tuple[str, ...], "plugins to load besides the automatic"] = ()
    disable: Annotated[tuple[str, ...], "plugins not to load"] = ()
    on_failure: Annotated[
        Literal["disable", "keep", "panic"], "what becomes of a plugin that fails"
    ] = "disable"


@dataclass(frozen=True)
class CappedMemory:
    """Memory limits of a zone; at least one of the three."""

    physical: Annotated[int | None, Size(1 << 16), "frames it may hold"] = None
    swap: Annotated[int | None, Size(1 << 16), "memory it may reserve"] = None
    locked: Annotated[int | None, Size(1 << 12), "memory it may lock"] = None


@dataclass(frozen=True)
class CappedCpu:
    """The most CPU time a zone gets."""

    ncpus: Annotated[float, Range(0.01, 1024), "CPUs, a fraction is allowed"]


@dataclass(frozen=True)
class DedicatedCpu:
    """CPUs that belong to one zone alone."""

    ncpus: Annotated[tuple[int, int], Ncpus(), "a count, or a range such as 1-4"]
    importance: Annotated[int, Range(0)] = 1


@dataclass(frozen=True)
class User:
    """The credentials of a zone's first process."""

    uid: Annotated[int, Range(0, 2**31 - 1)] = 0
    gid: Annotated[int, Range(0, 2**31 - 1)] = 0


@dataclass(frozen=True)
class InitConf:
    """The first process of a zone."""

    args: Annotated[tuple[str, ...], "the program and its arguments"]
    cwd: Annotated[str, ABSOLUTE, "its working directory"] = "/"
    env: Annotated[dict[str, str], "its environment"] = field(default_factory=dict)
    user: User = User()


@dataclass(frozen=True)
class FsConf:
    """A file system mounted in a zone."""

    dir: Annotated[str, ABSOLUTE, "where in the zone"]
    special: Annotated[
        str | None,
        HostFile("a host folder to share", "create it or correct 'special'"),
        "the host folder, relative to this file",
    ] = None
    type: Literal["lofs", "tmpfs"] = "lofs"
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetConf:
    """A network interface of a zone."""

    physical: str
    address: str | None = None
    allowed_address: str | None = None
    defrouter: str | None = None


@dataclass(frozen=True)
class AttrConf:
    """A note attached to a zone; zonecfg(8) attr."""

    name: str
    value: str
    type: Literal["string", "int", "uint", "boolean"] = "string"


@dataclass(frozen=True)
class ZoneConf:
    """One zone; the table's name is the zone's."""

    name: str = field(default="", metadata={"from": "name"})
    brand: Annotated[str, "the personality, as `personae brands` lists it"] = "native"
    zonepath: Annotated[str | None, "shown by list; nothing is stored there"] = None
    rootfs: Annotated[
        str | None,
        HostFile(
            "a folder or a .tar",
            "make one with: personae rootfs TARGET busybox-static",
        ),
        "read-only lower layer of the root",
    ] = None
    hostname: Annotated[
        str | None, Pattern(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62})", "a host name")
    ] = None
    autoboot: Annotated[bool, "started by `personae up`"] = True
    ip_type: Literal["shared", "exclusive"] = "shared"
    pool: str | None = None
    scheduling_class: Literal["FSS", "TS", "IA", "FX", "RT"] | None = None
    cpu_shares: Annotated[int | None, Range(1, 65535)] = None
    max_lwps: Annotated[int | None, Range(1, 2**31 - 1)] = None
    max_processes: Annotated[int | None, Range(1, 2**31 - 1)] = None
    limitpriv: Annotated[str | None, "privileges, such as default,!sys_time"] = None
    capped_memory: CappedMemory | None = None
    capped_cpu: CappedCpu | None = None
    dedicated_cpu: DedicatedCpu | None = None
    init: InitConf | None = None
    fs: tuple[FsConf, ...] = ()
    net: tuple[NetConf, ...] = ()
    attr: tuple[AttrConf, ...] = ()
    brand_table: dict[str, dict[str, object]] = field(
        default_factory=dict, metadata={"from": "rest", "named-by": "brand"}
    )

    @property
    def brand_options(self) -> Mapping[str, object]:
        """The brand's own table, ``[zone.NAME.BRAND]``."""
        return self.brand_table.get(self.brand, {})


@dataclass(frozen=True, kw_only=True)
class FaultConf:
    """A failure to inject; the first rule that matches wins."""

    zone: Annotated[str | None, "only in this zone"] = None
    process: Annotated[str | None, "only in programs of this name"] = None
    syscall: Annotated[
        tuple[str, ...], OneOrMany("system call"), "calls that fail"
    ] = ()
    point: Annotated[str | None, "a named step of the kernel"] = None
    when: Annotated[When, Occurrence(), "which occurrences, as strace --inject"] = (
        field(default=When())
    )
    error: Annotated[str, OneOf(ERRNO_NAMES, "error name"), "such as EAGAIN"]


@dataclass(frozen=True)
class Config:
    """A whole configuration file, validated."""

    schema: Annotated[Literal[1], "the version of this format"] = 1
    extends: Annotated[str | None, "a file that this one builds on"] = None
    machine: MachineConf = MachineConf()
    pools: Annotated[
        dict[str, PoolConf], Names(r"[A-Za-z0-9_.-]+", "letters, digits, '-._'")
    ] = field(default_factory=dict, metadata={"key": "pool"})
    plugins: PluginsConf = PluginsConf()
    plugin_tables: dict[str, dict[str, object]] = field(
        default_factory=dict, metadata={"key": "plugin"}
    )
    zones: Annotated[dict[str, ZoneConf], Names(ZONE_NAME, ZONE_NAME_MEANT)] = field(
        default_factory=dict, metadata={"key": "zone"}
    )
    faults: tuple[FaultConf, ...] = field(default=(), metadata={"key": "fault"})
    source: str = field(default="", metadata={"from": "file"})
    places: Mapping[Path, Where] = field(
        default_factory=dict, metadata={"from": "file"}, repr=False, compare=False
    )
    warnings: tuple[Problem, ...] = field(default=(), metadata={"from": "file"})

    def locate(self, *path: str | int) -> Where:
        """The place of a key, or of the nearest table that contains it."""
        return place_of(self.places, path, self.source)


def place_of(places: Mapping[Path, Where], path: Path, source: str) -> Where:
    """Look a path up, then its parents, then the file."""
    for length in range(len(path), 0, -1):
        where = places.get(path[:length])
        if where is not None:
            return where
    return Where(source)
