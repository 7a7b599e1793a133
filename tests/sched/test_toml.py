"""The keys of a configuration file that are about CPU time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.config import loads
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


@pytest.mark.parametrize("kw", [{"pool": "none"}, {"scheduling_class": "XX"}])
def test_no_such_thing(kw: dict[str, str]) -> None:
    m = Machine(classes=[])
    with pytest.raises(MachineError, match="no "):
        m.add_zone("z", brand="native", **kw)  # type: ignore[arg-type]
