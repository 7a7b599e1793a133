"""Templates, controls and event endpoints as a process uses them (contract(5))."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.contract import NoContracts, contract_exit, ctmpl_clear
from personae.core.cred import PRIV_ZONE, Cred
from personae.core.ctapi import (
    CtCtl,
    CtEvents,
    CtTmpl,
    ct_find,
    ct_latest,
    ct_list,
    ct_status,
)
from personae.core.ctqueue import SCAN_MIN
from personae.core.errno import Errno, KernelError
from personae.core.lwp import Lwp
from personae.core.proc import Proc
from personae.core.sync import Sleep
from personae.plugins.contract_process import CtEv, CtParam, CtTerm, ProcessContract
from tests.core.fakes import (
    FakeKernel,
    add_lwp,
    add_zone,
    as_kernel,
    first_proc,
    fork,
    reap,
)


class Scene:
    """A process with a lwp, in a kernel."""

    def __init__(self, k: FakeKernel | None = None) -> None:
        self.k = k or FakeKernel()
        self.p: Proc = first_proc(self.k)
        self.lwp: Lwp = self.p.lwps[0]

    def tmpl(self, **terms: Any) -> CtTmpl:
        tmpl = CtTmpl(as_kernel(self.k))
        for name, value in terms.items():
            tmpl.set_term(self.lwp, CtTerm[name], int(value))
        return tmpl

    def child(self, **terms: Any) -> ProcessContract:
        """Fork into a contract of these terms, as a program would."""
        self.k.current = self.lwp
        tmpl = self.tmpl(**terms)
        tmpl.activate(self.lwp)
        child = fork(self.k, self.p)
        tmpl.clear(self.lwp)
        assert isinstance(child.ct_process, ProcessContract)
        return child.ct_process

    def demote(self, uid: int = 1000) -> None:
        """The process is an ordinary user's."""
        for holder in (self.p, self.lwp):
            holder.cred.rele()
            holder.cred = Cred(uid, 100, limit=PRIV_ZONE)


def errno_of(fn: Any, *args: Any, **kw: Any) -> Errno:
    with pytest.raises(KernelError) as e:
        fn(*args, **kw)
    return e.value.errno


def recv_all(events: CtEvents, lwp: Lwp, **kw: Any) -> list[CtEv]:
    out = []
    while events.pending(lwp) or kw:
        try:
            out.append(events.recv(lwp, nonblock=True, **kw).type)
        except KernelError:
            break
    return [CtEv(t) for t in out]


EXITS = {"EV_CRITICAL": CtEv.EMPTY | CtEv.EXIT, "EV_INFO": CtEv.FORK}
ENDS = {"EV_CRITICAL": CtEv.EMPTY | CtEv.EXIT, "EV_INFO": CtEv.NONE}


# ---- templates ----


def test_template() -> None:
    s = Scene()
    tmpl = s.tmpl(COOKIE=3)
    tmpl.activate(s.lwp)
    tmpl.set_term(s.lwp, CtTerm.COOKIE, 4)  # the active one is a copy
    assert (tmpl.get_term(CtTerm.COOKIE), s.lwp.ct_active["process"].cookie) == (4, 3)
    assert errno_of(tmpl.create, s.lwp) is Errno.EINVAL
    tmpl.clear(s.lwp)
    assert s.lwp.ct_active == {}


def test_without_the_type_there_is_no_template() -> None:
    k = FakeKernel()
    k.contract_ops = NoContracts()  # type: ignore[assignment]
    assert errno_of(CtTmpl, k) is Errno.ENOENT


def test_latest() -> None:
    s = Scene()
    assert errno_of(ct_latest, s.lwp) is Errno.ESRCH
    ct = s.child()
    assert ct_latest(s.lwp) is ct


# ---- control ----


def test_who_may_open_the_control() -> None:
    s = Scene()
    ct = s.child()
    other = add_lwp(s.k, ct.members[0])
    assert errno_of(CtCtl, other, ct.id) is Errno.EACCES
    assert errno_of(CtCtl, s.lwp, 99) is Errno.ENOENT
    assert CtCtl(s.lwp, ct.id).contract is ct
    assert ct_list(s.lwp) == [1, ct.id]
    assert ct_list(s.lwp, held=True) == [ct.id]
    zoned = Scene(s.k)
    zoned.p.zone = add_zone(s.k, 1, "web")
    assert errno_of(ct_find, zoned.lwp, ct.id) is Errno.ENOENT
    assert ct_list(zoned.lwp) == []


def test_ack_and_abandon() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    ctl = CtCtl(s.lwp, ct.id)
    reap(s.k, ct.members[0])
    exit_, empty = list(ct.events)
    for refuse in (ctl.nack, ctl.qreq):
        assert errno_of(refuse, s.lwp, exit_.id) is Errno.ESRCH
    ctl.newct(s.lwp, exit_.id, s.tmpl())
    ctl.ack(s.lwp, exit_.id)
    assert errno_of(ctl.ack, s.lwp, exit_.id) is Errno.ESRCH
    assert ct_status(s.lwp, ct)["nevents"] == 1
    ctl.abandon(s.lwp)
    assert (empty.acked, ct_list(s.lwp, held=True)) == (True, [])
    for gone in (ctl.abandon, lambda lwp: ctl.ack(lwp, empty.id)):
        assert errno_of(gone, s.lwp) is Errno.EBUSY


