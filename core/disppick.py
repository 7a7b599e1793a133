"""Choosing a lwp when not every lwp may run everywhere or at any time.

A lwp runs on the CPUs of its processor set or of its process' pool, on one of them
alone if it is bound (processor_bind(2)), and not while its zone or its project has used
up its cap.  A binding to a CPU outside of these has no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cpucap import may_start
from personae.core.pset import PS_NONE, pset_cpus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.cpu import Cpu
    from personae.core.disp import Dispatcher
    from personae.core.lwp import Lwp


def allowed(lwp: Lwp, cpu: Cpu) -> bool:
    """Whether a lwp may use a CPU at all."""
    pool, bound = lwp.proc.pool, lwp.bind_cpu
    cpus = pool.cpus if pool is not None else ()
    if lwp.kernel.psets:
        cpus = lwp.kernel.psets.get(lwp.bind_pset) or pset_cpus(lwp.kernel, PS_NONE)
    if cpus and cpu.id not in cpus:
        return False
    if bound < 0 or bound == cpu.id:
        return True
    return bound >= lwp.kernel.ncpus or bool(cpus and bound not in cpus)


def pick(disp: Dispatcher) -> tuple[int, Cpu, Lwp] | None:
    """When, where and what runs next: the CPU that can start something first.

    Each CPU offers the lwp of the highest priority that it may run now, else the one
    that it may run first: it leaves another CPU that is further on, or its zone's
    next window begins.  None if no CPU may run any.
    """
    best: tuple[int, Cpu, Lwp] | None = None
    cpus = disp.kernel.cpus
    if disp.shuffle is not None:
        cpus = disp.shuffle.mixed(cpus)
    for cpu in sorted(cpus, key=_clock):
        offer = _offer(disp, cpu)
        if offer is None:
            continue
        start, lwp = offer
        if start == cpu.clock:  # the other CPUs are further on
            return best if best is not None and best[0] <= start else (start, cpu, lwp)
        if best is None or start < best[0]:
            best = start, cpu, lwp
    return best


def _clock(cpu: Cpu) -> int:
    return cpu.clock


def _offer(disp: Dispatcher, cpu: Cpu) -> tuple[int, Lwp] | None:
    later: tuple[int, Lwp] | None = None
    for pri in sorted(disp.queues, reverse=True):
        queue: Iterable[Lwp] = disp.queues[pri]
        if disp.shuffle is not None:
            queue = disp.shuffle.mixed(queue)
        for lwp in queue:
            if not allowed(lwp, cpu):
                continue
            start = max(cpu.clock, lwp.ready)
            if disp.capped:
                start = may_start(lwp.proc, start)
            if start == cpu.clock:
                return start, lwp
            if later is None or start < later[0]:
                later = start, lwp
    return later
