"""The keys of a configuration file that are about CPU time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.config import ConfigError, loads
from personae.core.machine import Machine, MachineError
from tests.sched.stage import retired, run_for

TEXT = """\
[machine]
cpus = 4
clock-hz = 10_000_000
quantum = 10_000
[pool.batch]
cpus = "2-3"
scheduler = "FX"
[pool.fair]
cpus = "0-1"
[zone.web]
pool = "batch"
[zone.web.capped-cpu]
ncpus = 0.5
[zone.a]
pool = "fair"
cpu-shares = 1
[zone.b]
pool = "fair"
cpu-shares = 3
[zone.live]
scheduling-class = "RT"
"""


def test_supported() -> None:
    assert loads(TEXT).warnings == ()


def test_machine(tmp_path: Path, elf: Callable[..., Path]) -> None:
    """What the file says is what the zones' programs get."""
    path = tmp_path / "m.toml"
    path.write_text(TEXT)
    m = Machine.from_toml(path).boot()
    jobs = {}
    for name in ("web", "a", "b"):
        m.zone(name).put("/p", elf("sched").read_bytes())
        jobs[name] = m.zone(name).start(["/p", "burn", "4"])
    classes = {n: j.proc.lwps[0].cls.name for n, j in jobs.items()}
    assert classes == {"web": "FX", "a": "FSS", "b": "FSS"}
    assert m.zone("live").zone.class_name() == "RT"
    run_for(m, 4)
    k = m.kernel
    parts = {n: retired(k.zone_procs(m.zone(n).zone)) / (4 * 10_000_000) for n in jobs}
    assert parts["web"] == pytest.approx(0.5, rel=0.02)
    assert parts["b"] / parts["a"] == pytest.approx(3, rel=0.05)
    assert sum(parts.values()) == pytest.approx(2.5, rel=0.02)


DEDICATED = """\
[machine]
cpus = 6
[pool.batch]
cpus = "0"
[pool.other]
[zone.few.dedicated-cpu]
ncpus = "1-4"
[zone.many.dedicated-cpu]
ncpus = "1-3"
importance = 5
[zone.rest]
"""


def test_dedicated_cpus(tmp_path: Path) -> None:
    """By importance, and nobody else's; the rest is for the default pool."""
    path = tmp_path / "m.toml"
    path.write_text(DEDICATED)
    assert loads(DEDICATED).warnings == ()
    m = Machine.from_toml(path)
    cpus = {name: pool.cpus for name, pool in m.kernel.pools.items()}
    assert cpus == {
        "default": (0,),
        "SUNWtmp_few": (4, 5),
        "SUNWtmp_many": (1, 2, 3),
        "batch": (0,),
        "other": (0,),
    }
    assert m.zone("few").zone.pool is m.kernel.pools["SUNWtmp_few"]
    assert m.zone("rest").zone.pool is None


@pytest.mark.parametrize("ncpus", ["1", '"2-3"'])
def test_no_cpu_to_dedicate(ncpus: str) -> None:
    cpus = 1 if ncpus == "1" else 2
    text = f"[machine]\ncpus = {cpus}\n[zone.a.dedicated-cpu]\nncpus = {ncpus}"
    with pytest.raises(ConfigError, match=r"too many CPUs: machine.cpus is"):
        loads(text)


@pytest.mark.parametrize("kw", [{"pool": "none"}, {"scheduling_class": "XX"}])
def test_no_such_thing(kw: dict[str, str]) -> None:
    m = Machine(classes=[])
    with pytest.raises(MachineError, match="no "):
        m.add_zone("z", brand="native", **kw)  # type: ignore[arg-type]
