"""Doors: calls from one process into another (doorfs, door_create(3C)).

A process makes a *door*; whoever has a descriptor of it calls the server procedure
behind it.  The call is made by a *server lwp*: one of the door's process that waits in
``door_return``, in the pool of its process or, for a private door, in the door's own.
The caller sleeps until that lwp comes to its next ``door_return``.

What is passed, and how it lies in memory, is the brand's: it gives ``door_call`` a
function that puts the arguments into the server's space, and ``door_return`` one that
puts the results into the caller's.

Who takes part in what is said by ``lwp.sysstate``, which ends with the system call: a
caller's is its ``Call``, a waiting server's its ``Wait``.  So whoever looks at a call
next finds out that a signal has ended it; nothing has to be undone when that happens,
except that the server lwp of a caller that went away is cancelled at once.

References: the descriptor table's; a ``Door`` is a vnode.  A door that has only its one
descriptor left is *unreferenced*, and its process may be told so by a call.

Must not know: layouts, registers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from functools import partial
from typing import TYPE_CHECKING, Any

from personae.core import signal
from personae.core.errno import Errno, KernelError
from personae.core.flags import quick_flags
from personae.core.lwp import TState
from personae.core.signal import Action
from personae.core.signo import Sig
from personae.core.sync import CondVar, Restart, Sleep
from personae.core.vfs.vnode import Vattr, Vnode, VType, counters, new_ino

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

INT_MAX = (1 << 31) - 1
SIZE_MAX = (1 << 64) - 1


@quick_flags
class DoorAttr(IntFlag):
    """door_attr_t (sys/door.h)."""

    UNREF = 0x01
    """Tell, once, when only one descriptor is left."""
    PRIVATE = 0x02
    """Served by lwps that are bound to it only."""
    LOCAL = 0x04
    """Told to the process whose door it is."""
    REVOKED = 0x08
    UNREF_MULTI = 0x10
    """Tell every time."""
    IS_UNREF = 0x20
    REFUSE_DESC = 0x40
    """Takes no descriptors as arguments."""
    NO_CANCEL = 0x80
    """The server lwp is not cancelled when its caller goes away."""


CREATE_MASK = 0xD3
_UNREF = int(DoorAttr.UNREF | DoorAttr.UNREF_MULTI)


@dataclass(eq=False)
class Pool:
    """Server lwps that wait, the latest last, and who waits for one of them."""

    lwps: list[Lwp] = field(default_factory=list)
    cv: CondVar = field(default_factory=CondVar)

    def valid(self) -> list[Lwp]:
        """Those that still wait."""
        self.lwps = [t for t in self.lwps if self.has(t)]
        return self.lwps

    def has(self, lwp: Lwp) -> bool:
        """Whether a lwp waits here, and no call is there for it."""
        wait = lwp.sysstate
        if lwp.state is TState.TS_ZOMB or not isinstance(wait, Wait):
            return False
        return wait.pool is self and wait.frame is None

    def enter(self, lwp: Lwp) -> None:
        """A lwp waits; what is left of an earlier wait goes."""
        self.lwps = [t for t in self.valid() if t is not lwp]
        self.lwps.append(lwp)
        lwp.kernel.wakeup(self.cv)


@dataclass(eq=False)
class ProcDoors:
    """What a process has to do with doors (p_door_list, p_server_threads).

    Attributes:
        doors: Its own, by number.
        pool: Server lwps for all doors that are not private.
        unref: Doors that are unreferenced, and have to be told so.
        unref_cv: Who waits to tell.
    """

    doors: dict[int, Door] = field(default_factory=dict)
    pool: Pool = field(default_factory=Pool)
    unref: list[Door] = field(default_factory=list)
    unref_cv: CondVar = field(default_factory=CondVar)


@dataclass(eq=False)
class Wait:
    """A server lwp waits in door_return.

    Attributes:
        pool: Where.
        frame: What the brand has put into its space for a call that is there.
    """

    pool: Pool
    frame: Any = None


@dataclass(eq=False)
class Call:
    """A call that is made.

    Attributes:
        client: Who calls.
        door: What.
        server: The lwp that works for it; None before and afterwards.
        begun: It has had one.
        unref: It tells that the door is unreferenced.
        done: It has returned.
        exited: The server lwp has ended without returning.
        result: What the brand wants to hand to the client's end of the call.
    """

    client: Lwp
    door: Door
    server: Lwp | None = None
    begun: bool = False
    unref: bool = False
    done: bool = False
    exited: bool = False
    result: Any = None
    cv: CondVar = field(default_factory=CondVar)

    @property
    def live(self) -> bool:
        """Whether the caller still waits for it."""
        return self.client.sysstate is self and self.client.state is not TState.TS_ZOMB


@dataclass(eq=False)
class LwpDoor:
    """What a lwp is to doors (door_data_t); ``lwp.door``.

    Attributes:
        call: The call that it works for.
        bound: The private door it serves.
        cv: Where it waits for a call.
    """

    call: Call | None = None
    bound: Door | None = None
    cv: CondVar = field(default_factory=CondVar)


class Door(Vnode):
    """A door (door_node_t).

    Args:
        proc: Whose it is.
        pc: The server procedure.
        data: Its cookie.
        attr: ``DoorAttr`` bits of ``CREATE_MASK``.

    Attributes:
        active: Calls in progress.
        delay: It became unreferenced during a call; told afterwards.
        nbound: Lwps bound to it.
    """

    def __init__(self, proc: Proc, pc: int, data: int, attr: int) -> None:
        super().__init__(None, VType.DOOR)
        kernel = proc.kernel
        num = counters(kernel)
        num.door += 1
        self.kernel = kernel
        self.id = num.door
        self.ino = new_ino(kernel)
        self.made = kernel.wall_ns
        self.target: Proc | None = proc
        self.pc, self.data, self.attr = pc, data, attr
        self.active = self.nbound = 0
        self.delay = False
        self.data_min, self.data_max = 0, SIZE_MAX
        self.desc_max = 0 if attr & DoorAttr.REFUSE_DESC else INT_MAX
        self.private = Pool()

    def __repr__(self) -> str:
        return f"<Door {self.id} {self.attr:#x} active={self.active}>"

    @property
    def revoked(self) -> bool:
        """It can't be called any more."""
        return bool(self.attr & DoorAttr.REVOKED)

    @property
    def pool(self) -> Pool:
        """Where its servers wait."""
        if self.attr & DoorAttr.PRIVATE or self.target is None:
            return self.private
        return proc_doors(self.target).pool

    def getattr(self) -> Vattr:
        """Attributes: nobody owns it (door_getattr)."""
        when = self.made
        return Vattr(
            VType.DOOR, 0o777, 0, 0, 1, 0, self.ino, 0, 0, when, when, when, 0, 0
        )  # fmt: skip

    def anon_name(self) -> bytes:
        """What /proc shows."""
        return b"door:[%d]" % self.id

    def last_but_one(self) -> None:
        """A descriptor was closed and one is left (door_close with a count of 2)."""
        if self.v_count == 1 and self.attr & _UNREF and not self.revoked:
            if self.active:
                self.delay = True
            else:
                self._tell_unref()

    def _tell_unref(self) -> None:
        """Its process is told that it is unreferenced (door_deliver_unref)."""
        self.delay = False
        if self.target is None:
            return
        self.attr &= ~DoorAttr.UNREF
        mine = proc_doors(self.target)
        if self not in mine.unref:
            mine.unref.append(self)
        self.kernel.wakeup(mine.unref_cv)

    def inactive(self) -> None:
        """Nobody can call it any more."""
        if self.target is not None and not (self.active or self.nbound):
            proc_doors(self.target).doors.pop(self.id, None)
            self.target = None

    def leave(self) -> None:
        """A call of it is over."""
        self.active -= 1
        if self.active == 0 and self.delay:
            self._tell_unref()

    def info_attr(self, proc: Proc, file: File | None = None) -> int:
        """The attributes as a process is told them."""
        out = self.attr
        if self.target is proc:
            out |= DoorAttr.LOCAL
        if file is not None and (file.f_count, self.v_count) == (1, 1):
            out |= DoorAttr.IS_UNREF
        return out


