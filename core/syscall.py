"""System calls: the table, and the path from the trap to the result.

A call is entered with its arguments in a0..a5 and its number in a7.  The
program counter stays at the ecall until the call ends, so a call that a
signal interrupted is restarted by doing nothing.  A handler that has to wait
raises ``Sleep``; it is entered again from its start when woken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any, Union

from personae.core.hookspecs import hookimpl
from personae.core.regs import A0, MASK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from personae.core.lwp import Lwp


class Level(Enum):
    """How much of a system call a brand supports."""

    FULL = "full"
    PARTIAL = "partial"
    ABSENT = "absent"


class NoReturnType:
    """Type of ``NORETURN``."""

    __slots__ = ()


NORETURN = NoReturnType()
"""Result of a handler that set the registers itself (sigreturn, exec)."""

Result = Union[int, "tuple[int, int]", NoReturnType]
Handler = Callable[..., Result]


def s32(x: int) -> int:
    """Low 32 bits as a signed int, as C passes an ``int``.

    >>> s32(0xffffffff), s32(0x1_0000_0001)
    (-1, 1)
    """
    return ((x & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def s64(x: int) -> int:
    """A register as a signed ``long``.

    >>> s64(2**64 - 2)
    -2
    """
    return ((x & 0xFFFFFFFFFFFFFFFF) ^ (1 << 63)) - (1 << 63)


@hookimpl
def sysret_a0(lwp: Lwp, v1: int, v2: int) -> None:
    """The ``b_sysret`` of a brand whose calls have one result, in a0.

    Of a brand that takes this very function ``trap.run`` knows what it does, and has
    the hardware do it on the way back to the program.
    """
    del v2
    lwp.regs[A0] = v1 & MASK


@dataclass(frozen=True, eq=False)
class Sysent:
    """One row of a brand's table.

    Attributes:
        number: In a7.
        name: Its name in the brand's manual.
        fn: Its handler; None for level absent.
        nargs: How many of a0..a5 the handler takes.
        level: How much of it is supported.
        note: What is missing or differs.
    """

    number: int
    name: str
    fn: Handler | None
    nargs: int
    level: Level
    note: str


def load_sysent(path: Path, handlers: Mapping[str, Any]) -> dict[int, Sysent]:
    """Read a ``syscalls.toml`` and bind its handlers.

    Args:
        path: The file: an array of tables ``[[syscall]]`` with number, name,
            handler, level and note.
        handlers: Where the handler functions are, by name.

    Raises:
        PluginError: Rows are wrong; the text names every one with file and line.
    """
    from personae.core.sysentfile import read_rows  # slow to import

    return {
        row["number"]: _row(row, handlers.get(row.get("handler", "")))
        for row in read_rows(path, handlers)
    }


def nargs_of(fn: Handler) -> int:
    """How many arguments a handler takes besides the lwp."""
    if isinstance(fn, FunctionType) and not hasattr(fn, "__wrapped__"):
        return fn.__code__.co_argcount - 1
    import inspect  # slow, and none of ours is wrapped

    return len(inspect.signature(fn).parameters) - 1


def _row(row: dict[str, Any], fn: Handler | None) -> Sysent:
    nargs = 0 if fn is None else nargs_of(fn)
    level = Level(row["level"])
    return Sysent(row["number"], row["name"], fn, nargs, level, row.get("note", ""))
