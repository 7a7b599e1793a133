"""``personae cc``: compile a C program for a brand that has a compiler of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pkgutil import resolve_name

from personae.core.brands import brand_points, load_brand
from personae.core.cli import EXIT_USAGE, CliError

USAGE = """usage: personae cc [-b BRAND] [cc options] FILE...

Compile a C program for a brand (native). Everything but -b goes to the
compiler: -o FILE, -c, -I, -D, -O, -g, -l ... as for cc.

    personae cc -o prog prog.c
    personae run -b native -- ./prog
"""


def cc(arguments: Sequence[str]) -> int:
    """Run the brand's compiler; its status."""
    args = list(arguments)
    if args in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    brand = "native"
    if args[:1] == ["-b"]:
        if len(args) < 2:
            raise CliError(f"cc: -b needs a brand\n{USAGE}", EXIT_USAGE)
        brand = args[1]
        del args[:2]
    if not args:
        raise CliError(f"cc: name a file to compile\n{USAGE}", EXIT_USAGE)
    return compiler(brand)(args)


def compiler(name: str) -> Callable[[Sequence[str]], int]:
    """What compiles for a brand.

    Raises:
        CliError: There is no such brand, or it has no compiler.
    """
    points = {point.name: point for point in brand_points()}
    if name not in points:
        from personae.core.config.errors import did_you_mean

        hint = did_you_mean(name, list(points))
        raise CliError(f"cc: no brand {name!r} is installed ({hint})")
    where = load_brand(points[name]).compiler
    if not where:
        raise CliError(
            f"cc: brand {name!r} brings no compiler; build its programs with the "
            "compiler of the system that it is like"
        )
    found: Callable[[Sequence[str]], int] = resolve_name(where)
    return found
