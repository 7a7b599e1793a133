"""Processor sets need a privilege that a zone has only by ``limitpriv``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.cred import parse_privs

CASE = Path(__file__).parent / "cases" / "85-pset.c"


@pytest.mark.parametrize("cpus", [1, 4])
def test_with_the_privilege(
    cpus: int, boot: Callable[..., Any], build_case: Callable[[str, Path], Path]
) -> None:
    """The whole case; that without the privilege is among all cases."""
    zone = {"limitpriv": parse_privs("default,sys_res_config")}
    files = {"case": build_case("native", CASE)}
    z = boot("native", files, zone=zone, cpus=cpus)
    r = z.run(["/case"], timeout="20s")
    assert (r.returncode, r.stdout) == (0, b"")
    assert z.machine.kernel.psets == {}
