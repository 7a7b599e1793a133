"""The grammar of the command line; imports no command until it is chosen."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import NoReturn

from typing_extensions import override

from personae.core._version import __version__
from personae.core.cli import parserkept

COMMANDS = {
    "run": "run a program in a zone of its own",
    "up": "boot the machine that a TOML file describes",
    "list": "list the zones of a TOML file, as zoneadm does",
    "config": "check a TOML file, show it merged, or print the schema",
    "conform": "run the conformance suites of brands",
    "brands": "list the installed brands",
    "cc": "compile a C program for a brand",
    "brand": "write the package of a new brand",
    "plugins": "list the installed plugins",
    "hooks": "list the hook points, or explain some",
    "syscalls": "list the system calls of a brand",
    "demo": "boot two zones and show a fork on each side",
    "doctor": "check the books of a machine, or print them",
    "rootfs": "fetch a Debian root file system for a zone",
    **parserkept.COMMANDS,
}


class Parser(argparse.ArgumentParser):
    """argparse with our error format and no abbreviated options."""

    @override
    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().removeprefix("usage: ").strip()
        text = f"{self.prog}: {message}\nusage: {usage}\nhelp:  {self.prog} --help\n"
        self.exit(2, text)


def dispatch(argv: Sequence[str]) -> int:
    """Parse the arguments and run the command they choose."""
    head, tail = split_command(argv)
    name = next((word for word in head if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        from personae.core.config.errors import did_you_mean

        hint = did_you_mean(name, list(COMMANDS))
        build().error(f"there is no command {name!r} ({hint})")
    if name == "cc":  # its options are those of a compiler, not ours
        from personae.core.cli.cc import cc

        return cc(list(argv)[list(argv).index("cc") + 1 :])
    args = build().parse_args(head)
    if args.handler is None:
        build().print_help()
        return 2
    if args.takes_command:
        # a "--" after the program is the program's own
        mark = ["--"] if args.command and tail is not None else []
        args.command = [*args.command, *mark, *(tail or [])]
    elif args.takes_rest:
        args.rest = [*args.rest, *(["--", *tail] if tail is not None else [])]
    elif tail is not None:
        build().error("'--' and a command line belong to 'personae run'")
    module, _, function = args.handler.partition(":")
    status: int = getattr(importlib.import_module(module), function)(args)
    return status


def split_command(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Our arguments, and what follows the first ``--``; None when there is none.

    argparse treats ``--`` differently from one Python to the next.
    """
    arguments = list(argv)
    if "--" not in arguments:
        return arguments, None
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def build() -> Parser:
    """The whole grammar."""
    parser = Parser(
        prog="personae",
        description="Run programs of several operating systems in zones of one "
        "deterministic user-level kernel.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"personae {__version__}"
    )
    parser.set_defaults(handler=None, takes_command=False, takes_rest=False)
    commands = parser.add_subparsers(metavar="COMMAND", dest="name")
    subs = {
        name: commands.add_parser(
            name, help=text, description=text.capitalize() + ".", allow_abbrev=False
        )
        for name, text in COMMANDS.items()
    }
    add_run(subs["run"])
    add_up(subs["up"])
    add_list(subs["list"])
    add_config(subs["config"])
    handle(subs["brands"], "brands:brands")
    add_brand(subs["brand"])
    add_listings(subs)
    handle(subs["demo"], "demo:demo")
    add_conform(subs["conform"])
    add_doctor(subs["doctor"])
    add_rootfs(subs["rootfs"])
    parserkept.add_commands(subs, handle, duration)
    return parser


def handle(parser: argparse.ArgumentParser, where: str) -> None:
    """Name the function of this package that runs a command."""
    parser.set_defaults(handler=f"personae.core.cli.{where}")


