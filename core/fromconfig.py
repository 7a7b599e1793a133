"""A machine out of a validated configuration.

Everything that was wrong with the file has been said by ``core.config``; here it
only becomes zones, limits and plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from personae.core.brands import load_brands
from personae.core.config.schema import ZoneConf
from personae.core.points import load_plugin, wanted
from personae.core.zoneadm import GLOBAL, Installed, make, make_global

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.config.schema import Config
    from personae.core.machine import Machine

M = TypeVar("M", bound="Machine")


def build(cls: type[M], config: Config, picks: Sequence[str] = ()) -> M:
    """The machine that ``config`` describes: zones made, not booted.

    Args:
        cls: The class to make.
        config: The file.
        picks: Plugins besides those of the file; ``no:NAME`` leaves one out.

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
    machine.kernel.description = config
    make_pools(machine, config)
    install_zones(machine, config)
    load_plugins(machine, config, picks)
    return machine


def install_zones(machine: Machine, config: Config) -> None:
    """The zones of the file: made, not booted; the global one first."""
    installed = machine.kernel.installed
    installed[GLOBAL] = Installed(config.zones.get(GLOBAL, ZoneConf(name=GLOBAL)))
    make_global(machine, installed[GLOBAL])
    for conf in config.zones.values():
        if conf.name != GLOBAL:
            own = dedicated_pool(conf.name) if conf.dedicated_cpu else None
            inst = installed[conf.name] = Installed(conf, dedicated=own)
            make(machine, inst)


def load_plugins(machine: Machine, config: Config, picks: Sequence[str] = ()) -> None:
    """Register the plugins that the file and ``picks`` ask for; each begins anew.

    Raises:
        PluginError: One is not installed or does not load.
    """
    machine.plugins.policy = config.plugins.on_failure
    for name in wanted(config, picks):
        machine.plugins.register(load_plugin(name, config), name)


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
