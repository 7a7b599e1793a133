"""Build the guest programs that come with personae, for both brands.

    python brands/native/guests/build.py [--out DIR] [--cc COMPILER] [NAME...]

A guest is one C file, linked with the tiny library of ``brands/native/sdk``.
The files are committed as ELF, so that nobody needs a cross compiler to run
them; the same compiler gives the same bytes (no build id, no dates, no paths).
The sources are in ``brands/native/guests`` and know no brand; the system calls are
those of ``brands/native/sdk/tiny/native`` or of ``brands/linux/guests/tiny``.  The
conformance programs of ``brands/NAME/conform`` are for their own brand only.

A native program that includes ``<stdio.h>`` is linked with the C library of the SDK
instead, as ``personae cc`` does it.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from personae.brands.native import cc as sdk

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
    "native": [
        SDK / "tiny" / "native" / name for name in ("stubs.S", "sys.c", "door.c")
    ],
    "linux": [
        BRANDS / "linux" / "guests" / "tiny" / "stubs.S",
        BRANDS / "linux" / "guests" / "tiny" / "sys.c",
    ],
}
COMMON = [
    SDK / "tiny" / "crt0.S",
    SDK / "tiny" / "string.c",
    SDK / "tiny" / "printf.c",
]


def sources() -> dict[str, Path]:
    """Name and C file of every guest; each is built for both brands."""
    return {c.stem: c for c in sorted((BRANDS / "native" / "guests").glob("*.c"))}


def conform_sources(brand: str) -> dict[str, Path]:
    """Name and C file of every conformance program of a brand."""
    return {c.stem: c for c in sorted((BRANDS / brand / "conform").glob("*.c"))}


def user_sources() -> dict[str, list[Path]]:
    """Name and C files of every program of the native zone's /usr/bin."""
    home = BRANDS / "native" / "usr" / "src"
    found = {c.stem: [c] for c in home.glob("*.c")}
    found |= {f.name: sorted(f.glob("*.c")) for f in home.iterdir() if f.is_dir()}
    return dict(sorted(found.items()))


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


def is_hosted(brand: str, source: Path) -> bool:
    """Whether a program wants the C library of the SDK and not the tiny one."""
    return brand == "native" and b"#include <stdio.h>" in source.read_bytes()


def build_hosted(
    source: Path | list[Path], out: Path, cc: str = CC, objects: Path | None = None
) -> None:
    """Compile a native program and link it with the C library of the SDK.

    Args:
        source: Its C file, or several.
        out: The ELF file to write.
        cc: The compiler.
        objects: Folder for the library, to build it only once.

    Raises:
        subprocess.CalledProcessError: The compiler said no.
    """
    with tempfile.TemporaryDirectory() as tmp:
        archive = (objects or Path(tmp)) / "libc.a"
        if not archive.exists():
            sdk.build_library(cc, archive)
        files = [str(f) for f in (source if isinstance(source, list) else [source])]
        args = ["-std=gnu11", "-Wall", "-Wextra", "-s", "-o", str(out), *files]
        subprocess.run(sdk.command(cc, args, archive), check=True)


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
    if is_hosted(brand, source):
        build_hosted(source, out, cc, objects)
        return
    with tempfile.TemporaryDirectory() as tmp:
        files = [*library(brand, objects or Path(tmp), cc), source]
        cmd = [cc, *_flags(brand), *LDFLAGS, "-o", str(out), *map(str, files)]
        subprocess.run(cmd, check=True)


def build_all(brand: str, names: list[str], out: Path | None, cc: str) -> None:
    """Build guests and conformance programs of a brand.

    Args:
        brand: Whose.
        names: Which ones; all when empty.
        out: Where the folders ``BRAND/guests`` and ``BRAND/conform`` are made; by
            default each ELF goes beside the brand's own.
        cc: The compiler.
    """
    home = (out or BRANDS) / brand
    kinds = {"guests": sources(), "conform": conform_sources(brand)}
    with tempfile.TemporaryDirectory() as objects:
        for kind, files in kinds.items():
            (home / kind).mkdir(parents=True, exist_ok=True)
            for name, source in files.items():
                if not names or name in names:
                    elf = home / kind / f"{name}.elf"
                    build(brand, source, elf, cc, Path(objects))


def build_userland(names: list[str], out: Path | None, cc: str) -> None:
    """Build the programs of the native zone's /usr/bin.

    Args:
        names: Which ones; all when empty.
        out: Where the folder ``native/usr/bin`` is made; by default the brand's own.
        cc: The compiler.
    """
    home = (out or BRANDS) / "native" / "usr" / "bin"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as objects:
        for name, files in user_sources().items():
            if not names or name in names:
                build_hosted(files, home / name, cc, Path(objects))


def main() -> None:
    """Build what the command line names; all, without names."""
    parser = argparse.ArgumentParser(description="build the guest programs")
    parser.add_argument("--out", type=Path, help="folder, with one folder per brand")
    parser.add_argument("--cc", default=CC)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    for brand in LIBRARY:
        build_all(brand, args.names, args.out, args.cc)
    build_userland(args.names, args.out, args.cc)


if __name__ == "__main__":
    main()
