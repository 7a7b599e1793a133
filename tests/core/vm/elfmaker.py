"""ELF files made by hand: what no compiler is needed for, or would refuse to make."""

import struct
from dataclasses import dataclass

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
PAGE = 4096
LOAD, INTERP, STACK = 1, 3, 0x6474E551
R, W, X = 4, 2, 1
EXEC, DYN = 2, 3
BASE = 0x10000


@dataclass
class Part:
    """A PT_LOAD: its bytes begin in the file where its address says within a page."""

    vaddr: int
    data: bytes
    flags: int = R | X
    memsz: int = -1
    align: int = PAGE


def make_elf(
    *parts: Part, entry=None, etype=EXEC, interp=None, execstack=False, **header
) -> bytes:
    """A file with these segments; the headers are in the first one's first page.

    Keywords of ``header`` replace fields of the ELF header, for broken files.
    """
    phnum = len(parts) + (interp is not None) + 1
    room = EHDR.size + phnum * PHDR.size
    blob = bytearray(room)
    headers = []
    if interp is not None:
        headers.append((INTERP, R, len(blob), 0, len(interp), len(interp), 1))
        blob += interp
    for i, p in enumerate(parts):
        if i == 0:
            # the headers are loaded too: the segment begins at offset 0
            start = p.vaddr & -PAGE
            blob += bytes(max(0, p.vaddr - start - len(blob)))
            assert len(blob) == p.vaddr - start, "no room for the headers"
            size = len(blob) + len(p.data)
            extra = p.memsz - len(p.data) if p.memsz >= 0 else 0
            headers.append((LOAD, p.flags, 0, start, size, size + extra, p.align))
        else:
            blob += bytes((p.vaddr - len(blob)) % PAGE)
            size = len(p.data)
            memsz = p.memsz if p.memsz >= 0 else size
            headers.append((LOAD, p.flags, len(blob), p.vaddr, size, memsz, p.align))
        blob += p.data
    headers.append((STACK, R | W | (X if execstack else 0), 0, 0, 0, 0, 16))
    fields = {
        "ident": b"\x7fELF\x02\x01\x01" + bytes(9),
        "type": etype,
        "machine": 243,
        "version": 1,
        "entry": parts[0].vaddr if entry is None else entry,
        "phoff": EHDR.size,
        "shoff": 0,
        "flags": 5,
        "ehsize": EHDR.size,
        "phentsize": PHDR.size,
        "phnum": phnum,
        "shentsize": 0,
        "shnum": 0,
        "shstrndx": 0,
    }
    fields.update(header)
    EHDR.pack_into(blob, 0, *fields.values())
    for i, (kind, flags, off, vaddr, filesz, memsz, align) in enumerate(headers):
        at = EHDR.size + i * PHDR.size
        PHDR.pack_into(blob, at, kind, flags, off, vaddr, vaddr, filesz, memsz, align)
    return bytes(blob)


CODE = BASE + 0x800
"""Where the first segment's bytes go: behind any headers."""

LD_A0_SP = 0x00013503
ECALL = 0x00000073


def code(*insns: int) -> bytes:
    """Instructions as bytes."""
    return b"".join(i.to_bytes(4, "little") for i in insns)


def hello(etype=EXEC, base=BASE, **kw) -> bytes:
    """A program that loads argc into a0 and makes a system call; data and bss too."""
    return make_elf(
        Part(base + 0x800, code(LD_A0_SP, ECALL)),
        Part(base + 0x2100, b"data" * 10, R | W, 0x3000),
        etype=etype,
        **kw,
    )
