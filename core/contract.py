"""Process contracts: who answers for a group of processes (contract(5), process(5)).

Every user process is a member of one contract, and its children join the same
one unless the forking lwp has an active *template*: then the child starts a new
contract, owned by the parent.  The owner learns of forks, exits and fatal errors
as events, and a fatal event kills the other members.

For fork.c: ``ProcessContracts.contract_process_fork`` is the last step of a fork
that can fail (fork.c:401).  For exit: ``contract_process_exit`` for the member,
``contract_exit`` for what the process owns.  For lwps: ``ctmpl_dup`` and
``ctmpl_clear``.  Another contract type system replaces ``ProcessContracts``.

References: one for the owner, one for each "latest" of a lwp, one for each
member.  Lock order: contract lock, then p_lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntFlag
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.policy import secpolicy_contract_event
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

PROCESS = "process"


class CtEv(IntFlag):
    """Events of a process contract (CT_PR_EV_*, sys/contract/process.h)."""

    NONE = 0
    EMPTY = 0x1
    FORK = 0x2
    EXIT = 0x4
    CORE = 0x8
    SIGNAL = 0x10
    HWERR = 0x20


ALL_EVENTS = CtEv(0x3F)
FATAL_EVENTS = CtEv.CORE | CtEv.SIGNAL | CtEv.HWERR
"""Events that may be fatal."""


class CtParam(IntFlag):
    """Parameters of a process contract (CT_PR_*)."""

    NONE = 0
    INHERIT = 0x1
    """When the owner exits the contract goes to the owner's own contract."""
    NOORPHAN = 0x2
    """When nobody owns it any more its members are killed."""
    PGRPONLY = 0x4
    """A fatal event kills only the process group it happened in."""
    REGENT = 0x8
    """Takes over contracts with INHERIT."""
    KEEP_EXEC = 0x10


ALL_PARAMS = CtParam(0x1F)


class CtState(Enum):
    """ct_state."""

    OWNED = "owned"
    INHERITED = "inherited"
    ORPHAN = "orphan"
    DEAD = "dead"


@dataclass
class Template:
    """Terms of contracts to come (ctmpl_process_t); the defaults are a user's.

    Attributes:
        params: ``CtParam`` bits.
        fatal: Events that kill.
        info: Events told for information.
        crit: Events the owner has to acknowledge.
        cookie: The owner's own number.
        svc_fmri: Service name; empty to inherit it.
        creator_aux: Free text.
    """

    params: CtParam = CtParam.NONE
    fatal: CtEv = CtEv.HWERR
    info: CtEv = CtEv.CORE | CtEv.SIGNAL
    crit: CtEv = CtEv.EMPTY | CtEv.HWERR
    cookie: int = 0
    svc_fmri: str = ""
    creator_aux: str = ""

    def dup(self) -> Template:
        """A template of its own with the same terms (ctmpl_dup)."""
        return replace(self)

    def set_params(self, value: int) -> None:
        """Set the parameters; PGRPONLY demotes critical events it doesn't allow.

        Raises:
            KernelError: EINVAL, unknown bits.
        """
        _known(value, int(ALL_PARAMS))
        self.params = CtParam(value)
        self._demote()

    def set_fatal(self, value: int) -> None:
        """Set the fatal events; critical ones that are no longer fatal are demoted.

        Raises:
            KernelError: EINVAL, an event that cannot be fatal.
        """
        _known(value, int(FATAL_EVENTS))
        self.fatal = CtEv(value)
        self._demote()

    def set_info(self, value: int) -> None:
        """Set the informative events.

        Raises:
            KernelError: EINVAL, unknown bits.
        """
        _known(value, int(ALL_EVENTS))
        self.info = CtEv(value)

    def set_crit(self, value: int, cred: Cred) -> None:
        """Set the critical events.

        Raises:
            KernelError: EINVAL, unknown bits; EPERM, an event that an unprivileged
                process can't make critical.
        """
        _known(value, int(ALL_EVENTS))
        if value & ~int(self._critical_for_all()) and not secpolicy_contract_event(
            cred
        ):
            raise KernelError(Errno.EPERM, "critical events need contract_event")
        self.crit = CtEv(value)

    def _critical_for_all(self) -> CtEv:
        """Events that anybody may make critical."""
        if self.params & CtParam.PGRPONLY:
            return CtEv.EMPTY
        return CtEv.EMPTY | self.fatal

    def _demote(self) -> None:
        bad = self.crit & ~self._critical_for_all()
        self.crit &= ~bad
        self.info |= bad


def _known(value: int, known: int) -> None:
    if value & ~known:
        raise KernelError(Errno.EINVAL, f"unknown bits {value & ~known:#x}")


def sys_process_tmpl() -> Template:
    """The kernel's template for the first process of a zone (newproc)."""
    return Template(
        params=CtParam.NOORPHAN,
        fatal=CtEv.HWERR,
        info=CtEv.NONE,
        crit=CtEv.NONE,
        svc_fmri="svc:/system/init:default",
    )


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


# ---- templates of a lwp ----


def ctmpl_dup(lwp: Lwp, child: Lwp) -> None:
    """Give a cloned lwp its own copy of the active templates (lwp_ctmpl_copy).

    A process template with KEEP_EXEC does not go to a forked child, and "latest"
    is empty.
    """
    child.ct_active = {}
    child.ct_latest = {}
    for kind, tmpl in lwp.ct_active.items():
        if kind == PROCESS and tmpl.params & CtParam.KEEP_EXEC:
            continue
        child.ct_active[kind] = tmpl.dup()


def ctmpl_clear(lwp: Lwp) -> None:
    """A lwp goes: drop its templates and its references (lwp_ctmpl_clear)."""
    lwp.ct_active = {}
    latest, lwp.ct_latest = lwp.ct_latest, {}
    for ct in latest.values():
        ct.rele()


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
        if unborn:
            if empty and ct.nevents <= 1:
                self._unmake(ct)
        elif empty and ct.state is CtState.ORPHAN:
            _disown(ct)
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
