"""The stack and the break."""

from types import SimpleNamespace

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.vm import PAGE, STACK_TOP, Fault, MapFlag, brk
from personae.core.vm.layout import STACK_GUARD, STACK_STEP

P, F = MapFlag.PRIVATE, MapFlag.FIXED
UNMAPPED = 7
SIZE = 132 << 10


class FakeProc(SimpleNamespace):
    def __init__(self, **kw):
        super().__init__(
            rctls=None, vmem_ctl=0, stk_ctl=8 << 20, datprot=3, kids=[], **kw
        )
        self.brkbase = self.brksize = self.stkbase = self.stksize = 0

    def children(self):
        return self.kids


def with_stack(world, **kw):
    proc = FakeProc(**kw)
    proc.as_ = as_ = world.space(proc)
    flags = P | F | MapFlag.GROWSDOWN
    as_.map(STACK_TOP - SIZE, SIZE, 3, flags, name=b"[stack]")
    proc.stkbase, proc.stksize = STACK_TOP, SIZE
    return proc, as_


def test_stack_grows_down_to_the_limit(world):
    proc, as_ = with_stack(world)
    low = STACK_TOP - (8 << 20)
    assert Fault.OK is as_.fault(STACK_TOP - SIZE - 1, 1, UNMAPPED)
    assert as_.segs[0].base % STACK_STEP == 0
    assert Fault.SEGV_MAPERR is as_.fault(low - 1, 1, UNMAPPED)
    assert Fault.OK is as_.fault(low, 1, UNMAPPED)
    assert 8 << 20 == proc.stksize == as_.size
    assert len(as_.segs) == 1
    as_.copyout(low, b"bottom")


def test_copyout_grows_the_stack(world):
    _, as_ = with_stack(world)
    as_.copyout(STACK_TOP - (1 << 20), bytes(1 << 20))
    with pytest.raises(KernelError) as e:
        as_.copyout(STACK_TOP - (9 << 20), b"x")
    assert e.value.errno == Errno.EFAULT


def test_limit_is_looked_up_at_each_growth(world):
    proc, as_ = with_stack(world)
    proc.stk_ctl = SIZE + PAGE
    assert Fault.OK is as_.fault(STACK_TOP - SIZE - 1, 1, UNMAPPED)
    assert Fault.SEGV_MAPERR is as_.fault(STACK_TOP - SIZE - PAGE - 1, 1, UNMAPPED)


def test_stack_keeps_away_from_its_neighbour(world):
    _, as_ = with_stack(world)
    other = STACK_TOP - (4 << 20)
    as_.map(other, PAGE, 3, P | F)
    lowest = other + PAGE + STACK_GUARD
    assert Fault.SEGV_MAPERR is as_.fault(lowest - 1, 1, UNMAPPED)
    assert Fault.OK is as_.fault(lowest, 1, UNMAPPED)
    assert lowest == as_.segs[1].base


def test_mappings_keep_away_from_the_stack(world):
    _, as_ = with_stack(world)
    near = STACK_TOP - SIZE - PAGE
    assert near != as_.map(near, PAGE, 3, P)


def test_only_stacks_grow(world):
    as_ = world.space()
    as_.map(0x1000_0000, PAGE, 3, P | F)
    assert Fault.SEGV_MAPERR is as_.fault(0x1000_0000 - 1, 1, UNMAPPED)


def test_growth_in_a_vfork_child_is_the_childs(world):
    """relvm copies the child's size back to the parent."""
    parent, as_ = with_stack(world)
    child = FakeProc()
    child.as_, child.stkbase, child.stksize = as_, STACK_TOP, SIZE
    parent.kids = [FakeProc(as_=None), child]
    as_.fault(STACK_TOP - (1 << 20), 1, UNMAPPED)
    assert (parent.stksize, child.stksize) == (SIZE, 1 << 20)


def test_unlimited_stack_still_leaves_room_for_mappings(world):
    proc = FakeProc()
    proc.stk_ctl = (1 << 64) - 1
    as_ = world.space(proc)
    assert as_.mmap_base == STACK_TOP - (128 << 20)


def test_break(world):
    proc = FakeProc()
    proc.as_ = as_ = world.space(proc)
    proc.brkbase = 0x20000
    assert brk(proc, 0x20010) == 0x20010
    as_.copyout(0x20000, b"heap")
    assert brk(proc, 0x25000) == 0x25000
    assert [(m.base, m.end, m.name) for m in as_.maps()] == [
        (0x20000, 0x25000, b"[heap]")
    ]
    assert as_.copyin(0x20000, 4) == b"heap"
    assert brk(proc, 0x20000) == 0x20000
    assert as_.segs == []
    assert brk(proc, 0x20010) == 0x20010
    assert bytes(4) == as_.copyin(0x20000, 4)


@pytest.mark.parametrize("new", [0, 0x1FFFF, (1 << 64) - 1, 1 << 38, (1 << 38) + 1])
def test_breaks_that_cannot_be(world, new):
    proc = FakeProc()
    proc.as_ = world.space(proc)
    proc.brkbase = 0x20000
    proc.vmem_ctl = 1 << 30
    brk(proc, 0x21000)
    with pytest.raises(KernelError) as e:
        brk(proc, new)
    assert e.value.errno == Errno.ENOMEM
    assert proc.brksize == 0x1000


def test_break_meets_a_mapping(world):
    proc = FakeProc()
    proc.as_ = world.space(proc)
    proc.brkbase = 0x20000
    proc.as_.map(0x30000, PAGE, 3, P | F)
    with pytest.raises(KernelError) as e:
        brk(proc, 0x30001)
    assert e.value.errno == Errno.ENOMEM
    assert brk(proc, 0x30000) == 0x30000
