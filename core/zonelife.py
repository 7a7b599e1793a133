"""The life of a zone: made, booted, emptied, destroyed (os/zone.c).

A zone goes up through its states and never back: a reboot is the end of one zone
and the making of another, with a new id and the same name and root.

* ``zone_create`` makes the zone; it is INITIALIZED and has no process.
* ``zone_ready`` gives it zsched, the kernel process all others come from.
* ``zone_boot`` mounts what the brand needs and goes to RUNNING; ``zone_start`` runs
  an init in it as well, as zone_boot(2) does.
* From SHUTTING_DOWN on it makes no more processes.  ``zone_shutdown`` kills those there
  are and lets them die, ``zone_halt`` ends them on the spot.  The end of the last task
  makes the zone EMPTY and, as zones have no kernel threads here, DOWN.
* ``zone_destroy`` takes zsched, brand, accounts and the name away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.exit import freeproc, kill_proc, proc_exit
from personae.core.ipc import ipc_zone_halt
from personae.core.newproc import newproc
from personae.core.policy import secpolicy_zone_admin
from personae.core.proc import Proc, ProcFlag, ProcStat
from personae.core.session import sess_create
from personae.core.signal import psignal
from personae.core.signo import CldCode, Sig
from personae.core.start import start_program
from personae.core.vfs.lookup import is_below, mounts_below
from personae.core.vfs.vnode import VType, counters, umount
from personae.core.zone import (
    GLOBAL_ZONEID,
    MAX_ZONEID,
    Zone,
    ZoneState,
    zone_state_set,
    zone_task_gone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

INIT_ENV = (b"PATH=/usr/sbin:/usr/bin:/sbin:/bin",)
"""Environment of an init that zone_boot(2) starts (exec_init, os/main.c)."""


# ---- making ----


def zone_create(
    kernel: Kernel,
    name: str,
    brand: str,
    *,
    options: dict[str, object] | None = None,
    **kw: Any,
) -> Zone:
    """Make a zone; it is INITIALIZED and has no process yet.

    Args:
        kernel: The kernel.
        name: Its name.
        brand: Its brand's name.
        options: The brand's own options, ``zone.options``.
        kw: See ``Zone``.

    Raises:
        KernelError: EEXIST, the name is taken; EBUSY, by a zone that is not up;
            EINVAL, no such brand; ENOMEM, no more zones.
    """
    for z in kernel.zones.values():
        if z.name == name:
            up = z.state in (ZoneState.READY, ZoneState.RUNNING)
            errno = Errno.EEXIST if up else Errno.EBUSY
            raise KernelError(errno, f"a zone {name!r} exists already")
    b = kernel.brands.hold(brand)
    zone = Zone(kernel, _new_id(kernel), name, b, **kw)
    kernel.zone_lastid = zone.id
    kernel.zone_uniqid += 1
    zone.uniqid = kernel.zone_uniqid
    zone.options = options or {}
    b.ops.b_init_brand_data(zone)
    kernel.zones[zone.id] = zone
    zone_state_set(zone, ZoneState.INITIALIZED)
    return zone


def _new_id(kernel: Kernel) -> int:
    """The next id, as id_alloc goes round its space."""
    for step in range(MAX_ZONEID):
        zid = (kernel.zone_lastid + step) % MAX_ZONEID + 1
        if zid not in kernel.zones:
            return zid
    raise KernelError(Errno.ENOMEM, f"{MAX_ZONEID} zones")


def zone_set_root(zone: Zone, root: Vnode, path: bytes) -> None:
    """Make a folder of the global zone the root of a zone (zone_create(2)).

    Raises:
        KernelError: ENOTDIR; EBUSY, it would hold the root of another zone, or be in
            one, or something is mounted below it.
    """
    if root.v_type is not VType.DIR:
        raise KernelError(Errno.ENOTDIR, repr(path))
    kernel = zone.kernel
    for other in kernel.zones.values():
        if other.root is None or other is zone:
            continue
        inside = other.id != GLOBAL_ZONEID and is_below(root, other.root)
        if inside or is_below(other.root, root):
            raise KernelError(Errno.EBUSY, f"{path!r}: zone {other.name} is there")
    if mounts_below(kernel, root):
        raise KernelError(Errno.EBUSY, f"{path!r}: there are mounts below it")
    zone.root = root.hold()
    zone.root_held = True
    zone.rootpath = path


def zone_set_brand(zone: Zone, name: str) -> None:
    """Give a zone that is native another brand, before it boots (ZONE_ATTR_BRAND).

    Raises:
        KernelError: EINVAL, no such brand, or the zone has one already.
    """
    kernel = zone.kernel
    if zone.brand is not kernel.native_brand:
        raise KernelError(Errno.EINVAL, f"zone {zone.name} has brand {zone.brand.name}")
    new, old = kernel.brands.hold(name), zone.brand
    old.ops.b_free_brand_data(zone)
    kernel.brands.rele(old)
    zone.brand = new
    new.ops.b_init_brand_data(zone)


def zone_ready(zone: Zone) -> None:
    """Make zsched: the zone is READY.

    Raises:
        KernelError: EAGAIN, no process can be made.
    """
    kernel = zone.kernel
    if zone.zsched is None:
        lwp = newproc(
            kernel, kernel.p0, system=True, name=b"zsched", zone=zone, cred=zone.cred
        )
        zone.zsched = lwp.proc
        sess_create(lwp.proc)
    zone_state_set(zone, ZoneState.READY)


def zone_boot(zone: Zone) -> None:
    """Make zsched, mount what the brand needs, go to RUNNING.

    The zone's root has to be set.  No program is started.
    """
    if zone.root is None:
        raise Panic(f"{zone!r} has no root")
    if zone.state < ZoneState.READY:
        zone_ready(zone)
    mount_brand(zone)
    zone_state_set(zone, ZoneState.BOOTING)
    zone_state_set(zone, ZoneState.RUNNING)


def mount_brand(zone: Zone) -> None:
    """Let the brand mount what its programs expect, and remember it."""
    table = counters(zone.kernel).mounts
    before = len(table)
    zone.brand.ops.b_mountzone(zone)
    zone.mounts += table[before:]


def zone_start(zone: Zone, files: Sequence[File] = ()) -> Proc:
    """Boot a READY zone: mount, run its init, go to RUNNING (zone_boot(2)).

    Args:
        zone: The zone; ``initname`` and ``bootargs`` say what runs.
        files: Descriptors 0, 1, ... of init; none, as in illumos.

    Returns:
        The zone's init.

    Raises:
        KernelError: Init can't be started, as exec says: the zone shuts down.
    """
    kernel, current = zone.kernel, zone.kernel.current
    zone_state_set(zone, ZoneState.BOOTING)
    mount_brand(zone)
    try:
        argv = [zone.initname, *zone.bootargs.split()]
        proc = start_program(kernel, zone, argv, INIT_ENV, files, init=True)
    except KernelError:
        if zone.state < ZoneState.SHUTTING_DOWN:
            zone_state_set(zone, ZoneState.SHUTTING_DOWN)
        _down_if_empty(zone)
        raise
    finally:
        kernel.current = current
    zone_state_set(zone, ZoneState.RUNNING)
    return proc


# ---- ending ----


def zone_procs(zone: Zone) -> list[Proc]:
    """User processes of a zone, zombies too, oldest first."""
    return [
        p
        for p in reversed(zone.kernel.practive)
        if p.zone is zone and not p.flag & ProcFlag.SSYS and p.stat is not ProcStat.SIDL
    ]


def zone_shutdown(zone: Zone) -> bool:
    """Begin or go on to shut a zone down: refuse forks, kill what lives (killall).

    Returns:
        Whether it is DOWN; if not, its processes still have to die, and ``zone.cv`` is
        woken when the last one has.
    """
    if zone.state >= ZoneState.DOWN:
        return True
    if zone.state < ZoneState.SHUTTING_DOWN:
        zone_state_set(zone, ZoneState.SHUTTING_DOWN)
    zone.init = None  # spared by no signal any more
    for p in zone_procs(zone):
        if p.stat is not ProcStat.SZOMB:
            psignal(p, Sig.SIGKILL)
    return _down_if_empty(zone)


def zone_kadmin(lwp: Lwp, *, reboot: bool, bootargs: bytes = b"") -> None:
    """A process of a zone takes its zone down, with itself (uadmin(2)).

    Whoever administers the zones boots it again if ``reboot`` says so.

    Raises:
        KernelError: EPERM.
    """
    zone = lwp.proc.zone
    secpolicy_zone_admin(lwp.cred)
    if zone.state <= ZoneState.RUNNING:
        zone.reboots, zone.bootargs = reboot, bootargs or zone.bootargs
    zone_shutdown(zone)
    proc_exit(lwp, CldCode.EXITED, 0)


def _down_if_empty(zone: Zone) -> bool:
    if zone.ntasks:
        return False
    ipc_zone_halt(zone)
    if zone.state < ZoneState.DOWN:
        zone_task_gone(zone)
    return True


def zone_halt(zone: Zone) -> None:
    """Refuse forks, end every process on the spot, and go to DOWN."""
    if zone.state < ZoneState.SHUTTING_DOWN:
        zone_state_set(zone, ZoneState.SHUTTING_DOWN)
    _end_all(zone)
    for p in zone_procs(zone):
        if p.stat is ProcStat.SZOMB:
            freeproc(p)
    ipc_zone_halt(zone)
    if zone.state < ZoneState.DOWN:
        zone_task_gone(zone)


def zone_init_exited(proc: Proc) -> None:
    """The zone's init has gone: what is left of the zone goes too.

    A zone that is not the global one shuts down, as illumos does when init is not to
    be started again (zone_kadmin).
    """
    zone = proc.zone
    if zone.id != GLOBAL_ZONEID and zone.state < ZoneState.SHUTTING_DOWN:
        zone_state_set(zone, ZoneState.SHUTTING_DOWN)
    _end_all(zone)
    if zone.id != GLOBAL_ZONEID:
        _down_if_empty(zone)


def _end_all(zone: Zone) -> None:
    """End what still lives in the zone, children before their parents."""
    zone.init = None
    for p in reversed(zone_procs(zone)):
        kill_proc(p)


def zone_destroy(zone: Zone) -> None:
    """Take a zone that is DOWN away; its name and root can be used again.

    Raises:
        KernelError: EBUSY, it is not down.
    """
    kernel = zone.kernel
    if zone.state < ZoneState.DOWN:
        raise KernelError(Errno.EBUSY, f"zone {zone.name} is {zone.state.name}")
    zone_unmount(zone)
    zone_state_set(zone, ZoneState.DYING)
    zsched, zone.zsched = zone.zsched, None
    if zsched is not None:
        proc_exit(zsched.lwps[0], CldCode.EXITED, 0)
    zone_state_set(zone, ZoneState.DEAD)
    ipc_zone_halt(zone)
    zone.brand.ops.b_free_brand_data(zone)
    kernel.brands.rele(zone.brand)
    zone.cap = None
    if zone.root is not None and zone.root_held:
        zone.root.rele()
    zone.root = None
    zone.cred.rele()
    del kernel.zones[zone.id]
    if zone.own_acct:
        kernel.accts_dead.append(zone.acct)
    accts_reclaim(kernel)


def zone_unmount(zone: Zone) -> None:
    """Unmount what the brand mounted, the newest first."""
    while zone.mounts:
        vfs = zone.mounts.pop()
        for inner in reversed(mounts_below(zone.kernel, vfs.root)):
            umount(inner, force=True)
        if vfs.covered is not None:
            umount(vfs, force=True)
        vfs.drop_frames()


def accts_reclaim(kernel: Kernel) -> None:
    """Give back the accounts of dead zones that pay for nothing any more."""
    hw = kernel.hw
    for acct in [a for a in kernel.accts_dead if not hw.acct_used(a)]:
        kernel.accts_dead.remove(acct)
        hw.acct_destroy(acct)
