"""Plugins: what does not fit is refused with its name and the cure."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.brand import Brand, BrandTable
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl
from personae.core.observers import Observers
from personae.core.plugin import PluginError


class Least:
    """The operations that have no default."""

    @hookimpl
    def b_elfexec(self) -> Any:
        raise AssertionError

    @hookimpl
    def b_lwp_setrval(self, lwp: Any, v2: int) -> tuple[Any, int]:  # type: ignore[return]
        self.seen = (lwp, v2)

    @hookimpl
    def b_sendsig(self) -> None: ...

    @hookimpl
    def b_sysret(self) -> None: ...

    @hookimpl
    def b_syserr(self) -> None: ...


def test_an_operation_may_take_fewer_arguments() -> None:
    ops = Least()
    Brand("least", ops, {}).ops.b_lwp_setrval("lwp", 100, 1)
    assert ops.seen == ("lwp", 1)


def test_a_missing_operation_is_named() -> None:
    class Without(Least):
        b_sysret = None  # type: ignore[assignment]

    with pytest.raises(PluginError, match="brand x: operation b_sysret is not impl"):
        Brand("x", Without(), {})


def test_a_wrong_argument_is_named() -> None:
    class Wrong(Least):
        @hookimpl
        def b_exec(self, thread: Any) -> None: ...

    with pytest.raises(PluginError, match="thread"):
        Brand("x", Wrong(), {})


def test_an_unknown_operation_is_named() -> None:
    class Wrong(Least):
        @hookimpl
        def b_forks(self) -> None: ...

    with pytest.raises(PluginError, match="b_forks"):
        Brand("x", Wrong(), {})


def test_a_class_in_place_of_an_instance() -> None:
    with pytest.raises(PluginError, match="Least is a class; register an instance"):
        Brand("x", Least, {})


def test_a_brand_for_another_version() -> None:
    with pytest.raises(PluginError, match="brand x: written for API version 99"):
        Brand("x", Least(), {}, api=99)


def test_a_name_that_is_none() -> None:
    with pytest.raises(PluginError, match="'a b': not a name"):
        Brand("a b", Least(), {})


def test_the_table_of_brands_counts_zones() -> None:
    table = BrandTable()
    brand = Brand("x", Least(), {})
    table.register(brand)
    with pytest.raises(KernelError, match="EINVAL: a brand x exists already"):
        table.register(Brand("x", Least(), {}))
    assert table.hold("x") is brand
    with pytest.raises(KernelError) as e:
        table.unregister("x")
    assert e.value.errno is Errno.EBUSY
    table.rele(brand)
    table.unregister("x")
    with pytest.raises(KernelError, match="no brand 'x'; there are: none"):
        table.hold("x")


class Watcher:
    """Observes creation."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    @hookimpl
    def personae_proc_create(self, child: Any) -> None:
        self.log.append(f"{self.name}:{child}")


def test_observers_run_in_the_order_of_their_names() -> None:
    log: list[str] = []
    obs = Observers()
    obs.register(Watcher(log, "z"), "z")
    first = Watcher(log, "a")
    obs.register(first, "a")
    for watch in obs.personae_proc_create:
        watch("parent", "child")
    obs.unregister(first)
    for watch in obs.personae_proc_create:
        watch("parent", "other")
    assert log == ["a:child", "z:child", "z:other"]


def test_nobody_listening_is_an_empty_tuple() -> None:
    assert Observers().personae_fork_step == ()


def test_an_observer_with_a_typo_is_refused_and_leaves_nothing() -> None:
    class Typo:
        @hookimpl
        def personae_proc_created(self) -> None: ...

    obs = Observers()
    with pytest.raises(PluginError, match="personae_proc_created"):
        obs.register(Typo())
    obs.register(Watcher([], "w"))
    assert len(obs.personae_proc_create) == 1


def test_a_refused_plugin_leaves_nothing_behind() -> None:
    class Wrong(Least):
        @hookimpl
        def b_forks(self) -> None: ...

    for _ in range(2):
        with pytest.raises(PluginError, match="b_forks"):
            Brand("x", Wrong(), {})
        assert Brand("x", Least(), {}).ops.b_exec("lwp") is None


def test_watching_calls_is_known_at_once() -> None:
    class Watch:
        @hookimpl
        def personae_syscall_entry(self) -> None: ...

    watchers, watch = Observers(), Watch()
    before = watchers.of_calls
    watchers.register(watch)
    during = watchers.of_calls
    watchers.unregister(watch)
    assert (before, during, watchers.of_calls) == (False, True, False)
