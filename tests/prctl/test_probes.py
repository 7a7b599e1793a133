"""Probes, tracepoints, helpers and context operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.pctx import installctx, installpctx
from personae.core.probes import Helper, Probes, Provider, plant, unplant
from personae.plugins.faults import Faults

Traced = Callable[..., Any]
Symbol = Callable[[str, str], int]
invariant = pytest.mark.invariant


def test_probes_of_a_fork(traced: Traced) -> None:
    t = traced("calls", "fork")
    probes, seen = Probes(t.machine.plugins), []
    assert t.k.fork_probe() is None
    for spec in ("proc:::", "fbt::fork1:dtrace_fork", "sysinfo:::sysfork"):
        probes.enable(spec, lambda name, *args: seen.append(name))
    assert t.finish()[0] == 5
    wanted = [
        "fbt:genunix:fork1:dtrace_fork",
        "proc:genunix:lwp_create:lwp-create",
        "sysinfo:genunix::sysfork",
        "proc:genunix:cfork:create",
        "proc:genunix:lwp_exit:lwp-exit",
        "proc:genunix:proc_exit:exit",
        "proc:genunix:sigtoproc:signal-send",
        "proc:genunix:lwp_exit:lwp-exit",
        "proc:genunix:proc_exit:exit",
    ]
    assert [s for s in seen if s in wanted][: len(wanted) - 2] == wanted[:-2]
    for spec in ("proc:::", "fbt::fork1:dtrace_fork", "sysinfo:::sysfork"):
        probes.disable(spec)
    assert t.k.fork_probe() is None


@pytest.mark.parametrize(
    ("spec", "errno"), [("proc:::nothing", Errno.ESRCH), ("proc", Errno.EINVAL)]
)
def test_a_probe_that_is_none(traced: Traced, spec: str, errno: Errno) -> None:
    with pytest.raises(KernelError) as e:
        Probes(traced("calls", "write").machine.plugins).enable(spec, print)
    assert e.value.errno is errno


def test_faults_and_signals(traced: Traced) -> None:
    t, seen = traced("calls", "fault"), []
    probes = Probes(t.machine.plugins)
    probes.enable("proc:::fault", lambda name, lwp, flt, addr: seen.append((flt, addr)))
    probes.enable("proc:::signal-handle", lambda name, lwp, sig, info: seen.append(sig))
    assert t.finish()[0] == -11
    assert seen == [(6, 8), 11]


def test_tracepoints_are_not_in_the_child(traced: Traced, symbol: Symbol) -> None:
    """C11: ``touch`` runs in parent, child, parent; the child's copy is clean."""
    t, seen = traced("watch"), []
    touch = symbol("watch", "touch")
    point = plant(t.proc, touch, "touch")
    Probes(t.machine.plugins).enable(
        "pid:::touch", lambda name, lwp: seen.append(lwp.proc)
    )
    assert t.finish()[0] == 0
    assert seen == [t.proc, t.proc]
    assert point.hits == 2


def test_a_tracepoint_is_taken_away(traced: Traced, symbol: Symbol) -> None:
    t, touch = traced("watch"), symbol("watch", "touch")
    before = t.control.read(touch, 4)
    point = plant(t.proc, touch, "touch")
    assert t.control.read(touch, 2) == b"\x02\x90"
    unplant(t.proc, touch)
    assert t.control.read(touch, 4) == before
    assert (t.finish()[0], point.hits) == (0, 0)


@invariant(112)
def test_helpers_follow_forks(traced: Traced) -> None:
    """C12, D6: two after a fork, one after each end and after a fork that failed."""
    t = traced("calls", "fork")
    provider = Provider("test")
    t.proc.dtrace_helpers = [Helper(provider, b"x")]
    while not t.proc.children():
        t.machine.step()
    assert provider.live == 2
    assert t.finish()[0] == 5
    assert provider.live == 0


@invariant(112)
def test_helpers_of_a_fork_that_fails(traced: Traced) -> None:
    t = traced("calls", "fork")
    provider, faults = Provider("test"), Faults()
    t.proc.dtrace_helpers = [Helper(provider, b"x")]
    t.machine.plugins.register(faults)
    with faults.inject(point="fork1:contract_process_fork", error="EAGAIN"):
        while not t.k.last_fork_steps or t.proc.lwps[0].sysent is not None:
            t.machine.step()
            if "contract_process_fork" in t.k.last_fork_steps:
                break
    assert provider.live == 1


class Ctx:
    """A context that tells what befalls it."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def fork(self, child: object) -> Ctx:
        self.log.append("fork")
        return Ctx(self.log)

    def free(self, who: object, isexec: bool) -> None:
        self.log.append("exec" if isexec else "free")


@pytest.mark.parametrize("install", ["process", "lwp"])
def test_context_operations(traced: Traced, install: str) -> None:
    """C20: copied at the fork, freed at the child's end and at the parent's."""
    t, log = traced("calls", "fork"), []
    if install == "process":
        installpctx(t.proc, Ctx(log))
    else:
        installctx(t.proc.lwps[0], Ctx(log))
    assert t.finish()[0] == 5
    assert log == ["fork", "free", "free"]
