"""The files of a zone: zoneadm(8) install, uninstall, clone, move, detach, attach.

A zone is *configured* when it has a table and *installed* when it has files as well;
``incomplete`` says that something was marked as wrong with them, and only uninstall is
left.  A detached zone is configured and still has its files.

Every function takes the machine and the zone's name, and raises ``ZoneadmError`` with
the words of zoneadm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from personae.core.errno import KernelError
from personae.core.vfs.clonefs import clone_fs
from personae.core.vfs.lookup import mounts_below
from personae.core.vfs.overlay import lower_of
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.vnode import umount
from personae.core.zoneadm import (
    Installed,
    ZoneadmError,
    find,
    lofs_of,
    make,
    mount_tmpfs,
    need_installed,
    not_global,
    state_of,
    sweep,
    unmake,
    zone_of,
)
from personae.core.zonelife import accts_reclaim
from personae.core.zonerun import share_folders

if TYPE_CHECKING:
    from personae.core.machine import Machine
    from personae.core.zonerun import ZoneHandle

UP = ("ready", "running", "shutting_down", "down")


# ---- what state a verb needs ----


def _bare(machine: Machine, name: str, what: str) -> Installed:
    """A zone that is configured and has no files yet."""
    not_global(name, what)
    inst, state = find(machine, name), state_of(machine, name)
    if state != "configured":
        raise ZoneadmError(name, f"zone is already {state}")
    if inst.root is not None:
        text = "it is detached and still has its files; attach it"
        raise ZoneadmError(name, text)
    if zone_of(machine, name) is not None:
        text = "a program has made a zone of that name; it has to go first"
        raise ZoneadmError(name, text)
    return inst


def _halted(machine: Machine, name: str, what: str) -> Installed:
    """A zone that is installed and not up."""
    inst = need_installed(machine, name, what)
    sweep(machine)
    state = state_of(machine, name)
    if state in UP:
        raise ZoneadmError(name, f"{what} operation is invalid for {state} zones")
    return inst


# ---- files come and go ----


def install(machine: Machine, name: str, source: str | None = None) -> None:
    """Give a configured zone its files.

    Args:
        machine: The machine.
        name: The zone.
        source: A folder or tar archive of the host, its read-only lower layer; by
            default what its table names as ``rootfs``, else it is empty.
    """
    inst = _bare(machine, name, "install")
    inst.source = source
    _readable(name, source or inst.conf.rootfs)
    _make(machine, inst)
    inst.state = "installed"


def _readable(name: str, source: str | None) -> None:
    """ZoneadmError unless this is a folder or a tar archive."""
    from tarfile import TarError

    if source is None:
        return
    try:
        lower_of(source).listdir(b"")
    except (OSError, TarError, EOFError, KernelError):
        text = f"{source}: no folder or tar archive that can be read"
        raise ZoneadmError(name, text) from None


def _make(machine: Machine, inst: Installed) -> ZoneHandle:
    try:
        return make(machine, inst)
    except KernelError as error:
        why = error.why or error.errno.name
        raise ZoneadmError(inst.conf.name, f"cannot be made: {why}") from None


def uninstall(machine: Machine, name: str) -> None:
    """Take a zone's files away; it is configured again."""
    not_global(name, "uninstall")
    inst = find(machine, name)
    if inst.state != "incomplete":
        inst = _halted(machine, name, "uninstall")
    unmake(machine, name)
    drop_files(machine, inst)
    inst.state = "configured"


def drop_files(machine: Machine, inst: Installed) -> None:
    """Free a zone's files and the account that paid for them.

    Raises:
        ZoneadmError: A process of the global zone is in them or has some open.
    """
    if inst.root is not None:
        fs = inst.root.v_vfs
        assert isinstance(fs, TmpFs)
        inner = mounts_below(machine.kernel, fs.root)
        _unused(inst.conf.name, fs, [id(m.covered) for m in inner])
        for mounted in reversed(inner):
            umount(mounted, force=True)
            mounted.drop_frames()
        if fs.covered is not None:
            umount(fs)
        for node in fs.nodes.values():
            node.free()
    if inst.acct:
        machine.kernel.accts_dead.append(inst.acct)
        accts_reclaim(machine.kernel)
    inst.root, inst.acct, inst.source, inst.job = None, 0, None, None


