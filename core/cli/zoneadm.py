"""``personae zoneadm``: the verbs of zoneadm(8) on a kept machine.

Messages and exit status are zoneadm's: 0, 1 for what cannot be done, 2 for usage.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from functools import partial
from getopt import GetoptError, getopt
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core import zoneadm, zoneinstall
from personae.core.cli import EXIT_USAGE, CliError
from personae.core.cli.kept import looking, working
from personae.core.cli.listing import FIELDS, print_rows
from personae.core.errno import KernelError
from personae.core.machine import MachineError

if TYPE_CHECKING:
    from personae.core.machine import Machine

PROGRAM = "zoneadm"
VERBS = {
    "help": "print the verbs",
    "boot": "start the zone [-- ARGS of its init]",
    "ready": "prepare the zone, start no program in it",
    "halt": "end the zone at once",
    "reboot": "halt, then boot [-- ARGS of its init]",
    "shutdown": "ask the zone's init to end; -r boots it again",
    "list": "list zones: -c configured, -i installed, -v table, -p fields",
    "verify": "check that the zone can be booted",
    "install": "give a configured zone its files [-d FOLDER|TAR]",
    "uninstall": "take a zone's files away -F",
    "clone": "give a configured zone a copy of another's files [-m copy] SOURCE",
    "move": "change where the zone's files are seen ZONEPATH",
    "detach": "only configured from now on; its files stay",
    "attach": "installed again, after detach",
    "mark": "say that its files are not right: incomplete",
}
SETTLE_NS = 1_000_000_000


def fail(text: str, status: int = 1) -> CliError:
    """An error in zoneadm's words."""
    return CliError(text, status, program=PROGRAM)


def command(args: argparse.Namespace) -> int:
    """Run one verb."""
    verb, rest = args.verb, list(args.rest)
    if verb not in VERBS:
        raise fail(f"{verb}: unknown subcommand; 'zoneadm help' lists them", EXIT_USAGE)
    if verb == "help":
        for name, text in VERBS.items():
            print(f"{name:<10} {text}")
        return 0
    if verb == "list":
        return listing(args, rest)
    if args.zone is None:
        raise fail(f"{verb}: name a zone: zoneadm -z ZONE {verb}", EXIT_USAGE)
    if verb in FILES:
        action = files_verb(verb, rest)
        with working(args) as machine:
            told(action, machine, args.zone)
        return 0
    extra = init_args(verb, rest)
    if verb == "verify":
        with looking(args) as machine:
            told(verify, machine, args.zone)
        return 0
    with working(args) as machine:
        told(act, machine, args.zone, verb, extra)
    return 0


def init_args(verb: str, rest: list[str]) -> list[str]:
    """What follows the verb: arguments of init, -r of shutdown, nothing else."""
    if verb in ("boot", "reboot") and rest[:1] == ["--"]:
        return rest[1:]
    if verb == "shutdown":
        if rest and rest[0] == "-r":
            return ["-r", *init_args("boot", rest[1:])]
        if not rest:
            return []
    if rest:
        raise fail(f"{verb}: unexpected: {' '.join(rest)}", EXIT_USAGE)
    return []


# ---- verbs on a zone's files ----

FILES = ("install", "uninstall", "clone", "move", "detach", "attach", "mark")
OPTIONS = {"install": "d:", "uninstall": "F", "clone": "m:s:", "attach": "Fnu"}
WITHOUT = {
    "-s": "there are no snapshots; clone copies the zone as it is",
    "-n": "nothing leaves this machine, so there is nothing to try; leave it out",
    "-u": "zones have no packages to update; leave it out",
}
"""Options of illumos that have no meaning here, and why."""


def files_verb(verb: str, rest: list[str]) -> Callable[[Machine, str], None]:
    """What a verb of ``FILES`` with these words does to a zone.

    Raises:
        CliError: The words are wrong, or have no meaning here.
    """
    try:
        found, words = getopt(rest, OPTIONS.get(verb, ""))
    except GetoptError as error:
        raise fail(f"{verb}: {error}", EXIT_USAGE) from None
    options = dict(found)
    for option in options.keys() & WITHOUT:
        raise fail(f"{verb}: {option} is not supported: {WITHOUT[option]}")
    if len(words) != (verb in ("clone", "move", "mark")):
        raise fail(f"{verb}: usage: {verb}: {VERBS[verb]}", EXIT_USAGE)
    if verb == "install":
        return partial(zoneinstall.install, source=source_of(options))
    if verb == "clone" and options.get("-m", "copy") != "copy":
        raise fail("clone: the only method is copy (-m copy)", EXIT_USAGE)
    if verb == "uninstall" and "-F" not in options:
        raise fail("uninstall: its files will be gone; say that you mean it with -F")
    if verb == "mark" and words != ["incomplete"]:
        raise fail(f"mark: {words[0]}: the only mark is incomplete", EXIT_USAGE)
    if verb == "move" and not re.fullmatch(r"(/(?!\.\.?(/|$))[^/]+)+", words[0]):
        raise fail(f"move: {words[0]}: write a plain absolute path", EXIT_USAGE)
    if verb == "clone":
        return partial(zoneinstall.clone, source=words[0])
    if verb == "move":
        return partial(zoneinstall.move, zonepath=words[0])
    return {
        "uninstall": zoneinstall.uninstall,
        "detach": zoneinstall.detach,
        "attach": zoneinstall.attach,
        "mark": zoneinstall.mark_incomplete,
    }[verb]


