"""Process contracts (fork-semantics 5; FORK-29..32, 106, 107)."""

from __future__ import annotations

import pytest

from personae.core.contract import (
    CtEv,
    CtParam,
    CtState,
    Template,
    contract_abandon,
    contract_ack,
    contract_exit,
    contract_kill,
    contract_process_event,
    ctmpl_clear,
    ctmpl_dup,
    sys_process_tmpl,
)
from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError, Panic
from personae.core.lwp import Lwp
from personae.core.proc import Proc, ProcFlag, ProcStat
from personae.core.rctl import rctl_set_value
from personae.core.signal import Sig
from tests.core.fakes import FakeKernel, add_lwp, first_proc, fork, reap


def setup() -> tuple[FakeKernel, Proc, Lwp]:
    k = FakeKernel()
    p = first_proc(k)
    assert k.current is not None
    return k, p, k.current


def test_first_process_gets_the_systems_terms() -> None:
    _, p, _ = setup()
    ct = p.ct_process
    assert ct is not None
    assert ct.terms == sys_process_tmpl()
    assert (ct.id, ct.ref, ct.nmembers, ct.members) == (1, 2, 1, [p])
    assert ct.svc_fmri == "svc:/system/init:default"


def test_without_template_the_child_joins() -> None:
    k, p, _ = setup()
    a, b = fork(k, p), fork(k, p)
    ct = p.ct_process
    assert ct is not None
    assert (a.ct_process, b.ct_process) == (ct, ct)
    assert ct.members == [b, a, p]
    assert (ct.ref, ct.nmembers, len(k.contracts)) == (4, 3, 1)
    reap(k, a)
    assert (ct.members, ct.ref) == ([b, p], 3)


def test_with_template_a_contract_is_made() -> None:
    k, p, lwp = setup()
    assert p.task is not None
    lwp.ct_active["process"] = Template(cookie=7, info=CtEv.FORK)
    project = p.task.project
    before = (project.contracts, project.ref, p.cred.ref)
    child = fork(k, p)
    ct = child.ct_process
    assert ct is not None
    assert ct is not p.ct_process
    assert (ct.ref, ct.owner, ct.members, ct.state) == (3, p, [child], CtState.OWNED)
    assert (ct.terms, ct.regent) == (lwp.ct_active["process"], p.ct_process)
    assert ct.terms is not lwp.ct_active["process"]
    assert lwp.ct_latest["process"] is ct
    assert ct in p.ct_held
    assert child.ct_held == []
    assert ct.svc_fmri == "svc:/system/init:default"
    # one more contract, held by it; two more users of the credential
    assert (project.contracts, project.ref) == (before[0] + 1, before[1] + 1)
    assert p.cred.ref == before[2] + 2
    reap(k, child)
    assert (ct.ref, ct.nmembers) == (2, 0)
    contract_exit(p)
    assert ct.ref == 1  # "latest"
    ctmpl_clear(lwp)
    assert list(k.contracts) == [1]
    assert project.contracts == before[0]


def test_ids_are_not_used_again() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template()
    ids = []
    for _ in range(3):
        child = fork(k, p)
        assert child.ct_process is not None
        ids.append(child.ct_process.id)
        reap(k, child)
        contract_abandon(k.contracts[ids[-1]])
    ctmpl_clear(lwp)
    assert ids == [2, 3, 4]
    assert list(k.contracts) == [1]


def test_max_contracts() -> None:
    k, p, lwp = setup()
    assert p.task is not None
    lwp.ct_active["process"] = Template()
    first = fork(k, p)
    rctl_set_value(p.task.project.rctls, "project.max-contracts", 1)
    child = Proc(p.kernel)
    before = (p.task.project.contracts, p.cred.ref, p.ct_held[:], k.contracts.copy())
    with pytest.raises(KernelError) as e:
        k.contract_ops.contract_process_fork(None, child, p, True)
    assert e.value.errno is Errno.EAGAIN
    assert before == (
        p.task.project.contracts,
        p.cred.ref,
        p.ct_held,
        k.contracts,
    )
    assert lwp.ct_latest["process"] is first.ct_process
    # newproc can't fail
    k.contract_ops.contract_process_fork(None, child, p, False)


def test_killed_parent_is_refused_in_its_own_contract() -> None:
    k, p, lwp = setup()
    ct = p.ct_process
    assert ct is not None
    p.flag |= ProcFlag.SKILLED
    child = Proc(p.kernel)
    with pytest.raises(KernelError) as e:
        k.contract_ops.contract_process_fork(None, child, p, True)
    assert e.value.errno is Errno.EAGAIN
    assert (ct.members, ct.ref, k.locks.held) == ([p], 2, [])
    assert child.ct_process is None
    lwp.ct_active["process"] = Template()
    got = k.contract_ops.contract_process_fork(None, child, p, True)
    assert got.members == [child]


def test_failed_fork_leaves_no_trace() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(crit=CtEv.EMPTY | CtEv.FORK)
    first = fork(k, p)
    latest = first.ct_process
    assert latest is not None
    child = Proc(p.kernel)
    before = (latest.ref, p.ct_held[:], k.contracts.copy(), p.cred.ref)
    ct = k.contract_ops.contract_process_fork(None, child, p, True)
    k.contract_ops.contract_process_exit(ct, child)
    assert before == (latest.ref, p.ct_held, k.contracts, p.cred.ref)
    assert lwp.ct_latest["process"] is latest
    assert child.ct_process is None


