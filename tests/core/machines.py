"""Machines with native guests, for tests of the kernel by real programs."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from personae.core.brands import load_brands
from personae.core.machine import Machine
from personae.core.zonerun import ZoneHandle


def guest(name: str, brand: str = "native") -> bytes:
    """An embedded guest program."""
    return (files(f"personae.brands.{brand}") / "guests" / f"{name}.elf").read_bytes()


def native(*names: str, **options: Any) -> tuple[Machine, ZoneHandle]:
    """A machine with one native zone that has these programs in /bin."""
    machine = Machine(brands=load_brands(["native"]), **options)
    zone = machine.add_zone("n", brand="native")
    for name in names:
        zone.put(f"/bin/{name}", guest(name))
    return machine, zone
