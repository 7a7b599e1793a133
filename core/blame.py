"""Whose failure it was: from a traceback to plugin, hook, file and line."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.errno import Panic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.kernel import Kernel
    from personae.core.plugin import Vector


class HookPanic(Panic):
    """An operation of a brand, class or contract type failed where none may.

    The text names the plugin, the hook and the line.
    """


def raised_at(error: BaseException) -> str:
    """File and line of the innermost frame of an exception.

    >>> try: 1 / 0
    ... except ZeroDivisionError as e: print(raised_at(e).endswith(":1"))
    True
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "no source"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def blame(error: BaseException, vectors: Iterable[Vector]) -> str | None:
    """The operation in which an exception was raised: ``brand x: b_exec (ops.py:7)``.

    The innermost one counts; None if it was raised in no operation.
    """
    codes = {c: (v.owner, hook) for v in vectors for c, hook in v.codes.items()}
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        who = codes.get(frame.f_code)
        if who is not None:
            file = Path(frame.f_code.co_filename).name
            found = f"{who[0]}: {who[1]} ({file}:{line})"
    return found


def vectors_of(kernel: Kernel) -> list[Vector]:
    """The vectors of everything that is plugged into a kernel."""
    found: list[Vector] = [b.ops for b in kernel.brands.brands.values()]
    found += [c.ops for c in kernel.classes.values()]
    found.append(kernel.contract_ops)
    return found


def hook_panic(kernel: Kernel, what: str, error: BaseException) -> Panic:
    """The panic for a failure that nothing can be done about.

    Args:
        kernel: Where it happened.
        what: The operation of the kernel, such as ``fork1: beyond the commit``.
        error: What was raised.
    """
    who = blame(error, vectors_of(kernel))
    if who is None:
        return Panic(f"{what}: {error!r}")
    return HookPanic(f"{what}: {who} raised {error!r}; it may not fail here")
