"""Process contracts (fork-semantics 5; FORK-29..32, 106, 107)."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.contract import (
    Contract,
    CtState,
    contract_abandon,
    contract_ack,
    contract_exit,
    contract_pbundle,
    ctmpl_clear,
    ctmpl_dup,
)
from personae.core.cred import Cred
from personae.core.ctmpl import ctmpl_exec
from personae.core.ctqueue import CtListener
from personae.core.errno import Errno, KernelError, Panic
from personae.core.lwp import Lwp
from personae.core.proc import Proc, ProcFlag, ProcStat
from personae.core.rctl import rctl_set_value
from personae.core.signo import CldCode, Sig
from personae.plugins.contract_process import (
    CtEv,
    CtParam,
    CtTerm,
    ProcessContract,
    Template,
    contract_kill,
    sys_process_tmpl,
)
from tests.core.fakes import FakeKernel, add_lwp, add_zone, first_proc, fork, reap

USER = Cred(1000, 100)
ROOT = Cred(0, 0)


def setup() -> tuple[FakeKernel, Proc, Lwp]:
    k = FakeKernel()
    p = first_proc(k)
    assert k.current is not None
    return k, p, k.current


def contract_of(p: Proc) -> ProcessContract:
    assert isinstance(p.ct_process, ProcessContract)
    return p.ct_process


def fork_with(k: FakeKernel, p: Proc, lwp: Lwp, **terms: Any) -> ProcessContract:
    """A child in a contract of its own; the parent's template is cleared again."""
    lwp.ct_active["process"] = Template(**terms)
    child = fork(k, p)
    lwp.ct_active.clear()
    return contract_of(child)


def errno_of(fn: Any, *args: Any) -> Errno:
    with pytest.raises(KernelError) as e:
        fn(*args)
    return e.value.errno


def types(queue: Any) -> list[CtEv]:
    return [e.type for e in queue]


# ---- fork ----


def test_first_process_gets_the_systems_terms() -> None:
    _, p, _ = setup()
    ct = contract_of(p)
    assert ct.terms == sys_process_tmpl()
    assert (ct.id, ct.ref, ct.nmembers, ct.members) == (1, 2, 1, [p])
    assert ct.svc_fmri == "svc:/system/init:default"


def test_without_template_the_child_joins() -> None:
    """FORK-30."""
    k, p, _ = setup()
    a, b = fork(k, p), fork(k, p)
    ct = contract_of(p)
    assert (a.ct_process, b.ct_process) == (ct, ct)
    assert ct.members == [b, a, p]
    assert (ct.ref, ct.nmembers, len(k.contracts)) == (4, 3, 1)
    reap(k, a)
    assert (ct.members, ct.ref) == ([b, p], 3)


def test_with_template_a_contract_is_made() -> None:
    """FORK-31."""
    k, p, lwp = setup()
    assert p.task is not None
    tmpl = lwp.ct_active["process"] = Template(cookie=7, info=CtEv.FORK)
    project = p.task.project
    before = (project.contracts, project.ref, p.cred.ref)
    child = fork(k, p)
    ct = contract_of(child)
    assert ct is not p.ct_process
    assert (ct.ref, ct.owner, ct.members, ct.state) == (3, p, [child], CtState.OWNED)
    assert (ct.terms, ct.regent) == (tmpl, p.ct_process)
    assert ct.terms is not tmpl
    assert lwp.ct_latest["process"] is ct
    assert ct in p.ct_held
    assert child.ct_held == []
    # one more contract, held by it; two more users of the credential
    assert (project.contracts, project.ref) == (before[0] + 1, before[1] + 1)
    assert p.cred.ref == before[2] + 2
    reap(k, child)
    assert (ct.ref, ct.nmembers, ct.state) == (2, 0, CtState.OWNED)
    contract_exit(p)
    assert (ct.ref, ct.state) == (1, CtState.DEAD)  # "latest"
    assert errno_of(contract_abandon, ct) is Errno.EINVAL
    ctmpl_clear(lwp)
    assert list(k.contracts) == [1]
    assert project.contracts == before[0]


