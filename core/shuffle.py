"""Other schedules of the same machine: chance from a seed of its own.

Without a schedule seed the dispatcher is plain: full time slices, first come first
served, the CPU furthest behind.  With one, the length of a slice and the choice
among equals (lwps of one priority, CPUs at one time) vary, and the same seed gives
the same run.  So a race that the plain order hides can be met, and met again.

The generator is splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
generators, 2014): its whole state is one integer, which pickles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
OCTAVES = 9
"""A slice is shorter than a full one by up to this many halvings."""
SHORTEST = 64
"""Cycles of the shortest slice: few enough to end within a short race."""


class Shuffle:
    """The chances of one schedule.

    Args:
        seed: Which schedule.
    """

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = seed & MASK

    def below(self, n: int) -> int:
        """A number from 0 to ``n`` - 1."""
        self.state = z = (self.state + GAMMA) & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return ((z ^ z >> 31) * n) >> 64

    def slice(self, quantum: int) -> int:
        """Length of a time slice in cycles, no longer than ``quantum``.

        Any magnitude is as likely as another, so that short and long races are met.
        """
        top = quantum >> self.below(OCTAVES + 1)
        length = top - self.below(top // 2 + 1)
        return max(length, min(SHORTEST, quantum))

    def mixed(self, items: Iterable[T]) -> list[T]:
        """The items in another order (Fisher and Yates)."""
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out
