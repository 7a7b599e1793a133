"""Terms of process contracts (process(5), sys/contract/process.h).

A template says what a contract that a fork makes is going to be; a contract keeps
a copy as its terms.  Numbers are those of illumos.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.flags import quick_flags
from personae.core.policy import secpolicy_contract_event, secpolicy_contract_identity

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp


@quick_flags
class CtEv(IntFlag):
    """Events of a process contract (CT_PR_EV_*)."""

    NONE = 0
    EMPTY = 0x1
    FORK = 0x2
    EXIT = 0x4
    CORE = 0x8
    SIGNAL = 0x10
    HWERR = 0x20


ALL_EVENTS = CtEv(0x3F)
FATAL_EVENTS = CtEv(0x38)
"""CORE, SIGNAL and HWERR: events that may be fatal."""


@quick_flags
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
    """For programs that know nothing of contracts: the template stays over an exec, not
    over a fork, and the contract is abandoned as soon as it is made."""


ALL_PARAMS = CtParam(0x1F)


class CtTerm(IntEnum):
    """Numbers of the terms (CTPP_*, CTP_*)."""

    EV_FATAL = 0
    PARAMS = 1
    SUBSUME = 2
    SVC_FMRI = 3
    SVC_CTID = 4
    SVC_CREATOR = 5
    CREATOR_AUX = 6
    EV_CRITICAL = 100
    EV_INFO = 101
    COOKIE = 102


INHERIT_FMRI = "inherit:"
"""FMRI of a template that leaves it to the contract of the caller."""
TEXT_MAX = 1024


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
        subsume: Id of a contract whose inherited ones the new one takes over; 0
            none.
    """

    params: int = CtParam.NONE
    fatal: int = CtEv.HWERR
    info: int = CtEv.CORE | CtEv.SIGNAL
    crit: int = CtEv.EMPTY | CtEv.HWERR
    cookie: int = 0
    svc_fmri: str = ""
    creator_aux: str = ""
    subsume: int = 0

    @property
    def inherit(self) -> bool:
        """Whether a regent takes the contract over when its owner exits."""
        return bool(self.params & CtParam.INHERIT)

    def dup(self) -> Template:
        """A template of its own with the same terms (ctmpl_dup)."""
        return replace(self)

    @property
    def keep_exec(self) -> bool:
        """Whether it stays active over an exec."""
        return bool(self.params & CtParam.KEEP_EXEC)

    def for_child(self) -> Template | None:
        """What a forked child's lwp has: none with KEEP_EXEC (lwp_ctmpl_copy)."""
        return None if self.params & CtParam.KEEP_EXEC else self.dup()

    # ---- CT_TSET, CT_TGET ----

    def set_term(self, lwp: Lwp, term: int, value: Any, cred: Cred) -> None:
        """Set a term by its number (ctmpl_set).

        Raises:
            KernelError: EINVAL, unknown term or bits, or a value of the wrong type;
                EPERM, it needs a privilege; ESRCH, EACCES, ENOTEMPTY for SUBSUME.
        """
        _check_kind(term, value)
        if term == CtTerm.EV_FATAL:
            self.set_fatal(value, cred)
        elif term == CtTerm.PARAMS:
            self.set_params(value, cred)
        elif term == CtTerm.SUBSUME:
            self._set_subsume(lwp, value)
        elif term == CtTerm.SVC_FMRI:
            secpolicy_contract_identity(cred)
            self.svc_fmri = "" if value == INHERIT_FMRI else value
        elif term == CtTerm.CREATOR_AUX:
            self.creator_aux = value
        elif term == CtTerm.EV_CRITICAL:
            self.set_crit(value, cred)
        elif term == CtTerm.EV_INFO:
            self.set_info(value)
        elif term == CtTerm.COOKIE:
            self.cookie = value
        else:
            raise KernelError(Errno.EINVAL, f"there is no term {term} to set")

    def get_term(self, term: int) -> Any:
        """Read a term by its number (ctmpl_get).

        Raises:
            KernelError: EINVAL, there is no such term.
        """
        values = {
            CtTerm.EV_FATAL: int(self.fatal),
            CtTerm.PARAMS: int(self.params),
            CtTerm.SUBSUME: self.subsume,
            CtTerm.SVC_FMRI: self.svc_fmri or INHERIT_FMRI,
            CtTerm.CREATOR_AUX: self.creator_aux,
            CtTerm.EV_CRITICAL: int(self.crit),
            CtTerm.EV_INFO: int(self.info),
            CtTerm.COOKIE: self.cookie,
        }
        if term not in values:
            raise KernelError(Errno.EINVAL, f"there is no term {term}")
        return values[CtTerm(term)]

    # ---- the terms ----

    def set_params(self, value: int, cred: Cred | None = None) -> None:
        """Set the parameters; PGRPONLY demotes critical events it doesn't allow.

        Raises:
            KernelError: EINVAL, unknown bits.
        """
        _known(value, ALL_PARAMS)
        self.params = value
        if value & CtParam.PGRPONLY:
            self._demote(cred)

    def set_fatal(self, value: int, cred: Cred | None = None) -> None:
        """Set the fatal events; critical ones that are no longer fatal are demoted.

        Raises:
            KernelError: EINVAL, an event that cannot be fatal.
        """
        _known(value, FATAL_EVENTS)
        self.fatal = value
        self._demote(cred)

    def set_info(self, value: int) -> None:
        """Set the informative events.

        Raises:
            KernelError: EINVAL, unknown bits.
        """
        _known(value, ALL_EVENTS)
        self.info = value

    def set_crit(self, value: int, cred: Cred) -> None:
        """Set the critical events; to have fewer of them is always allowed.

        Raises:
            KernelError: EINVAL, unknown bits; EPERM, an event that an unprivileged
                process can't make critical.
        """
        _known(value, ALL_EVENTS)
        if (
            value & ~self.crit
            and value & ~self._critical_for_all()
            and not secpolicy_contract_event(cred)
        ):
            raise KernelError(Errno.EPERM, "critical events need contract_event")
        self.crit = value

    def _critical_for_all(self) -> int:
        """Events that anybody may make critical."""
        if self.params & CtParam.PGRPONLY:
            return CtEv.EMPTY
        return CtEv.EMPTY | self.fatal

    def _demote(self, cred: Cred | None) -> None:
        """Without the privilege, what may not be critical becomes informative."""
        if cred is not None and secpolicy_contract_event(cred):
            return
        bad = self.crit & ~self._critical_for_all()
        self.crit &= ~bad
        self.info |= bad

    def _set_subsume(self, lwp: Lwp, ctid: int) -> None:
        """The contract to take over from: owned by the caller, and empty."""
        if ctid:
            ct = lwp.kernel.contracts.get(ctid)
            if ct is None or lwp.proc.zone.id not in (0, ct.mzoneid):
                raise KernelError(Errno.ESRCH, f"there is no contract {ctid}")
            if ct.owner is not lwp.proc:
                raise KernelError(Errno.EACCES, f"contract {ctid} is not the caller's")
            if ct.nmembers:
                raise KernelError(Errno.ENOTEMPTY, f"contract {ctid} has members")
        self.subsume = ctid


def _check_kind(term: int, value: Any) -> None:
    """Two terms are texts, the others numbers."""
    text = term in (CtTerm.SVC_FMRI, CtTerm.CREATOR_AUX)
    if not isinstance(value, str if text else int):
        raise KernelError(Errno.EINVAL, f"term {term} is not {value!r}")
    if isinstance(value, str) and len(value.encode()) >= TEXT_MAX:
        raise KernelError(Errno.EINVAL, f"term {term} is too long")


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
