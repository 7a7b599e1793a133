"""Blocks for C: every compressed instruction by its own mnemonic."""

from __future__ import annotations

from program import Program

RVC = "    .option push\n    .option rvc\n{}    .option pop\n"
PAIR = "    ld s8, 0(s0)\n    ld s9, 8(s0)\n    mv a0, s8\n    mv a1, s9\n"


def rvc(*lines: str) -> str:
    """Lines assembled with compressed instructions; padded to four bytes."""
    text = "".join(f"    {line}\n" for line in lines)
    return RVC.format(text + "    .balign 4\n")


def arithmetic(p: Program) -> None:
    """Operations on one or two registers."""
    for op in ("c.sub", "c.xor", "c.or", "c.and", "c.subw", "c.addw", "c.add", "c.mv"):
        p.loop(op, "pairs", PAIR + rvc(f"{op} a0, a1") + "    put a0", 1)
        p.loop(f"{op} same", "fewpairs", PAIR + rvc(f"{op} a0, a0") + "    put a0", 1)
    for op in ("c.add", "c.mv"):
        p.loop(f"{op} s8", "fewpairs", PAIR + rvc(f"{op} s8, s9") + "    put s8", 1)
    for imm in (-32, -1, 1, 5, 31):
        for op in ("c.addi", "c.addiw", "c.andi"):
            p.loop(
                f"{op} {imm}", "pairs", PAIR + rvc(f"{op} a0, {imm}") + "    put a0", 1
            )
        p.once(f"c.li {imm}", rvc(f"c.li a0, {imm}") + "    put a0", 1)
    for imm in (0, -7):
        for op in ("c.addiw", "c.andi", "c.li"):
            p.loop(
                f"{op} {imm}",
                "fewpairs",
                PAIR + rvc(f"{op} a0, {imm}") + "    put a0",
                1,
            )
    for n in (1, 31, 32, 63):
        for op in ("c.slli", "c.srli", "c.srai"):
            p.loop(f"{op} {n}", "pairs", PAIR + rvc(f"{op} a0, {n}") + "    put a0", 1)
    for imm in (1, 31, 0xFFFE0, 0xFFFFF):
        p.once(f"c.lui {imm}", rvc(f"c.lui a0, {imm}") + "    put a0", 1)
    hints = (0x0005, 0x4005, 0x6005, 0x8006, 0x1002)
    body = rvc("c.nop", *(f".half {hint:#x}" for hint in hints)) + "    put zero"
    p.once("c.nop hints", body, 1)


def stack(p: Program) -> None:
    """What works on sp."""
    for imm in (-512, -16, 16, 496):
        body = "    mv s11, sp\n" + rvc(f"c.addi16sp sp, {imm}")
        body += "    sub t0, sp, s11\n    mv sp, s11\n    put t0"
        p.once(f"c.addi16sp {imm}", body, 1)
    for imm in (4, 8, 64, 1020):
        body = rvc(f"c.addi4spn a0, sp, {imm}") + "    sub a0, a0, sp\n    put a0"
        p.once(f"c.addi4spn {imm}", body, 1)
    pre = "    mv s11, sp\n    mv sp, s4\n"
    post = "    mv sp, s11\n"
    for off in (0, 8, 248):
        body = PAIR + pre + rvc(f"c.sdsp a0, {off}(sp)", f"c.ldsp s9, {off}(sp)")
        body += rvc(
            f"c.swsp a1, {off}(sp)", f"c.lwsp a2, {off}(sp)", f"c.ldsp a3, {off}(sp)"
        )
        body += post + "    put s9\n    put a2\n    put a3"
        p.loop(f"c.sdsp {off}", "pairs", body, 3)
        body = PAIR + pre + "    fmv.d.x fa0, a0\n"
        body += (
            rvc(f"c.fsdsp fa0, {off}(sp)", f"c.fldsp fs1, {off}(sp)")
            + post
            + "    putf fs1"
        )
        p.loop(f"c.fsdsp {off}", "pairs", body, 2)
    for off in (4, 124, 252):
        body = PAIR + pre + rvc(f"c.swsp a0, {off}(sp)", f"c.lwsp a2, {off}(sp)") + post
        p.loop(f"c.swsp {off}", "pairs", body + "    put a2", 1)


