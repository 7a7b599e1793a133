"""What a hook costs: an operation beside a method, an observer nobody listens to.

Usage: python bench/hooks.py [-r ROUNDS]

Each figure is the least of many short runs, alternating, so that a busy machine does
not disturb the ratio.  The goals: an operation at most 1.5 times a call of a bound
method, an observer without listeners under 60 ns.
"""

from __future__ import annotations

import argparse
from timeit import Timer

from personae.core.brand import DefaultOps
from personae.core.hookspecs import BrandSpec, hookimpl
from personae.core.observers import Observers
from personae.core.plugin import Vector

OPERATION_GOAL = 1.5
OBSERVER_GOAL = 60.0
LOOPS = 1000


class Ops(DefaultOps):
    """Operations that do nothing; some leave the last argument out."""

    @hookimpl
    def b_elfexec(self, lwp: object, image: object) -> None:
        """Nothing."""

    @hookimpl
    def b_lwp_setrval(self, lwp: object, v1: int, v2: int) -> None:
        """Takes all of them."""

    @hookimpl
    def b_sysret(self, lwp: object, v1: int) -> None:
        """Leaves v2 out."""

    @hookimpl
    def b_syserr(self, lwp: object, errno: int) -> None:
        """Takes all of them."""


CALLS = {
    "nothing": "pass",
    "bound method": "ops.plugin.b_lwp_setrval(1, 2, 3)",
    "operation": "ops.b_lwp_setrval(1, 2, 3)",
    "operation, an argument left out": "ops.b_sysret(1, 2, 3)",
    "observer without listeners": "for watch in obs.personae_proc_exit: watch(1)",
}


def measure(rounds: int) -> dict[str, float]:
    """Nanoseconds of each kind of call."""
    plugin = Ops()
    ops = Vector(BrandSpec, plugin, "bench", DefaultOps)
    scope = {"ops": ops, "plugin": plugin, "obs": Observers()}
    timers = {
        name: Timer(code.replace("ops.plugin", "plugin"), globals=scope)
        for name, code in CALLS.items()
    }
    least = dict.fromkeys(CALLS, float("inf"))
    for _ in range(rounds):
        for name, timer in timers.items():
            least[name] = min(least[name], timer.timeit(LOOPS))
    return {
        name: (t - least["nothing"]) / LOOPS * 1e9
        for name, t in least.items()
        if name != "nothing"
    }


def verdicts(found: dict[str, float]) -> list[tuple[str, float, float]]:
    """What is promised: name, figure, goal."""
    method = found["bound method"]
    left_out = found["operation, an argument left out"]
    return [
        ("operation / bound method", found["operation"] / method, OPERATION_GOAL),
        ("the same, an argument left out", left_out / method, OPERATION_GOAL),
        ("observer, ns", found["observer without listeners"], OBSERVER_GOAL),
    ]


def main() -> None:
    """Print the figures and the goals."""
    parser = argparse.ArgumentParser(description="what a hook costs")
    parser.add_argument("-r", "--rounds", type=int, default=400)
    found = measure(parser.parse_args().rounds)
    for name, ns in found.items():
        print(f"{name:<34} {ns:6.1f} ns")
    for name, figure, goal in verdicts(found):
        mark = "ok" if figure <= goal else "OVER"
        print(f"{name:<34} {figure:6.2f}     goal {goal:g}: {mark}")


if __name__ == "__main__":
    main()
