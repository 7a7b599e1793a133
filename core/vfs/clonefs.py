"""A copy of a whole file system in memory, as zoneadm(8) clone makes one.

The nodes are copied with their inode numbers, so hard links stay links.  What an
overlay has not looked at yet stays in the lower layer, which both then share;
nobody writes to it.  Mounts, open pipes and bound sockets are not part of a copy.
"""

from __future__ import annotations

from typing import cast

from personae.core.vfs.overlay import OverlayFs, OvlDir
from personae.core.vfs.tmpdir import TmpDir
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.tmpnode import (
    ENTRY_COST,
    TmpDev,
    TmpFifo,
    TmpFile,
    TmpLink,
    TmpNode,
)

_COMMON = (
    "mode", "uid", "gid", "nlink", "parent", "name", "atime", "mtime", "ctime",
)  # fmt: skip
"""Attributes of every node that a copy has as well."""


def clone_fs(fs: TmpFs, acct: int = 0) -> TmpFs:
    """A copy of ``fs`` that shares only the lower layer with it.

    Args:
        fs: What is copied; nobody may be writing to it.
        acct: Account that pays for the frames of the copy's mapped pages.

    Raises:
        KernelError: ENOSPC, above the limit of the file system.
    """
    if isinstance(fs, OverlayFs):
        new: TmpFs = OverlayFs(fs.kernel, fs.lower, fs.limit, acct)
        cast("OverlayFs", new).links = dict(fs.links)
    else:
        new = TmpFs(fs.kernel, fs.limit, acct)
    new.lastino, new.readonly = fs.lastino, fs.readonly
    new.nodes = {ino: _copy(node, new) for ino, node in fs.nodes.items()}
    new.root = cast("TmpDir", new.nodes[cast("TmpDir", fs.root).ino])
    return new


def _copy(node: TmpNode, fs: TmpFs) -> TmpNode:
    new = _same_kind(node, fs)
    for name in _COMMON:
        setattr(new, name, getattr(node, name))
    if node.cost:
        fs.charge(node.cost)
        fs.nfiles += 1
        new.cost = node.cost
    return new


def _same_kind(node: TmpNode, fs: TmpFs) -> TmpNode:
    if isinstance(node, TmpDir):
        return _copy_dir(node, fs)
    if isinstance(node, TmpFile):
        file = TmpFile(fs, node.ino, node.mode)
        file.data = node.data.copy(fs)
        return file
    if isinstance(node, TmpLink):
        return TmpLink(fs, node.ino, node.target)
    if isinstance(node, TmpFifo):
        return TmpFifo(fs, node.ino, node.mode)
    return TmpDev(fs, node.v_type, node.ino, node.mode, rdev=node.v_rdev)


def _copy_dir(node: TmpDir, fs: TmpFs) -> TmpDir:
    if isinstance(node, OvlDir):
        overlay = OvlDir(cast("OverlayFs", fs), node.ino, node.lpath)
        overlay.lazy = dict(node.lazy)
        new: TmpDir = overlay
    else:
        new = TmpDir(fs, node.ino, node.mode)
    new.entries, new.names = dict(node.entries), list(node.names)
    new.inos, new.free_slots = list(node.inos), list(node.free_slots)
    new.subdirs, new.loaded, new.paid = node.subdirs, node.loaded, node.paid
    fs.charge(ENTRY_COST * node.paid)
    return new
