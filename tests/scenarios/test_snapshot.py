"""A machine saved at any trap goes on in another program as if nothing had been."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POINTS = 20
RESUME = """
import sys
from personae.core.disp import Status
from personae.core.machine import Machine
for path in sys.argv[1:]:
    m = Machine.load(path)
    while m.step() is not Status.IDLE:
        pass
    print(m.digest(), m.kernel.now)
"""


def run_on(m: Any, stops: list[int] | None = None, folder: Path | None = None) -> int:
    """Step to the end, saving before the steps in ``stops``; answers how many."""
    from personae.core.disp import Status

    done = 0
    while True:
        if stops is not None and folder is not None and done in stops:
            m.save(folder / f"{done:06}.machine")
        if m.step() is Status.IDLE:
            return done
        done += 1


@pytest.mark.parametrize(
    ("brand", "argv"),
    [
        ("native", ["/demo"]),
        ("linux", ["/demo"]),
        ("linux", ["/sigstorm", "40"]),
    ],
    ids=["native-demo", "linux-demo", "linux-sigstorm"],
)
def test_save_anywhere(
    brand: str,
    argv: list[str],
    boot: Callable[..., Any],
    guest_file: Callable[[str, str], Path],
    tmp_path: Path,
) -> None:
    """Twenty places, chosen by a seeded generator, all end in the same digest."""

    def start() -> Any:
        name = argv[0][1:]
        # a short slice gives many places to stop at
        z = boot(brand, {name: guest_file(brand, name)}, cpus=2, quantum=2000)
        z.start(argv, input=b"")
        return z.machine

    total = run_on(start())
    stops = sorted(random.Random(1).sample(range(total), min(POINTS, total)))
    m = start()
    assert total == run_on(m, stops, tmp_path)
    files = sorted(tmp_path.glob("*.machine"))
    assert len(stops) == len(files)
    out = subprocess.run(
        [sys.executable, "-c", RESUME, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert out.stderr == ""
    assert [f"{m.digest()} {m.kernel.now}"] * len(files) == out.stdout.splitlines()


SCRIPT = """
seq 1 200 | sort -rn | head -n 3
for i in 1 2 3; do (sleep 0.$i; echo job $i) & done; wait
echo $(echo sub | tr a-z A-Z) >f; cat f; mkfifo p; (echo fifo >p) & cat p; wait
trap 'echo usr1' USR1; kill -USR1 $$; tar c f | tar t; (exit 5); echo $?
"""


@pytest.mark.slow
@pytest.mark.parametrize("cpus", [1, 3])
def test_save_a_shell(cpus: int, busybox_root: Path, tmp_path: Path) -> None:
    """The same with busybox at work on a root file system from a host folder."""
    from personae.core.machine import Machine

    def start() -> Any:
        m = Machine(cpus=cpus, quantum=5000)
        z = m.add_zone("sh", brand="linux", rootfs=busybox_root)
        z.start(["/bin/busybox", "sh", "-c", SCRIPT], cwd="/tmp", input=b"")
        return m

    total = run_on(start())
    stops = sorted(random.Random(cpus).sample(range(total), POINTS))
    m = start()
    assert total == run_on(m, stops, tmp_path)
    out = subprocess.run(
        [sys.executable, "-c", RESUME, *map(str, sorted(tmp_path.glob("*.machine")))],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert out.stderr == ""
    assert [f"{m.digest()} {m.kernel.now}"] * POINTS == out.stdout.splitlines()


def test_restore(
    boot: Callable[..., Any], guest_file: Callable[[str, str], Path]
) -> None:
    """Going back in the same program repeats what came after."""
    z = boot("native", {"forktest": guest_file("native", "forktest")})
    m = z.machine
    snap = m.snapshot()
    first = z.run(["/forktest", "5"]), m.digest()
    m.restore(snap)
    again = z.run(["/forktest", "5"]), m.digest()
    assert first == again
