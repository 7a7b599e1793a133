"""Resource controls and the limits that are a view of them."""

from __future__ import annotations

import pickle

import pytest

from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError, Panic
from personae.core.rctl import (
    INFINITY,
    INT_MAX,
    RCTLS,
    RctlLocal,
    RctlPriv,
    RctlVal,
    rctl_set_dup,
    rctl_set_free,
    rctl_set_init,
    rctl_set_value,
    rctl_test,
    rctl_value,
    rlimit_get,
    rlimit_set,
)
from personae.core.signo import Sig
from tests.core.fakes import FakeKernel, add_zone, first_proc, fork

ROOT, USER = Cred(0, 0), Cred(1000, 100)


def errno_of(fn: object, *args: object) -> Errno:
    with pytest.raises(KernelError) as e:
        fn(*args)  # type: ignore[operator]
    return e.value.errno


def test_catalogue_names_its_entities() -> None:
    assert {d.entity for d in RCTLS.values()} == {"process", "task", "project", "zone"}
    assert all(name == d.name for name, d in RCTLS.items())


def test_defaults_of_a_new_tree() -> None:
    p = first_proc(FakeKernel())
    assert rlimit_get(p, "STACK") == (8 << 20, INFINITY)
    assert rlimit_get(p, "NOFILE") == (256, 65536)
    assert rlimit_get(p, "CPU") == (INFINITY, INFINITY)
    assert rlimit_get(p, "NPROC") == (INFINITY, INFINITY)
    assert (p.fno_ctl, p.stk_ctl, p.fsz_ctl) == (256, 8 << 20, INFINITY)
    assert p.vmem_ctl == INFINITY


@pytest.mark.parametrize(
    "name", ["CPU", "FSIZE", "DATA", "AS", "MEMLOCK", "RSS", "NPROC"]
)
def test_set_and_get(name: str) -> None:
    p = first_proc(FakeKernel())
    rlimit_set(p, name, 10, 20, USER)
    assert rlimit_get(p, name) == (10, 20)
    rlimit_set(p, name, 20, 20, USER)
    assert rlimit_get(p, name) == (20, 20)
    rlimit_set(p, name, INFINITY, INFINITY, ROOT)
    assert rlimit_get(p, name) == (INFINITY, INFINITY)


@pytest.mark.parametrize("name", ["NOFILE", "NPROC", "STACK"])
def test_errors(name: str) -> None:
    p = first_proc(FakeKernel())
    assert errno_of(rlimit_set, p, name, 2, 1, ROOT) is Errno.EINVAL
    rlimit_set(p, name, 1, 100, USER)
    assert errno_of(rlimit_set, p, name, 1, 101, USER) is Errno.EPERM
    assert rlimit_get(p, name) == (1, 100)
    rlimit_set(p, name, 1, 50, USER)
    assert errno_of(rlimit_set, p, name, 1, 100, USER) is Errno.EPERM
    rlimit_set(p, name, 1, 100, ROOT)
    assert errno_of(rlimit_get, p, "SPOONS") is Errno.EINVAL


def test_cache_follows_the_set() -> None:
    p = first_proc(FakeKernel())
    rlimit_set(p, "NOFILE", 7, 9, USER)
    assert p.fno_ctl == 7
    rlimit_set(p, "NOFILE", INFINITY, INFINITY, ROOT)
    assert p.fno_ctl == INT_MAX
    assert rlimit_get(p, "NOFILE") == (INFINITY, INFINITY)


def test_dup_is_equal_and_apart() -> None:
    k = FakeKernel()
    p = first_proc(k)
    rlimit_set(p, "NOFILE", 7, 9, ROOT)
    rlimit_set(p, "NICE", 3, 4, ROOT)
    child = fork(k, p)
    assert p.rctls is not None
    assert child.rctls is not None
    assert child.rctls is not p.rctls
    assert child.rctls.snapshot() == p.rctls.snapshot()
    assert child.fno_ctl == 7
    rlimit_set(child, "NOFILE", 1, 2, ROOT)
    rlimit_set(child, "NICE", 1, 2, ROOT)
    assert (rlimit_get(p, "NOFILE"), p.fno_ctl) == ((7, 9), 7)
    assert rlimit_get(p, "NICE") == (3, 4)
    with pytest.raises(Panic):
        rctl_set_dup(p, child)


