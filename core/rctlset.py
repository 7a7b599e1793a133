"""What a set of resource controls is made of: values, controls, sets.

A control has its values in the order in which they are met, and a cursor at the one
that is enforced.  Sets share their table of controls until one of them changes
(``RctlSet.own``), so that a fork copies nothing.

Must not know: what a value does when it is exceeded (``rctl``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personae.core.rctldefs import (
    BY_ENTITY,
    CACHED,
    RctlDef,
    RctlGlobal,
    RctlLocal,
    RctlPriv,
)
from personae.core.sync import LockOrder, Mutex

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc


@dataclass(frozen=True)
class RctlVal:
    """One value of a control (rctl_val_t).

    Attributes:
        value: The threshold.
        privilege: Who may change it.
        action: What exceeding it does.
        signal: Signal for action SIGNAL.
        recipient: For a basic value of a set that several processes share, the one
            that set it: it applies to that process only.  None in the set of a
            process, which has one owner.
        fired: When it was last exceeded, in cycles; 0 never.
    """

    value: int
    privilege: RctlPriv
    action: RctlLocal = RctlLocal.NOACTION
    signal: int = 0
    recipient: Proc | None = None
    fired: int = field(default=0, compare=False)

    def order(self) -> tuple[bool, int, bool, int]:
        """Place in the list: maximal last, then value, no-deny first, privilege."""
        return (
            bool(self.action & RctlLocal.MAXIMAL),
            self.value,
            bool(self.action & RctlLocal.DENY),
            self.privilege,
        )

    def same(self, other: RctlVal) -> bool:
        """Whether both are the same value to rctl_val_cmp: order, and recipient."""
        if self.order() != other.order():
            return False
        return self.privilege is not RctlPriv.BASIC or self.recipient is other.recipient


class Rctl:
    """One control of one set: its values and the cursor (rctl_t)."""

    __slots__ = ("cursor", "rdef", "values")

    def __init__(self, rdef: RctlDef) -> None:
        self.rdef = rdef
        system = RctlLocal(
            RctlLocal.MAXIMAL
            | (0 if rdef.flags & RctlGlobal.DENY_NEVER else RctlLocal.DENY)
        )
        self.values = [RctlVal(rdef.ceiling, RctlPriv.SYSTEM, system)]
        self.cursor = 0

    def copy(self) -> Rctl:
        """Another control with the same values and cursor."""
        new = Rctl.__new__(Rctl)
        new.rdef, new.values, new.cursor = self.rdef, list(self.values), self.cursor
        return new

    @property
    def enforced(self) -> RctlVal:
        """The value under the cursor."""
        return self.values[self.cursor]

    def insert(self, val: RctlVal) -> None:
        """Add a value in its place and enforce the lowest again."""
        self.values.append(val)
        self.values.sort(key=RctlVal.order)
        self.cursor = 0

    def remove(self, val: RctlVal) -> None:
        """Take a value away and enforce the lowest again."""
        self.values.remove(val)
        self.cursor = 0

    def find(self, privilege: RctlPriv, recipient: Proc | None = None) -> list[RctlVal]:
        """Values of a privilege; basic ones of one process only."""
        return [
            v
            for v in self.values
            if v.privilege is privilege
            and (privilege is not RctlPriv.BASIC or v.recipient is recipient)
        ]


class RctlSet:
    """All controls of one entity (rctl_set_t).

    Args:
        kind: Kind of the entity: process, task, project or zone.
        entity: The entity, whose cached limits follow the set.
        kernel: The kernel.

    Attributes:
        rctls: The controls by name; other sets may have the same table (``cow``).
        cow: The table is another set's too: it is copied before it changes.
        mine: Controls of the table that no other set has.
        stored: Resource limits that no control enforces; replaced, never changed.
        recipients: Basic values of a set of several processes.
    """

    __slots__ = (
        "cow", "entity", "freed", "kind", "lock", "mine", "rctls", "recipients",
        "stored",
    )  # fmt: skip

    def __init__(self, kind: str, entity: Any, kernel: Kernel) -> None:
        self.kind = kind
        self.entity = entity
        self.lock = Mutex(kernel.locks, f"rcs_lock:{kind}", LockOrder.RCTL)
        self.rctls = {d.name: Rctl(d) for d in BY_ENTITY[kind]}
        self.cow = False
        self.mine = set(self.rctls)
        self.stored: dict[str, tuple[int, int]] = {}
        self.recipients = 0
        self.freed = False

    def own(self, name: str) -> Rctl:
        """A control that is about to change: this set's alone from here on."""
        if name in self.mine:
            return self.rctls[name]
        if self.cow:
            self.rctls = dict(self.rctls)
            self.cow = False
        rctl = self.rctls[name] = self.rctls[name].copy()
        self.mine.add(name)
        return rctl

    def callbacks(self) -> None:
        """Set the cached limits of the entity from the set (RCD_CALLBACK)."""
        entity, rctls = self.entity, self.rctls
        for name, attr in CACHED[self.kind]:
            rctl = rctls[name]
            setattr(entity, attr, rctl.values[rctl.cursor].value)

    def snapshot(self) -> tuple[Any, ...]:
        """Values and cursors, to compare two sets."""
        rows = tuple(
            (
                name,
                rctl.cursor,
                tuple(
                    (v.value, int(v.privilege), int(v.action), v.signal)
                    for v in rctl.values
                ),
            )
            for name, rctl in self.rctls.items()
        )
        return rows, tuple(sorted(self.stored.items()))
