"""Audit data of a process: in whose name it runs (bsm/audit.h, auditinfo_addr_t).

The audit id says who logged in and stays when set-id programs change the other ids;
the audit session tells logins of one person apart; the mask says which events are
recorded.  A child gets a copy (step G14 of fork); only a privileged caller changes
it.  Who writes records is a plugin's matter.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import priv_policy

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.proc import Proc

AU_NOAUDITID = 0xFFFFFFFE
"""Nobody has logged in (bsm/audit.h)."""
ID_MAX = 0xFFFFFFFF


class AuditClass(IntFlag):
    """Classes of events; a mask is a sum of them."""

    FORK = 1
    EXEC = 2
    EXIT = 4
    CRED = 8
    SIGNAL = 16


AUDIT_ALL = int(sum(AuditClass))


class AuditData:
    """What p_audit_data points at; each process has its own."""

    __slots__ = ("asid", "auid", "mask")

    def __init__(
        self, auid: int = AU_NOAUDITID, asid: int = 0, mask: int = AUDIT_ALL
    ) -> None:
        self.auid = auid
        self.asid = asid
        self.mask = mask

    def copy(self) -> AuditData:
        """A child's."""
        return AuditData(self.auid, self.asid, self.mask)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AuditData):
            return NotImplemented
        mine = (self.auid, self.asid, self.mask)
        return mine == (other.auid, other.asid, other.mask)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<AuditData {self.auid} session {self.asid} mask {self.mask:#x}>"


def audit_get(proc: Proc) -> AuditData:
    """The data of a process; that of nobody if it has none."""
    data: AuditData | None = proc.audit
    return data if data is not None else AuditData()


def audit_set(
    proc: Proc,
    cred: Cred,
    *,
    auid: int | None = None,
    asid: int | None = None,
    mask: int | None = None,
) -> AuditData:
    """Change the audit data of a process (setaudit_addr(2)).

    Args:
        proc: Whose; its children so far keep theirs.
        cred: Who asks.
        auid: Audit id.
        asid: Audit session.
        mask: ``AuditClass`` bits.

    Raises:
        KernelError: EPERM without the privilege sys_audit; EINVAL.
    """
    priv_policy(cred, Priv.SYS_AUDIT)
    ids = [n for n in (auid, asid) if n is not None]
    if any(not 0 <= n <= ID_MAX for n in ids) or (mask or 0) & ~AUDIT_ALL:
        raise KernelError(Errno.EINVAL, f"audit data {auid} {asid} {mask}")
    new = audit_get(proc).copy()
    new.auid = new.auid if auid is None else auid
    new.asid = new.asid if asid is None else asid
    new.mask = new.mask if mask is None else mask
    proc.audit = new
    return new
