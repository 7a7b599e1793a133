"""The cases of a brand, and how one is run."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.conform.result import CaseResult, apply_gaps, parse_ktap
from personae.core.conform.stage import TIMEOUT, Stage
from personae.core.errno import KernelError, Panic
from personae.core.machine import MachineError
from personae.core.savefile import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from personae.core.brand import Brand

GENERIC = {
    "fork": "generic:registers",
    "books": "generic:books",
    "killed": "generic:killed",
    "every-step": "generic_faults:every_step",
    "hook-order": "generic_faults:hook_order",
    "brand-fails": "generic_faults:brand_fails",
    "same-twice": "generic_run:same_twice",
    "other-process": "generic_run:other_process",
    "snapshots": "generic_run:snapshots",
    "hostile": "generic_run:hostile",
}
"""The cases that every brand has: their names, and where they are in this package."""


@dataclass(frozen=True)
class Case:
    """One case of a suite.

    Attributes:
        area: What it is about.
        name: How ``--case`` names it: the area for a program, ``generic.NAME``.
        program: The guest program, or None.
        function: The Python check, ``package.module:function``; empty for a program.
    """

    area: str
    name: str
    program: Path | None = None
    function: str = ""


def cases(brand: Brand) -> list[Case]:
    """All cases of a brand: its programs, its checks, the generic ones.

    Raises:
        ValueError: Its folder of programs is not there or empty.
    """
    said = brand.conformance
    out: list[Case] = []
    if said.programs is not None:
        found = sorted(said.programs.glob("*.elf"))
        if not found:
            raise ValueError(
                f"brand {brand.name}: no programs (AREA.elf) in {said.programs}"
            )
        out += [Case(p.stem, p.stem, program=p) for p in found]
    out += [
        Case(area, f"python.{area}", function=where)
        for area, where in sorted(said.checks.items())
    ]
    out += [
        Case("generic", f"generic.{name}", function=f"personae.core.conform.{where}")
        for name, where in GENERIC.items()
    ]
    return out


def chosen(brand: Brand, wanted: Iterable[str]) -> list[Case]:
    """The cases of these names or areas; all if there are none.

    Raises:
        ValueError: A name fits none.
    """
    every = cases(brand)
    names = list(wanted)
    for name in names:
        if not any(name in (c.name, c.area) for c in every):
            known = ", ".join(c.name for c in every)
            raise ValueError(f"brand {brand.name} has no case {name!r}; it has {known}")
    return [c for c in every if not names or c.name in names or c.area in names]


def run_case(brand: Brand, case: Case, cpus: int = 1, seed: int = 0) -> CaseResult:
    """Run a case on a machine of its own.

    Whatever goes wrong is a failed check of the result; nothing is raised.
    """
    result = CaseResult(brand.name, case.area, case.name, cpus, seed)
    config = None
    if case.program is not None:
        toml = case.program.with_suffix(".toml")
        config = toml if toml.exists() else None
    stage = Stage(brand, cpus, seed, config)
    try:
        if case.program is not None:
            _run_program(stage, case.program, result)
        else:
            _function(case.function)(stage)
    except (Panic, KernelError, MachineError, SaveError) as e:
        stage.check(False, "the machine goes on", "Panic", _reason(e))
    except Exception as e:  # of a check, or of a brand outside of any call
        stage.check(False, "the case runs to its end", "-", _reason(e))
    else:
        stage.close()
    result.checks = stage.checks
    apply_gaps(case.area, result.checks, brand.conformance.gaps)
    result.instructions = stage.instructions
    result.digest = stage.digest()
    return result


def _run_program(stage: Stage, program: Path, result: CaseResult) -> None:
    zone = stage.configured_zone()
    path = f"/conform/{program.stem}"
    zone.put(path, program.read_bytes())
    done = zone.run([path], timeout=TIMEOUT)
    text = done.stdout.decode(errors="replace")
    stage.checks += parse_ktap(text, done.returncode)
    if any(c.outcome == "failed" for c in stage.checks):
        result.output = text + done.stderr.decode(errors="replace")


def _function(where: str) -> Callable[[Stage], None]:
    module, _, name = where.partition(":")
    found: Callable[[Stage], None] = getattr(importlib.import_module(module), name)
    return found


def _reason(e: Exception) -> str:
    """The exception, and where in the brand or the kernel it came from."""
    lines = traceback.format_exception_only(type(e), e)
    frames = traceback.extract_tb(e.__traceback__)
    if frames:
        lines.append(f"in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}")
    return "".join(lines)
