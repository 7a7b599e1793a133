"""Invariants that programs can see: guests that exit with 0 and print nothing.

The first comment of each C file names the invariants.  What stands in ``both`` is one
source for both brands, with the small library of the guests; what is Linux' own is
linked with glibc.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check

GUESTS = Path(__file__).parent / "guests"


def _params() -> list[Any]:
    out = []
    for brand in ("native", "linux"):
        for source in sorted(GUESTS.glob(f"{brand}/*.c")) + sorted(
            GUESTS.glob("both/*.c")
        ):
            head = source.read_text(encoding="utf-8").partition("*/")[0]
            numbers = [int(n) for n in re.findall(r"FORK-(\d+)", head)]
            marks = pytest.mark.invariant(*numbers, brand=brand)
            out.append(
                pytest.param(brand, source, id=f"{brand}-{source.stem}", marks=marks)
            )
    return out


@pytest.mark.parametrize("cpus", [1, 3])
@pytest.mark.parametrize(("brand", "source"), _params())
def test_guest(
    brand: str,
    source: Path,
    cpus: int,
    boot: Callable[..., Any],
    build: Callable[[str, Path], Path],
) -> None:
    z = boot(brand, {"guest": build(brand, source)}, cpus=cpus)
    k = z.machine.kernel
    before: dict[str, Any] = {}
    for again in (False, True):  # the first time brings the program's pages in
        r = z.run(["/guest"], timeout="200s")
        assert (r.returncode, r.stdout.decode()) == (0, "")
        assert ledger_check(k) == []
        if again:
            assert ledger_diff(before, ledger(k)) == []
        before = ledger(k)


@pytest.fixture(scope="module")
def build(
    cross_cc: str,
    guestbuild: ModuleType,
    build_case: Callable[[str, Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Path], Path]:
    """Compile a guest, once for a brand."""
    out = tmp_path_factory.mktemp("invariants")
    done: dict[tuple[str, Path], Path] = {}

    def make(brand: str, source: Path) -> Path:
        if source.parent.name == "linux":
            return build_case(brand, source)
        key = (brand, source)
        if key not in done:
            elf = out / f"{brand}-{source.stem}.elf"
            guestbuild.build(brand, source, elf, cross_cc, out)
            done[key] = elf
        return done[key]

    return make
