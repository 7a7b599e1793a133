"""``personae conform``: pytest, with the suites of brands as its tests."""

from __future__ import annotations

import argparse
import importlib.util
import os

from personae.core.brands import brand_points
from personae.core.cli import EXIT_FAILURE, CliError
from personae.core.config.errors import did_you_mean


def conform(args: argparse.Namespace) -> int:
    """Run the suites; the status is 0 if every check held, 1 if one did not."""
    import pytest

    status = int(pytest.main(arguments(args)))
    return status if status in (0, 1) else EXIT_FAILURE


def arguments(args: argparse.Namespace) -> list[str]:
    """The command line of pytest, which reads no configuration and no conftest.

    Raises:
        CliError: A brand is not installed, or ``-n`` is not possible.
    """
    known = [p.name for p in brand_points()]
    for name in args.brands:
        if name not in known:
            hint = did_you_mean(name, known)
            raise CliError(f"conform: no brand {name!r} is installed ({hint})", 2)
    out = [
        "-c",
        os.devnull,
        f"--rootdir={os.curdir}",
        "--noconftest",
        "--no-header",
        "-rN",
    ]
    out += ["-p", "no:cacheprovider", "-v" if args.verbose else "-q"]
    if args.jobs is None:
        out += ["-p", "no:xdist"]
    elif importlib.util.find_spec("xdist") is None:
        raise CliError(
            "conform: -n needs pytest-xdist: pip install 'personae[conform]'"
        )
    else:
        out += ["-n", str(args.jobs)]
    for name in args.brands or known:
        out += ["--personae-brand", name]
    for case in args.case:
        out += ["--personae-case", case]
    out += [f"--personae-cpus={','.join(map(str, args.cpus))}"]
    out += [f"--personae-seed={args.seed}"]
    if args.json:
        out += [f"--personae-json={args.json}"]
    if args.junitxml:
        out += [f"--personae-junitxml={args.junitxml}"]
    return out
