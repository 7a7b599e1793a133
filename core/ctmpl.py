"""Terms and templates of process contracts (process(5), sys/contract/process.h).

A template says what a contract that a fork makes is going to be; a contract keeps
its terms.  Each lwp has at most one active template of each type.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.flags import quick_flags
from personae.core.policy import secpolicy_contract_event

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp

PROCESS = "process"
"""Name of the contract type."""


@quick_flags
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


ALL_PARAMS = CtParam(0x1F)


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
