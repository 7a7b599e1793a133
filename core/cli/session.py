"""A session: the programs of one command, and the door between them and the host.

``run`` starts one program, ``up`` one in each zone.  The door moves bytes while
the machine stands between two steps.  Input of a stream is read only when a
program waits for it, so that what a guest sees does not depend on when the host
sends it.  Keys typed at a terminal are another matter: they are taken as they
come, and virtual time is kept from running ahead of the person who types.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.cli import EXIT_TIME_LIMIT, CliError, complain
from personae.core.cli.console import Console, Detached, HostSignal, host_console
from personae.core.machine import Deadlock, Machine, TimeLimit
from personae.core.signo import Sig
from personae.core.vfs.termios import Winsize

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.proc import Proc
    from personae.core.vfs.tty import Tty
    from personae.core.zonerun import Job, ZoneHandle

QUIET = (Sig.SIGINT, Sig.SIGPIPE, Sig.SIGTERM, Sig.SIGHUP)
"""Signals whose death needs no comment."""


class ReaderGone(Exception):
    """Nobody reads our output any more."""


@dataclass
class Program:
    """One program of a session.

    Attributes:
        zone: Where it runs.
        job: The kernel's side of it.
        prefix: What its lines of output begin with.
        fresh: Whether the next byte of a channel begins a line.
    """

    zone: ZoneHandle
    job: Job
    prefix: bytes
    fresh: dict[int, bool]


class Session:
    """The programs of one command; also the machine's door.

    Args:
        machine: The machine they run on.
        time_limit: Virtual nanoseconds after which they are stopped.
        console: The host's side; by default that of this command.
        listen: Whether the host's input goes to the first program.
        quiet: Drop the output.
    """

    def __init__(
        self,
        machine: Machine,
        time_limit: int | None = None,
        console: Console | None = None,
        listen: bool = True,
        quiet: bool = False,
    ) -> None:
        self.machine = machine
        self.console = console or host_console()
        self.programs: list[Program] = []
        self._listen = listen
        self.quiet = quiet
        self._limit: int | None = None
        self._wake = (0, 0.0)
        """A virtual deadline, and the host's time at which it comes."""
        if time_limit is not None:
            self.limit_from_now(time_limit)

    def limit_from_now(self, ns: int) -> None:
        """Stop after so many virtual nanoseconds."""
        kernel = self.machine.kernel
        self._limit = kernel.now + kernel.cycles(ns)

    def start(
        self,
        zone: ZoneHandle,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: str = "/",
        init: bool = False,
        prefix: str = "",
        cred: Cred | None = None,
    ) -> None:
        """Start a program in a zone; KernelError when it cannot be."""
        interactive = self._listen and not self.programs
        job = zone.start(
            argv,
            env=env,
            cwd=cwd,
            input=None if interactive else b"",
            init=init,
            tty=self.console.size() if interactive and self.console.tty else None,
            cred=cred,
        )
        self.attach(zone, job, prefix)

    def attach(self, zone: ZoneHandle, job: Job, prefix: str = "") -> None:
        """Take part in a program that was started before."""
        fresh = {1: True, 2: True}
        self.programs.append(Program(zone, job, prefix.encode(), fresh))

    def run(self, procs: Sequence[Proc]) -> None:
        """Run until these processes have ended; raises as ``Machine.run_until``."""
        with self.console:
            self.machine.run_until(procs, door=self, limit=self._limit)

    def finish(self) -> int:
        """Run until all have ended; the status of the first that failed."""
        try:
            self.run([program.job.proc for program in self.programs])
        except TimeLimit as error:
            self.flush()
            complain(f"the time limit is reached; {error}")
            return EXIT_TIME_LIMIT
        except Deadlock as error:
            self.flush()
            raise CliError(
                f"nothing can run any more and no input can come; {error}"
            ) from None
        except (ReaderGone, BrokenPipeError):
            return 128 + signal.SIGPIPE
        except Detached:
            complain("left with ~.")
            return 0
        except HostSignal as error:
            return 128 + error.signum
        return self.status()

    def status(self) -> int:
        """The status to end with, and a line on those that a signal ended."""
        for told in self.machine.kernel.oopses:
            complain(f"internal error, please report it: {told}")
        for failure in self.machine.plugins.failures:
            complain(str(failure))
        statuses = [self.status_of(program) for program in self.programs]
        return next((status for status in statuses if status), 0)

    def status_of(self, program: Program) -> int:
        """0..255 as a shell would have it."""
        code = program.job.result().returncode
        if code >= 0:
            return code
        number = -code
        name = Sig(number).name if number in Sig.__members__.values() else str(number)
        if number not in QUIET:
            what = program.job.args[0]
            complain(f"{what} (pid {program.job.pid}) was ended by {name}")
        return 128 + shell_number(number, program.zone.zone.brand.name)

    # ---- the door ----

    def pump(self, idle: bool, until_ns: int | None) -> bool:
        """Move output out, and input in when a program waits for it."""
        self.flush()
        if self.console.broken:
            raise ReaderGone
        if not self._listen or not self.programs:
            return False
        job = self.programs[0].job
        if job.tty is not None:
            return not job.done and self.keys(job.tty, idle, until_ns)
        if not job.stdin.wants_input or job.stdin.eof:
            return False
        data = self.console.read(None)
        if data:
            job.stdin.feed(data)
        elif data is not None:
            job.stdin.feed_eof()
        return True

    def keys(self, tty: Tty, idle: bool, until_ns: int | None) -> bool:
        """Pass on what was typed and the size of the window; wait when idle."""
        timeout = self.pace(until_ns) if idle else 0.0
        data = None if tty.eof else self.console.read(timeout)
        size = self.console.resized()
        if size is not None:
            tty.set_winsize(Winsize(*size))
        if data:
            tty.feed(data)
        elif data is not None:  # the host's terminal has gone
            tty.feed_eof()
            tty.hangup()
        return data is not None or size is not None

    def pace(self, until_ns: int | None) -> float | None:
        """Seconds of the host to wait for the next deadline; None without one."""
        if until_ns is None:
            return None
        deadline = self.machine.kernel.now_ns + until_ns
        now = time.monotonic()
        if self._wake[0] != deadline:
            self._wake = (deadline, now + until_ns / 1e9)
        return max(0.0, self._wake[1] - now)

    def flush(self) -> None:
        """Write out what the programs have written."""
        for program in self.programs:
            job = program.job
            outputs = [(1, job.stdout), (2, job.stderr)]
            if job.tty is not None:
                self.console.write(job.tty.take_output())
            for channel, stream in outputs:
                data = stream.take_output()
                if data and not self.quiet:
                    self.console.write(self.prefixed(program, channel, data), channel)

    def prefixed(self, program: Program, channel: int, data: bytes) -> bytes:
        """The output with the program's prefix before each line."""
        if not program.prefix:
            return data
        out = bytearray()
        for line in data.splitlines(keepends=True):
            if program.fresh[channel]:
                out += program.prefix
            out += line
            program.fresh[channel] = line.endswith(b"\n")
        return bytes(out)


def shell_number(number: int, brand: str) -> int:
    """The number by which the brand's users know a signal of the kernel.

    Inside, signals have the numbers of illumos; a Linux guest's user expects
    those of Linux, which are this host's.
    """
    if brand == "native":
        return number
    try:
        name = Sig(number).name
    except ValueError:
        return number
    known = signal.Signals.__members__.get("SIGCHLD" if name == "SIGCLD" else name)
    return number if known is None else int(known)
