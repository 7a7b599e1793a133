"""Process contracts: who answers for a group of processes (contract(5), process(5)).

Every user process is a member of one contract, and its children join the same
one unless the forking lwp has an active *template*: then the child starts a new
contract, owned by the parent.  The owner learns of forks, exits and fatal errors
as events, and a fatal event kills the other members.

For fork.c: ``ProcessContracts.contract_process_fork`` is the last step of a fork
that can fail (fork.c:401).  For exit: ``contract_process_exit`` for the member,
``contract_exit`` for what the process owns.  Terms and templates are in ``ctmpl``.
A plugin may put operations of its own in the place of ``ProcessContracts``.

References: one for the owner, one for each "latest" of a lwp, one for each
member.  Lock order: contract lock, then p_lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from personae.core.ctmpl import (
    PROCESS,
    CtEv,
    CtParam,
    Template,
    ctmpl_clear,
    ctmpl_dup,
    sys_process_tmpl,
)
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.proc import ProcFlag, ProcStat
from personae.core.rctl import rctl_test
from personae.core.signal import Sig
from personae.core.sync import CondVar, LockOrder, Mutex

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.project import Project

__all__ = [
    "Contract",
    "CtEv",
    "CtEvent",
    "CtParam",
    "CtState",
    "ProcessContracts",
    "Template",
    "contract_abandon",
    "contract_ack",
    "contract_exit",
    "contract_kill",
    "contract_process_event",
    "cte_publish",
    "ctmpl_clear",
    "ctmpl_dup",
    "sys_process_tmpl",
]


class CtState(Enum):
    """ct_state."""

    OWNED = "owned"
    INHERITED = "inherited"
    ORPHAN = "orphan"
    DEAD = "dead"


@dataclass
class CtEvent:
    """Something that happened to a contract (ct_kevent_t).

    Attributes:
        id: Number of the event, counted per contract.
        type: Which.
        pid: The process it happened to.
        ppid: For FORK, the parent.
        informative: Nobody needs to acknowledge it.
        status: For EXIT the status, for SIGNAL the signal.
        acked: A critical event was acknowledged.
    """

    id: int
    type: CtEv
    pid: int
    ppid: int = 0
    informative: bool = True
    status: int = 0
    acked: bool = False


class Contract:
    """One process contract (contract_t and cont_process_t).

    Args:
        kernel: The kernel.
        id: Contract id, unique in the machine.
        tmpl: Its terms.
        owner: The process that answers for it.
        cred: Who made it; held.
        project: Charged with it; held.
    """

    type = PROCESS

    def __init__(
        self,
        kernel: Kernel,
        id: int,  # noqa: A002 (the field's name)
        tmpl: Template,
        owner: Proc,
        cred: Cred,
        project: Project,
    ) -> None:
        self.kernel = kernel
        self.id = id
        self.ref = 0
        self.state = CtState.OWNED
        self.terms = tmpl.dup()
        self.owner: Proc | None = owner
        self.regent: Contract | None = owner.ct_process
        """The owner's own contract when this one was made."""
        self.zoneid = owner.zone.id
        self.cred = cred.hold()
        self.project = project.hold()
        self.lock = Mutex(kernel.locks, f"ct_lock:{id}", LockOrder.CONTRACT)
        self.members: list[Proc] = []
        """Newest first."""
        self.nmembers = 0
        self.inherited: list[Contract] = []
        """Contracts it is regent of and has taken over."""
        self.events: list[CtEvent] = []
        self.nevents = 0
        self.listeners = 0
        """Readers of the queue: without one informative events are not kept."""
        self.cv = CondVar()
        self.svc_fmri = ""
        self.svc_ctid = 0
        self.creator = b""
        self.prev_latest: int | None = None
        """Id of the caller's "latest" before this one, until the child runs."""

    def hold(self) -> Contract:
        """Take a reference; returns itself."""
        if self.ref < 0:
            raise Panic(f"contract_hold of a dead {self!r}")
        self.ref += 1
        return self

    def rele(self) -> None:
        """Drop a reference; the last one destroys the contract."""
        if self.ref <= 0:
            raise Panic(f"contract_rele of a dead {self!r}")
        self.ref -= 1
        if self.ref:
            return
        if self.members:
            raise Panic(f"last reference of {self!r} dropped while it has members")
        self.ref = -1
        self.state = CtState.DEAD
        self.events.clear()
        if self.regent is not None and self in self.regent.inherited:
            self.regent.inherited.remove(self)
        for sub in self.inherited:
            sub.state = CtState.ORPHAN
        del self.kernel.contracts[self.id]
        self.project.contracts -= 1
        self.project.rele()
        self.cred.rele()

    def __repr__(self) -> str:
        return f"<Contract {self.id} {self.state.value} members={self.nmembers}>"


