"""Microstates: they add up to the cycle, and start at nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import personae.brands.native as brand
from personae.core.errno import KernelError
from personae.core.fork import fork1, forkall
from personae.core.lwp import Lwp
from personae.core.msacct import Lms, lwp_mstates, mstates_of, proc_mstates
from personae.core.signo import CldCode
from personae.core.sync import CondVar, Sleep
from personae.core.trap import fault
from tests.core.machines import native
from tests.core.realkernel import first, kernel

CONFORM = Path(brand.__file__).parent / "conform"


def age(lwp: Lwp) -> int:
    return sum(lwp_mstates(lwp))


def test_a_new_lwp_is_stopped() -> None:
    k = kernel()
    k.now = 1000
    lwp = first(k)
    k.now = 1500
    child = fork1(lwp).lwps[0]
    k.disp.stop(child, child.whystop)
    assert (child.ms, age(child)) == ([0] * 10, 0)
    k.now = 1700
    assert lwp_mstates(child)[Lms.STOPPED] == 200


@pytest.mark.invariant(18)
@pytest.mark.parametrize("fork", [fork1, forkall])
def test_a_clone_starts_at_nothing(fork: Callable[[Lwp], Any]) -> None:
    k = kernel()
    lwp = first(k)
    k.now = 5000
    assert age(lwp) == 5000
    child = fork(lwp)
    assert [age(t) for t in child.lwps] == [0]
    assert sum(proc_mstates(child)) == 0


def test_a_process_keeps_what_its_lwps_spent() -> None:
    k = kernel()
    lwp = first(k)
    child = fork1(lwp)
    k.now = 700
    spent = lwp_mstates(child.lwps[0])
    k.proc_exit(child.lwps[0], CldCode.EXITED, 0)
    assert proc_mstates(child) == spent
    assert sum(spent) == 700


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_states_add_up(cpus: int) -> None:
    """Over a real run: every lwp's states are its age, on however many CPUs."""
    machine, zone = native("forktest", cpus=cpus)
    k = machine.kernel
    job = zone.start(["/bin/forktest", "20"])
    born: dict[tuple[int, int], int] = {}
    total = mstates_of(k)
    while job.proc.lwps:
        machine.step()
        for p in k.practive:
            for t in p.lwps:
                got = lwp_mstates(t)
                assert min(got) >= 0
                since = born.setdefault((p.pid, t.tid), t.msince - sum(t.ms))
                assert t.msince - sum(t.ms) == since
        total = mstates_of(k) if job.proc.lwps else total
    assert total["system"] > total["user"] > 0  # it makes calls, little else


@pytest.mark.parametrize("lock", [False, True])
def test_a_wait_is_sleep_or_a_lock(lock: bool) -> None:
    k = kernel()
    lwp = first(k)
    cv = CondVar()
    k.disp.sleep(lwp, Sleep(cv, user_lock=lock))
    k.now += 50
    k.wakeup(cv)
    k.now += 7
    got = lwp_mstates(lwp)
    assert got[Lms.USER_LOCK if lock else Lms.SLEEP] == 50
    assert (got[Lms.WAIT_CPU], sum(got)) == (7, 57)


def test_a_waker_that_is_behind() -> None:
    """The sleeper does not go back in its own time."""
    k = kernel()
    lwp = first(k)
    k.now = 900
    cv = CondVar()
    k.disp.sleep(lwp, Sleep(cv))
    k.now = 300
    k.wakeup(cv)
    assert lwp.ready == 900


def test_on_cpu_time_is_user_and_system() -> None:
    machine, zone = native("forktest")
    p = zone.start(["/bin/forktest", "3"]).proc
    machine.run_until([p])
    got = proc_mstates(p)
    assert (got[Lms.USER], got[Lms.SYSTEM]) == (p.utime, p.stime)


@pytest.mark.parametrize("cpus", [1, 2])
def test_traps_and_faults_are_no_instructions(cpus: int) -> None:
    """What the CPUs have retired is what the processes have, to the instruction."""
    machine, zone = native("true", cpus=cpus)
    k = machine.kernel
    zone.put("/exec", (CONFORM / "exec.elf").read_bytes())
    zone.mount_tmpfs("/tmp")
    p = zone.start(["/exec"]).proc
    machine.run_until([p])
    assert k.trapped > 0
    assert sum(c.instret for c in k.cpus) == p.utime + p.cutime


def test_a_fault_of_the_kernel() -> None:
    """A copy that does not go through at once costs the caller."""
    machine, zone = native("forktest")
    k = machine.kernel
    p = zone.start(["/bin/forktest", "3"]).proc
    lwp, space = p.lwps[0], p.as_
    assert space is not None
    before, now = lwp_mstates(lwp)[Lms.KFAULT], k.now
    k.current = lwp
    with pytest.raises(KernelError):
        space.copyin(8, 8)
    k.current = None
    cost = k.config.fault_cost
    assert lwp_mstates(lwp)[Lms.KFAULT] - before == k.now - now == cost


@pytest.mark.parametrize(
    ("trap", "access", "state"),
    [(2, 0, Lms.TRAP), (7, 0, Lms.DFAULT), (7, 1, Lms.DFAULT), (7, 2, Lms.TFAULT)],
    ids=["breakpoint", "load", "store", "fetch"],
)
def test_which_state(trap: int, access: int, state: Lms) -> None:
    k = kernel()
    lwp = first(k)
    lwp.regs[70] = access
    fault(k, lwp, trap)
    got = lwp_mstates(lwp)
    cost = k.config.trap_cost if state is Lms.TRAP else k.config.fault_cost
    assert got[state] == sum(got) == k.now == cost


def test_report() -> None:
    machine, zone = native("forktest")
    zone.start(["/bin/forktest", "3"])
    machine.step()
    assert list(machine.report()["microstates"]) == [s.name.lower() for s in Lms]
