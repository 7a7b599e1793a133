"""Build the guests; the ELF files are committed, so only who changes one needs this.

python personae_xv6/guests/build.py [--cc COMPILER] [--out DIR]
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLAGS = """
-std=gnu11 -O1 -Wall -Wextra -march=rv64gc -mabi=lp64d -mcmodel=medany
-ffreestanding -fno-builtin -fno-common -fno-pic -fno-stack-protector -fno-ident
-fno-asynchronous-unwind-tables -mno-relax -nostdlib -static -no-pie -s
-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack
"""
CALLS = """
fork exit wait pipe read kill exec fstat chdir dup getpid sbrk sleep uptime open
write mknod unlink link mkdir close
"""
"""Numbered from 1."""


def programs() -> list[Path]:
    """The C files: guests, and those that check."""
    return sorted([*HERE.glob("*.c"), *HERE.with_name("conform").glob("*.c")])


def stub_text() -> str:
    """A stub for each call, and one that nobody has."""
    rows = [*((name, n) for n, name in enumerate(CALLS.split(), 1)), ("nosuchcall", 99)]
    return "".join(
        f".global {name}\n{name}:\n\tli a7, {n}\n\tecall\n\tret\n" for name, n in rows
    )


def build(source: Path, out: Path, cc: str) -> None:
    """Compile and link one guest."""
    with tempfile.TemporaryDirectory() as folder:
        stubs = Path(folder) / "usys.S"
        stubs.write_text(stub_text())
        files = [source, HERE / "lib" / "ulib.c", stubs]
        command = [
            cc,
            *FLAGS.split(),
            f"-I{HERE / 'lib'}",
            "-T",
            str(HERE / "lib" / "user.ld"),
        ]
        subprocess.run([*command, "-o", str(out), *map(str, files)], check=True)


def main() -> None:
    """Build all of them."""
    parser = argparse.ArgumentParser(description="build the guests of the xv6 brand")
    parser.add_argument("--cc", default="riscv64-linux-gnu-gcc")
    parser.add_argument("--out", type=Path, help="folder; beside the sources if absent")
    args = parser.parse_args()
    for source in programs():
        build(source, (args.out or source.parent) / f"{source.stem}.elf", args.cc)


if __name__ == "__main__":
    main()
