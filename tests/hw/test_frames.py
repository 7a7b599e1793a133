"""Physical frames, their references and their accounts."""

import pytest

from personae.hw import HW_R, HW_W, PAGE_SIZE, Err, Machine, Stat, Trap

RW = HW_R | HW_W


def test_a_frame_comes_zeroed_even_the_second_time(hw: Machine) -> None:
    pfn = hw.frame_alloc(0)
    assert hw.frame_write(pfn, 0, b"x" * PAGE_SIZE) == Err.OK
    hw.frame_rele(pfn)
    assert hw.frame_alloc(0) == pfn
    assert hw.frame_read(pfn, 0, PAGE_SIZE) == bytes(PAGE_SIZE)


def test_references_keep_a_frame(hw: Machine) -> None:
    pfn = hw.frame_alloc(0)
    hw.frame_hold(pfn)
    hw.frame_rele(pfn)
    assert hw.frame_refs(pfn) == 1
    hw.frame_rele(pfn)
    assert (hw.frame_refs(pfn), hw.stat(Stat.FRAMES_USED)) == (0, 0)
    hw.frame_rele(pfn)  # one too many does nothing
    hw.frame_hold(pfn)
    assert hw.frame_refs(pfn) == 0


def test_memory_runs_out_with_an_answer() -> None:
    hw = Machine(16 * PAGE_SIZE)
    got = [hw.frame_alloc(0) for _ in range(16)]
    assert got == [*range(1, 16), 0]
    assert hw.stat(Stat.FRAMES_TOTAL) == hw.stat(Stat.FRAMES_USED) == 15
    assert hw.as_create(0) == 0
    hw.frame_rele(7)
    assert hw.frame_alloc(0) == 7


@pytest.mark.parametrize(
    ("off", "n", "rc"),
    [(0, 4096, 0), (4095, 1, 0), (4096, 0, 0), (4096, 1, -3), (1, 4096, -3)],
)
def test_a_range_has_to_lie_in_the_frame(
    hw: Machine, off: int, n: int, rc: int
) -> None:
    pfn = hw.frame_alloc(0)
    assert hw.frame_write(pfn, off, bytes(n)) == rc
    assert len(hw.frame_read(pfn, off, n)) == (n if rc == 0 else 0)


@pytest.mark.parametrize("pfn", [0, 5, 1 << 31])
def test_a_frame_that_is_not_there_is_refused(hw: Machine, pfn: int) -> None:
    assert hw.frame_read(pfn, 0, 8) == b""
    assert hw.frame_write(pfn, 0, b"x") == Err.EINVAL
    assert hw.frame_refs(pfn) == 0


def test_an_account_pays_for_pages_and_tables(hw: Machine) -> None:
    acct = hw.acct_create(5)
    as_ = hw.as_create(acct)
    hw.map_zero(as_, 0x1000, 3 * PAGE_SIZE, RW)
    assert hw.acct_used(acct) == 3  # root and two tables
    assert hw.copyout(as_, 0x1000, bytes(2 * PAGE_SIZE)) == 2 * PAGE_SIZE
    assert hw.copyout(as_, 0x3000, b"x") == 0
    assert (hw.fault_trap(), hw.fault_addr()) == (Trap.NOMEM, 0x3000)
    hw.acct_limit(acct, 6)
    assert hw.copyout(as_, 0x3000, b"x") == 1
    hw.as_destroy(as_)
    assert hw.acct_used(acct) == 0


def test_an_account_with_frames_stays(hw: Machine) -> None:
    acct = hw.acct_create(100)
    pfn = hw.frame_alloc(acct)
    hw.acct_destroy(acct)
    assert hw.acct_used(acct) == 1
    hw.frame_rele(pfn)
    hw.acct_destroy(acct)
    assert hw.frame_alloc(acct) == 0
    assert hw.acct_create(1) == acct  # the number is given out again


def test_accounts_are_many_but_not_endless(hw: Machine) -> None:
    got = [hw.acct_create(1) for _ in range(40)]
    assert got == list(range(1, 41))
    assert hw.frame_alloc(99) == 0


def test_a_copy_is_paid_by_who_writes(hw: Machine) -> None:
    rich, poor = hw.acct_create(100), hw.acct_create(3)
    parent = hw.as_create(rich)
    hw.map_zero(parent, 0x1000, PAGE_SIZE, RW)
    hw.copyout(parent, 0x1000, b"parent")
    child = hw.as_clone(parent, poor)
    assert hw.acct_used(poor) == 1
    assert hw.copyout(child, 0x1000, b"child") == 0  # two tables, no page
    assert hw.fault_trap() == Trap.NOMEM
    assert hw.copyin(child, 0x1000, 6) == b"parent"
    hw.acct_limit(poor, 4)
    assert hw.copyout(child, 0x1000, b"child!") == 6
    assert hw.acct_used(poor) == 4


def test_a_huge_machine_costs_nothing() -> None:
    hw = Machine(64 << 30)
    as_ = hw.as_create(0)
    assert hw.map_zero(as_, 0, 100 << 30, RW) == Err.OK
    assert hw.stat(Stat.FRAMES_USED) == 1
    assert hw.copyout(as_, 99 << 30, b"x") == 1
    assert hw.stat(Stat.FRAMES_USED) == 4
