"""What a Linux zone finds mounted: /proc, /dev with its links, /tmp, /dev/shm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.procfs import ProcFs
from personae.core.errno import Errno, KernelError
from personae.core.vfs.devfs import DevFs
from personae.core.vfs.lookup import cross
from personae.core.vfs.vnode import Vnode, VType, mount

if TYPE_CHECKING:
    from personae.core.zone import Zone

_LINKS = (
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
)


def mountzone(zone: Zone) -> None:
    """Mount what programs expect; a place that is taken is left alone."""
    root = zone.root
    if root is None:
        raise KernelError(Errno.ENOENT, f"zone {zone.name} has no root")
    kernel = zone.kernel
    proc = folder(zone, root, b"proc", 0o555)
    if proc is not None and proc.v_mounted is None:
        mount(ProcFs(kernel, zone), proc)
    dev = folder(zone, root, b"dev", 0o755)
    if dev is not None and dev.v_mounted is None:
        devfs = DevFs(kernel, acct=zone.acct)
        for name, target in _LINKS:
            devfs.add_link(name, target)
        mount(devfs, dev)
        folder(zone, cross(dev), b"shm", 0o1777)
    folder(zone, root, b"tmp", 0o1777)
    var = folder(zone, root, b"var", 0o755)
    if var is not None:
        folder(zone, cross(var), b"tmp", 0o1777)


def folder(zone: Zone, where: Vnode, name: bytes, mode: int) -> Vnode | None:
    """A folder below ``where``, made if missing; None if something else is there."""
    try:
        vp = where.lookup(name, zone.cred)
    except KernelError as e:
        if e.errno is not Errno.ENOENT:
            raise
        vp = where.mkdir(name, mode, zone.cred)
    return vp if vp.v_type is VType.DIR else None
