"""FORK-74 to FORK-82: the operations of a brand at a fork (fork-semantics 8.5)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from personae.brands.linux.abi import Clone
from personae.brands.linux.data import Group, ldata, pdata
from personae.brands.linux.sys_clone import sys_clone
from personae.core.errno import Errno, KernelError
from personae.core.lwp import TpFlag
from personae.core.proc import Proc
from personae.core.sync import Sleep
from tests.core.realkernel import run
from tests.core.test_fork_hooks import HOOKS
from tests.invariants.stage import EACH_KIND, Stage, Watch

invariant = pytest.mark.invariant
SIGCHLD = 17
PER_LWP = ["b_lwpdata_alloc", "b_initlwp", "b_initlwp_post", "b_forklwp"]


class Calls:
    """Every operation of a brand that a fork makes, with its arguments."""

    def __init__(self, s: Stage, brand: str, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch  # a brand's vector belongs to all machines
        self.log: list[str] = []
        self.args: list[tuple[str, tuple[Any, ...]]] = []
        for name in HOOKS:
            self._wrap(s.k.brands.brands[brand].ops, name)

    def _wrap(self, ops: Any, name: str) -> None:
        real = getattr(ops, name)

        def call(*args: Any) -> Any:
            self.log.append(name)
            self.args.append((name, args))
            return real(*args)

        self.patch.setattr(ops, name, call)


@invariant(74)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_order(brand: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other brand hears nothing."""
    s = Stage(brand)
    calls = Calls(s, brand, monkeypatch)
    other = Calls(s, "linux" if brand == "native" else "native", monkeypatch)
    if kind == "forkall":
        s.add_lwp()
        calls.log.clear()
    child = s.fork(kind)
    lwps = PER_LWP * len(child.lwps)
    assert calls.log == ["b_setbrand", "b_copy_procdata", *lwps, "b_lwp_setrval"]
    assert other.log == []


