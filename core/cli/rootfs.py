"""``personae rootfs``: fetch a Debian root file system."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from personae.core.cli import CliError
from personae.core.rootfs import Request, RootfsError
from personae.core.rootfs import fetch as fetch_rootfs


def fetch(args: argparse.Namespace) -> int:
    """Fetch and unpack; progress goes to stderr."""
    request = Request(
        target=Path(args.target),
        packages=tuple(args.packages),
        suite=args.suite,
        arch=args.arch,
        mirror=args.mirror,
        cache=Path(args.cache) if args.cache else None,
        keyring=Path(args.keyring) if args.keyring else None,
        offline=args.offline,
        lock=Path(args.lock) if args.lock else None,
    )
    try:
        fetch_rootfs(request, lambda line: print(line, file=sys.stderr, flush=True))
    except RootfsError as error:
        raise CliError(f"rootfs: {error}") from None
    return 0
