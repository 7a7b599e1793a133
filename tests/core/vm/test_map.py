"""Mapping, unmapping, protecting and moving: results, errors, places."""

from types import SimpleNamespace

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.vm import PAGE, USER_TOP, Fault, MapFlag, RemapFlag

P, S, F = MapFlag.PRIVATE, MapFlag.SHARED, MapFlag.FIXED
BASE = 0x1000_0000
HUGE = (1 << 64) - 1


def shape(as_):
    return [(m.base, m.end, m.prot) for m in as_.maps()]


def errno(call, *args, **kw):
    with pytest.raises(KernelError) as e:
        call(*args, **kw)
    return e.value.errno


def test_places_go_down_from_below_the_stack(world):
    as_ = world.space()
    first = as_.map(0, PAGE, 3, P)
    assert as_.mmap_base - PAGE == first
    assert first - 2 * PAGE == as_.map(0, PAGE + 1, 1, P)
    assert len(as_.segs) == 2


def test_a_hole_is_used_again(world):
    as_ = world.space()
    places = [as_.map(0, PAGE, 1 + i % 2, P) for i in range(6)]
    as_.unmap(places[2], PAGE)
    assert places[2] == as_.map(0, PAGE, 4, P)
    as_.unmap(places[2], 2 * PAGE)
    assert places[2] == as_.map(0, 2 * PAGE, 7, P)


def test_a_wish_is_granted_if_free(world):
    as_ = world.space()
    assert as_.map(BASE, PAGE, 3, P) == BASE
    assert as_.map(BASE, PAGE, 3, P) != BASE
    assert as_.map(BASE + 1, PAGE, 3, P) == BASE + PAGE


def test_neighbours_alike_become_one(world):
    as_ = world.space()
    as_.map(BASE, PAGE, 3, P | F)
    as_.map(BASE + 2 * PAGE, PAGE, 3, P | F)
    as_.map(BASE + PAGE, PAGE, 3, P | F)
    assert shape(as_) == [(BASE, BASE + 3 * PAGE, 3)]
    as_.protect(BASE + PAGE, PAGE, 1)
    assert [s.prot for s in as_.segs] == [3, 1, 3]
    as_.protect(BASE + PAGE, PAGE, 3)
    assert shape(as_) == [(BASE, BASE + 3 * PAGE, 3)]
    assert as_.size == 3 * PAGE


def test_unmap_in_the_middle(world):
    as_ = world.space()
    as_.map(BASE, 5 * PAGE, 3, P | F)
    as_.copyout(BASE, b"x" * 5 * PAGE)
    as_.unmap(BASE + PAGE, 3 * PAGE)
    assert shape(as_) == [(BASE, BASE + PAGE, 3), (BASE + 4 * PAGE, BASE + 5 * PAGE, 3)]
    assert as_.resident() == 2
    assert errno(as_.copyin, BASE + PAGE, 1) == Errno.EFAULT
    as_.unmap(BASE + 100 * PAGE, PAGE)


BAD_MAPS = [
    ((0, 0, 3, P), Errno.EINVAL),
    ((0, HUGE, 3, P), Errno.ENOMEM),
    ((0, 1 << 63, 3, P), Errno.ENOMEM),
    ((0, USER_TOP, 3, P), Errno.ENOMEM),
    ((BASE + 1, PAGE, 3, P | F), Errno.EINVAL),
    ((HUGE & -PAGE, PAGE, 3, P | F), Errno.ENOMEM),
    ((USER_TOP - PAGE, 2 * PAGE, 3, P | F), Errno.ENOMEM),
    ((0, PAGE, 3, P | F), Errno.EPERM),
    ((BASE, PAGE, 8, P | F), Errno.EINVAL),
    ((BASE, PAGE, 3, F), Errno.EINVAL),
    ((BASE, PAGE, 3, F | P | S), Errno.EINVAL),
    ((BASE, PAGE, 3, P, None, 1), Errno.EINVAL),
    ((BASE, PAGE, 3, P, None, 1 << 63), Errno.EOVERFLOW),
]


@pytest.mark.parametrize(("args", "expected"), BAD_MAPS)
def test_bad_maps(world, args, expected):
    as_ = world.space()
    assert expected == errno(as_.map, *args)
    assert as_.segs == []
    assert as_.size == 0