def memory(p: Program) -> None:
    """Loads and stores through a register."""
    for off in (0, 8, 120, 248):
        body = PAIR + "    mv a2, s4\n    fmv.d.x fa1, a1\n"
        body += rvc(f"c.sd a0, {off}(a2)", f"c.ld a3, {off}(a2)")
        body += rvc(f"c.fsd fa1, {off}(a2)", f"c.fld fa2, {off}(a2)")
        body += "    put a3\n    putf fa2"
        p.loop(f"c.sd c.fsd {off}", "pairs", body, 3)
    for off in (0, 4, 64, 124):
        body = (
            PAIR + "    mv a2, s4\n" + rvc(f"c.sw a0, {off}(a2)", f"c.lw a3, {off}(a2)")
        )
        p.loop(f"c.sw {off}", "pairs", body + "    put a3", 1)


def control(p: Program) -> None:
    """Compressed branches and jumps."""
    for op in ("c.beqz", "c.bnez"):
        body = PAIR + "    li a2, 0\n" + rvc(f"{op} a0, 1f", "c.li a2, 1", "1: c.nop")
        p.loop(op, "pairs", body + "    put a2", 1)
        body = PAIR + "    li a2, 7\n"
        body += rvc("c.j 2f", "1: c.li a2, 3", "c.j 3f", f"2: {op} a0, 1b", "3: c.nop")
        p.loop(f"{op} back", "pairs", body + "    put a2", 1)
    p.once(
        "c.jr",
        "    lla a0, 1f\n" + rvc("c.jr a0", ".half 0") + "    put zero\n1:  put a0",
        1,
    )
    body = "    lla s8, 1f\n" + rvc("c.jalr s8", "c.nop") + "    put zero\n1:  put ra"
    p.once("c.jalr", body, 1)
    body = "    lla ra, 1f\n" + rvc("c.jalr ra", "c.nop") + "    put zero\n1:  put ra"
    p.once("c.jalr ra", body, 1)
    p.once("c.j far", rvc("c.j 1f", ".skip 1800", "1: c.nop") + "    put zero", 1)


def page_ends(p: Program) -> None:
    """Four-byte instructions across a page's end: an operation, a branch, a jump."""
    for name, insn, after in (
        ("add", "add a2, a0, a1", "c.nop"),
        ("load", "ld a2, 0(s4)", "c.nop"),
        ("beq", "beq a0, a1, 2f", "c.li a2, 9"),
        ("bltu back", "bltu a0, a1, 1b", "c.li a2, 9"),
        ("jal", "jal a2, 2f", "c.li a2, 9"),
        ("auipc", "auipc a2, 3", "c.nop"),
    ):
        body = PAIR + "    li a2, 4\n    sd a0, 0(s4)\n    j 3f\n"
        lines = "    .balign 4096\n    .skip 4000\n1:  li a2, 6\n    j 2f\n"
        lines += "    .balign 4096\n    .skip 4088\n3:  nop\n    c.nop\n"
        text = f"    .option push\n    .option rvc\n    .option norvc\n{lines}"
        text = text.replace("    c.nop\n", "    .half 1\n")
        text += f"    {insn}\n    .option rvc\n    {after}\n"
        text += "2:  .balign 4\n    .option pop\n"
        p.loop(f"straddle {name}", "pairs", body + text + "    put a2", 1)


def add_all(p: Program) -> None:
    """Every block of this file."""
    arithmetic(p)
    stack(p)
    memory(p)
    control(p)
    page_ends(p)