def test_fork_event() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(info=CtEv.FORK, crit=CtEv.EMPTY)
    child = fork(k, p)
    ct = child.ct_process
    assert ct is not None
    assert ct.events == []  # nobody reads it
    lwp.ct_active.clear()
    ct.listeners = 1
    k.current = add_lwp(k, child)
    grandchild = fork(k, child)
    [ev] = ct.events
    assert (ev.type, ev.pid, ev.ppid) == (CtEv.FORK, grandchild.pid, child.pid)
    assert ev.informative
    assert k.woken == [ct.cv]


def test_exit_and_empty_events() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(crit=CtEv.EMPTY | CtEv.EXIT)
    child = fork(k, p)
    ct = child.ct_process
    assert ct is not None
    child.wdata = 3
    reap(k, child)
    assert [(e.type, e.informative) for e in ct.events] == [
        (CtEv.EXIT, False),
        (CtEv.EMPTY, False),
    ]
    assert ct.events[0].status == 3
    contract_ack(ct, ct.events[0].id)
    assert [e.type for e in ct.events] == [CtEv.EMPTY]
    with pytest.raises(KernelError):
        contract_ack(ct, 99)


def test_owner_exits() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template()
    child = fork(k, p)
    ct = child.ct_process
    assert ct is not None
    ctmpl_clear(lwp)
    contract_exit(p)
    assert (ct.state, ct.owner, ct.ref) == (CtState.ORPHAN, None, 1)
    assert k.signals == []
    reap(k, child)
    assert ct.state is CtState.DEAD
    with pytest.raises(Panic):
        ct.hold()


def test_noorphan_kills() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(params=CtParam.NOORPHAN)
    child = fork(k, p)
    contract_exit(p)
    assert k.signals == [(child.pid, Sig.SIGKILL)]
    assert child.flag & ProcFlag.SKILLED


def test_inherit_goes_to_the_regent() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(params=CtParam.REGENT)
    boss = fork(k, p)
    regent = boss.ct_process
    assert regent is not None
    k.current = boss_lwp = add_lwp(k, boss)
    boss_lwp.ct_active["process"] = Template(params=CtParam.INHERIT)
    fork(k, boss)
    worker = fork(k, boss)
    ct = worker.ct_process
    assert ct is not None
    assert ct.regent is regent
    contract_exit(boss)
    assert ct.state is CtState.INHERITED
    assert ct in regent.inherited
    ctmpl_clear(boss_lwp)
    reap(k, worker)
    assert ct.id not in k.contracts
    assert ct not in regent.inherited


def test_fatal_event_kills_the_others() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(fatal=CtEv.SIGNAL, crit=CtEv.SIGNAL)
    a = fork(k, p)
    lwp.ct_active.clear()
    k.current = add_lwp(k, a)
    b = fork(k, a)
    unborn = Proc(p.kernel)
    k.contract_ops.contract_process_fork(None, unborn, a, True)
    assert unborn.stat is ProcStat.SIDL
    contract_process_event(a, CtEv.CORE)
    assert k.signals == []
    contract_process_event(a, CtEv.SIGNAL, 15)
    assert k.signals == [(b.pid, Sig.SIGKILL)]
    assert a.ct_process is not None
    assert a.ct_process.events[-1].status == 15


def test_pgrponly() -> None:
    k, p, _ = setup()
    a, b = fork(k, p), fork(k, p)
    b.pgrp = None
    assert p.ct_process is not None
    p.ct_process.terms.params = CtParam.PGRPONLY
    contract_kill(p.ct_process, p)
    assert k.signals == [(a.pid, Sig.SIGKILL)]


def test_templates_are_copied_to_a_clone() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(cookie=1)
    child = fork(k, p)
    clone = add_lwp(k, child)
    ctmpl_dup(lwp, clone)
    assert clone.ct_active == lwp.ct_active
    assert clone.ct_active["process"] is not lwp.ct_active["process"]
    assert clone.ct_latest == {}
    lwp.ct_active["process"].set_params(CtParam.KEEP_EXEC)
    ctmpl_dup(lwp, clone)
    assert clone.ct_active == {}


def test_keep_exec_is_abandoned_at_once() -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(params=CtParam.KEEP_EXEC)
    child = fork(k, p)
    ct = child.ct_process
    assert ct is not None
    assert (ct.state, ct.owner, ct.ref) == (CtState.ORPHAN, None, 2)


def test_terms_policy() -> None:
    user = Cred(1000, 100)
    t = Template(fatal=CtEv.HWERR)
    t.set_fatal(CtEv.CORE | CtEv.HWERR)
    t.set_crit(CtEv.EMPTY | CtEv.CORE, user)
    with pytest.raises(KernelError) as e:
        t.set_crit(CtEv.EXIT, user)
    assert e.value.errno is Errno.EPERM
    t.set_crit(CtEv.EXIT, Cred(0, 0))
    t.set_crit(CtEv.EMPTY | CtEv.CORE, user)
    t.set_params(CtParam.PGRPONLY)
    assert (t.crit, bool(t.info & CtEv.CORE)) == (CtEv.EMPTY, True)
    for setter in (t.set_params, t.set_fatal, t.set_info):
        with pytest.raises(KernelError) as e:
            setter(0x1000)
        assert e.value.errno is Errno.EINVAL
    with pytest.raises(KernelError):
        t.set_fatal(CtEv.EMPTY)
