"""What is known of each hook point: its arguments and the fields of its docstring.

``personae hooks`` prints it, the documentation is made from it, and the checks at
registration take from it which hook may fail.

Must not know: brands, plugins.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache

from personae.core.hookspecs import PROJECT, SPECS

FIELDS = ("When", "Locks", "May fail", "Source")
_FIELD = re.compile(rf"^({'|'.join(FIELDS)}): (.*)$")


@dataclass(frozen=True)
class HookDoc:
    """One hook point.

    Attributes:
        name: What an implementation is called.
        spec: Class that declares it: BrandSpec, ClassSpec, ContractSpec, ObserverSpec.
        args: Its arguments, in their order; an implementation may take fewer.
        signature: Arguments with their types, and what it answers.
        summary: One sentence.
        text: What else there is to say; may be empty.
        when: At which moment it is called.
        locks: What is held.
        may_fail: "no", or "yes" and what comes of it.
        source: Where in fork.c, a header or a manual page it comes from.
    """

    name: str
    spec: str
    args: tuple[str, ...]
    signature: str
    summary: str
    text: str
    when: str
    locks: str
    may_fail: str
    source: str

    @property
    def fallible(self) -> bool:
        """Whether it may raise KernelError."""
        return self.may_fail.startswith("yes")

    def __str__(self) -> str:
        body = [f"{self.name}{self.signature}", f"    {self.summary}"]
        body += [f"    {line}" for line in self.text.splitlines()]
        fields = (self.when, self.locks, self.may_fail, self.source)
        for field, value in zip(FIELDS, fields, strict=True):
            body.append(f"    {field + ':':<9} {value}")
        return "\n".join(body)


@cache
def hook_docs() -> dict[str, HookDoc]:
    """Every hook point by name, in the order of the catalogue."""
    marker = f"{PROJECT}_spec"
    return {
        name: _doc(spec, name, fn)
        for spec in SPECS
        for name, fn in vars(spec).items()
        if hasattr(fn, marker)
    }


def _doc(spec: type, name: str, fn: object) -> HookDoc:
    assert callable(fn)
    signature = inspect.signature(fn)
    rest = list(signature.parameters.values())[1:]
    shown = signature.replace(parameters=rest)
    head, fields = _parse(inspect.getdoc(fn) or "")
    summary, _, text = head.partition("\n")
    missing = [f for f in FIELDS if f not in fields]
    if missing:
        raise ValueError(f"{spec.__name__}.{name}: docstring without {missing}")
    return HookDoc(
        name,
        spec.__name__,
        tuple(p.name for p in rest),
        str(shown).replace("'", ""),
        summary,
        text.strip(),
        *(fields[f] for f in FIELDS),
    )


def _parse(doc: str) -> tuple[str, dict[str, str]]:
    """A docstring as the text before its fields, and the fields."""
    head: list[str] = []
    fields: dict[str, str] = {}
    at = ""
    for line in doc.splitlines():
        found = _FIELD.match(line)
        if found:
            at = found[1]
            fields[at] = found[2]
        elif at and line.startswith("    "):
            fields[at] += " " + line.strip()
        else:
            at = ""
            head.append(line)
    return "\n".join(head).strip(), fields
