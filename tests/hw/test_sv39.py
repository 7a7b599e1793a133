"""Address spaces: what clones share, what faults cost, what the tables say."""

import pytest

from personae.hw import (
    HW_R,
    HW_W,
    HW_X,
    MAP_PRIVATE,
    MAP_SHARED,
    PAGE_SIZE,
    VA_TOP,
    Err,
    Machine,
    Stat,
    Trap,
)

RW = HW_R | HW_W
MIB2 = 2 << 20
GIB = 1 << 30
V, W, COW, SHARED = 1, 4, 1 << 8, 1 << 9


def used(hw: Machine) -> int:
    return hw.stat(Stat.FRAMES_USED)


@pytest.mark.parametrize("size", [1 << 20, 64 << 20, GIB])
def test_a_clone_costs_one_frame_whatever_the_size(size: int) -> None:
    hw = Machine(2 << 30)
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0x10000, size, RW)
    for va in range(0x10000, 0x10000 + size, PAGE_SIZE):
        hw.copyout(as_, va, b"x")
    before = used(hw)
    child = hw.as_clone(as_, 0)
    assert used(hw) - before == 1
    hw.copyout(child, 0x10000, b"y")
    assert used(hw) - before == 1 + 2 + 1  # two tables and the page
    hw.as_destroy(child)
    assert used(hw) == before


def test_after_the_child_is_gone_stores_own_the_page_again(hw: Machine) -> None:
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, PAGE_SIZE, RW)
    hw.copyout(as_, 0, b"x")
    pfn = hw.pte_frame(as_, 0)
    child = hw.as_clone(as_, 0)
    hw.copyout(as_, 0, b"y")
    assert hw.stat(Stat.COWS) == 1
    assert hw.pte_frame(child, 0) == pfn != hw.pte_frame(as_, 0)
    assert hw.pte(child, 0) & (V | W | COW) == V | COW
    hw.copyout(child, 0, b"z")
    assert (hw.stat(Stat.COWS), hw.stat(Stat.REOWNS)) == (1, 1)
    assert hw.pte(child, 0) & (V | W | COW) == V | W
    assert (hw.copyin(as_, 0, 1), hw.copyin(child, 0, 1)) == (b"y", b"z")


def test_an_unused_clone_leaves_no_trace(hw: Machine) -> None:
    """Tables never copied keep W, and serve stores once their count is 1 again."""
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, PAGE_SIZE, RW)
    hw.copyout(as_, 0, b"x")
    hw.as_destroy(hw.as_clone(as_, 0))
    hw.copyout(as_, 0, b"y")
    assert [hw.stat(s) for s in (Stat.COWS, Stat.REOWNS, Stat.UNSHARES)] == [0, 0, 0]


def test_three_generations(hw: Machine) -> None:
    spaces = [hw.as_create(0)]
    hw.map_zero(spaces[0], GIB - PAGE_SIZE, 2 * PAGE_SIZE, RW)
    for i in range(1, 6):
        hw.copyout(spaces[-1], GIB - 4, b"%08d" % i)
        spaces.append(hw.as_clone(spaces[-1], 0))
    got = [hw.copyin(s, GIB - 4, 8) for s in spaces]
    assert got == [b"%08d" % i for i in (1, 2, 3, 4, 5, 5)]
    for s in (spaces[2], spaces[0], spaces[5], spaces[1], spaces[4], spaces[3]):
        hw.as_destroy(s)
    assert (used(hw), hw.stat(Stat.TABLES), hw.stat(Stat.SPACES)) == (0, 0, 0)


def test_shared_frames_stay_shared_across_a_clone(hw: Machine) -> None:
    as_ = hw.as_create(0)
    pfn = hw.frame_alloc(0)
    hw.map_frames(as_, 0x1000, [pfn], RW, MAP_SHARED)
    child = hw.as_clone(as_, 0)
    hw.copyout(child, 0x1000, b"child")
    assert hw.copyin(as_, 0x1000, 5) == b"child"
    assert hw.frame_read(pfn, 0, 5) == b"child"
    assert hw.pte(as_, 0x1000) & (W | COW | SHARED) == W | SHARED


def test_private_frames_are_copied_at_the_first_store(hw: Machine) -> None:
    as_ = hw.as_create(0)
    pfn = hw.frame_alloc(0)
    hw.frame_write(pfn, 0, b"file")
    hw.map_frames(as_, 0x1000, [pfn], RW, MAP_PRIVATE)
    hw.copyout(as_, 0x1000, b"mine")
    assert hw.frame_read(pfn, 0, 4) == b"file"
    assert hw.frame_refs(pfn) == 1


