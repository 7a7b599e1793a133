"""Machines as bytes: round trips, and images that are damaged or hostile."""

import copy
import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.hw import (
    HW_R,
    HW_W,
    HW_X,
    MAP_PRIVATE,
    MAP_SHARED,
    PAGE_SIZE,
    PC,
    Machine,
    Stat,
)

RW = HW_R | HW_W
HEAD = struct.Struct("<31Q")  # struct image in hw/src/save.c
MASK = (1 << 64) - 1


def small_machine() -> Machine:
    """A machine with one of everything, and two spaces that share tables."""
    hw = Machine(40 * PAGE_SIZE, 2)
    acct = hw.acct_create(30)
    parent = hw.as_create(acct)
    hw.map_zero(parent, 0x10000, 8 * PAGE_SIZE, RW)
    hw.copyout(parent, 0x10000, b"text " * 1000)
    pfn = hw.frame_alloc(acct)
    hw.map_frames(parent, 0x20000, [pfn, 0], RW | HW_X, MAP_SHARED)
    hw.map_frames(parent, 0x22000, [pfn, pfn], RW, MAP_PRIVATE)
    hw.protect(parent, 0x11000, PAGE_SIZE, 0)
    child = hw.as_clone(parent, acct)
    hw.copyout(child, 0x10000, b"child")
    hw.as_clone(child, 0)
    for _ in range(3):
        hw.ctx_view(hw.ctx_alloc())[PC] = 0x1234
    hw.ctx_free(2)
    hw.frame_rele(hw.frame_alloc(0))
    hw.log(b"a record")
    hw.copyin(parent, 0x21000, 1)
    return hw


@pytest.fixture(scope="module")
def image() -> bytes:
    return small_machine().save()


def checksum(body: bytes) -> int:
    h = 0xCBF29CE484222325
    for (word,) in struct.iter_unpack("<Q", body):
        h = ((h ^ word) * 0x9E3779B97F4A7C15) & MASK
        h ^= h >> 29
    return h


def sealed(image: bytes) -> bytes:
    return image[:8] + struct.pack("<Q", checksum(image[16:])) + image[16:]


def refs_offset(image: bytes) -> int:
    naccts, nspaces, nctxs = HEAD.unpack_from(image)[8:11]
    return HEAD.size + 16 * (naccts + nspaces) + 81 * 8 * nctxs


def test_a_loaded_machine_is_the_saved_one(image: bytes) -> None:
    again = Machine.load(image)
    assert again is not None
    assert again.save() == image
    assert again.ctx_view(1)[PC] == 0x1234
    assert again.copyin(1, 0x10000, 9) == b"text text"
    assert again.copyin(2, 0x10000, 9) == b"childtext"
    assert again.log_take() == b"a record"


def drive(hw: Machine) -> list[object]:
    """Do things whose outcome depends on all of the machine's state."""
    seen: list[object] = [hw.fault_addr(), hw.fault_trap()]
    for as_ in (1, 2, 3):
        seen.append(hw.copyout(as_, 0x12000, b"more"))
        seen.append(hw.pte(as_, 0x12000))
        seen.append(hw.copyout(as_, 0x22000, b"priv"))
        seen.append(hw.pte_frame(as_, 0x22000))
    seen += [hw.ctx_alloc(), hw.as_create(1), hw.acct_create(5), hw.frame_alloc(0)]
    hw.as_destroy(2)
    seen += [hw.frame_alloc(0), hw.as_create(0)]
    seen += [hw.stat(s) for s in Stat]
    return seen


def test_a_loaded_machine_goes_on_like_the_original(image: bytes) -> None:
    original = small_machine()
    copies = [
        original.clone(),
        Machine.load(image),
        pickle.loads(pickle.dumps(original)),
    ]
    copies.append(copy.deepcopy(original))
    expected = drive(original)
    for twin in copies:
        assert twin is not None
        assert expected == drive(twin)
        assert twin.save() == original.save()


def test_a_clone_is_independent() -> None:
    hw = small_machine()
    twin = hw.clone()
    hw.copyout(1, 0x10000, b"changed")
    assert twin.copyin(1, 0x10000, 4) == b"text"
    del hw
    assert twin.copyin(2, 0x10000, 5) == b"child"


def test_only_used_frames_are_written() -> None:
    hw = Machine(1 << 30)
    empty = len(hw.save())
    as_ = hw.as_create(0)
    hw.map_zero(as_, 0, 100 * PAGE_SIZE, RW)
    hw.copyout(as_, 0, bytes(100 * PAGE_SIZE))
    assert len(hw.save()) - empty <= 103 * (PAGE_SIZE + 8)
    hw.as_destroy(as_)
    assert len(hw.save()) - empty <= 103 * 16


@given(st.data())
def test_a_truncated_image_is_refused(image: bytes, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(image) - 1))
    assert Machine.load(image[:n]) is None
    assert Machine.load(image + bytes(n % 64 + 1)) is None


@given(st.data())
def test_a_flipped_bit_is_noticed(image: bytes, data: st.DataObject) -> None:
    bad = bytearray(image)
    bad[data.draw(st.integers(0, len(image) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert Machine.load(bytes(bad)) is None


@given(st.data())
def test_an_image_with_a_forged_checksum_does_no_harm(
    image: bytes, data: st.DataObject
) -> None:
    """Wrong values may be loaded; what is loaded must be safe to use."""
    bad = bytearray(image)
    head_words = refs_offset(image) // 8
    for _ in range(data.draw(st.integers(1, 3))):
        top = data.draw(st.sampled_from([31, head_words, len(image) // 8])) - 1
        at = 8 * data.draw(st.integers(2, top))
        (old,) = struct.unpack_from("<Q", bad, at)
        word = data.draw(st.integers(0, 63).map(lambda b, old=old: old ^ 1 << b))
        struct.pack_into("<Q", bad, at, word)
    hw = Machine.load(sealed(bytes(bad)))
    if hw is not None:
        drive(hw)
        for as_ in range(10):
            hw.as_destroy(as_)
        hw.save()


@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_reference_count_of_a_table_is_refused(
    image: bytes, change: int
) -> None:
    hw = Machine.load(image)
    assert hw is not None
    bad = bytearray(image)
    at = refs_offset(image) + 4 * hw.as_root(1)
    bad[at] += change
    assert Machine.load(sealed(bytes(bad))) is None


def test_too_few_references_of_a_page_are_refused(image: bytes) -> None:
    hw = Machine.load(image)
    assert hw is not None
    pfn = hw.pte_frame(1, 0x20000)
    bad = bytearray(image)
    at = refs_offset(image) + 4 * pfn
    assert bad[at] > 2
    bad[at] = 1
    assert Machine.load(sealed(bytes(bad))) is None


def test_a_space_below_a_page_is_refused(image: bytes) -> None:
    """A root that is a data page would let a guest write page tables."""
    hw = Machine.load(image)
    assert hw is not None
    pfn = hw.pte_frame(2, 0x10000)
    assert hw.frame_refs(pfn) == 1
    bad = bytearray(image)
    naccts = HEAD.unpack_from(image)[8]
    struct.pack_into("<Q", bad, HEAD.size + 16 * naccts + 16 * 3, pfn)
    assert Machine.load(sealed(bytes(bad))) is None
