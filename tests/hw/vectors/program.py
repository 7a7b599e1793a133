"""A program of test blocks in RISC-V assembly, and the index of what it prints.

Each block loads its operands (from a table, in a loop), runs one instruction and
stores 64-bit result words; after each block the words are written to stdout.  The
program runs unchanged under qemu-riscv64 and on personae's hardware layer.

Registers: s0 table, s1 entries left, s2 output, s3 rounding mode, s4 scratch
memory; blocks use t0-t6, a0-a5, s8-s11 and every FP register but keep the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OUT_WORDS = 1 << 17

HEAD = """
    .option norelax
    .option norvc
    .macro put r
    sd \\r, 0(s2)
    addi s2, s2, 8
    .endm
    .macro putf r
    fmv.x.d t6, \\r
    put t6
    frflags t6
    put t6
    .endm
    .text
    .globl _start
_start:
    lla s4, scratch
"""

TAIL = """
    li a0, 0
    li a7, 93
    ecall
flush:
    lla a1, out
    sub a2, s2, a1
    mv s2, a1
    beqz a2, 2f
1:  li a0, 1
    li a7, 64
    ecall
    blez a0, 3f
    add a1, a1, a0
    sub a2, a2, a0
    bnez a2, 1b
2:  ret
3:  li a0, 1
    li a7, 93
    ecall
    .data
    .balign 4096
    .skip 2048
scratch: .skip 6144
    .balign 16
out: .skip {out}
"""


@dataclass
class Block:
    """One tested form: `words` per vector, `vectors` in all."""

    name: str
    words: int
    vectors: int


@dataclass
class Program:
    """Collects blocks and tables."""

    blocks: list[Block] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    tables: dict[str, tuple[int, int]] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)

    def table(self, name: str, rows: list[tuple[int, ...]]) -> str:
        """Put a table of equally wide rows of 64-bit words; return its name."""
        width = len(rows[0])
        self.tables[name] = (len(rows), width)
        self.data.append(f"{name}:")
        for row in rows:
            assert len(row) == width
            self.data.append("    .dword " + ", ".join(hex(v) for v in row))
        return name

    def loop(self, name: str, table: str, body: str, words: int) -> None:
        """Run body for each row; it finds the row at s0 and does `words` puts."""
        count, width = self.tables[table]
        assert count * words <= OUT_WORDS
        self.blocks.append(Block(name, words, count))
        self.text.append(
            f"    # {name}\n    lla s2, out\n    lla s0, {table}\n    li s1, {count}\n"
            f"8:\n{body}\n    addi s0, s0, {8 * width}\n    addi s1, s1, -1\n"
            "    beqz s1, 9f\n    lla t6, 8b\n    jr t6\n9:\n    call flush\n"
        )

    def once(self, name: str, body: str, words: int) -> None:
        """Run body one time."""
        self.blocks.append(Block(name, words, 1))
        self.text.append(f"    # {name}\n    lla s2, out\n{body}\n    call flush\n")

    def source(self) -> str:
        """The whole program."""
        tail = TAIL.format(out=8 * OUT_WORDS)
        return "\n".join([HEAD, *self.text, tail, "    .balign 8", *self.data, ""])
