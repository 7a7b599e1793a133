"""zone(2): the system calls of zoneadmd, zlogin and zonename (os/zone.c).

Numbers and layouts are those of sys/zone.h, 64 bit.  Making, changing and entering
zones takes every privilege, which only the global zone's root has; another zone sees
itself alone.
"""

from __future__ import annotations

import re
from struct import Struct, pack, unpack
from typing import TYPE_CHECKING

from personae.brands.native import nvunpack
from personae.brands.native.privset import PRIVSET_SIZE, pack_privs, unpack_privs
from personae.core.errno import Errno, KernelError
from personae.core.policy import secpolicy_zone_config
from personae.core.rctl import RCTLS, RctlLocal, RctlPriv, RctlVal, rctl_changed
from personae.core.rctldefs import INFINITY, RctlGlobal
from personae.core.sync import Sleep
from personae.core.syscall import NORETURN, NoReturnType, s32
from personae.core.vfs.lookup import lookup, path_of
from personae.core.zone import (
    GLOBAL_ZONEID,
    ZF_NET_EXCL,
    ZONENAME_MAX,
    Zone,
    ZoneState,
)
from personae.core.zoneenter import zone_enter, zone_find
from personae.core.zonelife import (
    zone_create,
    zone_destroy,
    zone_kadmin,
    zone_ready,
    zone_set_brand,
    zone_set_root,
    zone_shutdown,
    zone_start,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.cred import Priv
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

(
    ZONE_CREATE,
    ZONE_DESTROY,
    ZONE_GETATTR,
    ZONE_ENTER,
    ZONE_LIST,
    ZONE_SHUTDOWN,
    ZONE_LOOKUP,
    ZONE_BOOT,
    ZONE_VERSION,
    ZONE_SETATTR,
    ZONE_ADD_DATALINK,
    ZONE_DEL_DATALINK,
    ZONE_CHECK_DATALINK,
    ZONE_LIST_DATALINK,
) = range(14)
(
    ATTR_ROOT,
    ATTR_NAME,
    ATTR_STATUS,
    ATTR_PRIVSET,
    ATTR_UNIQID,
    ATTR_POOLID,
    ATTR_INITPID,
    ATTR_SLBL,
    ATTR_INITNAME,
    ATTR_BOOTARGS,
    ATTR_BRAND,
    ATTR_PHYS_MCAP,
    ATTR_SCHED_CLASS,
    ATTR_FLAGS,
    ATTR_HOSTID,
    ATTR_FS_ALLOWED,
) = range(1, 17)
SYSCALL_API_VERSION = 7
"""ZONE_SYSCALL_API_VERSION."""
MAXPATHLEN = 1024
BOOTARGS_MAX = 256
FS_ALLOWED_MAX = 5120
"""PIPE_BUF, as for zone_set_fs_allowed."""
BRAND_MAX = 64
RCTLBUF_MAX = 64 << 10
ZCF_NET_EXCL = 1
ZE_UNKNOWN, ZE_CHROOTED, ZE_AREMOUNTS = range(3)
"""Extended errors of zone_create."""
ZONE_DEF = Struct("<QQQQQQQQQiIQi4x")
"""zone_def: name, root, privs, privssz, rctlbuf, rctlbufsz, extended_error, zfsbuf,
zfsbufsz, match, doi, label, flags."""
NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def sys_zone(lwp: Lwp, code: int, a1: int, a2: int, a3: int, a4: int) -> int:
    """zone(cmd, arg1, arg2, arg3, arg4)."""
    code = s32(code)
    if code == ZONE_CREATE:
        return _create(lwp, a1)
    if code == ZONE_GETATTR:
        return _getattr(lwp, s32(a1), s32(a2), a3, a4)
    if code == ZONE_SETATTR:
        return _setattr(lwp, s32(a1), s32(a2), a3, a4)
    if code == ZONE_LIST:
        return _list(lwp, a1, a2)
    if code == ZONE_LOOKUP:
        return _lookup(lwp, a1)
    if code == ZONE_VERSION:
        _as(lwp).store(a1, "<i", SYSCALL_API_VERSION)
        return 0
    call = _ON_ZONE.get(code)
    if call is not None:
        call(lwp, s32(a1))
        return 0
    if ZONE_ADD_DATALINK <= code <= ZONE_LIST_DATALINK:
        raise KernelError(Errno.ENOTSUP, "zones have no data links")
    raise KernelError(Errno.EINVAL, f"zone {code}")


# ---- create ----


def _create(lwp: Lwp, addr: int) -> int:
    """ZONE_CREATE: the id of a zone that is READY."""
    fields = ZONE_DEF.unpack(_as(lwp).copyin(addr, ZONE_DEF.size))
    name, root, privs, size, rctls, rctls_size, extended, zfs, zfs_size = fields[:9]
    secpolicy_zone_config(lwp.cred)
    if lwp.proc.user.u_rdir is not None:
        return _refuse(lwp, extended, Errno.ENOTSUP, ZE_CHROOTED, "in a chroot")
    zone = None
    try:
        text = _zone_name(lwp, name)
        path = _as(lwp).copyinstr(root, MAXPATHLEN)
        vp = lookup(lwp.kernel, lwp.proc, path)
        limit = _limit(lwp, privs, size)
        values = _rctls(lwp, rctls, rctls_size)
        if zfs and zfs_size:
            raise KernelError(Errno.ENOTSUP, "there are no datasets to delegate")
        zone = zone_create(lwp.kernel, text, "native", limit=limit)
        zone.flags = ZF_NET_EXCL if fields[12] & ZCF_NET_EXCL else 0
        zone_set_root(zone, vp, path_of(vp, lwp.proc.zone.root))
        for control, vals in values.items():
            _apply(zone, control, vals)
        zone_ready(zone)
    except KernelError as e:
        if zone is not None:
            _abandon(zone)
        mounts = e.errno is Errno.EBUSY and "mounts" in str(e.why)
        code = ZE_AREMOUNTS if mounts else ZE_UNKNOWN
        return _refuse(lwp, extended, e.errno, code, e.why)
    return zone.id


def _abandon(zone: Zone) -> None:
    """Take a zone away that could not be made ready."""
    zone.state = ZoneState.DOWN
    zone_destroy(zone)


def _refuse(lwp: Lwp, addr: int, errno: Errno, extended: int, why: str) -> int:
    """zone_create_error: the extended error, if it is wanted, then the error."""
    if addr:
        _as(lwp).store(addr, "<i", extended)
    raise KernelError(errno, why)


def _zone_name(lwp: Lwp, addr: int) -> str:
    raw = _as(lwp).copyinstr(addr, ZONENAME_MAX)
    if not NAME.fullmatch(raw):
        raise KernelError(Errno.EINVAL, f"zone name {raw!r}")
    return raw.decode("ascii")


def _limit(lwp: Lwp, addr: int, size: int) -> frozenset[Priv]:
    if size < PRIVSET_SIZE:
        raise KernelError(Errno.ENOMEM, f"a privilege set of {size} bytes")
    return unpack_privs(_as(lwp).copyin(addr, PRIVSET_SIZE))


def _rctls(lwp: Lwp, addr: int, size: int) -> dict[str, list[RctlVal]]:
    """The zone's resource controls: an nvlist (parse_rctls)."""
    if not size:
        return {}
    if size > RCTLBUF_MAX:
        raise KernelError(Errno.ENOMEM, f"{size} bytes of resource controls")
    out: dict[str, list[RctlVal]] = {}
    for name, value in nvunpack.unpack(_as(lwp).copyin(addr, size)).items():
        if not name.startswith("zone.") or name not in RCTLS or isinstance(value, int):
            raise KernelError(Errno.EINVAL, f"resource control {name!r}")
        out[name] = [_rctlval(name, pairs) for pairs in value]
    return out


def _rctlval(name: str, pairs: nvunpack.Pairs) -> RctlVal:
    """privilege, limit and action of one value (nvlist2rctlval)."""
    rdef = RCTLS[name]
    limit, action = pairs.get("limit"), pairs.get("action")
    known = set(pairs) == {"privilege", "limit", "action"}
    if not known or pairs["privilege"] != RctlPriv.PRIVILEGED:
        raise KernelError(Errno.EINVAL, f"{name}: a value of {sorted(pairs)}")
    if not isinstance(limit, int) or limit > rdef.ceiling:
        raise KernelError(Errno.EINVAL, f"{name}: limit {limit}")
    if action not in (RctlLocal.NOACTION, RctlLocal.DENY):
        raise KernelError(Errno.EINVAL, f"{name}: action {action}")
    denies = action == RctlLocal.DENY
    if (
        denies
        if rdef.flags & RctlGlobal.DENY_NEVER
        else not denies and (rdef.flags & RctlGlobal.DENY_ALWAYS)
    ):
        raise KernelError(Errno.EINVAL, f"{name}: action {action}")
    return RctlVal(limit, RctlPriv.PRIVILEGED, RctlLocal(action))


def _apply(zone: Zone, name: str, vals: list[RctlVal]) -> None:
    """The values in place of the control's (zsched)."""
    rctl = zone.rctls.own(name)
    for old in rctl.find(RctlPriv.PRIVILEGED):
        rctl.remove(old)
    for val in vals:
        if val.value < rctl.rdef.ceiling and not any(val.same(v) for v in rctl.values):
            rctl.insert(val)
    rctl_changed(zone.rctls, name)


# ---- boot, shutdown, destroy, enter ----


def _boot(lwp: Lwp, zoneid: int) -> None:
    """ZONE_BOOT: run the zone's init."""
    zone = zone_find(lwp, zoneid)
    if zone.state is not ZoneState.READY:
        raise KernelError(Errno.EINVAL, f"zone {zone.name} is {zone.state.name}")
    zone_start(zone)


def _shutdown(lwp: Lwp, zoneid: int) -> None:
    """ZONE_SHUTDOWN: kill every process in it, and wait until they have gone."""
    zone = zone_find(lwp, zoneid)
    if zone.state < ZoneState.READY:
        raise KernelError(Errno.EINVAL, f"zone {zone.name} is {zone.state.name}")
    if not zone_shutdown(zone):
        # once a second, as zone_empty does: somebody may have come in meanwhile
        k = lwp.kernel
        raise Sleep(zone.cv, deadline=k.now + k.config.clock_hz)


def _destroy(lwp: Lwp, zoneid: int) -> None:
    """ZONE_DESTROY: it has to be down."""
    zone_destroy(zone_find(lwp, zoneid))


_ON_ZONE: dict[int, Callable[[Lwp, int], None]] = {
    ZONE_BOOT: _boot,
    ZONE_SHUTDOWN: _shutdown,
    ZONE_DESTROY: _destroy,
    ZONE_ENTER: zone_enter,
}


# ---- looking ----


def _visible(lwp: Lwp, zone: Zone | None) -> Zone:
    """A zone the caller may look at: its own, or any from the global one."""
    mine = lwp.proc.zone
    if zone is None or (mine.id != GLOBAL_ZONEID and zone is not mine):
        raise KernelError(Errno.EINVAL, "no such zone")
    return zone


def _list(lwp: Lwp, ids: int, countp: int) -> int:
    """ZONE_LIST: the ids of the zones that are seen, as many as there is room for."""
    (room,) = _as(lwp).load(countp, "<I")
    mine = lwp.proc.zone
    seen = list(lwp.kernel.zones) if mine.id == GLOBAL_ZONEID else [mine.id]
    _as(lwp).store(countp, "<I", len(seen))
    fit = seen[:room]
    if ids and fit:
        _as(lwp).copyout(ids, pack(f"<{len(fit)}i", *fit))
    return 0


def _lookup(lwp: Lwp, addr: int) -> int:
    """ZONE_LOOKUP: the id of a name; of the caller's zone without one."""
    if not addr:
        return lwp.proc.zone.id
    name = _as(lwp).copyinstr(addr, ZONENAME_MAX).decode("latin-1")
    found = next((z for z in lwp.kernel.zones.values() if z.name == name), None)
    zone = _visible(lwp, found)
    if zone.state < ZoneState.READY:
        raise KernelError(Errno.EINVAL, f"zone {name} is {zone.state.name}")
    return zone.id


def _getattr(lwp: Lwp, zoneid: int, attr: int, buf: int, size: int) -> int:
    """ZONE_GETATTR: the attribute, cut to the buffer; answers its whole size."""
    zone = _visible(lwp, lwp.kernel.zones.get(zoneid))
    if attr == ATTR_HOSTID and (zone.hostid is None or size != 4):
        raise KernelError(Errno.EINVAL, "the zone has no hostid of its own")
    read = _ATTRS.get(attr)
    if read is None:
        raise KernelError(Errno.EINVAL, f"zone attribute {attr}")
    data = read(lwp, zone)
    if isinstance(data, str):
        data = data.encode("latin-1") + b"\0"
    if buf and size:
        _as(lwp).copyout(buf, data[:size])
    return len(data)


def _root(lwp: Lwp, zone: Zone) -> bytes:
    """Where the root is, for the global zone; "/" for those inside."""
    inside = lwp.proc.zone.id != GLOBAL_ZONEID
    return (b"/" if inside else zone.rootpath) + b"\0"


def _poolid(lwp: Lwp, zone: Zone) -> bytes:
    pools = list(lwp.kernel.pools.values())
    return pack("<i", pools.index(zone.pool) if zone.pool is not None else 0)


def _initpid(_: Lwp, zone: Zone) -> bytes:
    if zone.init is None:
        raise KernelError(Errno.ESRCH, f"zone {zone.name} has no init")
    return pack("<i", zone.init.pid)


def _mcap(_: Lwp, zone: Zone) -> bytes:
    cap = zone.max_physical
    return pack("<Q", 0 if cap == INFINITY else cap)


_ATTRS: dict[int, Callable[[Lwp, Zone], bytes | str]] = {
    ATTR_ROOT: _root,
    ATTR_NAME: lambda _, z: z.name,
    ATTR_STATUS: lambda _, z: pack("<i", z.state),
    ATTR_PRIVSET: lambda _, z: pack_privs(z.limitpriv),
    ATTR_UNIQID: lambda _, z: pack("<Q", z.uniqid),
    ATTR_POOLID: _poolid,
    ATTR_INITPID: _initpid,
    ATTR_INITNAME: lambda _, z: z.initname + b"\0",
    ATTR_BOOTARGS: lambda _, z: z.bootargs + b"\0",
    ATTR_BRAND: lambda _, z: z.brand.name,
    ATTR_PHYS_MCAP: _mcap,
    ATTR_SCHED_CLASS: lambda _, z: z.sched_class,
    ATTR_FLAGS: lambda _, z: pack("<H", z.flags),
    ATTR_HOSTID: lambda _, z: pack("<I", z.hostid or 0),
    ATTR_FS_ALLOWED: lambda _, z: z.fs_allowed + b"\0",
}
"""What each attribute is; ATTR_SLBL is for labeled systems only."""


# ---- changing ----


def _setattr(lwp: Lwp, zoneid: int, attr: int, buf: int, size: int) -> int:
    """ZONE_SETATTR: before the zone boots, but for the memory cap."""
    secpolicy_zone_config(lwp.cred)
    zone = lwp.kernel.zones.get(zoneid)
    if zone is None:
        raise KernelError(Errno.EINVAL, f"zone {zoneid}")
    if attr == ATTR_PHYS_MCAP:
        (cap,) = _as(lwp).load(buf, "<Q")
        zone.set_rctl("zone.max-physical-memory", cap or INFINITY)
        return 0
    if zoneid == GLOBAL_ZONEID or zone.state > ZoneState.READY:
        raise KernelError(Errno.EINVAL, f"zone {zone.name} is {zone.state.name}")
    if attr == ATTR_INITNAME:
        zone.initname = _as(lwp).copyinstr(buf, MAXPATHLEN)
    elif attr == ATTR_BOOTARGS:
        zone.bootargs = _as(lwp).copyinstr(buf, BOOTARGS_MAX)
    elif attr == ATTR_FS_ALLOWED:
        zone.fs_allowed = _as(lwp).copyinstr(buf, FS_ALLOWED_MAX)
    elif attr == ATTR_BRAND:
        zone_set_brand(zone, _as(lwp).copyinstr(buf, BRAND_MAX).decode("latin-1"))
    elif attr == ATTR_SCHED_CLASS:
        _set_class(zone, _as(lwp).copyinstr(buf, BRAND_MAX).decode("latin-1"))
    elif attr == ATTR_HOSTID and size == 4:
        (zone.hostid,) = unpack("<I", _as(lwp).copyin(buf, 4))
    else:
        raise KernelError(Errno.EINVAL, f"zone attribute {attr}")
    return 0


def _set_class(zone: Zone, name: str) -> None:
    cls = zone.kernel.classes.get(name)
    if cls is None or not cls.ops.cl_getclinfo().settable:
        raise KernelError(Errno.EINVAL, f"no scheduling class {name!r} for programs")
    zone.sched_class = name


# ---- uadmin ----

A_REBOOT, A_SHUTDOWN = 1, 2
A_UNSUPPORTED = (3, 4, 5, 15, 26)
"""A_FREEZE, A_REMOUNT, A_DUMP, A_FTRACE, A_CONFIG: never in a zone."""
AD_HALT, AD_BOOT, AD_POWEROFF = 0, 1, 6
AD_UNSUPPORTED = (2, 3, 4, 7)
"""AD_IBOOT, AD_SBOOT, AD_SIBOOT, AD_NOSYNC."""


def sys_uadmin(lwp: Lwp, cmd: int, fcn: int, mdep: int) -> NoReturnType:
    """uadmin(cmd, fcn, mdep) from within a zone (zone_kadmin, os/zone.c)."""
    cmd, fcn = s32(cmd), s32(fcn)
    known = (AD_HALT, AD_BOOT, AD_POWEROFF, *AD_UNSUPPORTED)
    if cmd in A_UNSUPPORTED or (cmd == A_SHUTDOWN and fcn in AD_UNSUPPORTED):
        raise KernelError(Errno.ENOTSUP, f"uadmin {cmd}, {fcn}")
    if cmd not in (A_REBOOT, A_SHUTDOWN) or (cmd == A_SHUTDOWN and fcn not in known):
        raise KernelError(Errno.EINVAL, f"uadmin {cmd}, {fcn}")
    if lwp.proc.zone.id == GLOBAL_ZONEID:
        raise KernelError(Errno.ENOTSUP, "the global zone is taken down from outside")
    reboot = cmd == A_REBOOT or fcn == AD_BOOT
    args = _as(lwp).copyinstr(mdep, BOOTARGS_MAX) if mdep and reboot else b""
    zone_kadmin(lwp, reboot=reboot, bootargs=args)
    return NORETURN
