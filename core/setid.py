"""Rules of setreuid(2) and setregid(2), which Linux and illumos agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import setgid_allowed, setuid_allowed

if TYPE_CHECKING:
    from personae.core.cred import Cred


def setre_changes(
    cred: Cred, kind: str, real: int | None, effective: int | None
) -> dict[str, int]:
    """New values of the ids of a kind.

    The saved id becomes the effective one when the real id is set, or the effective
    one to something else than the real id.

    Args:
        cred: Who asks.
        kind: "uid" or "gid".
        real: The new real id; None leaves it.
        effective: The new effective id; None leaves it.

    Raises:
        KernelError: EPERM.
    """
    allowed = setuid_allowed if kind == "uid" else setgid_allowed
    old_real, old_eff = getattr(cred, kind), getattr(cred, f"e{kind}")
    changes: dict[str, int] = {}
    if real is not None:
        if real not in (old_real, old_eff) and not cred.has(Priv.PROC_SETID):
            raise KernelError(Errno.EPERM, f"real {kind} {real}")
        changes[kind] = real
    if effective is not None:
        if not allowed(cred, effective):
            raise KernelError(Errno.EPERM, f"effective {kind} {effective}")
        changes[f"e{kind}"] = effective
    if real is not None or (effective is not None and effective != old_real):
        changes[f"s{kind}"] = changes.get(f"e{kind}", old_eff)
    return changes
