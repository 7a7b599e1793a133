"""Zones from outside: what zoneadm(8) and its daemon do on a machine.

A *configured* zone is its description and, once installed, its root; it outlives the
zone it boots (``zone``), so that what a zone wrote to its files is there at its next
boot.  ``kernel.installed`` holds them by name; plain data, saved with the machine.

Every function takes the machine and the zone's name, and raises ``ZoneadmError`` with
the words of zoneadm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.config.rules import derived
from personae.core.cred import PRIV_ZONE, parse_privs
from personae.core.errno import Errno, KernelError
from personae.core.machine import Deadlock, Machine, MachineError, TimeLimit
from personae.core.signal import psignal
from personae.core.signo import Sig
from personae.core.vfs.lookup import Namei
from personae.core.zone import GLOBAL_ZONEID, Zone, ZoneState
from personae.core.zonelife import zone_boot, zone_destroy, zone_halt, zone_ready
from personae.core.zonerun import DEFAULT_ENV, ZoneHandle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.config.schema import ZoneConf
    from personae.core.vfs.vnode import Vnode
    from personae.core.zonerun import Job

GLOBAL = "global"
_STATES = {
    ZoneState.READY: "ready",
    ZoneState.BOOTING: "running",
    ZoneState.RUNNING: "running",
    ZoneState.SHUTTING_DOWN: "shutting_down",
    ZoneState.EMPTY: "shutting_down",
}
"""States of zone_status_t as zoneadm names them; others below."""


class ZoneadmError(MachineError):
    """The zone can't be brought where it was asked to go."""

    def __init__(self, zone: str, text: str) -> None:
        super().__init__(f"zone '{zone}': {text}")


@dataclass
class Installed:
    """A zone of the description.

    Attributes:
        conf: Its table.
        root: Its files; None for a global zone without any.
        acct: The account that pays for them if its memory is capped.
        job: The init of its last boot, with what that wrote to its console.
        dedicated: The pool of its own CPUs, if it has some.
        state: ``configured``, ``incomplete`` or ``installed`` (zones(7)); the states
            above these are those of the kernel's zone.
        source: What it was installed from, in place of its table's ``rootfs``.
    """

    conf: ZoneConf
    root: Vnode | None = None
    acct: int = 0
    job: Job | None = None
    dedicated: str | None = None
    state: str = "installed"
    source: str | None = None


# ---- looking ----


def find(machine: Machine, name: str) -> Installed:
    """A zone of the description; ZoneadmError if there is none of the name."""
    inst: Installed | None = machine.kernel.installed.get(name)
    if inst is None:
        raise ZoneadmError(name, "no such zone configured")
    return inst


def zone_of(machine: Machine, name: str) -> Zone | None:
    """The kernel's zone of that name, if it has one now."""
    zones = machine.kernel.zones.values()
    return next((z for z in zones if z.name == name), None)


def state_of(machine: Machine, name: str) -> str:
    """One of the states of zones(7).

    ``configured``, ``incomplete``, ``installed``, ``ready``, ``running``,
    ``shutting_down`` or ``down``.
    """
    zone = zone_of(machine, name)
    inst: Installed | None = machine.kernel.installed.get(name)
    if inst is not None and inst.state != "installed":
        return inst.state
    if zone is None or zone.state < ZoneState.READY:
        return "installed"
    return _STATES.get(zone.state, "down")


def running(machine: Machine, name: str) -> ZoneHandle:
    """A zone in which programs can be started."""
    find(machine, name)
    zone = zone_of(machine, name)
    if zone is None or zone.state is not ZoneState.RUNNING or zone.root is None:
        state = state_of(machine, name)
        why = "has no files to run programs from" if state == "running" else state
        raise ZoneadmError(name, f"not running: it is {state}" if why == state else why)
    return ZoneHandle(machine, zone.id)


def lookup_in(machine: Machine, inst: Installed, path: str) -> Vnode:
    """A file of a zone that need not run; KernelError if it is not there."""
    vp = inst.root
    if vp is None:
        raise KernelError(Errno.ENOENT, "the zone has no files")
    kernel = machine.kernel
    return Namei(kernel.p0, kernel.kcred, root=vp).lookup(path.encode())


