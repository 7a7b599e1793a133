"""The mission's four hook points, where fork.c calls them (FORK-68, 74, 78)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from personae.core.brands import load_brands
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl
from personae.core.machine import Machine
from personae.plugins.faults import Faults
from tests.core.machines import native

HOOKS = (
    "b_setbrand",
    "b_copy_procdata",
    "b_clearbrand",
    "b_lwpdata_alloc",
    "b_lwpdata_free",
    "b_initlwp",
    "b_initlwp_post",
    "b_forklwp",
    "b_freelwp",
    "b_lwp_setrval",
)


@pytest.fixture(autouse=True)
def _unwrapped() -> Iterator[None]:
    """A brand's vector belongs to all machines: leave it as it was."""
    (brand,) = load_brands(["native"])
    saved = dict(vars(brand.ops))
    yield
    vars(brand.ops).update(saved)


class Recorder:
    """Steps and operations of a machine, in the order in which they happen."""

    def __init__(self, machine: Machine) -> None:
        self.log: list[str] = []
        k = machine.kernel
        brand = k.brands.brands["native"].ops
        for name in HOOKS:
            self._wrap(brand, name, name)
        self._wrap(k.classes["TS"].ops, "cl_forkret", "CL_FORKRET")
        self._wrap(k.contract_ops, "contract_process_fork", "contract_process_fork")
        machine.plugins.register(self)

    def _wrap(self, vector: Any, name: str, label: str) -> None:
        real = getattr(vector, name)

        def call(*args: Any) -> Any:
            self.log.append(label)
            return real(*args)

        setattr(vector, name, call)

    @hookimpl
    def personae_proc_create(self) -> None:
        self.log.append("proc_create")


def run(machine: Machine, zone: Any, *argv: str) -> list[str]:
    """Run a guest with a recorder from its first instruction on."""
    job = zone.start([f"/bin/{argv[0]}", *argv[1:]])
    rec = Recorder(machine)
    machine.run_until([job.proc], door=job)
    assert job.result().returncode == 0, job.result()
    return rec.log


PER_FORK = [
    "b_setbrand",
    "b_copy_procdata",
    "b_lwpdata_alloc",
    "b_initlwp",
    "b_initlwp_post",
    "b_forklwp",
    "contract_process_fork",
    "b_lwp_setrval",
]


@pytest.mark.invariant(68, brand="native")
def test_order_of_the_hooks_of_a_fork() -> None:
    """FORK-74, FORK-68: each once, in fork.c's order, CL_FORKRET last."""
    log = run(*native("forktest"), "forktest", "1")
    assert log[: len(PER_FORK) + 2] == [*PER_FORK, "CL_FORKRET", "proc_create"]


@pytest.mark.invariant(68, brand="native")
def test_a_vfork_never_calls_forkret() -> None:
    """FORK-68."""
    log = run(*native("vforktest", "true"), "vforktest")
    assert log[: len(PER_FORK) + 1] == [*PER_FORK, "proc_create"]
    assert "CL_FORKRET" not in log


@pytest.mark.invariant(78, 79, 114)
@pytest.mark.parametrize(
    ("step", "undone"),
    [
        ("b_copy_procdata", ["b_setbrand", "b_clearbrand"]),
        ("rctl_set_dup", ["b_setbrand", "b_copy_procdata", "b_clearbrand"]),
        (
            "b_initlwp:1",
            [
                "b_setbrand",
                "b_copy_procdata",
                "b_lwpdata_alloc",
                "b_lwpdata_free",
                "b_clearbrand",
            ],
        ),
        (
            "contract_process_fork",
            [*PER_FORK[:6], "b_freelwp", "b_clearbrand"],
        ),
    ],
)
def test_a_failed_fork_gives_back_what_the_hooks_made(
    step: str, undone: list[str]
) -> None:
    """FORK-78, FORK-79, FORK-114: set_rval never runs for a discarded child."""
    machine, zone = native("forkstep")
    faults = Faults()
    machine.plugins.register(faults)
    with faults.inject(point=f"fork1:{step}", error="EAGAIN"):
        job = zone.start(["/bin/forkstep"])
        rec = Recorder(machine)
        machine.run_until([job.proc], door=job)
    assert rec.log[: len(undone)] == undone
    assert rec.log[len(undone)] == "b_setbrand"  # the second fork, which succeeds


@pytest.mark.invariant(120)
def test_the_contract_hook_can_be_replaced() -> None:
    """``contract_process_fork`` is an operation: another type may refuse."""
    machine, zone = native("forkstep")
    job = zone.start(["/bin/forkstep"])
    real = machine.kernel.contract_ops.contract_process_fork
    calls = []

    def refuse_first(tmpl: Any, child: Any, parent: Any, canfail: bool) -> Any:
        calls.append(child)
        if len(calls) == 1:
            raise KernelError(Errno.ENOMEM, "not this one")
        return real(tmpl, child, parent, canfail)

    machine.kernel.contract_ops.contract_process_fork = refuse_first
    machine.run_until([job.proc], door=job)
    out = job.result().stdout.decode().splitlines()
    assert (len(out), out[1]) == (2, "fork 2: child exited with 42")
    assert "11" in out[0]  # FORK-120: whatever the cause, EAGAIN