def source_of(options: dict[str, str]) -> str | None:
    """The folder or archive of install -d; absolute, since it is kept."""
    source = options.get("-d")
    if source is not None and not Path(source).exists():
        raise fail(f"install: -d {source}: no such folder or archive on the host")
    return None if source is None else str(Path(source).absolute())


# ---- verbs on what runs ----


def told(do: object, machine: Machine, zone: str, *more: object) -> None:
    """Call, and turn what the kernel says into zoneadm's words and status 1."""
    try:
        do(machine, zone, *more)  # type: ignore[operator]
    except MachineError as error:
        raise fail(str(error)) from None
    except KernelError as error:
        why = error.why or error.errno.name
        text = f"zone '{zone}': could not start its init: {error.errno.name}: {why}"
        raise CliError(text, 1, program=PROGRAM, saves=True) from None


def act(machine: Machine, zone: str, verb: str, extra: list[str]) -> None:
    """Change the state of a zone, then let the machine settle."""
    if verb == "boot":
        zoneadm.boot(machine, zone, extra)
    elif verb == "ready":
        zoneadm.ready(machine, zone)
    elif verb == "halt":
        zoneadm.halt(machine, zone)
    elif verb == "reboot":
        zoneadm.reboot(machine, zone, extra)
    else:
        zoneadm.shutdown(machine, zone, 60 * SETTLE_NS)
        if extra:
            zoneadm.boot(machine, zone, extra[1:])
    machine.run_for(SETTLE_NS)
    zoneadm.sweep(machine)


def verify(machine: Machine, zone: str) -> None:
    """The zone is there, its brand is known, its init exists in its root."""
    inst = zoneadm.find(machine, zone)
    if inst.conf.brand not in machine.kernel.brands.brands:
        raise zoneadm.ZoneadmError(zone, f"no brand {inst.conf.brand!r} is installed")
    init = inst.conf.init
    if init is None or inst.root is None or not init.args[0].startswith("/"):
        return
    try:
        zoneadm.lookup_in(machine, inst, init.args[0])
    except KernelError as error:
        text = f"its init {init.args[0]} cannot be found: {error.errno.name}"
        raise zoneadm.ZoneadmError(zone, text) from None


# ---- list ----


def listing(args: argparse.Namespace, rest: list[str]) -> int:
    """``list`` with its own flags."""
    flags = "".join(word[1:] for word in rest if word.startswith("-"))
    if any(not w.startswith("-") for w in rest) or set(flags) - set("civpn"):
        raise fail(f"list: unexpected: {' '.join(rest)}", EXIT_USAGE)
    if "v" in flags and "p" in flags:
        raise fail("list: -v and -p exclude each other", EXIT_USAGE)
    with looking(args) as machine:
        found = rows(machine)
    if args.zone is not None:
        found = [row for row in found if row[1] == args.zone]
        if not found:
            raise fail(f"zone '{args.zone}': no such zone configured")
    else:
        found = chosen_rows(found, "c" in flags, "i" in flags)
    if args.json:
        print(json.dumps([dict(zip(FIELDS, row, strict=True)) for row in found]))
        return 0
    print_rows(found, "v" if "v" in flags else "p" if "p" in flags else "")
    return 0


def chosen_rows(
    found: list[tuple[str, ...]], configured: bool, installed: bool
) -> list[tuple[str, ...]]:
    """Rows that list shows: all (-c), of zones that have their files (-i), or up."""
    if configured:
        return found
    if installed:
        return [row for row in found if row[2] not in ("configured", "incomplete")]
    return [row for row in found if row[0] != "-"]


DOWN = ("configured", "incomplete", "installed")
"""States without an id."""


def rows(machine: Machine) -> list[tuple[str, ...]]:
    """Id, name, state, path, brand, ip of every zone of a machine."""
    out: list[tuple[str, ...]] = []
    for name, inst in machine.kernel.installed.items():
        zone, state = zoneadm.zone_of(machine, name), zoneadm.state_of(machine, name)
        ident = str(zone.id) if zone is not None and state not in DOWN else "-"
        path = "/" if name == zoneadm.GLOBAL else inst.conf.zonepath
        ip = "excl" if inst.conf.ip_type == "exclusive" else "shared"
        out.append((ident, name, state, path or f"/zones/{name}", inst.conf.brand, ip))
    return out
