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
        epoch_ns=mc.epoch,
        brands=load_brands(),
    )
    machine.config = config
    for name, pool in config.pools.items():
        machine.kernel.pool_create(name, pool.cpus, pool.scheduler)
    for zone in config.zones.values():
        if zone.name != "global":
            _add_zone(machine, zone)
    wanted = [n for n in config.plugins.enable if n not in config.plugins.disable]
    if config.faults and "faults" not in config.plugins.disable:
        wanted.append("faults")
    for name in dict.fromkeys(wanted):
        machine.plugins.register(load_plugin(name, config), name)
    return machine


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
        pool=conf.pool,
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
