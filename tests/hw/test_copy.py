"""Copies between host memory and address spaces."""

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
    Trap,
)

RW = HW_R | HW_W
BASE = 0x7000


@pytest.fixture
def as_(hw: Machine) -> int:
    space = hw.as_create(0)
    hw.map_zero(space, BASE, 4 * PAGE_SIZE, RW)
    return space


@pytest.mark.parametrize("n", [0, 1, 8, 4096, 4097, 16000])
@pytest.mark.parametrize("off", [0, 1, 4090])
def test_what_goes_out_comes_in(hw: Machine, as_: int, off: int, n: int) -> None:
    data = bytes(i * 7 % 256 for i in range(min(n, 4 * PAGE_SIZE - off)))
    assert hw.copyout(as_, BASE + off, data) == len(data)
    assert hw.copyin(as_, BASE + off, len(data)) == data


def test_any_buffer_goes_out(hw: Machine, as_: int) -> None:
    assert hw.copyout(as_, BASE, bytearray(b"abc")) == 3
    assert hw.copyout(as_, BASE + 3, memoryview(b"defg")[1:]) == 3
    assert hw.copyin(as_, BASE, 7) == b"abcefg\0"


def test_a_copy_stops_where_the_mapping_ends(hw: Machine, as_: int) -> None:
    end = BASE + 4 * PAGE_SIZE
    assert hw.copyout(as_, end - 10, bytes(100)) == 10
    assert (hw.fault_addr(), hw.fault_trap()) == (end, Trap.UNMAPPED)
    assert hw.copyin(as_, end - 5, 100) == bytes(5)
    assert hw.copyin(as_, BASE - 1, 2) == b""
    assert hw.fault_addr() == BASE - 1


@pytest.mark.parametrize("va", [VA_TOP, VA_TOP - 1, 1 << 63, (1 << 64) - 4])
def test_addresses_outside_the_user_half_are_unmapped(
    hw: Machine, as_: int, va: int
) -> None:
    assert hw.copyin(as_, va, 8) == b""
    assert (hw.fault_addr(), hw.fault_trap()) == (va, Trap.UNMAPPED)
    assert hw.copyout(as_, va, b"12345678") == 0


def test_the_last_page_of_the_user_half(hw: Machine, as_: int) -> None:
    assert hw.map_zero(as_, VA_TOP - PAGE_SIZE, PAGE_SIZE, RW) == Err.OK
    assert hw.copyout(as_, VA_TOP - 4, b"123456") == 4
    assert hw.fault_addr() == VA_TOP


@pytest.mark.parametrize(
    ("prot", "load", "store"),
    [(0, 0, 0), (HW_R, 1, 0), (HW_W, 1, 1), (RW, 1, 1), (HW_X, 0, 0), (HW_R | 8, 1, 0)],
)
def test_protections(hw: Machine, as_: int, prot: int, load: int, store: int) -> None:
    hw.map_zero(as_, 0, PAGE_SIZE, prot)
    hw.map_ask(as_, PAGE_SIZE, PAGE_SIZE, prot, MAP_PRIVATE)
    assert len(hw.copyin(as_, 0, 1)) == load
    assert load or hw.fault_trap() == Trap.PROT
    assert hw.copyout(as_, 0, b"x") == store
    assert store or hw.fault_trap() == Trap.PROT
    hw.copyin(as_, PAGE_SIZE, 1)
    assert hw.fault_trap() == (Trap.ASK if load else Trap.PROT)
    hw.copyout(as_, PAGE_SIZE, b"x")
    assert hw.fault_trap() == (Trap.ASK if store else Trap.PROT)


def test_strings(hw: Machine, as_: int) -> None:
    hw.copyout(as_, BASE + 4090, b"0123456789\0junk")
    assert hw.copyinstr(as_, BASE + 4090, 100) == b"0123456789"
    assert hw.copyinstr(as_, BASE + 4090, 11) == b"0123456789"
    assert hw.copyinstr(as_, BASE + 4090, 10) == Err.E2BIG
    assert hw.copyinstr(as_, BASE + 4100, 5) == b""
    assert hw.copyinstr(as_, BASE, 0) == Err.E2BIG


def test_a_string_may_end_just_before_a_hole(hw: Machine, as_: int) -> None:
    end = BASE + 4 * PAGE_SIZE
    hw.copyout(as_, end - 3, b"ab\0")
    assert hw.copyinstr(as_, end - 3, 8192) == b"ab"
    hw.copyout(as_, end - 1, b"c")
    assert hw.copyinstr(as_, end - 3, 8192) == Err.EFAULT
    assert (hw.fault_addr(), hw.fault_trap()) == (end, Trap.UNMAPPED)


def test_a_long_string(hw: Machine, as_: int) -> None:
    hw.copyout(as_, BASE, b"a" * 9000)
    assert hw.copyinstr(as_, BASE, 20000) == b"a" * 9000
    assert hw.copyinstr(as_, BASE, 9000) == Err.E2BIG


def test_a_space_that_is_not_there(hw: Machine) -> None:
    for as_ in (0, 1, 1 << 31):
        assert hw.copyin(as_, 0x1000, 8) == b""
        assert hw.fault_trap() == Trap.UNMAPPED
        assert hw.copyout(as_, 0x1000, b"x") == Err.EINVAL


def test_stores_to_shared_frames_are_seen_and_private_ones_not(hw: Machine) -> None:
    pfn = hw.frame_alloc(0)
    spaces = [hw.as_create(0) for _ in range(3)]
    for space, flags in zip(spaces, (MAP_SHARED, MAP_SHARED, MAP_PRIVATE), strict=True):
        assert hw.map_frames(space, 0x1000, [pfn], RW, flags) == Err.OK
    hw.copyout(spaces[0], 0x1000, b"one")
    assert [hw.copyin(s, 0x1000, 3) for s in spaces] == [b"one"] * 3
    hw.copyout(spaces[2], 0x1000, b"two")
    hw.frame_write(pfn, 3, b"!")
    assert [hw.copyin(s, 0x1000, 4) for s in spaces] == [b"one!", b"one!", b"two\0"]