def check_conf(machine: Machine, conf: ZoneConf) -> None:
    """What a changed description needs of the machine; ZoneadmError."""
    kernel = machine.kernel
    if conf.pool is not None and conf.pool not in kernel.pools:
        raise ZoneadmError(conf.name, f"there is no pool {conf.pool}")
    cls = conf.scheduling_class
    if cls is not None and cls not in kernel.classes:
        raise ZoneadmError(conf.name, f"there is no scheduling class {cls}")
    lwps, processes = conf.max_lwps, conf.max_processes
    if lwps is not None and processes is not None and lwps < processes:
        text = f"max-lwps {lwps} is below max-processes {processes}"
        raise ZoneadmError(conf.name, text)
    if conf.dedicated_cpu is not None and (conf.pool or conf.cpu_shares):
        raise ZoneadmError(conf.name, "dedicated-cpu excludes pool and cpu-shares")


# ---- making ----


def lofs_of(conf: ZoneConf) -> list[tuple[str, str, bool]]:
    """Host folders of a table: (host path, path in the zone, read only)."""
    lofs = [fs for fs in conf.fs if fs.type == "lofs"]
    return [(fs.special or "", fs.dir, "ro" in fs.options) for fs in lofs]


def mount_tmpfs(handle: ZoneHandle, conf: ZoneConf) -> None:
    """Mount the tmpfs that a table asks for."""
    for fs in conf.fs:
        if fs.type == "tmpfs":
            handle.mount_tmpfs(fs.dir)


def make(machine: Machine, inst: Installed) -> ZoneHandle:
    """The kernel's zone of a description, INITIALIZED; its root is kept or made."""
    conf = derived(inst.conf)
    capped, first = conf.capped_memory, inst.root is None
    handle = machine.add_zone(
        conf.name,
        brand=conf.brand,
        rootfs=inst.source or conf.rootfs,
        root=inst.root,
        acct=inst.acct,
        hostname=conf.hostname or "",
        max_lwps=conf.max_lwps,
        max_processes=conf.max_processes,
        memory=capped.physical if capped is not None else None,
        mounts=lofs_of(conf),
        limitpriv=(
            parse_privs(conf.limitpriv, PRIV_ZONE)
            if conf.limitpriv is not None
            else None
        ),
        pool=inst.dedicated or conf.pool,
        scheduling_class=conf.scheduling_class,
        cpu_shares=conf.cpu_shares,
        capped_cpu=conf.capped_cpu.ncpus if conf.capped_cpu is not None else None,
        options=dict(conf.brand_options),
        zonepath=conf.zonepath,
        boot=False,
    )
    zone = handle.zone
    if capped is not None and capped.swap is not None:
        zone.set_rctl("zone.max-swap", capped.swap)
    if capped is not None and capped.locked is not None:
        zone.set_rctl("zone.max-locked-memory", capped.locked)
    if first:
        mount_tmpfs(handle, conf)
    inst.root, inst.acct = zone.root, zone.acct
    zone.own_acct = False  # the root's, which stays
    return handle


def make_global(machine: Machine, inst: Installed) -> None:
    """Give the global zone what its description says."""
    conf = inst.conf
    zone = machine.kernel.zones[GLOBAL_ZONEID]
    if conf.rootfs is not None or conf.init is not None or conf.fs:
        machine.set_global(rootfs=conf.rootfs, mounts=lofs_of(conf))
        mount_tmpfs(ZoneHandle(machine, GLOBAL_ZONEID), conf)
    zone.hostname = conf.hostname or zone.hostname
    if conf.cpu_shares is not None:
        zone.set_rctl("zone.cpu-shares", conf.cpu_shares)
    inst.root = zone.root


# ---- from state to state ----


def not_global(name: str, what: str) -> None:
    """ZoneadmError for the global zone, which always runs."""
    if name == GLOBAL:
        raise ZoneadmError(name, f"{what} operation is invalid for the global zone")


def need_installed(machine: Machine, name: str, what: str) -> Installed:
    """A zone that has its files, whether it runs or not."""
    not_global(name, what)
    inst = find(machine, name)
    if inst.state == "incomplete":
        raise ZoneadmError(name, f"{what} is not valid for incomplete zones")
    if inst.state != "installed":
        raise ZoneadmError(name, f"must be installed before {what}")
    return inst


