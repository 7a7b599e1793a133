"""A very small RISC-V assembler, and the program file around its code.

Enough for the kit's own guests, so that no compiler is needed to prove a brand.
Encodings: The RISC-V Instruction Set Manual, Volume I, chapters RV32I, RV64I and D.
"""

from __future__ import annotations

import struct

_NAMES = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{i}" for i in range(8)),
    *(f"s{i}" for i in range(2, 12)),
    *(f"t{i}" for i in range(3, 7)),
)
REGS = {name: n for n, name in enumerate(_NAMES)}
"""Number of each integer register by its name in the calling convention."""
TEXT = 0x10000
DATA = 0x20000
DATA_SIZE = 0x1000
HEADERS = 0x100
"""Room for the headers in front of the code."""
PAGE = 0x1000


class Asm:
    """Code under construction; branches go to labels."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.labels: dict[str, int] = {}
        self.branches: list[tuple[int, str, str]] = []

    def label(self, name: str) -> None:
        """This is where ``name`` is."""
        self.labels[name] = len(self.words)

    def _i(self, op: int, f3: int, rd: str, rs1: str, imm: int) -> None:
        word = (imm & 0xFFF) << 20 | REGS[rs1] << 15 | f3 << 12 | REGS[rd] << 7 | op
        self.words.append(word)

    def _r(self, op: int, f3: int, f7: int, rd: int, rs1: int, rs2: int) -> None:
        self.words.append(f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op)

    def li(self, rd: str, value: int) -> None:
        """Load a 32-bit constant, sign extended: lui and addiw."""
        low = ((value & 0xFFF) ^ 0x800) - 0x800
        high = ((value - low) >> 12) & 0xFFFFF
        self.words.append(high << 12 | REGS[rd] << 7 | 0x37)
        self._i(0x1B, 0, rd, rd, low)

    def addi(self, rd: str, rs1: str, imm: int) -> None:
        """Rd = rs1 + imm."""
        self._i(0x13, 0, rd, rs1, imm)

    def andi(self, rd: str, rs1: str, imm: int) -> None:
        """Rd = rs1 & imm."""
        self._i(0x13, 7, rd, rs1, imm)

    def slli(self, rd: str, rs1: str, n: int) -> None:
        """Rd = rs1 << n."""
        self._i(0x13, 1, rd, rs1, n)

    def srli(self, rd: str, rs1: str, n: int) -> None:
        """Rd = rs1 >> n, unsigned."""
        self._i(0x13, 5, rd, rs1, n)

    def add(self, rd: str, rs1: str, rs2: str) -> None:
        """Rd = rs1 + rs2."""
        self._r(0x33, 0, 0, REGS[rd], REGS[rs1], REGS[rs2])

    def xor(self, rd: str, rs1: str, rs2: str) -> None:
        """Rd = rs1 ^ rs2."""
        self._r(0x33, 4, 0, REGS[rd], REGS[rs1], REGS[rs2])

    def ld(self, rd: str, off: int, rs1: str) -> None:
        """Load 64 bits."""
        self._i(0x03, 3, rd, rs1, off)

    def sd(self, rs2: str, off: int, rs1: str) -> None:
        """Store 64 bits."""
        imm = off & 0xFFF
        self.words.append(
            imm >> 5 << 25
            | REGS[rs2] << 20
            | REGS[rs1] << 15
            | 3 << 12
            | (imm & 31) << 7
            | 0x23
        )

    def fmv_d_x(self, fd: int, rs1: str) -> None:
        """Move the bits of an integer register into f``fd``."""
        self._r(0x53, 0, 0x79, fd, REGS[rs1], 0)

    def fmv_x_d(self, rd: str, fs1: int) -> None:
        """Move the bits of f``fs1`` into an integer register."""
        self._r(0x53, 0, 0x71, REGS[rd], fs1, 0)

    def ecall(self) -> None:
        """The system call."""
        self.words.append(0x73)

    def branch(self, op: str, rs1: str, rs2: str, label: str) -> None:
        """Branch to ``label`` if ``rs1 op rs2``; op is ``==``, ``!=`` or ``<``."""
        f3 = {"==": 0, "!=": 1, "<": 4}[op]
        self.branches.append((len(self.words), "B", label))
        self.words.append(REGS[rs2] << 20 | REGS[rs1] << 15 | f3 << 12 | 0x63)

    def jump(self, label: str) -> None:
        """Go to ``label``."""
        self.branches.append((len(self.words), "J", label))
        self.words.append(0x6F)

    def code(self) -> bytes:
        """The finished code.

        Raises:
            ValueError: A branch goes further than it can.
        """
        words = self.words.copy()
        for at, kind, label in self.branches:
            off = (self.labels[label] - at) * 4
            if kind == "B":
                if not -4096 <= off < 4096:
                    raise ValueError(f"branch to {label}: {off} bytes")
                words[at] |= (
                    (off >> 12 & 1) << 31
                    | (off >> 5 & 63) << 25
                    | (off >> 1 & 15) << 8
                    | (off >> 11 & 1) << 7
                )
            else:
                words[at] |= (
                    (off >> 20 & 1) << 31
                    | (off >> 1 & 0x3FF) << 21
                    | (off >> 11 & 1) << 20
                    | (off >> 12 & 0xFF) << 12
                )
        return struct.pack(f"<{len(words)}I", *words)


def program(code: bytes, data: bytes = b"") -> bytes:
    """A static ELF program: code at ``TEXT`` + ``HEADERS``, data at ``DATA``.

    The data is writable, and ``DATA_SIZE`` bytes of it, zero behind what is given.
    """
    text = b"\0" * HEADERS + code
    at = (len(text) + PAGE - 1) & -PAGE
    ehdr = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01" + bytes(9),
        2,  # ET_EXEC
        243,  # EM_RISCV
        1,
        TEXT + HEADERS,
        64,
        0,
        5,  # double-float ABI, compressed code allowed
        64,
        56,
        2,
        0,
        0,
        0,
    )
    loads = struct.pack("<IIQQQQQQ", 1, 5, 0, TEXT, TEXT, len(text), len(text), PAGE)
    loads += struct.pack("<IIQQQQQQ", 1, 6, at, DATA, DATA, len(data), DATA_SIZE, PAGE)
    head = ehdr + loads
    return head + text[len(head) :] + bytes(at - len(text)) + data
