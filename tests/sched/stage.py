"""Machines and guests for tests of the scheduling classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personae.core.cred import PRIV_ZONE, Priv
from personae.core.machine import Machine
from personae.core.proc import Proc

GUESTS = Path(__file__).parent / "guests"
CLASSES = ("TS", "IA", "FX", "FSS", "RT")
PRIVILEGED = PRIV_ZONE | {Priv.PROC_PRIOCNTL, Priv.PROC_PRIOUP}
FAST: dict[str, Any] = {"clock_hz": 10_000_000, "quantum": 10_000}
"""A slow clock: a virtual second is ten million instructions."""


def zone(
    machine: Machine, name: str, elf: Path, brand: str = "native", **kw: Any
) -> Any:
    """A booted zone of a machine with one program, ``/p``."""
    z = machine.add_zone(name, brand=brand, **kw)
    z.put("/p", elf.read_bytes())
    return z


def retired(procs: list[Proc]) -> int:
    """Instructions that the living lwps of processes have retired."""
    return sum(t.regs[66] for p in procs for t in p.lwps)


def run_for(machine: Machine, seconds: float) -> None:
    """Let a machine run for a virtual time."""
    k = machine.kernel
    limit = k.now + int(seconds * k.config.clock_hz)
    while min(c.clock for c in k.cpus) < limit:
        machine.step(limit)