def test_ids_are_not_used_again() -> None:
    k, p, lwp = setup()
    ids = []
    for _ in range(3):
        ct = fork_with(k, p, lwp)
        ids.append(ct.id)
        reap(k, ct.members[0])
        contract_abandon(ct)
    ctmpl_clear(lwp)
    assert ids == [2, 3, 4]
    assert list(k.contracts) == [1]


def test_max_contracts() -> None:
    """FORK-106."""
    k, p, lwp = setup()
    assert p.task is not None
    lwp.ct_active["process"] = Template()
    first = fork(k, p)
    rctl_set_value(p.task.project.rctls, "project.max-contracts", 1)
    child = Proc(p.kernel)
    before = (p.task.project.contracts, p.cred.ref, p.ct_held[:], k.contracts.copy())
    fork_hook = k.contract_ops.contract_process_fork
    assert errno_of(fork_hook, None, child, p, True) is Errno.EAGAIN
    after = (p.task.project.contracts, p.cred.ref, p.ct_held, k.contracts)
    assert before == after
    assert lwp.ct_latest["process"] is first.ct_process
    # newproc can't fail (FORK-110)
    fork_hook(None, child, p, False)


def test_killed_parent_is_refused_in_its_own_contract() -> None:
    """FORK-107."""
    k, p, lwp = setup()
    ct = contract_of(p)
    p.flag |= ProcFlag.SKILLED
    child = Proc(p.kernel)
    fork_hook = k.contract_ops.contract_process_fork
    assert errno_of(fork_hook, None, child, p, True) is Errno.EAGAIN
    assert (ct.members, ct.ref, k.locks.held) == ([p], 2, [])
    assert child.ct_process is None
    lwp.ct_active["process"] = Template()
    assert fork_hook(None, child, p, True).members == [child]


@pytest.mark.parametrize("params", [CtParam.NONE, CtParam.KEEP_EXEC])
def test_failed_fork_leaves_no_trace(params: CtParam) -> None:
    k, p, lwp = setup()
    lwp.ct_active["process"] = Template(crit=CtEv.EMPTY | CtEv.FORK, params=params)
    fork(k, p)
    latest: Contract = lwp.ct_latest["process"]
    reader = CtListener(k.ct_bundle)
    child = Proc(p.kernel)
    before = (latest.ref, p.ct_held[:], k.contracts.copy(), p.cred.ref)
    queues = (list(k.ct_bundle), list(contract_pbundle(p)))
    ct = k.contract_ops.contract_process_fork(None, child, p, True)
    k.contract_ops.contract_process_exit(ct, child)
    assert before == (latest.ref, p.ct_held, k.contracts, p.cred.ref)
    if params is CtParam.NONE:
        assert queues == (list(k.ct_bundle), list(contract_pbundle(p)))
        assert reader.position is None
    assert lwp.ct_latest["process"] is latest
    assert child.ct_process is None


def test_failed_fork_into_the_parents_contract_takes_its_event_back() -> None:
    k, p, _ = setup()
    ct = contract_of(p)
    ct.terms.crit = CtEv.FORK
    child = Proc(p.kernel)
    ct2 = k.contract_ops.contract_process_fork(None, child, p, True)
    assert (ct2, ct.evcnt, len(ct.events)) == (ct, 1, 1)
    k.contract_ops.contract_process_exit(ct, child)
    assert (ct.evcnt, len(ct.events), ct.members) == (0, 0, [p])


def test_templates_are_copied_to_a_clone() -> None:
    """FORK-29."""
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


def test_exec_drops_templates_but_keep_exec() -> None:
    k, p, lwp = setup()
    fork_with(k, p, lwp)
    lwp.ct_active["process"] = Template()
    ctmpl_exec(lwp)
    assert (lwp.ct_active, lwp.ct_latest) == ({}, {})
    keep = lwp.ct_active["process"] = Template(params=CtParam.KEEP_EXEC)
    ctmpl_exec(lwp)
    assert lwp.ct_active == {"process": keep}


