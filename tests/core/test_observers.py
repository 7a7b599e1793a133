"""Plugins that fail are contained, and calls that are wrapped while a machine runs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from personae.core.brands import load_brands
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.machine import Machine
from personae.core.observers import Observers
from personae.core.override import calls_of
from personae.core.plugin import PluginError
from personae.core.sync import Sleep
from tests.core.machines import guest

linux = calls_of("linux")


class Clumsy:
    """Fails at each exec."""

    calls = 0

    @hookimpl
    def personae_proc_exec(self, path: bytes) -> None:
        self.calls += 1
        raise ZeroDivisionError(path)


class Counter:
    """Counts what it sees."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def personae_proc_exec(self) -> None:
        self.seen.append("exec")

    @hookimpl
    def personae_proc_exit(self) -> None:
        self.seen.append("exit")


def hello(machine: Machine) -> Any:
    """Run hello in zone l; its result."""
    zone = machine.zone("l")
    zone.put("/hello", guest("hello", "linux"))
    return zone.run(["/hello"])


def boot(**options: Any) -> Machine:
    """A machine with one empty Linux zone."""
    machine = Machine(memory="64M", **options)
    machine.add_zone("l", brand="linux")
    return machine


def test_a_failing_observer_is_told_and_switched_off() -> None:
    plain, machine = boot(), boot()
    clumsy, counter = Clumsy(), Counter()
    machine.plugins.register(clumsy)
    machine.plugins.register(counter)
    assert hello(machine).returncode == hello(plain).returncode == 0
    assert hello(machine).stdout == hello(plain).stdout
    (failure,) = machine.plugins.failures
    assert failure.plugin == "Clumsy"
    assert failure.hook == "personae_proc_exec"
    assert failure.place.startswith("test_observers.py:")
    assert failure.error == "ZeroDivisionError: b'/hello'"
    assert (clumsy.calls, counter.seen) == (1, ["exec", "exit"] * 2)
    assert machine.plugins.names() == ["Counter"]
    assert str(failure) in machine.report()["notices"]
    assert machine.digest() == plain.digest()


def test_the_policy_may_keep_it() -> None:
    machine = boot(plugin_policy="keep")
    machine.plugins.register(Clumsy())
    hello(machine)
    hello(machine)
    assert [f.disabled for f in machine.plugins.failures] == [False, False]


def test_the_policy_may_end_the_run() -> None:
    machine = boot(plugin_policy="panic")
    machine.plugins.register(Clumsy())
    with pytest.raises(Panic, match=r"plugin Clumsy: personae_proc_exec \(test_obs"):
        hello(machine)


def test_a_policy_that_is_none() -> None:
    with pytest.raises(PluginError, match="'ignore': it is one of disable, keep, pa"):
        Observers(policy="ignore")


def test_an_observer_that_may_not_fail_fails_no_call() -> None:
    class Wrong:
        @hookimpl
        def personae_syscall_return(self) -> None:
            raise KernelError(Errno.EPERM, "too late")

    machine = boot()
    machine.plugins.register(Wrong())
    assert hello(machine).returncode == 0
    assert [f.hook for f in machine.plugins.failures] == ["personae_syscall_return"]


# ---- order ----


