"""The report of a run as plain data and as JSON, and the tree of processes.

Everything in it comes from the guests and the machine's constants, so the
reports of two runs with the same seed are equal byte for byte.  A command that
writes one adds what only it knows: ``exit_status`` and ``host_seconds``.  Reads the
kernel, changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from personae.core._version import __version__
from personae.core.msacct import mstates_of
from personae.core.proc import ProcFlag, ProcStat

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc
    from personae.core.zone import Zone

PEAK_FRAMES = 2
"""HW_STAT_FRAMES_PEAK."""
FORMAT = 1
"""Version of the report; raised when a field changes its meaning."""


def run_report(kernel: Kernel) -> dict[str, Any]:
    """What happened on a machine so far."""
    config = kernel.config
    made = syscalls(kernel)
    return {
        "format": FORMAT,
        "personae": __version__,
        "machine": {
            "seed": config.seed,
            "cpus": config.cpus,
            "memory": config.memory,
            "clock_hz": config.clock_hz,
            "quantum": config.quantum,
            "schedule_seed": config.schedule_seed,
        },
        "virtual_seconds": kernel.now_ns / 1e9,
        "cycles": kernel.now,
        "instructions": sum(cpu.instret for cpu in kernel.cpus),
        "instructions_by_cpu": [cpu.instret for cpu in kernel.cpus],
        "forks": kernel.kstat.get("sysfork", 0),
        "vforks": kernel.kstat.get("sysvfork", 0),
        "execs": kernel.kstat.get("sysexec", 0),
        "syscalls": merged(made.values()),
        "syscalls_by_brand": made,
        "unknown_syscalls": merged(z.unknown_syscalls for z in kernel.zones.values()),
        "microstates": mstates_of(kernel),
        "peak_frames": kernel.hw.stat(PEAK_FRAMES),
        "digest": kernel.digest(),
        "counters": dict(sorted(kernel.kstat.items())),
        "oopses": list(kernel.oopses),
        "zones": [zone_report(zone) for _, zone in sorted(kernel.zones.items())],
        "notices": list(kernel.notices),
    }


def merged(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, added up."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def syscalls(kernel: Kernel) -> dict[str, dict[str, int]]:
    """How often each call of each brand was made."""
    made: dict[str, dict[str, int]] = {}
    for name, brand in sorted(kernel.brands.brands.items()):
        calls = {
            ent.name: kernel.syscalls[ent]
            for _, ent in sorted(brand.sysent.items())
            if ent in kernel.syscalls
        }
        if calls:
            made[name] = calls
    return made


def zone_report(zone: Zone) -> dict[str, Any]:
    """One zone: what it is, and what it was refused."""
    return {
        "id": zone.id,
        "name": zone.name,
        "brand": zone.brand.name,
        "state": zone.state.name.lower(),
        "processes": zone.nprocs,
        "lwps": zone.nlwps,
        "failed_forks": {
            "limit": zone.ffcap,
            "no_process": zone.ffnoproc,
            "no_memory": zone.ffnomem,
            "other": zone.ffmisc,
        },
        "unknown_syscalls": dict(sorted(zone.unknown_syscalls.items())),
    }


def to_json(report: dict[str, Any]) -> str:
    """The report as text, the same for the same report."""
    return json.dumps(report, indent=2, ensure_ascii=True) + "\n"


def ptree(
    kernel: Kernel,
    zone: str | None = None,
    *,
    system: bool = False,
    contracts: bool = False,
    zones: bool = False,
) -> str:
    """Show the tree of processes, in the manner of p-tools (ptree(1)).

    Args:
        kernel: The kernel.
        zone: Only the processes of this zone.
        system: Kernel processes as well (-a).
        contracts: A line for each process contract above its members (-c).
        zones: Each process with its zone before it.
    """
    shown = [
        proc
        for proc in reversed(kernel.practive)  # oldest first
        if (system or not proc.flag & ProcFlag.SSYS)
        and proc.stat is not ProcStat.SIDL
        and zone in (None, proc.zone.name)
    ]
    children: dict[int, list[Proc]] = {}
    pids = {proc.pid for proc in shown}
    for proc in shown:
        parent = proc.ppid if proc.ppid in pids and proc.pid else -1
        children.setdefault(parent, []).append(proc)
    width = max((len(proc.zone.name) for proc in shown), default=0)
    lines: list[str] = []
    todo = [(0, 0, proc) for proc in reversed(children.get(-1, []))]
    while todo:
        depth, above, proc = todo.pop()
        mark = f"{proc.zone.name:<{width}} " if zones else ""
        ct = proc.ct_process.id if contracts and proc.ct_process is not None else above
        if ct != above:
            lines.append(f"{mark}{'  ' * depth}[process contract {ct}]")
            depth += 1
        lines.append(f"{mark}{'  ' * depth}{proc.pid:<5} {command_of(proc)}")
        below = reversed(children.get(proc.pid, []))
        todo += [(depth + 1, ct, child) for child in below]
    return "".join(f"{line}\n" for line in lines)


def command_of(proc: Proc) -> str:
    """What a process runs, for a line of a listing."""
    if proc.stat is ProcStat.SZOMB:
        return "<defunct>"
    return proc.user.u_psargs.decode(errors="replace")
