"""What zonecfg(8) demands beyond types, and what this version cannot do yet.

The rules look at a document whose tables already have the right shape.  They
report through the same walk as the validator, so that one run of the check
shows everything.  ``UNSUPPORTED`` is the one list of keys that the format has
and this version's kernel does not honour: nothing is ignored silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from personae.core.config.errors import Path, did_you_mean
from personae.core.config.schema import (
    AttrConf,
    Config,
    FaultConf,
    FsConf,
    NetConf,
    User,
    ZoneConf,
)
from personae.core.config.walker import Walk
from personae.core.cred import Priv

UNSUPPORTED: dict[str, tuple[str, str]] = {
    "machine.engine=python": ("error", "only the C engine exists; remove the key"),
    "zone.*.ip-type=exclusive": ("warning", "zones have no network"),
    "zone.*.capped-memory.locked": ("warning", "no memory is ever locked"),
    "zone.*.fs.*.options.*=devices": ("error", "a host's device cannot be opened"),
    "zone.*.fs.*.options.*=nosetuid": ("warning", "set-id bits keep their effect"),
    "zone.*.fs.*.options.*=noexec": ("warning", "files there can be executed"),
    "zone.*.net": ("warning", "zones have no network"),
}
"""Key pattern, with ``=value`` where only one value is meant: severity, reason."""

FS_OPTIONS = (
    "ro", "rw", "devices", "nodevices", "setuid", "nosetuid", "exec", "noexec",
)  # fmt: skip
PRIVILEGE_SETS = ("all", "basic", "default", "none", "zone")
NOT_IN_GLOBAL = ("zonepath", "autoboot", "ip-type", "net")
IN_GLOBAL = ("brand", "rootfs", "hostname", "cpu-shares", "init", "fs", "attr")
"""What the global zone's table may say: it always runs, and has no limits."""


@dataclass(frozen=True)
class Known:
    """What is installed; None leaves the names of a kind unchecked.

    Attributes:
        brands: The keys of each brand's own table, or a dataclass that describes it;
            None when the brand does not say.
        plugins: Names of plugins; as a mapping, with the dataclass of their options.
    """

    brands: Mapping[str, Collection[str] | type | None] | None = None
    plugins: Collection[str] | Mapping[str, type | None] | None = None


def check_rules(
    walk: Walk, raw: dict[str, object], config: Config, known: Known
) -> None:
    """Report every broken rule of a document that has the right shape."""
    for name, zone in config.zones.items():
        zone_rules(walk, subtable(raw, "zone", name), zone, config)
        if known.brands is not None:
            brand_rules(walk, zone, known.brands)
    for number, fault in enumerate(config.faults):
        fault_rules(walk, fault, ("fault", number), config)
    for name, pool in config.pools.items():
        beyond = [cpu for cpu in pool.cpus if cpu >= config.machine.cpus]
        if beyond:
            count = config.machine.cpus
            text = f"CPU {beyond[0]} does not exist: machine.cpus is {count}"
            walk.error(("pool", name, "cpus"), text)
    dedicated_rules(walk, config)
    plugin_rules(walk, config, known.plugins)
    unsupported(walk, raw)


def brand_rules(
    walk: Walk, zone: ZoneConf, brands: Mapping[str, Collection[str] | type | None]
) -> None:
    """The brand exists, and its own table has keys that it knows."""
    path: Path = ("zone", zone.name)
    if zone.brand not in brands:
        hint = did_you_mean(zone.brand, sorted(brands))
        text = f"no brand {zone.brand!r} is installed ({hint})"
        walk.error((*path, "brand"), text)
        return
    options = brands[zone.brand]
    if isinstance(options, type):
        walk.table(options, dict(zone.brand_options), (*path, zone.brand))
        return
    for key in zone.brand_options:
        if options is not None and key not in options:
            hint = did_you_mean(key, tuple(options))
            text = f"brand {zone.brand!r} has no such option ({hint})"
            walk.error((*path, zone.brand, key), text)


def dedicated_rules(walk: Walk, config: Config) -> None:
    """Dedicated CPUs are those of no pool, and one stays for everybody else."""
    pooled = {cpu for pool in config.pools.values() for cpu in pool.cpus}
    room = config.machine.cpus - len(pooled) - (0 if pooled else 1)
    for zone in config.zones.values():
        if zone.dedicated_cpu is None:
            continue
        room -= zone.dedicated_cpu.ncpus[0]
        if room < 0:
            text = (
                f"too many CPUs: machine.cpus is {config.machine.cpus}, and those of "
                "pools, of other zones and one for the rest can't be had"
            )
            walk.error(("zone", zone.name, "dedicated-cpu", "ncpus"), text)
            return


