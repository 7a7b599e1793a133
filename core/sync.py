"""Waiting and locking, both as plain data.

A system call that has to wait holds no Python frame: it raises ``Sleep`` with
the channels it waits for, and is entered again from its start when one of
them is woken.  Locks never block, since one host thread runs the machine;
they exist so that the order and the ownership which fork.c relies on
(pidlock entered by cfork and dropped by CL_FORKRET) are checked.

Lock order, outermost first (``fork-semantics``: global lock order)::

    pool barrier
      as lock
      contract lock
        pidlock
          p_lock of a vfork child
            p_lock of its parent
              rctl set lock
                zone_nlwps_lock
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from personae.core.errno import Panic

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


class Restart(Enum):
    """What becomes of a wait that a signal ends."""

    SYS = "sys"
    """EINTR if a handler without SA_RESTART runs, else the call is restarted."""
    NOHAND = "nohand"
    """EINTR if any handler runs, else the call is restarted."""
    NEVER = "never"
    """Always EINTR."""


class CondVar:
    """A wait channel: who sleeps on it, the longest waiting first."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: list[Lwp] = []


class Sleep(Exception):
    """The call cannot go on yet: put the lwp to sleep and enter it again later.

    Args:
        cvs: Channels; waking any of them wakes the lwp.
        deadline: Virtual time in cycles at which it wakes in any case.
        interruptible: Whether a signal ends the wait.
        restart: What a signal makes of the call.
        partial: Result of the call if a signal ends it, when it did part of its work.
        user_lock: It waits for a lock of the program, which is counted apart.
    """

    def __init__(
        self,
        *cvs: CondVar,
        deadline: int | None = None,
        interruptible: bool = True,
        restart: Restart = Restart.SYS,
        partial: int | None = None,
        user_lock: bool = False,
    ) -> None:
        super().__init__()
        self.cvs = cvs
        self.deadline = deadline
        self.interruptible = interruptible
        self.restart = restart
        self.partial = partial
        self.user_lock = user_lock


class LockOrder(IntEnum):
    """Ranks of the locks; a lock is entered only while all held ones rank lower."""

    AS = 10
    CONTRACT = 20
    PIDLOCK = 30
    P_LOCK_CHILD = 40
    P_LOCK = 41
    RCTL = 50
    NLWPS = 60
    LEAF = 90


class LockSet:
    """The locks held at this moment, and whether to check them."""

    def __init__(self, checking: bool = True) -> None:
        self.checking = checking
        self.held: list[Mutex] = []

    def assert_none(self, where: str) -> None:
        """Panic if a lock is held; called on each return to user mode."""
        if self.held:
            names = ", ".join(m.name for m in self.held)
            raise Panic(f"{where}: returning with locks held: {names}")


class Mutex:
    """A kernel lock with an owner and a rank.

    ``with lock:`` takes and drops it; a path that everything goes through calls
    ``enter`` and ``exit``, which cost half as much.  Where locks are not checked, it
    is a ``FreeMutex``.

    Attributes:
        held: The locks held at this moment, the last one last.
        name: For messages.
        order: Its rank.
    """

    __slots__ = ("_owned", "held", "name", "order")

    def __init__(self, locks: LockSet, name: str, order: LockOrder) -> None:
        self.held = locks.held
        self.name = name
        self.order = int(order)
        self._owned = False
        if not locks.checking:
            self.__class__ = FreeMutex

    def like(self) -> Mutex:
        """Another lock of the same kind, free."""
        new = object.__new__(self.__class__)
        new.held, new.name, new.order = self.held, self.name, self.order
        new._owned = False
        return new

    @property
    def owned(self) -> bool:
        """Whether it is held."""
        return self in self.held

    def enter(self) -> None:
        """Take the lock; Panic if it is held, or if the order is broken."""
        held = self.held
        if held and held[-1].order >= self.order:
            self._check(held)
        held.append(self)

    def enter_as(self, order: int) -> None:
        """Take the lock with another rank.

        Args:
            order: The rank (``LockOrder``), where the rule depends on the moment (the
                p_lock of a vfork child goes before its parent's).
        """
        self.order = int(order)
        self.enter()

    def _check(self, held: list[Mutex]) -> None:
        """The last lock is none of a lower rank: it may be one of the same."""
        if self in held:
            raise Panic(f"recursive mutex_enter: {self.name}")
        if held[-1].order > self.order:
            names = ", ".join(m.name for m in held)
            raise Panic(f"lock order: {self.name} entered while holding {names}")

    def exit(self) -> None:
        """Drop the lock; Panic if it is not held."""
        held = self.held
        if held:
            last = held.pop()
            if last is self:
                return
            held.append(last)
            if self in held:  # dropped before one that was taken later
                held.remove(self)
                return
        raise Panic(f"mutex_exit of a lock not held: {self.name}")

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.exit()

    def assert_held(self) -> None:
        """Panic unless the lock is held."""
        if self not in self.held:
            raise Panic(f"lock not held: {self.name}")


class FreeMutex(Mutex):
    """A lock that only knows whether it is held."""

    __slots__ = ()

    @property
    def owned(self) -> bool:
        """Whether it is held."""
        return self._owned

    def enter(self) -> None:
        """Take the lock."""
        self._owned = True

    def exit(self) -> None:
        """Drop the lock; Panic if it is not held."""
        if not self._owned:
            raise Panic(f"mutex_exit of a lock not held: {self.name}")
        self._owned = False

    def assert_held(self) -> None:
        """Nothing is checked."""
