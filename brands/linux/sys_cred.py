"""System calls about user and group ids and capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.brands.linux.abi import CAP_DATA, CAP_HEADER
from personae.brands.linux.data import pdata
from personae.brands.linux.pids import find_proc
from personae.brands.linux.sys_fd import space_of
from personae.core.cred import Cred, Priv
from personae.core.errno import Errno, KernelError
from personae.core.limits import crset
from personae.core.policy import secpolicy_allow_setid, setgid_allowed, setuid_allowed
from personae.core.setid import setre_changes
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

NO_ID = 0xFFFFFFFF
NGROUPS_MAX = 65536
CAP_LAST = 40
"""CAP_CHECKPOINT_RESTORE."""
ALL_CAPS = (1 << (CAP_LAST + 1)) - 1


def set_cred(lwp: Lwp, **changes: Any) -> None:
    """Give the process and all its threads changed credentials."""
    proc = lwp.proc
    new = proc.cred.copy(**changes)
    if new.key() == proc.cred.key():
        new.rele()
        return
    crset(proc, new)
    if "euid" in changes:
        forget_caps(lwp)
    if "euid" in changes or "egid" in changes:
        pdata(proc).dumpable = 0 if _privileged_change(new) else 1


def _privileged_change(cred: Cred) -> bool:
    return cred.uid != cred.euid or cred.gid != cred.egid


def sys_getuid(lwp: Lwp) -> int:
    """Real user id."""
    return lwp.proc.cred.uid


def sys_geteuid(lwp: Lwp) -> int:
    """Effective user id."""
    return lwp.proc.cred.euid


def sys_getgid(lwp: Lwp) -> int:
    """Real group id."""
    return lwp.proc.cred.gid


def sys_getegid(lwp: Lwp) -> int:
    """Effective group id."""
    return lwp.proc.cred.egid


def _id(x: int, optional: bool = True) -> int:
    x &= NO_ID
    if x == NO_ID and not optional:
        raise KernelError(Errno.EINVAL, "id -1")
    return x


def _has_setid(cred: Cred) -> bool:
    return cred.has(Priv.PROC_SETID)


def sys_setuid(lwp: Lwp, uid: int) -> int:
    """Set the effective id; all three with the privilege."""
    uid = _id(uid, optional=False)
    cred = lwp.proc.cred
    if _has_setid(cred):
        secpolicy_allow_setid(cred, uid)
        set_cred(lwp, uid=uid, euid=uid, suid=uid)
    elif uid in (cred.uid, cred.suid):
        set_cred(lwp, euid=uid)
    else:
        raise KernelError(Errno.EPERM, "setuid")
    return 0


def sys_setgid(lwp: Lwp, gid: int) -> int:
    """Set the effective group id; all three with the privilege."""
    gid = _id(gid, optional=False)
    cred = lwp.proc.cred
    if _has_setid(cred):
        set_cred(lwp, gid=gid, egid=gid, sgid=gid)
    elif gid in (cred.gid, cred.sgid):
        set_cred(lwp, egid=gid)
    else:
        raise KernelError(Errno.EPERM, "setgid")
    return 0


def sys_setreuid(lwp: Lwp, ruid: int, euid: int) -> int:
    """Set real and effective user id."""
    set_cred(lwp, **_setre(lwp, "uid", ruid, euid))
    return 0


def sys_setregid(lwp: Lwp, rgid: int, egid: int) -> int:
    """Set real and effective group id."""
    set_cred(lwp, **_setre(lwp, "gid", rgid, egid))
    return 0


def _setre(lwp: Lwp, kind: str, real: int, effective: int) -> dict[str, int]:
    ids = (None if x == NO_ID else x for x in (_id(real), _id(effective)))
    return setre_changes(lwp.proc.cred, kind, *ids)


def sys_setresuid(lwp: Lwp, ruid: int, euid: int, suid: int) -> int:
    """Set all three user ids."""
    cred = lwp.proc.cred
    changes: dict[str, int] = {}
    for key, new in (("uid", _id(ruid)), ("euid", _id(euid)), ("suid", _id(suid))):
        if new == NO_ID:
            continue
        if not setuid_allowed(cred, new):
            raise KernelError(Errno.EPERM, "setresuid")
        changes[key] = new
    set_cred(lwp, **changes)
    return 0


def sys_setresgid(lwp: Lwp, rgid: int, egid: int, sgid: int) -> int:
    """Set all three group ids."""
    cred = lwp.proc.cred
    changes: dict[str, int] = {}
    for key, new in (("gid", _id(rgid)), ("egid", _id(egid)), ("sgid", _id(sgid))):
        if new == NO_ID:
            continue
        if not setgid_allowed(cred, new):
            raise KernelError(Errno.EPERM, "setresgid")
        changes[key] = new
    set_cred(lwp, **changes)
    return 0


def sys_getresuid(lwp: Lwp, r: int, e: int, s: int) -> int:
    """All three user ids."""
    cred, as_ = lwp.proc.cred, space_of(lwp)
    for ptr, val in ((r, cred.uid), (e, cred.euid), (s, cred.suid)):
        as_.store(ptr, "<I", val)
    return 0


def sys_getresgid(lwp: Lwp, r: int, e: int, s: int) -> int:
    """All three group ids."""
    cred, as_ = lwp.proc.cred, space_of(lwp)
    for ptr, val in ((r, cred.gid), (e, cred.egid), (s, cred.sgid)):
        as_.store(ptr, "<I", val)
    return 0


def sys_setfsuid(lwp: Lwp, uid: int) -> int:
    """Set the user id for files; answers the old one, whatever happens."""
    cred = lwp.proc.cred
    uid = _id(uid)
    if uid != NO_ID and (uid == cred.fsuid or setuid_allowed(cred, uid)):
        set_cred(lwp, fsuid=uid)
    return cred.fsuid


def sys_setfsgid(lwp: Lwp, gid: int) -> int:
    """Set the group id for files; answers the old one, whatever happens."""
    cred = lwp.proc.cred
    gid = _id(gid)
    if gid != NO_ID and (gid == cred.fsgid or setgid_allowed(cred, gid)):
        set_cred(lwp, fsgid=gid)
    return cred.fsgid


def sys_getgroups(lwp: Lwp, size: int, ptr: int) -> int:
    """Supplementary groups; size 0 asks how many."""
    size = s32(size)
    if size < 0:
        raise KernelError(Errno.EINVAL, "negative size")
    groups = lwp.proc.cred.groups
    if size:
        if len(groups) > size:
            raise KernelError(Errno.EINVAL, "too small")
        raw = b"".join(g.to_bytes(4, "little") for g in groups)
        space_of(lwp).copyout(ptr, raw)
    return len(groups)


def sys_setgroups(lwp: Lwp, size: int, ptr: int) -> int:
    """Set supplementary groups."""
    if not _has_setid(lwp.proc.cred):
        raise KernelError(Errno.EPERM, "setgroups")
    size &= NO_ID
    if size > NGROUPS_MAX:
        raise KernelError(Errno.EINVAL, "too many groups")
    raw = space_of(lwp).copyin(ptr, 4 * size) if size else b""
    groups = tuple(
        int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw), 4)
    )
    if NO_ID in groups:
        raise KernelError(Errno.EINVAL, "group -1")
    set_cred(lwp, groups=tuple(sorted(groups)))
    return 0


# ---- capabilities: all for an effective uid 0, less what capset took away ----

_V1, _V2, _V3 = 0x19980330, 0x20071026, 0x20080522

_PRIVS: dict[int, tuple[Priv, ...]] = {
    0: (Priv.FILE_CHOWN, Priv.FILE_CHOWN_SELF),
    1: (Priv.FILE_DAC_READ, Priv.FILE_DAC_WRITE, Priv.FILE_DAC_EXECUTE),
    2: (Priv.FILE_DAC_SEARCH,),
    3: (Priv.FILE_OWNER,),
    4: (Priv.FILE_SETID,),
    5: (Priv.PROC_OWNER,),
    7: (Priv.PROC_SETID,),
    10: (Priv.NET_PRIVADDR,),
    13: (Priv.NET_RAWACCESS,),
    14: (Priv.PROC_LOCK_MEMORY,),
    18: (Priv.PROC_CHROOT,),
    20: (Priv.SYS_ACCT,),
    21: (Priv.SYS_ADMIN, Priv.SYS_MOUNT),
    23: (Priv.PROC_PRIOUP,),
    24: (Priv.SYS_RESOURCE,),
    25: (Priv.SYS_TIME,),
}
"""Privileges of the kernel behind a capability (capabilities(7))."""


def caps_of(proc: Proc) -> tuple[int, int]:
    """Effective and permitted capabilities of a process."""
    data = pdata(proc)
    if data.caps is not None:
        return data.caps
    caps = ALL_CAPS if proc.cred.euid == 0 else 0
    return caps, caps


def _privileges(caps: int, limit: frozenset[Priv]) -> frozenset[Priv]:
    """What is left of the privileges of a process with these capabilities."""
    gone = {p for c, privs in _PRIVS.items() if not caps >> c & 1 for p in privs}
    return limit - gone


def forget_caps(lwp: Lwp) -> None:
    """exec, or a change of user: capabilities follow from the user id again."""
    data = pdata(lwp.proc)
    if data.caps is not None:
        data.caps = None
        set_cred(lwp, aware=False)


def _cap_header(lwp: Lwp, hdr: int) -> tuple[int, int, int]:
    """(version, words, pid); an unknown version is answered with ours and EINVAL."""
    as_ = space_of(lwp)
    version, pid = CAP_HEADER.unpack(as_.copyin(hdr, 8))
    words = {_V1: 1, _V2: 2, _V3: 2}.get(version)
    if words is None:
        as_.store(hdr, "<I", _V3)
        raise KernelError(Errno.EINVAL, "version of capabilities")
    if pid < 0:
        raise KernelError(Errno.EINVAL, "pid")
    return version, words, pid


def sys_capget(lwp: Lwp, hdr: int, data: int) -> int:
    """Read capability sets."""
    try:
        _, words, pid = _cap_header(lwp, hdr)
    except KernelError as e:
        if e.errno is Errno.EINVAL and not data:
            return 0
        raise
    target = find_proc(lwp.proc.zone, pid) if pid else lwp.proc
    eff, perm = caps_of(target)
    if data:
        raw = b"".join(
            CAP_DATA.pack(eff >> s & NO_ID, perm >> s & NO_ID, 0)
            for s in (0, 32)[:words]
        )
        space_of(lwp).copyout(data, raw)
    return 0


def sys_capset(lwp: Lwp, hdr: int, data: int) -> int:
    """Drop capabilities, or take permitted ones up again."""
    _, words, pid = _cap_header(lwp, hdr)
    proc = lwp.proc
    if pid and find_proc(proc.zone, pid) is not proc:
        raise KernelError(Errno.EPERM, "capabilities of another process")
    raw = space_of(lwp).copyin(data, CAP_DATA.size * words)
    eff = perm = 0
    for i in range(words):
        e, p, _ = CAP_DATA.unpack_from(raw, i * CAP_DATA.size)
        eff |= e << 32 * i
        perm |= p << 32 * i
    eff, perm = eff & ALL_CAPS, perm & ALL_CAPS
    if eff & ~perm or perm & ~caps_of(proc)[1]:
        raise KernelError(Errno.EPERM, "more capabilities than there are")
    if (eff, perm) == caps_of(proc):
        return 0
    pdata(proc).caps = (eff, perm)
    limit = proc.cred.permitted
    if proc.cred.aware:
        set_cred(lwp, epriv=_privileges(eff, limit))
    else:
        set_cred(lwp, effective=_privileges(eff, limit))
    return 0
