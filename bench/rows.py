"""What the kernel's benchmarks measure: rows of programs, and how each is timed.

A row runs the same program with little and with much work, on the host, under
qemu-user and on a machine of ours; what is divided by the work is the difference of
the two times, seen from outside, so start and end of the program do not count.  The
guests' own clocks are of no use: ours is virtual.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from calib import QUIET_ADD_NS, QUIET_NS, add_ns, loop_ns

from personae.core.machine import Machine

HERE = Path(__file__).parent
CFLAGS = ("-O2", "-static", "-Wall", "-Werror", "-Wno-unused-result")


@dataclass(frozen=True)
class Row:
    """One benchmark.

    Attributes:
        name: What it is.
        unit: us or ns.
        bound: The goal in that unit; 0 for none.
        argv: Program and arguments; "N" stands for the amount of work.
        work: How much.
        little: The other amount, for the difference.
        minus: Arguments of the other run, where they differ in more than N.
        qemu: Whether qemu-user can run it.
        c: Whether the work is done in C, so that C tells how fast the machine is.
        fresh: Whether the machine is new: its memory costs the host faults, too.
    """

    name: str
    unit: str
    bound: float
    argv: tuple[str, ...]
    work: int
    little: int = 0
    minus: tuple[str, ...] = ()
    qemu: bool = True
    c: bool = False
    fresh: bool = False

    def command(self, n: int, argv: tuple[str, ...] = ()) -> list[str]:
        """The arguments for an amount of work."""
        return [a.replace("@N", str(n)) for a in argv or self.argv]

    @property
    def scale(self) -> float:
        """Seconds to the unit of one piece of work."""
        return (1e6 if self.unit == "us" else 1e9) / (self.work - self.little)


SH_FORKS = "i=0; while [ $i -lt @N ]; do (exit 0); i=$((i+1)); done"
SH_COMMANDS = "i=0; while [ $i -lt @N ]; do /bin/nothing; i=$((i+1)); done"
SH_BUILTINS = "i=0; while [ $i -lt @N ]; do i=$((i+1)); done"
SH = ("busybox", "sh", "-c")

ROWS = (
    Row("null system call (getppid)", "ns", 1000, ("syscalls", "@N"), 200_000),
    Row("fork+exit+wait", "us", 150, ("forks", "@N"), 1000),
    Row("fork+exit+wait, 64 MiB", "us", 150, ("forks", "@N", "64"), 500),
    Row("fork+exec+wait, static", "us", 0, ("execs", "@N", "nothing"), 300, qemu=False),
    Row("pipe round trip, 2 processes", "us", 0, ("pipes", "@N"), 3000),
    Row("zero-fill fault", "ns", 1000, ("faults", "@N"), 20_000, c=True),
    Row(
        "zero-fill fault, new memory",
        "ns",
        0,
        ("faults", "@N"),
        20_000,
        c=True,
        fresh=True,
    ),
    Row(
        "copy-on-write fault",
        "ns",
        1000,
        ("faults", "@N", "cow"),
        20_000,
        minus=("faults", "@N"),
        c=True,
    ),
    Row("busybox sh, subshell fork", "us", 0, (*SH, SH_FORKS), 1000),
    Row(
        "busybox sh, external command", "us", 0, (*SH, SH_COMMANDS), 1000, 0, (), False
    ),
    Row("busybox sh, loop turn", "us", 0, (*SH, SH_BUILTINS), 20_000, c=True),
)


@dataclass
class Figure:
    """What was measured of a row, in its unit; 0 where an engine did not run."""

    ours: float = 0.0
    native: float = 0.0
    qemu: float = 0.0
    slow: float = math.inf
    """How much slower the machine was beside ours than the quiet reference machine."""
    times: dict[str, list[float]] = field(default_factory=dict)


PROGRAMS = ("syscalls", "forks", "execs", "pipes", "faults", "nothing", "adds")


def build(where: Path) -> None:
    """Compile every program for the host and for the guest."""
    for engine, cc in (("native", "gcc"), ("guest", "riscv64-linux-gnu-gcc")):
        (where / engine).mkdir(exist_ok=True)
        for name in PROGRAMS:
            out = str(where / engine / name)
            source = str(HERE / "src" / f"{name}.c")
            subprocess.run([cc, *CFLAGS, "-o", out, source], check=True)


class Engines:
    """The three ways to run a program; each answers seconds.

    Args:
        where: Folder with the programs, as ``build`` left it.
        qemu: Path of qemu-riscv64.
        busybox: A riscv64 busybox, and the host's own; None without.
    """

    def __init__(
        self, where: Path, qemu: str, busybox: tuple[Path, str] | None
    ) -> None:
        self.where, self.qemu, self.busybox = where, qemu, busybox

    def machine(self) -> Machine:
        """A machine with every program in /bin."""
        m = Machine(memory="1G")
        z = m.add_zone("bench", brand="linux")
        for f in (self.where / "guest").iterdir():
            z.put(f"/bin/{f.name}", f.read_bytes())
        if self.busybox is not None:
            z.put("/bin/busybox", self.busybox[0].read_bytes())
        return m

    def ours(self, m: Machine, argv: list[str]) -> float:
        """On a machine of ours."""
        argv = [f"/bin/{a}" if a in ("nothing", argv[0]) else a for a in argv]
        began = perf_counter()
        done = m.zone("bench").run(argv)
        took = perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{argv}: {done}")
        return took

    def slow(self, c: bool) -> float:
        """How much slower the machine is now than the quiet one."""
        if c:
            return add_ns(self.where / "native" / "adds") / QUIET_ADD_NS
        return loop_ns() / QUIET_NS

    def native(self, argv: list[str]) -> float:
        """On the host itself."""
        folder = self.where / "native"
        if argv[0] == "busybox" and self.busybox is not None:
            return self._host([self.busybox[1], *argv[1:]])
        return self._host([str(folder / argv[0]), *argv[1:]], folder)

    def under_qemu(self, argv: list[str]) -> float:
        """Under qemu-user."""
        program = self.where / "guest" / argv[0]
        if argv[0] == "busybox" and self.busybox is not None:
            program = self.busybox[0]
        return self._host([self.qemu, str(program), *argv[1:]])

    @staticmethod
    def _host(argv: list[str], cwd: Path | None = None) -> float:
        began = perf_counter()
        subprocess.run(argv, check=True, cwd=cwd, stdout=subprocess.DEVNULL)
        return perf_counter() - began


def measure(row: Row, engines: Engines, rounds: int) -> Figure:
    """Run a row on each engine in turn, and take the best difference of each."""
    fig = Figure()
    # The same shell line on the host starts the host's own program.
    host = [str(engines.where / "native" / "nothing")]
    much, little = row.command(row.work), row.command(row.little)
    if row.minus:
        little = row.command(row.work, row.minus)

    def note(name: str, a: float, b: float) -> None:
        fig.times.setdefault(name, []).append((a - b) * row.scale)

    for _ in range(rounds):
        m = engines.machine()
        engines.ours(m, little if row.fresh else much)  # warm up
        before = engines.slow(row.c)
        note("ours", engines.ours(m, much), engines.ours(m, little))
        fig.slow = min(fig.slow, before, engines.slow(row.c))
        pair = [[a.replace("/bin/nothing", host[0]) for a in c] for c in (much, little)]
        note("native", engines.native(pair[0]), engines.native(pair[1]))
        if row.qemu:
            a, b = engines.under_qemu(much), engines.under_qemu(little)
            note("qemu", a, b)
    for name, times in fig.times.items():
        setattr(fig, name, max(min(times), 0.0))
    return fig


def start_up(hello: Path, rounds: int) -> tuple[float, float, float]:
    """Seconds of ``personae run`` of a small program in a new process.

    Returns:
        The first start after installation, when Python compiles the modules; a later
        one, the best; and how slow the machine was beside it.
    """
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    best, first, slow = math.inf, 0.0, math.inf
    with tempfile.TemporaryDirectory() as cache:
        env["PYTHONPYCACHEPREFIX"] = cache
        root = str(hello.parent)
        argv = [sys.executable, "-m", "personae.core", "run", "-r", root, "--"]
        for i in range(rounds + 1):
            slow = min(slow, loop_ns() / QUIET_NS)
            began = perf_counter()
            done = subprocess.run(
                [*argv, "/hello"], check=True, stdout=-1, env=env, stdin=-3
            )
            took = perf_counter() - began
            if done.stdout != b"hello\n":
                raise SystemExit(f"hello printed {done.stdout!r}")
            if i == 0:
                first = took
            else:
                best = min(best, took)
    return first, best, slow
