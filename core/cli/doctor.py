"""``personae doctor``: whether the books of a machine are right.

The machine is a file that ``Machine.save`` wrote, or a TOML description, whose zones
are booted for the occasion.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.cli import CliError
from personae.core.ledger import ledger
from personae.core.ledgercheck import ledger_check

if TYPE_CHECKING:
    from personae.core.machine import Machine


def doctor(args: argparse.Namespace) -> int:
    """Check every count of a machine; with --ledger print all of them as JSON."""
    machine = open_machine(Path(args.file))
    kernel = machine.kernel
    if args.ledger:
        print(json.dumps(ledger(kernel), indent=2, sort_keys=True, default=str))
    wrong = ledger_check(kernel)
    for line in wrong:
        print(f"wrong: {line}")
    if not args.ledger:
        zones = len(kernel.zones)
        what = f"{zones} zones, {kernel.nproc} processes, {kernel.lwp_count} lwps"
        print(f"{args.file}: {what}: {'not ' if wrong else ''}consistent")
    return 1 if wrong else 0


def open_machine(path: Path) -> Machine:
    """The machine of a file, saved or described."""
    from personae.core.machine import Machine
    from personae.core.savefile import MAGIC, SaveError

    try:
        with path.open("rb") as file:
            saved = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        reason = error.strerror or str(error)
        raise CliError(f"doctor: {path}: cannot be read: {reason}") from None
    if not saved:
        return Machine.from_toml(path).boot()
    try:
        return Machine.load(path)
    except SaveError as error:
        raise CliError(f"doctor: {path}: {error}") from None
