"""Contracts: who answers for what another part of the system does (contract(5)).

A contract has an owner, which learns of what happens as events and acknowledges
the critical ones.  It ends OWNED when its owner abandons it or exits: then it
is *inherited* by the regent, the contract its owner was a member of, or it is an
*orphan*, or it dies.  Here is what all types of contracts have in common, after
os/contract.c; what members are, which events there are and what an orphan comes to is
the type's, whose operations (``ContractSpec``) the kernel binds once.  Events and
queues are in ``ctqueue``, templates in ``ctmpl``, what a process can do in ``ctapi``.

References: one for the holder (owner or regent), one for each "latest" of a lwp, each
member and each listener of its queue.  Lock order:
regent's contract lock, contract lock, then p_lock.

Must not know: terms and events of a type.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from personae.core.ctmpl import PROCESS, ContractTemplate, ctmpl_clear, ctmpl_dup
from personae.core.ctqueue import CtEvent, CtListener, CtqKind, CtQueue
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.sync import LockOrder, Mutex

if TYPE_CHECKING:
    from enum import IntFlag

    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.project import Project

__all__ = [
    "Contract",
    "CtEvent",
    "CtListener",
    "CtState",
    "NoContracts",
    "contract_abandon",
    "contract_ack",
    "contract_adopt",
    "contract_destroy",
    "contract_exit",
    "contract_orphan",
    "contract_pbundle",
    "contract_status",
    "cte_publish",
    "ctmpl_clear",
    "ctmpl_dup",
]


class CtState(Enum):
    """ct_state."""

    OWNED = "owned"
    INHERITED = "inherited"
    ORPHAN = "orphan"
    DEAD = "dead"

    @property
    def held(self) -> bool:
        """Somebody answers for it."""
        return self in (CtState.OWNED, CtState.INHERITED)


class Contract:
    """What every contract has (contract_t).

    Args:
        kernel: The kernel.
        id: Contract id, unique in the machine.
        tmpl: Its terms.
        owner: The process that answers for it.
        cred: Who made it; held.
        project: Charged with it; held.
    """

    type = PROCESS
    nmembers = 0
    """Processes in it; a type without members has none."""

    def __init__(
        self,
        kernel: Kernel,
        id: int,  # noqa: A002 (the field's name)
        tmpl: ContractTemplate,
        owner: Proc,
        cred: Cred,
        project: Project,
    ) -> None:
        self.kernel = kernel
        self.id = id
        self.ref = 1
        self.state = CtState.OWNED
        self.terms: Any = tmpl.dup()
        self.owner: Proc | None = owner
        self.regent: Contract | None = owner.ct_process
        """The contract its owner is a member of; None once nobody can inherit it."""
        self.inherited: list[Contract] = []
        """Contracts it is regent of and has taken over."""
        self.czoneid = self.mzoneid = owner.zone.id
        """Zone of the maker, and of those it is about (ct_mzuniqid)."""
        self.lock = Mutex(kernel.locks, f"ct_lock:{id}", LockOrder.CONTRACT)
        self.events = CtQueue(CtqKind.CONTRACT)
        self.cred = cred.hold()  # when all that may fail is done
        self.project = project.hold()
        self.evcnt = 0
        """Critical events that nobody has acknowledged."""
        self.prev_latest: int | None = None
        """Id of the caller's "latest" before this one, until the child runs."""

    def hold(self) -> Contract:
        """Take a reference; returns itself."""
        if self.ref <= 0:
            raise Panic(f"contract_hold of a dead {self!r}")
        self.ref += 1
        return self

    def rele(self) -> None:
        """Drop a reference; the last one frees the contract (contract_dtor)."""
        if self.ref <= 0:
            raise Panic(f"contract_rele of a dead {self!r}")
        self.ref -= 1
        if self.ref:
            return
        if self.state is not CtState.DEAD:
            raise Panic(f"last reference of {self!r} dropped while it lives")
        del self.kernel.contracts[self.id]
        self.project.contracts -= 1
        self.project.rele()
        self.cred.rele()

    def ledger(self) -> dict[str, Any]:
        """What a type adds to the ledger."""
        return {}

    def __repr__(self) -> str:
        return f"<Contract {self.id} {self.state.value} members={self.nmembers}>"


class NoContracts:
    """The default operations: there are no contracts, and processes are in none."""

    @hookimpl
    def contract_process_fork(
        self, tmpl: Any, child: Proc, parent: Proc, canfail: bool
    ) -> Contract | None:
        """The child is in no contract."""
        del tmpl, child, parent, canfail
        return None

    @hookimpl
    def contract_process_exit(self, contract: Contract | None, proc: Proc) -> None:
        """It was in none."""

    @hookimpl
    def contract_process_event(
        self, proc: Proc, event: str, status: int, sender: int
    ) -> None:
        """Nobody wants to know."""

    @hookimpl
    def contract_template(self, system: bool) -> Any:
        """There is no type to make templates of."""
        del system

    @hookimpl
    def contract_accept(self, contract: Contract) -> bool:
        """Nobody inherits."""
        del contract
        return False

    @hookimpl
    def contract_orphaned(self, contract: Contract) -> None:
        """An orphan of an unknown type has nothing to live for."""
        contract_destroy(contract)

    @hookimpl
    def contract_status(self, contract: Contract, detail: bool) -> dict[str, Any]:
        """Nothing beyond what all contracts have."""
        del contract, detail
        return {}


