"""Wild zone(2) calls of a program with every privilege: errors, and nothing worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.zone import ZoneState
from personae.core.zonelife import zone_destroy, zone_halt, zone_ready
from personae.core.zonerun import ZoneHandle

GUESTS = Path(__file__).parent / "guests"


@pytest.mark.parametrize(("seed", "cpus"), [(1, 1), (2, 1), (3, 4), (4, 1)])
def test_wild_zone_calls(
    world: Callable[..., ZoneHandle],
    cross_cc: str,
    guestbuild: object,
    tmp_path: Path,
    seed: int,
    cpus: int,
) -> None:
    """The program ends, the books balance, and every zone that is left can go."""
    elf = tmp_path / "hostile"
    guestbuild.build("native", GUESTS / "hostile.c", elf, cross_cc)  # type: ignore[attr-defined]
    g = world({"hostile": elf}, cpus=cpus)
    for n in range(3):  # an init that stays
        g.put(f"/h{n}/sbin/init", elf.read_bytes())
    r = g.run(["/hostile", "1500", str(seed)], timeout="100s")
    assert (r.returncode, r.stdout) == (0, b"hostile: 1500 calls\n")
    k = g.machine.kernel
    assert k.zone_uniqid > 5  # some of it was not refused
    for zone in [z for z in k.zones.values() if z.id]:
        if zone.state < ZoneState.READY:
            zone_ready(zone)
        zone_halt(zone)
        zone_destroy(zone)
    assert list(k.zones) == [0]
    assert k.brands.refcnt == {"native": 1, "linux": 0}