def inherited() -> tuple[Scene, ProcessContract, Proc, Lwp]:
    """A contract whose owner has gone: the regent has it; and a member of that."""
    s = Scene()
    above = s.child(PARAMS=CtParam.REGENT)
    boss = above.members[0]
    boss_lwp = s.k.current = add_lwp(s.k, boss)
    heir = fork(s.k, boss)
    tmpl = s.tmpl(PARAMS=CtParam.INHERIT, **EXITS)
    tmpl.activate(boss_lwp)
    ct = fork(s.k, boss).ct_process
    assert isinstance(ct, ProcessContract)
    reap(s.k, ct.members[0])
    contract_exit(boss)
    ctmpl_clear(boss_lwp)
    return s, ct, heir, add_lwp(s.k, heir)


def test_adopt() -> None:
    """The heir gets the contract, and what waits in it at the end of its bundle."""
    s, ct, heir, lwp = inherited()
    stranger = s.lwp
    assert errno_of(CtCtl, stranger, ct.id) is Errno.EACCES
    ctl = CtCtl(lwp, ct.id)
    assert errno_of(ctl.abandon, lwp) is Errno.EBUSY
    assert ct_status(lwp, ct)["holder"] == heir.ct_process.id  # type: ignore[union-attr]
    bundle = CtEvents.of_process(lwp)
    with pytest.raises(Sleep):
        bundle.recv(lwp)
    ctl.adopt(lwp)
    assert (ct.owner, heir.ct_held) == (heir, [ct])
    assert recv_all(bundle, lwp) == [CtEv.EXIT, CtEv.EMPTY]
    assert ct_status(lwp, ct)["holder"] == heir.pid
    assert errno_of(ctl.adopt, lwp) is Errno.EBUSY
    for e in list(ct.events):
        ctl.ack(lwp, e.id)
    ctl.abandon(lwp)
    assert ct.id not in s.k.contracts


def test_adopt_what_is_not_for_us() -> None:
    _, ct, _, lwp = inherited()
    ctl = CtCtl(lwp, ct.id)
    ct.czoneid = 7
    assert errno_of(ctl.adopt, lwp) is Errno.EINVAL
    ct.czoneid = 0
    s = Scene()
    orphan = s.child()
    ctl = CtCtl(s.lwp, orphan.id)
    ctl.abandon(s.lwp)
    assert errno_of(ctl.adopt, s.lwp) is Errno.EINVAL


def test_status() -> None:
    s = Scene()
    ct = s.child(COOKIE=9, PARAMS=CtParam.NOORPHAN, **EXITS)
    got = ct_status(s.lwp, ct)
    assert got == {
        "id": ct.id,
        "zoneid": 0,
        "type": "process",
        "state": ct.state,
        "holder": s.p.pid,
        "nevents": 0,
        "ntime": -1,
        "qtime": -1,
        "nevid": 0,
        "critical": 5,
        "informative": 2,
        "cookie": 9,
        "params": 2,
        "fatal": 0x20,
        "members": [ct.members[0].pid],
        "contracts": [],
        "svc_fmri": "svc:/system/init:default",
        "svc_ctid": 1,
        "svc_creator": b"",
        "svc_aux": "",
    }
    assert "members" not in ct_status(s.lwp, ct, detail=False)
    other = Scene(s.k)
    other.p.zone = add_zone(s.k, 1, "web")
    seen = ct_status(other.lwp, ct)
    assert (seen["zoneid"], seen["holder"], seen["state"].value) == (1, 0, "owned")


# ---- events ----


def test_informative_events_need_a_listener() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    member = s.k.current = add_lwp(s.k, ct.members[0])
    fork(s.k, member.proc)
    assert list(ct.events) == []
    events = CtEvents.of_contract(s.lwp, ct.id)
    fork(s.k, member.proc)
    assert recv_all(events, s.lwp) == [CtEv.FORK]
    events.close()
    fork(s.k, member.proc)
    assert list(ct.events) == []


def test_critical_only() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    events = CtEvents.of_contract(s.lwp, ct.id)
    member = s.k.current = add_lwp(s.k, ct.members[0])
    a, b = fork(s.k, member.proc), fork(s.k, member.proc)
    reap(s.k, a)
    reap(s.k, b)
    first = events.recv(s.lwp, critical=True)
    assert first.type == CtEv.EXIT
    second = [e for e in ct.events if e.type == CtEv.EXIT][1]
    CtCtl(s.lwp, ct.id).ack(s.lwp, second.id)
    assert errno_of(events.recv, s.lwp, nonblock=True, critical=True) is Errno.EAGAIN
    events.reset()
    assert recv_all(events, s.lwp) == [CtEv.FORK, CtEv.FORK, CtEv.EXIT, CtEv.EXIT]


