"""A machine kept in a file, between the commands that work on it.

``personae up -M FILE`` writes it; every other command with ``-M`` (or the variable
PERSONAE_MACHINE) loads it, does its work, lets the machine go on as far as it says, and
puts the new state in its place.  So a machine lives as long as its file, without a
process behind it, and the same commands in the same order give the same machine.

While a command works the file is locked; the new state takes its place at once or not
at all.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.cli import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from personae.core.machine import Machine

VARIABLE = "PERSONAE_MACHINE"


def path_of(args: argparse.Namespace) -> Path:
    """The machine's file, as the command line or the environment names it."""
    name = args.machine or os.environ.get(VARIABLE)
    if not name:
        raise CliError(
            f"{args.name}: which machine? name its file with -M or {VARIABLE}; "
            "'personae up FILE.toml -M MACHINE' makes one",
            EXIT_USAGE,
        )
    return Path(name)


def load(path: Path) -> Machine:
    """The machine of a file, with the plugins it was made with."""
    from personae.core.fromconfig import load_plugins
    from personae.core.machine import Machine
    from personae.core.savefile import SaveError

    try:
        machine = Machine.load(path)
    except SaveError as error:
        raise CliError(f"{path}: {error}") from None
    if machine.config is not None:
        load_plugins(machine, machine.config)
    return machine


@contextmanager
def looking(args: argparse.Namespace) -> Iterator[Machine]:
    """The machine, only to be looked at."""
    path = path_of(args)
    try:
        machine = load(path)
    except FileNotFoundError:
        raise missing(path) from None
    yield machine


@contextmanager
def working(args: argparse.Namespace) -> Iterator[Machine]:
    """The machine, to be changed: it is saved at the end, unless the command fails.

    A ``CliError`` whose ``saves`` is true fails after the machine has been saved.
    """
    path = path_of(args)
    with locked(path):
        machine = load(path)
        try:
            yield machine
        except CliError as error:
            if error.saves:
                save(machine, path)
            raise
        save(machine, path)


def save(machine: Machine, path: Path) -> None:
    """Write the machine in place of the file, whole or not at all."""
    folder = path.parent
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    os.close(handle)
    try:
        machine.save(name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the machine's file against other commands."""
    while True:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise missing(path) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise CliError(
                f"{path}: in use by another command; wait until that has ended"
            ) from None
        if same_file(handle, path):
            break
        os.close(handle)  # replaced between open and lock
    try:
        yield
    finally:
        os.close(handle)


def same_file(handle: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        there = path.stat()
    except OSError:
        return False
    here = os.fstat(handle)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def missing(path: Path) -> CliError:
    """There is no such machine."""
    return CliError(
        f"{path}: no such machine; make it with: personae up FILE.toml -M {path}"
    )
