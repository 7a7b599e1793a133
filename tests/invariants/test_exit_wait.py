"""FORK-83 to FORK-91: exit and wait (fork-semantics 8.6); see also ``guests``."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.exit import proc_exit
from personae.core.fork import ForkFlag
from personae.core.lwp import Lwp
from personae.core.proc import PidFlag, Proc, ProcFlag, ProcStat
from personae.core.signal import set_action, take
from personae.core.signo import CldCode, Sig, SigAction, sigbit
from personae.core.sync import Sleep
from personae.core.wait import IdType, WaitFlag, waitid
from tests.core.realkernel import run
from tests.invariants.stage import Stage

invariant = pytest.mark.invariant
ALL = (IdType.ALL, 0)


def wait(s: Stage, which: tuple[IdType, int] = ALL, options: int = 0) -> Any:
    return waitid(s.lwp, *which, options or WaitFlag.WEXITED)


def die(s: Stage, p: Proc, status: int = 0) -> None:
    s.exit(p, status, reap=False)


@invariant(83, brand="native")
def test_each_death_is_told_once(native: Stage) -> None:
    s, p = native, native.p
    set_action(p, Sig.SIGCLD, SigAction(0x1000))
    s.lwp.sigmask = sigbit(Sig.SIGCLD)
    kids = [s.fork() for _ in range(3)]
    for i, c in enumerate(kids):
        die(s, c, i)
    assert len(p.sigqueue) == 1
    assert [bool(c.pidflag & PidFlag.CLDPEND) for c in kids] == [False, True, True]
    told = []
    while p.sig & sigbit(Sig.SIGCLD):
        info = take(s.lwp, Sig.SIGCLD)
        told.append((info.pid, info.code, info.status, info.uid))
    wanted = [(c.pid, CldCode.EXITED, i, 0) for i, c in enumerate(kids)]
    assert sorted(told) == sorted(wanted)


@invariant(83, 87, brand="native")
def test_a_wait_takes_the_signal_along(native: Stage) -> None:
    s, p = native, native.p
    s.lwp.sigmask = sigbit(Sig.SIGCLD)
    child = s.fork()
    die(s, child, 7)
    assert p.sig & sigbit(Sig.SIGCLD)
    seen = wait(s, options=WaitFlag.WEXITED | WaitFlag.WNOWAIT)
    assert (seen.pid, seen.code, seen.status) == (child.pid, CldCode.EXITED, 7)
    assert p.sig & sigbit(Sig.SIGCLD)
    assert wait(s) == seen
    assert (p.sig, p.sigqueue) == (0, [])


@invariant(84, brand="native")
def test_no_signal_of_the_exit(native: Stage) -> None:
    s = native
    set_action(s.p, Sig.SIGCLD, SigAction(0x1000))
    child = s.fork("fork1", ForkFlag.FORK_NOSIGCHLD)
    die(s, child, 3)
    assert s.p.sig == 0
    assert wait(s).status == 3


@invariant(85, brand="native")
def test_only_by_its_number(native: Stage) -> None:
    s = native
    set_action(s.p, Sig.SIGCLD, SigAction(1))
    child = s.fork("fork1", ForkFlag.FORK_WAITPID)
    with pytest.raises(Sleep):  # it is there, and runs
        wait(s)
    die(s, child, 6)
    assert child.stat is ProcStat.SZOMB
    for which in (ALL, (IdType.PGID, s.p.pgid)):
        with pytest.raises(KernelError) as e:
            wait(s, which)
        assert e.value.errno is Errno.ECHILD
    assert wait(s, (IdType.PID, child.pid)).status == 6


@invariant(86)
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_nobody_wants_to_know(stage: Stage, kind: str) -> None:
    s = stage
    before = s.ledger()
    set_action(s.p, Sig.SIGCLD, SigAction(1))
    assert s.p.flag & ProcFlag.SNOWAIT
    child = s.fork(kind)
    s.exit(child)
    assert child.pidp is None
    with pytest.raises(KernelError) as e:
        wait(s)
    assert e.value.errno is Errno.ECHILD
    set_action(s.p, Sig.SIGCLD, SigAction(0))
    assert s.diff(before) == []


@invariant(90)
@pytest.mark.parametrize("init", [True, False])
def test_orphans(brand: str, init: bool) -> None:
    """To the zone's init, or its zsched where there is none; flags are cleared."""
    s = Stage(brand)
    if init:
        s.p.zone.init = s.p
    reaper = s.p if init else s.p.zone.zsched
    assert reaper is not None
    middle = s.fork()
    flags = ForkFlag.FORK_NOSIGCHLD | ForkFlag.FORK_WAITPID
    kids = [s.fork("fork1", flags, middle.lwps[0]) for _ in range(2)]
    kids[0].exit_signal = Sig.SIGUSR1
    die(s, kids[1])
    assert kids[1].parent is middle
    die(s, middle)
    for c in kids[:1] if not init else kids:
        assert (c.parent, c.ppid, c.nextofkin) == (reaper, reaper.pid, reaper)
        assert c.pidflag & (PidFlag.CLDNOSIGCHLD | PidFlag.CLDWAITPID) == 0
        assert c.exit_signal == Sig.SIGCLD
    if init:
        dead = {middle.pid, kids[1].pid}
        assert {wait(s).pid, wait(s).pid} == dead
    else:  # zsched does not wait: the dead one has vanished
        assert kids[1].pidp is None


@invariant(91)
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_what_a_zombie_keeps(stage: Stage, kind: str) -> None:
    s, k = stage, stage.k
    child = s.fork(kind)
    pid, task, cred, zone = child.pid, child.task, child.cred, child.zone
    ct, pool = child.ct_process, child.pool
    assert task is not None
    assert ct is not None
    assert pool is not None

    def counts() -> tuple[int, ...]:
        up = k.upcount[cred.uid, zone.id]
        return k.nproc, up, task.nprocs, zone.nprocs, len(k.pids.free_slots)

    kept, lwps, members = counts(), zone.nlwps, ct.nmembers  # type: ignore[attr-defined]
    die(s, child)
    assert counts() == kept
    assert k.prfind(pid) is child
    assert (child.task, child.cred, child.zone) == (task, cred, zone)
    assert zone.nlwps == lwps - 1
    assert (child.lwps, child.as_, child.rctls, child.ct_process) == (
        [],
        None,
        None,
        None,
    )
    assert (child.user.fds, child.user.u_cdir, child.exec) == (None, None, None)
    assert ct.nmembers == members - 1  # type: ignore[attr-defined]
    wait(s)
    assert counts() != kept
    assert k.prfind(pid) is None
    assert child.task is None


@invariant(91, 39)
def test_cumulative_times(stage: Stage) -> None:
    s = stage
    child = s.fork()
    lwp: Lwp = child.lwps[0]
    run(s.k, lwp)
    lwp.regs[66], lwp.stime, child.cutime = 50, 20, 5  # instructions retired
    proc_exit(lwp, CldCode.EXITED, 0)
    run(s.k, s.lwp)
    got = wait(s)
    assert (got.utime, got.stime) == (55, 20)
    assert (s.p.cutime, s.p.cstime) == (55, 20)
