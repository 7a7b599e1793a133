"""Mappings of files: private and shared, ends of files, and files that refuse."""

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.vm import PAGE, Fault, MapFlag
from personae.core.vm.layout import AROUND, EAGER_PAGES

P, S = MapFlag.PRIVATE, MapFlag.SHARED
ASK = 5


def numbered(n):
    return b"".join(i.to_bytes(4, "little") * (PAGE // 4) for i in range(n))


def test_private_stores_stay_private(world):
    vnode = world.file(numbered(3))
    a, b = world.space(), world.space()
    at = a.map(0, 3 * PAGE, 3, P, vnode)
    assert at == b.map(at, 3 * PAGE, 3, P, vnode)
    a.copyout(at + PAGE, b"mine")
    assert a.copyin(at + PAGE, 4) == b"mine"
    assert b.copyin(at + PAGE, 4) == b"\1\0\0\0"
    assert vnode.v_count == 2
    a.dontneed(at, 3 * PAGE)
    assert a.copyin(at + PAGE, 4) == b"\1\0\0\0"


def test_private_pages_come_at_once(world):
    as_ = world.space()
    as_.map(0, 3 * PAGE, 1, P, world.file(numbered(3)))
    assert as_.resident() == 3


def test_shared_stores_are_the_files(world):
    vnode = world.file(numbered(3))
    a, b = world.space(), world.space()
    at = a.map(0, 3 * PAGE, 3, S, vnode)
    other = b.map(0, PAGE, 1, S, vnode, PAGE)
    a.copyout(at + PAGE, b"ours")
    assert b.copyin(other, 4) == b"ours"
    assert world.hw.frame_read(vnode.getpage(1), 0, 4) == b"ours"


def test_end_of_file(world):
    """Bytes behind the end in its last page are 0; whole pages are SIGBUS."""
    vnode = world.file(b"x" * (PAGE + 10))
    for share in (P, S):
        as_ = world.space()
        at = as_.map(0, 4 * PAGE, 1, share, vnode)
        assert b"x" + bytes(PAGE - 10) == as_.copyin(at + PAGE + 9, PAGE - 9)
        assert Fault.BUS_ADRERR is as_.fault(at + 2 * PAGE, 0, ASK)
        with pytest.raises(KernelError) as e:
            as_.copyin(at + 2 * PAGE, 1)
        assert e.value.errno == Errno.EFAULT


def test_a_file_that_grows_later(world):
    vnode = world.file(b"x" * PAGE)
    as_ = world.space()
    at = as_.map(0, 2 * PAGE, 1, P, vnode)
    assert Fault.BUS_ADRERR is as_.fault(at + PAGE, 0, ASK)
    vnode.data += b"y" * PAGE
    vnode.size += PAGE
    assert as_.copyin(at + PAGE, 1) == b"y"


def test_large_mappings_fill_blocks(world):
    n = EAGER_PAGES + 1
    vnode = world.file(numbered(40))
    as_ = world.space()
    at = as_.map(0, n * PAGE, 3, P, vnode)
    assert as_.resident() == 0
    as_.copyout(at + 4 * PAGE, b"mine")
    assert as_.resident() == AROUND or as_.resident() <= AROUND
    assert (3).to_bytes(4, "little") == as_.copyin(at + 3 * PAGE, 4)
    # a second fault in a block leaves private copies alone
    assert as_.copyin(at + 4 * PAGE, 4) == b"mine"
    for i in range(40):
        want = b"mine" if i == 4 else i.to_bytes(4, "little")
        assert want == as_.copyin(at + i * PAGE, 4)


def test_a_file_without_pages(world):
    vnode = world.file(b"x", mappable=False)
    as_ = world.space()
    with pytest.raises(KernelError) as e:
        as_.map(0, PAGE, 1, P, vnode)
    assert e.value.errno == Errno.ENODEV
    assert as_.segs == []


def test_a_shared_file_without_pages(world):
    vnode = world.file(b"x", mappable=False)
    as_ = world.space()
    with pytest.raises(KernelError) as e:
        as_.map(0, PAGE, 1, S, vnode)
    assert e.value.errno == Errno.ENODEV
    assert as_.segs == []


def test_protect_of_a_private_file(world):
    vnode = world.file(numbered(1))
    as_ = world.space()
    at = as_.map(0, PAGE, 1, P, vnode)
    as_.protect(at, PAGE, 3)
    as_.copyout(at, b"mine")
    as_.protect(at, PAGE, 0)
    assert Fault.SEGV_ACCERR is as_.fault(at, 0, 6)
    as_.protect(at, PAGE, 1)
    assert as_.copyin(at, 4) == b"mine"
    assert bytes(4) == world.hw.frame_read(vnode.getpage(0), 0, 4)


def test_holds_follow_the_segments(world):
    vnode = world.file(numbered(6))
    as_ = world.space()
    at = as_.map(0, 6 * PAGE, 1, P, vnode)
    as_.unmap(at + PAGE, PAGE)
    as_.unmap(at + 3 * PAGE, PAGE)
    assert 3 == vnode.v_count == len(as_.segs)
    assert (4).to_bytes(4, "little") == as_.copyin(at + 4 * PAGE, 4)
    as_.unmap(at, 6 * PAGE)
    assert vnode.v_count == 0