def test_frame_zero_means_ask(hw: Machine) -> None:
    as_ = hw.as_create(0)
    hw.map_frames(as_, 0x1000, [0, hw.frame_alloc(0)], HW_R, MAP_SHARED)
    assert hw.copyin(as_, 0x1000, 1) == b""
    assert (hw.fault_trap(), hw.fault_addr()) == (Trap.ASK, 0x1000)
    assert hw.pte(as_, 0x1000) & (V | SHARED) == SHARED
    hw.copyout(as_, 0x1000, b"x")
    assert hw.fault_trap() == Trap.PROT


def test_a_frame_may_lose_its_only_mapping_in_the_call_that_maps_it(
    hw: Machine,
) -> None:
    as_ = hw.as_create(0)
    pfn = hw.frame_alloc(0)
    hw.map_frames(as_, 0x1000, [pfn], HW_R, MAP_SHARED)
    hw.frame_rele(pfn)
    assert hw.map_frames(as_, 0x1000, [0, pfn], HW_R, MAP_SHARED) == Err.OK
    assert (hw.pte_frame(as_, 0x2000), hw.frame_refs(pfn)) == (pfn, 1)


def test_protection_comes_and_goes(hw: Machine) -> None:
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, 2 * MIB2, RW)
    hw.copyout(as_, 0x1000, b"page")
    for prot, load, store in ((HW_R, 4, 0), (0, 0, 0), (RW, 4, 4), (HW_X, 0, 0)):
        assert hw.protect(as_, 0, 2 * MIB2, prot) == Err.OK
        assert len(hw.copyin(as_, 0x1000, 4)) == load
        assert hw.copyout(as_, 0x1000, b"page") == store
        assert len(hw.copyin(as_, MIB2, 4)) == load
    assert hw.as_resident(as_) == 2


def test_a_page_without_protection_is_still_there(hw: Machine) -> None:
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, PAGE_SIZE, RW)
    hw.copyout(as_, 0, b"kept")
    hw.protect(as_, 0, PAGE_SIZE, 0)
    child = hw.as_clone(as_, 0)
    hw.protect(child, 0, PAGE_SIZE, RW)
    hw.copyout(child, 0, b"lost")
    hw.protect(as_, 0, PAGE_SIZE, HW_R)
    assert hw.copyin(as_, 0, 4) == b"kept"


def test_the_page_of_a_shared_mapping_is_stored_to_after_protect(hw: Machine) -> None:
    as_ = hw.as_create(0)
    pfn = hw.frame_alloc(0)
    hw.map_frames(as_, 0, [pfn], HW_R, MAP_SHARED)
    hw.protect(as_, 0, PAGE_SIZE, 0)
    hw.protect(as_, 0, PAGE_SIZE, RW)
    hw.copyout(as_, 0, b"through")
    assert hw.frame_read(pfn, 0, 7) == b"through"


def test_big_ranges_cost_tables_not_pages(hw: Machine) -> None:
    as_ = hw.as_create(0)
    assert hw.map_zero(as_, 0, VA_TOP, RW) == Err.OK
    assert used(hw) == 1
    hw.unmap(as_, GIB + MIB2 + PAGE_SIZE, 100 * GIB)
    assert used(hw) == 1 + 2 * 2
    assert hw.protect(as_, PAGE_SIZE, VA_TOP - PAGE_SIZE, HW_R) == Err.OK
    assert used(hw) == 1 + 3 * 2
    hw.unmap(as_, 0, VA_TOP)
    assert used(hw) == 1


def test_empty_tables_are_given_back(hw: Machine) -> None:
    as_ = hw.as_create(0)
    for va in (0x1000, MIB2, 5 * GIB):
        hw.map_zero(as_, va, PAGE_SIZE, RW)
        hw.copyout(as_, va, b"x")
        hw.unmap(as_, va, PAGE_SIZE)
    assert used(hw) == 1
    hw.unmap(as_, 7 * GIB + PAGE_SIZE, PAGE_SIZE)  # a hole in a hole
    assert used(hw) == 1


@pytest.mark.parametrize("d", [PAGE_SIZE, MIB2, GIB, 3 * GIB + 5 * PAGE_SIZE])
def test_a_move_takes_pages_and_markers_along(hw: Machine, d: int) -> None:
    as_ = hw.as_create(0)
    start, size = 8 * GIB + 3 * PAGE_SIZE, 2 * GIB
    pages = {start: b"first", start + GIB: b"middle", start + size - PAGE_SIZE: b"last"}
    hw.map_zero(as_, start, size, RW)
    for va, data in pages.items():
        hw.copyout(as_, va, data)
    to = start + size + d
    hw.map_zero(as_, to, PAGE_SIZE, RW)
    hw.copyout(as_, to, b"replaced")
    child = hw.as_clone(as_, 0)
    assert hw.move(as_, start, to, size) == Err.OK
    for va, data in pages.items():
        assert hw.copyin(as_, va - start + to, len(data)) == data
        assert hw.copyin(as_, va, 1) == b""
        assert hw.copyin(child, va, len(data)) == data
    assert hw.copyin(child, to, 8) == b"replaced"
    assert hw.copyin(as_, to + 5 * MIB2, 3) == bytes(3)
    hw.as_destroy(as_)
    hw.as_destroy(child)
    assert used(hw) == 0