def test_keep_exec_is_abandoned_at_once() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, params=CtParam.KEEP_EXEC)
    assert (ct.state, ct.owner, ct.ref) == (CtState.ORPHAN, None, 2)
    reap(k, ct.members[0])
    assert ct.state is CtState.DEAD


def test_service_and_creator() -> None:
    """An FMRI of the template begins a service, else the owner's goes on."""
    k, p, lwp = setup()
    p.user.u_comm = b"startd"
    ct = fork_with(k, p, lwp, svc_fmri="svc:/x:y", creator_aux="aux")
    assert (ct.svc_fmri, ct.svc_ctid, ct.svc_creator) == ("svc:/x:y", ct.id, b"startd")
    assert ct.creator_aux == "aux"
    child = ct.members[0]
    child.user.u_comm = b"worker"
    k.current = sub_lwp = add_lwp(k, child)
    sub = fork_with(k, child, sub_lwp)
    assert (sub.svc_fmri, sub.svc_ctid, sub.svc_creator) == (
        "svc:/x:y",
        ct.id,
        b"worker",
    )
    assert sub.creator_aux == ""


# ---- events ----


def test_fork_event() -> None:
    """FORK-32: to contract, bundle and owner's bundle; informative if nobody reads."""
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, info=CtEv.FORK, crit=CtEv.EMPTY)
    child = ct.members[0]
    assert len(ct.events) == 0  # nobody reads it
    readers = [CtListener(q) for q in (ct.events, k.ct_bundle, contract_pbundle(p))]
    k.current = add_lwp(k, child)
    grandchild = fork(k, child)
    for reader in readers:
        [ev] = reader.queue
        assert ev is reader.position
    assert (ev.type, ev.pid, ev.ppid) == (CtEv.FORK, grandchild.pid, child.pid)
    assert ev.informative
    assert k.woken == [r.queue.cv for r in readers]


def test_critical_events_wait_in_every_queue() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, info=CtEv.NONE, crit=CtEv.EMPTY | CtEv.EXIT)
    child = ct.members[0]
    child.wcode, child.wdata = CldCode.EXITED, 3
    reap(k, child)
    assert types(ct.events) == [CtEv.EXIT, CtEv.EMPTY]
    assert list(ct.events) == list(k.ct_bundle) == list(contract_pbundle(p))
    first, last = ct.events
    assert (first.status, ct.evcnt) == (3 << 8, 2)
    assert first.id + 1 == last.id
    contract_ack(ct, first.id)
    assert (first.acked, last.acked, ct.evcnt) == (True, False, 1)
    assert errno_of(contract_ack, ct, first.id) is Errno.ESRCH
    assert errno_of(contract_ack, ct, 99) is Errno.ESRCH


def test_an_event_that_is_no_term_is_not_told() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, info=CtEv.NONE, crit=CtEv.NONE)
    CtListener(ct.events)
    reap(k, ct.members[0])
    assert list(ct.events) == []


def test_signal_and_core_and_hwerr() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, info=CtEv.NONE, crit=CtEv(0x38), fatal=CtEv.NONE)
    a = ct.members[0]
    far = first_proc(k).pid
    for event in ("signal", "core", "hwerr"):
        k.contract_ops.contract_process_event(a, event, 11, far)
    assert types(ct.events) == [CtEv.SIGNAL, CtEv.CORE, CtEv.HWERR]
    assert [(e.status, e.sender) for e in ct.events] == [(11, far)] * 3
    assert k.signals == []


def test_signals_from_inside_are_no_event() -> None:
    """Only a process that is no member and not the owner makes one."""
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, crit=CtEv.SIGNAL, fatal=CtEv.SIGNAL)
    a = ct.members[0]
    k.current = add_lwp(k, a)
    b = fork(k, a)
    for sender in (0, a.pid, b.pid, p.pid):
        k.contract_ops.contract_process_event(a, "signal", 15, sender)
    assert (list(ct.events), k.signals) == ([], [])
    k.contract_ops.contract_process_event(a, "signal", 15, 9999)
    assert k.signals == [(b.pid, Sig.SIGKILL)]