def test_dup_keeps_cursors() -> None:
    k = FakeKernel()
    p = first_proc(k)
    rlimit_set(p, "CPU", 5, 100, ROOT)
    assert p.rctls is not None
    assert not rctl_test("process.max-cpu-time", p, p, 0, usage=6)
    assert k.signals == [(p.pid, Sig.SIGXCPU)]
    assert p.rctls.rctls["process.max-cpu-time"].cursor == 1
    child = fork(k, p)
    assert child.rctls is not None
    assert child.rctls.rctls["process.max-cpu-time"].cursor == 1
    # 6 was told already; the next threshold is 100, and CPU time is never refused
    assert not rctl_test("process.max-cpu-time", child, child, 0, usage=7)
    assert not rctl_test("process.max-cpu-time", child, child, 0, usage=101)
    assert k.signals == [(p.pid, Sig.SIGXCPU), (child.pid, Sig.SIGXCPU)]


def test_free_twice_panics() -> None:
    p = first_proc(FakeKernel())
    rset = p.rctls
    assert rset is not None
    rctl_set_free(rset)
    assert p.rctls is None
    with pytest.raises(Panic):
        rctl_set_free(rset)
    rctl_set_init(p)
    with pytest.raises(Panic):
        rctl_set_init(p)


def test_values_are_ordered_and_the_last_denies() -> None:
    k = FakeKernel()
    zone = add_zone(k, 1, "web")
    p = first_proc(k, zone)
    rctl = zone.rctls.rctls["zone.max-lwps"]
    note = RctlVal(2, RctlPriv.PRIVILEGED, RctlLocal.SIGNAL, Sig.SIGXRES)
    rctl.insert(RctlVal(3, RctlPriv.PRIVILEGED, RctlLocal.DENY))
    rctl.insert(note)
    zone.rctls.callbacks()
    assert [v.value for v in rctl.values] == [2, 3, INT_MAX]
    assert (zone.max_lwps, zone.nlwps) == (2, 1)
    assert not rctl_test("zone.max-lwps", zone, p)
    assert k.signals == []
    assert not rctl_test("zone.max-lwps", zone, p, 2)
    assert k.signals == [(p.pid, Sig.SIGXRES)]
    assert zone.max_lwps == 3
    assert rctl_test("zone.max-lwps", zone, p, 3)
    rctl.remove(note)
    assert rctl.cursor == 0


def test_system_value_denies() -> None:
    k = FakeKernel()
    p = first_proc(k)
    zone = k.zones[0]
    zone.nlwps = INT_MAX
    assert rctl_test("zone.max-lwps", zone, p)


def test_basic_value_counts_for_its_process_only() -> None:
    k = FakeKernel()
    p = first_proc(k)
    q = fork(k, p)
    assert p.task is not None
    rctl = p.task.rctls.rctls["task.max-lwps"]
    rctl.insert(RctlVal(0, RctlPriv.BASIC, RctlLocal.DENY, 0, p))
    assert not rctl_test("task.max-lwps", p.task, q)
    rctl.cursor = 0
    assert rctl_test("task.max-lwps", p.task, p)


def test_zonecfg_value() -> None:
    k = FakeKernel()
    zone = k.zones[0]
    zone.set_rctl("zone.max-lwps", 300)
    assert (zone.max_lwps, rctl_value(zone.rctls, "zone.max-lwps")) == (300, 300)
    zone.set_rctl("zone.max-lwps", 400)
    assert zone.max_lwps == 400
    assert errno_of(rctl_set_value, zone.rctls, "zone.max-lwps", -1) is Errno.EINVAL
    assert errno_of(zone.set_rctl, "zone.max-lwps", INFINITY) is Errno.EINVAL


def test_pickles() -> None:
    k = FakeKernel()
    p = first_proc(k)
    rlimit_set(p, "CORE", 0, 5, ROOT)
    assert p.rctls is not None
    copy = pickle.loads(pickle.dumps(p.rctls.rctls["process.max-cpu-time"].rdef))
    assert copy == RCTLS["process.max-cpu-time"]
