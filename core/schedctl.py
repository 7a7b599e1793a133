"""schedctl: a few bytes that the kernel and one lwp share (os/schedctl.c).

A process has pages of slots, one slot for each lwp that has asked.  In it the kernel
says what the lwp does and where it ran last; the lwp says that it should not be
preempted just now, and reads whether it should yield as soon as it can.  The pages
are mapped shared in the process; the kernel holds them on its own, so a process that
unmaps them harms itself alone.

A child of fork gets none of it, a child of vfork leaves its parent's alone, exec and
exit give all of it up (fork-semantics 2.2, 2.3).

Not read: sc_sigblock and sc_park, which serve a C library that blocks signals and
parks without a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Panic
from personae.core.lwp import (
    TS_ONPROC,
    TS_RUN,
    TS_SLEEP,
    TS_STOPPED,
    TState,
)
from personae.core.vm.anon import AnonMap
from personae.core.vm.layout import PAGE, MapFlag
from personae.core.vm.seg import SegAnon

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As

SLOT = 16
"""sizeof (sc_shared_t)."""
SLOTS = PAGE // SLOT
SC_MAX_TICKS = 2
"""Clock ticks for which a preemption may be put off (sys/schedctl.h)."""
NEVER = -(1 << 63)
"""For ``put_off``: there is nothing left to put off."""
MAXUMDPRI = 59
"""Priority of one that is not to be preempted (ts_maxumdpri)."""

SC_FREE = 0
_SC_STATE: dict[TState, int] = {
    TS_SLEEP: 0x01,
    TS_RUN: 0x02,
    TS_ONPROC: 0x04,
    TS_STOPPED: 0x10,
}
_STATE, _CPU, _NOPREEMPT, _YIELD = 0, 4, 12, 14
_ALL = 7


class ScPage:
    """A page of slots (sc_page_ctl).

    Attributes:
        amp: The memory, held by the kernel.
        base: Where the process has it.
        used: Bitmap of the slots that are taken.
    """

    __slots__ = ("amp", "base", "used")

    def __init__(self, amp: AnonMap, base: int) -> None:
        self.amp = amp
        self.base = base
        self.used = 0


class ScSlot:
    """The slot of one lwp (sc_shared_t).

    Attributes:
        page: The page it is on.
        index: Which of the page.
        gave_way: The lwp has yielded: it is not kept on its CPU this time.
    """

    __slots__ = ("gave_way", "index", "page")

    def __init__(self, page: ScPage, index: int) -> None:
        self.page = page
        self.index = index
        self.gave_way = False

    @property
    def addr(self) -> int:
        """Where the lwp finds it."""
        return self.page.base + self.index * SLOT

    def put(self, off: int, value: int, size: int = 2) -> None:
        """Store one field."""
        amp = self.page.amp
        raw = value.to_bytes(size, "little")
        amp.kernel.hw.frame_write(amp.getpage(0), self.index * SLOT + off, raw)

    def nopreempt(self) -> bool:
        """Whether the lwp asks to be left alone (schedctl_get_nopreempt)."""
        amp = self.page.amp
        at = self.index * SLOT + _NOPREEMPT
        return any(amp.kernel.hw.frame_read(amp.getpage(0), at, 2))


def schedctl(lwp: Lwp) -> int:
    """The address of the caller's slot, which it gets with its first call.

    Raises:
        KernelError: ENOMEM.
    """
    slot = lwp.schedctl
    if slot is None:
        page = _page(lwp.proc)
        index = next(i for i in range(SLOTS) if not page.used >> i & 1)
        page.used |= 1 << index
        lwp.schedctl = slot = ScSlot(page, index)
        for off in range(0, SLOT, 4):
            slot.put(off, 0, 4)
        restore(lwp)
    at: int = slot.addr
    return at


def _page(p: Proc) -> ScPage:
    """A page with room; a new one is mapped where the system likes."""
    for page in p.sc_pages:
        if page.used != (1 << SLOTS) - 1:
            return page
    space = p.as_
    if space is None:
        raise Panic(f"{p!r} calls without an address space")
    amp = AnonMap(p.kernel, space.acct)
    try:
        amp.getpage(0)
        base = space.map(0, PAGE, _ALL, MapFlag.SHARED, name=b"schedctl", amp=amp)
        space.set_flags(base, PAGE, MapFlag.PURGE, MapFlag(0))  # schedctl_fork
    except BaseException:
        amp.rele()
        raise
    page = ScPage(amp, base)
    p.sc_pages = (page, *p.sc_pages)
    return page


def restore(lwp: Lwp) -> None:
    """The lwp goes onto a CPU (schedctl_restore)."""
    slot: ScSlot = lwp.schedctl
    slot.gave_way = False
    slot.put(_STATE, _SC_STATE[TS_ONPROC])
    slot.put(_CPU, lwp.cpu.id if lwp.cpu is not None else 0, 4)


def save(lwp: Lwp) -> None:
    """The lwp has left its CPU (schedctl_save)."""
    state = _SC_STATE.get(lwp.state)
    if state is not None:
        lwp.schedctl.put(_STATE, state)


def gives_way(lwp: Lwp) -> None:
    """It yields of its own accord: nothing is owed any more (ts_yield)."""
    slot: ScSlot = lwp.schedctl
    slot.gave_way = True
    slot.put(_YIELD, 0)


def put_off(lwp: Lwp, left: int) -> bool:
    """Whether the end of the quantum is put off (ts_tick, fss_tick, fx_tick).

    Args:
        lwp: A lwp with a slot.
        left: Cycles left of its quantum: 0 or less.

    Returns:
        True: it goes on, and is told to yield soon.  False: it has not asked, or has
        had ``SC_MAX_TICKS``; then its wish is void from now on.
    """
    slot: ScSlot = lwp.schedctl
    if slot.gave_way or not slot.nopreempt():
        return False
    if left > -SC_MAX_TICKS * lwp.kernel.tick:
        slot.put(_YIELD, 1)
        return True
    slot.put(_NOPREEMPT, 0)
    return False


def grace(lwp: Lwp, left: int) -> int:
    """Length of a run whose quantum has ``left`` cycles, 0 or less; at least 1."""
    if lwp.schedctl is None or not lwp.schedctl.nopreempt():
        return 1
    return max(1, left + SC_MAX_TICKS * lwp.kernel.tick)


def stays(lwp: Lwp) -> bool:
    """Whether one that is taken off its CPU is the next on it (ts_preempt).

    Classes above the time-sharing ones do not look at it (rt_preempt).
    """
    slot: ScSlot = lwp.schedctl
    if slot.gave_way or lwp.pri > MAXUMDPRI or not slot.nopreempt():
        return False
    slot.put(_YIELD, 1)
    return True


def lwp_cleanup(lwp: Lwp) -> None:
    """The lwp ends: its slot is free, its page stays (schedctl_lwp_cleanup)."""
    slot: ScSlot = lwp.schedctl
    slot.put(_STATE, SC_FREE)
    slot.page.used &= ~(1 << slot.index)
    lwp.schedctl = None


def proc_cleanup(p: Proc) -> None:
    """End of a program: every slot and page goes (schedctl_proc_cleanup).

    The space may be one that a vfork parent has lent: it loses the child's pages only.
    """
    for lwp in p.lwps:
        if lwp.schedctl is not None:
            lwp_cleanup(lwp)
    pages, p.sc_pages = p.sc_pages, ()
    for page in pages:
        if p.as_ is not None:
            _unmap(p.as_, page)
        page.amp.rele()


def _unmap(space: As, page: ScPage) -> None:
    """Unmap a page, unless the process has put something else there."""
    for seg in list(space.overlap(page.base, page.base + PAGE)):
        if isinstance(seg, SegAnon) and seg.amp is page.amp:
            space.unmap(page.base, PAGE)
            return


def schedctl_ledger(p: Proc) -> dict[str, Any]:
    """What the ledger writes down of a process."""
    return {
        "pages": [(pg.base, pg.used, pg.amp.refcnt) for pg in p.sc_pages],
        "slots": {t.tid: t.schedctl.addr for t in p.lwps if t.schedctl is not None},
    }
