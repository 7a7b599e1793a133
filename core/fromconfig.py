"""A machine out of a validated configuration.

Everything that was wrong with the file has been said by ``core.config``; here it
only becomes zones, limits and plugins.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, TypeVar

from personae.core.brands import load_brands
from personae.core.cred import PRIV_ZONE, parse_privs
from personae.core.plugin import PluginError

if TYPE_CHECKING:
    from personae.core.config.schema import Config, ZoneConf
    from personae.core.machine import Machine

M = TypeVar("M", bound="Machine")

PLUGIN_GROUP = "personae.plugins"


def build(cls: type[M], config: Config) -> M:
    """The machine that ``config`` describes: zones made, not booted.

    Raises:
        PluginError: A plugin that is asked for is not installed or does not load.
    """
    mc = config.machine
    machine = cls(
        seed=mc.seed,
        cpus=mc.cpus,
        memory=mc.memory,
        clock_hz=mc.clock_hz,
        quantum=mc.quantum,
        schedule_seed=mc.schedule_seed,
        lock_checking=mc.lock_checking,
        epoch_ns=mc.epoch,
        brands=load_brands(),
    )
    machine.config = config
    make_pools(machine, config)
    for zone in config.zones.values():
        if zone.name != "global":
            _add_zone(machine, zone)
    wanted = [n for n in config.plugins.enable if n not in config.plugins.disable]
    if config.faults and "faults" not in config.plugins.disable:
        wanted.append("faults")
    for name in dict.fromkeys(wanted):
        machine.plugins.register(load_plugin(name, config), name)
    return machine


def dedicated_pool(zone: str) -> str:
    """Name of the pool of a zone with dedicated CPUs (zonecfg(8))."""
    return f"SUNWtmp_{zone}"


def make_pools(machine: Machine, config: Config) -> None:
    """The pools of the file, and one for each zone with dedicated CPUs.

    Dedicated CPUs are the highest of those that no pool names; the default pool and
    pools without CPUs of their own have the others.  A range of counts is filled by
    importance while CPUs are there.
    """
    ncpus = config.machine.cpus
    pooled = {cpu for pool in config.pools.values() for cpu in pool.cpus}
    free = [cpu for cpu in range(ncpus) if cpu not in pooled]
    keep = 0 if pooled else 1
    zones = [z for z in config.zones.values() if z.dedicated_cpu is not None]
    wanted = {z.name: z.dedicated_cpu for z in zones if z.dedicated_cpu is not None}
    counts = {name: dc.ncpus[0] for name, dc in wanted.items()}
    for name, dc in sorted(wanted.items(), key=lambda w: -w[1].importance):
        spare = max(0, len(free) - keep - sum(counts.values()))
        counts[name] += min(spare, dc.ncpus[1] - dc.ncpus[0])
    taken: set[int] = set()
    for name, count in counts.items():
        mine = tuple(free[len(free) - count :])
        del free[len(free) - count :]
        taken.update(mine)
        machine.kernel.pool_create(dedicated_pool(name), mine)
    rest = tuple(cpu for cpu in range(ncpus) if cpu not in taken)
    machine.kernel.pool_create("default", rest)
    for name, pool in config.pools.items():
        machine.kernel.pool_create(name, pool.cpus or rest, pool.scheduler)


def _add_zone(machine: Machine, conf: ZoneConf) -> None:
    capped = conf.capped_memory
    handle = machine.add_zone(
        conf.name,
        brand=conf.brand,
        rootfs=conf.rootfs,
        hostname=conf.hostname or "",
        max_lwps=conf.max_lwps,
        max_processes=conf.max_processes,
        memory=capped.physical if capped is not None else None,
        mounts=[
            (fs.special or "", fs.dir, "ro" in fs.options)
            for fs in conf.fs
            if fs.type == "lofs"
        ],
        limitpriv=(
            parse_privs(conf.limitpriv, PRIV_ZONE)
            if conf.limitpriv is not None
            else None
        ),
        pool=dedicated_pool(conf.name) if conf.dedicated_cpu else conf.pool,
        scheduling_class=conf.scheduling_class,
        cpu_shares=conf.cpu_shares,
        capped_cpu=conf.capped_cpu.ncpus if conf.capped_cpu is not None else None,
        options=dict(conf.brand_options),
        boot=False,
    )
    if capped is not None and capped.swap is not None:
        handle.zone.set_rctl("zone.max-swap", capped.swap)
    if capped is not None and capped.locked is not None:
        handle.zone.set_rctl("zone.max-locked-memory", capped.locked)
    for fs in conf.fs:
        if fs.type == "tmpfs":
            handle.mount_tmpfs(fs.dir)


def load_plugin(name: str, config: Config) -> object:
    """Make the plugin of an entry point: it is a callable that takes the config.

    Raises:
        PluginError: It is not installed, or does not load; the text says which.
    """
    points = {p.name: p for p in entry_points(group=PLUGIN_GROUP)}
    point = points.get(name)
    if point is None:
        known = ", ".join(sorted(points)) or "none"
        raise PluginError(f"no plugin {name!r} is installed; there are: {known}")
    try:
        make: Any = point.load()
        plugin: object = make(config)
    except Exception as e:  # whatever a plugin does, the user is told
        raise PluginError(
            f"plugin {name} ({point.value}) can't be loaded: {type(e).__name__}: {e}"
        ) from e
    return plugin
