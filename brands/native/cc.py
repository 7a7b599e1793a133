"""The C compiler of the native brand: Debian's cross compiler with our library.

``personae cc`` comes here.  Headers and sources of the library are in ``sdk/``; its
archive is built once for each compiler and version of the sources and kept in
the user's cache, or in a temporary folder where there is no cache to write to.
This is a tool of the host, no part of a machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from personae.core.cli import EXIT_FAILURE, CliError

SDK = Path(__file__).with_name("sdk")
CC = "riscv64-linux-gnu-gcc"
PACKAGE = "gcc-riscv64-linux-gnu"
PARTS = ("libc", "native", "thread")

MACHINE_FLAGS = [
    "-march=rv64gc",
    "-mabi=lp64d",
    "-mcmodel=medlow",
    "-fno-pic",
    "-ftls-model=local-exec",
    "-fno-stack-protector",
    "-fno-ident",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
]
LIBRARY_FLAGS = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-ffreestanding",
    "-fno-tree-loop-distribute-patterns",
]
LINK_FLAGS = [
    "-nostdlib",
    "-nostartfiles",
    "-static",
    "-no-pie",
    "-Wl,--build-id=none",
    "-Wl,--gc-sections",
    "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack",
    "-Wl,-z,separate-code",
    "-Wl,-u,_start",
]
NO_LINK = ("-c", "-S", "-E", "-M", "-MM", "-fsyntax-only")
"""Options after which nothing is linked."""


def sources() -> list[Path]:
    """The files of the library."""
    return [
        file
        for part in PARTS
        for file in sorted((SDK / part).iterdir())
        if file.suffix in (".c", ".S")
    ]


def find_cc(cc: str = CC) -> str:
    """The compiler's path.

    Raises:
        CliError: It is not installed.
    """
    found = shutil.which(cc)
    if found is None:
        raise CliError(
            f"cc: {cc} is not installed; on Debian and Ubuntu: apt install {PACKAGE}"
        )
    return found


def include_flags(cc: str) -> list[str]:
    """Our headers, then those that come with the compiler, and no others."""
    own = _ask(cc, "-print-file-name=include")
    return ["-nostdinc", "-isystem", str(SDK / "include"), "-isystem", own]


def _ask(cc: str, question: str) -> str:
    done = subprocess.run([cc, question], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def build_library(cc: str, archive: Path) -> None:
    """Compile the library.

    Args:
        cc: The compiler.
        archive: The file to make.

    Raises:
        CliError: The compiler said no.
    """
    includes = include_flags(cc)

    def compile_one(source: Path) -> str:
        obj = f"{archive.parent}/{source.parent.name}-{source.name}.o"
        flags = [*MACHINE_FLAGS, *LIBRARY_FLAGS, *includes, f"-I{SDK / 'libc'}"]
        _check([cc, *flags, "-c", "-o", obj, str(source)])
        return obj

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources()))
    ar = _ask(cc, "-print-prog-name=ar")
    _check([ar, "rcsD", str(archive), *objects])


def _check(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CliError(f"cc: the library cannot be built:\n{done.stderr}")


def key(cc: str) -> str:
    """What the archive depends on: compiler, flags, sources, headers."""
    digest = hashlib.sha256(_ask(cc, "-dumpfullversion").encode())
    digest.update(" ".join([cc, *MACHINE_FLAGS, *LIBRARY_FLAGS]).encode())
    files = [*SDK.rglob("*.h"), *sources()]
    for file in sorted(files):
        digest.update(file.relative_to(SDK).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cached_library(cc: str, cache: Path) -> Path:
    """The archive out of a cache folder, made if it is not there.

    Raises:
        OSError: The cache can't be written.
        CliError: The compiler said no.
    """
    archive = cache / key(cc) / "libc.a"
    if archive.exists():
        return archive
    archive.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as tmp:
        build_library(cc, Path(tmp, "libc.a"))
        archive.parent.mkdir(exist_ok=True)
        Path(tmp, "libc.a").replace(archive)
    return archive


def user_cache() -> Path:
    """Where archives are kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home or Path.home() / ".cache", "personae", "sdk")


def command(cc: str, args: Sequence[str], archive: Path) -> list[str]:
    """The compiler's command line for a user's arguments."""
    out = [cc, *MACHINE_FLAGS, "-O2", *include_flags(cc), *args]
    if not any(arg in NO_LINK for arg in args):
        out += [*LINK_FLAGS, str(archive), "-lgcc", str(archive)]
    return out


def compile_program(args: Sequence[str]) -> int:
    """Compile, and link unless ``-c`` or the like is among the arguments.

    Args:
        args: As for cc: files, ``-o``, ``-I``, ``-D`` ...

    Returns:
        The compiler's status.

    Raises:
        CliError: There is no compiler, or the library can't be built.
    """
    cc = find_cc()
    with tempfile.TemporaryDirectory() as tmp:
        try:
            archive = cached_library(cc, user_cache())
        except OSError:  # a home that can't be written to
            archive = Path(tmp, "libc.a")
            build_library(cc, archive)
        status = subprocess.run(command(cc, args, archive)).returncode
    return status if status >= 0 else EXIT_FAILURE