def test_a_kill_needs_rights_except_after_a_hardware_error() -> None:
    k, p, lwp = setup()
    both = CtEv.CORE | CtEv.HWERR
    ct = fork_with(k, p, lwp, crit=both, fatal=both)
    a = ct.members[0]
    k.current = add_lwp(k, a)
    b = fork(k, a)
    ct.cred.rele()
    ct.cred = Cred(1000, 100)  # its maker was a user
    a.cred.rele()
    a.cred = Cred(1000, 100)
    k.contract_ops.contract_process_event(a, "core", 11, 0)
    assert k.signals == []
    k.contract_ops.contract_process_event(a, "hwerr", 11, 0)
    assert k.signals == [(b.pid, Sig.SIGKILL)]


@pytest.mark.parametrize("event", ["signal", "core", "hwerr"])
def test_fatal_event_kills_the_others(event: str) -> None:
    k, p, lwp = setup()
    kind = CtEv[event.upper()]
    ct = fork_with(k, p, lwp, fatal=kind, crit=kind)
    a = ct.members[0]
    k.current = add_lwp(k, a)
    b = fork(k, a)
    unborn = Proc(p.kernel)
    k.contract_ops.contract_process_fork(None, unborn, a, True)
    assert unborn.stat is ProcStat.SIDL
    others = {"signal", "core", "hwerr"} - {event}
    for other in sorted(others):
        k.contract_ops.contract_process_event(a, other, 0, 9999)
    assert k.signals == []
    k.contract_ops.contract_process_event(a, event, 15, 9999)
    assert k.signals == [(b.pid, Sig.SIGKILL)]
    assert b.flag & ProcFlag.SKILLED


def test_pgrponly() -> None:
    k, p, _ = setup()
    a, b = fork(k, p), fork(k, p)
    b.pgrp = None
    ct = contract_of(p)
    ct.terms.params = CtParam.PGRPONLY
    contract_kill(ct, p)
    assert k.signals == [(a.pid, Sig.SIGKILL)]
    contract_kill(ct)  # without a source there is no group: everybody
    assert len(k.signals) == 4


# ---- owners ----


def test_owner_exits() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, crit=CtEv.EMPTY | CtEv.FORK)
    child = ct.members[0]
    assert ct.evcnt == 1
    ctmpl_clear(lwp)
    queue = contract_pbundle(p)
    contract_exit(p)
    assert (ct.state, ct.owner, ct.regent, ct.ref) == (CtState.ORPHAN, None, None, 1)
    assert (queue.dead, list(queue), p.ct_equeue) == (True, [], None)
    assert ct.evcnt == 0  # acknowledged: nobody would do it
    assert k.signals == []
    k.current = add_lwp(k, child)
    fork(k, child)
    assert ct.evcnt == 0  # events of an orphan are born acknowledged
    for member in ct.members:
        reap(k, member)
    assert (ct.state, ct.id in k.contracts) == (CtState.DEAD, False)
    assert list(k.ct_bundle) == []
    with pytest.raises(Panic):
        ct.hold()


def test_only_the_owner_abandons() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp)
    other = ct.members[0]
    assert errno_of(contract_abandon, ct, other) is Errno.EINVAL
    contract_abandon(ct, p)
    assert errno_of(contract_abandon, ct, p) is Errno.EINVAL


def test_noorphan_kills() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, params=CtParam.NOORPHAN)
    child = ct.members[0]
    contract_exit(p)
    assert k.signals == [(child.pid, Sig.SIGKILL)]
    assert child.flag & ProcFlag.SKILLED
    assert ct.state is CtState.ORPHAN
    k.current = add_lwp(k, child)
    unborn = Proc(p.kernel)
    hook = k.contract_ops.contract_process_fork
    assert errno_of(hook, None, unborn, child, True) is Errno.EAGAIN


def regent(k: FakeKernel, p: Proc, lwp: Lwp) -> tuple[ProcessContract, Proc, Lwp]:
    """A contract that inherits, with a member that owns contracts."""
    ct = fork_with(k, p, lwp, params=CtParam.REGENT)
    boss = ct.members[0]
    k.current = boss_lwp = add_lwp(k, boss)
    return ct, boss, boss_lwp


