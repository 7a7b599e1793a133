"""How exec builds a new address space, where brands differ.

The default is what Linux and illumos do: segments are mapped pages of the file, the
null page is never mapped, and a stack that grows hangs from the top.  A brand says
otherwise with ``Brand(..., exec_rules=ExecRules(...))``.

Must not know: any particular brand.
"""

from __future__ import annotations

from dataclasses import dataclass

from personae.core.vm.layout import MMAP_MIN_ADDR


@dataclass(frozen=True)
class ExecRules:
    """What exec does before ``b_elfexec``.

    Attributes:
        lowest: Lowest address that a program can have, at a page.
        read_in: Segments are read into private memory, not mapped: their offset in
            the file may be any, their address has to be at a page.
        stack: A stack is mapped at the top and grows.  False: ``b_elfexec`` maps one
            in ``info.as_`` and answers where it is (``StartState.stack``).
    """

    lowest: int = MMAP_MIN_ADDR
    read_in: bool = False
    stack: bool = True
