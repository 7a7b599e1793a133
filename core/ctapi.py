"""What a process can do with contracts: the three kinds of files of contract(5).

``CtTmpl`` is an open template, ``CtCtl`` the control of a contract, ``CtEvents`` an
endpoint of events.  Their methods are the ioctls of the contract file system, and raise
what these return; how they are named and laid out is that file system's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.contract import (
    Contract,
    contract_abandon,
    contract_ack,
    contract_adopt,
    contract_owned,
    contract_pbundle,
    contract_status,
)
from personae.core.ctmpl import PROCESS, ContractTemplate, ctmpl_activate
from personae.core.ctqueue import CtEvent, CtListener, CtqKind, CtQueue
from personae.core.errno import Errno, KernelError
from personae.core.policy import (
    secpolicy_contract_event,
    secpolicy_contract_observer,
)
from personae.core.sync import Sleep

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone

GLOBAL_ZONEID = 0

__all__ = [
    "CtCtl",
    "CtEvents",
    "CtTmpl",
    "ct_find",
    "ct_ids",
    "ct_latest",
    "ct_list",
    "ct_status",
]


# ---- finding ----


def _visible(ct: Contract, proc: Proc) -> bool:
    """A zone sees the contracts that are about its processes."""
    return proc.zone.id in (GLOBAL_ZONEID, ct.mzoneid)


def ct_find(lwp: Lwp, ctid: int) -> Contract:
    """The contract of an id (contract_ptr).

    Raises:
        KernelError: ENOENT, there is none that the caller's zone sees.
    """
    ct: Contract | None = lwp.kernel.contracts.get(ctid)
    if ct is None or not _visible(ct, lwp.proc):
        raise KernelError(Errno.ENOENT, f"there is no contract {ctid}")
    return ct


def ct_list(lwp: Lwp, *, held: bool = False) -> list[int]:
    """Ids of the contracts the caller's zone sees, or of those the caller holds."""
    if held:
        return sorted(ct.id for ct in lwp.proc.ct_held)
    return ct_ids(lwp.kernel, lwp.proc.zone)


def ct_ids(kernel: Kernel, zone: Zone) -> list[int]:
    """Ids of the contracts that a zone sees, in order."""
    return sorted(
        ct.id
        for ct in kernel.contracts.values()
        if zone.id in (GLOBAL_ZONEID, ct.mzoneid)
    )


def ct_latest(lwp: Lwp, kind: str = PROCESS) -> Contract:
    """The contract that the lwp has made last (the file ``latest``).

    Raises:
        KernelError: ESRCH, it has made none.
    """
    ct: Contract | None = lwp.ct_latest.get(kind)
    if ct is None:
        raise KernelError(Errno.ESRCH, "no contract was made by this lwp")
    return ct


def ct_status(lwp: Lwp, ct: Contract, *, detail: bool = True) -> dict[str, Any]:
    """What the file ``status`` tells (CT_SSTATUS)."""
    return contract_status(ct, lwp.proc, detail=detail)


# ---- template ----


class CtTmpl:
    """An open template: terms that no lwp uses yet.

    Args:
        kernel: The kernel.

    Raises:
        KernelError: ENOENT, there is no contract type to make a template of.
    """

    def __init__(self, kernel: Kernel) -> None:
        terms = kernel.contract_ops.contract_template(False)
        if terms is None:
            raise KernelError(Errno.ENOENT, "there are no process contracts")
        self.terms: ContractTemplate = terms

    def activate(self, lwp: Lwp) -> None:
        """Forks of the lwp use a copy of it (CT_TACTIVATE)."""
        ctmpl_activate(lwp, PROCESS, self.terms)

    def clear(self, lwp: Lwp) -> None:
        """Forks of the lwp make no contract any more (CT_TCLEAR)."""
        ctmpl_activate(lwp, PROCESS, None)

    def create(self, lwp: Lwp) -> int:
        """CT_TCREATE: a process contract is made by a fork only.

        Raises:
            KernelError: EINVAL.
        """
        raise KernelError(Errno.EINVAL, f"{lwp!r} creates a contract without a fork")

    def set_term(self, lwp: Lwp, term: int, value: Any) -> None:
        """Set a term (CT_TSET).

        Raises:
            KernelError: See ``set_term`` of the type's template.
        """
        self.terms.set_term(lwp, term, value, lwp.cred)

    def get_term(self, term: int) -> Any:
        """Read a term (CT_TGET).

        Raises:
            KernelError: EINVAL, there is no such term.
        """
        return self.terms.get_term(term)


# ---- control ----


