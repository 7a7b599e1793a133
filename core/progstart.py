"""The start of a program by the ELF psABI of RISC-V: what most brands need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.exec import StartState
from personae.core.execload import build_stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from personae.core.exec import ExecInfo


def psabi_start(
    info: ExecInfo,
    auxv: Sequence[tuple[int, int]] = (),
    placed: Mapping[int, bytes] | None = None,
) -> StartState:
    """The answer of ``b_elfexec``: argc, argv, envp and the auxiliary vector.

    Args:
        info: What b_elfexec was given.
        auxv: Entries besides those that every ELF system has (``info.elf_auxv``).
        placed: Entries whose value is the address of bytes on the stack.

    Raises:
        KernelError: E2BIG, ENOMEM.
    """
    entries = [*info.elf_auxv(), *auxv]
    stack = build_stack(info.as_, info.sp, info.argv, info.envp, entries, placed)
    return StartState(
        sp=stack.sp,
        pc=info.start,
        auxv=stack.auxv,
        arg_range=stack.arg_range,
        env_range=stack.env_range,
    )
