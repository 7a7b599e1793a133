"""The choice of places, against a search that remembers nothing; and pickling."""

import pickle
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from personae.core.vm import PAGE, STACK_TOP, MapFlag, as_free
from personae.hw import Machine
from tests.core.vm.world import World

P, S = MapFlag.PRIVATE, MapFlag.SHARED
OPS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 5), st.integers(0, 30), st.booleans()),
    max_size=60,
)


def highest_hole(as_, size):
    """The highest free place below mmap_base, from the list of segments alone."""
    top = as_.mmap_base
    for seg in reversed(as_.segs):
        if top - seg.end >= size:
            break
        top = min(top, seg.base)
    return top - size


@given(ops=OPS)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_highest_hole_is_taken(ops):
    world = World()
    as_ = world.space()
    for mapping, n, page, prot in ops:
        if mapping:
            expected = highest_hole(as_, n * PAGE)
            assert as_.map(0, n * PAGE, int(prot), P) == expected
        else:
            as_.unmap(as_.mmap_base - (page + n) * PAGE, n * PAGE)
    world.finish()


def test_fixed_mappings_make_holes_too(make_world):
    world = make_world()
    as_ = world.space()
    top = as_.mmap_base
    assert as_.map(0, PAGE, 1, P) == top - PAGE
    as_.map(top - 4 * PAGE, PAGE, 1, P | MapFlag.FIXED)
    assert as_.map(0, 3 * PAGE, 1, P) == top - 7 * PAGE
    assert as_.map(0, 2 * PAGE, 1, P) == top - 3 * PAGE
    world.finish()


def test_a_space_can_be_pickled(world):
    """Save and restore of a machine: segments, shared maps and contents come back."""
    as_ = world.space()
    vnode = world.file(b"file" * 3000)
    zero = as_.map(0, 2 * PAGE, 3, P)
    file = as_.map(0, 3 * PAGE, 3, P, vnode)
    anon = as_.map(0, 2 * PAGE, 3, S)
    as_.map(
        STACK_TOP - PAGE,
        PAGE,
        3,
        P | MapFlag.FIXED | MapFlag.GROWSDOWN,
        name=b"[stack]",
    )
    child = world.fork(as_)
    as_.copyout(zero, b"zero")
    as_.copyout(anon, b"anon")

    kernel, one, two = pickle.loads(pickle.dumps((world.kernel, as_, child)))
    assert isinstance(kernel, SimpleNamespace)
    assert isinstance(kernel.hw, Machine)
    assert one.copyin(zero, 4) == b"zero"
    assert two.copyin(zero, 4) == bytes(4)
    assert two.copyin(anon, 4) == b"anon"
    assert one.find(anon).amp is two.find(anon).amp
    assert one.copyin(file, 4) == b"file"
    two.copyout(anon + PAGE, b"more")
    assert one.copyin(anon + PAGE, 4) == b"more"
    assert as_.copyin(anon + PAGE, 4) == bytes(4)
    assert list(map(repr, one.segs)) == list(map(repr, as_.segs))
    as_free(one)
    as_free(two)
