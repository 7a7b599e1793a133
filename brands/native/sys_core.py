"""corectl: where the core files of a process go and what they hold (sys/corectl.h)."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from personae.brands.native.sys_proc import find
from personae.core.corefile import CC_ALL, core_set, core_zone
from personae.core.errno import Errno, KernelError
from personae.core.policy import hasprocperm, secpolicy_coreadm
from personae.core.syscall import s32
from personae.core.vfs.vnode import PATH_MAX

if TYPE_CHECKING:
    from personae.core.corefile import CoreZone
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As

(
    CC_SET_OPTIONS,
    CC_GET_OPTIONS,
    CC_SET_GLOBAL_PATH,
    CC_GET_GLOBAL_PATH,
    CC_SET_PROCESS_PATH,
    CC_GET_PROCESS_PATH,
    CC_SET_GLOBAL_CONTENT,
    CC_GET_GLOBAL_CONTENT,
    CC_SET_PROCESS_CONTENT,
    CC_GET_PROCESS_CONTENT,
    CC_SET_DEFAULT_PATH,
    CC_GET_DEFAULT_PATH,
    CC_SET_DEFAULT_CONTENT,
    CC_GET_DEFAULT_CONTENT,
) = range(1, 15)
CC_OPTIONS = 0x1F

_PATHS = {
    CC_SET_GLOBAL_PATH: "path",
    CC_GET_GLOBAL_PATH: "path",
    CC_SET_DEFAULT_PATH: "default_path",
    CC_GET_DEFAULT_PATH: "default_path",
}
_CONTENTS = {
    CC_SET_GLOBAL_CONTENT: "content",
    CC_GET_GLOBAL_CONTENT: "content",
    CC_SET_DEFAULT_CONTENT: "default_content",
    CC_GET_DEFAULT_CONTENT: "default_content",
}
"""What of a zone's settings a subcode means; the odd ones set it."""


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def sys_corectl(lwp: Lwp, subcode: int, a1: int, a2: int, a3: int) -> int:
    """corectl(subcode, arg1, arg2, arg3)."""
    subcode = s32(subcode)
    zone = core_zone(lwp.proc.zone)
    if subcode == CC_GET_OPTIONS:
        return zone.options
    if subcode == CC_SET_OPTIONS:
        secpolicy_coreadm(lwp.cred)
        if a1 & ~CC_OPTIONS:
            raise KernelError(Errno.EINVAL, f"options {a1:#x}")
        zone.options = a1
    elif subcode in _PATHS or subcode in _CONTENTS:
        _of_zone(lwp, zone, subcode, a1, a2)
    elif subcode in (CC_SET_PROCESS_PATH, CC_GET_PROCESS_PATH):
        p = _target(lwp, s32(a3))
        if subcode == CC_SET_PROCESS_PATH:
            core_set(p, "corefile", _path_in(lwp, a1, a2))
        else:
            path = p.corefile.value if p.corefile is not None else zone.default_path
            _path_out(lwp, a1, a2, path)
    elif subcode in (CC_SET_PROCESS_CONTENT, CC_GET_PROCESS_CONTENT):
        p = _target(lwp, s32(a2))
        if subcode == CC_SET_PROCESS_CONTENT:
            core_set(p, "content", _content_in(lwp, a1))
        else:
            what = p.content.value if p.content is not None else zone.default_content
            _as(lwp).copyout(a1, pack("<Q", what))
    else:
        raise KernelError(Errno.EINVAL, f"corectl {subcode}")
    return 0


def _of_zone(lwp: Lwp, zone: CoreZone, subcode: int, a1: int, a2: int) -> None:
    """The settings of the whole zone."""
    if subcode % 2:
        secpolicy_coreadm(lwp.cred)
    if subcode in _CONTENTS:
        name = _CONTENTS[subcode]
        if subcode % 2:
            setattr(zone, name, _content_in(lwp, a1))
        else:
            _as(lwp).copyout(a1, pack("<Q", getattr(zone, name)))
        return
    name = _PATHS[subcode]
    if not subcode % 2:
        _path_out(lwp, a1, a2, getattr(zone, name))
        return
    path = _path_in(lwp, a1, a2)
    if name == "path" and path and not path.startswith(b"/"):
        raise KernelError(Errno.EINVAL, "the global path is not absolute")
    setattr(zone, name, path)


def _target(lwp: Lwp, pid: int) -> Proc:
    """The process that is meant: ESRCH, EPERM."""
    p = find(lwp, pid)
    if p is not lwp.proc and not hasprocperm(lwp.cred, p.cred):
        raise KernelError(Errno.EPERM, "not its owner")
    return p


def _path_in(lwp: Lwp, addr: int, size: int) -> bytes:
    room = min(size, PATH_MAX)
    if room == 0:
        raise KernelError(Errno.EINVAL, "no room for a path")
    return _as(lwp).copyinstr(addr, room)


def _path_out(lwp: Lwp, addr: int, size: int, path: bytes) -> None:
    if len(path) >= size:
        raise KernelError(Errno.E2BIG, f"{len(path)} bytes of path")
    _as(lwp).copyout(addr, path + b"\0")


def _content_in(lwp: Lwp, addr: int) -> int:
    (what,) = _as(lwp).load(addr, "<Q")
    content: int = what
    if content & ~CC_ALL:
        raise KernelError(Errno.EINVAL, f"content {content:#x}")
    return content