def add_run(run: argparse.ArgumentParser) -> None:
    """``personae run``."""
    handle(run, "run:run")
    run.usage = "personae run [options] [--] CMD [ARG...]"
    run.set_defaults(takes_command=True)
    add = run.add_argument
    add(
        "-r",
        "--rootfs",
        metavar="ROOTFS",
        help="folder or .tar, never written to; "
        "without it CMD is a file of the host in an otherwise empty root",
    )
    add("-b", "--brand", default="linux", help="personality (default: linux)")
    add("--seed", type=seed, default=0, metavar="N", help="source of chance (0)")
    add(
        "--schedule-seed",
        type=seed,
        default=0,
        metavar="N",
        help="another order of what runs (0: the plain one)",
    )
    add("--cpus", type=cpus, default=1, metavar="N", help="number of harts (1)")
    add(
        "--memory",
        type=size,
        default=256 << 20,
        metavar="SIZE",
        help="physical memory, such as 64M (256M)",
    )
    add(
        "-e",
        "--env",
        action="append",
        default=[],
        metavar="K=V",
        help="set an environment variable; K alone takes the host's value",
    )
    add(
        "-v",
        "--volume",
        action="append",
        default=[],
        metavar="SRC:DST[:ro]",
        help="share a host folder with the zone",
    )
    add(
        "--time-limit",
        type=duration,
        metavar="VIRTUAL",
        help="stop after this much virtual time, such as 5s (exit 124)",
    )
    add_picks(run)
    add("--report", metavar="FILE", help="write a JSON report of the run ('-': stderr)")
    add(
        "command",
        nargs=argparse.REMAINDER,
        metavar="CMD [ARG...]",
        help="the program, with its arguments",
    )


def add_up(up: argparse.ArgumentParser) -> None:
    """``personae up``."""
    handle(up, "zones:up")
    up.add_argument(
        "file",
        metavar="FILE.toml",
        nargs="?",
        help="the machine's description; without it a kept machine goes on",
    )
    parserkept.machine_option(up)
    add_set(up)
    add_picks(up)
    up.add_argument(
        "--time-limit",
        type=duration,
        metavar="VIRTUAL",
        help="stop after this much virtual time (exit 124)",
    )
    up.add_argument(
        "--report", metavar="FILE", help="write a JSON report ('-': stderr)"
    )


def add_list(lister: argparse.ArgumentParser) -> None:
    """``personae list``: the flags of zoneadm(8) list."""
    handle(lister, "zones:list_zones")
    parserkept.machine_option(lister)
    add = lister.add_argument
    add("-c", action="store_true", help="all configured zones")
    add("-i", action="store_true", help="installed zones: their root is there")
    form = lister.add_mutually_exclusive_group()
    form.add_argument("-v", action="store_true", help="a table")
    form.add_argument("-p", action="store_true", help="fields with ':', for scripts")
    add(
        "file",
        metavar="FILE.toml",
        nargs="?",
        default="zones.toml",
        help="the machine's description (zones.toml)",
    )


def add_config(config: argparse.ArgumentParser) -> None:
    """``personae config check``, ``show`` and ``schema``."""
    config.set_defaults(handler=None)
    verbs = config.add_subparsers(
        metavar="check|show|schema", required=True, dest="verb"
    )
    check = verbs.add_parser("check", help="report everything wrong in a file")
    handle(check, "config:check")
    check.add_argument("file", metavar="FILE")
    show = verbs.add_parser("show", help="print a file merged with what it extends")
    handle(show, "config:show")
    show.add_argument("file", metavar="FILE")
    add_set(show)
    show.add_argument("--json", action="store_true", help="print JSON")
    schema = verbs.add_parser("schema", help="print the JSON Schema, for editors")
    handle(schema, "config:schema")
    schema.add_argument(
        "--plugins", action="store_true", help="with the tables of installed plugins"
    )