def test_inherit_goes_to_the_regent() -> None:
    k, p, lwp = setup()
    above, boss, boss_lwp = regent(k, p, lwp)
    ct = fork_with(k, boss, boss_lwp, params=CtParam.INHERIT)
    plain = fork_with(k, boss, boss_lwp)
    contract_exit(boss)
    assert (ct.state, ct.owner, ct.regent) == (CtState.INHERITED, None, above)
    assert above.inherited == [ct]
    assert plain.state is CtState.ORPHAN
    ctmpl_clear(boss_lwp)
    assert ct.ref == 2  # the regent's
    # its events go on waiting for who adopts it
    reap(k, ct.members[0])
    assert (types(ct.events), ct.evcnt) == ([CtEv.EMPTY], 1)
    # the regent dies: what it has inherited goes with it
    reap(k, boss)
    contract_abandon(above, p)
    assert (above.state, ct.state) == (CtState.DEAD, CtState.DEAD)
    assert ct.id not in k.contracts


def test_inherited_members_live_on_when_the_regent_dies() -> None:
    k, p, lwp = setup()
    above, boss, boss_lwp = regent(k, p, lwp)
    ct = fork_with(k, boss, boss_lwp, params=CtParam.INHERIT)
    hard = fork_with(k, boss, boss_lwp, params=CtParam.INHERIT | CtParam.NOORPHAN)
    contract_exit(boss)
    reap(k, boss)
    contract_abandon(above, p)
    assert (above.state, ct.state, ct.regent) == (CtState.DEAD, CtState.ORPHAN, None)
    assert k.signals == [(hard.members[0].pid, Sig.SIGKILL)]


def test_inherit_needs_a_regent_and_an_exit() -> None:
    k, p, lwp = setup()
    ct = fork_with(k, p, lwp, params=CtParam.INHERIT)
    contract_exit(p)
    assert ct.state is CtState.ORPHAN
    k, p, lwp = setup()
    _, boss, boss_lwp = regent(k, p, lwp)
    ct = fork_with(k, boss, boss_lwp, params=CtParam.INHERIT)
    contract_abandon(ct, boss)
    assert ct.state is CtState.ORPHAN


def test_subsume() -> None:
    """A new contract takes over what an old, empty one has inherited."""
    k, p, lwp = setup()
    above, boss, boss_lwp = regent(k, p, lwp)
    ct = fork_with(k, boss, boss_lwp, params=CtParam.INHERIT)
    contract_exit(boss)
    reap(k, boss)
    k.current = lwp
    new = fork_with(k, p, lwp, params=CtParam.REGENT, subsume=above.id)
    assert (new.inherited, ct.regent, ct.state) == ([ct], new, CtState.INHERITED)
    assert above.state is CtState.DEAD
    again = fork_with(k, p, lwp, subsume=above.id)  # it has gone: nothing to take
    assert again.inherited == []


def test_subsume_waits_for_the_fork() -> None:
    """A fork that is refused leaves the old contract alone."""
    k, p, lwp = setup()
    above, boss, boss_lwp = regent(k, p, lwp)
    fork_with(k, boss, boss_lwp, params=CtParam.INHERIT)
    contract_exit(boss)
    reap(k, boss)
    k.current = lwp
    assert p.task is not None
    rctl_set_value(p.task.project.rctls, "project.max-contracts", 1)
    lwp.ct_active["process"] = Template(subsume=above.id)
    hook = k.contract_ops.contract_process_fork
    assert errno_of(hook, None, Proc(p.kernel), p, True) is Errno.EAGAIN
    assert (above.state, len(above.inherited)) == (CtState.OWNED, 1)


# ---- terms ----


