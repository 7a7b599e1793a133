"""copyin, copyout and strings at borders of pages, mappings and sense."""

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.vm import PAGE, USER_TOP, MapFlag

P, S, F = MapFlag.PRIVATE, MapFlag.SHARED, MapFlag.FIXED
BASE = 0x1000_0000


def errno(call, *args, **kw):
    with pytest.raises(KernelError) as e:
        call(*args, **kw)
    return e.value.errno


@pytest.fixture
def as_(world):
    """Two pages, a hole, a page that may only be read."""
    as_ = world.space()
    as_.map(BASE, 2 * PAGE, 3, P | F)
    as_.map(BASE + 3 * PAGE, PAGE, 1, P | F)
    return as_


@pytest.mark.parametrize("at", [0, 1, PAGE - 3, PAGE, 2 * PAGE - 6])
def test_round_trip(as_, at):
    as_.copyout(BASE + at, b"abcdef")
    assert as_.copyin(BASE + at, 6) == b"abcdef"


def test_nothing_is_always_fine(as_):
    assert as_.copyin(0, 0) == b""
    as_.copyout(0, b"")


def test_a_copy_stops_at_the_border(as_):
    end = BASE + 2 * PAGE
    as_.copyout(end - 4, b"tail")
    assert as_.copyin(end - 4, 4) == b"tail"
    assert errno(as_.copyin, end - 4, 5) == Errno.EFAULT
    assert errno(as_.copyout, end - 2, b"abcd") == Errno.EFAULT
    assert as_.copyin(end - 4, 4) == b"taab"


def test_read_only_memory(as_):
    assert bytes(8) == as_.copyin(BASE + 3 * PAGE, 8)
    assert errno(as_.copyout, BASE + 3 * PAGE, b"x") == Errno.EFAULT


@pytest.mark.parametrize(
    ("addr", "n"),
    [
        (BASE, 1 << 40),
        (BASE, (1 << 31) + 1),
        (BASE, 1 << 31),
        (BASE, -1),
        ((1 << 64) - 4, 8),
        ((1 << 64) - 4, 4),
        (USER_TOP - 4, 8),
        (USER_TOP - 4, 4),
        (1 << 63, 8),
        (0, 1),
    ],
)
def test_hostile_copies(as_, addr, n):
    assert errno(as_.copyin, addr, n) == Errno.EFAULT
    if 0 < n < 100:
        assert errno(as_.copyout, addr, b"x" * n) == Errno.EFAULT


def test_long_copy(world):
    as_ = world.space()
    as_.map(BASE, 8 << 20, 3, P | F)
    data = bytes(range(256)) * (20000)
    as_.copyout(BASE + 5, bytearray(data))
    assert data == as_.copyin(BASE + 5, len(data))


def test_strings(as_):
    end = BASE + 2 * PAGE
    as_.copyout(BASE + PAGE - 3, b"across\0")
    assert as_.copyinstr(BASE + PAGE - 3) == b"across"
    as_.copyout(end - 4, b"end\0")
    assert as_.copyinstr(end - 4) == b"end"
    assert as_.copyinstr(end - 1) == b""
    as_.copyout(end - 4, b"ends")
    assert errno(as_.copyinstr, end - 4) == Errno.EFAULT
    assert errno(as_.copyinstr, (1 << 64) - 1) == Errno.EFAULT
    assert errno(as_.copyinstr, USER_TOP) == Errno.EFAULT
    assert errno(as_.copyinstr, 0) == Errno.EFAULT


def test_string_limit(as_):
    as_.copyout(BASE, b"x" * 100 + b"\0")
    assert as_.copyinstr(BASE, 101) == b"x" * 100
    assert errno(as_.copyinstr, BASE, 100) == Errno.ENAMETOOLONG


def test_structs(as_):
    as_.store(BASE, "<IQ", 7, 1 << 40)
    assert as_.load(BASE, "<IQ") == (7, 1 << 40)


def test_copies_ask_for_pages(world):
    """A copy goes on through pages that the kernel has to supply."""
    as_ = world.space()
    at = as_.map(0, 40 * PAGE, 3, S)
    data = b"0123456789abcdef" * 2048
    as_.copyout(at + 100, data)
    assert data == as_.copyin(at + 100, len(data))
    vnode = world.file(b"line\n" * 2000 + b"\0")
    at = as_.map(0, 3 * PAGE, 1, S, vnode)
    assert as_.copyinstr(at, 20000) == b"line\n" * 2000


def test_out_of_memory_is_enomem(world):
    acct = world.hw.acct_create(12)
    as_ = world.space(acct=acct)
    at = as_.map(0, 64 * PAGE, 3, P)
    assert errno(as_.copyout, at, bytes(64 * PAGE)) == Errno.ENOMEM
    at = as_.map(0, 64 * PAGE, 3, S)
    assert errno(as_.copyin, at, 64 * PAGE) == Errno.ENOMEM
