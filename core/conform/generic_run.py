"""The suites that every brand gets: the same run twice, snapshots, hostile calls."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

from personae.core.brands import brand_points, load_brands
from personae.core.conform.generic import lacks
from personae.core.conform.stage import Stage
from personae.core.disp import Status
from personae.core.errno import KernelError, Panic
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.zone import ZoneState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.kernel import Kernel
    from personae.core.machine import Machine
    from personae.core.zonerun import ZoneHandle

TURNS = 12
"""Calls of each number, with other arguments each time."""
SLICE = 400_000
"""Cycles that a hostile program gets."""
MAX_LWPS = 24
"""Of the zone in which hostile programs run."""
SNAPSHOTS = 12


def _programs(stage: Stage) -> list[tuple[str, bytes]]:
    """Everything the kit has for the brand."""
    guests, calls = stage.guests, stage.guests.calls
    out = [("leaf", guests.leaf())]
    if {"fork", "wait"} <= calls.keys():
        out += [("forker", guests.forker()), ("orphan", guests.orphan(2000))]
        if "vfork" in calls:
            out.append(("vforker", guests.forker("vfork")))
        if "exec" in calls:
            out.append(("execer", guests.execer()))
    return out


def _start_all(stage: Stage, zone: ZoneHandle) -> None:
    for name, elf in _programs(stage):
        zone.put(f"/conform/{name}", elf)
        zone.start([f"/conform/{name}"])


def _steps(zone: ZoneHandle, limit: int = 5000) -> Iterator[int]:
    """Step a machine until the zone is empty; before each step its number."""
    for n in range(limit):
        k = zone.machine.kernel
        if not k.zone_procs(zone.zone):
            return
        yield n
        if zone.machine.step(k.now + 200) is Status.IDLE:
            return


# ---- determinism ----


def same_twice(stage: Stage) -> None:
    """Two machines with one seed do the same, to the last count."""
    if lacks(stage, "exit"):
        return
    (one, first), (two, second) = _everything(stage), _everything(stage)
    what = "two runs with one seed have one digest"
    stage.equal(two, one, what, "architecture: determinism")
    left = ledger_diff(ledger(first), ledger(second), ignore=())
    what = "and one ledger, with all statistics"
    stage.check(not left, what, "architecture: determinism", "\n".join(left[:5]))


def _everything(stage: Stage) -> tuple[str, Kernel]:
    """Run all that the kit has on one machine; its digest and its kernel."""
    z = stage.zone(max_lwps=MAX_LWPS)
    _start_all(stage, z)
    for _n in _steps(z):
        pass
    for number in _numbers(stage):
        _one(stage, z, number, TURNS // 2)
        if z.zone.state is not ZoneState.RUNNING:
            break
    return z.machine.digest(), z.machine.kernel


def digest_of(name: str, cpus: int, seed: int) -> str:
    """What ``other_process`` asks another Python: the digest of everything."""
    (brand,) = load_brands([name])
    return _everything(Stage(brand, cpus, seed))[0]


def other_process(stage: Stage) -> None:
    """Another Python, with another seed of its hashes, does the same."""
    if lacks(stage, "exit"):
        return
    what = "two processes whose sets and hashes differ have one digest"
    name = stage.brand.name
    if name not in [p.name for p in brand_points()]:
        why = f"no installed package has a brand {name}, so no process finds it"
        stage.skip(what, why, "architecture: determinism")
        return
    code = f"print(run.digest_of({name!r}, {stage.cpus}, {stage.seed}))"
    cmd = [sys.executable, "-c", f"from {__name__.rpartition('.')[0]} import "]
    cmd[-1] += f"generic_run as run; {code}"
    got = []
    for hash_seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        r = subprocess.run(cmd, env=env, capture_output=True, text=True, check=False)
        got.append(r.stdout or r.stderr)
    ok = got[0] == got[1] and got[0].startswith("sha256:")
    stage.check(ok, what, "architecture: determinism", "\n".join(got))


def snapshots(stage: Stage) -> None:
    """A machine that is saved and loaded in the middle goes on as if nothing was."""
    if lacks(stage, "exit"):
        return
    plain, steps = _run(stage, frozenset())
    rng = random.Random(stage.seed)
    at = frozenset(rng.sample(range(steps), min(SNAPSHOTS, steps)))
    try:
        saved, _ = _run(stage, at)
    except Exception as e:  # whatever pickle says of a brand's data
        text = f"{type(e).__name__}: {e}"
        stage.check(False, "the machine can be saved", "savefile", text)
        stage.machines.pop()
        return
    what = f"saved and loaded at {len(at)} of {steps} steps it does the same"
    stage.equal(saved, plain, what, "savefile")


def _run(stage: Stage, at: frozenset[int]) -> tuple[str, int]:
    """Run everything at once; save and load before the steps ``at``."""
    m: Machine = stage.machine()
    z = stage.zone(machine=m)
    _start_all(stage, z)
    n = 0
    for n in _steps(z):
        if n in at:
            m.restore(m.snapshot())
    return m.digest(), n


# ---- hostile calls ----


def _numbers(stage: Stage) -> list[int]:
    """All numbers of the table but the one of exit, and some that it does not have."""
    table = stage.brand.sysent
    last = max(table)
    exit_ = stage.guests.numbers[str(stage.guests.calls["exit"][0])]
    return [n for n in [*sorted(table), last + 1, last + 1000] if n != exit_]


def _one(stage: Stage, zone: ZoneHandle, number: int, turns: int) -> None:
    """Let one program make one call with bad arguments, then end all it left."""
    seed = stage.seed * 1000003 + number * 7919 + 1
    k = zone.machine.kernel
    zone.put("/conform/hostile", stage.guests.hostile(number, turns, seed))
    job = zone.start(["/conform/hostile"])
    end = k.now + SLICE
    while not job.done and k.now < end:
        if zone.machine.step(end) is Status.IDLE:
            break  # it waits for what never comes
        job.pump(False, None)
    stage.end_all(zone)


def hostile(stage: Stage) -> None:
    """Every call with arguments that mean harm: an errno or a signal, never more."""
    if lacks(stage, "exit"):
        return
    zone = None
    wrong: list[str] = []
    asked = _numbers(stage)
    for number in asked:
        if zone is None or zone.zone.state is not ZoneState.RUNNING:
            zone = stage.zone(max_lwps=MAX_LWPS)
        ent = stage.brand.sysent.get(number)
        name = ent.name if ent is not None else "not in the table"
        k = zone.machine.kernel
        oopses = len(k.oopses)
        try:
            _one(stage, zone, number, TURNS)
        except (Panic, KernelError) as e:
            wrong.append(f"{number} ({name}): {type(e).__name__}: {e}")
            stage.machines.remove(zone.machine)
            zone = None
            continue
        if len(k.oopses) > oopses:
            wrong.append(f"{number} ({name}): {k.oopses.pop()}")
        if bad := ledger_check(k):
            wrong.append(f"{number} ({name}): {bad[0]}")
            stage.machines.remove(zone.machine)
            zone = None
    what = f"{len(asked)} numbers with bad arguments: an errno or a signal, no more"
    text = "\n".join(wrong[:10])
    stage.check(not wrong, what, "architecture: errors", text)
