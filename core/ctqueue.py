"""Events of contracts and the queues they stand in (os/contract.c, "cte_").

An event goes to three queues: the contract's own, the bundle of its type, and the
bundle of the process that owns it.  Whoever reads has a *listener*, which is a
position in one queue; the event it points at stays.

* An *informative* event is queued only where somebody listens.
* A *critical* event is queued in any case and stays until it is acknowledged.
* What a contract leaves in the bundles when it dies or is abandoned is trimmed, up to
  an event that a *reliable* listener points at.

Must not know: contract types, processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from personae.core.errno import Panic
from personae.core.sync import CondVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from enum import IntFlag

    from personae.core.contract import Contract
    from personae.core.kernel import Kernel

SCAN_MIN = 32
"""Events of a queue from which on it is looked at behind its head too."""


@dataclass(eq=False)
class CtEvent:
    """Something that happened to a contract (ct_kevent_t).

    Attributes:
        contract: Whose it is.
        id: Number of the event, unique in its type of contract.
        type: Which, a single bit.
        informative: Nobody needs to acknowledge it (CTE_INFO).
        data: What the type has to say of it, by name.
        acked: A critical event was acknowledged (CTE_ACK).
    """

    contract: Contract
    id: int
    type: IntFlag
    informative: bool
    data: dict[str, int] = field(default_factory=dict)
    acked: bool = False

    @property
    def settled(self) -> bool:
        """Nobody has to do anything about it."""
        return self.informative or self.acked

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None


class CtqKind(Enum):
    """Whose queue (ct_listnum_t)."""

    CONTRACT = "contract"
    BUNDLE = "bundle"
    """Of a contract type."""
    PBUNDLE = "pbundle"
    """Of a process."""


class CtQueue:
    """A queue of events (ct_equeue_t).

    Attributes:
        events: Oldest first.
        listeners: Who reads.
        trimmed: Ids of events that no listener shall meet any more, which one
            still points at.
        dead: No event comes any more.
        evid: Of a type's bundle: the last event id given.
    """

    def __init__(self, kind: CtqKind) -> None:
        self.kind = kind
        self.events: list[CtEvent] = []
        self.listeners: list[CtListener] = []
        self.trimmed: set[int] = set()
        self.cv = CondVar()
        self.dead = False
        self.evid = 0
        self._scan_at = SCAN_MIN

    def __iter__(self) -> Iterator[CtEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    # ---- events ----

    def publish(self, kernel: Kernel, e: CtEvent) -> None:
        """Put an event at the end, if somebody has to see it (cte_publish)."""
        if self.dead or (e.settled and not self.listeners):
            return
        self.events.append(e)
        self._point_at(kernel, e)
        self._trim_head()

    def _point_at(self, kernel: Kernel, e: CtEvent) -> None:
        """Listeners that had read all go on here (cte_qwakeup)."""
        woken = False
        for listener in self.listeners:
            if listener.position is None:
                listener.position = e
                woken = True
        if woken:
            kernel.wakeup(self.cv)

    def append_critical(self, kernel: Kernel, other: CtQueue) -> None:
        """Take over what waits for an acknowledgement (cte_copy, at an adoption)."""
        new = [e for e in other.events if not e.settled]
        self.events += new
        if new:
            self._point_at(kernel, new[0])

    def withdraw(self, e: CtEvent) -> None:
        """Take back an event that did not happen: the fork failed after all."""
        if e not in self.events:
            return
        at = self.events.index(e)
        after = self.events[at + 1] if at + 1 < len(self.events) else None
        self.events.remove(e)
        for listener in self.listeners:
            if listener.position is e:
                listener.position = after

    def _trim_head(self) -> None:
        """Drop settled events that nobody points at (cte_trim without a contract).

        Mostly from the head on; behind an event that waits only now and then, so
        that the work per event does not grow with the queue.
        """
        events = self.events
        held = {id(li.position) for li in self.listeners}
        n = 0
        while n < len(events) and events[n].settled and id(events[n]) not in held:
            n += 1
        if n:
            del events[:n]
        if len(events) <= self._scan_at:
            return
        self._scan(lambda e: e.settled, stop=True)
        self._scan_at = max(SCAN_MIN, 2 * len(self.events))

    def _scan(self, unwanted: Callable[[CtEvent], bool], stop: bool) -> None:
        """Drop unwanted events nobody points at, to the first one if ``stop``."""
        held = {id(li.position) for li in self.listeners}
        keep: list[CtEvent] = []
        for i, e in enumerate(self.events):
            if id(e) in held and stop:
                keep += self.events[i:]
                break
            if id(e) in held or not unwanted(e):
                keep.append(e)
        self.events = keep

    def trim(self, ct: Contract) -> None:
        """Remove what a contract has left here (cte_trim with a contract).

        An event that a listener points at is only marked; where the listener is
        reliable, it and all after it stay.
        """
        keep: list[CtEvent] = []
        reliable = self.kind is not CtqKind.PBUNDLE
        for i, e in enumerate(self.events):
            here = [li for li in self.listeners if li.position is e]
            if reliable and any(li.reliable for li in here):
                keep += self.events[i:]
                break
            if e.contract is not ct:
                keep.append(e)
            elif here:
                self.trimmed.add(e.id)
                keep.append(e)
        self.events = keep

    def drain(self, kernel: Kernel) -> None:
        """Empty the queue for good; who waits on it is told (cte_queue_drain)."""
        self.events = []
        self.trimmed = set()
        for listener in self.listeners:
            listener.position = None
        self.dead = True
        kernel.wakeup(self.cv)

    # ---- listeners ----

    def after(self, e: CtEvent) -> CtEvent | None:
        """The event behind ``e``."""
        at = self.events.index(e) + 1
        return self.events[at] if at < len(self.events) else None

    def move(self, listener: CtListener, e: CtEvent | None) -> CtEvent | None:
        """Point a listener at an event, or the first good one after it (cte_qmove)."""
        old = listener.position
        while e is not None and e.id in self.trimmed:
            e = self.after(e)
        listener.position = e
        if (
            old is not None
            and old.id in self.trimmed
            and all(li.position is not old for li in self.listeners)
        ):
            self.trimmed.discard(old.id)
            self.events.remove(old)
        return e


class CtListener:
    """A position in a queue (ct_listener_t); a new one has read all there is.

    Args:
        queue: The queue.

    Attributes:
        position: The next event to read; None, at the end.
        reliable: No event is trimmed before it was read.
    """

    def __init__(self, queue: CtQueue) -> None:
        self.queue = queue
        self.position: CtEvent | None = None
        self.reliable = False
        queue.listeners.insert(0, self)

    def close(self) -> None:
        """Leave the queue (cte_remove_listener)."""
        if self not in self.queue.listeners:
            raise Panic("a listener leaves a queue twice")
        self.queue.move(self, None)
        self.queue.listeners.remove(self)
        self.queue._trim_head()

    def reset(self) -> None:
        """Go back to the oldest event there is (cte_reset_listener)."""
        events = self.queue.events
        self.queue.move(self, events[0] if events else None)

    def skip(self, evid: int) -> None:
        """Go past the event, if that is where we are (cte_next_event)."""
        if self.position is not None and self.position.id == evid:
            self.queue.move(self, self.queue.after(self.position))

    def find(
        self, may_see: Callable[[CtEvent], bool], *, critical: bool = False
    ) -> CtEvent | None:
        """The next event to read; the listener stands at it (cte_qreadable).

        Args:
            may_see: Whether the reader may know of an event; others are passed by.
            critical: Only events that wait for an acknowledgement.
        """
        e = self.queue.move(self, self.position)
        while e is not None and ((critical and e.settled) or not may_see(e)):
            e = self.queue.move(self, self.queue.after(e))
        return e
