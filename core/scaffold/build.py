"""Build the guest of the scaffold: ``python core/scaffold/build.py [OUT]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = (
    "riscv64-linux-gnu-gcc -O2 -ffreestanding -fno-pic -no-pie -nostdlib -static -s "
    "-Wl,--build-id=none -fno-ident -march=rv64gc -x c"
)


def build(out: Path) -> None:
    """Compile ``start.c`` into ``out``."""
    source = HERE / "files" / "start.c.in"
    subprocess.run([*COMMAND.split(), "-o", str(out), str(source)], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "files" / "start.elf")