def plugin_rules(
    walk: Walk,
    config: Config,
    plugins: Collection[str] | Mapping[str, type | None] | None,
) -> None:
    """Plugins that are asked for exist; a table belongs to one that is enabled."""
    enabled, disabled = config.plugins.enable, config.plugins.disable
    for name in sorted(set(enabled) & set(disabled)):
        walk.error(("plugins",), f"{name!r} is both enabled and disabled: keep one")
    for number, name in enumerate(enabled):
        if plugins is not None and name not in plugins:
            hint = did_you_mean(name, sorted(plugins))
            text = f"no plugin {name!r} is installed ({hint})"
            walk.error(("plugins", "enable", number), text)
    for name, table in config.plugin_tables.items():
        options = plugins.get(name) if isinstance(plugins, Mapping) else None
        if options is not None:
            walk.table(options, table, ("plugin", name))
        if name not in enabled:
            text = f"has no effect: plugin {name!r} is not in plugins.enable"
            walk.warning(("plugin", name), text)


def zone_rules(
    walk: Walk, raw: dict[str, object], zone: ZoneConf, config: Config
) -> None:
    """The rules of zonecfg(8) for one zone."""
    path: Path = ("zone", zone.name)
    if zone.name.startswith("SUNW"):
        walk.error(
            path, "names that begin with SUNW are reserved, zonecfg(8): choose another"
        )
    if zone.name == "global":
        global_rules(walk, raw)
    if "dedicated-cpu" in raw:
        for key in ("pool", "cpu-shares"):
            if key in raw:
                text = "excluded by 'dedicated-cpu': keep one of the two"
                walk.error((*path, key), text)
    if raw.get("capped-memory") == {}:
        text = "at least one of 'physical', 'swap', 'locked' must be given"
        walk.error((*path, "capped-memory"), text)
    if zone.pool is not None and zone.pool not in {"default", *config.pools}:
        hint = did_you_mean(zone.pool, sorted({"default", *config.pools}))
        walk.error((*path, "pool"), f"no pool {zone.pool!r} in this file ({hint})")
    lwps, processes = zone.max_lwps, zone.max_processes
    if lwps is not None and processes is not None and lwps < processes:
        text = f"{lwps} is below max-processes {processes}: a process has an lwp"
        walk.error((*path, "max-lwps"), text)
    if zone.limitpriv is not None:
        privilege_rules(walk, zone.limitpriv, (*path, "limitpriv"))
    if zone.init is not None and not zone.init.args:
        walk.error((*path, "init", "args"), "an empty array names no program")
    if zone.init is not None and zone.init.user != User():
        text = "not supported in this version: the first process runs as root"
        walk.error((*path, "init", "user"), text)
    for number, fs in enumerate(zone.fs):
        fs_rules(walk, fs, (*path, "fs", number))
    for number, net in enumerate(zone.net):
        net_rules(walk, net, zone.ip_type, (*path, "net", number))
    for number, attr in enumerate(zone.attr):
        attr_rules(walk, attr, (*path, "attr", number))
    repeated(walk, [fs.dir for fs in zone.fs], (*path, "fs"), "dir")
    repeated(walk, [attr.name for attr in zone.attr], (*path, "attr"), "name")


def global_rules(walk: Walk, raw: dict[str, object]) -> None:
    """The global zone is the machine's own: most keys have no meaning there."""
    for key, value in raw.items():
        path: Path = ("zone", "global", key)
        if key in NOT_IN_GLOBAL:
            walk.error(path, "the global zone has no such property")
        elif key not in IN_GLOBAL:
            walk.warning(
                path, "not supported in this version: the global zone has no limits"
            )
        elif key == "brand" and value != "native":
            walk.error(path, "the global zone is always of brand 'native'")


def repeated(walk: Walk, names: list[str], path: Path, key: str) -> None:
    """Two resources of a zone must not have the same identifying key."""
    for number, name in enumerate(names):
        first = names.index(name)
        if first < number:
            where = walk.where((*path, first))
            text = f"{name!r} is already taken at {where}"
            walk.error((*path, number, key), text)


def privilege_rules(walk: Walk, text: str, path: Path) -> None:
    """``default,!sys_time``: sets and privileges, ``!`` or ``-`` removes."""
    known = (*PRIVILEGE_SETS, *(privilege.name.lower() for privilege in Priv))
    for word in text.split(","):
        name = re.sub(r"^[!-]", "", word.strip()).lower()
        if name not in known:
            close = did_you_mean(name, known)
            hint = close if close.startswith("did") else "see privileges(7)"
            walk.error(path, f"no privilege or set {word.strip()!r} ({hint})")


