"""Native system calls about user and group ids, privileges and credentials."""

from __future__ import annotations

from struct import Struct, pack
from typing import TYPE_CHECKING, Any

from personae.brands.native.privset import PRIVSET_SIZE, pack_privs, unpack_privs
from personae.brands.native.procmem import pack_ucred
from personae.brands.native.sys_proc import MAXUID, find
from personae.brands.native.user import space_of
from personae.core.cred import PRIV_BASIC, Priv
from personae.core.errno import Errno, KernelError
from personae.core.limits import crset
from personae.core.policy import hasprocperm, setgid_allowed, setuid_allowed
from personae.core.priv import PrivOp, PrivSet, observed, set_aware, setppriv
from personae.core.proc import ProcFlag
from personae.core.setid import setre_changes
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

NGROUPS_MAX = 1024
"""NGROUPS_UMAX (sys/param.h)."""


def _id(number: int) -> int | None:
    """An id; None for -1, which leaves one as it is."""
    number = s32(number)
    if number == -1:
        return None
    if not 0 <= number <= MAXUID:
        raise KernelError(Errno.EINVAL, f"id {number}")
    return number


def _need(number: int) -> int:
    got = _id(number)
    if got is None:
        raise KernelError(Errno.EINVAL, "id -1")
    return got


def _change(lwp: Lwp, **changes: Any) -> int:
    """Give the process changed credentials; no core file tells of the old ones."""
    cred = lwp.proc.cred
    new = cred.copy(**changes)
    if new.key() == cred.key():
        new.rele()
        return 0
    crset(lwp.proc, new)
    lwp.proc.flag |= ProcFlag.SNOCD
    return 0


def sys_seteuid(lwp: Lwp, uid: int) -> int:
    """seteuid(uid)."""
    new = _need(uid)
    if not setuid_allowed(lwp.proc.cred, new):
        raise KernelError(Errno.EPERM, f"seteuid {new}")
    return _change(lwp, euid=new)


def sys_setegid(lwp: Lwp, gid: int) -> int:
    """setegid(gid)."""
    new = _need(gid)
    if not setgid_allowed(lwp.proc.cred, new):
        raise KernelError(Errno.EPERM, f"setegid {new}")
    return _change(lwp, egid=new)


def sys_setreuid(lwp: Lwp, ruid: int, euid: int) -> int:
    """setreuid(ruid, euid)."""
    return _change(lwp, **setre_changes(lwp.proc.cred, "uid", _id(ruid), _id(euid)))


def sys_setregid(lwp: Lwp, rgid: int, egid: int) -> int:
    """setregid(rgid, egid)."""
    return _change(lwp, **setre_changes(lwp.proc.cred, "gid", _id(rgid), _id(egid)))


def sys_getgroups(lwp: Lwp, size: int, addr: int) -> int:
    """getgroups(size, set); size 0 asks how many."""
    size = s32(size)
    groups = lwp.proc.cred.groups
    if size == 0:
        return len(groups)
    if size < len(groups):
        raise KernelError(Errno.EINVAL, f"room for {size} groups")
    if groups:
        space_of(lwp).copyout(addr, pack(f"<{len(groups)}I", *groups))
    return len(groups)


def sys_setgroups(lwp: Lwp, size: int, addr: int) -> int:
    """setgroups(size, set)."""
    size = s32(size)
    if not 0 <= size <= NGROUPS_MAX:
        raise KernelError(Errno.EINVAL, f"{size} groups")
    if not lwp.proc.cred.has(Priv.PROC_SETID):
        raise KernelError(Errno.EPERM, "setgroups")
    groups = space_of(lwp).load(addr, f"<{size}i") if size else ()
    if size and not 0 <= min(groups) <= max(groups) <= MAXUID:
        raise KernelError(Errno.EINVAL, "no group ids")
    return _change(lwp, groups=tuple(sorted(groups)))


# ---- privileges ----

PRIV_AWARE, PROC_PROTECT = 0x2, 0x8
"""Flags of setpflags(2) that are known."""
SETNAMES = (b"Effective", b"Inheritable", b"Permitted", b"Limit")
IMPL_INFO = Struct("<7I")
"""priv_impl_info_t: headersize, flags, nsets, setsize, max, infosize, globalinfosize
(sys/priv.h)."""
INFO_SETNAMES, INFO_PRIVNAMES, INFO_BASICPRIVS = 1, 2, 3


