"""setppriv and privilege awareness (privileges(7), syscall/ppriv.c)."""

from __future__ import annotations

import pytest

from personae.core.cred import PRIV_BASIC, PRIV_ZONE, Cred, Priv
from personae.core.errno import Errno, KernelError
from personae.core.priv import PrivOp, PrivSet, observed, set_aware, setppriv
from personae.core.proc import Proc
from tests.core.fakes import FakeKernel, first_proc

FORK = frozenset((Priv.PROC_FORK,))
SETID = frozenset((Priv.PROC_SETID,))


def proc(uid: int) -> Proc:
    """A process of a user, with the limit set of a zone."""
    p = first_proc(FakeKernel())
    p.cred.rele()
    p.cred = Cred(uid, uid, limit=PRIV_ZONE)
    return p


def errno_of(p: Proc, op: PrivOp, which: PrivSet, privs: frozenset[Priv]) -> Errno:
    with pytest.raises(KernelError) as e:
        setppriv(p, op, which, privs)
    return e.value.errno


def test_a_user_can_give_up_and_take_back() -> None:
    p = proc(100)
    setppriv(p, PrivOp.OFF, PrivSet.EFFECTIVE, FORK)
    assert p.cred.effective == PRIV_BASIC - FORK
    assert p.cred.aware
    setppriv(p, PrivOp.ON, PrivSet.EFFECTIVE, FORK)
    assert p.cred.effective == PRIV_BASIC
    assert errno_of(p, PrivOp.ON, PrivSet.EFFECTIVE, SETID) is Errno.EPERM


def test_what_is_not_permitted_is_not_effective() -> None:
    p = proc(0)
    setppriv(p, PrivOp.SET, PrivSet.PERMITTED, PRIV_BASIC)
    assert observed(p.cred, PrivSet.EFFECTIVE) == PRIV_BASIC
    assert errno_of(p, PrivOp.ON, PrivSet.PERMITTED, SETID) is Errno.EPERM


def test_the_inheritable_set_makes_nobody_aware() -> None:
    p = proc(0)
    setppriv(p, PrivOp.ON, PrivSet.INHERITABLE, SETID)
    assert p.cred.ipriv == PRIV_BASIC | SETID
    assert not p.cred.aware
    user = proc(100)
    assert errno_of(user, PrivOp.ON, PrivSet.INHERITABLE, SETID) is Errno.EPERM


def test_the_limit_set_does_not_grow() -> None:
    p = proc(0)
    setppriv(p, PrivOp.OFF, PrivSet.LIMIT, SETID)
    assert p.cred.lpriv == PRIV_ZONE - SETID
    assert p.cred.effective >= SETID
    assert errno_of(p, PrivOp.SET, PrivSet.LIMIT, PRIV_ZONE) is Errno.EPERM


def test_awareness_ends_only_without_gain() -> None:
    p = proc(0)
    set_aware(p, True)
    assert p.cred.effective == PRIV_ZONE
    setppriv(p, PrivOp.OFF, PrivSet.PERMITTED, SETID)
    with pytest.raises(KernelError) as e:
        set_aware(p, False)
    assert e.value.errno is Errno.EPERM
    user = proc(100)
    set_aware(user, True)
    set_aware(user, False)
    assert not user.cred.aware