def proc_doors(proc: Proc) -> ProcDoors:
    """What a process has to do with doors, made at first use."""
    if proc.doors is None:
        proc.doors = ProcDoors()
    return proc.doors


def lwp_door(lwp: Lwp) -> LwpDoor:
    """What a lwp is to doors, made at first use."""
    if lwp.door is None:
        lwp.door = LwpDoor()
    got: LwpDoor = lwp.door
    return got


def door_create(lwp: Lwp, pc: int, data: int, attr: int) -> Door:
    """A door of the caller's process (door_create(3C)).

    Raises:
        KernelError: EINVAL, unknown attributes, or both kinds of unref.
    """
    if attr & ~CREATE_MASK or attr & _UNREF == _UNREF:
        raise KernelError(Errno.EINVAL, f"door attributes {attr:#x}")
    door = Door(lwp.proc, pc, data, attr)
    proc_doors(lwp.proc).doors[door.id] = door
    return door


# ---- calling ----


def _check_limits(door: Door, size: int, ndesc: int) -> None:
    if not door.data_min <= size <= door.data_max:
        raise KernelError(Errno.ENOBUFS, f"{size} bytes for {door!r}")
    if ndesc and door.attr & DoorAttr.REFUSE_DESC:
        raise KernelError(Errno.ENOTSUP, f"{door!r} takes no descriptors")
    if ndesc > door.desc_max:
        raise KernelError(Errno.ENFILE, f"{ndesc} descriptors for {door!r}")


