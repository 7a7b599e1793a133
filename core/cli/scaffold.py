"""``personae brand new NAME``: write the package of a brand."""

from __future__ import annotations

import argparse
from pathlib import Path

from personae.core.cli import CliError
from personae.core.scaffold import ScaffoldError, write_brand


def new(args: argparse.Namespace) -> int:
    """Write it, and say what to do next."""
    from personae.core.brands import brand_points

    if any(point.name == args.brand for point in brand_points()):
        raise CliError(
            f"brand new: a brand {args.brand!r} is installed already; take another name"
        )
    folder = Path(args.into or f"brand-{args.brand}")
    try:
        written = write_brand(args.brand, folder)
    except ScaffoldError as error:
        raise CliError(f"brand new: {error}") from None
    for path in written:
        print(path)
    print(f"next: pip install -e {folder} && personae conform {args.brand}")
    return 0
