"""``personae config``: check a file, print the schema."""

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


def schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    print(json.dumps(json_schema(), indent=2))
    return 0