@invariant(75, brand="linux")
def test_a_native_process_in_a_linux_zone(
    linux: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, p = linux, linux.p
    pdata(p)
    p.brand.ops.b_freelwp(s.lwp)
    p.brand.ops.b_clearbrand(p)
    p.brand = s.k.native_brand
    calls = Calls(s, "linux", monkeypatch)
    child = s.fork()
    assert (child.brand, child.zone) == (s.k.native_brand, p.zone)
    assert (child.lwps[0].regs[10], child.lwps[0].regs[11]) == (p.pid, 1)
    s.exit(child)
    assert calls.log == []


@invariant(76, brand="linux")
def test_data_is_a_private_copy(linux: Stage) -> None:
    s = linux
    mine = pdata(s.p)
    mine.timerslack, mine.no_new_privs, mine.personality = 777, 1, 8
    mine.pdeathsig, mine.subreaper = 9, 1
    mine.fs = Group([s.p])
    child = s.fork()
    data = pdata(child)
    assert data is not mine
    assert (data.timerslack, data.no_new_privs, data.personality) == (777, 1, 8)
    assert (data.pdeathsig, data.subreaper, data.fs) == (0, 0, None)
    assert ldata(child.lwps[0]) is not ldata(s.lwp)
    data.timerslack = 1
    assert mine.timerslack == 777


@invariant(77)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_what_copy_procdata_sees(
    brand: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = Stage(brand)
    ops = s.p.brand.ops
    real, seen = ops.b_copy_procdata, []

    def copy(child: Proc, parent: Proc) -> None:
        seen.append(child)
        assert parent is s.p
        assert (child.lwps, child.as_, child.rctls, child.ct_process) == (
            [],
            None,
            None,
            None,
        )
        assert child.pid > 0
        assert (child.parent, child.zone, child.brand) == (s.p, s.p.zone, s.p.brand)
        assert (child.task, child.pool, child.cred) == (s.p.task, s.p.pool, s.p.cred)
        assert child.user.u_cdir is s.p.user.u_cdir
        assert child.fds.getf(1) is s.p.fds.getf(1)
        assert s.k.locks.held == []
        real(child, parent)

    monkeypatch.setattr(ops, "b_copy_procdata", copy)
    child = s.fork(kind)
    assert seen == [child]


@invariant(78, 79, 114)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_every_step_fails_and_the_brand_is_balanced(
    brand: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = Stage(brand)
    if kind == "forkall":
        for _ in range(3):
            s.add_lwp()
    s.exit(s.fork(kind))
    steps = s.steps()
    watch, calls = Watch(s), Calls(s, brand, monkeypatch)
    for step in steps:
        calls.log.clear()
        calls.args.clear()
        watch.at = step
        s.fails(kind)
        n = Counter(calls.log)
        assert n["b_lwp_setrval"] == 0
        assert n["b_setbrand"] == n["b_clearbrand"]
        assert n["b_initlwp"] == n["b_freelwp"]
        assert n["b_lwpdata_alloc"] == n["b_initlwp"] + n["b_lwpdata_free"]
        inits = [a[0] for name, a in calls.args if name == "b_initlwp"]
        frees = [a[0] for name, a in calls.args if name == "b_freelwp"]
        assert set(inits) == set(frees)
    assert Counter(calls.log)["b_copy_procdata"] == 1


@invariant(80, brand="linux")
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_no_number_more(linux: Stage, kind: str) -> None:
    s = linux
    before, cursor = set(s.k.pids.hash), s.k.pids.mpid
    child = s.fork(kind)
    assert set(s.k.pids.hash) == before | {child.pid}
    assert s.k.pids.mpid == cursor + 1
    assert (ldata(child.lwps[0]).tid, ldata(child.lwps[0]).pidp) == (0, None)
    s.exit(child)
    assert set(s.k.pids.hash) == before


def clone(s: Stage, flags: int, *args: int) -> int:
    args = args or (0, 0, 0, 0)
    run(s.k, s.lwp)
    try:
        return sys_clone(s.lwp, flags | SIGCHLD, *args)
    except Sleep as e:  # the delay after a failure by a limit
        s.k.now = e.deadline or 0
        return sys_clone(s.lwp, flags | SIGCHLD, *args)


@invariant(81, brand="linux")
def test_groups_of_clone_fs(linux: Stage) -> None:
    s, p = linux, linux.p
    before = s.ledger()
    first = s.k.prfind(clone(s, Clone.FS))
    assert first is not None
    group = pdata(p).fs
    assert group is not None
    assert pdata(first).fs is group
    assert group.members == [p, first]
    watch = Watch(s)
    s.exit(first)
    assert pdata(p).fs is None
    assert s.diff(before) == []
    second = s.k.prfind(clone(s, Clone.FS))
    assert second is not None
    group = pdata(p).fs
    assert group is not None
    for step in s.steps():
        watch.at = step
        with pytest.raises(KernelError):
            clone(s, Clone.FS)
        assert pdata(p).fs is group
        assert group.members == [p, second]


@invariant(82, brand="linux")
def test_thread_ids(linux: Stage) -> None:
    s, p = linux, linux.p
    assert p.as_ is not None
    at = s.lwp.regs[2] - 256
    p.as_.copyout(at, bytes(8))
    both = Clone.PARENT_SETTID | Clone.CHILD_SETTID | Clone.CHILD_CLEARTID
    pid = clone(s, both, 0, at, 0, at + 4)
    child = s.k.prfind(pid)
    assert child is not None
    assert child.as_ is not None
    number = pid.to_bytes(4, "little")
    assert p.as_.copyin(at, 8) == number + bytes(4)
    assert child.as_.copyin(at, 8)[4:] == number
    assert child.lwps[0].clear_child_tid == at + 4
    s.exit(child)


@invariant(82, brand="linux")
@pytest.mark.parametrize("flag", [Clone.PARENT_SETTID, Clone.CHILD_SETTID])
@pytest.mark.parametrize("kind", [0, Clone.VM | Clone.VFORK])
def test_bad_pointers(linux: Stage, flag: int, kind: int) -> None:
    s = linux
    before = s.ledger()
    for bad in (8, (1 << 64) - 4, 1 << 40):
        with pytest.raises(KernelError) as e:
            clone(s, flag | kind, 0, bad, 0, bad)
        assert e.value.errno is Errno.EFAULT
        assert s.diff(before) == []
    assert not s.lwp.tpflag & TpFlag.TP_PRSTOP
