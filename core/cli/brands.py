"""``personae brands``: the personalities that are installed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from personae.core.brands import brand_points, load_brand
from personae.core.config import Known
from personae.core.plugin import PluginError
from personae.core.points import options_of, plugin_points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def installed() -> Known:
    """What a configuration may name: brands with their options, and plugins."""
    options: dict[str, Collection[str] | type | None] = {}
    for point in brand_points():
        try:
            brand = load_brand(point)
        except PluginError:  # told when somebody wants to use it
            options[point.name] = None
        else:
            options[point.name] = getattr(brand.plugin, "zone_options", None)
    return Known(options, {p.name: options_of(p) for p in plugin_points()})


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
        brand = load_brand(point)
        row["calls"] = sum(ent.fn is not None for ent in brand.sysent.values())
        row["description"] = brand.description
    except PluginError as error:
        row["error"] = str(error)
    return row
