"""Process ids, the table of processes, and the slots of /proc (os/pid.c).

A pid number stays in use as long as a process, a process group or a session
goes by it; it is handed out by a cyclic search, so a number is not reused
before the others had their turn.

Locks: pidlinklock is a leaf and is not modelled; pidlock guards the links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.proc import SIDL, Proc

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.session import Pgrp


class Pid:
    """A number in use (struct pid).

    Attributes:
        ref: One for the process, one for its group while that has members, one
            for its session.
        proc: The process of this number while it exists, also as a zombie.
        pgrp: The group that goes by this number.
    """

    def __init__(self, pid_id: int) -> None:
        self.pid_id = pid_id
        self.ref = 1
        self.proc: Proc | None = None
        self.pgrp: Pgrp | None = None


class PidTable:
    """Numbers, slots and the process lists of one kernel."""

    def __init__(self, kernel: Kernel, maxpid: int, slots: int) -> None:
        self.kernel = kernel
        self.maxpid = maxpid
        self.minpid = 100
        self.mpid = self.minpid - 1
        """Last number handed out."""
        self.hash: dict[int, Pid] = {}
        self.slots = slots
        self.free_slots = list(range(slots - 1, -1, -1))

    def allocate(self, proc: Proc, wanted: int | None = None) -> Pid:
        """Give a process a number and a slot (pid_allocate).

        Raises:
            KernelError: EAGAIN, no slot or no number is free.
        """
        if not self.free_slots:
            k = self.kernel
            if k.nproc >= k.v_proc:
                k.count("procovf")
                k.notice("out of processes")
            raise KernelError(Errno.EAGAIN, "no free process slot")
        number = self.next_number() if wanted is None else wanted
        if number in self.hash:
            raise Panic(f"pid {number} is in use")
        pid = Pid(number)
        pid.proc = proc
        self.hash[number] = pid
        proc.pidp = pid
        proc.slot = self.free_slots.pop()
        return pid

    def next_number(self) -> int:
        """The next number that nobody goes by (the cyclic search of pid_allocate)."""
        n = self.mpid
        for _ in range(self.maxpid - self.minpid + 1):
            n = n + 1 if n < self.maxpid else self.minpid
            if n not in self.hash:
                self.mpid = n
                return n
        raise KernelError(Errno.EAGAIN, "no free process id")

    def free(self, proc: Proc) -> None:
        """Give slot and number back (the first half of pid_exit)."""
        pid = proc.pidp
        if pid is None:
            raise Panic("pid freed twice")
        self.free_slots.append(proc.slot)
        proc.slot = -1
        pid.proc = None
        proc.pidp = None
        self.rele(pid)

    def hold(self, pid: Pid) -> Pid:
        """One more user of the number."""
        pid.ref += 1
        return pid

    def rele(self, pid: Pid) -> None:
        """One user less; the last one frees the number."""
        if pid.ref <= 0:
            raise Panic(f"pid {pid.pid_id} released too often")
        pid.ref -= 1
        if pid.ref == 0:
            del self.hash[pid.pid_id]

    def prfind(self, number: int) -> Proc | None:
        """The process of that number, zombies too; None for none or a SIDL one."""
        pid = self.hash.get(number)
        if pid is None or pid.proc is None or pid.proc.stat is SIDL:
            return None
        return pid.proc

    def pgfind(self, pgid: int) -> Pgrp | None:
        """The process group of that number."""
        pid = self.hash.get(pgid)
        return pid.pgrp if pid is not None else None


def link_child(parent: Proc, child: Proc) -> None:
    """Make ``child`` the first child and the first orphan-to-be of ``parent``.

    fork.c:968.  Locks: pidlock.
    """
    parent.kernel.pidlock.assert_held()
    child.parent = parent
    child.sibling = parent.child
    if parent.child is not None:
        parent.child.psibling = child
    child.psibling = None
    parent.child = child
    child.nextofkin = parent
    child.nextorph = parent.orphan
    parent.orphan = child


def unlink_child(child: Proc) -> None:
    """Take ``child`` out of its parent's child and orphan lists.

    fork.c:242-251.  Locks: pidlock.
    """
    child.kernel.pidlock.assert_held()
    unlink_orphan(child)
    parent = child.parent
    if parent is None:
        raise Panic(f"{child!r} has no parent")
    if child.psibling is not None:
        child.psibling.sibling = child.sibling
    else:
        parent.child = child.sibling
    if child.sibling is not None:
        child.sibling.psibling = child.psibling
    child.sibling = child.psibling = None
    child.parent = None


def unlink_orphan(child: Proc) -> None:
    """Take ``child`` out of its next of kin's orphan list.  Locks: pidlock."""
    kin = child.nextofkin
    if kin is None:
        return
    if kin.orphan is child:
        kin.orphan = child.nextorph
    else:
        p = kin.orphan
        while p is not None and p.nextorph is not child:
            p = p.nextorph
        if p is None:
            raise Panic(f"{child!r} is not on the orphan list of {kin!r}")
        p.nextorph = child.nextorph
    child.nextorph = None
    child.nextofkin = None
