"""Every benchmark beside its peers, in one go: the guests' speed and the kernel's.

Usage: python bench/run.py [--quick] [--rootfs FOLDER] [--json FILE] [--only WORD]

Needs gcc, riscv64-linux-gnu-gcc and qemu-riscv64(-static); the rows with a shell
need a riscv64 busybox, from a folder made by ``personae rootfs FOLDER
busybox-static``, and busybox on the host.  Ends with status 1 when a goal is missed.

See docs/benchmarks.md for what the columns mean.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cpu
from calib import QUIET_NS, loop_ns, pin
from rows import CFLAGS, HERE, ROWS, Engines, build, measure, start_up

CPU_BOUND = 0.25
"""Goal: this part of qemu-user's speed, geometric mean."""
START_BOUND = 400.0
"""Goal: milliseconds from the shell's exec to the end of hello."""


def verdict(figure: float, bound: float, slow: float) -> str:
    """PASS; pass* if it would on the quiet machine; FAIL; empty without a goal."""
    if not bound:
        return ""
    if figure <= bound:
        return "PASS"
    return "pass*" if figure / slow <= bound else "FAIL"


def speeds(where: Path, qemu: str, rounds: int, kernels: tuple[str, ...]) -> list[Any]:
    """The CPU table: one row a kernel, and the geometric mean."""
    print("\nguest speed    Minsn   qemu s   ours s   MIPS  of qemu")
    out: list[Any] = []
    for kernel in kernels:
        theirs, ours, n = cpu.measure(cpu.build(kernel, where), qemu, rounds)
        ratio, mips = theirs / ours, n / ours / 1e6
        out.append({"name": kernel, "qemu": theirs, "ours": ours, "ratio": ratio})
        figs = f"{n / 1e6:8.1f} {theirs:8.4f} {ours:8.4f} {mips:6.0f} {ratio:8.3f}"
        print(f"{kernel:11} {figs}", flush=True)
    mean = math.exp(sum(math.log(r["ratio"]) for r in out) / len(out))
    word = "PASS" if mean >= CPU_BOUND else "FAIL"
    out.append({"name": "geometric mean", "ratio": mean, "verdict": word})
    print(f"{'geometric mean, goal':>36} {CPU_BOUND} {mean:13.3f}  {word}")
    return out


def kernel_rows(engines: Engines, args: argparse.Namespace, rounds: int) -> list[Any]:
    """The table of the kernel."""
    head = f"{'host time of':30} {'ours':>9} {'quiet':>9} {'native':>9} {'qemu':>9}"
    print(f"\n{head}   slow  goal")
    out: list[Any] = []
    for row in ROWS:
        if args.only and args.only not in row.name:
            continue
        if row.argv[0] == "busybox" and engines.busybox is None:
            print(f"{row.name:30} left out: no busybox, see --rootfs")
            continue
        if args.quick:
            row = dataclasses.replace(row, work=max(row.work // 5, 100))
        fig = measure(row, engines, rounds)
        quiet = fig.ours / fig.slow
        word = verdict(fig.ours, row.bound, fig.slow)
        figs = "".join(
            f" {x:6.{x < 100:d}f} {row.unit}" if x else f" {'-':>9}"
            for x in (fig.ours, quiet, fig.native, fig.qemu)
        )
        goal = f"{row.bound:.0f} {row.unit} {word}" if row.bound else ""
        print(f"{row.name:30}{figs} {fig.slow:5.2f}  {goal}", flush=True)
        out.append({**dataclasses.asdict(row), **vars(fig), "verdict": word})
    return out


def start_rows(where: Path, rounds: int) -> list[Any]:
    """The start of the command."""
    root = where / "root"
    root.mkdir()
    cc = ["riscv64-linux-gnu-gcc", *CFLAGS, "-o", str(root / "hello")]
    subprocess.run([*cc, str(HERE / "src" / "hello.c")], check=True)
    first, best, slow = start_up(root / "hello", rounds)
    out: list[Any] = []
    for name, took in (
        ("personae run hello", best),
        ("  the first after installing", first),
    ):
        ms = took * 1e3
        word = verdict(ms, START_BOUND, slow)
        figs = f"{ms:6.0f} ms {ms / slow:6.0f} ms {'-':>9} {'-':>9}"
        print(f"{name:30} {figs} {slow:5.2f}  {START_BOUND:.0f} ms {word}")
        out.append({"name": name, "ours": ms, "slow": slow, "verdict": word})
    return out


def find_busybox(rootfs: Path) -> tuple[Path, str] | None:
    """The guest's busybox and the host's, if both are there."""
    guest, host = rootfs / "usr/bin/busybox", shutil.which("busybox")
    return (guest, host) if guest.exists() and host is not None else None


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, less work")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--only", help="only rows of the kernel with this word")
    parser.add_argument(
        "--rootfs", type=Path, default=HERE.parent / "rootfs/bb", help="has busybox"
    )
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def main() -> int:
    """Measure and print; 1 when a goal was missed."""
    args = arguments()
    qemu = shutil.which("qemu-riscv64-static") or shutil.which("qemu-riscv64")
    if qemu is None or shutil.which("riscv64-linux-gnu-gcc") is None:
        raise SystemExit("needs qemu-riscv64 and riscv64-linux-gnu-gcc")
    rounds = 1 if args.quick else args.rounds
    where = f"Python {platform.python_version()}, {pin()}"
    print(f"{where}, empty loop {loop_ns():.1f} ns (quiet: {QUIET_NS})")
    result: dict[str, Any] = {"where": where, "quiet_ns": QUIET_NS}
    with tempfile.TemporaryDirectory() as tmp:
        build(Path(tmp))
        engines = Engines(Path(tmp), qemu, find_busybox(args.rootfs))
        result["kernel"] = kernel_rows(engines, args, rounds)
        if not args.only:
            result["start"] = start_rows(Path(tmp), rounds)
            kernels = cpu.KERNELS[::3] if args.quick else cpu.KERNELS
            result["cpu"] = speeds(Path(tmp), qemu, rounds, kernels)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    every = [*result["kernel"], *result.get("start", ()), *result.get("cpu", ())]
    return int(any(r.get("verdict") == "FAIL" for r in every))


if __name__ == "__main__":
    raise SystemExit(main())