def door_call(
    lwp: Lwp, door: Door, size: int, ndesc: int, place: Callable[[Lwp], Any]
) -> Any:
    """Call a door; entered again until the call has returned (door_call(3C)).

    Args:
        lwp: The caller.
        door: The door.
        size: Bytes of its argument.
        ndesc: Descriptors that go with it.
        place: Puts the arguments into the space of the server lwp and answers what
            that lwp needs to find them.

    Returns:
        What ``door_return`` has been given for the caller.

    Raises:
        KernelError: EBADF, the door is revoked; ENOBUFS, ENOTSUP, ENFILE: its
            limits; EINTR, a signal, or the server lwp has ended; what ``place`` says.
        Sleep: It goes on.
    """
    call = lwp.sysstate
    if not isinstance(call, Call):
        if door.revoked:
            raise KernelError(Errno.EBADF, f"{door!r} is revoked")
        _check_limits(door, size, ndesc)
        call = lwp.sysstate = Call(lwp, door)
    return _advance(call, place)


def door_unref(lwp: Lwp, place: Callable[..., Any]) -> Any:
    """Tell the process of unreferenced doors, one call after the other, for ever.

    What a lwp of the process does for it (DOOR_UNREFSYS).

    Args:
        lwp: That lwp.
        place: As in ``door_call``; called with the server lwp and, by name, ``door``.

    Raises:
        KernelError: EINTR, a signal.
        Sleep: There is nothing to tell, or a call goes on.
    """
    mine = proc_doors(lwp.proc)
    while True:
        call = lwp.sysstate
        if not isinstance(call, Call):
            if not mine.unref:
                raise Sleep(mine.unref_cv, restart=Restart.NEVER)
            call = lwp.sysstate = Call(lwp, mine.unref.pop(0), unref=True)
        door = call.door
        over = call.done or call.exited or (door.revoked and call.server is None)
        if not over:
            _advance(call, partial(place, door=door))
        lwp.sysstate = None


def _advance(call: Call, place: Callable[[Lwp], Any]) -> Any:
    """Take a call as far as it goes now."""
    lwp, door = call.client, call.door
    if call.done:
        return call.result
    if call.exited:
        raise KernelError(Errno.EINTR, "the server lwp has ended")
    if call.server is not None:
        if _ends(lwp):
            _abandon(call)
            raise KernelError(Errno.EINTR, "a signal ends a door call")
        raise Sleep(call.cv, restart=Restart.NEVER)
    if door.revoked:
        raise KernelError(Errno.EBADF, f"{door!r} is revoked")
    servers = door.pool.valid()
    if not servers:
        raise Sleep(door.pool.cv, restart=Restart.NEVER)
    server = servers.pop()
    wait = server.sysstate
    try:
        wait.frame = place(server)
    except BaseException:
        servers.append(server)
        raise
    lwp_door(server).call = call
    call.server, call.begun = server, True
    door.active += 1
    lwp.kernel.wakeup(lwp_door(server).cv)
    raise Sleep(call.cv, restart=Restart.NEVER)


def _ends(lwp: Lwp) -> bool:
    """Whether a handler is about to run, which ends the call."""
    got = signal.peek(lwp)
    if got is None or got[1] is not Action.HANDLER:
        return False
    return not lwp.proc.sigmask or got[0] not in lwp.proc.sigmask


def _abandon(call: Call) -> None:
    """The caller goes away: its server lwp works for nobody, and is cancelled."""
    server, call.server = call.server, None
    if server is None:
        return
    lwp_door(server).call = None
    call.door.leave()
    if not call.door.attr & DoorAttr.NO_CANCEL:
        signal.tsignal(server, Sig.SIGCANCEL)


# ---- serving ----