def _names(kind: int, names: list[bytes]) -> bytes:
    """priv_info_names_t: type, size, count, the names with their NULs."""
    data = b"".join(n + b"\0" for n in names)
    size = 12 + len(data) + 3 & ~3
    return pack("<III", kind, size, len(names)) + data.ljust(size - 12, b"\0")


def implinfo() -> bytes:
    """What getprivimplinfo tells: names of sets and privileges, and the basic set."""
    privs = [p.name.lower().encode() for p in sorted(Priv)]
    rest = (
        _names(INFO_SETNAMES, [n.lower() for n in SETNAMES])
        + _names(INFO_PRIVNAMES, privs)
        + pack("<II", INFO_BASICPRIVS, 8 + PRIVSET_SIZE)
        + pack_privs(PRIV_BASIC)
    )
    head = (IMPL_INFO.size, 0, len(SETNAMES), PRIVSET_SIZE // 4, len(privs), 0)
    return IMPL_INFO.pack(*head, len(rest)) + rest


def sys_privsys(lwp: Lwp, code: int, op: int, which: int, buf: int, size: int) -> int:
    """privsys(code, op, set, buf, size): sets, their names, flags.

    setppriv is 0, getppriv 1, getprivimplinfo 2, setpflags 3, getpflags 4, issetugid 5.
    """
    code = s32(code)
    if code in (0, 1):
        return _ppriv(lwp, code, s32(op), s32(which), buf, size)
    if code == 2:
        space_of(lwp).copyout(buf, implinfo()[:size])
        return 0
    if code == 3:
        return _setpflags(lwp, op & 0xFFFFFFFF, which & 0xFFFFFFFF)
    if code == 4:
        if op & 0xFFFFFFFF != PRIV_AWARE:
            raise KernelError(Errno.EINVAL, f"flag {op & 0xFFFFFFFF:#x}")
        return int(lwp.proc.cred.aware)
    if code == 5:
        return int(bool(lwp.proc.flag & ProcFlag.SUGID))
    raise KernelError(Errno.EINVAL, f"privsys {code}")


def _ppriv(lwp: Lwp, code: int, op: int, which: int, buf: int, size: int) -> int:
    if size < PRIVSET_SIZE:
        raise KernelError(Errno.ENOMEM, f"privilege set of {size} bytes")
    if which not in tuple(PrivSet) or (code == 0 and op not in tuple(PrivOp)):
        raise KernelError(Errno.EINVAL, f"operation {op}, set {which}")
    as_ = space_of(lwp)
    if code == 1:
        as_.copyout(buf, pack_privs(observed(lwp.proc.cred, PrivSet(which))))
        return 0
    privs = unpack_privs(as_.copyin(buf, PRIVSET_SIZE))
    setppriv(lwp.proc, PrivOp(op), PrivSet(which), privs)
    return 0


def _setpflags(lwp: Lwp, flag: int, value: int) -> int:
    if value > 1 or flag not in (PRIV_AWARE, PROC_PROTECT):
        raise KernelError(Errno.EINVAL, f"flag {flag:#x}, value {value}")
    p = lwp.proc
    if flag == PRIV_AWARE:
        set_aware(p, bool(value))
    elif value:
        p.flag |= ProcFlag.SNOCD
    else:
        p.flag &= ~ProcFlag.SNOCD
    return 0


# ---- credentials of processes ----

UCREDSYS_UCREDGET = 0
P_MYID = -1


def sys_ucredsys(lwp: Lwp, code: int, pid: int, buf: int) -> int:
    """ucredsys(0, pid, buf): ucred_get(3C); peers of sockets and doors are EINVAL."""
    if s32(code) != UCREDSYS_UCREDGET:
        raise KernelError(Errno.EINVAL, f"ucredsys {s32(code)}")
    p = lwp.proc if s32(pid) == P_MYID else find(lwp, s32(pid))
    if p is not lwp.proc and not hasprocperm(lwp.cred, p.cred):
        raise KernelError(Errno.EACCES, "not its owner")
    space_of(lwp).copyout(buf, pack_ucred(p))
    return 0
