"""ELF: what exec has to know of a program file, and nothing believed unchecked.

Reads the header, the program headers and the interpreter's name of a 64-bit
little-endian RISC-V file (ELF-64 Object File Format; RISC-V ELF psABI).  A
file that breaks a rule is ENOEXEC, whatever is wrong with it; nothing that is
read leads to more memory than the limits below.

Must not know: address spaces, brands.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import Errno, KernelError
from personae.core.vm.layout import PAGE, PAGE_MASK, USER_TOP, page_down, page_up

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
MAGIC = b"\x7fELF\x02\x01\x01"
"""64 bits, little endian, version 1."""
EM_RISCV = 243
MAX_PHNUM = 65536 // PHDR.size
"""As in Linux: the table is at most 64 KiB."""
MAX_INTERP = 4096
MAX_ALIGN = 1 << 30


class EType(IntEnum):
    """Kinds of file that can be executed."""

    EXEC = 2
    DYN = 3


class PType(IntEnum):
    """Program headers that matter here."""

    LOAD = 1
    INTERP = 3
    PHDR = 6
    GNU_STACK = 0x6474E551


PF_X, PF_W, PF_R = 1, 2, 4


class Phdr(NamedTuple):
    """One program header (Elf64_Phdr), ``p_`` dropped."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    @property
    def prot(self) -> int:
        """The flags as a protection of ``vm``."""
        f = self.flags
        return (f & PF_R) >> 2 | (f & PF_W) | (f & PF_X) << 2


@dataclass(frozen=True)
class ElfImage:
    """A checked program file.

    Attributes:
        vnode: The file.
        type: Fixed or position independent.
        entry: Where it starts, before it is moved.
        loads: The PT_LOAD headers, by ascending address, not overlapping.
        phdr: Address of the program headers in memory, before moving; 0: none.
        phnum: How many there are.
        interp: Path of its interpreter, or None.
        exec_stack: Whether it asks for an executable stack.
        flags: e_flags.
        osabi: The operating system in e_ident.
        align: The largest alignment of a segment; at least a page.
    """

    vnode: Vnode
    type: EType
    entry: int
    loads: tuple[Phdr, ...]
    phdr: int
    phnum: int
    interp: bytes | None
    exec_stack: bool
    flags: int
    osabi: int
    align: int

    @property
    def lo(self) -> int:
        """First page that is loaded."""
        return page_down(self.loads[0].vaddr)

    @property
    def hi(self) -> int:
        """End of the last page that is loaded."""
        last = self.loads[-1]
        return page_up(last.vaddr + last.memsz)


def _bad(why: str) -> KernelError:
    return KernelError(Errno.ENOEXEC, why)


def read(
    vnode: Vnode,
    lwp: Lwp | None = None,
    head: bytes | None = None,
    *,
    mapped: bool = True,
) -> ElfImage:
    """Read and check a program file.

    Args:
        vnode: A regular file.
        lwp: Who reads.
        head: Its first bytes, if the caller has read them.
        mapped: Its segments will be mapped, so offset and address must agree within
            a page; else they will be read in, and each has to begin at a page.

    Raises:
        KernelError: ENOEXEC, and what reading raises.
    """
    if head is None or len(head) < EHDR.size:
        head = vnode.read(lwp, 0, PAGE, 0)
    if len(head) < EHDR.size or not head.startswith(MAGIC):
        raise _bad("not a 64-bit little-endian ELF file")
    (ident, etype, machine, version, entry, phoff, _shoff, eflags, ehsize, phentsize,
     phnum, *_) = EHDR.unpack_from(head)  # fmt: skip
    if machine != EM_RISCV or version != 1 or ehsize < EHDR.size:
        raise _bad(f"not for RISC-V: machine {machine}, version {version}")
    if etype not in (EType.EXEC, EType.DYN):
        raise _bad(f"type {etype} is not a program")
    if phentsize != PHDR.size or not 0 < phnum <= MAX_PHNUM:
        raise _bad(f"{phnum} program headers of {phentsize} bytes")
    size = vnode.getattr().size
    phdrs = _phdrs(_bytes(vnode, lwp, head, phoff, phnum * PHDR.size, size))
    loads = tuple(p for p in phdrs if p.type == PType.LOAD and p.memsz)
    _check_loads(loads, size, mapped)
    stack = [p for p in phdrs if p.type == PType.GNU_STACK]
    return ElfImage(
        vnode=vnode,
        type=EType(etype),
        entry=_check_entry(entry),
        loads=loads,
        phdr=_phdr_addr(loads, phoff),
        phnum=phnum,
        interp=_interp(vnode, lwp, head, phdrs, size),
        exec_stack=any(p.flags & PF_X for p in stack),
        flags=eflags,
        osabi=ident[7],
        align=max(PAGE, *(p.align for p in loads)),
    )


def _bytes(
    vnode: Vnode, lwp: Lwp | None, head: bytes, off: int, n: int, size: int
) -> bytes:
    """Bytes of the file, out of ``head`` if they are in it."""
    if off + n > size:
        raise _bad("a header points behind the end of the file")
    if off + n <= len(head):
        return head[off : off + n]
    data = vnode.read(lwp, off, n, 0)
    if len(data) != n:
        raise _bad("a header points behind the end of the file")
    return data


def _phdrs(table: bytes) -> list[Phdr]:
    return list(map(Phdr._make, PHDR.iter_unpack(table)))


def _check_entry(entry: int) -> int:
    if entry >= USER_TOP:
        raise _bad(f"entry point {entry:#x}")
    return entry


def _check_loads(loads: tuple[Phdr, ...], size: int, mapped: bool) -> None:
    """Each within the file and the address space, in order, page to page."""
    if not loads:
        raise _bad("nothing to load")
    end = 0
    for p in loads:
        if p.filesz > p.memsz:
            raise _bad("a segment has more bytes in the file than in memory")
        if p.filesz and p.offset + p.filesz > size:
            raise _bad("a segment points behind the end of the file")
        if p.vaddr < end or p.vaddr + p.memsz > USER_TOP - PAGE:
            raise _bad(f"a segment at {p.vaddr:#x} overlaps or is out of range")
        if mapped and p.filesz and (p.offset - p.vaddr) & PAGE_MASK:
            raise _bad("offset and address of a segment differ within a page")
        if not mapped and p.vaddr & PAGE_MASK:
            raise _bad(f"a segment at {p.vaddr:#x}, which is no page")
        if p.align & (p.align - 1) or p.align > MAX_ALIGN:
            raise _bad(f"alignment {p.align:#x}")
        end = p.vaddr + p.memsz


def _phdr_addr(loads: tuple[Phdr, ...], phoff: int) -> int:
    """Where the table at ``phoff`` of the file gets into memory."""
    for p in loads:
        if p.offset <= phoff < p.offset + p.filesz:
            return p.vaddr + phoff - p.offset
    return 0


def _interp(
    vnode: Vnode, lwp: Lwp | None, head: bytes, phdrs: list[Phdr], size: int
) -> bytes | None:
    """The text of the first PT_INTERP."""
    for p in phdrs:
        if p.type == PType.INTERP:
            if not 2 <= p.filesz <= MAX_INTERP:
                raise _bad("length of the interpreter's name")
            text = _bytes(vnode, lwp, head, p.offset, p.filesz, size)
            if text[-1] != 0 or text.index(0) == 0:
                raise _bad("the interpreter's name does not end, or is empty")
            return text[: text.index(0)]
    return None
