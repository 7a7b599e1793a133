"""rctlsys: getrctl(2), setrctl(2), and what rctladm and setproject are made of.

A value travels as an opaque block (rctlblk), 48 bytes: value, enforced value,
privilege, global flags, syslog level, local action, signal, recipient's pid (-1 for
none) and the time it last fired in nanoseconds.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.rctl import RctlLocal, RctlPriv, RctlVal
from personae.core.rctldefs import RctlGlobal
from personae.core.rctlsys import (
    PROJSET_MAX,
    RctlSetFlag,
    rctl_def,
    rctl_first,
    rctl_global_get,
    rctl_global_set,
    rctl_list,
    rctl_next,
    rctl_projset,
    rctl_set,
    rctl_usage,
)
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

RCTLSYS_GET, RCTLSYS_SET, RCTLSYS_LIST, RCTLSYS_CTL, RCTLSYS_PROJSET = range(5)
RCTL_FIRST, RCTL_NEXT, RCTL_USAGE = range(3)
RCTLCTL_GET, RCTLCTL_SET = range(2)
RCTL_USE_RECIPIENT_PID = 0x10000000
ACTION_MASK = 0xFFFF
TASK_PROJ_PURGE = 0x100000

RCTLBLK = Struct("<QQIIIIiiq")
NAME_MAX = 256
LOG_NOTICE = 5
"""Level of the one global action there is (syslog(3C))."""
NSEC = 1_000_000_000


def _as(lwp: Lwp) -> As:
    if lwp.proc.as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return lwp.proc.as_


def _name(lwp: Lwp, addr: int) -> str:
    """The name of a control; a text that can't be one is none (EINVAL)."""
    return _as(lwp).copyinstr(addr, NAME_MAX).decode("latin-1")


def _store(lwp: Lwp, addr: int, name: str, val: RctlVal) -> None:
    k, proc = lwp.kernel, lwp.proc
    flags = rctl_global_get(k, name)
    pid = -1
    if val.privilege is RctlPriv.BASIC:
        pid = val.recipient.pid if val.recipient is not None else proc.pid
    raw = RCTLBLK.pack(
        val.value,
        min(val.value, rctl_def(name).ceiling),
        val.privilege,
        flags & 0xFFFFFFFF,
        LOG_NOTICE if flags & RctlGlobal.SYSLOG else 0,
        val.action & 0xFFFFFFFF,
        val.signal,
        pid,
        val.fired * NSEC // k.config.clock_hz,
    )
    _as(lwp).copyout(addr, raw)


def _parse(lwp: Lwp, raw: bytes) -> tuple[RctlVal, int]:
    """A block as a value, and the recipient's pid in it."""
    value, _, priv, _, _, action, signal, pid, _ = RCTLBLK.unpack(raw)
    if priv not in RctlPriv.__members__.values():
        raise KernelError(Errno.EINVAL, f"rctl privilege {priv:#x}")
    who = None
    if priv == RctlPriv.BASIC and pid not in (-1, lwp.proc.pid):
        who = lwp.kernel.prfind(pid)
    return RctlVal(value, RctlPriv(priv), RctlLocal(action), signal, who), pid


def _load(lwp: Lwp, addr: int) -> tuple[RctlVal, int]:
    return _parse(lwp, _as(lwp).copyin(addr, RCTLBLK.size))


def sys_rctlsys(
    lwp: Lwp, code: int, name: int, obuf: int, nbuf: int, size: int, flags: int
) -> int:
    """rctlsys(code, name, obuf, nbuf, obufsz, flags)."""
    code, flags = s32(code), s32(flags)
    if code == RCTLSYS_GET:
        return _get(lwp, name, obuf, nbuf, flags)
    if code == RCTLSYS_SET:
        return _set(lwp, name, obuf, nbuf, flags)
    if code == RCTLSYS_LIST:
        return _list(lwp, obuf, size)
    if code == RCTLSYS_CTL:
        return _ctl(lwp, name, obuf, flags)
    if code == RCTLSYS_PROJSET:
        return _projset(lwp, name, nbuf, size, flags)
    raise KernelError(Errno.EINVAL, f"rctlsys {code}")


def _get(lwp: Lwp, name: int, old: int, new: int, flags: int) -> int:
    if flags not in (RCTL_FIRST, RCTL_NEXT, RCTL_USAGE):
        raise KernelError(Errno.EINVAL, f"getrctl flags {flags:#x}")
    if not new or not name:
        raise KernelError(Errno.EFAULT, "getrctl")
    control, proc = _name(lwp, name), lwp.proc
    rctl_def(control)
    if flags == RCTL_FIRST:
        val = rctl_first(proc, control)
    elif flags == RCTL_USAGE:
        val = rctl_usage(proc, control)
    else:
        val = rctl_next(proc, control, _load(lwp, old)[0])
    _store(lwp, new, control, val)
    return 0


def _set(lwp: Lwp, name: int, old: int, new: int, flags: int) -> int:
    action = flags & ~RCTL_USE_RECIPIENT_PID
    if action not in RctlSetFlag.__members__.values():
        raise KernelError(Errno.EINVAL, f"setrctl flags {flags:#x}")
    if not new or not name:
        raise KernelError(Errno.EFAULT, "setrctl")
    control = _name(lwp, name)
    rctl_def(control)
    val, pid = _load(lwp, new)
    was = _load(lwp, old)[0] if action == RctlSetFlag.REPLACE else None
    use = pid if flags & RCTL_USE_RECIPIENT_PID else None
    rctl_set(lwp.proc, control, val, action, old=was, pid=use)
    return 0


def _list(lwp: Lwp, buf: int, size: int) -> int:
    """The names, each with its NUL; the result is their length, fit or not."""
    raw = b"".join(n.encode() + b"\0" for n in rctl_list())
    if len(raw) <= size:
        _as(lwp).copyout(buf, raw)
    return len(raw)


def _ctl(lwp: Lwp, name: int, blk: int, flags: int) -> int:
    if flags not in (RCTLCTL_GET, RCTLCTL_SET):
        raise KernelError(Errno.EINVAL, f"rctlctl {flags}")
    control = _name(lwp, name)
    if flags == RCTLCTL_SET:
        fields = RCTLBLK.unpack(_as(lwp).copyin(blk, RCTLBLK.size))
        rctl_global_set(lwp.proc, control, syslog=bool(fields[3] & RctlGlobal.SYSLOG))
        return 0
    found = rctl_global_get(lwp.kernel, control)
    level = LOG_NOTICE if found & RctlGlobal.SYSLOG else 0
    raw = RCTLBLK.pack(0, 0, 0, found & 0xFFFFFFFF, level, 0, 0, 0, 0)
    _as(lwp).copyout(blk, raw)
    return 0


def _projset(lwp: Lwp, name: int, blocks: int, count: int, flags: int) -> int:
    if not 0 < count <= PROJSET_MAX:
        raise KernelError(Errno.EINVAL, f"projset of {count} values")
    control = _name(lwp, name)
    raw = _as(lwp).copyin(blocks, count * RCTLBLK.size)
    step = RCTLBLK.size
    vals = [_parse(lwp, raw[i : i + step])[0] for i in range(0, len(raw), step)]
    rctl_projset(lwp.proc, control, vals, purge=bool(flags & TASK_PROJ_PURGE))
    return 0