class Named:
    """Says its name."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    @hookimpl
    def personae_count(self) -> None:
        self.log.append(self.name)


class First(Named):
    """Before all others."""

    @hookimpl(tryfirst=True)
    def personae_count(self) -> None:
        self.log.append(self.name)


class Last(Named):
    """After all others."""

    @hookimpl(trylast=True)
    def personae_count(self) -> None:
        self.log.append(self.name)


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_registration_does_not_matter(seed: int) -> None:
    log: list[str] = []
    kinds = [("z", First), ("a", Last), ("c", Named), ("b", Named), ("y", First)]
    plugins = [(name, kind(name, log)) for name, kind in kinds]
    random.Random(seed).shuffle(plugins)
    obs = Observers(plugins)
    for watch in obs.personae_count:
        watch("x", 1)
    assert log == ["y", "z", "b", "c", "a"]


# ---- what is refused ----


def test_a_name_that_is_taken() -> None:
    obs = Observers([("one", Counter())])
    with pytest.raises(PluginError, match="plugin one: the name is taken"):
        obs.register(Counter(), "one")
    assert obs.register(Counter()) == "Counter"
    assert obs.register(Counter()) == "Counter-2"


def test_twice_the_same() -> None:
    counter = Counter()
    obs = Observers([("one", counter)])
    with pytest.raises(PluginError, match="registered already, as 'one'"):
        obs.register(counter, "two")


def test_unregistering_what_is_not_there() -> None:
    with pytest.raises(PluginError, match="'x' is not registered; there are: one"):
        Observers([("one", Counter())]).unregister("x")


def test_a_wrapper_of_pluggy_is_refused() -> None:
    class Around:
        @hookimpl(wrapper=True)
        def personae_count(self) -> Any:
            return (yield)

    with pytest.raises(PluginError, match=r"personae_count \(test_obs.*\): a wrapper"):
        Observers().register(Around(), "around")


# ---- system calls ----


class Short:
    """Writes the first three bytes and says that it wrote all."""

    @linux.syscall("write")
    def write(self, call: Any, lwp: Any, fd: int, buf: int, n: int) -> Any:
        call(lwp, fd, buf, 3)
        return n


class Deny:
    """Vetoes writes."""

    @linux.syscall("write")
    def write(self, call: Any, lwp: Any, *args: int) -> Any:
        raise KernelError(Errno.EIO, "no writing")


class Replace:
    """Answers in place of the brand, even what it does not have."""

    @linux.syscall("getpid")
    def getpid(self, call: Any, lwp: Any) -> int:
        return 4711


def test_a_call_is_wrapped_while_the_plugin_is_there() -> None:
    machine = boot()
    before = hello(machine).stdout
    short = Short()
    machine.plugins.register(short)
    assert hello(machine).stdout == before[:3] != before
    machine.plugins.unregister(short)
    assert hello(machine).stdout[:20] == before[:20]


def test_the_first_name_is_outermost() -> None:
    log: list[str] = []

    class Say:
        def __init__(self, name: str) -> None:
            self.name = name

        @linux.syscall("write")
        def write(self, call: Any, lwp: Any, *args: int) -> Any:
            log.append(self.name)
            return call(lwp, *args)

    machine = boot()
    machine.plugins.register(Say("b"), "b")
    machine.plugins.register(Say("a"), "a")
    hello(machine)
    assert log[:2] == ["a", "b"]


def test_a_veto() -> None:
    machine = boot(plugins=[Deny()])
    assert hello(machine).stdout == b""


def test_a_wrapper_that_breaks_fails_the_call() -> None:
    class Broken:
        @linux.syscall("write")
        def write(self, call: Any, lwp: Any, *args: int) -> Any:
            return 1 // 0

    machine = boot(plugins=[Broken()])
    hello(machine)
    (failure,) = machine.plugins.failures
    assert (failure.hook, failure.disabled) == ("syscall write", True)
    assert hello(machine).stdout != b""


def test_a_machine_is_saved_inside_a_wrapped_call() -> None:
    class Late:
        """The first write waits a second; it is entered again after the wait."""

        @linux.syscall("write")
        def write(self, call: Any, lwp: Any, *args: int) -> Any:
            if lwp.sysstate is None:
                lwp.sysstate = "waited"
                raise Sleep(deadline=lwp.kernel.now + lwp.kernel.cycles(10**9))
            return call(lwp, *args)

    machine = boot(plugins=[Late()])
    zone = machine.zone("l")
    zone.put("/hello", guest("hello", "linux"))
    job = zone.start(["/hello"])
    while job.proc.lwps[0].sysstate != "waited":
        machine.step()
    snap = machine.snapshot()
    machine.run_until([job.proc], door=job)
    first = job.result().stdout, machine.kernel.now
    machine.restore(snap)
    proc = machine.kernel.prfind(job.pid)
    assert proc is not None
    machine.run_until([proc])
    assert machine.kernel.now == first[1] > 10**9
    assert first[0]


@pytest.mark.parametrize(
    ("brand", "name", "said"),
    [
        ("linx", "write", "no brand 'linx' .did you mean 'linux'"),
        ("linux", "wriite", "no system call 'wriite' .did you mean 'write'"),
        (
            "linux",
            "getpid",
            "as many arguments as getpid of brand linux, which are 0; it takes 3",
        ),
    ],
)
def test_wrappers_that_fit_nothing(brand: str, name: str, said: str) -> None:
    class Wrong:
        @calls_of(brand).syscall(name)
        def wrap(self, call: Any, lwp: Any, a: int, b: int, c: int) -> Any: ...

    machine = Machine(memory="16M", brands=load_brands())
    with pytest.raises(PluginError, match=said):
        machine.plugins.register(Wrong(), "wrong")
    assert machine.plugins.names() == []
