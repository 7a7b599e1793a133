"""``personae demo``: the same story told by two personalities on one kernel."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from typing_extensions import override

from personae.core.cli import CliError
from personae.core.cli.session import Session
from personae.core.machine import Machine

SEED = 42
ZONES = (("web", "linux"), ("lab", "native"))
GUEST = "demo.elf"
SCRIPT = b"""/demo || exit
echo "-- a shell of this zone, with programs of its own:" $(ls /usr/bin)
sleep 2 | sleep 2 &
sleep 1
ptree $$
prstat -c 1 1 | head -n 4
echo "-- a command in a process contract, and the events of it"
ctwatch -r -n 2 process &
sleep 1
ctrun -i exit sh -c 'exit 3'
echo "its status: $?"
wait
"""
"""What the zone of a brand with a shell does: the story, and then its programs."""


def demo(args: argparse.Namespace) -> int:
    """Boot two zones, run the same program in both, show that it repeats.

    The native zone goes on with its shell and the programs that come with it.
    """
    first = tell(show=True)
    second = tell(show=False)
    same = first == second
    print(f"digest {first}")
    print(f"a second run with the same seed: {'the same' if same else second}")
    if not same:
        raise CliError("demo: the two runs differ; this is a bug of personae")
    return 0


def tell(*, show: bool) -> str:
    """One run of the demonstration; its digest."""
    machine = Machine(seed=SEED, cpus=2)
    with machine:
        session = Story(machine, listen=False, quiet=not show)
        for name, brand in ZONES:
            zone = machine.add_zone(name, brand=brand)
            zone.put("/demo", guest(brand))
            argv = ["/demo"]
            if "sh" in zone.zone.brand.programs:
                zone.put("/story", SCRIPT)
                argv = ["/bin/sh", "/story"]
            session.start(zone, argv, {}, init=True, prefix=f"{name:>4} | ")
        status = session.finish()
        if status:
            raise CliError(f"demo: a guest ended with {status}")
        if show:
            summary(machine)
        return machine.digest()


class Story(Session):
    """A session that shows the processes once, when all of them sleep."""

    shown = False

    @override
    def pump(self, idle: bool, until_ns: int | None) -> bool:
        moved = super().pump(idle, until_ns)
        if idle and until_ns and not self.shown and not self.quiet:
            self.shown = True
            for name, brand in ZONES:
                print(f"-- the processes of zone {name} ({brand}), asleep:")
                print(self.machine.ptree(name), end="", flush=True)
        return moved


def guest(brand: str) -> bytes:
    """The program of a brand, as it comes with the package."""
    path = files(f"personae.brands.{brand}") / "guests" / GUEST
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"demo: {Path(str(path))}: cannot be read: {error}") from None


def summary(machine: Machine) -> None:
    """What the machine has counted."""
    report = machine.report()
    forks = report["forks"] + report["vforks"]
    calls = sum(report["syscalls"].values())
    print(
        f"{len(ZONES)} zones, {forks} forks, {calls:,} system calls, "
        f"{report['instructions']:,} instructions, "
        f"{report['virtual_seconds']:.3f} s virtual"
    )
