"""Contract templates of a lwp (ctmpl_*, os/contract.c).

A template says what a contract to come is going to be.  Each lwp has at most one
*active* template of each type, which its forks use, and remembers the *latest*
contract that it made of each type.

Must not know: the terms of any type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from typing_extensions import Self

    from personae.core.cred import Cred
    from personae.core.lwp import Lwp

PROCESS = "process"
"""Name of the contract type that fork and exit work with."""


class ContractTemplate(Protocol):
    """What the kernel needs of a template; a type has terms of its own."""

    cookie: int

    @property
    def info(self) -> int:
        """Events told for information."""

    @property
    def crit(self) -> int:
        """Events that have to be acknowledged."""

    @property
    def inherit(self) -> bool:
        """Whether a regent takes the contract over when its owner exits."""

    def dup(self) -> Self:
        """A template of its own with the same terms."""

    def for_child(self) -> Self | None:
        """What the clone of a lwp gets in a forked child; None for nothing."""

    @property
    def keep_exec(self) -> bool:
        """Whether it stays active over an exec."""

    def set_term(self, lwp: Lwp, term: int, value: Any, cred: Cred) -> None:
        """Set a term by its number (CT_TSET)."""

    def get_term(self, term: int) -> Any:
        """Read a term by its number (CT_TGET)."""


def ctmpl_activate(lwp: Lwp, kind: str, tmpl: ContractTemplate | None) -> None:
    """Make a copy of a template the active one of its type, or have none."""
    active = dict(lwp.ct_active)
    active.pop(kind, None)
    if tmpl is not None:
        active[kind] = tmpl.dup()
    lwp.ct_active = active


def ctmpl_dup(lwp: Lwp, child: Lwp) -> None:
    """Give a cloned lwp its own copy of the active templates (lwp_ctmpl_copy).

    "latest" is empty.
    """
    child.ct_active = {}
    child.ct_latest = {}
    for kind, tmpl in lwp.ct_active.items():
        copy = tmpl.for_child()
        if copy is not None:
            child.ct_active[kind] = copy


def ctmpl_exec(lwp: Lwp) -> None:
    """The lwp execs: drop what does not stay (lwp_ctmpl_clear, from exec_common)."""
    if lwp.ct_active or lwp.ct_latest:
        keep = {k: tmpl for k, tmpl in lwp.ct_active.items() if tmpl.keep_exec}
        ctmpl_clear(lwp)
        lwp.ct_active = keep


def ctmpl_clear(lwp: Lwp) -> None:
    """A lwp goes: drop its templates and its references (lwp_ctmpl_clear)."""
    lwp.ct_active = {}
    latest, lwp.ct_latest = lwp.ct_latest, {}
    for ct in latest.values():
        ct.rele()
