"""A stage: what a check runs its guests on, and where it writes what it found.

A stage makes machines with the brand under test, adds up what they did, and looks
at their books in the end.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from personae.core.brands import load_brands
from personae.core.conform.guests import LEAF, Guests
from personae.core.conform.result import Checks
from personae.core.disp import Status
from personae.core.exit import kill_proc
from personae.core.hookspecs import hookimpl
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.signo import CldCode

if TYPE_CHECKING:
    from pathlib import Path

    from personae.core.brand import Brand
    from personae.core.proc import Proc
    from personae.core.zonerun import Completed, ZoneHandle

ZONE = "conform"
"""The zone that a stage makes, and that a TOML file may name."""
TIMEOUT = "60s"
"""Virtual time after which a program is a failure."""


class Stage(Checks):
    """Machines for one case.

    Args:
        brand: The brand under test.
        cpus: CPUs of its machines.
        seed: Their seed.
        config: The TOML file of the machine; a plain one with the zone ``conform``
            if there is none.

    Attributes:
        guests: The kit's own programs, in the brand's calls.
    """

    def __init__(
        self, brand: Brand, cpus: int = 1, seed: int = 0, config: Path | None = None
    ) -> None:
        super().__init__()
        self.brand = brand
        self.cpus = cpus
        self.seed = seed
        self.config = config
        self.guests = Guests(brand)
        self.machines: list[Machine] = []

    # ---- making ----

    def machine(self, brand: Brand | None = None, **more: Any) -> Machine:
        """A machine that knows the brand, and the native one of global zones.

        Args:
            brand: Another one in its place, such as a watched copy.
            more: Keywords for ``Machine``.
        """
        mine = brand or self.brand
        others = [b for b in load_brands() if b.name != mine.name]
        settings = {"cpus": self.cpus, "seed": self.seed, **more}
        m = Machine(brands=[mine, *others], **settings)
        self.machines.append(m)
        return m

    def zone(
        self, brand: Brand | None = None, machine: Machine | None = None, **more: Any
    ) -> ZoneHandle:
        """A booted zone of the brand with the kit's ``LEAF`` in it.

        Args:
            brand: Another brand in its place.
            machine: Where; a new one by default.
            more: Keywords for ``Machine.add_zone``.
        """
        m = machine or self.machine(brand)
        z = m.add_zone(ZONE, brand=self.brand.name, **more)
        if "exit" in self.guests.calls:
            z.put(LEAF, self.guests.leaf())
        return z

    def configured_zone(self) -> ZoneHandle:
        """The zone for a program: as the TOML file has it, or a plain one."""
        if self.config is None:
            return self.zone()
        m = Machine.from_toml(self.config, self._overrides()).boot()
        self.machines.append(m)
        mine = [z for z in m.zones if z.id and z.zone.brand.name == self.brand.name]
        named = [z for z in mine if z.name == ZONE]
        if not mine and self.brand.name == m.zones[0].zone.brand.name:
            has_files = m.zones[0].zone.root is not None
            return m.zones[0] if has_files else m.set_global()
        if not named and len(mine) != 1:
            raise ValueError(
                f"{self.config}: name one zone {ZONE!r}; there are {len(mine)} of "
                f"brand {self.brand.name}"
            )
        return (named or mine)[0]

    def _overrides(self) -> dict[str, Any]:
        return {"machine.cpus": self.cpus, "machine.seed": self.seed}

    # ---- running ----

    def run(self, zone: ZoneHandle, elf: bytes, name: str = "guest") -> Completed:
        """Put a program into a zone and run it until it exits."""
        path = f"/conform/{name}"
        zone.put(path, elf)
        return zone.run([path], timeout=TIMEOUT)

    def settle(self, zone: ZoneHandle, limit: int = 10_000_000) -> None:
        """Let what still lives in a zone end, for so many cycles at most."""
        k = zone.machine.kernel
        end = k.now + limit
        while k.zone_procs(zone.zone) and k.now < end:
            if zone.machine.step(end) is Status.IDLE:
                break

    def end_all(self, zone: ZoneHandle) -> None:
        """End what still lives in a zone."""
        k = zone.machine.kernel
        for p in reversed(k.zone_procs(zone.zone)):
            kill_proc(p)

    # ---- the end ----

    def close(self) -> None:
        """Look at the books of every machine; what is wrong is a failed check."""
        for m in self.machines:
            wrong = ledger_check(m.kernel)
            if wrong:
                text = "\n".join(wrong)
                self.check(False, "the kernel's books balance", "FORK-115", text)
            for oops in m.kernel.oopses:
                self.check(False, "no handler breaks", "BrandSpec", oops)

    @property
    def instructions(self) -> int:
        """Retired by all machines."""
        return sum(cpu.instret for m in self.machines for cpu in m.kernel.cpus)

    def digest(self) -> str:
        """Hash over all that the guests of all machines did."""
        text = "".join(m.digest() for m in self.machines)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class Exits:
    """An observer: how each process ended, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    @hookimpl
    def personae_proc_exit(self, proc: Proc) -> None:
        """Note pid and status; a signal is negative."""
        exited = proc.wcode == CldCode.EXITED
        self.seen.append((proc.pid, proc.wdata & 0xFF if exited else -proc.wdata))

    def take(self) -> list[int]:
        """The statuses so far, and forget them."""
        out = [status for _, status in self.seen]
        self.seen.clear()
        return out