# ---- events ----


def contract_pbundle(proc: Proc) -> CtQueue:
    """The queue of events of all contracts a process owns (contract_type_pbundle)."""
    if proc.ct_equeue is None:
        proc.ct_equeue = CtQueue(CtqKind.PBUNDLE)
    return proc.ct_equeue


def cte_publish(ct: Contract, kind: IntFlag, **data: int) -> CtEvent | None:
    """Publish an event to the three queues, if the terms ask for it (cte_publish_all).

    For an orphan a critical event is acknowledged already: nobody would.

    Args:
        ct: The contract.
        kind: Which event.
        data: What there is to say of it.

    Returns:
        The event; None if the terms do not ask for it.

    Locks: none, or the contract lock.
    """
    crit = ct.terms.crit & kind
    if not crit and not ct.terms.info & kind:
        return None
    kernel = ct.kernel
    bundle = kernel.ct_bundle
    bundle.evid += 1
    e = CtEvent(ct, bundle.evid, kind, not crit, data)
    if crit:
        if ct.state.held:
            ct.evcnt += 1
        else:
            e.acked = True
    ct.events.publish(kernel, e)
    bundle.publish(kernel, e)
    if ct.owner is not None:
        contract_pbundle(ct.owner).publish(kernel, e)
    return e


def cte_withdraw(ct: Contract, e: CtEvent) -> None:
    """Take back the event of a fork that failed after all."""
    if not e.settled:
        ct.evcnt -= 1
    ct.events.withdraw(e)
    ct.kernel.ct_bundle.withdraw(e)
    if ct.owner is not None:
        contract_pbundle(ct.owner).withdraw(e)


def contract_ack(ct: Contract, evid: int, *, nack: bool = False) -> None:
    """Acknowledge a critical event; it stays until the queues are trimmed.

    Args:
        ct: The contract.
        evid: The event.
        nack: Refuse: for negotiations, and no event here is one.

    Raises:
        KernelError: ESRCH, there is no critical event of that id to acknowledge.
    """
    for e in ct.events:
        if e.id == evid and not e.settled and not nack:
            e.acked = True
            ct.evcnt -= 1
            return
    raise KernelError(Errno.ESRCH, f"contract {ct.id} has no event {evid} to ack")


def _ack_all(ct: Contract) -> None:
    for e in ct.events:
        if not e.settled:
            e.acked = True
            ct.evcnt -= 1
    if ct.evcnt:
        raise Panic(f"{ct!r} has critical events that are in no queue")


# ---- ownership ----


def contract_abandon(
    ct: Contract, proc: Proc | None = None, *, explicit: bool = True
) -> None:
    """The owner gives the contract up (contract_abandon).

    Args:
        ct: The contract.
        proc: Who gives it up, by default its owner.
        explicit: It asks for that; False when it exits, and then a contract with
            INHERIT goes to the owner's own contract if that is a regent.

    Raises:
        KernelError: EINVAL, ``proc`` does not own it.

    Locks: none.
    """
    proc = proc or ct.owner
    if proc is None or ct.owner is not proc:
        raise KernelError(Errno.EINVAL, f"{ct!r} is not owned by {proc!r}")
    ops = ct.kernel.contract_ops
    regent = proc.ct_process
    inherits = (
        not explicit
        and regent is not None
        and ct.terms.inherit
        and ops.contract_accept(regent)
    )
    with proc.lock:
        proc.ct_held.remove(ct)
        ct.owner = None
    if proc.ct_equeue is not None:
        proc.ct_equeue.trim(ct)
    if inherits and regent is not None:
        ct.state = CtState.INHERITED
        ct.regent = regent
        regent.inherited.insert(0, ct)
        return
    ct.regent = None
    ops.contract_orphaned(ct)


def contract_orphan(ct: Contract) -> None:
    """Nobody answers for it any more, and it goes on: its events are acknowledged.

    The holder's reference is dropped; members have theirs.
    """
    ct.state = CtState.ORPHAN
    _ack_all(ct)
    ct.rele()


