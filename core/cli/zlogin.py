"""``personae zlogin`` and ``zonename``: into a zone of a kept machine.

The program runs with this command's input and output until it ends, while the rest of
the machine goes on.  With ``-C`` it is the zone's console that is looked at: what its
init has written, and input for it; at the end of the input, or ``~.``, it is left.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from typing_extensions import override

from personae.core import zoneadm
from personae.core.cli import EXIT_USAGE, CliError
from personae.core.cli.kept import working
from personae.core.cli.session import Session
from personae.core.cred import Cred
from personae.core.errno import KernelError
from personae.core.exit import kill_proc
from personae.core.machine import Deadlock, MachineError, TimeLimit
from personae.core.zonerun import DEFAULT_ENV

if TYPE_CHECKING:
    from personae.core.machine import Machine
    from personae.core.zone import Zone
    from personae.core.zonerun import ZoneHandle

PROGRAM = "zlogin"
CONSOLE_NS = 10_000_000_000
"""How long a console is watched after the end of its input."""


def zonename(args: argparse.Namespace) -> int:
    """The zone this command is in: whoever holds the machine is in the global one."""
    del args
    print(zoneadm.GLOBAL)
    return 0


def zlogin(args: argparse.Namespace) -> int:
    """Run a command in a zone, or look at its console."""
    if args.console and (args.command or args.user):
        raise CliError(
            "-C takes neither a user nor a command", EXIT_USAGE, program=PROGRAM
        )
    with working(args) as machine:
        try:
            handle = zoneadm.running(machine, args.zone)
        except MachineError as error:
            raise CliError(str(error), 1, program=PROGRAM) from None
        status = (
            console(machine, handle) if args.console else login(machine, handle, args)
        )
        zoneadm.sweep(machine)
    return status


def login(machine: Machine, handle: ZoneHandle, args: argparse.Namespace) -> int:
    """Run the command; its exit status."""
    user = find_user(handle, args.user or "root")
    argv = list(args.command) or ["/bin/sh"]
    env = {**DEFAULT_ENV, "HOME": user.home, "LOGNAME": user.name}
    session = Session(machine, args.time_limit)
    cred = Cred(user.uid, user.gid, zoneid=handle.id, limit=handle.zone.limitpriv)
    try:
        session.start(handle, argv, env, cred=cred)
    except KernelError as error:
        from personae.core.cli.run import not_started

        failure = not_started(error, argv[0], handle, None)
        text = f"zone '{args.zone}': {failure}"
        raise CliError(text, failure.status, program=PROGRAM) from None
    finally:
        cred.rele()
    job = session.programs[0].job
    try:
        return session.finish()
    except CliError as error:
        error.saves = True
        raise
    finally:
        if not job.done:
            kill_proc(job.proc)


class User:
    """A line of /etc/passwd."""

    def __init__(self, name: str, uid: int, gid: int, home: str) -> None:
        self.name, self.uid, self.gid, self.home = name, uid, gid, home


def find_user(handle: ZoneHandle, name: str) -> User:
    """A user of the zone; root is known without a file.

    Raises:
        CliError: There is no such user.
    """
    for line in read_file(handle.zone, "/etc/passwd").splitlines():
        parts = line.split(":")
        if len(parts) >= 6 and parts[0] == name and (parts[2] + parts[3]).isdigit():
            return User(name, int(parts[2]), int(parts[3]), parts[5] or "/")
    if name == "root":
        return User("root", 0, 0, "/root")
    where = f"/etc/passwd of zone '{handle.name}'"
    raise CliError(f"user {name}: not in {where}", 1, program=PROGRAM)


def read_file(zone: Zone, path: str) -> str:
    """A small text file of a zone; empty if it is not there."""
    from personae.core.vfs.lookup import lookup

    assert zone.zsched is not None
    try:
        vp = lookup(zone.kernel, zone.zsched, path.encode())
        return vp.read(None, 0, 1 << 20, 0).decode("utf-8", "replace")
    except KernelError:
        return ""


# ---- the console ----


class ConsoleSession(Session):
    """Input goes to the zone's init while it lasts; its end is not passed on."""

    ended = False

    @override
    def pump(self, idle: bool, until_ns: int | None) -> bool:
        """As a session, but the end of our input closes nothing."""
        job = self.programs[0].job
        if job.tty is not None or self.ended or not job.stdin.wants_input:
            self.flush()
            return False
        self.flush()
        data = self.console.read(None)
        if data:
            job.stdin.feed(data)
        elif data is not None:
            self.ended = True
        return True


def console(machine: Machine, handle: ZoneHandle) -> int:
    """Show what the console got, pass input on until it ends."""
    job = zoneadm.find(machine, handle.name).job
    if job is None:
        text = f"zone '{handle.name}': it was booted without an init"
        raise CliError(text, 1, program=PROGRAM)
    session = ConsoleSession(machine)
    session.attach(handle, job)
    session.limit_from_now(CONSOLE_NS)
    with suppress(Deadlock, TimeLimit):
        session.run([job.proc])
    session.flush()
    return 0
