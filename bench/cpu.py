"""Guest speed against qemu-riscv64: seven kernels, times taken inside the guest.

Usage: python bench/cpu.py [-r ROUNDS] [KERNEL ...]

Needs riscv64-linux-gnu-gcc and qemu-riscv64(-static).  Rounds of the two engines
are interleaved and the minimum of each is compared; a ratio is qemu's time by
ours, so 1.00 is as fast as qemu's translator and more is faster.
"""

from __future__ import annotations

import argparse
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from guest import run_elf

SOURCES = Path(__file__).parent / "src"
KERNELS = ("sieve", "sha256", "matmul", "qsortb", "dhry", "cmark", "fib")
CFLAGS = ("-O2", "-fno-tree-vectorize", "-march=rv64gc", "-static")


def build(kernel: str, where: Path) -> Path:
    """Compile one kernel."""
    elf = where / kernel
    cc = ["riscv64-linux-gnu-gcc", *CFLAGS, "-Wno-unused-result", "-o", str(elf)]
    subprocess.run([*cc, str(SOURCES / f"{kernel}.c")], check=True)
    return elf


def figures(out: str) -> tuple[str, float]:
    """The checksum and the seconds a kernel printed."""
    found = re.search(r"check=(\w+) secs=([\d.]+)", out)
    if found is None:
        raise SystemExit(f"unexpected output: {out!r}")
    return found[1], float(found[2])


def measure(elf: Path, qemu: str, rounds: int) -> tuple[float, float, float]:
    """Best seconds of qemu, best seconds of ours, and our instructions."""
    theirs, ours, insns = math.inf, math.inf, 0
    for _ in range(rounds):
        out = subprocess.run([qemu, elf], check=True, stdout=-1, text=True).stdout
        want, secs = figures(out)
        theirs = min(theirs, secs)
        guest = run_elf(elf)
        got, secs = figures(guest.out.decode())
        if got != want:
            raise SystemExit(f"{elf.name}: checksum {got}, qemu's is {want}")
        ours, insns = min(ours, secs), guest.instret
    return theirs, ours, insns


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("kernels", nargs="*", default=KERNELS)
    args = parser.parse_args()
    qemu = shutil.which("qemu-riscv64-static") or shutil.which("qemu-riscv64")
    if qemu is None or shutil.which("riscv64-linux-gnu-gcc") is None:
        raise SystemExit("needs qemu-riscv64 and riscv64-linux-gnu-gcc")
    logs = []
    print("kernel      Minsn   qemu s   ours s   MIPS  ratio")
    with tempfile.TemporaryDirectory() as tmp:
        for kernel in args.kernels:
            theirs, ours, n = measure(build(kernel, Path(tmp)), qemu, args.rounds)
            logs.append(math.log(theirs / ours))
            figs = f"{n / 1e6:8.1f} {theirs:8.4f} {ours:8.4f} {n / ours / 1e6:6.0f}"
            print(f"{kernel:8} {figs} {theirs / ours:6.3f}", flush=True)
    print(f"geomean of ratios: {math.exp(sum(logs) / len(logs)):.3f}")


if __name__ == "__main__":
    main()
