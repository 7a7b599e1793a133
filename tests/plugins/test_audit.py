"""The plugin audit: records of a real process tree, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.audit import AuditClass, AuditData, audit_get, audit_set
from personae.core.config import loads
from personae.core.cred import PRIV_BASIC, Cred
from personae.core.errno import Errno, KernelError
from personae.core.points import load_plugin
from personae.plugins.audit import Audit
from tests.invariants.stage import Stage, Watch

SOURCE = Path(__file__).parent / "audit.c"


@pytest.fixture
def zone(boot: Callable[..., Any], build_case: Callable[[str, Path], Path]) -> Any:
    return boot("linux", {"audit": build_case("linux", SOURCE)})


def audited(zone: Any, audit: Audit, **data: int) -> Any:
    zone.machine.plugins.register(audit)
    job = zone.start(["/audit"])
    if data:
        audit_set(job.proc, zone.zone.kernel.kcred, **data)
    zone.machine.run_until([job.proc], door=job)
    return job.proc


def test_a_tree(zone: Any) -> None:
    audit = Audit()
    audited(zone, audit, auid=501, asid=7)
    records = [json.loads(line) for line in audit.lines().splitlines()]
    assert records == audit.records
    mine = [r for r in records if r["auid"] is not None]
    assert {(r["auid"], r["session"], r["zone"]) for r in mine} == {(501, 7, "z")}
    top = mine[0]["pid"]
    kinds = [(r["event"], r["pid"] - top) for r in mine]
    assert kinds == [
        ("fork", 0),
        ("cred", 1),
        ("exec", 1),
        ("exit", 1),
        ("fork", 0),
        ("fork", 2),
        ("signal", 3),
        ("signal", 2),
        ("exit", 0),
    ]
    cred, execed, ended = mine[1:4]
    assert (cred["old"], cred["uid"], cred["euid"]) == ([0, 0, 0, 0], 1000, 1000)
    assert (execed["path"], execed["args"]) == ("/audit", ["audit", "3"])
    assert (ended["status"], ended["uid"]) == (3, 1000)
    crash, killed = mine[6:8]
    assert (crash["signal"], crash["core"]) == ("SIGSEGV", False)
    assert (killed["signal"], killed["sender"]) == ("SIGTERM", top)
    times = [r["time_ns"] for r in records]
    assert times == sorted(times)
    assert times[0] < times[-1]


def test_the_report(zone: Any) -> None:
    audit = Audit()
    p = audited(zone, audit, auid=501)
    top = p.pid if p.pid > 0 else audit.records[-1]["pid"]
    assert audit.report(top).splitlines()[1:] == [
        f"  {top + 1} auid=501 uid 0/0->1000/1000 /audit exit 3",
        f"  {top + 2} auid=501 SIGTERM",
        f"    {top + 3} auid=501 SIGSEGV",
    ]
    assert audit.report().endswith(audit.report(top))


def test_masks_and_choices(zone: Any, tmp_path: Path) -> None:
    """A process' own mask and the plugin's both have to want a record."""
    audit = Audit(kinds=("exec", "signal"), zones=("z",), file=tmp_path / "log")
    audited(zone, audit, mask=int(AuditClass.SIGNAL))
    events = [r["event"] for r in audit.records]
    assert events == ["exec", "signal", "signal"]  # the first before the mask was set
    assert (tmp_path / "log").read_text() == audit.lines()
    with pytest.raises(ValueError, match="no kind of record"):
        Audit(kinds=("open",))


def test_it_only_listens(zone: Any, boot: Any, build_case: Any) -> None:
    audited(zone, Audit())
    other = boot("linux", {"audit": build_case("linux", SOURCE)})
    other.run(["/audit"])
    assert zone.machine.digest() == other.machine.digest()


def test_from_config() -> None:
    got = load_plugin(
        "audit", loads('[plugin.audit]\nkinds = ["exit"]\nzones = ["web"]\n')
    )
    assert (got._mask, got._zones) == (AuditClass.EXIT, {"web"})


def test_who_may_set_it() -> None:
    s = Stage("native")
    assert audit_get(s.p) == AuditData()
    plain = Cred(5, 5).copy(epriv=PRIV_BASIC)
    for cred, auid, errno in (
        (plain, 1, Errno.EPERM),
        (s.k.kcred, 1 << 32, Errno.EINVAL),
    ):
        with pytest.raises(KernelError) as e:
            audit_set(s.p, cred, auid=auid)
        assert e.value.errno is errno
    assert s.p.audit is None


def test_a_fork_copies_it_and_a_failed_one_leaves_it() -> None:
    """Step G14."""
    s = Stage("linux")
    audit_set(s.p, s.k.kcred, auid=9, asid=1)
    child = s.fork()
    assert child.audit == s.p.audit
    audit_set(child, s.k.kcred, asid=2)
    assert s.p.audit == AuditData(9, 1)
    s.exit(child)
    s.fork()
    watch = Watch(s)
    for step in s.steps():
        watch.at = step
        s.fails()
