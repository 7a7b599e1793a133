"""``personae plugins``, ``hooks`` and ``syscalls``: what is plugged in, and where."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

from personae.core.classes import class_points, load_class
from personae.core.cli import EXIT_USAGE, CliError
from personae.core.config.errors import ConfigError, did_you_mean
from personae.core.config.schema import Config
from personae.core.contracts import contract_points, load_contract_type
from personae.core.hookdoc import hook_docs
from personae.core.plugin import PluginError, impls_of
from personae.core.points import load_plugin, package_of, plugin_points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def plugins(args: argparse.Namespace) -> int:
    """List plugins, scheduling classes and contract types; a broken one says why."""
    rows = [row("plugin", p) for p in plugin_points()]
    rows += [row("class", p) for p in class_points()]
    rows += [row("contract", p) for p in contract_points()]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"{'PLUGIN':<12} {'KIND':<8} {'HOOKS':>5}  {'PACKAGE':<20} OBJECT")
    for one in rows:
        hooks = one["hooks"]
        count = len(hooks) if isinstance(hooks, list) else "-"
        text = f"cannot be used: {one['error']}" if one["error"] else one["object"]
        head = f"{one['plugin']:<12} {one['kind']:<8} {count:>5}"
        print(f"{head}  {one['package']:<20} {text}")
    return 0


def row(kind: str, point: EntryPoint) -> dict[str, object]:
    """What the package says of a plugin, and what making it gives."""
    found: dict[str, object] = {
        "plugin": point.name,
        "kind": kind,
        "package": package_of(point),
        "object": point.value,
        "hooks": None,
        "error": "",
    }
    try:
        if kind == "class":
            made: object = load_class(point).plugin
        elif kind == "contract":
            made = load_contract_type()
        else:
            made = load_plugin(point.name, Config())
        found["hooks"] = sorted(impls_of(made))
    except (PluginError, ConfigError) as error:
        found["error"] = str(error)
    return found


def hooks(args: argparse.Namespace) -> int:
    """List the hook points, or print all that is known of some."""
    docs = hook_docs()
    chosen = [d for n in args.names for d in docs.values() if n in (d.name, d.spec)]
    for name in args.names:
        if not any(name in (d.name, d.spec) for d in docs.values()):
            known = [*docs, *dict.fromkeys(d.spec for d in docs.values())]
            hint = did_you_mean(name, known)
            hint = hint if hint.startswith("did") else "'personae hooks' lists them"
            raise CliError(f"hooks: there is no hook {name!r} ({hint})", EXIT_USAGE)
    if args.json:
        print(json.dumps([dataclasses.asdict(d) for d in chosen or docs.values()]))
    elif chosen:
        print("\n\n".join(map(str, chosen)))
    else:
        print(f"{'HOOK':<25} {'SPEC':<13} {'FAIL':<4} WHAT IT IS FOR")
        for d in docs.values():
            fail = "yes" if d.fallible else "no"
            print(f"{d.name:<25} {d.spec:<13} {fail:<4} {d.summary}")
    return 0


def syscalls(args: argparse.Namespace) -> int:
    """List the system calls of a brand: number, name, level, note."""
    from personae.core.brands import brand_points, load_brand

    points = {p.name: p for p in brand_points()}
    if args.brand not in points:
        hint = did_you_mean(args.brand, sorted(points))
        raise CliError(f"syscalls: no brand {args.brand!r} is installed ({hint})")
    rows = sorted(load_brand(points[args.brand]).sysent.items())
    if args.json:
        told = [
            {"number": n, "name": e.name, "level": e.level.value, "note": e.note}
            for n, e in rows
        ]
        print(json.dumps(told, indent=2))
        return 0
    print(f"{'NUMBER':>6} {'NAME':<24} {'LEVEL':<8} NOTE")
    for number, ent in rows:
        line = f"{number:>6} {ent.name:<24} {ent.level.value:<8} {ent.note}"
        print(line.rstrip())
    return 0
