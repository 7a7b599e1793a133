"""FORK-41 to FORK-51: fork1, forkall, ids, holds (fork-semantics 8.2)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import personae.brands.linux as linux_brand
from personae.core.errno import Errno
from personae.core.fork import ForkFlag, ForkKind
from personae.core.lwp import Lwp, TFlag, TpFlag, TState
from personae.core.pool import Pool, pool_do_bind
from personae.core.proc import ProcFlag, ProcStat
from personae.core.signal import psignal
from personae.core.signo import Sig
from personae.core.sync import CondVar, Sleep
from tests.invariants.stage import A0, A1, EACH_KIND, PC, Stage, Watch

T0 = 5
invariant = pytest.mark.invariant


@invariant(41, brand="native")
def test_fork1_of_a_late_lwp(native: Stage) -> None:
    s = native
    for _ in range(5):
        s.add_lwp()
    caller = s.p.lwps[4]
    child = s.fork("fork1", lwp=caller)
    assert [t.tid for t in child.lwps] == [caller.tid]
    assert (len(child.lwpdir), child.tidhash_sz, child.lwpid) == (2, 2, 6)
    assert s.add_lwp(child).tid == 7
    assert s.add_lwp().tid == 7  # the parent counts on, too


@invariant(42, brand="native")
def test_forkall_keeps_the_directory(native: Stage) -> None:
    s = native
    for _ in range(5):
        s.add_lwp()
    from personae.core.exit import lwp_exit

    gone = s.p.lwps[2]
    gone.tpflag |= TpFlag.TP_TWAIT
    s.k.disp.forget(gone)
    lwp_exit(gone)
    s.p.lwps[1].tpflag |= TpFlag.TP_DAEMON
    s.p.lwpdaemon = 1
    child = s.fork("forkall")
    assert [t.tid for t in child.lwps] == [1, 2, 4, 5, 6]
    assert (child.lwpid, child.lwpdaemon, child.zombies) == (6, 1, [3])
    assert child.zombies is not s.p.zombies
    assert len(child.lwpdir) == len(s.p.lwpdir)
    assert s.fork("fork1").zombies == []


def _with_flags(s: Stage) -> list[Lwp]:
    lwps = [s.add_lwp() for _ in range(3)]
    for i, t in enumerate(lwps):
        t.sigmask = 1 << i
        t.regs[A0], t.regs[PC] = 1000 + i, 0x4000 * i
        t.tpflag |= (TpFlag.TP_TWAIT, TpFlag.TP_DAEMON, 0)[i]
    return lwps


@invariant(43, brand="native")
def test_each_clone_is_like_its_source(native: Stage) -> None:
    s = native
    lwps = _with_flags(s)
    call = s.lwp.regs[PC]
    child = s.fork("forkall")
    mine, *others = child.lwps
    assert (mine.regs[A0], mine.regs[A1], mine.regs[PC]) == (s.p.pid, 1, call + 4)
    assert not mine.tflag & TFlag.T_FORKALL
    for src, t in zip(lwps, others, strict=True):
        assert (t.sigmask, t.regs[A0], t.regs[PC]) == (
            src.sigmask,
            src.regs[A0],
            src.regs[PC],
        )
        both = TpFlag.TP_TWAIT | TpFlag.TP_DAEMON
        assert t.tpflag & both == src.tpflag & both
        assert t.tflag & TFlag.T_FORKALL
        assert t.cldata is not src.cldata


@invariant(44, brand="native")
def test_fork1_inherits_twait_only(native: Stage) -> None:
    s = native
    twait, daemon, _ = _with_flags(s)
    assert s.fork("fork1", lwp=twait).lwps[0].tpflag & TpFlag.TP_TWAIT
    clone = s.fork("fork1", lwp=daemon).lwps[0]
    assert not clone.tpflag & (TpFlag.TP_DAEMON | TpFlag.TP_TWAIT)
    assert clone.proc.lwpdaemon == 0


# ---- holds ----


@invariant(46, brand="native")
def test_two_forks_wait_for_a_binder(native: Stage) -> None:
    """Both sleep at the barrier, leave nothing behind, and succeed in turn."""
    s = native
    other = s.add_lwp()
    pool = s.p.pool
    assert pool is not None
    pool.binding.append(s.p)
    before = s.ledger()
    for lwp in (s.lwp, other):
        with pytest.raises(Sleep):
            s.fork("fork1", lwp=lwp)
        assert s.diff(before) == []
    pool.binding.remove(s.p)
    assert s.fork("fork1").pid != s.fork("fork1", lwp=other).pid


@invariant(46, 95)
@pytest.mark.parametrize("holder", ["SHOLDFORK", "SHOLDFORK1", "SEXITLWPS"])
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_the_loser_gets_eintr(brand: str, kind: str, holder: str) -> None:
    """Another lwp is in the middle of its hold; the caller looks at its signals."""
    s = Stage(brand)
    other = s.add_lwp()
    s.p.flag |= ProcFlag[holder]
    s.lwp.ast = False
    assert s.fails(kind) is Errno.EINTR
    assert s.lwp.ast
    assert other.state is TState.TS_RUN
    s.p.flag &= ~ProcFlag[holder]
    s.fork(kind)


@invariant(47)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_exit_wins(brand: str, kind: str) -> None:
    s = Stage(brand)
    s.add_lwp()
    s.p.flag |= ProcFlag.SEXITLWPS
    assert s.fails(kind) is Errno.EINTR
    assert s.p.child is None


@invariant(48)
def test_a_stop_during_the_fork(stage: Stage) -> None:
    """The parent stops before user mode, and after the continue it has its child."""
    s = stage

    def look(step: str) -> None:
        if step == "holdlwps":
            psignal(s.p, Sig.SIGSTOP)

    Watch(s, look)
    child = s.fork()
    s.goes_on(child.pid)
    while s.k.disp.nrunnable:
        s.machine.step()
    assert s.p.stat is ProcStat.SSTOP
    assert child.stat is ProcStat.SZOMB  # it has nothing to do with the stop
    assert s.job.result().stdout == b""
    psignal(s.p, Sig.SIGCONT)
    assert s.finish() == "fork 1: child exited with 41\n"


@invariant(49, brand="native")
@pytest.mark.parametrize("partial", [None, 7])
@pytest.mark.parametrize("kind", ["fork1", "forkall"])
def test_a_sleeping_sibling(native: Stage, kind: str, partial: int | None) -> None:
    """After fork1 it enters its call again; forkall ends the call, in both."""
    s = native
    cv = CondVar()
    asleep = s.add_lwp()
    s.k.disp.forget(asleep)
    asleep.state = TState.TS_ONPROC
    asleep.sysent = s.lwp.sysent
    asleep.partial = partial
    s.k.disp.sleep(asleep, Sleep(cv))
    at = asleep.regs[PC]
    child = s.fork(kind)
    assert cv.waiters == []
    assert asleep.state is TState.TS_RUN
    if kind == "fork1":
        assert (asleep.regs[PC], asleep.sysent) == (at, s.lwp.sysent)
        return
    failed, result = (1, Errno.EINTR) if partial is None else (0, partial)
    for t in (asleep, child.lwps[1]):
        assert (t.state, t.sysent, t.wchans) == (TState.TS_RUN, None, ())
        assert (t.regs[PC], t.regs[T0], t.regs[A0]) == (at + 4, failed, result)


# ---- linux ----


@invariant(50, brand="linux")
def test_one_thread_by_the_childs_number(linux: Stage) -> None:
    from personae.brands.linux.pids import linux_tid

    s = linux
    thread = s.add_lwp()
    assert linux_tid(thread) != s.p.pid
    child = s.fork("fork1", lwp=thread)
    assert len(child.lwps) == 1
    assert linux_tid(child.lwps[0]) == child.pid


@invariant(51, brand="linux")
def test_no_way_to_forkall(linux: Stage) -> None:
    """No source of the brand names it, and no flag of clone leads to it."""
    folder = Path(linux_brand.__file__).parent
    for source in folder.glob("*.py"):
        names = {
            n.attr if isinstance(n, ast.Attribute) else getattr(n, "id", "")
            for n in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        }
        assert not names & {"FORKALL", "forkall"}, source
    s = linux
    s.add_lwp()
    seen: list[Any] = []
    Watch(s, lambda step: seen.append(bool(s.p.flag & ProcFlag.SHOLDFORK)))
    for kind, flags in (
        (ForkKind.FORK1, 0),
        (ForkKind.FORK1, ForkFlag.FORK_SHAREVM),
        (ForkKind.VFORK, ForkFlag.FORK_KEEPHANDLERS | ForkFlag.FORK_CALLERONLY),
    ):
        child = s.fork(kind.value, int(flags))
        assert len(child.lwps) == 1
        s.exit(child)
    assert not any(seen)


@invariant(23)
def test_forks_are_held_out_while_a_binder_works(stage: Stage) -> None:
    s = stage
    two = s.k.pools["two"] = Pool("two", (0,))
    pool = s.p.pool
    assert pool is not None
    s.p.poolcnt += 1
    with pytest.raises(Sleep):
        pool_do_bind(s.k, s.p, two)
    s.p.poolcnt -= 1
    with pytest.raises(Sleep) as e:
        s.fork()
    assert e.value.cvs == (pool.cv,)
    assert not e.value.interruptible
    pool_do_bind(s.k, s.p, two)
    assert s.fork().pool is two
