"""Operations of a contract type: sys/contract_impl.h."""

# Specs are signatures only: arguments are named and never used here.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.hookspecs.marks import hookspec

if TYPE_CHECKING:
    from personae.core.contract import Contract
    from personae.core.proc import Proc


class ContractSpec:
    """Operations of a contract type (sys/contract_impl.h)."""

    @hookspec
    def contract_process_fork(
        self, tmpl: Any, child: Proc, parent: Proc, canfail: bool
    ) -> Contract | None:
        """Put the child in a contract.

        Without a template the child joins the contract of the caller, else a new one.

        When: the last step of a fork that may fail.
        Locks: none on entry and return.
        May fail: yes if ``canfail``, EAGAIN.
        Source: fork.c:401, 834.
        """

    @hookspec
    def contract_process_exit(self, contract: Any, proc: Proc) -> None:
        """The process leaves its contract.

        When: exit, or undo of a failed fork, which gives what contract_process_fork
            returned.
        Locks: none.
        May fail: no.
        Source: contract_process_exit, contract/process.c.
        """

    @hookspec
    def contract_process_event(
        self, proc: Proc, event: str, status: int, sender: int
    ) -> None:
        """Something befell a process: event ``signal``, ``core`` or ``hwerr``.

        ``status`` is the signal, ``sender`` the pid that sent it or 0.

        When: just before it ends by it.
        Locks: none.
        May fail: no.
        Source: contract_process_sig, contract/process.c.
        """

    @hookspec
    def contract_template(self, system: bool) -> Any:
        """A new template; ``system``: for the first process of a zone.

        When: a template file is opened, and newproc.
        Locks: none.
        May fail: no.
        Source: contract_process_default, contract/process.c.
        """

    @hookspec
    def contract_accept(self, contract: Contract) -> bool:
        """Whether it inherits the contracts of a member that exits.

        When: a member that holds contracts exits.
        Locks: none.
        May fail: no.
        Source: contract_process_accept, contract/process.c.
        """

    @hookspec
    def contract_orphaned(self, contract: Any) -> None:
        """Nobody owns it any more: make it an orphan, or destroy it.

        When: its holder has abandoned it or exits.
        Locks: none.
        May fail: no.
        Source: contop_abandon, contract/process.c.
        """

    @hookspec
    def contract_status(self, contract: Any, detail: bool) -> dict[str, Any]:
        """The type's part of a status file.

        When: a status file is read.
        Locks: none.
        May fail: no.
        Source: contop_status, contract/process.c.
        """
