"""Zones: states, limits, identity."""

from __future__ import annotations

import pytest

from personae.core.cred import PRIV_ALL, PRIV_ZONE, Priv, parse_privs
from personae.core.errno import Panic
from personae.core.hookspecs import hookimpl
from personae.core.zone import Zone, ZoneState, zone_state_set
from tests.core.fakes import FakeKernel, add_zone, as_any, as_kernel


class Watcher:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    @hookimpl
    def personae_zone_state(self, zone: Zone) -> None:
        self.seen.append((zone.name, zone.state.name))


def test_states_go_up_and_are_told() -> None:
    k = FakeKernel()
    watcher = Watcher()
    k.observers.register(watcher)
    zone = Zone(as_kernel(k), 1, "web", as_any(k.native_brand))
    assert zone.state is ZoneState.UNINITIALIZED
    for state in (ZoneState.READY, ZoneState.READY, ZoneState.RUNNING):
        zone_state_set(zone, state)
    assert watcher.seen == [("web", "READY"), ("web", "RUNNING")]
    with pytest.raises(Panic, match="back"):
        zone_state_set(zone, ZoneState.READY)


@pytest.mark.parametrize("state", list(ZoneState))
def test_forkable_up_to_running(state: ZoneState) -> None:
    zone = add_zone(FakeKernel(), 1, "web")
    zone.state = state
    assert zone.forkable == (state < ZoneState.SHUTTING_DOWN)
    assert [s.value for s in ZoneState] == list(range(10))


def test_privileges() -> None:
    k = FakeKernel()
    assert k.zones[0].cred.effective == PRIV_ALL
    web = add_zone(k, 1, "web")
    assert (web.cred.effective, web.cred.zoneid) == (PRIV_ZONE, 1)
    less = Zone(
        as_kernel(k),
        2,
        "less",
        as_any(k.native_brand),
        limit=parse_privs("default,!proc_fork"),
    )
    assert not less.cred.has(Priv.PROC_FORK)
    assert less.hostname == "less"
    assert Zone(as_kernel(k), 3, "x", web.brand, hostname="host").hostname == "host"
