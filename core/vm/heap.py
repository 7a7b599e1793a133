"""The break: the end of a program's data, moved by brk(2).

Must not know: system calls, brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError
from personae.core.rctl import rlimit_get
from personae.core.vm.layout import USER_TOP, MapFlag, page_up

if TYPE_CHECKING:
    from personae.core.proc import Proc


def brk(proc: Proc, newbrk: int) -> int:
    """Move the break of ``proc`` to ``newbrk`` bytes.

    Returns:
        The new break.

    Raises:
        KernelError: ENOMEM, below the start, over a limit, or in the way of a
            mapping; the break has not moved.
    """
    as_ = proc.as_
    if as_ is None or not proc.brkbase <= newbrk <= USER_TOP:
        raise KernelError(Errno.ENOMEM, "break below its start")
    old, new = page_up(proc.brkbase + proc.brksize), page_up(newbrk)
    if new > old:
        if proc.rctls is not None and new - proc.brkbase > rlimit_get(proc, "DATA")[0]:
            name = "process.max-data-size"
            raise KernelError(Errno.ENOMEM, f"over {name}", name)
        flags = MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.NOREPLACE
        try:
            as_.map(old, new - old, proc.datprot, flags, name=b"[heap]")
        except KernelError as err:
            raise KernelError(Errno.ENOMEM, err.why, err.control) from err
    elif new < old:
        as_.unmap(new, old - new)
    proc.brksize = newbrk - proc.brkbase
    if as_.users > 1:
        for other in proc.kernel.practive:
            if other.as_ is as_:
                other.brksize = proc.brksize
    return newbrk
