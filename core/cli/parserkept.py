"""The grammar of the commands that work on a kept machine (``cli.kept``)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

COMMANDS = {
    "zoneadm": "boot, halt, list ... the zones of a kept machine",
    "zonecfg": "look at a zone's configuration, or change it",
    "zlogin": "run a command in a zone of a kept machine",
    "zonename": "print the name of the current zone",
    "ptree": "print the processes of a kept machine as trees",
    "ps": "list the processes of a kept machine",
    "prstat": "print what processes and zones of a kept machine use",
}


def add_commands(
    subs: Mapping[str, argparse.ArgumentParser],
    handle: Callable[[argparse.ArgumentParser, str], None],
    duration: Callable[[str], int],
) -> None:
    """Fill in the parsers of ``COMMANDS``."""
    for name in COMMANDS:
        if name != "zonename":
            machine_option(subs[name])
    handle(subs["zonename"], "zlogin:zonename")
    add_zoneadm(subs["zoneadm"], handle)
    add_zonecfg(subs["zonecfg"], handle)
    add_zlogin(subs["zlogin"], handle, duration)
    for name in ("ptree", "ps", "prstat"):
        handle(subs[name], f"procs:{name}")
        subs[name].add_argument("-z", dest="zone", metavar="ZONE", help="of this zone")
        subs[name].add_argument(
            "-Z", dest="zones", action="store_true", help=ZONES[name]
        )
    ptree = subs["ptree"].add_argument
    ptree("-a", dest="all", action="store_true", help="kernel processes as well")
    ptree("-c", dest="contracts", action="store_true", help="show process contracts")
    subs["ps"].add_argument("--json", action="store_true", help="print JSON")
    prstat = subs["prstat"].add_argument
    prstat("-c", dest="below", action="store_true", help="one report below the other")
    prstat("interval", nargs="?", type=duration, help="virtual time between, as 1s")
    prstat("count", nargs="?", type=int, help="number of reports (1)")


ZONES = {
    "ptree": "name the zone of each tree",
    "ps": "a column with the zone",
    "prstat": "a table of the zones below that of the processes",
}


def machine_option(parser: argparse.ArgumentParser) -> None:
    """``-M``."""
    parser.add_argument(
        "-M",
        "--machine",
        metavar="MACHINE",
        help="file of the kept machine (PERSONAE_MACHINE)",
    )


def add_zoneadm(
    parser: argparse.ArgumentParser,
    handle: Callable[[argparse.ArgumentParser, str], None],
) -> None:
    """``zoneadm [-z ZONE] VERB ...``, zoneadm(8)."""
    handle(parser, "zoneadm:command")
    parser.usage = "personae zoneadm [-M MACHINE] [-z ZONE] VERB [...]"
    parser.set_defaults(takes_rest=True)
    parser.add_argument("-z", dest="zone", metavar="ZONE", help="the zone")
    parser.add_argument("--json", action="store_true", help="list: print JSON")
    parser.add_argument("verb", metavar="VERB", help="boot, halt ...; help lists them")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")


def add_zonecfg(
    parser: argparse.ArgumentParser,
    handle: Callable[[argparse.ArgumentParser, str], None],
) -> None:
    """``zonecfg -z ZONE [-f FILE | COMMAND ...]``, zonecfg(8)."""
    handle(parser, "zonecfg:command")
    parser.usage = (
        "personae zonecfg [-M MACHINE] -z ZONE [-f FILE | COMMAND [; COMMAND ...]]\n"
        "       personae zonecfg -f FILE.toml -z ZONE info|export|verify|set|clear ..."
    )
    parser.add_argument("-z", dest="zone", metavar="ZONE", required=True)
    parser.add_argument(
        "-f", dest="file", metavar="FILE", help="of commands, or a TOML description"
    )
    parser.add_argument(
        "verb", nargs="?", metavar="COMMAND", help="create, set, add ...; help"
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")


def add_zlogin(
    parser: argparse.ArgumentParser,
    handle: Callable[[argparse.ArgumentParser, str], None],
    duration: Callable[[str], int],
) -> None:
    """``zlogin [-l USER] ZONE [CMD...]``, zlogin(1)."""
    handle(parser, "zlogin:zlogin")
    parser.usage = "personae zlogin [-M MACHINE] [-C | -l USER] ZONE [CMD [ARG...]]"
    parser.set_defaults(takes_command=True)
    add = parser.add_argument
    add("-C", dest="console", action="store_true", help="the zone's console")
    add("-l", dest="user", metavar="USER", help="run as this user (root)")
    add("--time-limit", type=duration, metavar="VIRTUAL", help="stop it after this")
    add("zone", metavar="ZONE")
    add("command", nargs=argparse.REMAINDER, metavar="CMD [ARG...]")
