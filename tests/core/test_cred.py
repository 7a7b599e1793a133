"""Credentials, privilege sets and the policy built on them."""

from __future__ import annotations

import pickle

import pytest

from personae.core import policy
from personae.core.cred import (
    PRIV_ALL,
    PRIV_BASIC,
    PRIV_NONE,
    PRIV_ZONE,
    Cred,
    Priv,
    kcred,
    parse_privs,
    priv_text,
)
from personae.core.errno import Errno, KernelError, Panic
from personae.core.proc import ProcFlag
from tests.core.fakes import FakeKernel, add_zone, first_proc, fork


def denied(fn: object, *args: object) -> Errno | None:
    try:
        fn(*args)  # type: ignore[operator]
    except KernelError as e:
        return e.errno
    return None


def test_user_has_the_basic_set() -> None:
    cred = Cred(1000, 100)
    assert cred.effective == PRIV_BASIC
    assert denied(policy.secpolicy_basic_fork, cred) is None
    assert not policy.secpolicy_newproc(cred)


def test_root_has_its_limit_set() -> None:
    assert Cred(0, 0).effective == PRIV_ALL
    assert kcred(3, PRIV_ZONE).effective == PRIV_ZONE
    assert kcred(3).zoneid == 3


def test_setuid_program_gains_and_loses() -> None:
    user = Cred(1000, 100)
    root = user.copy(euid=0)
    assert root.effective == PRIV_ALL
    assert (root.uid, root.euid, root.fsuid) == (1000, 0, 0)
    assert root.copy(euid=1000).effective == PRIV_BASIC
    assert user.effective == PRIV_BASIC


def test_copy_does_not_share_the_count() -> None:
    cred = Cred(5, 5)
    cred.hold()
    assert cred.ref == 2
    assert cred.copy(groups=(1, 2)).ref == 1
    with pytest.raises(TypeError, match="no field 'nonsense'"):
        cred.copy(nonsense=1)


def test_effective_makes_aware_and_is_cut_to_permitted() -> None:
    cred = Cred(0, 0).copy(effective=PRIV_ALL - {Priv.PROC_FORK})
    assert cred.aware
    assert denied(policy.secpolicy_basic_fork, cred) is Errno.EPERM
    user = Cred(7, 7).copy(effective=PRIV_ALL)
    assert user.effective == PRIV_BASIC


def test_release_too_often_panics() -> None:
    cred = Cred(1, 1)
    cred.rele()
    with pytest.raises(Panic):
        cred.rele()
    with pytest.raises(Panic):
        cred.hold()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default", PRIV_ZONE),
        ("default,!sys_mount", PRIV_ZONE - {Priv.SYS_MOUNT}),
        (
            "default, sys_time ,-proc_fork",
            (PRIV_ZONE | {Priv.SYS_TIME}) - {Priv.PROC_FORK},
        ),
        ("all,!basic", PRIV_ALL - PRIV_BASIC),
        ("none", PRIV_NONE),
    ],
)
def test_parse_privs(text: str, expected: frozenset[Priv]) -> None:
    assert parse_privs(text) == expected


@pytest.mark.parametrize("text", ["", "basic,,all", "proc_spoon", "!"])
def test_parse_privs_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="privilege"):
        parse_privs(text)


def test_text_is_in_a_fixed_order() -> None:
    assert priv_text(PRIV_BASIC).split(",")[0] == "file_link_any"
    assert parse_privs(priv_text(PRIV_ZONE)) == PRIV_ZONE
    assert hash(Priv.PROC_FORK) == hash(int(Priv.PROC_FORK))


def test_pickles() -> None:
    cred = Cred(1, 2, groups=(3,))
    assert pickle.loads(pickle.dumps(cred)).key() == cred.key()


def test_setid() -> None:
    user = Cred(1000, 100).copy(suid=0)
    assert policy.setuid_allowed(user, 0)
    assert not policy.setuid_allowed(user, 1)
    assert policy.setuid_allowed(Cred(0, 0), 1234)
    limited = Cred(5, 5).copy(ppriv=PRIV_BASIC | {Priv.PROC_SETID})
    limited = limited.copy(effective=limited.ppriv)
    assert policy.setuid_allowed(limited, 6)
    assert not policy.setuid_allowed(limited, 0)


def test_vnode_policy() -> None:
    user, root = Cred(1000, 100), Cred(0, 0)
    assert denied(policy.secpolicy_vnode_owner, user, 1000) is None
    assert denied(policy.secpolicy_vnode_owner, user, 1) is Errno.EPERM
    assert denied(policy.secpolicy_vnode_owner, root, 1) is None
    assert denied(policy.secpolicy_vnode_access, user, 1, 4, False) is Errno.EACCES
    assert denied(policy.secpolicy_vnode_access, root, 1, 7, True) is None


def test_can_signal() -> None:
    k = FakeKernel()
    web = add_zone(k, 1, "web")
    root = first_proc(k)
    guest = first_proc(k, web)
    user = fork(k, root)
    user.cred = Cred(1000, 100)
    assert policy.can_signal(root, user)
    assert not policy.can_signal(user, root)
    assert policy.can_signal(user, user)
    assert policy.can_signal(root, guest)
    assert not policy.can_signal(guest, root)
    # SIGCONT goes to the whole session
    assert policy.can_signal(user, root, 25)
    root.flag |= ProcFlag.SSYS
    assert not policy.can_signal(guest, root)
    assert not policy.can_signal(user, root, 25)
