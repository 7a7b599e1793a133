"""Scheduling calls of the linux brand: nice values, policies, affinity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from tests.sched.stage import FAST, PRIVILEGED, retired, run_for, zone

Elf = Callable[..., Path]


@pytest.mark.parametrize("realtime", [False, True])
@pytest.mark.parametrize("cls", ["TS", "FSS"])
def test_policies(elf: Elf, realtime: bool, cls: str) -> None:
    m = Machine(cpus=4)
    z = zone(
        m,
        "z",
        elf("policy", "linux"),
        brand="linux",
        scheduling_class=cls,
        limitpriv=PRIVILEGED if realtime else None,
    )
    r = z.run(["/p", *(["realtime"] if realtime else [])], timeout="60s")
    assert (r.returncode, r.stdout) == (0, b"")
    assert ledger_check(m.kernel) == []


def test_nice_counts(elf: Elf) -> None:
    """Who is nice gets less of the CPU."""
    m = Machine(**FAST)
    z = zone(m, "z", elf("sched", "linux"), brand="linux")
    jobs = [z.start(["/p", "spin", "100000000"]) for _ in range(2)]
    cls = jobs[1].proc.lwps[0].cls
    assert cls is not None
    cls.donice(jobs[1].proc.lwps[0], m.kernel.kcred, 15)
    run_for(m, 5)
    normal, nice = (retired([j.proc]) for j in jobs)
    assert normal > 1.5 * nice > 0


def test_affinity_within_the_pool(elf: Elf) -> None:
    """CPUs outside of the pool are not there, as with a cpuset."""
    m = Machine(cpus=4)
    m.kernel.pool_create("two", (0, 1))
    z = zone(m, "z", elf("policy", "linux"), brand="linux", pool="two")
    r = z.run(["/p"], timeout="60s")
    assert r.stdout.startswith(b"wrong: CPU 3: errno 22\n")
    assert b"CPU 1" not in r.stdout


def test_tcsetpgrp_moves_the_boost(elf: Elf) -> None:
    """IA: whoever has the terminal has the boost."""
    m = Machine(**FAST)
    z = zone(m, "z", elf("front", "linux"), brand="linux", scheduling_class="IA")
    job = z.start(["/p"], tty=(24, 80))
    seen = set()
    while not job.done:
        m.step()
        child = job.proc.child
        if child is not None and child.lwps and job.proc.lwps:
            seen.add((job.proc.lwps[0].cldata.boost, child.lwps[0].cldata.boost))
    assert job.result().returncode == 0
    assert {(10, 10), (0, 10)} <= seen