# ---- events ----


def cte_publish(
    ct: Contract, kind: CtEv, proc: Proc, *, ppid: int = 0, status: int = 0
) -> None:
    """Publish an event if the terms ask for it.

    Critical events stay until they are acknowledged; informative ones stay only
    while somebody reads the queue.

    Locks: contract lock.
    """
    ct.lock.assert_held()
    if not kind & (ct.terms.info | ct.terms.crit) or ct.state is CtState.DEAD:
        return
    ct.nevents += 1
    informative = not kind & ct.terms.crit
    if informative and not ct.listeners:
        return
    ct.events.append(
        CtEvent(ct.nevents, kind, proc.pid, ppid, bool(informative), status)
    )
    ct.kernel.wakeup(ct.cv)


def contract_ack(ct: Contract, evid: int) -> None:
    """Acknowledge a critical event.

    Raises:
        KernelError: ESRCH, there is no such event.
    """
    for ev in ct.events:
        if ev.id == evid and not ev.informative:
            ev.acked = True
            ct.events = [e for e in ct.events if not e.acked]
            return
    raise KernelError(Errno.ESRCH, f"contract {ct.id} has no event {evid} to ack")


# ---- the operations ----


class ProcessContracts:
    """The contract type ``process``: what fork and exit call."""

    def __init__(self) -> None:
        self.last_id = 0
        """Cursor of the contract ids: an id is not used again."""

    @hookimpl
    def contract_process_fork(
        self, tmpl: Template | None, child: Proc, parent: Proc, canfail: bool
    ) -> Contract:
        """Put the child in its contract.

        Without a template of the caller's the child joins the contract of the
        current process.  With one a new contract is made; it is owned by the
        parent and never refused for SKILLED, because no kill of it can be on
        its way yet.
        """
        lwp = parent.kernel.current
        if tmpl is None and lwp is not None:
            tmpl = lwp.ct_active.get(PROCESS)
        if tmpl is not None:
            ct = self._create(tmpl, parent, lwp, canfail)
        else:
            ct = _own_contract(lwp.proc if lwp is not None else parent)
        with ct.lock:
            with parent.lock:
                doomed = bool(parent.flag & ProcFlag.SKILLED)
            if ct is parent.ct_process and doomed and canfail:
                raise KernelError(Errno.EAGAIN, "the parent's contract is being killed")
            child.ct_process = ct.hold()
            ct.members.insert(0, child)
            ct.nmembers += 1
            cte_publish(ct, CtEv.FORK, child, ppid=parent.pid)
        if ct.terms.params & CtParam.KEEP_EXEC and tmpl is not None:
            contract_abandon(ct)
        return ct

    def _create(
        self, tmpl: Template, owner: Proc, lwp: Lwp | None, canfail: bool
    ) -> Contract:
        """Make an empty contract: referenced by its owner and by "latest"."""
        kernel = owner.kernel
        if owner.task is None:
            raise Panic(f"{owner!r} is in no task")
        project = owner.task.project
        if canfail and rctl_test("project.max-contracts", project, owner):
            raise KernelError(Errno.EAGAIN, "project.max-contracts")
        self.last_id += 1
        ct = Contract(kernel, self.last_id, tmpl, owner, owner.cred, project)
        kernel.contracts[ct.id] = ct
        project.contracts += 1
        owner.ct_held.append(ct.hold())
        regent = owner.ct_process
        ct.svc_fmri = tmpl.svc_fmri
        if not tmpl.svc_fmri and regent is not None:
            ct.svc_fmri, ct.svc_ctid = regent.svc_fmri, regent.svc_ctid
        ct.svc_ctid = ct.svc_ctid or ct.id
        ct.creator = owner.user.u_comm
        if lwp is not None and lwp.proc is owner:
            old = lwp.ct_latest.get(PROCESS)
            ct.prev_latest = old.id if old is not None else None
            lwp.ct_latest[PROCESS] = ct.hold()
            if old is not None:
                old.rele()
        return ct

    @hookimpl
    def contract_process_exit(self, contract: Contract, proc: Proc) -> None:
        """Take a member out: it exits, or its fork failed after all.

        A child that never ran (SIDL) leaves without events, and a contract made
        for it goes with it.
        """
        ct = contract
        unborn = proc.stat is ProcStat.SIDL
        with ct.lock:
            ct.members.remove(proc)
            ct.nmembers -= 1
            proc.ct_process = None
            empty = ct.nmembers == 0
            if not unborn:
                cte_publish(ct, CtEv.EXIT, proc, status=proc.wdata)
                if empty:
                    cte_publish(ct, CtEv.EMPTY, proc)
        if unborn and empty and ct.nevents <= 1:
            self._unmake(ct)
        ct.rele()

    def _unmake(self, ct: Contract) -> None:
        """Undo ``_create``, "latest" of the caller included."""
        lwp = ct.kernel.current
        if lwp is not None and lwp.ct_latest.get(PROCESS) is ct:
            old = ct.kernel.contracts.get(ct.prev_latest or 0)
            del lwp.ct_latest[PROCESS]
            if old is not None:
                lwp.ct_latest[PROCESS] = old.hold()
            ct.rele()
        _disown(ct)


