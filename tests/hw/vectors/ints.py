"""Blocks for I, M, A, Zicsr: integer operations, memory, control transfer."""

from __future__ import annotations

import random

from program import Program

M64 = (1 << 64) - 1
EDGES = [
    0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0x7FFFFFFF, 0x80000000, 0x80000001,
    0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0x8000000000000001,
    M64, M64 - 1, M64 - 31, 31, 32, 63, 0xFFFFFFFF80000000, 0x123456789ABCDEF0,
]  # fmt: skip

RR = [
    "add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and",
    "addw", "subw", "sllw", "srlw", "sraw", "mul", "mulh", "mulhsu", "mulhu",
    "div", "divu", "rem", "remu", "mulw", "divw", "divuw", "remw", "remuw",
]  # fmt: skip
RI = ["addi", "slti", "sltiu", "xori", "ori", "andi", "addiw"]
IMMS = [-2048, -1025, -1, 0, 1, 5, 1024, 2047]
BRANCHES = ["beq", "bne", "blt", "bge", "bltu", "bgeu"]
AMOS = [
    "amoswap", "amoadd", "amoxor", "amoand", "amoor",
    "amomin", "amomax", "amominu", "amomaxu",
]  # fmt: skip

PAIR = "    ld t0, 0(s0)\n    ld t1, 8(s0)\n"
ONE = "    ld t0, 0(s0)\n"


def tables(p: Program, rng: random.Random) -> None:
    """The operand tables the blocks below use."""
    singles = EDGES + [rng.getrandbits(64) for _ in range(25)]
    pairs = [(a, b) for a in EDGES for b in EDGES]
    pairs += [(rng.getrandbits(64), rng.getrandbits(64)) for _ in range(75)]
    pairs += [(rng.getrandbits(64), rng.getrandbits(6)) for _ in range(50)]
    p.table("singles", [(v,) for v in singles])
    p.table("pairs", pairs)
    p.table("fewpairs", rng.sample(pairs, 120))


def arithmetic(p: Program, rng: random.Random) -> None:
    """Register-register and register-immediate operations."""
    for op in RR:
        p.loop(op, "pairs", PAIR + f"    {op} t2, t0, t1\n    put t2", 1)
        for regs in ("t0, t0, t1", "t1, t0, t1", "t2, t0, t0", "t0, t0, t0"):
            rd = regs[:2]
            p.loop(
                f"{op} {regs}", "fewpairs", PAIR + f"    {op} {regs}\n    put {rd}", 1
            )
        body = PAIR + f"    {op} zero, t0, t1\n    put zero\n    {op} t2, t0, zero\n"
        body += f"    put t2\n    {op} t2, zero, t1\n    put t2"
        p.loop(f"{op} zero", "fewpairs", body, 3)
    for op in RI:
        for imm in [*IMMS, rng.randrange(-2048, 2048)]:
            body = ONE + f"    {op} t2, t0, {imm}\n    put t2\n    {op} t0, t0, {imm}\n"
            p.loop(f"{op} {imm}", "singles", body + "    put t0", 2)
    for op, top in [("slli", 63), ("srli", 63), ("srai", 63)]:
        for n in (0, 1, 31, 32, top):
            p.loop(f"{op} {n}", "singles", ONE + f"    {op} t2, t0, {n}\n    put t2", 1)
    for op in ("slliw", "srliw", "sraiw"):
        for n in (0, 1, 15, 31):
            p.loop(f"{op} {n}", "singles", ONE + f"    {op} t2, t0, {n}\n    put t2", 1)
    for imm in (0, 1, 0x7FFFF, 0x80000, 0xFFFFF, rng.randrange(1 << 20)):
        p.once(f"lui {imm}", f"    lui t0, {imm}\n    put t0", 1)
        p.once(f"auipc {imm}", f"    auipc t0, {imm}\n    put t0", 1)


def memory(p: Program) -> None:
    """Loads and stores of every size, aligned or not, also across a page's end."""
    load = "    sd t0, {at}(s4)\n    sd t1, {at}+8(s4)\n"
    load += "    {op} t2, {at}+{k}(s4)\n    put t2"
    for op in ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"]:
        for k in range(8):
            body = PAIR + load.format(op=op, at=0, k=k)
            p.loop(f"{op} +{k}", "fewpairs", body, 1)
        for k in range(1, 8):
            body = PAIR + "    addi s8, s4, 2040\n    sd t0, 0(s8)\n    sd t1, 8(s8)\n"
            body += f"    {op} t2, {k}(s8)\n    put t2"
            p.loop(f"{op} page end +{k}", "fewpairs", body, 1)
    for op in ["sb", "sh", "sw", "sd"]:
        for k in range(8):
            for name, at in (("", 16), (" page end", 2040)):
                body = (
                    PAIR
                    + f"    addi s8, s4, {at}\n    sd zero, 0(s8)\n    sd t1, 8(s8)\n"
                )
                body += f"    {op} t0, {k}(s8)\n    ld t2, 0(s8)\n    put t2\n"
                body += "    ld t2, 8(s8)\n    put t2"
                p.loop(f"{op}{name} +{k}", "fewpairs", body, 2)
    body = (
        PAIR
        + "    addi s8, s4, 1024\n    sd t0, -1024(s8)\n"
        + "    ld t2, -1024(s8)\n    put t2"
    )
    p.loop("sd ld -1024", "fewpairs", body, 1)
    for op, st in (("flw", "fsw"), ("fld", "fsd")):
        body = (
            PAIR
            + f"    sd t0, 0(s4)\n    sd t1, 8(s4)\n    {op} fa0, 0(s4)\n    putf fa0\n"
        )
        body += f"    {op} fa1, 4(s4)\n    putf fa1\n    {st} fa0, 11(s4)\n"
        body += "    ld t2, 8(s4)\n    put t2\n    ld t2, 16(s4)\n    put t2"
        p.loop(f"{op} {st}", "pairs", "    sd zero, 16(s4)\n" + body, 6)


