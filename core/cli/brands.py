"""``personae brands``: the personalities that are installed."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import EntryPoint, entry_points

GROUP = "personae.brands"


def brand_points() -> list[EntryPoint]:
    """The entry points of brands, by name; the first of a name counts."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point)
    return [found[name] for name in sorted(found)]


def brand_names() -> list[str]:
    """The names that a zone's ``brand`` may have."""
    return [point.name for point in brand_points()]


def brands(args: argparse.Namespace) -> int:
    """List name, version, distribution and object; a broken brand says why."""
    rows = [describe(point) for point in brand_points()]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"{'BRAND':<10} {'CALLS':>5}  {'PACKAGE':<20} DESCRIPTION")
    for row in rows:
        package = f"{row['package']} {row['version']}"
        text = (
            f"cannot be loaded: {row['error']}" if row["error"] else row["description"]
        )
        print(f"{row['brand']:<10} {row['calls']:>5}  {package:<20} {text}")
    return 0


def describe(point: EntryPoint) -> dict[str, object]:
    """One row: what the distribution says, and what loading it gives."""
    row: dict[str, object] = {
        "brand": point.name,
        "version": point.dist.version if point.dist else "-",
        "package": point.dist.name if point.dist else "-",
        "object": point.value,
        "calls": "-",
        "description": "",
        "error": "",
    }
    try:
        brand = point.load()
        row["calls"] = sum(ent.fn is not None for ent in brand.sysent.values())
        row["description"] = brand.description
    except Exception as error:  # a plugin may fail in any way
        row["error"] = f"{type(error).__name__}: {error}"
    return row
