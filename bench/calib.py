"""How fast this machine is at this moment, and how to get a CPU to oneself.

A figure is only comparable beside the speed of what produced it: an empty loop of
Python takes 3.8 ns a turn on the quiet reference machine and several times that on a
crowded one, while a chain of additions in C hardly changes.
"""

from __future__ import annotations

import math
import os
import subprocess
from pathlib import Path
from time import perf_counter

QUIET_NS = 3.8
"""One turn of the empty loop on the quiet reference machine (CPython 3.11)."""
QUIET_ADD_NS = 0.2475
"""One dependent addition in C there (4.04 GHz)."""
TURNS = 50_000


def loop_ns() -> float:
    """Nanoseconds that one turn of an empty loop takes now, best of five."""
    best = math.inf
    for _ in range(5):
        began = perf_counter()
        for _ in range(TURNS):
            pass
        best = min(best, perf_counter() - began)
    return best / TURNS * 1e9


def add_ns(adds: Path) -> float:
    """Nanoseconds of one addition in C now, by the program ``adds``."""
    return float(subprocess.run([adds], check=True, stdout=-1).stdout)


def pin() -> str:
    """Run on one CPU before all others, if we may; returns what came of it.

    Children inherit it.
    """
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    except PermissionError:
        return f"CPU {cpu}, without real-time priority"
    return f"CPU {cpu}, SCHED_FIFO"
