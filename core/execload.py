"""Loading for exec: segments of an ELF file and the first stack of a program.

Both write into an address space that no program runs in yet, through the same
functions that a program's own calls use, so limits and copy-on-write need no
special case.

Must not know: processes, any particular brand.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.core.elf import ElfImage, EType, Phdr
from personae.core.errno import Errno, KernelError
from personae.core.vm.layout import (
    ET_DYN_BASE,
    PAGE,
    PAGE_MASK,
    MapFlag,
    Prot,
    page_down,
    page_up,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from personae.core.vm.as_ import As

READ_STEP = 1 << 20
"""A segment is read in pieces of this size."""
_FIXED = MapFlag.PRIVATE | MapFlag.FIXED
_KEEP_ERRNO = (Errno.ENOMEM, Errno.EIO)


def place_image(as_: As, image: ElfImage, *, interp: bool) -> int:
    """What to add to the addresses of ``image``.

    A file of type EXEC stays where it is.  An interpreter goes where mappings go,
    another position-independent file to ET_DYN_BASE.

    Raises:
        KernelError: ENOMEM.
    """
    if image.type is EType.EXEC:
        return 0
    span, slack = image.hi - image.lo, image.align - PAGE
    low = image.lo & (image.align - 1)
    base = (ET_DYN_BASE & ~(image.align - 1)) + low
    if interp or base + span > as_.mmap_base or not as_.is_free(base, base + span):
        at = as_.gap(span + slack, as_.mmap_base)
        base = at + (low - at) % image.align
    return base - image.lo


def load_image(as_: As, image: ElfImage, bias: int) -> None:
    """Map the segments of ``image``, moved by ``bias``.

    Raises:
        KernelError: ENOMEM; ENOEXEC, the place is not to be had; ENODEV, EIO.
    """
    end = 0
    try:
        for p in image.loads:
            end = _load_segment(as_, image, p, bias, end)
    except KernelError as err:
        if err.errno in (*_KEEP_ERRNO, Errno.ENODEV):
            raise
        raise KernelError(Errno.ENOEXEC, f"a segment: {err.why}") from err


def read_image(as_: As, image: ElfImage, bias: int) -> None:
    """Read the segments of ``image`` into private memory, moved by ``bias``.

    Each begins at a page.  Every page can be read.

    Raises:
        KernelError: ENOMEM; ENOEXEC, the place is not to be had, or the file ends
            early; EIO.
    """
    try:
        for p in image.loads:
            _read_segment(as_, image, p, p.vaddr + bias)
    except KernelError as err:
        if err.errno in _KEEP_ERRNO:
            raise
        raise KernelError(Errno.ENOEXEC, f"a segment: {err.why}") from err


def _read_segment(as_: As, image: ElfImage, p: Phdr, start: int) -> None:
    size = page_up(p.memsz)
    as_.map(start, size, int(Prot.READ | Prot.WRITE), _FIXED)
    for at in range(0, p.filesz, READ_STEP):
        n = min(READ_STEP, p.filesz - at)
        data = image.vnode.read(None, p.offset + at, n, 0)
        if len(data) != n:
            raise KernelError(Errno.ENOEXEC, "the file ends early")
        as_.copyout(start + at, data)
    as_.protect(start, size, int(p.prot | Prot.READ))


def _load_segment(as_: As, image: ElfImage, p: Phdr, bias: int, end: int) -> int:
    """Map one segment; ``end`` is the end of the pages that are mapped already."""
    start = p.vaddr + bias
    file_end, mem_end = start + p.filesz, start + p.memsz
    lo = page_down(start)
    if p.filesz:
        size = page_up(file_end) - lo
        tail = -file_end & PAGE_MASK if mem_end > file_end else 0
        # The last page is partly file and partly bss: a private copy, zeroed.
        prot = p.prot | Prot.WRITE if tail else p.prot
        as_.map(lo, size, prot, _FIXED, image.vnode, page_down(p.offset))
        if tail:
            as_.copyout(file_end, bytes(tail))
        if prot != p.prot:
            as_.protect(lo, size, p.prot)
        end = lo + size
    elif start < end:
        # It begins in the last page of the segment below, which stays.
        as_.copyout(start, bytes(min(end, mem_end) - start))
    else:
        end = lo
    if page_up(mem_end) > end:
        as_.map(end, page_up(mem_end) - end, p.prot, _FIXED)
        end = page_up(mem_end)
    return end


@dataclass
class Stack:
    """Where ``build_stack`` put things.

    Attributes:
        sp: Address of argc.
        auxv: The vector as it was written, without the final AT_NULL.
        arg_range: First and last+1 address of the argument strings.
        env_range: The same of the environment.
    """

    sp: int
    auxv: list[tuple[int, int]]
    arg_range: tuple[int, int]
    env_range: tuple[int, int]


def build_stack(
    as_: As,
    sp_top: int,
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    auxv: Sequence[tuple[int, int]],
    placed: Mapping[int, bytes] | None = None,
) -> Stack:
    """Build the first stack of a program by the ELF psABI, as Linux lays it out.

    From ``sp`` upwards: argc, argv, 0, envp, 0, the auxiliary vector, AT_NULL; then
    padding and the bytes of ``placed``; then the strings of argv and envp.

    Args:
        as_: The address space; its stack segment may grow.
        sp_top: The stack goes below.
        argv: Arguments, each without its NUL.
        envp: Environment strings.
        auxv: Entries of the auxiliary vector with numbers as values.
        placed: Entries whose value is the address of bytes on the stack, as
            AT_RANDOM and AT_EXECFN have; each begins at a multiple of 16.

    Returns:
        Where things are; ``sp`` is a multiple of 16.

    Raises:
        KernelError: E2BIG, it doesn't fit; ENOMEM.
    """
    args = b"".join(a + b"\0" for a in argv)
    envs = b"".join(e + b"\0" for e in envp)
    env_at = sp_top - 8 - len(envs)
    arg_at = env_at - len(args)

    at = arg_at & ~15
    entries = list(auxv)
    blobs: list[tuple[int, bytes]] = []
    for a_type, data in (placed or {}).items():
        at = (at - len(data)) & ~15
        blobs.append((at, data))
        entries.append((a_type, at))

    words = [len(argv)]
    words += (*_pointers(arg_at, argv), 0, *_pointers(env_at, envp), 0)
    for pair in entries:
        words += pair
    words += (0, 0)
    sp = (at - 8 * len(words)) & ~15

    image = bytearray(sp_top - sp)
    struct.pack_into(f"<{len(words)}Q", image, 0, *words)
    for where, data in (*blobs, (arg_at, args), (env_at, envs)):
        image[where - sp : where - sp + len(data)] = data
    try:
        as_.copyout(sp, bytes(image))
    except KernelError as err:
        if err.errno is Errno.EFAULT:
            raise KernelError(Errno.E2BIG, "the stack is too small") from err
        raise
    return Stack(sp, entries, (arg_at, env_at), (env_at, env_at + len(envs)))


def _pointers(at: int, strings: Sequence[bytes]) -> list[int]:
    out = []
    for s in strings:
        out.append(at)
        at += len(s) + 1
    return out
