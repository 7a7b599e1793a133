"""Write the pages that are made from the code.

    python docs/generate.py [FOLDER]

``reference/hooks.md``, ``reference/toml.md``, ``reference/cli.md`` and ``api/*.md`` are
made anew at each ``make docs`` and not committed, so they cannot be old.  The tables in
``brands/differences.md`` and ``brands/native.md`` are committed, because they are read
where nobody builds anything; a test holds them against the code.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
XV6 = HERE.parent / "examples" / "brand-xv6"
BEGIN, END = "<!-- made by docs/generate.py -->", "<!-- end -->"


def cell(text: object) -> str:
    """Text as a cell of a table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head: list[str], rows: list[list[Any]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"


# ---- hooks ----

SPECS = {
    "BrandSpec": "Operations of a brand",
    "ClassSpec": "Operations of a scheduling class",
    "ContractSpec": "Operations of a contract type",
    "ObserverSpec": "What plugins may watch",
}


def hooks() -> str:
    """The catalogue of hook points."""
    from personae.core.hookdoc import hook_docs

    out = ["# Hooks", ""]
    out += [
        "Operations have one implementation, chosen by the object that the kernel "
        "works on; observers are told to each plugin that listens. Mark a method with "
        "`@hookimpl`; it may take fewer arguments than the hook has. The same text: "
        "`personae hooks NAME`.",
    ]
    docs = hook_docs()
    for spec, title in SPECS.items():
        out += ["", f"## {title}", "", f"`personae.core.hookspecs.{spec}`"]
        for d in docs.values():
            if d.spec != spec:
                continue
            out += ["", f"### {d.name}", "", f"`{d.name}{d.signature}`", "", d.summary]
            if d.text:
                out += ["", d.text]
            out += ["", f"* When: {d.when}", f"* Locks: {d.locks}"]
            out += [f"* May fail: {d.may_fail}", f"* Source: {d.source}"]
    return "\n".join(out) + "\n"


# ---- TOML ----


def toml() -> str:
    """The keys of a machine's file, from its JSON Schema."""
    from personae.core.config.jsonschema import json_schema

    schema: dict[str, Any] = json_schema()
    out = ["# Machine configuration", ""]
    out += [
        "A machine is described in TOML. `personae config check FILE` says everything "
        "that is wrong with a file, `personae config schema` prints the schema for "
        "editors; this page is made from it.",
    ]
    top: list[tuple[str, dict[str, Any]]] = []
    plain = []
    for key, value in schema["properties"].items():
        found = _tables(key, value)
        if found:
            top += found
        else:
            plain.append([f"`{key}`", _kind(value), value.get("description", "")])
    if plain:
        out += ["", "## At the top", "", *table(["key", "value", "meaning"], plain)]
    for name, value in top:
        out += ["", f"## `{name}`", "", value.get("description", ""), ""]
        rows = [
            [f"`{key}`", _kind(v), v.get("description", "")]
            for key, v in value.get("properties", {}).items()
            if not _tables(key, v)
        ]
        if rows:
            out += table(["key", "value", "meaning"], rows)
    return "\n".join(out) + "\n"


def _tables(name: str, value: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A value that is a table, with the tables in it: by name in brackets."""
    items = value.get("items", {})
    inner: dict[str, Any] = value
    label = name
    if value.get("type") == "array" and items.get("type") == "object":
        inner = items
    elif isinstance(value.get("additionalProperties"), dict) and not value.get(
        "properties"
    ):
        inner = value["additionalProperties"]
        label = f"{name}.NAME"
    elif value.get("type") != "object":
        return []
    shown = f"[[{label}]]" if inner is items else f"[{label}]"
    out = [(shown, inner)]
    for key, v in inner.get("properties", {}).items():
        out += _tables(f"{label}.{key}", v)
    return out


def _kind(value: dict[str, Any]) -> str:
    """What a key takes, in words."""
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_kind(v) for v in value["anyOf"]))
    if "enum" in value:
        return ", ".join(f"`{v}`" for v in value["enum"])
    kind = str(value.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(value.get('items', {}))}"
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None or high is not None:
        return f"{kind}, {'' if low is None else low}..{'' if high is None else high}"
    return f"{kind} `{value['pattern']}`" if "pattern" in value else kind


# ---- the command line ----


def cli() -> str:
    """Every command with its options, from the parser."""
    from personae.core.cli import parser

    top = parser.build()
    out = ["# Commands", ""]
    out += [
        "The exit status is the guest's own; 128+N when a signal N ended it, 124 when "
        "the virtual time was over, 125 when personae failed, 126 and 127 when a "
        "program could not be executed or is not there, 2 for wrong usage.",
    ]
    for name, sub in _subparsers(top).items():
        out += ["", f"## personae {name}", "", *_command(sub)]
        for verb, inner in _subparsers(sub).items():
            out += ["", f"### personae {name} {verb}", "", *_command(inner)]
    return "\n".join(out) + "\n"


def _subparsers(p: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in p._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _command(p: argparse.ArgumentParser) -> list[str]:
    p.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=80)
    out = [p.description or "", "", "```text", p.format_usage().rstrip(), "```"]
    rows = []
    for action in p._actions:
        if isinstance(action, argparse._SubParsersAction) or action.dest == "help":
            continue
        names = ", ".join(action.option_strings)
        shown = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        value = shown if isinstance(shown, str) else " ".join(shown)
        word = f"{names} {value}".strip()
        rows.append([f"`{word}`", (action.help or "").replace("%%", "%")])
    return [*out, "", *table(["argument", "meaning"], rows)] if rows else out


# ---- brands ----


def brands() -> list[Any]:
    """The brands that are compared: the two that come along, and the example."""
    from personae.core.brands import load_brands

    sys.path.insert(0, str(XV6))
    try:
        from personae_xv6 import BRAND as XV6_BRAND
    finally:
        sys.path.remove(str(XV6))
    found = {b.name: b for b in load_brands(["native", "linux"])}
    return [found["native"], found["linux"], XV6_BRAND]


def differences() -> str:
    """The tables of ``brands/differences.md``."""
    from personae.core.hookdoc import hook_docs

    all_ = brands()
    head = ["", *(b.name for b in all_)]
    rows = [[title, *(fact(b) for b in all_)] for title, fact in FACTS.items()]
    out = [BEGIN, "", *table(head, rows), ""]
    out += [
        "Operations: *own* where a brand has one, empty where the default does.",
        "",
    ]
    ops = [
        [f"`{name}`", *("own" if name in b.ops.implemented else "" for b in all_)]
        for name, d in hook_docs().items()
        if d.spec == "BrandSpec"
    ]
    out += [*table(["operation", *(b.name for b in all_)], ops), "", END]
    return "\n".join(out)


def _call(role: str) -> Any:
    def show(b: Any) -> str:
        call = b.conformance.calls.found(b.sysent).get(role)
        if call is None:
            return "none"
        args = ", ".join(hex(a) if isinstance(a, int) and a > 255 else str(a)
                         for a in call[1:])  # fmt: skip
        return f"`{call[0]}({args})`"

    return show


FACTS: dict[str, Any] = {
    "what it is": lambda b: b.description,
    "registers a result uses": lambda b: ", ".join(b.conformance.calls.results),
    "a call has failed when": lambda b: f"`{b.conformance.calls.error}`",
    "fork has made me when": lambda b: f"`{b.conformance.calls.child}`",
    "fork": _call("fork"),
    "vfork": _call("vfork"),
    "exec": _call("exec"),
    "wait": _call("wait"),
    "exit": _call("exit"),
    "the wait that reaps drops SIGCHLD": lambda b: "yes" if b.sigcld_discard else "no",
    "lowest address of a program": lambda b: hex(b.exec_rules.lowest),
    "the kernel makes the stack": lambda b: "yes" if b.exec_rules.stack else "no",
    "keys of its zones": lambda b: ", ".join(_options(b)) or "none",
}


def _options(b: Any) -> list[str]:
    known = getattr(b.plugin, "zone_options", ()) or ()
    names = getattr(known, "__dataclass_fields__", known)
    return [f"`{n}`" for n in names]


def native_calls() -> str:
    """The system calls of the native brand by their level, out of syscalls.toml."""
    from personae.brands.native import BRAND

    rows = sorted(BRAND.sysent.items())
    by: dict[str, list[tuple[int, Any]]] = {}
    for number, row in rows:
        by.setdefault(row.level.name.lower(), []).append((number, row))
    out = [BEGIN, ""]
    for level in ("full", "partial", "absent"):
        calls = by[level]
        noted = [[n, f"`{r.name}`", r.note] for n, r in calls if r.note]
        plain = ", ".join(f"`{r.name}` {n}" for n, r in calls if not r.note)
        out += [f"**{level}** ({len(calls)})", ""]
        out += [f"{plain}.", ""] if plain else []
        out += [*table(["number", "call", "note"], noted), ""] if noted else []
    return "\n".join([*out, END])


TABLES = {"differences.md": "differences", "native.md": "native_calls"}
"""Committed pages of ``brands`` with a table, and what makes it."""


def with_table(page: str, name: str = "differences.md") -> str:
    """A committed page of ``brands`` with the tables of today."""
    made: str = globals()[TABLES[name]]().replace("\\", "\\\\")
    return re.sub(f"{BEGIN}.*{END}", made, page, flags=re.DOTALL)


# ---- public names ----


def api_pages() -> dict[str, str]:
    """One page for each public module, for autodoc."""
    from personae.core.api import PUBLIC

    out = {}
    toc = ["# Public modules", "", "```{toctree}", ":maxdepth: 1", ""]
    for module, (purpose, names) in PUBLIC.items():
        shown = [n for n in names if n not in SPECS]
        body = ["   :no-members:"]
        if module != "personae.core":
            body = ["   :members: " + ", ".join(shown), "   :imported-members:"]
            body.append("   :no-index:")
        text = [f"# {module}", "", f"{purpose[:1].upper()}{purpose[1:]}."]
        text = [line.replace("``", "`") for line in text]
        text += ["", "```{eval-rst}", f".. automodule:: {module}", *body, "```"]
        out[f"{module}.md"] = "\n".join([*text, ""])
        toc.append(module)
    out["index.md"] = "\n".join([*toc, "```", ""])
    return out


def write(folder: Path = HERE) -> None:
    """Write every page that is not committed."""
    pages = {
        "reference/hooks.md": hooks(),
        "reference/toml.md": toml(),
        "reference/cli.md": cli(),
        **{f"api/{name}": text for name, text in api_pages().items()},
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def main() -> None:
    """Write all pages, the committed tables too."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write(folder)
    for name in TABLES:
        page = HERE / "brands" / name
        text = with_table(page.read_text(encoding="utf-8"), name)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