def _unused(name: str, fs: TmpFs, covered: list[int]) -> None:
    """Nobody holds a node, other than what is mounted on it."""
    for node in fs.nodes.values():
        if node.v_count > covered.count(id(node)):
            where = (node.name or b"/").decode("utf-8", "replace")
            text = f"its files are in use by the global zone: {where}"
            raise ZoneadmError(name, text)


def clone(machine: Machine, name: str, source: str) -> None:
    """Give a configured zone a copy of another's files (clone -m copy).

    What the other has changed is copied; the read-only layer below is shared.
    """
    inst = _bare(machine, name, "clone")
    if source == name:
        raise ZoneadmError(name, "a zone cannot be cloned from itself")
    origin = find(machine, source)
    state = state_of(machine, source)
    if state != "installed" or origin.root is None:
        text = f"source zone '{source}' must be installed and halted: it is {state}"
        raise ZoneadmError(name, text)
    if origin.conf.brand != inst.conf.brand:
        text = (
            f"brand {inst.conf.brand} is not that of source zone '{source}', "
            f"{origin.conf.brand}"
        )
        raise ZoneadmError(name, text)
    fs = origin.root.v_vfs
    assert isinstance(fs, TmpFs)
    capped = inst.conf.capped_memory
    if capped is not None and capped.physical is not None:
        inst.acct = machine.kernel.hw.acct_create(max(1, capped.physical >> 12))
    try:
        inst.root = clone_fs(fs, inst.acct).root
    except KernelError as error:
        raise ZoneadmError(name, f"clone failed: {error.errno.name}") from None
    inst.source = origin.source or origin.conf.rootfs
    handle = _make(machine, inst)
    share_folders(handle.zone, lofs_of(inst.conf))
    mount_tmpfs(handle, inst.conf)
    inst.state = "installed"


# ---- the rest ----


def move(machine: Machine, name: str, zonepath: str) -> None:
    """Let the global zone find the zone's files at another place."""
    inst = _halted(machine, name, "move")
    for other, one in machine.kernel.installed.items():
        if (one.conf.zonepath or f"/zones/{other}") == zonepath:
            raise ZoneadmError(name, f"zonepath {zonepath} is that of '{other}'")
    unmake(machine, name)
    fs = inst.root.v_vfs if inst.root is not None else None
    if fs is not None and fs.covered is not None:
        try:
            umount(fs)
        except KernelError:
            text = "its files are in use by the global zone: /"
            raise ZoneadmError(name, text) from None
    inst.conf = replace(inst.conf, zonepath=zonepath)
    _make(machine, inst)


def detach(machine: Machine, name: str) -> None:
    """The zone is only configured; its files stay where they are."""
    inst = _halted(machine, name, "detach")
    unmake(machine, name)
    inst.state = "configured"


def attach(machine: Machine, name: str) -> None:
    """A detached zone is installed again, with the files that it had."""
    not_global(name, "attach")
    inst, state = find(machine, name), state_of(machine, name)
    if state != "configured":
        raise ZoneadmError(name, f"zone is already {state}")
    if inst.root is None:
        raise ZoneadmError(name, "it was not detached and has no files; install it")
    _make(machine, inst)
    inst.state = "installed"


def mark_incomplete(machine: Machine, name: str) -> None:
    """Say that the zone's files are not right: only uninstall is left."""
    inst = _halted(machine, name, "mark")
    unmake(machine, name)
    inst.state = "incomplete"


def delete(machine: Machine, name: str) -> None:
    """Forget a configured zone; what it had when it was detached goes too."""
    not_global(name, "delete")
    inst, state = find(machine, name), state_of(machine, name)
    if state != "configured":
        raise ZoneadmError(name, f"zone is {state}; delete not allowed, uninstall it")
    drop_files(machine, inst)
    del machine.kernel.installed[name]
