"""Between a handler and its program: copyin(9F), copyout(9F), copyinstr(9F).

Each takes the calling lwp and fails with EFAULT as the program's own access would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.vfs.vnode import PATH_MAX

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As


def space_of(lwp: Lwp) -> As:
    """The address space of the process.

    Raises:
        KernelError: EFAULT, it has none (a kernel process).
    """
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def copyin(lwp: Lwp, addr: int, n: int) -> bytes:
    """``n`` bytes of the program.  Raises KernelError: EFAULT, ENOMEM."""
    return space_of(lwp).copyin(addr, n)


def copyout(lwp: Lwp, addr: int, data: bytes) -> None:
    """Bytes into the program.  Raises KernelError: EFAULT, ENOMEM."""
    space_of(lwp).copyout(addr, data)


def copyinstr(lwp: Lwp, addr: int, limit: int = PATH_MAX) -> bytes:
    """A string of the program, without its NUL.

    Raises:
        KernelError: EFAULT; ENAMETOOLONG, no NUL among ``limit`` bytes; ENOMEM.
    """
    return space_of(lwp).copyinstr(addr, limit)


def load(lwp: Lwp, addr: int, fmt: str) -> tuple[Any, ...]:
    """Unpack a struct of the program; ``fmt`` as in ``struct``."""
    return space_of(lwp).load(addr, fmt)


def store(lwp: Lwp, addr: int, fmt: str, *values: Any) -> None:
    """Pack a struct into the program's memory."""
    space_of(lwp).store(addr, fmt, *values)


def copyin_strings(lwp: Lwp, addr: int, limit: int, room: int) -> list[bytes]:
    """A vector of strings that ends with a null pointer: argv, envp.

    Args:
        lwp: The caller.
        addr: Where the vector is.
        limit: Most strings.
        room: Most bytes of one string with its NUL.

    Raises:
        KernelError: EFAULT; E2BIG, too many strings, or one is too long.
    """
    out: list[bytes] = []
    while True:
        (pointer,) = load(lwp, addr + 8 * len(out), "<Q")
        if pointer == 0:
            return out
        if len(out) >= limit:
            raise KernelError(Errno.E2BIG, f"more than {limit} strings")
        try:
            out.append(copyinstr(lwp, pointer, room))
        except KernelError as e:
            if e.errno is Errno.ENAMETOOLONG:
                raise KernelError(Errno.E2BIG, f"a string over {room} bytes") from e
            raise
