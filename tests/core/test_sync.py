"""Locks: owner, order, and nothing held on the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.core.errno import Panic
from personae.core.machine import Machine
from personae.core.sync import LockOrder, LockSet, Mutex
from tests.core.machines import native


def locks() -> tuple[LockSet, Mutex, Mutex]:
    held = LockSet()
    return (
        held,
        Mutex(held, "pidlock", LockOrder.PIDLOCK),
        Mutex(held, "p_lock", LockOrder.P_LOCK),
    )


def test_in_order() -> None:
    held, pidlock, p_lock = locks()
    with pidlock, p_lock:
        assert [m.name for m in held.held] == ["pidlock", "p_lock"]
    assert held.held == []


def test_against_the_order() -> None:
    held, pidlock, p_lock = locks()
    with p_lock, pytest.raises(Panic, match="pidlock entered while holding p_lock"):
        pidlock.enter()
    assert held.held == []


def test_a_vfork_childs_lock_goes_before_its_parents() -> None:
    held = LockSet()
    child = Mutex(held, "child", LockOrder.P_LOCK)
    parent = Mutex(held, "parent", LockOrder.P_LOCK)
    child.enter_as(LockOrder.P_LOCK_CHILD)
    with parent:
        pass
    child.exit()
    parent.enter_as(LockOrder.P_LOCK)
    with pytest.raises(Panic, match="child entered while holding parent"):
        child.enter_as(LockOrder.P_LOCK_CHILD)


def test_twice() -> None:
    _, pidlock, _ = locks()
    with pidlock, pytest.raises(Panic, match="recursive"):
        pidlock.enter()


def test_exit_of_what_is_not_held() -> None:
    _, pidlock, _ = locks()
    with pytest.raises(Panic, match="not held: pidlock"):
        pidlock.exit()
    with pytest.raises(Panic, match="not held: pidlock"):
        pidlock.assert_held()


def test_leaving_with_a_lock() -> None:
    held, pidlock, _ = locks()
    pidlock.enter()
    with pytest.raises(Panic, match="sys_fork: returning with locks held: pidlock"):
        held.assert_none("sys_fork")


def test_dropped_by_somebody_else_out_of_order() -> None:
    """CL_FORKRET drops pidlock while the child's p_lock is held."""
    held, pidlock, p_lock = locks()
    pidlock.enter()
    p_lock.enter()
    pidlock.exit()
    assert [m.name for m in held.held] == ["p_lock"]
    p_lock.exit()


def test_checking_can_be_switched_off() -> None:
    held = LockSet(checking=False)
    p_lock = Mutex(held, "p_lock", LockOrder.P_LOCK)
    pidlock = Mutex(held, "pidlock", LockOrder.PIDLOCK)
    with p_lock, pidlock:
        assert held.held == []


# ---- checking off ----


def test_unchecked_locks_keep_their_owner_alone() -> None:
    """Neither order nor recursion is looked at; who holds a lock is still known."""
    held = LockSet(checking=False)
    pidlock = Mutex(held, "pidlock", LockOrder.PIDLOCK)
    p_lock = Mutex(held, "p_lock", LockOrder.P_LOCK)
    with p_lock:
        pidlock.enter()
        pidlock.enter()
        assert pidlock.owned
        assert held.held == []
        pidlock.exit()
    assert not pidlock.owned
    held.assert_none("here")
    pidlock.assert_held()


def test_held_across_the_return() -> None:
    """The dispatcher finds a lock that a call has left behind."""
    machine, zone = native("forktest")
    k = machine.kernel
    job = zone.start(["/bin/forktest", "1"])
    k.pidlock.enter()
    with pytest.raises(Panic, match="pidlock"):
        machine.run_until([job.proc])


@pytest.mark.parametrize("checking", [True, False])
def test_forks_with_and_without_checks(checking: bool) -> None:
    """The same run to the cycle."""
    machine, zone = native("forktest", lock_checking=checking)
    result = zone.run(["/bin/forktest", "5"])
    assert result.stdout == b"forktest: 5 cycles ok\n"
    assert machine.kernel.locks.checking is checking
    other, plain = native("forktest")
    plain.run(["/bin/forktest", "5"])
    assert machine.digest() == other.digest()


def test_switch_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "zones.toml"
    file.write_text("schema = 1\n[machine]\nlock-checking = false\nschedule-seed = 3\n")
    machine = Machine.from_toml(file)
    assert machine.kernel.locks.checking is False
    assert machine.kernel.config.schedule_seed == 3