@pytest.mark.parametrize("addr", [1, HUGE, HUGE & -PAGE, USER_TOP, 0])
@pytest.mark.parametrize("size", [1, PAGE, HUGE, 1 << 63, USER_TOP])
def test_hostile_ranges(world, addr, size):
    """Whatever the numbers, a guest gets an errno and nothing moves."""
    as_ = world.space()
    as_.map(BASE, PAGE, 3, P | F)
    got = set()
    calls = [
        lambda: as_.unmap(addr, size),
        lambda: as_.protect(addr, size, 1),
        lambda: as_.dontneed(addr, size),
        lambda: as_.sync(addr, size),
        lambda: as_.mincore(addr, size),
        lambda: as_.remap(addr, size, PAGE, 1),
        lambda: as_.remap(BASE, PAGE, size, 3, addr),
        lambda: as_.set_flags(addr, size, MapFlag.PURGE, MapFlag(0)),
    ]
    for call in calls[1:] if (addr, size) == (0, USER_TOP) else calls:
        try:
            call()
        except KernelError as e:
            got.add(e.errno)
    assert got <= {Errno.EINVAL, Errno.ENOMEM, Errno.EFAULT, Errno.EPERM}
    assert as_.size >= PAGE


def test_unmap_of_nothing_is_einval(world):
    assert errno(world.space().unmap, BASE, 0) == Errno.EINVAL


def test_noreplace(world):
    as_ = world.space()
    as_.map(BASE, PAGE, 3, P | F)
    as_.copyout(BASE, b"old")
    flags = P | F | MapFlag.NOREPLACE
    assert errno(as_.map, BASE, 2 * PAGE, 3, flags) == Errno.EEXIST
    as_.map(BASE, 2 * PAGE, 3, P | F)
    assert bytes(3) == as_.copyin(BASE, 3)


def test_address_space_limit(world):
    proc = SimpleNamespace(vmem_ctl=4 * PAGE, stk_ctl=0)
    as_ = world.space(proc)
    as_.map(BASE, 4 * PAGE, 3, P | F)
    assert errno(as_.map, 0, PAGE, 3, P) == Errno.ENOMEM
    as_.map(BASE, 2 * PAGE, 1, P | F)
    assert errno(as_.remap, BASE, PAGE, 2 * PAGE, 1) == Errno.ENOMEM


def test_number_of_segments_is_limited(world, monkeypatch):
    monkeypatch.setattr("personae.core.vm.seglist.MAX_SEGS", 3)
    as_ = world.space()
    as_.map(BASE, 3 * PAGE, 3, P | F)
    as_.protect(BASE + PAGE, PAGE, 1)
    before = shape(as_)
    assert errno(as_.map, 0, PAGE, 3, P) == Errno.ENOMEM
    assert before == shape(as_)
    as_.unmap(BASE + PAGE, PAGE)
    as_.unmap(BASE, PAGE)
    assert len(as_.segs) == 1


def test_protect_needs_all_of_the_range(world):
    as_ = world.space()
    as_.map(BASE, PAGE, 3, P | F)
    as_.map(BASE + 2 * PAGE, PAGE, 3, P | F)
    assert errno(as_.protect, BASE, 3 * PAGE, 1) == Errno.ENOMEM
    assert [s.prot for s in as_.segs] == [3, 3]
    as_.protect(BASE, 0, 1)


def test_maxprot_of_a_shared_file(world):
    as_ = world.space()
    vnode = world.file(b"x" * PAGE)
    assert errno(as_.map, 0, PAGE, 3, S, vnode, maxprot=5) == Errno.EACCES
    at = as_.map(0, PAGE, 1, S, vnode, maxprot=5)
    assert errno(as_.protect, at, PAGE, 3) == Errno.EACCES
    as_.protect(at, PAGE, 5)


def test_fault_kinds(world):
    as_ = world.space()
    as_.map(BASE, PAGE, 1, P | F)
    assert Fault.SEGV_MAPERR is as_.fault(BASE + PAGE, 0, 7)
    assert Fault.SEGV_ACCERR is as_.fault(BASE, 1, 6)
    assert Fault.NOMEM is as_.fault(BASE, 0, 8)


# ---- remap ----


