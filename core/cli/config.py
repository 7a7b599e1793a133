"""``personae config``: check a file, show it merged, print the schema."""

from __future__ import annotations

import argparse
import json
import sys

from personae.core.config import ConfigError, load
from personae.core.config.jsonschema import json_schema


def check(args: argparse.Namespace) -> int:
    """Report everything wrong in a file; 1 when there is an error."""
    from personae.core.cli.brands import installed

    try:
        config = load(args.file, known=installed())
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    for warning in config.warnings:
        print(warning, file=sys.stderr)
    zones = len(config.zones)
    print(f"{args.file}: ok, {zones} zone{'' if zones == 1 else 's'}")
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a file merged with what it extends and with ``--set``, as TOML.

    Behind each value stands where it comes from.  It is checked first.
    """
    from personae.core.cli.brands import installed
    from personae.core.cli.zones import overrides, warn
    from personae.core.config.emit import to_toml
    from personae.core.config.reading import merged

    settings = overrides(args.set)
    warn(load(args.file, overrides=settings, known=installed()))
    tables, places = merged(args.file, settings)
    if args.json:
        print(json.dumps(tables, indent=2, default=str))
    else:
        print(to_toml(tables, places), end="")
    return 0


def schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema; with ``--plugins`` that of their tables as well."""
    plugins = None
    if args.plugins:
        from personae.core.points import options_of, plugin_points

        plugins = {point.name: options_of(point) for point in plugin_points()}
    print(json.dumps(json_schema(plugins), indent=2))
    return 0
