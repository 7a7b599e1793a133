"""Build the guest programs that come with personae, for both brands.

    python brands/native/guests/build.py [--out DIR] [--cc COMPILER] [NAME...]

A guest is one C file, linked with the tiny library of ``brands/native/sdk``.
The files are committed as ELF, so that nobody needs a cross compiler to run
them; the same compiler gives the same bytes (no build id, no dates, no paths).
Guests of both brands have their source in ``brands/native/guests``; those only
for linux in ``brands/linux/guests``.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

BRANDS = Path(__file__).resolve().parents[2]
SDK = BRANDS / "native" / "sdk"
CC = "riscv64-linux-gnu-gcc"

CFLAGS = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-march=rv64gc",
    "-mabi=lp64d",
    "-mcmodel=medlow",
    "-ffreestanding",
    "-fno-ident",
    "-fno-pic",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns",
    "-ffunction-sections",
    "-fdata-sections",
]
LDFLAGS = [
    "-nostdlib",
    "-nostartfiles",
    "-static",
    "-no-pie",
    "-s",
    "-Wl,--build-id=none",
    "-Wl,--gc-sections",
    "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack",
    "-Wl,-z,separate-code",
]
LIBRARY = {
    "native": [SDK / "native" / "stubs.S", SDK / "native" / "sys.c"],
    "linux": [
        BRANDS / "linux" / "guests" / "tiny" / "stubs.S",
        BRANDS / "linux" / "guests" / "tiny" / "sys.c",
    ],
}
COMMON = [
    SDK / "libc" / "crt0.S",
    SDK / "libc" / "string.c",
    SDK / "libc" / "printf.c",
]


def sources(brand: str) -> dict[str, Path]:
    """Name and C file of every guest of a brand."""
    folders = [BRANDS / "native" / "guests"]
    if brand == "linux":
        folders.append(BRANDS / "linux" / "guests")
    return {c.stem: c for folder in folders for c in sorted(folder.glob("*.c"))}


def build(brand: str, source: Path, out: Path, cc: str = CC) -> None:
    """Compile and link one guest.

    Args:
        brand: Whose system calls it makes.
        source: Its C file.
        out: The ELF file to write.
        cc: The compiler.

    Raises:
        subprocess.CalledProcessError: The compiler said no.
    """
    flags = [
        f"-DTINY_{brand.upper()}",
        f"-I{SDK / 'include'}",
        f"-I{BRANDS / 'linux' / 'guests' / 'tiny'}",
    ]
    files = [str(p) for p in (*COMMON, *LIBRARY[brand], source)]
    subprocess.run([cc, *CFLAGS, *flags, *LDFLAGS, "-o", str(out), *files], check=True)


def main() -> None:
    """Build what the command line names; all, without names."""
    parser = argparse.ArgumentParser(description="build the guest programs")
    parser.add_argument("--out", type=Path, help="folder, with one folder per brand")
    parser.add_argument("--cc", default=CC)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    for brand in LIBRARY:
        folder = args.out / brand if args.out else BRANDS / brand / "guests"
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources(brand).items():
            if not args.names or name in args.names:
                build(brand, source, folder / f"{name}.elf", args.cc)


if __name__ == "__main__":
    main()