def _own_contract(proc: Proc) -> Contract:
    if proc.ct_process is None:
        raise Panic(f"{proc!r} forks without a contract or a template")
    return proc.ct_process


def _disown(ct: Contract) -> None:
    """Drop the owner's reference, if there is one."""
    if ct.owner is not None:
        ct.owner.ct_held.remove(ct)
        ct.owner = None
        ct.rele()


# ---- ownership ----


def contract_abandon(ct: Contract) -> None:
    """The owner gives the contract up (ctl_abandon): it becomes an orphan.

    With NOORPHAN its members are killed.

    Locks: none.
    """
    if ct.owner is None:
        raise Panic(f"{ct!r} has no owner to abandon it")
    ct.state = CtState.ORPHAN
    ct.events = []
    for sub in ct.inherited[:]:
        sub.state = CtState.ORPHAN
    ct.inherited = []
    if ct.terms.params & CtParam.NOORPHAN:
        contract_kill(ct)
    _disown(ct)


def contract_exit(proc: Proc) -> None:
    """A process exits: its contracts are inherited or abandoned (contract_exit).

    A contract with INHERIT goes to the regent it was made under, if that one still
    has members.

    Locks: none.
    """
    for ct in proc.ct_held[:]:
        regent = ct.regent
        if (
            ct.terms.params & CtParam.INHERIT
            and regent is not None
            and regent.nmembers > 0
            and regent.terms.params & CtParam.REGENT
        ):
            ct.state = CtState.INHERITED
            regent.inherited.append(ct)
            _disown(ct)
        else:
            contract_abandon(ct)


def contract_kill(ct: Contract, source: Proc | None = None) -> None:
    """Kill the members; with PGRPONLY only those in the group of ``source``.

    A member marked SKILLED can't put a child into this contract any more, which
    closes the race with a fork in progress.

    Locks: none.
    """
    pgrponly = source is not None and bool(ct.terms.params & CtParam.PGRPONLY)
    for p in ct.members[:]:
        if p is source or p.stat is ProcStat.SIDL:
            continue
        if pgrponly and source is not None and p.pgrp is not source.pgrp:
            continue
        with p.lock:
            p.flag |= ProcFlag.SKILLED
        p.kernel.psignal(p, Sig.SIGKILL, None)


def contract_process_event(proc: Proc, kind: CtEv, status: int = 0) -> None:
    """A member met a fatal signal, dumped core or had a hardware error.

    Publishes the event and kills the contract if the event is fatal to it.

    Locks: none.
    """
    ct = proc.ct_process
    if ct is None:
        return
    with ct.lock:
        cte_publish(ct, kind, proc, status=status)
    if kind & ct.terms.fatal:
        contract_kill(ct, proc)
