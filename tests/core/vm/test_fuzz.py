"""Any sequence of any calls: errnos only, and list and page tables agree."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from personae.core.errno import Errno, KernelError
from personae.core.vm import MMAP_MIN_ADDR, PAGE, USER_TOP, MapFlag, brk
from personae.core.vm.layout import KEPT
from tests.core.vm.world import World

BASE = 0x4000_0000 - 16 * PAGE
NPAGES = 48
ERRNOS = {
    Errno.EINVAL,
    Errno.ENOMEM,
    Errno.EPERM,
    Errno.EEXIST,
    Errno.EFAULT,
    Errno.EOVERFLOW,
    Errno.ENAMETOOLONG,
}
NUMBERS = (
    st.integers(0, NPAGES).map(lambda n: BASE + n * PAGE)
    | st.integers(0, 20).map(lambda n: n * PAGE)
    | st.sampled_from([1, PAGE - 1, MMAP_MIN_ADDR, USER_TOP, USER_TOP - PAGE])
    | st.sampled_from([1 << 63, (1 << 64) - 1, (1 << 64) - PAGE, 1 << 32, 1 << 37])
    | st.integers(0, (1 << 64) - 1)
)
ADDRS = st.integers(0, NPAGES).map(lambda n: BASE + n * PAGE) | NUMBERS
SIZES = st.integers(0, 12 * PAGE) | NUMBERS
PROTS = st.integers(0, 8)
FLAGS = st.sampled_from(
    [
        MapFlag.PRIVATE | MapFlag.FIXED,
        MapFlag.SHARED | MapFlag.FIXED,
        MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.GROWSDOWN,
        MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.NOREPLACE,
        MapFlag.PRIVATE,
        MapFlag.SHARED,
        MapFlag(0),
    ]
)
KEEP = st.sampled_from([MapFlag.PURGE, MapFlag.WIPE, MapFlag(0)])
CALLS = st.one_of(
    st.tuples(st.just("map"), ADDRS, SIZES, PROTS, FLAGS),
    st.tuples(st.just("map_file"), ADDRS, SIZES, PROTS, FLAGS, SIZES),
    st.tuples(st.just("unmap"), ADDRS, SIZES),
    st.tuples(st.just("protect"), ADDRS, SIZES, PROTS),
    st.tuples(st.just("dontneed"), ADDRS, SIZES),
    st.tuples(st.just("remap"), ADDRS, SIZES, SIZES, st.integers(0, 4), ADDRS),
    st.tuples(st.just("set_flags"), ADDRS, SIZES, KEEP, KEEP),
    st.tuples(st.just("copyin"), ADDRS, st.integers(-1, 1 << 16) | NUMBERS),
    st.tuples(st.just("copyout"), ADDRS, st.integers(0, 9000).map(bytes)),
    st.tuples(st.just("copyinstr"), ADDRS, st.integers(0, 9000)),
    st.tuples(st.just("brk"), NUMBERS),
    st.tuples(st.just("fork")),
)


class Proc(SimpleNamespace):
    def children(self):
        return []


def check(world, as_):
    """The list is sorted and counted; each page is in it if the tables have it."""
    segs = as_.segs
    assert [s.base for s in segs] == as_._bases
    assert sum(s.size for s in segs) == as_.size
    for i, seg in enumerate(segs[1:]):
        assert segs[i].end <= seg.base
    for seg in segs:
        assert seg.size > 0
        assert MMAP_MIN_ADDR <= seg.base < seg.end <= USER_TOP
        assert (seg.base | seg.size | seg.off) % PAGE == 0
        assert seg.flags & ~KEPT == 0
    places = {BASE + i * PAGE for i in range(NPAGES)}
    for seg in segs:
        places |= {seg.base - PAGE, seg.base, seg.end - PAGE, seg.end}
    for addr in places:
        if addr < USER_TOP:
            assert (as_.find(addr) is None) == (world.hw.pte(as_.hwid, addr) == 0)


def call(world, as_, vnode, proc, name, args):
    if name == "map_file":
        addr, size, prot, flags, off = args
        return as_.map(addr, size, prot, flags, vnode, off)
    if name == "brk":
        return brk(proc, *args)
    if name == "fork":
        return world.fork(as_)
    return getattr(as_, name)(*args)


@given(
    calls=st.lists(CALLS, max_size=25),
    frames=st.sampled_from([20, 60, 4000]),
    limit=st.sampled_from([0, 1 << 30]),
)
@settings(max_examples=250, deadline=None, derandomize=True)
def test_no_call_surprises(calls, frames, limit):
    world = World()
    vnode = world.file(b"file" * 5000)
    acct = world.hw.acct_create(frames)
    proc = Proc(vmem_ctl=limit, stk_ctl=64 << 10, rctls=None, brkbase=BASE, brksize=0)
    proc.datprot, proc.stkbase = 3, 0
    proc.as_ = as_ = world.space(proc, acct)
    errnos = set()
    for name, *args in calls:
        try:
            call(world, as_, vnode, proc, name, args)
        except KernelError as e:
            errnos.add(e.errno)
    assert errnos <= ERRNOS
    for space in world.spaces:
        check(world, space)
    world.finish()
    assert world.hw.acct_used(acct) == 0