class CtCtl:
    """The control of a contract; it keeps the structure alive, not the contract.

    Args:
        lwp: Who opens it.
        ctid: The contract.

    Raises:
        KernelError: ENOENT, there is none; EACCES, it is neither owned by the caller
            nor inherited by its contract.
    """

    def __init__(self, lwp: Lwp, ctid: int) -> None:
        ct, proc = ct_find(lwp, ctid), lwp.proc
        inherited = ct.regent is not None and ct in ct.regent.inherited
        if ct.owner is not proc and not (inherited and ct.regent is proc.ct_process):
            raise KernelError(Errno.EACCES, f"contract {ctid} is not the caller's")
        self.contract = ct

    def _owned(self, lwp: Lwp) -> Contract:
        if self.contract.owner is not lwp.proc:
            raise KernelError(Errno.EBUSY, f"{self.contract!r} is not the caller's")
        return self.contract

    def abandon(self, lwp: Lwp) -> None:
        """Give the contract up (CT_CABANDON); EBUSY, it is not the caller's."""
        contract_abandon(self._owned(lwp), lwp.proc)

    def adopt(self, lwp: Lwp) -> None:
        """Take over an inherited contract (CT_CADOPT); EBUSY, EINVAL."""
        contract_adopt(self.contract, lwp.proc)

    def ack(self, lwp: Lwp, evid: int) -> None:
        """Acknowledge a critical event (CT_CACK); EBUSY, ESRCH."""
        contract_ack(self._owned(lwp), evid)

    def nack(self, lwp: Lwp, evid: int) -> None:
        """Refuse a negotiation (CT_CNACK).

        Raises:
            KernelError: ESRCH, since no event of a process contract is one; EBUSY.
        """
        contract_ack(self._owned(lwp), evid, nack=True)

    def qreq(self, lwp: Lwp, evid: int) -> None:
        """Ask for more time in a negotiation (CT_CQREQ): ESRCH, as ``nack``."""
        contract_ack(self._owned(lwp), evid, nack=True)

    def newct(self, lwp: Lwp, evid: int, tmpl: CtTmpl) -> None:
        """Have a contract follow when a negotiation ends (CT_CNEWCT); EBUSY.

        Nothing happens, since a process contract does not negotiate.
        """
        del evid, tmpl
        self._owned(lwp)


# ---- events ----


class CtEvents:
    """An endpoint of events: a position in the queue of a contract or a bundle.

    Args:
        lwp: Who opens it.
        queue: The queue.
        contract: Whose queue it is, if a contract's: held until ``close``.
    """

    def __init__(
        self, lwp: Lwp, queue: CtQueue, contract: Contract | None = None
    ) -> None:
        self.kernel = lwp.kernel
        self.contract = contract.hold() if contract is not None else None
        self.listener = CtListener(queue)
        if queue.kind is CtqKind.CONTRACT:
            self.listener.reset()

    @classmethod
    def of_contract(cls, lwp: Lwp, ctid: int) -> CtEvents:
        """The events of one contract, from the oldest that waits.

        Raises:
            KernelError: ENOENT; EACCES, neither its owner's uid nor an observer.
        """
        ct = ct_find(lwp, ctid)
        if not contract_owned(ct, lwp.proc):
            secpolicy_contract_observer(lwp.cred)
        return cls(lwp, ct.events, ct)

    @classmethod
    def of_type(cls, lwp: Lwp) -> CtEvents:
        """The bundle of all process contracts that the caller may see."""
        return cls(lwp, lwp.kernel.ct_bundle)

    @classmethod
    def of_process(cls, lwp: Lwp) -> CtEvents:
        """The bundle of the caller's own contracts."""
        return cls(lwp, contract_pbundle(lwp.proc))

    def close(self) -> None:
        """The last descriptor is closed."""
        self.listener.close()
        if self.contract is not None:
            self.contract.rele()
            self.contract = None

    def reliable(self, lwp: Lwp) -> None:
        """From now on no event is dropped before it was read (CT_ERELIABLE).

        Raises:
            KernelError: EPERM, it needs contract_event.
        """
        if not secpolicy_contract_event(lwp.cred):
            raise KernelError(Errno.EPERM, "reliable events need contract_event")
        self.listener.reliable = True

    def reset(self) -> None:
        """Start again at the oldest event there is (CT_ERESET)."""
        self.listener.reset()

    def next(self, evid: int) -> None:
        """Pass by the event that is read next, if it is ``evid`` (CT_ENEXT)."""
        self.listener.skip(evid)

    def pending(self, lwp: Lwp) -> bool:
        """Whether ``recv`` would return an event (poll)."""
        return self._find(lwp, False) is not None

    def recv(
        self, lwp: Lwp, *, nonblock: bool = False, critical: bool = False
    ) -> CtEvent:
        """Take the next event (CT_ERECV, or with ``critical`` CT_ECRECV).

        Raises:
            KernelError, Sleep: As ``peek``.
        """
        e = self.peek(lwp, nonblock=nonblock, critical=critical)
        self.take(e)
        return e

    def take(self, e: CtEvent) -> None:
        """Go past an event that ``peek`` has found."""
        queue = self.listener.queue
        queue.move(self.listener, queue.after(e))

    def peek(
        self, lwp: Lwp, *, nonblock: bool = False, critical: bool = False
    ) -> CtEvent:
        """The next event, which stays the next one until ``take``.

        Raises:
            KernelError: EAGAIN, there is none and ``nonblock``; EIDRM, there is none
                and there won't be.
            Sleep: There is none yet.
        """
        e = self._find(lwp, critical)
        queue = self.listener.queue
        if e is None:
            if nonblock:
                raise KernelError(Errno.EAGAIN, "no event")
            if queue.dead:
                raise KernelError(Errno.EIDRM, "no more events")
            raise Sleep(queue.cv)
        return e

    def _find(self, lwp: Lwp, critical: bool) -> CtEvent | None:
        proc = lwp.proc

        def may_see(e: CtEvent) -> bool:
            ct = e.contract
            return _visible(ct, proc) and (
                contract_owned(ct, proc) or _observer(lwp) or self.contract is ct
            )

        return self.listener.find(may_see, critical=critical)


def _observer(lwp: Lwp) -> bool:
    try:
        secpolicy_contract_observer(lwp.cred)
    except KernelError:
        return False
    return True