def fs_rules(walk: Walk, fs: FsConf, path: Path) -> None:
    """A mounted file system: what its type needs, and options that exist."""
    known_bad = walk.reported((*path, "special"))
    if fs.type == "lofs" and fs.special is None and not known_bad:
        text = "the key 'special' is missing: the host folder to mount"
        walk.error(path, text)
    if fs.type == "tmpfs" and fs.special is not None:
        walk.error((*path, "special"), "a tmpfs has no host folder; remove the key")
    if ".." in fs.dir.split("/"):
        walk.error((*path, "dir"), f"{fs.dir!r} must not contain '..'")
    for number, option in enumerate(fs.options):
        if option not in FS_OPTIONS:
            hint = did_you_mean(option, FS_OPTIONS)
            text = f"unknown mount option {option!r} ({hint})"
            walk.error((*path, "options", number), text)
    if {"ro", "rw"} <= set(fs.options):
        walk.error((*path, "options"), "both 'ro' and 'rw': keep one")


def net_rules(walk: Walk, net: NetConf, ip_type: str, path: Path) -> None:
    """``address`` is for shared stacks, ``allowed-address`` for exclusive ones."""
    for key, value, wanted in (
        ("address", net.address, "shared"),
        ("allowed-address", net.allowed_address, "exclusive"),
        ("defrouter", net.defrouter, None),
    ):
        if value is None:
            continue
        if wanted is not None and ip_type != wanted:
            walk.error((*path, key), f"only for zones with ip-type = {wanted!r}")
        if not is_address(value):
            text = f'expected an address such as "10.0.0.2/24", got {value!r}'
            walk.error((*path, key), text)


def is_address(text: str) -> bool:
    """Whether this is an IP address, with or without a prefix length."""
    from ipaddress import ip_interface  # 5 ms to import, and rarely needed

    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def attr_rules(walk: Walk, attr: AttrConf, path: Path) -> None:
    """The value of an attr, always a string, must be of its type."""
    meant = {
        "int": (r"-?[0-9]+", "an integer"),
        "uint": (r"[0-9]+", "an unsigned integer"),
        "boolean": (r"true|false", "true or false"),
        "string": (r"(?s:.*)", "a string"),
    }
    pattern, words = meant[attr.type]
    if not re.fullmatch(pattern, attr.value):
        text = f"{attr.value!r} is not {words}, as type = {attr.type!r} says"
        walk.error((*path, "value"), text)


def fault_rules(walk: Walk, fault: FaultConf, path: Path, config: Config) -> None:
    """A fault names what fails: calls or a kernel step, not both, not neither."""
    if bool(fault.syscall) == (fault.point is not None):
        text = "give one of 'syscall' and 'point'"
        walk.error(path, f"{text}, not both" if fault.syscall else text)
    if fault.zone is not None and fault.zone not in {"global", *config.zones}:
        hint = did_you_mean(fault.zone, sorted({"global", *config.zones}))
        walk.error((*path, "zone"), f"no zone {fault.zone!r} in this file ({hint})")


def unsupported(walk: Walk, raw: dict[str, object]) -> None:
    """Report each key of the document that this version does not honour."""
    for pattern, (severity, reason) in UNSUPPORTED.items():
        keys, _, only = pattern.partition("=")
        for path, value in matches(raw, keys.split("."), ()):
            if only and value != only:
                continue
            text = f"not supported in this version: {reason}"
            report: Callable[[Path, str], object] = (
                walk.error if severity == "error" else walk.warning
            )
            report(path, text)


def matches(
    table: object, keys: list[str], path: Path
) -> list[tuple[tuple[str | int, ...], object]]:
    """Every value of the document whose path fits a pattern with ``*``."""
    if not keys:
        return [(path, table)]
    if isinstance(table, list) and keys[0] == "*":
        table = dict(enumerate(table))
    if not isinstance(table, dict):
        return []
    names = list(table) if keys[0] == "*" else [keys[0]]
    return [
        found
        for name in names
        if name in table
        for found in matches(table[name], keys[1:], (*path, name))
    ]


def subtable(raw: object, *keys: str) -> dict[str, object]:
    """A table of the raw document; empty when it is not there."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def derived(zone: ZoneConf) -> ZoneConf:
    """Fill the limits that follow from others, as zonecfg(8) does.

    max-processes alone sets max-lwps to ten times that, max-lwps alone sets
    max-processes to the same.
    """
    if zone.max_lwps is None and zone.max_processes is not None:
        return replace(zone, max_lwps=10 * zone.max_processes)
    if zone.max_processes is None and zone.max_lwps is not None:
        return replace(zone, max_processes=zone.max_lwps)
    return zone
