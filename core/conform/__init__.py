"""The conformance kit: prove that a brand does what brands have to do.

A brand says what it has in ``Brand(..., conformance=Conformance(...))``; the kit adds
suites that every brand gets for nothing.

    personae conform NAME...              # prints the matrix brand by area
    pytest --personae-brand NAME          # the same, with pytest's own options

From Python: ``cases(brand)`` and ``run_case(brand, case, cpus=1, seed=0)``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.conform.declare import Call, Calls, Conformance
    from personae.core.conform.result import CaseResult, Check, Checks
    from personae.core.conform.stage import Stage
    from personae.core.conform.suite import Case, cases, run_case

__all__ = [
    "Call",
    "Calls",
    "Case",
    "CaseResult",
    "Check",
    "Checks",
    "Conformance",
    "Stage",
    "cases",
    "run_case",
]

_HOMES = {
    "declare": ("Call", "Calls", "Conformance"),
    "result": ("CaseResult", "Check", "Checks"),
    "stage": ("Stage",),
    "suite": ("Case", "cases", "run_case"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