def add_set(parser: argparse.ArgumentParser) -> None:
    """``--set KEY=VALUE``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value, such as machine.seed=7",
    )


def add_picks(parser: argparse.ArgumentParser) -> None:
    """``-p NAME`` and ``-p no:NAME``."""
    parser.add_argument(
        "-p",
        dest="plugins",
        action="append",
        default=[],
        metavar="NAME",
        help="load a plugin; no:NAME leaves one out",
    )


def add_brand(brand: argparse.ArgumentParser) -> None:
    """``personae brand new``."""
    brand.set_defaults(handler=None)
    verbs = brand.add_subparsers(metavar="new", required=True, dest="verb")
    new = verbs.add_parser("new", help="write a package with a brand, ready to install")
    handle(new, "scaffold:new")
    new.add_argument("brand", metavar="NAME", help="letters, digits, - and _")
    new.add_argument(
        "--into", metavar="FOLDER", help="folder to make (brand-NAME, here)"
    )


def add_listings(subs: dict[str, Parser]) -> None:
    """``personae brands``, ``plugins``, ``hooks``, ``syscalls``."""
    handle(subs["plugins"], "plugins:plugins")
    handle(subs["hooks"], "plugins:hooks")
    subs["hooks"].add_argument(
        "names", metavar="NAME", nargs="*", help="a hook, or a spec such as BrandSpec"
    )
    handle(subs["syscalls"], "plugins:syscalls")
    subs["syscalls"].add_argument("brand", metavar="BRAND")
    for name in ("brands", "plugins", "hooks", "syscalls"):
        subs[name].add_argument("--json", action="store_true", help="print JSON")


def add_conform(conform: argparse.ArgumentParser) -> None:
    """``personae conform``."""
    handle(conform, "conform:conform")
    add = conform.add_argument
    add("brands", metavar="NAME", nargs="*", help="brands (all that are installed)")
    add(
        "--case",
        action="append",
        default=[],
        metavar="CASE",
        help="only this case or area (can be repeated)",
    )
    add(
        "--cpus",
        type=cpu_list,
        default=[1],
        metavar="N,...",
        help="numbers of CPUs to run each case on, such as 1,4 (1)",
    )
    add("--seed", type=seed, default=0, metavar="N", help="seed of the machines (0)")
    add(
        "-n",
        dest="jobs",
        type=cpus,
        metavar="N",
        help="run in so many processes (with pytest-xdist)",
    )
    add("--json", metavar="FILE", help="write the results as JSON")
    add("--junitxml", metavar="FILE", help="write the results as JUnit XML")
    add("-v", dest="verbose", action="store_true", help="name each case as it runs")


def add_doctor(doctor: argparse.ArgumentParser) -> None:
    """``personae doctor``."""
    handle(doctor, "doctor:doctor")
    doctor.add_argument("file", metavar="FILE", help="a saved machine, or a TOML file")
    doctor.add_argument(
        "--ledger", action="store_true", help="print every count, list and reference"
    )


def add_rootfs(rootfs: argparse.ArgumentParser) -> None:
    """``personae rootfs``."""
    handle(rootfs, "rootfs:fetch")
    add = rootfs.add_argument
    add("target", metavar="TARGET", help="folder to make; must not hold anything else")
    add("packages", metavar="PACKAGE", nargs="*", help="such as busybox-static")
    add("--suite", default="trixie", help="Debian suite (trixie)")
    add("--arch", default="riscv64", help="architecture (riscv64)")
    add("--mirror", metavar="URL", help="archive (the one this host's apt uses)")
    add("--cache", metavar="DIR", help="where lists and packages are kept")
    add("--offline", action="store_true", help="use the package lists of the cache")
    add("--lock", metavar="FILE", help="install exactly what a TARGET.lock names")
    add("--keyring", metavar="FILE", help="keys that may sign the archive")


def from_units(function: str, text: str) -> int:
    """Read a number with a unit, in argparse's way of failing."""
    from personae.core.config import units

    try:
        number: int = getattr(units, function)(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return number


def size(text: str) -> int:
    """A size of memory that is of use: from a mebibyte."""
    number = from_units("parse_size", text)
    if number < 1 << 20:
        raise argparse.ArgumentTypeError(f"{text!r} is below the least of 1M")
    return number


def duration(text: str) -> int:
    """A duration in nanoseconds, above zero."""
    number = from_units("parse_duration", text)
    if number == 0:
        raise argparse.ArgumentTypeError(f"{text!r} leaves no time to run")
    return number


def seed(text: str) -> int:
    """A seed: 64 bits."""
    return whole(text, 0, 2**64 - 1)


def cpus(text: str) -> int:
    """A number of harts."""
    return whole(text, 1, 64)


def cpu_list(text: str) -> list[int]:
    """Numbers of harts, with commas between."""
    return [cpus(part) for part in text.split(",")]


def whole(text: str, low: int, high: int) -> int:
    """A whole number between two bounds, both included."""
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {low} to {high}, got {text!r}"
        )
    return int(text)
