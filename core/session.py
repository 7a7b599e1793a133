"""Sessions and process groups (os/session.c, os/pgrp.c).

A group goes by the pid number of its first leader and holds that number while
it has members; a session likewise.

Locks: pidlock for membership.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.proc import SEXECED, SZOMB

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.pid import Pid
    from personae.core.proc import Proc


class Pgrp:
    """A process group.

    Attributes:
        members: Its processes, the newest first.
    """

    def __init__(self, pidp: Pid) -> None:
        self.pidp = pidp
        self.members: list[Proc] = []

    @property
    def pgid(self) -> int:
        """Its number."""
        return self.pidp.pid_id


class Session:
    """A session.

    Attributes:
        ref: Processes in it, zombies too.
        leader: The process that made it, until that is reaped.
        s_tty: The controlling terminal, or None.
    """

    def __init__(self, pidp: Pid, leader: Proc | None) -> None:
        self.pidp = pidp
        self.leader = leader
        self.ref = 0
        self.s_tty: Any = None

    @property
    def sid(self) -> int:
        """Its number."""
        return self.pidp.pid_id


def sess_hold(sess: Session) -> Session:
    """One more process in the session."""
    sess.ref += 1
    return sess


def sess_rele(kernel: Kernel, sess: Session) -> None:
    """One process less; the last one frees the session and its number."""
    if sess.ref <= 0:
        raise Panic(f"session {sess.sid} released too often")
    sess.ref -= 1
    if sess.ref == 0:
        kernel.pids.rele(sess.pidp)


def pgjoin(proc: Proc, pgrp: Pgrp) -> None:
    """Enter a group (pgjoin); its first member makes it hold its number.

    Locks: pidlock and p_lock.
    """
    proc.kernel.pidlock.assert_held()
    if not pgrp.members:
        proc.kernel.pids.hold(pgrp.pidp)
        pgrp.pidp.pgrp = pgrp
    pgrp.members.insert(0, proc)
    proc.pgrp = pgrp


def pgexit(proc: Proc) -> None:
    """Leave the group; the last member frees its number (pgexit).

    Locks: pidlock.
    """
    pgrp = proc.pgrp
    if pgrp is None:
        return
    proc.kernel.pidlock.assert_held()
    pgrp.members.remove(proc)
    proc.pgrp = None
    if not pgrp.members:
        pgrp.pidp.pgrp = None
        proc.kernel.pids.rele(pgrp.pidp)


def pgcreate(proc: Proc) -> None:
    """Make ``proc`` the first member of a group of its own number."""
    k = proc.kernel
    pid = proc.pidp
    if pid is None:
        raise Panic("a group for a process without a number")
    with k.pidlock:
        pgexit(proc)
        pgjoin(proc, pid.pgrp or Pgrp(pid))


def setsid(proc: Proc) -> int:
    """Make a new session and group, without a controlling terminal (POSIX).

    Returns:
        The new session id.

    Raises:
        KernelError: EPERM, a group of this number exists already.
    """
    k = proc.kernel
    if k.pids.pgfind(proc.pid) is not None:
        raise KernelError(Errno.EPERM, "already leads a process group")
    sess_create(proc)
    return proc.sid


def sess_create(proc: Proc) -> None:
    """Put ``proc`` at the head of a new session and group."""
    k = proc.kernel
    pid = proc.pidp
    if pid is None:
        raise Panic("a session for a process without a number")
    with k.pidlock:
        old = proc.sess
        sess = Session(k.pids.hold(pid), proc)
        pgexit(proc)
        pgjoin(proc, Pgrp(pid))
        proc.sess = sess_hold(sess)
        if old is not None:
            sess_rele(k, old)


def setpgid(caller: Proc, pid: int, pgid: int) -> None:
    """Put a process into a group, by the rules of POSIX.

    Args:
        caller: Who asks.
        pid: Whose group is set; 0 is the caller.
        pgid: The group; 0 is the number of the process itself.

    Raises:
        KernelError: ESRCH, EPERM, EACCES or EINVAL as setpgid(2) says.
    """
    k = caller.kernel
    if pgid < 0:
        raise KernelError(Errno.EINVAL, "negative group")
    target = caller if pid in (0, caller.pid) else k.pids.prfind(pid)
    if target is None or target.stat is SZOMB:
        raise KernelError(Errno.ESRCH, f"no process {pid}")
    if target is not caller:
        if target.parent is not caller:
            raise KernelError(Errno.ESRCH, f"{pid} is no child of the caller")
        if target.flag & SEXECED:
            raise KernelError(Errno.EACCES, f"{pid} has done an exec")
        if target.sess is not caller.sess:
            raise KernelError(Errno.EPERM, f"{pid} is in another session")
    if target.sess is not None and target.sess.leader is target:
        raise KernelError(Errno.EPERM, f"{target.pid} leads a session")
    pgid = pgid or target.pid
    if pgid == target.pgid:
        return
    if pgid == target.pid:
        pgcreate(target)
        return
    group = k.pids.pgfind(pgid)
    if group is None or not any(m.sess is caller.sess for m in group.members):
        raise KernelError(Errno.EPERM, f"no group {pgid} in this session")
    with k.pidlock:
        pgexit(target)
        pgjoin(target, group)


def pgorphaned(pgrp: Pgrp, leaving: Proc | None = None) -> bool:
    """Whether no member has a parent in another group of the same session.

    Args:
        pgrp: The group.
        leaving: A process to look at as if it had gone.
    """
    for m in pgrp.members:
        if m is leaving or m.stat is SZOMB:
            continue
        par = m.parent
        if par is None or par is leaving:
            continue
        if par.pgrp is not pgrp and par.sess is m.sess:
            return False
    return True
