"""Process contracts: who answers for a group of processes (process(5)).

Every user process is a member of one contract, and its children join the same
one unless the forking lwp has an active *template*: then the child starts a new
contract, owned by the parent.  The owner learns of forks, exits and fatal errors
as events, and a fatal event kills the other members.

This is the contract type ``process``, after contract/process.c: what the kernel's
framework (``personae.core.contract``) leaves to a type.  ``contract_process_fork`` is
the last step of a fork that can fail (fork.c:401).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.contract import (
    Contract,
    CtState,
    contract_abandon,
    contract_destroy,
    contract_latest,
    contract_orphan,
    contract_pbundle,
    contract_subsume,
    contract_unlatest,
    cte_publish,
    cte_withdraw,
)
from personae.core.ctmpl import PROCESS
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.policy import hasprocperm
from personae.core.proc import SIDL, SKILLED
from personae.core.rctl import rctl_test
from personae.core.signo import CldCode, Sig
from personae.plugins.contract_process.terms import (
    CtEv,
    CtParam,
    CtTerm,
    Template,
    sys_process_tmpl,
)

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

__all__ = [
    "CtEv",
    "CtParam",
    "CtTerm",
    "ProcessContract",
    "ProcessContracts",
    "Template",
    "contract_kill",
    "sys_process_tmpl",
]


EV_FORK, EV_EXIT = int(CtEv.FORK), int(CtEv.EXIT)


class ProcessContract(Contract):
    """One process contract (cont_process_t): see ``Contract`` for the arguments."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.crew: dict[Proc, None] = {}
        """Members, oldest first."""
        self.svc_fmri = ""
        self.svc_ctid = 0
        self.svc_creator = b""
        self.creator_aux = ""

    @property
    def members(self) -> list[Proc]:
        """conp_members: the newest first."""
        return list(reversed(self.crew))

    def join(self, proc: Proc) -> None:
        """Take a process in, with a reference of its own."""
        self.hold()
        self.crew[proc] = None
        self.nmembers += 1
        self.mzoneid = proc.zone.id
        proc.ct_process = self

    def leave(self, proc: Proc) -> None:
        """Let a process go; its reference is the caller's to drop."""
        del self.crew[proc]
        self.nmembers -= 1
        proc.ct_process = None

    def ledger(self) -> dict[str, Any]:
        """What a fork must leave as it was."""
        return {
            "members": [p.pid for p in self.members],
            "nmembers": self.nmembers,
            "service": (self.svc_fmri, self.svc_ctid, self.svc_creator),
        }


class ProcessContracts:
    """The operations of the type.

    Attributes:
        last_id: Cursor of the contract ids: an id is not used again.
    """

    def __init__(self) -> None:
        self.last_id = 0

    # ---- fork and exit ----

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
        lock, p_lock = ct.lock, parent.lock
        lock.enter()
        p_lock.enter()
        doomed = canfail and parent.flag & SKILLED and ct is parent.ct_process
        p_lock.exit()
        if not doomed:
            ct.join(child)
        lock.exit()
        if doomed:
            raise KernelError(Errno.EAGAIN, "the parent's contract is being killed")
        if (ct.terms.info | ct.terms.crit) & EV_FORK:
            cte_publish(ct, CtEv.FORK, pid=child.pid, ppid=parent.pid)
        if tmpl is not None:
            _settle(ct, parent)
        return ct

    def _create(
        self, tmpl: Template, owner: Proc, lwp: Lwp | None, canfail: bool
    ) -> ProcessContract:
        """Make an empty contract: referenced by its owner and by "latest"."""
        kernel = owner.kernel
        if owner.task is None:
            raise Panic(f"{owner!r} is in no task")
        contract_pbundle(owner)  # kept when the fork fails
        project = owner.task.project
        if canfail and rctl_test("project.max-contracts", project, owner):
            raise KernelError(Errno.EAGAIN, "project.max-contracts")
        self.last_id += 1
        ct = ProcessContract(kernel, self.last_id, tmpl, owner, owner.cred, project)
        kernel.contracts[ct.id] = ct
        project.contracts += 1
        owner.ct_held.append(ct)
        _set_service(ct, tmpl, owner)
        if lwp is not None and lwp.proc is owner:
            contract_latest(lwp, ct)
        return ct

    @hookimpl
    def contract_process_exit(self, contract: ProcessContract, proc: Proc) -> None:
        """Take a member out: it exits, or its fork failed after all."""
        ct = contract
        if proc.stat is SIDL:
            _unborn(ct, proc)
            return
        wanted = ct.terms.info | ct.terms.crit
        lock = ct.lock
        lock.enter()
        ct.leave(proc)
        lock.exit()
        if wanted & EV_EXIT:
            cte_publish(ct, CtEv.EXIT, pid=proc.pid, status=_status(proc))
        if not ct.nmembers and wanted & CtEv.EMPTY:
            cte_publish(ct, CtEv.EMPTY, pid=proc.pid)
        _left(ct)

    # ---- what befalls a member ----

    @hookimpl
    def contract_process_event(
        self, proc: Proc, event: str, status: int, sender: int
    ) -> None:
        """Publish a signal, core or hardware error, and do what is fatal."""
        ct = proc.ct_process
        if not isinstance(ct, ProcessContract):
            return
        kind = CtEv[event.upper()]
        if kind == CtEv.SIGNAL and not _external(ct, sender):
            return
        data = {"pid": proc.pid, "status": status, "sender": sender}
        source = proc.kernel.pids.prfind(sender) if sender else None
        if source is not None and source.ct_process is not None:
            data["sendct"] = source.ct_process.id
        cte_publish(ct, kind, **data)
        if kind & ct.terms.fatal:
            contract_kill(ct, proc, checked=kind != CtEv.HWERR)

    # ---- what the framework asks of a type ----

    @hookimpl
    def contract_template(self, system: bool) -> Template:
        """A new template: a user's, or that of a zone's first process."""
        return sys_process_tmpl() if system else Template()

    @hookimpl
    def contract_accept(self, contract: Contract) -> bool:
        """Whether it takes over contracts of its members that exit."""
        return bool(contract.terms.params & CtParam.REGENT)

    @hookimpl
    def contract_orphaned(self, contract: ProcessContract) -> None:
        """Nobody owns it: it dies if it is empty, else its members may have to."""
        if not contract.nmembers:
            contract_destroy(contract)
            return
        if contract.terms.params & CtParam.NOORPHAN:
            contract_kill(contract)
        contract_orphan(contract)

    @hookimpl
    def contract_status(
        self, contract: ProcessContract, detail: bool
    ) -> dict[str, Any]:
        """The type's part of a status file (contract_process_status)."""
        ct = contract
        out: dict[str, Any] = {
            "params": int(ct.terms.params),
            "fatal": int(ct.terms.fatal),
        }
        if detail:
            out["members"] = sorted(p.pid for p in ct.crew)
            out["contracts"] = [sub.id for sub in ct.inherited]
            out["svc_fmri"] = ct.svc_fmri
            out["svc_ctid"] = ct.svc_ctid
            out["svc_creator"] = ct.svc_creator
            out["svc_aux"] = ct.creator_aux
        return out


