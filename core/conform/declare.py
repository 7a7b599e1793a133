"""What a brand says of itself so that the kit can prove it.

    Brand("mine", ops, table, conformance=Conformance(programs=Path(...)))

All of it may be left out: a brand whose table has ``fork``, ``wait`` and ``exit`` with
the plain arguments of their manual pages gets the generic suites for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.syscall import Sysent

Call = tuple[str | int, ...]
"""A system call: its name in the brand's table, then its arguments.

An argument is a number or one of the words ``code`` (an exit status), ``buffer`` (256
writable bytes), ``path``, ``argv``, ``envp`` (of a program to execute).
"""
WORDS = ("code", "buffer", "path", "argv", "envp")


@dataclass(frozen=True)
class Calls:
    """How the kit's own machine code makes the brand's calls.

    A field that is None is found by its name in the table.

    Attributes:
        fork: Makes a child that is a copy.
        vfork: Makes a child that borrows the parent's memory; by default ``vfork``.
        exit: Ends the process.
        wait: Waits for any child.
        exec: Becomes another program.
        results: Registers that a call may change; all others stay as they were.
        child: What holds in a child behind ``fork``: a register, ``==``, ``!=`` or
            ``<``, and 0.
        error: Likewise what holds when a call has failed.
    """

    fork: Call | None = None
    vfork: Call | None = None
    exit: Call | None = None
    wait: Call | None = None
    exec: Call | None = None
    results: tuple[str, ...] = ("a0",)
    child: str = "a0 == 0"
    error: str = "a0 < 0"

    def found(self, sysent: Mapping[int, Sysent]) -> dict[str, Call]:
        """The calls that the table has, by role.

        Raises:
            ValueError: A call is named that the table does not have, or an argument is
                a word that nobody knows.
        """
        numbers = names(sysent)
        out: dict[str, Call] = {}
        for role, plain in PLAIN.items():
            said: Call | None = getattr(self, role)
            call = plain if said is None else said
            if said is not None:
                _check(role, call, numbers)
            if call[0] in numbers:
                out[role] = call
        return out


PLAIN: dict[str, Call] = {
    "fork": ("fork",),
    "vfork": ("vfork",),
    "exit": ("exit", "code"),
    "wait": ("wait", "buffer"),
    "exec": ("exec", "path", "argv"),
}
"""What a role is called where a brand says nothing."""


def names(sysent: Mapping[int, Sysent]) -> dict[str, int]:
    """Number by name of the calls that have a handler; the lowest where several are."""
    out: dict[str, int] = {}
    for number, ent in sorted(sysent.items()):
        if ent.fn is not None:
            out.setdefault(ent.name, number)
    return out


def _check(role: str, call: Call, numbers: Mapping[str, int]) -> None:
    if call[0] not in numbers:
        raise ValueError(f"conformance: {role}: the table has no call {call[0]!r}")
    for arg in call[1:]:
        if isinstance(arg, str) and arg not in WORDS:
            raise ValueError(
                f"conformance: {role}: {arg!r} is none of {', '.join(WORDS)}"
            )
    if len(call) > 7:
        raise ValueError(f"conformance: {role}: a call has six arguments at most")


@dataclass(frozen=True)
class Conformance:
    """The suite of a brand.

    Attributes:
        programs: Folder of guest programs ``AREA.elf`` that print KTAP.  One that has
            ``AREA.toml`` beside it runs in the machine of that file: in its zone
            ``conform``, or in the only zone of the brand, or in the global zone if the
            file has no other.
        checks: Python checks by area: ``package.module:function``, called with a
            ``Stage``.
        gaps: What is known not to hold: ``area: what``, and why.  One that holds after
            all is a failure.
        calls: How the generic suites make the brand's calls.
    """

    programs: Path | None = None
    checks: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
