"""Blocks for the interpreter's fused handlers: neighbours with and without chaining.

The list of pairs is read from hw/include/opcodes.h, so a pair that is added there is
tested here.  a0 points to memory, a1 is a small index, a2-a5 hold the operands.
"""

from __future__ import annotations

import re
from pathlib import Path

from program import Program

OPCODES = Path(__file__).parents[3] / "hw" / "include" / "opcodes.h"
MEMORY = {"lb", "lh", "lw", "ld", "lbu", "lhu", "lwu", "fld", "sb", "sh", "sw", "sd"}
STORES = {"sb", "sh", "sw", "sd"}
SETUP = """    ld a2, 0(s0)
    ld a3, 8(s0)
    lla s11, {skip}
    addi a0, s4, {at}
    andi a1, a2, 24
    not a4, a3
    add a5, a2, a3
    sd a2, 0(a0)
    sd a3, 8(a0)
    sd a4, 16(a0)
    sd a5, 24(a0)
    fmv.d.x fa4, a2
"""
CHECK = "".join(f"    put {r}\n" for r in ("a1", "a2", "a3", "a4", "a5"))
CHECK += "    sub a0, a0, s4\n    put a0\n    fmv.x.d t2, fa4\n    put t2\n"
CHECK += "".join(f"    ld t2, {off}(s4)\n    put t2\n" for off in (0, 8, 16, 24))
WORDS = 11


def pairs() -> list[tuple[str, int, str, int]]:
    """All pairs that have a fused handler."""
    text = OPCODES.read_text(encoding="utf-8")
    found = re.findall(r"X\((\w+), (\d), (\w+), (\d)\)", text)
    return [(a, int(la), b, int(lb)) for a, la, b, lb in found]


def insn(op: str, length: int, rd: str, rs1: str, rs2: str, skip: str) -> str:
    """One instruction; two-byte forms may use fewer registers than they are given."""
    c = "c." if length == 2 else ""
    name = op.removesuffix("_in").removesuffix("_out")
    if op in MEMORY:
        value = "fa4" if op == "fld" else rs2 if op in STORES else rd
        text = f"{c}{op} {value}, 8({rs1})"
    elif op in ("li", "lui"):
        text = f"{c}{op} {rd}, 21"
    elif op == "auipc":
        text = f"auipc {rd}, 0"
    elif op == "mv":
        text = f"c.mv {rd}, {rs2}"
    elif op == "jr":
        text = "c.jr s11"
    elif op == "jalr":
        text = "c.jalr s11" if length == 2 else f"jalr t4, 16({rs1})"
    elif name in ("j", "jal"):
        text = f"c.j {skip}" if name == "j" else f"jal t4, {skip}"
    elif name in ("beqz", "bnez"):
        text = f"c.{name} {rs1}, {skip}"
    elif name.startswith("b"):
        text = f"{name} {rs1}, {rs2}, {skip}"
    elif op in ("slli", "srli", "slliw", "srliw"):
        text = f"c.{op} {rd}, 7" if c else f"{op} {rd}, {rs1}, 7"
    elif op in ("addi", "addiw", "andi"):
        text = f"c.{op} {rd}, 8" if c else f"{op} {rd}, {rs1}, 136"
    else:
        text = f"c.{op} {rd}, {rs2}" if c else f"{op} {rd}, {rs1}, {rs2}"
    option = "rvc" if c else "norvc"
    return f"    .option push\n    .option {option}\n    {text}\n    .option pop\n"


def regs(op: str, chain: str) -> tuple[str, str, str]:
    """rd, rs1, rs2 of the second instruction; a2 (or a0) is the first one's rd."""
    if op in MEMORY:
        if chain == "12":
            return "a0", "a0", "a0"
        return "a4", "a0", "a2" if chain == "2" else "a3"
    a = "a2" if "1" in chain else "a4"
    b = "a2" if "2" in chain else "a3" if chain == "1" else "a5"
    return a, a, b


def one_pair(p: Program, a: str, la: int, b: str, lb: int, chain: str, at: int) -> None:
    """One pair in one way of passing values on."""
    first = ("a2", "a0", "a3") if a in MEMORY else ("a2", "a2", "a3")
    if b in MEMORY and chain in ("1", "12") and a in ("add", "addi"):
        first = ("a0", "a0", "a1")
    far = "    .skip 4096\n" if b.endswith("_out") else ""
    body = SETUP.format(at=at, skip="1f") + insn(a, la, *first, "1f")
    body += insn(b, lb, *regs(b, chain), "1f") + f"    addi a5, a5, 99\n{far}"
    body += f"    nop\n    addi a5, a5, 1\n1:\n{CHECK}"
    where = "page end" if at else ""
    p.loop(f"pair {a}.{la} {b}.{lb} {chain} {where}", "fewpairs", body, WORDS)


def runs(p: Program) -> None:
    """Loads and stores of one base: order, the base loaded, page ends, alignment."""
    orders = {
        "falling": (24, 16, 8, 0),
        "rising": (0, 8, 16, 24),
        "mixed": (8, 0, 24, 16),
        "twice": (8, 8, 16, 24),
    }
    for c in ("c.", ""):
        for name, offs in orders.items():
            for at in (0, 2024, 2032, 2040, 2036, 1996):
                values = ("a2", "a3", "a4", "a5")
                lines = [
                    f"{c}sd {v}, {o}(a0)" for v, o in zip(values, offs, strict=True)
                ]
                lines += [
                    f"{c}ld {v}, {o}(a0)"
                    for v, o in zip(values[::-1], offs, strict=True)
                ]
                lines += [f"{c}ld a2, 0(a0)", f"{c}ld a0, {offs[1]}(a0)"]
                lines += ["mv a0, s4", f"{c}sd a0, 8(a0)", f"{c}sd a2, 16(a0)"]
                option = "rvc" if c else "norvc"
                code = "".join(f"    {line}\n" for line in lines)
                body = (
                    SETUP.format(at=at, skip="1f")
                    + f"    .option push\n    .option {option}\n"
                )
                body += f"{code}    .option pop\n1:\n{CHECK}"
                p.loop(f"run {c} {name} {at}", "fewpairs", body, WORDS)


def add_all(p: Program) -> None:
    """Every block of this file."""
    for a, la, b, lb in pairs():
        for chain in ("", "1", "2", "12"):
            if (b, lb) == ("jalr", 4) and "1" not in chain:
                continue  # it would jump to anywhere
            one_pair(p, a, la, b, lb, chain, 0)
        if a in MEMORY or b in MEMORY:
            for at in (2036, 2028):
                one_pair(p, a, la, b, lb, "1", at)
    runs(p)
