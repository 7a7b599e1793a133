"""``personae brand new NAME``: the package of a brand, complete and working.

The files are beside this module; ``@NAME@`` and ``@PKG@`` in them become the brand's
name and that of its Python package.  What is written imports only public names
(``core.api``) and passes its own tests at once: the guest's checks and the generic
suites that every brand gets.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9_-]*")

FILES = {
    "pyproject.toml": "pyproject.toml.in",
    "README.md": "README.md.in",
    "@PKG@/__init__.py": "init.py.in",
    "@PKG@/ops.py": "ops.py.in",
    "@PKG@/calls.py": "calls.py.in",
    "@PKG@/syscalls.toml": "syscalls.toml.in",
    "@PKG@/py.typed": "",
    "@PKG@/conform/start.c": "start.c.in",
    "@PKG@/conform/start.elf": "start.elf",
    "tests/test_@PKG@.py": "test.py.in",
}
"""What is written, and the file that it is made from; nothing for an empty one."""


class ScaffoldError(Exception):
    """The package can't be written; the text says why and what to do."""


def package_name(brand: str) -> str:
    """The Python package of a brand.

    >>> package_name("my-brand")
    'personae_my_brand'

    Raises:
        ScaffoldError: It is no name of a brand.
    """
    if not NAME.fullmatch(brand):
        raise ScaffoldError(
            f"{brand!r} is no name for a brand: small letters, digits, - and _, and a "
            "letter first, such as 'plan9'"
        )
    return f"personae_{brand.replace('-', '_')}"


def write_brand(brand: str, folder: Path) -> list[Path]:
    """Write the package.

    Args:
        brand: The brand's name.
        folder: Folder to make; it must not hold anything.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ScaffoldError: The name is none, or the folder is not empty.
        OSError: The host says no.
    """
    package = package_name(brand)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScaffoldError(
            f"{folder} is there already, and not an empty folder; choose another one "
            "with --into"
        )
    source = files("personae.core.scaffold") / "files"
    written = []
    for target, name in FILES.items():
        path = folder / target.replace("@PKG@", package)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = (source / name).read_bytes() if name else b""
        if name.endswith(".in"):
            text = data.decode().replace("@NAME@", brand).replace("@PKG@", package)
            data = text.encode()
        path.write_bytes(data)
        written.append(path)
    return written
