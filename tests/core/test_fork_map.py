"""docs/fork-map.md names functions and steps that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from personae.core.hookspecs import BrandSpec, ClassSpec, ContractSpec
from tests.core.machines import native

MAP = Path(__file__).parents[2] / "docs" / "fork-map.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in MAP.read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| fork.c"))
]
SPECS = {n for spec in (BrandSpec, ClassSpec, ContractSpec) for n in vars(spec)}


def names(column: int) -> list[str]:
    return sorted({n for row in ROWS for n in re.findall(r"`([^`]+)`", row[column])})


@pytest.mark.parametrize("name", names(2))
def test_each_function_exists(name: str) -> None:
    if name in SPECS:
        return
    module, _, rest = name.partition(".")
    if module == "vm":
        _, _, rest = rest.partition(".")
        module = "vm.as_"
    here: object = importlib.import_module(f"personae.core.{module}")
    for part in rest.split("."):
        here = getattr(here, part)


def test_each_step_of_fork_and_vfork_is_in_the_map() -> None:
    machine, zone = native("forkstep", "vforktest", "true")
    seen: set[str] = set()
    for argv in (["/bin/forkstep"], ["/bin/vforktest"]):
        zone.run(argv)
        seen |= set(machine.kernel.last_fork_steps)
    generic = {re.sub(r":.*", "", step) for step in seen}
    written = {re.sub(r":.*", "", step) for step in names(3)}
    inner = {  # lwp_create's and forklwp's, which one row stands for
        "thread_create", "lwp_alloc", "b_lwpdata_alloc", "lwp_enter", "b_initlwp",
        "lwp_ctmpl_copy", "cl_alloc",
    }  # fmt: skip
    assert generic - written - inner == set()
