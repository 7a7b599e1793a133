"""as_dup: what the child gets, what it costs, and every way it can fail."""

from types import SimpleNamespace

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.txn import Transaction
from personae.core.vm import PAGE, MapFlag, as_dup
from personae.hw import Stat

P, S, F = MapFlag.PRIVATE, MapFlag.SHARED, MapFlag.FIXED
BASE = 0x1000_0000


def rich(world):
    """A space with a segment of each kind; answers it and its places."""
    as_ = world.space()
    vnode = world.file(b"file" * 3000)
    at = SimpleNamespace(
        zero=as_.map(BASE, 4 * PAGE, 3, P | F),
        file=as_.map(BASE + 0x10000, 3 * PAGE, 3, P | F, vnode),
        shfile=as_.map(BASE + 0x20000, 3 * PAGE, 3, S | F, vnode),
        anon=as_.map(BASE + 0x30000, 4 * PAGE, 3, S | F),
        purge=as_.map(BASE + 0x40000, PAGE, 3, P | F),
        wipe=as_.map(BASE + 0x50000, PAGE, 3, P | F),
        vnode=vnode,
    )
    as_.set_flags(at.purge, PAGE, MapFlag.PURGE, MapFlag(0))
    as_.set_flags(at.wipe, PAGE, MapFlag.WIPE, MapFlag(0))
    for name in ("zero", "file", "anon", "purge", "wipe"):
        as_.copyout(getattr(at, name), b"parent")
    return as_, at


def test_private_memory_is_copied_both_ways(world):
    as_, at = rich(world)
    child = world.fork(as_)
    for place in (at.zero, at.file):
        as_.copyout(place, b"PARENT")
        child.copyout(place + PAGE, b"CHILD!")
        assert child.copyin(place, 6) == b"parent"
        assert as_.copyin(place + PAGE, 6) != b"CHILD!"


def test_shared_memory_is_shared_also_if_touched_later(world):
    as_, at = rich(world)
    child = world.fork(as_)
    child.copyout(at.anon + PAGE, b"later")
    assert as_.copyin(at.anon + PAGE, 5) == b"later"
    as_.copyout(at.anon + 2 * PAGE, b"too")
    assert child.copyin(at.anon + 2 * PAGE, 3) == b"too"
    assert child.copyin(at.anon, 6) == b"parent"
    child.copyout(at.shfile, b"both")
    assert as_.copyin(at.shfile, 4) == b"both"


def test_anon_frames_live_as_long_as_a_user(world):
    as_, at = rich(world)
    amp = as_.find(at.anon).amp
    child = world.fork(as_)
    assert amp.refcnt == 2
    world.free(as_)
    assert child.copyin(at.anon, 6) == b"parent"
    child.unmap(at.anon, 4 * PAGE)
    assert amp.refcnt == 0
    assert amp.frames == {}


def test_dontfork_and_wipeonfork(world):
    as_, at = rich(world)
    child = world.fork(as_)
    assert child.find(at.purge) is None
    with pytest.raises(KernelError):
        child.copyin(at.purge, 1)
    assert bytes(6) == child.copyin(at.wipe, 6)
    assert as_.copyin(at.purge, 6) == b"parent"
    assert as_.copyin(at.wipe, 6) == b"parent"
    assert as_.size - PAGE == child.size


def test_fork_copies_no_frame(world):
    as_, at = rich(world)
    before, refs = world.used(), world.hw.frame_refs(at.vnode.getpage(0))
    child = world.fork(as_)
    # the root table, and what the two madvise flags cut out of the clone
    assert world.used() - before <= 3
    assert refs <= world.hw.frame_refs(at.vnode.getpage(0)) <= refs + 2
    cows = world.hw.stat(Stat.COWS)
    child.copyout(at.zero, b"x")
    assert cows + 1 == world.hw.stat(Stat.COWS)


def test_cost_does_not_grow_with_memory(world):
    """A fork of 32 MiB touched takes as many frames as one of one page."""
    used = []
    for n in (1, 8192):
        as_ = world.space()
        as_.map(BASE, n * PAGE, 3, P | F)
        as_.copyout(BASE, bytes(n * PAGE))
        before = world.used()
        child = world.fork(as_)
        used.append(world.used() - before)
        world.free(child)
        world.free(as_)
    assert used == [1, 1]


def steps_of(world, as_):
    with Transaction("fork") as txn:
        child = as_dup(txn, world.kernel, as_, 0)
        txn.commit()
    world.spaces.append(child)
    return txn.steps, child


def test_steps_are_named_after_segments(world):
    as_, _ = rich(world)
    steps, _ = steps_of(world, as_)
    assert steps == [
        "hat_dup",
        "seg_dup:0:zero",
        "seg_dup:1:vn",
        "seg_dup:2:vn",
        "seg_dup:3:anon",
        "seg_dup:4:zero",
        "seg_dup:5:zero:wipe",
        "seg_dup:5:zero",
    ]


def ledger(world, as_, at):
    return (
        world.used(),
        world.hw.stat(Stat.SPACES),
        world.hw.stat(Stat.TABLES),
        at.vnode.v_count,
        as_.find(at.anon).amp.refcnt,
        [(m.base, m.end, m.prot) for m in as_.maps()],
        as_.copyin(at.zero, 6),
    )


def test_every_step_can_fail(world):
    as_, at = rich(world)
    steps, child = steps_of(world, as_)
    world.free(child)
    before = ledger(world, as_, at)
    for failing in steps:

        def probe(op, step, failing=failing):
            if step == failing:
                raise KernelError(Errno.ENOMEM, "injected")

        with pytest.raises(KernelError) as e, Transaction("fork", probe) as txn:
            as_dup(txn, world.kernel, as_, 0)
        assert e.value.errno == Errno.ENOMEM
        assert before == ledger(world, as_, at)
    as_.copyout(at.zero, b"again!")
    assert as_.copyin(at.zero, 6) == b"again!"


def test_running_out_of_frames_in_any_place(world):
    """The child's account is too small for 0, 1, 2 ... frames."""
    as_, at = rich(world)
    before = ledger(world, as_, at)
    failed = []
    for limit in range(1, 8):
        acct = world.hw.acct_create(limit)
        try:
            with Transaction("fork") as txn:
                child = as_dup(txn, world.kernel, as_, acct)
                txn.commit()
        except KernelError as e:
            failed.append(e.errno)
        else:
            world.spaces.append(child)
            world.free(child)
        assert before == ledger(world, as_, at)
        assert world.hw.acct_used(acct) == 0
        world.hw.acct_destroy(acct)
    assert set(failed) == {Errno.ENOMEM}
    assert len(failed) < 7