def contract_destroy(ct: Contract) -> None:
    """A contract that nobody owns and nothing is in dies (contract_destroy).

    What it had inherited is orphaned or dies too; its structure goes with the last
    reference.  The caller's is dropped: the holder's, or that of the last member of an
    orphan.

    Locks: none.
    """
    if ct.state is CtState.DEAD or ct.owner is not None:
        raise Panic(f"contract_destroy of {ct!r}")
    _ack_all(ct)
    ct.state = CtState.DEAD
    ct.events.drain(ct.kernel)
    ct.kernel.ct_bundle.trim(ct)
    while ct.inherited:
        sub = ct.inherited.pop(0)
        sub.regent = None
        ct.kernel.contract_ops.contract_orphaned(sub)
    ct.rele()


def contract_adopt(ct: Contract, proc: Proc) -> None:
    """A member of the regent takes over an inherited contract (contract_adopt).

    Critical events that wait are put at the end of its bundle.

    Raises:
        KernelError: EBUSY, somebody owns it; EINVAL, the process' contract has not
            inherited it, or it was made in another zone (ct_ctl_adopt(3CONTRACT)).
    """
    if ct.state is CtState.OWNED:
        raise KernelError(Errno.EBUSY, f"{ct!r} is owned")
    regent = proc.ct_process
    if (
        ct.state is not CtState.INHERITED
        or regent is None
        or ct.regent is not regent
        or ct.czoneid != proc.zone.id
    ):
        raise KernelError(Errno.EINVAL, f"{ct!r} is not for {proc!r} to adopt")
    queue = contract_pbundle(proc)
    regent.inherited.remove(ct)
    with proc.lock:
        ct.state = CtState.OWNED
        ct.owner = proc
        proc.ct_held.append(ct)
    queue.append_critical(ct.kernel, ct.events)


def contract_subsume(ct: Contract, old: Contract, proc: Proc) -> None:
    """A new contract takes over what an old one has inherited, which is abandoned."""
    for sub in old.inherited:
        sub.regent = ct
    ct.inherited += old.inherited
    old.inherited = []
    contract_abandon(old, proc)


def contract_exit(proc: Proc) -> None:
    """A process exits: its contracts are inherited or abandoned (contract_exit).

    Locks: none.
    """
    while proc.ct_held:
        contract_abandon(proc.ct_held[0], proc, explicit=False)
    queue, proc.ct_equeue = proc.ct_equeue, None
    if queue is not None:
        queue.drain(proc.kernel)


def contract_latest(lwp: Lwp, ct: Contract) -> None:
    """``ct`` is the latest contract of its type that the lwp has made."""
    old = lwp.ct_latest.get(ct.type)
    ct.prev_latest = old.id if old is not None else None
    lwp.ct_latest[ct.type] = ct.hold()
    if old is not None:
        old.rele()


def contract_unlatest(lwp: Lwp, ct: Contract) -> None:
    """Undo of ``contract_latest``."""
    if lwp.ct_latest.get(ct.type) is not ct:
        return
    old = ct.kernel.contracts.get(ct.prev_latest or 0)
    del lwp.ct_latest[ct.type]
    if old is not None:
        lwp.ct_latest[ct.type] = old.hold()
    ct.rele()


# ---- looking ----


def contract_owned(ct: Contract, proc: Proc) -> bool:
    """Whether a process may see the events of a contract (contract_owned).

    Its owner may; so may, in the maker's zone, the maker's or owner's effective uid,
    and uid 0 of the zone that a contract of another zone is about.
    """
    if ct.owner is proc:
        return True
    euid, zone = proc.cred.euid, proc.zone.id
    uids = {ct.cred.euid}
    if ct.owner is not None:
        uids.add(ct.owner.cred.euid)
    if zone == ct.czoneid and euid in uids:
        return True
    return ct.czoneid != ct.mzoneid and zone == ct.mzoneid and euid == 0


def contract_status(ct: Contract, viewer: Proc, *, detail: bool) -> dict[str, Any]:
    """What a status file tells (contract_status_common, and the type's part).

    Args:
        ct: The contract.
        viewer: Who asks: a process of another zone than the maker's is told that its
            own zsched is the holder.
        detail: With members and the like (CTD_ALL).
    """
    zone, state = viewer.zone, ct.state
    if zone.id in (0, ct.czoneid):
        holder = 0
        if state is CtState.OWNED and ct.owner is not None:
            holder = ct.owner.pid
        elif state is CtState.INHERITED and ct.regent is not None:
            holder = ct.regent.id
        zoneid = ct.mzoneid
    else:
        held = state.held
        state = CtState.OWNED if held else state
        holder = zone.zsched.pid if held and zone.zsched is not None else 0
        zoneid = zone.id
    return {
        "id": ct.id,
        "zoneid": zoneid,
        "type": ct.type,
        "state": state,
        "holder": holder,
        "nevents": ct.evcnt,
        "ntime": -1,
        "qtime": -1,
        "nevid": 0,
        "critical": int(ct.terms.crit),
        "informative": int(ct.terms.info),
        "cookie": ct.terms.cookie,
        **ct.kernel.contract_ops.contract_status(ct, detail),
    }