def test_a_move_may_not_overlap_itself(hw: Machine) -> None:
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, 4 * PAGE_SIZE, RW)
    assert hw.move(as_, 0, PAGE_SIZE, 2 * PAGE_SIZE) == Err.EINVAL
    assert hw.move(as_, PAGE_SIZE, 0, 2 * PAGE_SIZE) == Err.EINVAL
    assert hw.move(as_, 0, 2 * PAGE_SIZE, 2 * PAGE_SIZE) == Err.OK


@pytest.mark.parametrize(
    ("va", "size", "prot"),
    [
        (1, PAGE_SIZE, RW),
        (0, PAGE_SIZE + 1, RW),
        (0, 0, RW),
        (VA_TOP, PAGE_SIZE, RW),
        (VA_TOP - PAGE_SIZE, 2 * PAGE_SIZE, RW),
        ((1 << 64) - PAGE_SIZE, 2 * PAGE_SIZE, RW),
        (PAGE_SIZE, (1 << 64) - PAGE_SIZE, RW),
        (0, PAGE_SIZE, 1),
        (0, PAGE_SIZE, 16),
    ],
)
def test_bad_ranges_are_refused(hw: Machine, va: int, size: int, prot: int) -> None:
    as_ = hw.as_create(0)
    assert hw.map_zero(as_, va, size, prot) == Err.EINVAL
    assert hw.map_ask(as_, va, size, prot, 0) == Err.EINVAL
    assert hw.protect(as_, va, size, prot) == Err.EINVAL
    assert hw.map_zero(99, 0, PAGE_SIZE, RW) == Err.EINVAL


def test_frames_that_are_not_there_cannot_be_mapped(hw: Machine) -> None:
    as_ = hw.as_create(0)
    pfn = hw.frame_alloc(0)
    assert hw.map_frames(as_, 0, [pfn, 1 << 31], RW, 0) == Err.EINVAL
    assert hw.map_frames(as_, 0, [pfn, pfn + 100], RW, 0) == Err.EINVAL
    assert hw.map_frames(as_, 0, [pfn], RW, 2) == Err.EINVAL
    assert hw.map_frames(as_, 0, [], RW, 0) == Err.EINVAL
    assert (hw.frame_refs(pfn), hw.pte(as_, 0)) == (1, 0)


def test_without_memory_a_change_does_not_happen() -> None:
    hw = Machine(64 << 20)
    acct = hw.acct_create(5)
    as_ = hw.as_create(acct)
    hw.map_zero(as_, 0, 4 * GIB, RW)
    hw.copyout(as_, 0x1000, b"data")
    hw.acct_limit(acct, hw.acct_used(acct))
    pfn = hw.frame_alloc(0)
    calls = [
        hw.map_zero(as_, GIB + PAGE_SIZE, GIB, HW_R),
        hw.map_ask(as_, GIB + MIB2, PAGE_SIZE, HW_R, 0),
        hw.map_frames(as_, MIB2 - PAGE_SIZE, [pfn, pfn], HW_R, 0),
        hw.unmap(as_, 0x1000, 2 * GIB),
        hw.protect(as_, 0, 2 * GIB + PAGE_SIZE, HW_R),
        hw.move(as_, 0x1000, 8 * GIB, PAGE_SIZE),
        hw.as_clone(as_, acct),
    ]
    assert calls == [Err.ENOMEM] * 6 + [0]
    assert hw.frame_refs(pfn) == 1
    assert hw.copyin(as_, 0x1000, 4) == b"data"
    assert hw.pte(as_, 2 * GIB) & (HW_R | HW_W) == RW
    assert hw.protect(as_, 0, 2 * GIB, HW_R) == Err.OK  # needs no table


def test_ids_of_spaces_are_given_out_again(hw: Machine) -> None:
    first, second = hw.as_create(0), hw.as_create(0)
    hw.as_destroy(first)
    hw.as_destroy(first)
    assert hw.as_clone(second, 0) == first
    assert hw.as_clone(99, 0) == hw.as_create(7) == hw.as_clone(first, 7) == 0
    assert hw.stat(Stat.SPACES) == 2
