"""How a native program starts, and what a native zone has mounted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from personae.brands.native.ctfs import CtFs
from personae.brands.native.procfs import ProcFs
from personae.brands.native.userland import UserLower
from personae.core.errno import Errno, KernelError
from personae.core.exec import StartState
from personae.core.vfs.devfs import DevFs
from personae.core.vfs.overlay import OverlayFs
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.vnode import Vnode, mount

if TYPE_CHECKING:
    from personae.core.elf import ElfImage
    from personae.core.exec import ExecInfo
    from personae.core.lwp import Lwp
    from personae.core.zone import Zone

AT_NULL = 0
AT_SUN_UID, AT_SUN_RUID, AT_SUN_GID, AT_SUN_RGID = range(2000, 2004)
AT_SUN_EXECNAME = 2014
"""Entries of the auxiliary vector that illumos adds (sys/auxv.h)."""


def _auxv(info: ExecInfo, execname: int) -> list[tuple[int, int]]:
    cred = info.cred
    return [
        *((k, v) for k, v in info.elf_auxv() if v or k in (5, 6, 9)),
        (AT_SUN_UID, cred.euid),
        (AT_SUN_RUID, cred.uid),
        (AT_SUN_GID, cred.egid),
        (AT_SUN_RGID, cred.gid),
        (AT_SUN_EXECNAME, execname),
        (AT_NULL, 0),
    ]


def elfexec(lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
    """Put arguments, environment and auxv on the stack, System V fashion."""
    as_ = info.as_
    strings = [*info.argv, *info.envp, info.execfn]
    size = sum(len(s) + 1 for s in strings)
    base = (info.sp - size) & ~15
    at = base
    addrs = []
    for s in strings:
        addrs.append(at)
        at += len(s) + 1
    as_.copyout(base, b"".join(s + b"\0" for s in strings))
    argc, envc = len(info.argv), len(info.envp)
    auxv = _auxv(info, addrs[-1])
    words = [argc, *addrs[:argc], 0, *addrs[argc : argc + envc], 0]
    for pair in auxv:
        words.extend(pair)
    sp = (base - 8 * len(words)) & ~15
    as_.copyout(sp, struct.pack(f"<{len(words)}Q", *words))
    env = addrs[argc] if envc else addrs[-1]
    return StartState(
        sp=sp,
        pc=info.start,
        auxv=auxv,
        arg_range=(base, env),
        env_range=(env, addrs[-1]),
    )


def _folder(zone: Zone, name: bytes, mode: int, up: Vnode | None = None) -> Vnode:
    """A folder in the root of the zone, or in ``up``, made if it is not there."""
    root = up or zone.root
    if root is None:
        raise KernelError(Errno.ENOENT, f"zone {zone.name} has no root")
    try:
        return root.lookup(name, zone.cred)
    except KernelError as e:
        if e.errno is not Errno.ENOENT:
            raise
    return root.mkdir(name, mode, zone.cred)


def _userland(zone: Zone) -> None:
    """Programs in /usr/bin, and /bin leading there, where a root brings neither."""
    root = zone.root
    if root is None:
        return
    names = {entry.name for entry in root.readdir(0)}
    if names & {b"usr", b"bin"}:
        return
    usr = OverlayFs(zone.kernel, UserLower(), acct=zone.acct)
    mount(usr, root.mkdir(b"usr", 0o755, zone.cred))
    root.symlink(b"bin", b"usr/bin", zone.cred)


def mountzone(zone: Zone) -> None:
    """Mount /dev, /tmp, /proc and /system/contract; /usr in an empty root."""
    _userland(zone)
    mount(DevFs(zone.kernel, acct=zone.acct), _folder(zone, b"dev", 0o755))
    tmp = TmpFs(zone.kernel, acct=zone.acct, mode=0o1777)
    mount(tmp, _folder(zone, b"tmp", 0o1777))
    mount(ProcFs(zone.kernel, zone), _folder(zone, b"proc", 0o555))
    system = _folder(zone, b"system", 0o755)
    mount(CtFs(zone.kernel, zone), _folder(zone, b"contract", 0o555, system))
