"""Zones made, booted, entered and destroyed, by guests and from outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.kernel import Kernel
from personae.core.ledger import ledger, ledger_diff
from personae.core.machine import Machine, MachineError
from personae.core.vfs.lookup import lookup, mounts_below
from personae.core.zone import Zone, ZoneState
from personae.core.zonelife import (
    zone_boot,
    zone_create,
    zone_destroy,
    zone_halt,
    zone_ready,
    zone_set_root,
)
from personae.core.zonerun import ZoneHandle, make_dirs

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "brands" / "native"
PROGRAMS = {"zone": 101, "zoneenter": 28, "zoneview": 19}
"""Conformance programs, and how many checks each has."""
TRUE_LINUX = ROOT / "brands" / "linux" / "guests" / "true.elf"
World = Callable[..., ZoneHandle]


def conform(name: str) -> Path:
    return NATIVE / "conform" / f"{name}.elf"


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("name", PROGRAMS)
def test_zones_from_c(world: World, name: str, cpus: int) -> None:
    """zone(2) from a program: every check holds, and nothing of its zones stays."""
    g = world({"prog": conform(name), "true.elf": TRUE_LINUX}, cpus=cpus)
    k = g.machine.kernel
    before = ledger(k)
    r = g.run(["/prog"], timeout="60s")
    bad = [line for line in r.stdout.splitlines() if not line.startswith(b"ok ")]
    assert bad[:2] == [b"KTAP version 1", b"# area zone"]
    assert (bad[2:], r.returncode) == ([b"1..%d" % PROGRAMS[name]], 0)
    assert list(k.zones) == [0]
    diff = ledger_diff(before, ledger(k))
    # the global zone keeps a shared segment and the files the program made
    kept = ("ipc", "shm", "ref", "holds", "anon", "frames", "vnode", "hw.")
    assert [d for d in diff if not any(word in d for word in kept)] == []


def test_same_run_same_digest(world: World) -> None:
    digests = set()
    for _ in range(2):
        g = world({"prog": conform("zoneenter")})
        g.run(["/prog"], timeout="60s")
        digests.add(g.machine.digest())
    assert len(digests) == 1


def make_zone(k: Kernel, name: str, brand: str = "native") -> Zone:
    root = k.zones[0].root
    assert root is not None
    zone = zone_create(k, name, brand)
    path = f"/zones/{name}/root"
    zone_set_root(zone, make_dirs(root, path, zone.cred), path.encode())
    return zone


def test_nothing_is_left_of_a_destroyed_zone(world: World) -> None:
    k = world({}).machine.kernel
    for brand in ("native", "linux"):
        zone_destroy_all(k, make_zone(k, "z", brand))  # its folders stay
    before = ledger(k)
    for brand in ("native", "linux"):
        zone = make_zone(k, "z", brand)
        zone.set_rctl("zone.max-physical-memory", 8 << 20)
        zone_boot(zone)
        assert zone.acct != 0
        assert zone.root is not None
        root = zone.root
        assert mounts_below(k, root) == zone.mounts != []
        zone_destroy_all(k, zone)
        assert ledger_diff(before, ledger(k)) == []
        assert mounts_below(k, root) == []
    assert k.accts_dead == []


def zone_destroy_all(k: Kernel, zone: Zone) -> None:
    if zone.state < ZoneState.READY:
        zone_ready(zone)
    zone_halt(zone)
    zone_destroy(zone)
    assert zone.id not in k.zones


def test_ids_go_on_and_numbers_are_not_given_twice(world: World) -> None:
    k = world({}).machine.kernel
    seen = []
    for _ in range(3):
        zone = make_zone(k, "z")
        seen.append((zone.id, zone.uniqid))
        zone_destroy_all(k, zone)
    assert seen == [(1, 1), (2, 2), (3, 3)]
    k.zone_lastid = 9998
    zone = make_zone(k, "z")
    other = make_zone(k, "y")
    assert (zone.id, other.id, other.uniqid) == (9999, 1, 5)


def test_a_zone_that_is_not_down_stays(world: World) -> None:
    k = world({}).machine.kernel
    zone = make_zone(k, "z")
    zone_ready(zone)
    with pytest.raises(KernelError) as e:
        zone_destroy(zone)
    assert e.value.errno is Errno.EBUSY
    with pytest.raises(KernelError) as e:
        zone_create(k, "z", "native")
    assert e.value.errno is Errno.EEXIST
    zone_halt(zone)
    with pytest.raises(KernelError) as e:
        zone_create(k, "z", "native")
    assert e.value.errno is Errno.EBUSY
    zone_destroy(zone)


def test_global_sees_the_roots_of_zones(tmp_path: Path) -> None:
    """A zone's files are below its zonepath, and nothing above them is the zone's."""
    rootfs = tmp_path / "root"
    (rootfs / "etc").mkdir(parents=True)
    (rootfs / "etc" / "motd").write_bytes(b"hello\n")
    m = Machine()
    g = m.set_global()
    web = m.add_zone("web", brand="linux", rootfs=rootfs)
    m.add_zone("db", brand="native", zonepath="/export/db")
    k = m.kernel
    vp = lookup(k, k.p0, b"/zones/web/root/etc/motd")
    assert vp.read(None, 0, 10, 0) == b"hello\n"
    assert lookup(k, k.p0, b"/export/db/root") is m.zone("db").zone.root
    assert web.zone.rootpath == b"/zones/web/root"
    web.put("/etc/new", b"x")
    assert lookup(k, k.p0, b"/zones/web/root/etc/new").v_size() == 1
    zsched = web.zone.zsched
    assert zsched is not None
    assert lookup(k, zsched, b"/../../..") is web.zone.root
    with pytest.raises(KernelError):
        lookup(k, zsched, b"/zones")
    with pytest.raises(MachineError, match="already"):
        m.set_global()
    assert g.name == "global"


def test_init_falls_to_the_global_zone_alone(world: World) -> None:
    """SIGKILL from the global zone ends a zone's init, from within it does not."""
    g = world({"forkbomb": NATIVE / "guests" / "init.elf"})
    m = g.machine
    z = m.add_zone("z", brand="native")
    z.put("/init", (NATIVE / "guests" / "init.elf").read_bytes())
    job = z.start(["/init"], input=b"", init=True)
    for _ in range(50):
        m.step()
    killer = _killer(m, z, job.pid)
    assert (killer, job.done, z.zone.state) == (0, False, ZoneState.RUNNING)
    killer = _killer(m, g, job.pid)
    assert (killer, job.done, z.zone.state) == (0, True, ZoneState.DOWN)


def _killer(m: Machine, zone: ZoneHandle, pid: int) -> int:
    """Send SIGKILL as a process of a zone would, and let the machine go on."""
    from personae.brands.native.sys_signal import sys_kill
    from personae.core.start import start_program

    zone.put("/sleeper", (NATIVE / "guests" / "init.elf").read_bytes())
    p = start_program(m.kernel, zone.zone, [b"/sleeper"], [], [])
    result = sys_kill(p.lwps[0], pid, 9)
    for _ in range(100):
        m.step()
    assert isinstance(result, int)
    return result