def door_return(lwp: Lwp, deliver: Callable[[Call], Any] | None) -> Any:
    """End the call the lwp works for, then wait for the next one (door_return(3C)).

    Args:
        lwp: The server lwp.
        deliver: Puts the results into the caller's space and answers what its end of
            the call needs; None if there are none.

    Returns:
        What ``place`` has answered for the next call.

    Raises:
        KernelError: EINVAL, it is bound to a door that is revoked; what ``deliver``
            says, and the caller waits on.
        Sleep: There is no call.
    """
    mine = lwp_door(lwp)
    wait = lwp.sysstate
    if not isinstance(wait, Wait):
        if mine.call is not None:
            _deliver(mine, mine.call, deliver)
        if mine.bound is not None and mine.bound.revoked:
            raise KernelError(Errno.EINVAL, f"bound to {mine.bound!r}")
        pool = mine.bound.private if mine.bound else proc_doors(lwp.proc).pool
        wait = lwp.sysstate = Wait(pool)
        pool.enter(lwp)
    if wait.frame is not None:
        return wait.frame
    raise Sleep(mine.cv, restart=Restart.NEVER)


def _deliver(mine: LwpDoor, call: Call, deliver: Callable[[Call], Any] | None) -> None:
    if call.live and deliver is not None:
        call.result = deliver(call)
    mine.call = call.server = None
    if call.live:
        call.done = True
        call.client.kernel.wakeup(call.cv)
    call.door.leave()


def door_client(lwp: Lwp) -> Call:
    """The call that a server lwp works for.

    Raises:
        KernelError: EINVAL, there is none (any more).
    """
    call = lwp.door.call if lwp.door is not None else None
    if call is None or not call.live:
        raise KernelError(Errno.EINVAL, f"{lwp!r} works for nobody")
    got: Call = call
    return got


# ---- binding, limits ----


def door_bind(lwp: Lwp, door: Door) -> None:
    """Make a lwp a server of a private door (door_bind(3C)).

    Raises:
        KernelError: EBADF, it is revoked; EINVAL, it is not private, or another's.
    """
    if door.revoked:
        raise KernelError(Errno.EBADF, f"{door!r} is revoked")
    if not door.attr & DoorAttr.PRIVATE or door.target is not lwp.proc:
        raise KernelError(Errno.EINVAL, f"{lwp!r} can't serve {door!r}")
    _unbind(lwp)
    lwp_door(lwp).bound = door
    door.nbound += 1


def door_unbind(lwp: Lwp) -> None:
    """Undo that; EBADF, it is bound to none."""
    if not _unbind(lwp):
        raise KernelError(Errno.EBADF, f"{lwp!r} is bound to no door")


def _unbind(lwp: Lwp) -> bool:
    mine = lwp_door(lwp)
    if mine.bound is None:
        return False
    mine.bound.nbound -= 1
    mine.bound = None
    return True


# ---- the end ----


def door_revoke(lwp: Lwp, door: Door) -> None:
    """Nobody can call it any more; calls in progress go on (door_revoke(3C)).

    Raises:
        KernelError: EBADF, it is revoked; EPERM, it is another process'.
    """
    if door.revoked:
        raise KernelError(Errno.EBADF, f"{door!r} is revoked")
    if door.target is not lwp.proc:
        raise KernelError(Errno.EPERM, f"{door!r} is another's")
    _revoke(lwp.kernel, door)


def _revoke(k: Kernel, door: Door) -> None:
    pool = door.pool
    door.attr |= DoorAttr.REVOKED
    if door.target is not None and door.target.doors is not None:
        mine = door.target.doors
        mine.doors.pop(door.id, None)
        mine.unref = [d for d in mine.unref if d is not door]
    door.target = None
    k.wakeup(pool.cv)


def door_slam(lwp: Lwp) -> None:
    """A lwp ends: its caller is told, its server goes on for nobody (door_slam)."""
    if isinstance(lwp.sysstate, Call):
        _abandon(lwp.sysstate)
    mine: LwpDoor | None = lwp.door
    if mine is None:
        return
    call, mine.call = mine.call, None
    if call is not None:
        call.server = None
        call.exited = True
        lwp.kernel.wakeup(call.cv)
        call.door.leave()
    _unbind(lwp)
    lwp.door = None


def door_exit(proc: Proc) -> None:
    """The process ends or executes another program: its doors are revoked."""
    if proc.doors is not None:
        for door in list(proc.doors.doors.values()):
            _revoke(proc.kernel, door)
        proc.doors = None


def door_ledger(proc: Proc) -> dict[str, Any]:
    """What the ledger counts of a process' doors."""
    mine = proc.doors
    serving = [t.tid for t in proc.lwps if t.door is not None and t.door.call]
    if mine is None or not (mine.doors or mine.pool.valid() or mine.unref):
        return {"serving": serving} if serving else {}
    return {
        "doors": [(d.id, d.attr, d.active, d.nbound) for d in mine.doors.values()],
        "waiting": [t.tid for t in mine.pool.valid()],
        "unref": [d.id for d in mine.unref],
        "serving": serving,
    }