def unmake(machine: Machine, name: str) -> None:
    """Take the kernel's zone away, if there is one; its files stay."""
    zone = zone_of(machine, name)
    if zone is not None:
        zone_halt(zone)
        zone_destroy(zone)


def sweep(machine: Machine) -> list[str]:
    """Do what zoneadmd does for zones that have gone down by themselves.

    They are destroyed, and booted again if that was what they asked for.

    Returns:
        The names of those that were booted.
    """
    booted = []
    for zone in list(machine.kernel.zones.values()):
        if zone.state >= ZoneState.DOWN and zone.name in machine.kernel.installed:
            zone_destroy(zone)
            if zone.reboots:
                args = zone.bootargs.decode("utf-8", "replace").split()
                boot(machine, zone.name, args)
                booted.append(zone.name)
    return booted


def ready(machine: Machine, name: str) -> ZoneHandle:
    """Make the zone READY: it has its kernel process and no other."""
    inst, state = need_installed(machine, name, "ready"), state_of(machine, name)
    if state in ("ready", "running", "shutting_down"):
        raise ZoneadmError(name, f"zone is already {state}")
    sweep(machine)
    zone = zone_of(machine, name)
    handle = ZoneHandle(machine, zone.id) if zone is not None else make(machine, inst)
    zone_ready(handle.zone)
    return handle


def boot(
    machine: Machine,
    name: str,
    args: Sequence[str] = (),
    console: tuple[int, int] | None = None,
) -> Job | None:
    """Boot a zone and start its init, if it has one.

    Args:
        machine: The machine.
        name: The zone.
        args: Arguments of init besides those configured (zoneadm boot -- ARGS).
        console: Rows and columns of a terminal as its console; by default the console
            is a stream.

    Raises:
        ZoneadmError: It runs already.
        KernelError: Init can't be started; the zone is halted again.
    """
    inst = need_installed(machine, name, "boot")
    if state_of(machine, name) in ("running", "shutting_down"):
        raise ZoneadmError(name, f"zone is already {state_of(machine, name)}")
    if state_of(machine, name) != "ready":
        ready(machine, name)
    zone = zone_of(machine, name)
    assert zone is not None
    zone_boot(zone)
    try:
        return start_init(machine, inst, args, console)
    except KernelError:
        zone_halt(zone)
        sweep(machine)
        raise


def start_init(
    machine: Machine,
    inst: Installed,
    args: Sequence[str] = (),
    console: tuple[int, int] | None = None,
) -> Job | None:
    """Start the configured init of a zone that runs; None if it has none."""
    init = inst.conf.init
    inst.job = None
    if init is None:
        return None
    inst.job = running(machine, inst.conf.name).start(
        [*init.args, *args],
        env={**DEFAULT_ENV, **init.env},
        cwd=init.cwd,
        input=None,
        init=True,
        tty=console,
    )
    return inst.job


def halt(machine: Machine, name: str) -> None:
    """End everything in the zone; it is installed again."""
    not_global(name, "halt")
    find(machine, name)
    zone = zone_of(machine, name)
    if zone is None or zone.state < ZoneState.READY:
        raise ZoneadmError(name, "zone is already halted")
    unmake(machine, name)


def shutdown(machine: Machine, name: str, within_ns: int) -> None:
    """Ask the zone's init to end (SIGTERM), and let the machine go on until it has.

    Raises:
        ZoneadmError: It has no init, or has not ended within that virtual time.
    """
    not_global(name, "shutdown")
    zone = running(machine, name).zone
    if zone.init is None:
        raise ZoneadmError(name, "it has no init to ask; use halt")
    psignal(zone.init, Sig.SIGTERM)
    limit = machine.kernel.now + machine.kernel.cycles(within_ns)
    try:
        machine.run_until([zone.init], limit=limit)
    except (Deadlock, TimeLimit):
        raise ZoneadmError(name, "did not shut down in time; use halt") from None
    sweep(machine)


def reboot(machine: Machine, name: str, args: Sequence[str] = ()) -> Job | None:
    """Halt and boot again."""
    not_global(name, "reboot")
    running(machine, name)
    halt(machine, name)
    return boot(machine, name, args)
