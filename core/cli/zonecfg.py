"""``personae zonecfg``: a zone's configuration, of a kept machine or of a TOML file.

On a kept machine it takes zonecfg(8)'s commands (``cli.zoneedit``): as arguments, one
string or several, from a command file (``-f``), or from standard input.  On a TOML file
(``-f`` too; what is in the file decides) it knows ``info``, ``export``, ``verify``,
``set`` and ``clear``; files are changed in place, comments and all (extra ``edit``).
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.core.cli import EXIT_USAGE, complain
from personae.core.cli.brands import installed
from personae.core.cli.kept import looking, working
from personae.core.cli.zoneedit import READ_ONLY, Editor, fail, unknown
from personae.core.cli.zonelang import LanguageError, parse
from personae.core.cli.zoneprint import export, info
from personae.core.config import load
from personae.core.config.zonetable import PROPERTIES

if TYPE_CHECKING:
    from personae.core.config.schema import Config, ZoneConf

TOML_VERBS = ("info", "export", "verify", "set", "clear")


def command(args: argparse.Namespace) -> int:
    """Obey the commands, wherever they are."""
    words = [args.verb, *args.rest] if args.verb is not None else []
    if args.file is not None:
        text = text_of(args.file)
        if is_toml(args.file, text):
            return of_file(args, words)
        if words:
            told = f"-f {args.file} has the commands, yet there are more: {words[0]}"
            raise fail(told, EXIT_USAGE)
    else:
        text = " ".join(words) if words else sys.stdin.read()
    return of_machine(args, text)


def text_of(file: str) -> str:
    """What is in a file; CliError if it can't be read."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"-f {file}: cannot be read: {error}") from None


def is_toml(file: str, text: str) -> bool:
    """Whether a file is a description, not zonecfg's commands.

    Its name ends with .toml, or it begins, comments aside, with a table or a key.
    """
    first = re.sub(r"\A(\s+|#.*\n)+", "", text)
    return file.endswith(".toml") or bool(re.match(r'\[|[\w."-]+[ \t]*=', first))


def of_machine(args: argparse.Namespace, text: str) -> int:
    """Commands on a zone of a kept machine."""
    try:
        commands = parse(text)
    except LanguageError as error:
        raise fail(str(error), EXIT_USAGE) from None
    looks = all(one.words[0] in READ_ONLY for one in commands)
    with looking(args) if looks else working(args) as machine:
        editor = Editor(machine, args.zone)
        editor.obey(commands)
    for warning in editor.warnings:
        complain(f"zonecfg: {warning}")
    sys.stdout.write("".join(f"{line}\n" for line in editor.lines))
    return 0


def of_file(args: argparse.Namespace, words: list[str]) -> int:
    """One command on a zone of a TOML file."""
    verb, rest = (words or [""])[0], words[1:]
    if verb not in TOML_VERBS:
        told = f"{args.file} is TOML: name one of {', '.join(TOML_VERBS)}"
        raise fail(told, EXIT_USAGE)
    if verb in ("set", "clear"):
        return change(args, verb, rest)
    if rest:
        raise fail(f"{verb}: unexpected: {' '.join(rest)}", EXIT_USAGE)
    conf = of_config(load(args.file, known=installed()), args.zone)
    if verb != "verify":  # reading it was that
        lines = info(conf) if verb == "info" else export(conf)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def of_config(config: Config, zone: str) -> ZoneConf:
    """A zone of a file."""
    conf = config.zones.get(zone)
    if conf is None:
        raise fail(f"zone '{zone}': no such zone configured in {config.source}")
    return conf


def change(args: argparse.Namespace, verb: str, rest: list[str]) -> int:
    """``set NAME=VALUE`` and ``clear NAME``."""
    words = "".join(rest[:1])
    name, equals, value = words.partition("=")
    if len(rest) != 1 or bool(equals) != (verb == "set") or not name:
        usage = "set NAME=VALUE" if verb == "set" else "clear NAME"
        raise fail(f"write: {usage}", EXIT_USAGE)
    if name not in PROPERTIES:
        raise unknown("property", name, PROPERTIES)
    edit(args, name, value if equals else None)
    return 0


def literal(name: str, value: str) -> str:
    """A value as TOML."""
    numbers = ("cpu-shares", "max-lwps", "max-processes")
    if name == "autoboot" or name in numbers:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def edit(args: argparse.Namespace, name: str, value: str | None) -> None:
    """Change the file, if it is right afterwards."""
    try:
        import tomlkit
    except ImportError:
        raise fail(
            "changing a file needs tomlkit: pip install 'personae[edit]'"
        ) from None
    path = Path(args.file)
    of_config(load(path, known=installed()), args.zone)
    document: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
    table = document["zone"][args.zone]
    if value is None:
        table.pop(name, None)
    else:
        table[name] = tomlkit.value(literal(name, value))
    new = path.with_name(f".{path.name}.new")
    new.write_text(tomlkit.dumps(document), encoding="utf-8")
    try:
        load(new, known=installed())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
