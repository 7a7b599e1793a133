"""The ``personae`` command.

``main`` turns arguments into a call of one command module and whatever comes
out of it into an exit status and a message; the modules beside it hold one
group of commands each and are imported only when they are needed, because a
cold ``personae run`` is expected to start at once.

Exit status: the guest's own; 128+N when a signal N ended it; 124 when the
virtual time limit was reached; 125 when personae itself failed; 126 and 127
when the program cannot be executed or is not there; 2 for wrong usage.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

STARTED = time.monotonic()
"""When the command began, for the host's side of a report."""
EXIT_TIME_LIMIT = 124
EXIT_FAILURE = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_USAGE = 2


class CliError(Exception):
    """A failure that is told in one message and ends the command.

    Args:
        message: Names the thing, the place and the remedy.
        status: The exit status.
        program: The name before the message: zoneadm's users know zoneadm's words.
        saves: A kept machine is saved all the same.
    """

    def __init__(
        self,
        message: str,
        status: int = EXIT_FAILURE,
        *,
        program: str = "personae",
        saves: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.program = program
        self.saves = saves


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; no exception leaves it."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        open_streams()
    try:
        from personae.core.cli.parser import dispatch

        status = dispatch(arguments)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse, after it has printed its message
        return stop.code if isinstance(stop.code, int) else EXIT_FAILURE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop_stdout()
        return 128 + 13
    except OSError as error:
        drop_stdout()
        return failed(error)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> int:
    """Print what went wrong, in words of the user's world, and choose the status."""
    from personae.core.config.errors import ConfigError

    if os.environ.get("PERSONAE_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    if isinstance(error, CliError):
        complain(str(error), error.program)
        return error.status
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = sum(problem.severity == "error" for problem in error.problems)
        complain(f"{count} error{'s'[: count > 1]} in the configuration")
        return EXIT_FAILURE
    if told_to_users(error):
        complain(str(error))
        return EXIT_FAILURE
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.filename}: " if error.filename else ""
        complain(f"{what}{error.strerror}")
        return EXIT_FAILURE
    reason = f"{type(error).__name__}: {error}"
    complain(
        f"internal error: {reason}\n"
        "personae: this is a bug of personae; for the traceback to report, "
        "run it again with PERSONAE_DEBUG=1"
    )
    return EXIT_FAILURE


def told_to_users(error: Exception) -> bool:
    """Whether the kernel raised it for the user, with words that help."""
    from personae.core.blame import HookPanic
    from personae.core.plugin import PluginError

    kinds: tuple[type[Exception], ...] = (PluginError, HookPanic)
    machine = sys.modules.get("personae.core.machine")
    if machine is not None:
        kinds += (machine.MachineError,)
    return isinstance(error, kinds)


def complain(message: str, program: str = "personae") -> None:
    """One message to stderr, with our name before it."""
    print(f"{program}: {message}", file=sys.stderr)


def open_streams() -> None:
    """Give descriptors 0, 1 and 2 to the null device where we were started without.

    Otherwise the next file that is opened would become our standard output.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def drop_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter flushes at its exit.

    Our reader has gone or the disk is full, which is told once, without a
    traceback.
    """
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