def test_remap_shrinks_and_grows_in_place(world):
    as_ = world.space()
    as_.map(BASE, 4 * PAGE, 3, P | F)
    as_.copyout(BASE, b"abc")
    assert as_.remap(BASE, 4 * PAGE, PAGE, 0) == BASE
    assert as_.size == PAGE
    assert as_.remap(BASE, PAGE, 8 * PAGE, 0) == BASE
    assert b"abc" + bytes(7 * PAGE) == as_.copyin(BASE, 7 * PAGE + 3)


def test_remap_moves_with_its_pages(world):
    as_ = world.space()
    as_.map(BASE, 2 * PAGE, 3, P | F)
    as_.map(BASE + 2 * PAGE, PAGE, 1, P | F)
    as_.copyout(BASE + PAGE, b"second")
    assert errno(as_.remap, BASE + PAGE, PAGE, 4 * PAGE, 0) == Errno.ENOMEM
    new = as_.remap(BASE + PAGE, PAGE, 4 * PAGE, RemapFlag.MAYMOVE)
    assert as_.copyin(new, 6) == b"second"
    assert bytes(8) == as_.copyin(new + 4 * PAGE - 8, 8)
    assert as_.find(BASE + PAGE) is None
    assert as_.size == 6 * PAGE


def test_remap_to_a_fixed_place(world):
    as_ = world.space()
    as_.map(BASE, 2 * PAGE, 3, P | F)
    as_.copyout(BASE, b"one")
    to = BASE + 0x10000
    as_.map(to, 4 * PAGE, 3, P | F)
    flags = RemapFlag.MAYMOVE | RemapFlag.FIXED
    assert errno(as_.remap, BASE, PAGE, PAGE, RemapFlag.FIXED, to) == Errno.EINVAL
    assert errno(as_.remap, BASE, PAGE, PAGE, flags, to + 1) == Errno.EINVAL
    assert errno(as_.remap, BASE, 2 * PAGE, PAGE, flags, BASE) == Errno.EINVAL
    assert to == as_.remap(BASE, 2 * PAGE, PAGE, flags, to)
    assert as_.copyin(to, 3) == b"one"
    assert as_.size == 4 * PAGE


def test_remap_errors(world):
    as_ = world.space()
    as_.map(BASE, PAGE, 3, P | F)
    assert errno(as_.remap, BASE + PAGE, PAGE, 2 * PAGE, 1) == Errno.EFAULT
    assert errno(as_.remap, BASE, 2 * PAGE, 3 * PAGE, 1) == Errno.EFAULT
    assert errno(as_.remap, BASE, PAGE, 0, 1) == Errno.EINVAL
    assert errno(as_.remap, BASE, 0, PAGE, 1) == Errno.EINVAL
    assert errno(as_.remap, BASE, PAGE, PAGE, 4) == Errno.EINVAL


def test_remap_of_a_file_keeps_offsets(world):
    as_ = world.space()
    vnode = world.file(b"".join(bytes([i]) * PAGE for i in range(8)))
    for share in (P, S):
        at = as_.map(0, 3 * PAGE, 1, share, vnode, 2 * PAGE)
        new = as_.remap(at + PAGE, 2 * PAGE, 4 * PAGE, RemapFlag.MAYMOVE)
        got = [as_.copyin(new + i * PAGE, 1)[0] for i in range(4)]
        assert got == [3, 4, 5, 6]
        assert as_.copyin(at, 1)[0] == 2


# ---- odds and ends ----


def test_mincore_and_object_at(world):
    as_ = world.space()
    as_.map(BASE, 3 * PAGE, 3, P | F)
    as_.copyout(BASE + PAGE, b"x")
    assert as_.mincore(BASE, 3 * PAGE) == b"\0\1\0"
    assert errno(as_.mincore, BASE, 4 * PAGE) == Errno.ENOMEM
    assert (as_, BASE + 8) == as_.object_at(BASE + 8)
    at = as_.map(0, 2 * PAGE, 3, S)
    amp = as_.find(at).amp
    assert (amp, PAGE + 4) == as_.object_at(at + PAGE + 4)
    assert errno(as_.object_at, BASE + 4 * PAGE) == Errno.EFAULT


def test_many_mappings_cost_one_step_each(world):
    """The search for a place begins where the last one ended."""
    as_ = world.space()
    for i in range(3000):
        as_.map(0, PAGE, 1 + i % 2, P)
    assert len(as_.segs) == 3000
    assert as_.mmap_base - 3000 * PAGE == as_.segs[0].base
    steps = list(as_._holes_down(as_._scan))
    assert len(steps) == 1
