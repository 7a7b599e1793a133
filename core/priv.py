"""Privilege sets of a process, as setppriv(2) changes them (syscall/ppriv.c).

A process that touches its effective, permitted or limit set becomes privilege aware:
its sets then are what they say, whatever its user ids (privileges(7)).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.limits import crset

if TYPE_CHECKING:
    from personae.core.cred import Cred, Priv
    from personae.core.proc import Proc


class PrivSet(IntEnum):
    """The four sets (priv_ptype_t, by their numbers)."""

    EFFECTIVE = 0
    INHERITABLE = 1
    PERMITTED = 2
    LIMIT = 3


class PrivOp(IntEnum):
    """What to do with a set (priv_op_t)."""

    ON = 0
    OFF = 1
    SET = 2


_FIELDS = ("epriv", "ipriv", "ppriv", "lpriv")


def observed(cred: Cred, which: PrivSet) -> frozenset[Priv]:
    """A set as getppriv(2) tells it."""
    return (cred.effective, cred.ipriv, cred.permitted, cred.lpriv)[which]


def setppriv(proc: Proc, op: PrivOp, which: PrivSet, privs: frozenset[Priv]) -> None:
    """Change a set of a process.

    Raises:
        KernelError: EPERM, it would gain what it is not permitted.
    """
    cred = proc.cred
    if op is not PrivOp.OFF:
        if which is PrivSet.LIMIT and not privs <= cred.lpriv:
            raise KernelError(Errno.EPERM, "the limit set can't grow")
        if not privs <= cred.permitted and not privs <= observed(cred, which):
            raise KernelError(Errno.EPERM, "not permitted")
    changes: dict[str, object] = {}
    if which is not PrivSet.INHERITABLE:
        changes = {"epriv": cred.effective, "ppriv": cred.permitted, "aware": True}
    name = _FIELDS[which]
    old = changes.get(name, getattr(cred, name))
    assert isinstance(old, frozenset)
    if op is PrivOp.ON:
        new = old | privs
    elif op is PrivOp.OFF:
        new = old - privs
    else:
        new = privs
    changes[name] = new
    if which is PrivSet.PERMITTED and op is not PrivOp.ON:
        changes["epriv"] = cred.effective & new
    crset(proc, cred.copy(**changes))


def can_forget(cred: Cred) -> bool:
    """Whether a process can stop being privilege aware (priv_can_clear_PA)."""
    if 0 not in (cred.uid, cred.euid, cred.suid):
        return True
    return cred.ppriv == cred.lpriv and (cred.euid != 0 or cred.epriv == cred.lpriv)


def set_aware(proc: Proc, aware: bool) -> None:
    """Make a process privilege aware, or no longer so (setpflags(2), PRIV_AWARE).

    Raises:
        KernelError: EPERM, it can't go back: uid 0 would give it more than it has.
    """
    cred = proc.cred
    if aware == cred.aware:
        return
    if aware:
        changes = {"epriv": cred.effective, "ppriv": cred.permitted}
    elif not can_forget(cred):
        raise KernelError(Errno.EPERM, "uid 0 would give more than there is")
    elif 0 in (cred.uid, cred.euid, cred.suid):
        rest = cred.ipriv & cred.lpriv
        changes = {"epriv": rest, "ppriv": rest}
    else:
        changes = {}
    crset(proc, cred.copy(aware=aware, **changes))
