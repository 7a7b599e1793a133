"""Local sockets beyond what the C cases can see: saving, accounts, memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_snapshot import run_on

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("name", ["73-unix-stream", "74-unix-rights"])
def test_save_anywhere(
    name: str,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
    tmp_path: Path,
) -> None:
    """Queues, files on their way and half-done waits are part of a saved machine."""
    from personae.core.machine import Machine

    prog = build_case("linux", CASES / f"{name}.c")

    def start() -> Any:
        z = boot("linux", {"case": prog}, quantum=2000)
        z.start(["/case"], input=b"")
        return z.machine

    total = run_on(start())
    stops = sorted(random.Random(7).sample(range(total), 8))
    m = start()
    run_on(m, stops, tmp_path)
    for file in sorted(tmp_path.glob("*.machine")):
        again = Machine.load(file)
        run_on(again)
        assert (m.digest(), m.kernel.now) == (again.digest(), again.kernel.now)


def test_nothing_is_left(
    boot: Callable[..., Any], build_case: Callable[[str, Path], Path]
) -> None:
    """At the end no byte waits, no name is taken, no file is on its way."""
    from personae.core.vfs.vnode import counters

    z = boot("linux", {"case": build_case("linux", CASES / "74-unix-rights.c")})
    assert z.run(["/case"], timeout="20s").returncode == 0
    state = counters(z.machine.kernel)
    assert (state.sock_bytes, state.abstract, state.inflight) == (0, {}, {})
