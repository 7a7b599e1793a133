"""Clone groups: what processes share that are not threads of each other.

CLONE_FS shares directories and umask, CLONE_FILES the table of open files,
CLONE_SIGHAND the handlers (clone(2)).  Who shares directories is a list of
processes, and a change is made in each of them; the last member to leave dissolves
it.  A table of open files and the handlers are one object for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import (
    CLONE_CLEAR_SIGHAND,
    CLONE_FILES,
    CLONE_FS,
    CLONE_SIGHAND,
)
from personae.brands.linux.data import Group, pdata
from personae.core.signal import sigdefault

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode


def share(parent: Proc, child: Proc, flags: int) -> None:
    """Let a new child share with its parent what the clone flags say."""
    if flags & CLONE_FS:
        pdata(child).fs = _join(pdata(parent).fs, parent, child)
        pdata(parent).fs = pdata(child).fs
    if flags & CLONE_FILES:
        child.fds.fork_undo()
        child.user.fds = parent.fds.share()
    if flags & CLONE_SIGHAND:
        child.user.u_signal = parent.user.u_signal
    if flags & CLONE_CLEAR_SIGHAND:
        sigdefault(child)


def _join(group: Group | None, parent: Proc, child: Proc) -> Group:
    group = group or Group([parent])
    group.members.append(child)
    return group


def _leave(group: Group | None, proc: Proc) -> None:
    """Leave a group; a single one left is no group any more."""
    if group is None:
        return
    group.members.remove(proc)
    if len(group.members) == 1:
        data = pdata(group.members[0])
        data.fs = None


def unshare(proc: Proc, flags: int) -> None:
    """Go on with copies of one's own (unshare)."""
    data = pdata(proc)
    if flags & CLONE_FS:
        _leave(data.fs, proc)
        data.fs = None
    if flags & CLONE_FILES:
        unshare_files(proc)
    if flags & CLONE_SIGHAND:
        proc.user.u_signal = dict(proc.user.u_signal)


def unshare_files(proc: Proc) -> None:
    """Go on with a copy of the table of open files, if another process has it too."""
    table = proc.fds
    if table.ref > 1:
        proc.user.fds = table.fork()
        table.ref -= 1


def leave(proc: Proc) -> None:
    """The process exits: its directories are no longer moved with the others'."""
    data = pdata(proc)
    _leave(data.fs, proc)
    data.fs = None


def set_cwd(lwp: Lwp, vnode: Vnode) -> None:
    """Change the current directory, also of those who share it."""
    for p in _fs_members(lwp.proc):
        old, p.user.u_cdir = p.user.u_cdir, vnode.hold()
        p.user.u_cwd = None
        if old is not None:
            old.rele()


def set_root(lwp: Lwp, vnode: Vnode) -> None:
    """Change the root directory, also of those who share it."""
    for p in _fs_members(lwp.proc):
        old, p.user.u_rdir = p.user.u_rdir, vnode.hold()
        p.user.u_cwd = None
        if old is not None:
            old.rele()


def set_umask(lwp: Lwp, mask: int) -> None:
    """Change the umask, also of those who share it."""
    for p in _fs_members(lwp.proc):
        p.user.u_cmask = mask


def _fs_members(proc: Proc) -> list[Proc]:
    group = pdata(proc).fs
    return group.members if group is not None else [proc]