def _own_contract(proc: Proc) -> ProcessContract:
    ct = proc.ct_process
    if not isinstance(ct, ProcessContract):
        raise Panic(f"{proc!r} forks without a contract or a template")
    return ct


def _set_service(ct: ProcessContract, tmpl: Template, owner: Proc) -> None:
    """A service named by the template begins here, else that of the owner goes on."""
    above = owner.ct_process
    ct.creator_aux = tmpl.creator_aux
    ct.svc_creator = owner.user.u_comm
    if tmpl.svc_fmri or not isinstance(above, ProcessContract):
        ct.svc_fmri, ct.svc_ctid = tmpl.svc_fmri, ct.id
    else:
        ct.svc_fmri, ct.svc_ctid = above.svc_fmri, above.svc_ctid


def _settle(ct: ProcessContract, owner: Proc) -> None:
    """The fork can't fail any more: take over from an old contract, or go free."""
    if ct.terms.subsume:
        old = ct.kernel.contracts.get(ct.terms.subsume)
        if old is not None and old.owner is owner and not old.nmembers:
            contract_subsume(ct, old, owner)
    if ct.terms.params & CtParam.KEEP_EXEC:
        contract_abandon(ct, owner)


def _status(proc: Proc) -> int:
    """What an EXIT event tells: the status word of wait(3C)."""
    if proc.wcode == CldCode.EXITED:
        return (proc.wdata & 0xFF) << 8
    return proc.wdata | (0x80 if proc.wcode == CldCode.DUMPED else 0)


def _unborn(ct: ProcessContract, proc: Proc) -> None:
    """The fork failed: no event, and no contract that was made for the child.

    Only such a contract can be empty here, since a caller stays in its own.
    """
    for e in reversed(ct.events.events):
        if e.type & CtEv.FORK and e.data["pid"] == proc.pid:
            cte_withdraw(ct, e)
            break
    ct.leave(proc)
    lwp = ct.kernel.current
    if not ct.nmembers and lwp is not None:
        contract_unlatest(lwp, ct)
    if not ct.nmembers and ct.owner is not None:
        contract_abandon(ct, ct.owner)
        ct.rele()
    else:
        _left(ct)


def _left(ct: ProcessContract) -> None:
    """Drop the reference of a member that left; with the last one an orphan ends."""
    if ct.state is CtState.ORPHAN and not ct.nmembers:
        contract_destroy(ct)  # which drops it
    else:
        ct.rele()


def _can_kill(ct: ProcessContract, source: Proc | None, p: Proc) -> bool:
    """contract_process_cankill."""
    if hasprocperm(ct.cred, p.cred):
        return True
    return source is not None and hasprocperm(source.cred, p.cred)


def _external(ct: ProcessContract, sender: int) -> bool:
    """Whether a signal came from a process outside, which is not the owner either."""
    if not sender:
        return False  # the kernel's: a fault, a terminal, the end of a contract
    if ct.owner is not None and ct.owner.pid == sender:
        return False
    return all(p.pid != sender for p in ct.crew)


def contract_kill(
    ct: ProcessContract, source: Proc | None = None, *, checked: bool = True
) -> None:
    """Kill the members; with PGRPONLY only those in the group of ``source``.

    A member marked SKILLED can't put a child into this contract any more, which
    closes the race with a fork in progress.

    Args:
        ct: The contract.
        source: Where it began; that one is ending by itself.
        checked: Only those that the contract's maker or ``source`` may signal.

    Locks: none.
    """
    pgrponly = source is not None and bool(ct.terms.params & CtParam.PGRPONLY)
    for p in ct.members:
        if p is source or p.stat is SIDL:
            continue
        if pgrponly and source is not None and p.pgrp is not source.pgrp:
            continue
        if checked and not _can_kill(ct, source, p):
            continue
        with p.lock:
            p.flag |= SKILLED
        p.kernel.psignal(p, Sig.SIGKILL, None)
