"""Flag words: named bits that are as quick as the ints they are."""

from __future__ import annotations

from enum import IntFlag
from typing import TypeVar

F = TypeVar("F", bound=IntFlag)

_OPERATORS = (
    "__and__", "__rand__", "__or__", "__ror__", "__xor__", "__rxor__", "__invert__",
)  # fmt: skip


def quick_flags(cls: type[F]) -> type[F]:
    """Give an ``IntFlag`` the operators of ``int``, whose results are plain ints.

    Its own make a member each time, which costs ten times as much, and a fork tests a
    hundred flags.

    >>> @quick_flags
    ... class Mode(IntFlag):
    ...     A = 1
    ...     B = 2
    >>> Mode.A | Mode.B, 3 & ~Mode.A, Mode(2).name
    (3, 2, 'B')
    """
    for name in _OPERATORS:
        setattr(cls, name, getattr(int, name))
    return cls
