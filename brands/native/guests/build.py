"""Build the guest programs that come with personae, for both brands.

    python brands/native/guests/build.py [--out DIR] [--cc COMPILER] [NAME...]

A guest is one C file, linked with the tiny library of ``brands/native/sdk``.
The files are committed as ELF, so that nobody needs a cross compiler to run
them; the same compiler gives the same bytes (no build id, no dates, no paths).
The sources are in ``brands/native/guests`` and know no brand; the system calls are
those of ``brands/native/sdk/native`` or of ``brands/linux/guests/tiny``.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
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


def sources() -> dict[str, Path]:
    """Name and C file of every guest; each is built for both brands."""
    return {c.stem: c for c in sorted((BRANDS / "native" / "guests").glob("*.c"))}


def _flags(brand: str) -> list[str]:
    return [
        *CFLAGS,
        f"-DTINY_{brand.upper()}",
        f"-I{SDK / 'include'}",
        f"-I{BRANDS / 'linux' / 'guests' / 'tiny'}",
    ]


def library(brand: str, folder: Path, cc: str = CC) -> list[Path]:
    """Compile the library of a brand into a folder, unless it is there.

    Returns:
        The object files, in the order in which they are linked.
    """
    out = []
    for source in (*COMMON, *LIBRARY[brand]):
        obj = folder / f"{brand}-{source.stem}.o"
        if not obj.exists():
            cmd = [cc, *_flags(brand), "-c", "-o", str(obj), str(source)]
            subprocess.run(cmd, check=True)
        out.append(obj)
    return out


def build(
    brand: str, source: Path, out: Path, cc: str = CC, objects: Path | None = None
) -> None:
    """Compile and link one guest.

    Args:
        brand: Whose system calls it makes.
        source: Its C file.
        out: The ELF file to write.
        cc: The compiler.
        objects: Folder for the library's object files, to compile it only once.

    Raises:
        subprocess.CalledProcessError: The compiler said no.
    """
    with tempfile.TemporaryDirectory() as tmp:
        files = [*library(brand, objects or Path(tmp), cc), source]
        cmd = [cc, *_flags(brand), *LDFLAGS, "-o", str(out), *map(str, files)]
        subprocess.run(cmd, check=True)


def main() -> None:
    """Build what the command line names; all, without names."""
    parser = argparse.ArgumentParser(description="build the guest programs")
    parser.add_argument("--out", type=Path, help="folder, with one folder per brand")
    parser.add_argument("--cc", default=CC)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as objects:
        for brand in LIBRARY:
            folder = args.out / brand if args.out else BRANDS / brand / "guests"
            folder.mkdir(parents=True, exist_ok=True)
            for name, source in sources().items():
                if not args.names or name in args.names:
                    elf = folder / f"{name}.elf"
                    build(brand, source, elf, args.cc, Path(objects))


if __name__ == "__main__":
    main()