def control(p: Program) -> None:
    """Branches and jumps, near and to another page, taken and not."""
    for op in BRANCHES:
        body = PAIR + f"    li t2, 0\n    {op} t0, t1, 1f\n    li t2, 1\n1:  put t2"
        p.loop(op, "pairs", body, 1)
        body = (
            PAIR
            + f"    li t2, 7\n    j 2f\n1:  li t2, 3\n    j 3f\n2:  {op} t0, t1, 1b\n"
        )
        p.loop(f"{op} back", "pairs", body + "3:  put t2", 1)
        body = PAIR + f"    {op} t0, t1, 1f\n    li t2, 1\n    j 2f\n    .skip 3500\n"
        p.loop(f"{op} far", "pairs", body + "1:  li t2, 2\n2:  put t2", 1)
        body = (
            PAIR + f"    {op} t0, zero, 1f\n    addi t0, t0, 1\n1:  {op} zero, t1, 2f\n"
        )
        p.loop(f"{op} zero", "fewpairs", body + "    addi t0, t0, 2\n2:  put t0", 1)
    p.once("jal", "    jal t0, 1f\n    put zero\n1:  put t0", 1)
    p.once("jal far", "    jal t0, 1f\n    .skip 9000\n1:  put t0", 1)
    p.once("jalr", "    lla t0, 1f\n    jalr t1, t0, 0\n    put zero\n1:  put t1", 1)
    p.once("jalr same", "    lla t0, 1f-8\n    jalr t0, 8(t0)\n1:  put t0", 1)
    p.once("jalr odd", "    lla t0, 1f+1\n    jalr t1, t0, 0\n1:  put t1", 1)
    p.once("jalr odd imm", "    lla t0, 1f\n    jalr t1, 1(t0)\n1:  put t1", 1)
    p.once("hints", "    fence\n    fence.i\n    .word 0x0100000f\n    lui x0, 1\n"
           "    slli x0, x0, 3\n    fence.tso\n    put zero", 1)  # fmt: skip


def atomics(p: Program) -> None:
    """AMOs with every ordering, LR/SC pairs that succeed and fail."""
    for op in AMOS:
        for w in ("w", "d"):
            for order in ("", ".aq", ".rl", ".aqrl"):
                body = PAIR + "    sd t0, 0(s4)\n"
                body += (
                    f"    {op}.{w}{order} t2, t1, (s4)\n    put t2\n    ld t3, 0(s4)\n"
                )
                p.loop(f"{op}.{w}{order}", "pairs", body + "    put t3", 2)
            body = PAIR + f"    sd t0, 0(s4)\n    {op}.{w} t1, t1, (s4)\n    put t1\n"
            body += f"    {op}.{w} zero, t1, (s4)\n    ld t3, 0(s4)\n    put t3"
            p.loop(f"{op}.{w} same", "fewpairs", body, 2)
    for w in ("w", "d"):
        for order in ("", ".aq", ".aqrl"):
            body = PAIR + f"    sd t0, 0(s4)\n    lr.{w}{order} t2, (s4)\n    put t2\n"
            body += f"    sc.{w} t3, t1, (s4)\n    put t3\n    sc.{w} t3, t0, (s4)\n"
            body += "    put t3\n    ld t2, 0(s4)\n    put t2"
            p.loop(f"lr.{w}{order} sc.{w}", "fewpairs", body, 4)
        body = PAIR + f"    sd t0, 0(s4)\n    sd t0, 8(s4)\n    lr.{w} t2, (s4)\n"
        body += f"    addi s8, s4, 8\n    sc.{w} t3, t1, (s8)\n    put t3\n"
        p.loop(
            f"sc.{w} elsewhere", "fewpairs", body + "    ld t2, 8(s4)\n    put t2", 2
        )


def csrs(p: Program) -> None:
    """The FP CSRs with every access form."""
    for csr in ("fflags", "frm", "fcsr"):
        for op in ("csrrw", "csrrs", "csrrc"):
            body = (
                PAIR
                + f"    fscsr t1\n    {op} t2, {csr}, t0\n    put t2\n    frcsr t3\n"
            )
            body += f"    put t3\n    {op} zero, {csr}, t1\n    {op} t2, {csr}, zero\n"
            p.loop(f"{op} {csr}", "pairs", body + "    put t2\n    fscsr zero", 3)
            for imm in (0, 1, 5, 16, 31):
                body = PAIR + f"    fscsr t1\n    {op}i t2, {csr}, {imm}\n"
                body += "    put t2\n    frcsr t3\n    put t3\n    fscsr zero"
                p.loop(f"{op}i {csr} {imm}", "fewpairs", body, 2)


def add_all(p: Program, rng: random.Random) -> None:
    """Every block of this file."""
    tables(p, rng)
    arithmetic(p, rng)
    memory(p)
    control(p)
    atomics(p)
    csrs(p)