def test_an_endpoint_of_a_contract_begins_with_what_waits() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    reap(s.k, ct.members[0])
    late = CtEvents.of_contract(s.lwp, ct.id)
    assert recv_all(late, s.lwp) == [CtEv.EXIT, CtEv.EMPTY]
    bundle = CtEvents.of_process(s.lwp)
    assert recv_all(bundle, s.lwp) == []
    bundle.reset()
    assert recv_all(bundle, s.lwp) == [CtEv.EXIT, CtEv.EMPTY]


def test_next_skips_only_the_event_that_is_next() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    reap(s.k, ct.members[0])
    events = CtEvents.of_contract(s.lwp, ct.id)
    first, last = list(ct.events)
    events.next(last.id)
    assert events.listener.position is first
    events.next(first.id)
    assert events.recv(s.lwp) is last
    events.next(last.id)


def test_waiting_and_the_end_of_a_queue() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    events = CtEvents.of_contract(s.lwp, ct.id)
    with pytest.raises(Sleep) as e:
        events.recv(s.lwp)
    assert e.value.cvs == (ct.events.cv,)
    reap(s.k, ct.members[0])
    assert s.k.woken.count(ct.events.cv) == 1  # it was behind; then it was not
    CtCtl(s.lwp, ct.id).abandon(s.lwp)
    assert s.k.woken[-1] is ct.events.cv
    assert errno_of(events.recv, s.lwp) is Errno.EIDRM
    assert errno_of(events.recv, s.lwp, nonblock=True) is Errno.EAGAIN
    # the endpoint and "latest" keep the structure
    assert (ct.ref, ct.id in s.k.contracts) == (2, True)  # and nothing else
    ctmpl_clear(s.lwp)
    events.close()
    assert ct.id not in s.k.contracts


def test_who_sees_what() -> None:
    """Owner and maker by uid, observers all, a zone only its own."""
    s = Scene()
    ct = s.child(**ENDS)
    user = Scene(s.k)
    user.demote()
    assert errno_of(CtEvents.of_contract, user.lwp, ct.id) is Errno.EACCES
    mine, all_ = CtEvents.of_type(user.lwp), CtEvents.of_type(s.lwp)
    theirs = user.child(EV_CRITICAL=CtEv.EMPTY, EV_INFO=CtEv.EXIT)
    reap(s.k, theirs.members[0])
    reap(s.k, ct.members[0])
    assert [e.contract for e in (mine.recv(user.lwp), mine.recv(user.lwp))] == [
        theirs,
        theirs,
    ]
    assert not mine.pending(user.lwp)
    assert recv_all(all_, s.lwp) == [CtEv.EXIT, CtEv.EMPTY] * 2
    zoned = Scene(s.k)
    zoned.p.zone = add_zone(s.k, 1, "web")
    bundle = CtEvents.of_type(zoned.lwp)
    bundle.reset()
    assert not bundle.pending(zoned.lwp)


def test_reliable() -> None:
    """What a reliable listener of the bundle has not read outlives its contract."""
    s = Scene()
    plain, sure = CtEvents.of_type(s.lwp), CtEvents.of_type(s.lwp)
    user = Scene(s.k)
    user.demote()
    assert errno_of(CtEvents.of_type(user.lwp).reliable, user.lwp) is Errno.EPERM
    for want in (False, True):
        if want:
            sure.reliable(s.lwp)
        ct = s.child(**ENDS)
        reap(s.k, ct.members[0])
        CtCtl(s.lwp, ct.id).abandon(s.lwp)
        got = recv_all(sure, s.lwp)
        assert got == ([CtEv.EXIT, CtEv.EMPTY] if want else [])
    assert recv_all(plain, s.lwp) == [CtEv.EXIT, CtEv.EMPTY]


def test_abandoning_takes_the_events_out_of_the_owners_bundle() -> None:
    s = Scene()
    bundle = CtEvents.of_process(s.lwp)
    a, b = s.child(**ENDS), s.child(**ENDS)
    for ct in (a, b):
        reap(s.k, ct.members[0])
    CtCtl(s.lwp, a.id).abandon(s.lwp)
    assert [e.contract for e in (bundle.recv(s.lwp), bundle.recv(s.lwp))] == [b, b]
    assert not bundle.pending(s.lwp)


def test_queues_do_not_grow_with_what_is_settled() -> None:
    s = Scene()
    ct = s.child(**EXITS)
    member = s.k.current = add_lwp(s.k, ct.members[0])
    bundle = CtEvents.of_process(s.lwp)
    ctl = CtCtl(s.lwp, ct.id)
    waiting = fork(s.k, member.proc)
    never = waiting.pid
    reap(s.k, waiting)  # its event is not acknowledged
    longest = 0
    for _ in range(20 * SCAN_MIN):
        reap(s.k, fork(s.k, member.proc))
        for _ in range(2):
            e = bundle.recv(s.lwp)
        while e.type != CtEv.EXIT or e.pid == never:
            e = bundle.recv(s.lwp)
        ctl.ack(s.lwp, e.id)
        longest = max(longest, *map(len, (ct.events, s.k.ct_bundle)))
    assert longest <= 4 * SCAN_MIN
    assert ct.evcnt == 1
