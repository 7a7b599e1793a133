"""FORK-01 to FORK-40: a fork that succeeds (fork-semantics 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.corefile import CC_STACK, core_set
from personae.core.ctqueue import CtListener
from personae.core.errno import KernelError
from personae.core.file import legal_size
from personae.core.hookspecs import hookimpl
from personae.core.limits import upcount_get
from personae.core.lwp import TpFlag, TState, WhyStop
from personae.core.pool import Pool, pool_do_bind
from personae.core.proc import AcctFlag, Proc, ProcFlag, ProcPrFlag, ProcStat
from personae.core.rctl import rlimit_get, rlimit_set
from personae.core.session import setpgid
from personae.core.signal import psignal, set_action
from personae.core.signo import Sig, SigAction, SigInfo, sigbit
from personae.core.sync import Sleep
from personae.core.vm.as_ import Prot
from personae.core.vm.layout import MapFlag
from personae.core.wait import IdType, WaitFlag, waitid
from personae.plugins.contract_process import CtEv, CtParam, Template
from tests.invariants.stage import A0, A1, EACH_KIND, FORK_NUMBERS, PC, Stage, Watch

T0 = 5
invariant = pytest.mark.invariant
RW = Prot.READ | Prot.WRITE


# ---- what the caller gets ----


class Returns:
    """Registers at the return of a fork: of the parent, and of each child."""

    def __init__(self, stage: Stage) -> None:
        self.number = FORK_NUMBERS[stage.brand]
        self.parent: list[int] = []
        self.child: list[int] = []
        stage.machine.plugins.register(self)

    @hookimpl
    def personae_proc_create(self, child: Proc) -> None:
        self.child = child.lwps[0].regs[:66].tolist()

    @hookimpl
    def personae_syscall_return(self, lwp: Any, number: int) -> None:
        if number == self.number:
            self.parent = lwp.regs[:66].tolist()


def changed(before: list[int], after: list[int]) -> dict[int, int]:
    return {i: b for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}


@invariant(1, 2, 3)
def test_only_return_registers_change(stage: Stage) -> None:
    before = stage.lwp.regs[:66].tolist()
    got, me = Returns(stage), stage.p.pid
    stage.again()
    assert stage.finish() == "fork 1: child exited with 41\n"
    parent, child = changed(before, got.parent), changed(before, got.child)
    assert parent.pop(PC) == child.pop(PC) == before[PC] + 4
    assert parent[A0] not in (0, me)
    if stage.brand == "linux":
        assert set(parent) == {A0}
        assert child[A0] == 0
        assert set(child) == {A0}
        return
    assert set(parent) | set(child) <= {A0, A1, T0}
    assert (got.parent[A1], got.parent[T0]) == (0, 0)
    assert (got.child[A0], got.child[A1], got.child[T0]) == (me, 1, 0)


@invariant(3, brand="linux")
def test_the_values_of_the_core_do_not_matter(linux: Stage) -> None:
    child = linux.fork()
    clone = child.lwps[0]
    before = clone.regs[:66].tolist()
    linux.p.brand.ops.b_lwp_setrval(clone, 77, 88)
    assert (clone.regs[A0], changed(before, clone.regs[:66].tolist())) == (0, {})


# ---- counts and links ----


@invariant(4)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_one_process_more(brand: str, kind: str) -> None:
    s = Stage(brand)
    k, p = s.k, s.p

    def counts() -> tuple[int, ...]:
        up = upcount_get(k, p.cred.uid, p.zone.id)
        return k.nproc, up, len(k.pids.hash), -len(k.pids.free_slots), k.proc_count

    before = counts()
    child = s.fork(kind)
    assert counts() == tuple(n + 1 for n in before)
    s.exit(child)
    assert counts() == before


@invariant(5)
def test_numbers_of_groups_and_sessions_are_not_given(stage: Stage) -> None:
    """A group outlives its leader; its number stays taken (so does a session's)."""
    s = stage
    leader = s.fork()
    member = s.fork()
    setpgid(s.p, leader.pid, 0)
    setpgid(s.p, member.pid, leader.pid)
    gone = leader.pid
    s.exit(leader)
    assert s.k.pids.prfind(gone) is None
    assert member.pgid == gone
    pids = s.k.pids
    pids.mpid = gone - 1
    child = s.fork()
    assert child.pid not in (gone, s.p.pid, member.pid, s.p.sid)
    pids.maxpid = child.pid + 1
    pids.mpid = pids.minpid - 1  # from the lowest number on
    assert s.fork().pid == child.pid + 1
    assert {*range(100, child.pid + 2)} <= set(pids.hash)
    s.exit(member)
    assert gone not in pids.hash


@invariant(6, 7)
def test_family(stage: Stage) -> None:
    s, k, p = stage, stage.k, stage.p
    first = s.fork()
    second = s.fork()
    assert k.practive[:2] == [second, first]
    assert p.child is second
    assert p.orphan is second
    assert (second.sibling, second.nextorph) == (first, first)
    assert (first.psibling, second.psibling) == (second, None)
    assert (first.sibling, first.nextorph) == (None, None)
    for c in (first, second):
        assert (c.ppid, c.ancpid, c.parent, c.nextofkin) == (p.pid, p.pid, p, p)
        assert (c.child, c.orphan) == (None, None)


@invariant(8)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_half_made_children_are_invisible(brand: str, kind: str) -> None:
    s = Stage(brand)
    k, p = s.k, s.p
    looked = []

    def look(step: str) -> None:
        young = k.practive[0]
        if young.stat is not ProcStat.SIDL:
            return
        looked.append(step)
        assert k.pids.prfind(young.pid) is None
        assert young not in p.children()
        assert young not in k.zone_procs(p.zone)
        assert young.pgrp is None
        psignal(young, Sig.SIGKILL)
        k.pgsignal(p.pgid, 0)
        assert (young.sig, young.sigqueue) == (0, [])
        if not k.locks.held:
            with pytest.raises(KernelError):
                waitid(s.lwp, IdType.ALL, 0, WaitFlag.WEXITED)

    Watch(s, look)
    child = s.fork(kind)
    assert looked[-1] == "contract_process_fork"
    assert len(looked) > 15
    assert child.stat is ProcStat.SRUN
    assert child.pgrp is p.pgrp
    assert k.pids.prfind(child.pid) is child


@invariant(9)
def test_group_and_session(stage: Stage) -> None:
    s, p = stage, stage.p
    assert p.pgrp is not None
    assert p.sess is not None
    group_ref, session_ref = p.pgrp.pidp.ref, p.sess.ref
    child = s.fork()
    assert p.pgrp.members == [child, p]
    assert child.sess is p.sess
    assert (p.pgrp.pidp.ref, p.sess.ref) == (group_ref, session_ref + 1)


@invariant(10)
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_credential(stage: Stage, kind: str) -> None:
    before = stage.p.cred.ref
    child = stage.fork(kind)
    assert child.cred is stage.p.cred
    assert child.lwps[0].cred is stage.p.cred
    assert stage.p.cred.ref == before + 2


@invariant(10, 33, brand="native")
def test_forkall_counts_each_lwp(native: Stage) -> None:
    s = native
    for _ in range(3):
        s.add_lwp()
    before, lwps = s.p.cred.ref, s.k.lwp_count
    child = s.fork("forkall")
    assert s.p.cred.ref == before + 1 + 4
    assert (s.k.lwp_count, child.lwpcnt, child.lgrpset) == (lwps + 4, 4, 0)


# ---- files ----


@invariant(11, 12, 13)
def test_descriptors(stage: Stage) -> None:
    s, fds = stage, stage.p.fds
    file = fds.getf(0)
    fds.alloc(file, 100, 9, cloexec=True)
    fds.alloc(file, 100, 40)
    fds.close(s.lwp, 40)  # the parent's table stays large
    hole = fds.reserve(100)
    counts = {fd: f.f_count for fd, f in fds.fds()}
    child = s.fork()
    cfds = child.fds
    assert [fd for fd, _ in cfds.fds()] == [0, 1, 2, 9]
    for fd, f in fds.fds():
        assert cfds.getf(fd) is f
        assert cfds.getfd(fd) == fds.getfd(fd)
        descriptors = sum(g is f for _, g in fds.fds())
        assert f.f_count == counts[fd] + descriptors
    assert (fds.nfiles, cfds.nfiles) == (63, legal_size(10))
    assert hole in cfds.reserved
    file.f_offset = 5
    assert cfds.getf(9).f_offset == 5
    cfds.close(child.lwps[0], 9)
    assert fds.getf(9) is file
    fds.close(s.lwp, 1)
    assert cfds.getf(1) is not None


@invariant(14)
def test_directories(stage: Stage) -> None:
    s, p, u = stage, stage.p, stage.p.user
    assert p.zone.root is not None
    u.u_rdir = p.zone.root.hold()
    u.u_cwd = b"/"
    held = [vp for vp in (u.u_cdir, u.u_rdir, p.exec, p.execdir) if vp is not None]
    assert len(held) == 4
    before = {id(vp): vp.v_count for vp in held}
    child = s.fork()
    cu = child.user
    assert [cu.u_cdir, cu.u_rdir, child.exec, child.execdir] == held
    assert child.exec_path == p.exec_path
    assert child.as_ is not None
    mapped = [m.vnode for m in child.as_.maps()]  # each segment holds its file, too
    for vp in held:
        more = sum(v is vp for v in held + mapped)
        assert vp.v_count == before[id(vp)] + more
    new = p.zone.root.mkdir(b"elsewhere", 0o755, p.cred)
    assert u.u_cdir is not None
    cu.u_cdir, old = new.hold(), cu.u_cdir
    assert old is not None
    old.rele()
    cu.u_cwd = b"/elsewhere"
    assert (u.u_cdir, u.u_cwd) == (old, b"/")


# ---- user area and signals ----


@invariant(15)
def test_user_area(stage: Stage) -> None:
    s, u = stage, stage.p.user
    u.u_cmask = 0o027
    u.u_acflag = AcctFlag.ASU | AcctFlag.ACORE
    now = s.k.wall_ns
    cu = s.fork().user
    for name in ("u_cmask", "u_comm", "u_psargs", "u_auxv", "u_argv", "u_envp"):
        assert getattr(cu, name) == getattr(u, name)
    assert (cu.u_acflag, cu.u_ticks) == (AcctFlag.AFORK, s.k.now)
    assert cu.u_start >= now


@invariant(16)
@pytest.mark.parametrize(("brand", "kind"), [x for x in EACH_KIND if x[1] != "vfork"])
def test_signal_state(brand: str, kind: str) -> None:
    s = Stage(brand)
    p, lwp = s.p, s.lwp
    set_action(p, Sig.SIGUSR1, SigAction(0x1000, 4, sigbit(Sig.SIGHUP)))
    set_action(p, Sig.SIGUSR2, SigAction(1))
    lwp.sigmask = sigbit(Sig.SIGUSR1) | sigbit(Sig.SIGTERM)
    psignal(p, Sig.SIGUSR1, SigInfo(Sig.SIGUSR1, pid=7))
    psignal(p, 50, SigInfo(50))
    lwp.sig |= sigbit(Sig.SIGTERM)
    lwp.sigqueue.append(SigInfo(Sig.SIGTERM))
    child = s.fork(kind)
    clone = child.lwps[0]
    assert child.user.u_signal == p.user.u_signal
    assert child.user.u_signal is not p.user.u_signal
    assert (child.ignore, clone.sigmask) == (p.ignore, lwp.sigmask)
    assert (child.sig, child.sigqueue, clone.sig, clone.sigqueue) == (0, [], 0, [])
    assert p.sig & sigbit(Sig.SIGUSR1)
    assert len(p.sigqueue) == 2
    assert lwp.sig == sigbit(Sig.SIGTERM)


@invariant(17)
def test_timers_stay(stage: Stage) -> None:
    s = stage
    s.k.set_itimer(s.p, s.k.now + 10**9, 10**9)
    for _ in range(2):
        child = s.fork()
        assert child.itimer_real == (0, 0)
    assert s.p.itimer_real[0] > 0
    due = [who for _, _, who in s.k.disp.deadlines]
    assert child not in due


@invariant(18)
def test_times_start_at_zero(stage: Stage) -> None:
    s, p, lwp = stage, stage.p, stage.lwp
    p.utime = p.stime = p.cutime = p.cstime = lwp.stime = 1000
    s.k.now += 777
    child = s.fork()
    times = (child.utime, child.stime, child.cutime, child.cstime)
    assert times == (0, 0, 0, 0)
    assert child.lwps[0].stime == 0
    assert child.lwps[0].regs[66] == 0
    assert child.mstart == s.k.now


# ---- flags and tracing ----

INHERITED = ProcFlag.SJCTL | ProcFlag.SNOWAIT | ProcFlag.SNOCD
EXTRA = {
    "fork1": 0,
    "forkall": int(ProcFlag.SLWPWRAP),
    "vfork": int(ProcFlag.SVFORK),
}


@invariant(19, 20, 45)
@pytest.mark.parametrize("micro", [False, True])
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_flags(brand: str, kind: str, micro: bool) -> None:
    s = Stage(brand)
    others = (
        ProcFlag.SEXECED
        | ProcFlag.SUGID
        | ProcFlag.SZONETOP
        | ProcFlag.SSCONT
        | ProcFlag.SLWPWRAP
        | ProcFlag.SMSACCT
    )
    set_action(s.p, Sig.SIGCLD, SigAction(1))  # else a vfork child waits for its own
    s.p.flag |= INHERITED | others
    if micro:
        s.p.flag |= ProcFlag.SMSFORK
    s.lwp.ct_active["process"] = Template()  # so that a killed parent may fork
    s.p.flag |= ProcFlag.SKILLED
    child = s.fork(kind)
    more = ProcFlag.SMSFORK | ProcFlag.SMSACCT if micro else 0
    assert child.flag == INHERITED | EXTRA[kind] | more
    assert bool(child.lwps[0].tpflag & TpFlag.TP_MSACCT) == micro


@invariant(21)
@pytest.mark.parametrize("inherit", [False, True])
def test_tracing(stage: Stage, inherit: bool) -> None:
    p, u = stage.p, stage.p.user
    p.prflag |= ProcPrFlag.P_PR_TRACE | ProcPrFlag.P_PR_PTRACE | ProcPrFlag.P_PR_ASYNC
    if inherit:
        p.prflag |= ProcPrFlag.P_PR_FORK
    p.sigmask, p.fltmask = frozenset([Sig.SIGINT]), frozenset([3])
    u.u_systrap, u.u_entrymask, u.u_exitmask = True, frozenset([1]), frozenset([2])
    child = stage.fork()
    cu = child.user
    got = (child.sigmask, child.fltmask, cu.u_systrap, cu.u_entrymask, cu.u_exitmask)
    if inherit:
        assert got == ({Sig.SIGINT}, {3}, True, {1}, {2})
        assert child.prflag == ProcPrFlag.P_PR_TRACE | ProcPrFlag.P_PR_FORK
    else:
        assert got == (set(), set(), False, set(), set())
        assert child.prflag == 0


@invariant(38)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_stop_on_exit(stage: Stage, asynchronous: bool) -> None:
    s, p = stage, stage.p
    p.prflag |= ProcPrFlag.P_PR_TRACE | ProcPrFlag.P_PR_FORK
    if asynchronous:
        p.prflag |= ProcPrFlag.P_PR_ASYNC
    p.user.u_systrap = True
    p.user.u_exitmask = frozenset([FORK_NUMBERS[s.brand]])
    child = s.fork()
    assert all(t.tpflag & TpFlag.TP_PRSTOP for t in child.lwps)
    stopped = [bool(t.tpflag & TpFlag.TP_PRSTOP) for t in p.lwps]
    assert stopped == [not asynchronous]
    s.goes_on(child.pid)
    while s.k.disp.nrunnable and child.lwps[0].state is not TState.TS_STOPPED:
        s.machine.step()
    assert child.lwps[0].whystop is WhyStop.PR_SYSEXIT


# ---- containers ----


@invariant(22, 33)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_containers(brand: str, kind: str) -> None:
    s = Stage(brand)
    if kind == "forkall":
        s.add_lwp()
    task = s.p.task
    assert task is not None
    owners: tuple[Any, ...] = (task, task.project, s.p.zone)
    before = [(o.nlwps, o.nprocs) for o in owners]
    holds, lwps = task.hold_count, s.k.lwp_count
    child = s.fork(kind)
    more = 2 if kind == "forkall" else 1
    assert (s.k.lwp_count, child.lgrpset) == (lwps + more, 0)
    assert (child.task, child.zone) == (task, s.p.zone)
    assert (task.procs[:2], task.hold_count) == ([child, s.p], holds + 1)
    assert [(o.nlwps, o.nprocs) for o in owners] == [
        (a + more, b + 1) for a, b in before
    ]


@invariant(23)
def test_pool(stage: Stage) -> None:
    s, p = stage, stage.p
    pool = p.pool
    assert pool is not None
    before = (pool.ref, p.poolcnt)
    inside = []
    Watch(s, lambda step: inside.append(p.poolcnt))
    child = s.fork()
    assert child.pool is pool
    assert (pool.ref, p.poolcnt) == (before[0] + 1, before[1])
    assert max(inside) == before[1] + 1


@invariant(23)
def test_a_binder_waits_and_takes_the_child_along(stage: Stage) -> None:
    """It begins in mid-fork, sleeps, and moves both when the barrier is down."""
    s, k, p = stage, stage.k, stage.p
    two = k.pools["two"] = Pool("two", (0,))
    slept = []

    def look(step: str) -> None:
        if step == "rctl_set_dup":
            with pytest.raises(Sleep):
                pool_do_bind(k, p, two)
            slept.append(step)

    watch = Watch(s, look)
    child = s.fork()
    assert slept == ["rctl_set_dup"]
    assert child.pool is not two
    with pytest.raises(Sleep):  # a new fork waits for the binder
        s.fork()
    watch.look = None
    pool_do_bind(k, p, two)
    assert (p.pool, child.pool, two.ref) == (two, two, 2)
    assert s.fork().pool is two


@invariant(24)
@pytest.mark.parametrize("kind", ["fork1", "vfork"])
def test_limits(stage: Stage, kind: str) -> None:
    s, p = stage, stage.p
    rlimit_set(p, "NOFILE", 20, 30, p.cred)
    rlimit_set(p, "AS", 1 << 30, 1 << 40, p.cred)
    child = s.fork(kind)
    assert p.rctls is not None
    assert child.rctls is not None
    assert child.rctls is not p.rctls
    assert child.rctls.snapshot() == p.rctls.snapshot()
    caches = ("stk_ctl", "fsz_ctl", "vmem_ctl", "fno_ctl")
    assert [getattr(child, c) for c in caches] == [getattr(p, c) for c in caches]
    assert (child.fno_ctl, child.vmem_ctl) == (20, 1 << 30)
    rlimit_set(child, "NOFILE", 10, 12, child.cred)
    assert (child.fno_ctl, p.fno_ctl) == (10, 20)
    assert rlimit_get(p, "NOFILE") == (20, 30)
    rlimit_set(p, "NOFILE", 15, 15, p.cred)
    assert rlimit_get(child, "NOFILE") == (10, 12)


# ---- memory ----


@invariant(25, 26)
def test_memory(stage: Stage) -> None:
    s, p, k = stage, stage.p, stage.k
    space = p.as_
    assert space is not None
    private = space.map(0, 4 * 4096, RW, MapFlag.PRIVATE)
    shared = space.map(0, 4096, RW, MapFlag.SHARED)
    for i in range(4):
        space.copyout(private + 4096 * i, b"old%d" % i)
    space.copyout(shared, b"here")
    frames = k.hw.stat(1)
    before = s.ledger()
    child = s.fork()
    cs = child.as_
    assert cs is not None
    assert cs is not space
    tables = k.hw.stat(1) - frames
    assert tables <= 1  # the root table of the new space
    for name in ("bssbase", "brkbase", "brksize", "stkbase", "stksize"):
        assert getattr(child, name) == getattr(p, name)
    assert (child.stkprot, child.datprot) == (p.stkprot, p.datprot)
    assert list(cs.maps()) == list(space.maps())
    cs.copyout(private, b"kid0")
    space.copyout(private + 4096, b"dad1")
    cs.copyout(shared, b"both")
    assert space.copyin(private, 4) == b"old0"
    assert cs.copyin(private + 4096, 4) == b"old1"
    assert space.copyin(shared, 4) == b"both"
    assert cs.copyin(private + 3 * 4096, 4) == b"old3"
    assert k.hw.stat(1) > frames
    s.exit(child)
    left = [x for x in s.diff(before) if "frames" not in x and "tables" not in x]
    assert left == []  # the parent's own copy of its page stays with the parent
    assert k.hw.stat(1) <= frames + 1 + tables


@invariant(26, 39)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_all_comes_back(brand: str, kind: str) -> None:
    s = Stage(brand)
    before = s.ledger()
    child = s.fork(kind)
    assert s.diff(before) != []
    s.exit(child)
    assert s.diff(before) == []


@invariant(39)
@pytest.mark.parametrize("how", ["fork", "vfork"])
def test_all_comes_back_after_an_exec(
    brand: str, how: str, boot: Callable[..., Any], guest_file: Callable[..., Path]
) -> None:
    """Real programs: forktest execs true, vforktest itself."""
    from personae.core.ledger import ledger, ledger_diff

    names = ["forktest", "vforktest", "true"]
    z = boot(brand, {n: guest_file(brand, n) for n in names})
    program = "forktest" if how == "fork" else "vforktest"
    z.run([f"/{program}", "4"], check=True)
    before = ledger(z.machine.kernel)
    z.run([f"/{program}", "20"], check=True)
    assert ledger_diff(before, ledger(z.machine.kernel)) == []


# ---- contracts and core files ----


@invariant(28)
def test_core_file_settings(stage: Stage) -> None:
    s, p = stage, stage.p
    core_set(p, "corefile", b"/cores/%f.%p")
    core_set(p, "content", CC_STACK)
    path, content = p.corefile, p.content
    child = s.fork()
    assert (child.corefile, child.content) == (path, content)
    assert (path.ref, content.ref) == (2, 2)
    core_set(child, "corefile", b"elsewhere")
    assert (p.corefile, path.ref) == (path, 1)
    s.exit(child)
    assert (path.ref, content.ref) == (1, 1)


@invariant(29, 31)
def test_templates(stage: Stage) -> None:
    s, lwp, p = stage, stage.lwp, stage.p
    assert p.task is not None
    tmpl = lwp.ct_active["process"] = Template(
        info=CtEv.EXIT, crit=CtEv.EMPTY, cookie=9, params=CtParam.INHERIT
    )
    project, used = p.task.project, set(s.k.contracts)
    charged = project.contracts
    child = s.fork()
    (new,) = set(s.k.contracts) - used
    ct = s.k.contracts[new]
    assert child.ct_process is ct
    assert (ct.ref, ct.owner, ct.members, ct.nmembers) == (3, p, [child], 1)
    assert ct.terms == tmpl
    assert ct.terms is not tmpl
    assert project.contracts == charged + 1
    assert lwp.ct_latest["process"] is ct
    assert p.ct_held[-1] is ct
    clone = child.lwps[0]
    assert clone.ct_active == {"process": tmpl}
    assert clone.ct_active["process"] is not tmpl
    assert (clone.ct_latest, child.ct_held) == ({}, [])
    tmpl.params = CtParam.KEEP_EXEC
    assert s.fork().lwps[0].ct_active == {}


@invariant(30)
def test_without_a_template(stage: Stage) -> None:
    s, ct = stage, stage.p.ct_process
    assert ct is not None
    before = (ct.nmembers, ct.ref, set(s.k.contracts))
    last = s.k.contract_type.last_id  # type: ignore[attr-defined]
    child = s.fork()
    assert child.ct_process is ct
    assert (ct.nmembers - 1, ct.ref - 1, set(s.k.contracts)) == before
    assert ct.members[0] is child
    assert s.k.contract_type.last_id == last  # type: ignore[attr-defined]


@invariant(32)
@pytest.mark.parametrize("asked", ["", "info", "crit"])
def test_fork_event(stage: Stage, asked: str) -> None:
    s, lwp = stage, stage.lwp
    terms: dict[str, Any] = {"info": CtEv.NONE, "crit": CtEv.EMPTY}
    if asked:
        terms[asked] |= CtEv.FORK
    lwp.ct_active["process"] = Template(**terms)
    s.fork()
    ct = lwp.ct_latest["process"]
    CtListener(ct.events)
    ct.events.events.clear()
    lwp.ct_active.clear()
    s.p.ct_process, own = ct, s.p.ct_process  # the parent is in that contract itself
    child = s.fork()
    s.p.ct_process = own
    events = [(e.type, e.pid, e.ppid, e.informative) for e in ct.events]
    wanted = [(CtEv.FORK, child.pid, s.p.pid, asked == "info")] if asked else []
    assert events == wanted
    assert child in ct.members


# ---- the rest ----


@invariant(34)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_statistics(brand: str, kind: str) -> None:
    s = Stage(brand)
    watch = Watch(s)

    def stat() -> tuple[int, int]:
        return s.k.kstat.get("sysfork", 0), s.k.kstat.get("sysvfork", 0)

    a, b = stat()
    watch.at = "lwpdir"
    s.fails(kind)
    assert stat() == (a, b)
    watch.at = ""
    s.fork(kind)
    assert stat() == ((a, b + 1) if kind == "vfork" else (a + 1, b))


@invariant(35)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_locks_and_siblings(brand: str, kind: str) -> None:
    s = Stage(brand)
    runs, suspended = s.add_lwp(), s.add_lwp()
    suspended.tpflag |= TpFlag.TP_HOLDLWP
    s.k.disp.stop(suspended, WhyStop.PR_SUSPENDED)
    child = s.fork(kind)
    assert s.k.locks.held == []
    holds = ProcFlag.SHOLDFORK | ProcFlag.SHOLDFORK1 | ProcFlag.SFORKING
    assert not s.p.flag & holds
    assert not s.p.prflag & ProcPrFlag.P_PR_LOCK
    if kind == "vfork":
        assert runs.state is TState.TS_STOPPED
        s.exit(child)
    assert runs.state is TState.TS_RUN
    assert suspended.state is TState.TS_STOPPED


@invariant(36)
@pytest.mark.parametrize(("brand", "kind"), EACH_KIND)
def test_bindings_are_the_callers(brand: str, kind: str) -> None:
    s = Stage(brand)
    other = s.add_lwp()
    other.bind_cpu, other.bind_pset = 5, 6
    s.lwp.bind_cpu, s.lwp.bind_pset = 2, 3
    child = s.fork(kind)
    assert {(t.bind_cpu, t.bind_pset) for t in child.lwps} == {(2, 3)}


@invariant(37, brand="native")
def test_clone_of_a_suspended_sibling(native: Stage) -> None:
    s = native
    quiet = s.add_lwp()
    quiet.tpflag |= TpFlag.TP_HOLDLWP
    s.k.disp.stop(quiet, WhyStop.PR_SUSPENDED)
    child = s.fork("forkall")
    clone = child.lwps[1]
    assert clone.tid == quiet.tid
    assert clone.tpflag & TpFlag.TP_HOLDLWP
    assert (clone.state, clone.whystop) == (TState.TS_STOPPED, WhyStop.PR_SUSPENDED)
    assert child.lwps[0].state is TState.TS_RUN
    from personae.brands.native.sys_lwp import sys_lwp_continue

    sys_lwp_continue(child.lwps[0], clone.tid)
    assert (clone.state, clone.tpflag & TpFlag.TP_HOLDLWP) == (TState.TS_RUN, 0)


@invariant(37)
def test_clone_of_a_suspended_caller(stage: Stage) -> None:
    """Neither comes to user mode; the child of a vfork does (FORK-60)."""
    s = stage
    s.lwp.tpflag |= TpFlag.TP_HOLDLWP
    child = s.fork()
    clone = child.lwps[0]
    pc = clone.regs[PC]
    s.goes_on(child.pid)
    while s.k.disp.nrunnable:
        s.machine.step()
    assert (clone.state, clone.whystop) == (TState.TS_STOPPED, WhyStop.PR_SUSPENDED)
    assert clone.regs[PC] == pc
    assert (s.lwp.state, s.lwp.whystop) == (TState.TS_STOPPED, WhyStop.PR_SUSPENDED)