def test_terms_policy() -> None:
    t = Template(fatal=CtEv.HWERR)
    t.set_fatal(CtEv.CORE | CtEv.HWERR)
    t.set_crit(CtEv.EMPTY | CtEv.CORE, USER)
    assert errno_of(t.set_crit, CtEv.EXIT, USER) is Errno.EPERM
    t.set_crit(CtEv.EXIT | CtEv.EMPTY, ROOT)
    t.set_crit(CtEv.EXIT, USER)  # fewer of them is no question
    t.set_crit(CtEv.EMPTY | CtEv.CORE, USER)
    t.set_params(CtParam.PGRPONLY, USER)
    assert (t.crit, bool(t.info & CtEv.CORE)) == (CtEv.EMPTY, True)
    for setter in (t.set_params, t.set_fatal, t.set_info):
        assert errno_of(setter, 0x1000) is Errno.EINVAL
    assert errno_of(t.set_fatal, CtEv.EMPTY) is Errno.EINVAL
    assert errno_of(t.set_crit, 0x1000, ROOT) is Errno.EINVAL


def test_demotion() -> None:
    """Removing from the fatal set or PGRPONLY demotes, but not with the privilege."""
    for cred, crit in ((USER, CtEv.EMPTY), (ROOT, CtEv.EMPTY | CtEv.HWERR)):
        t = Template()
        t.set_fatal(CtEv.NONE, cred)
        assert t.crit == crit
        assert bool(t.info & CtEv.HWERR) is (cred is USER)
        t = Template()
        t.set_params(CtParam.PGRPONLY, cred)
        assert t.crit == crit


def test_terms_by_number() -> None:
    k, p, lwp = setup()
    t = Template()
    defaults = {
        CtTerm.EV_FATAL: 0x20,
        CtTerm.PARAMS: 0,
        CtTerm.SUBSUME: 0,
        CtTerm.SVC_FMRI: "inherit:",
        CtTerm.CREATOR_AUX: "",
        CtTerm.EV_CRITICAL: 0x21,
        CtTerm.EV_INFO: 0x18,
        CtTerm.COOKIE: 0,
    }
    assert {term: t.get_term(term) for term in defaults} == defaults
    new = {
        CtTerm.EV_FATAL: 0x38,
        CtTerm.PARAMS: 0x1F & ~4,
        CtTerm.SVC_FMRI: "svc:/a:b",
        CtTerm.CREATOR_AUX: "me",
        CtTerm.EV_CRITICAL: 0x3,
        CtTerm.EV_INFO: 0x3F,
        CtTerm.COOKIE: 1 << 63,
    }
    for term, value in new.items():
        t.set_term(lwp, term, value, ROOT)
        assert t.get_term(term) == value
    t.set_term(lwp, CtTerm.SVC_FMRI, "inherit:", ROOT)
    assert t.svc_fmri == ""
    fmri = (lwp, CtTerm.SVC_FMRI, "svc:/a:b")
    assert errno_of(t.set_term, *fmri, USER) is Errno.EPERM
    for term, value in (
        (CtTerm.SVC_CTID, 1),
        (42, 1),
        (CtTerm.COOKIE, "x"),
        (CtTerm.SVC_FMRI, 1),
        (CtTerm.CREATOR_AUX, "x" * 1024),
    ):
        assert errno_of(t.set_term, lwp, term, value, ROOT) is Errno.EINVAL
    assert errno_of(t.get_term, 42) is Errno.EINVAL
    # subsume: there, the caller's, empty
    ct = fork_with(k, p, lwp)
    assert errno_of(t.set_term, lwp, CtTerm.SUBSUME, 99, ROOT) is Errno.ESRCH
    assert errno_of(t.set_term, lwp, CtTerm.SUBSUME, 1, ROOT) is Errno.EACCES
    assert errno_of(t.set_term, lwp, CtTerm.SUBSUME, ct.id, ROOT) is Errno.ENOTEMPTY
    reap(k, ct.members[0])
    t.set_term(lwp, CtTerm.SUBSUME, ct.id, USER)
    assert t.get_term(CtTerm.SUBSUME) == ct.id
    t.set_term(lwp, CtTerm.SUBSUME, 0, USER)
    other = first_proc(k, add_zone(k, 1, "web"))
    assert k.current is not lwp
    assert other.lwps[0] is k.current
    assert errno_of(t.set_term, k.current, CtTerm.SUBSUME, 1, ROOT) is Errno.ESRCH
