"""Find the process contract type, by entry point ``personae.contracts``.

The kernel has what all contracts share; the type that fork and exit work with is a
plugin named ``process``.  Where none is installed there are no contracts, and
processes fork all the same (docs/adr/0008).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from personae.core.contract import NoContracts
from personae.core.ctmpl import PROCESS
from personae.core.plugin import PluginError

GROUP = "personae.contracts"


@lru_cache(maxsize=1)
def contract_points() -> tuple[EntryPoint, ...]:
    """Entry points of the installed contract types; they don't change in a run."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda p: p.value))


def contract_packages() -> set[str]:
    """Top-level packages that types come from, which saved machines may name."""
    return {p.module.partition(".")[0] for p in contract_points()}


def load_contract_type() -> object:
    """Make the process contract type for one machine: it counts its own ids.

    Raises:
        PluginError: There are two, or it can't be made; the text says why.
    """
    points = [p for p in contract_points() if p.name == PROCESS]
    if not points:
        return NoContracts()
    if len(points) > 1:
        both = " and ".join(p.value for p in points)
        raise PluginError(f"two contract types are named {PROCESS!r}: {both}")
    where = f"contract type {PROCESS} ({points[0].value})"
    try:
        make: Any = points[0].load()
        made: object = make()
    except Exception as e:  # whatever a plugin's import does, the user is told
        raise PluginError(f"{where} can't be loaded: {type(e).__name__}: {e}") from e
    return made
