"""Blocks for F and D: every operation, rounding mode and kind of operand."""

from __future__ import annotations

import random
import struct

from program import Program

BOX = 0xFFFFFFFF << 32
MODES = ["rne", "rtz", "rdn", "rup", "rmm"]

EDGE64 = [
    0, 1 << 63, 1, (1 << 63) | 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000,
    0x8010000000000000, 0x0010000000000001, 0x3FF0000000000000, 0xBFF0000000000000,
    0x3FE0000000000000, 0x3FF8000000000000, 0x4004000000000000, 0xC00C000000000000,
    0x3FF0000000000001, 0x3FEFFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF,
    0x7FE0000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000,
    0xFFF8000000000123, 0x7FF0000000000001, 0xFFF4000000000000, 0x41DFFFFFFFC00000,
    0x41DFFFFFFFE00000, 0xC1E0000000000000, 0xC1E0000000100000, 0x41EFFFFFFFE00000,
    0x41F0000000000000, 0x43E0000000000000, 0xC3E0000000000000, 0xC3E0000000000001,
    0x43F0000000000000, 0x43EFFFFFFFFFFFFF, 0x43DFFFFFFFFFFFFF, 0x4340000000000001,
    0x3690000000000000, 0x36A0000000000000, 0x380FFFFFF0000000, 0x3810000000000000,
    0x47EFFFFFE0000000, 0x47EFFFFFF0000000, 0x47F0000000000000, 0x3FF0000010000000,
    0x3FF0000030000000, 0x1FF0000000000000, 0x2008000000000001, 0x5FF0000000000001,
    0xBFDFFFFFFFFFFFFF, 0xBFE0000000000000,
]  # fmt: skip

EDGE32 = [
    0, 1 << 31, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x00800001,
    0x3F800000, 0xBF800000, 0x3F000000, 0x3FC00000, 0x40200000, 0xC0600000,
    0x3F800001, 0x3F7FFFFF, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F000000, 0x7F800000,
    0xFF800000, 0x7FC00000, 0xFFC00123, 0x7F800001, 0xFFA00000, 0x4EFFFFFF,
    0x4F000000, 0xCF000000, 0xCF000001, 0x4F7FFFFF, 0x4F800000, 0x5EFFFFFF,
    0x5F000000, 0xDF000000, 0xDF000001, 0x5F7FFFFF, 0x5F800000, 0x1F800000,
    0x20400001, 0x5F800001, 0x4B000001, 0x4B800001, 0xBEFFFFFF, 0xBF000000,
]  # fmt: skip

# singles that are not boxed: read as the canonical NaN
UNBOXED = [0x3F800000, 0x7FF8000000000000, 0xFFFFFFFE3F800000, 0x00000000FFFFFFFF]


def _f64(rng: random.Random) -> int:
    """A double near enough to others that sums and products are interesting."""
    if rng.random() < 0.15:
        return rng.choice(EDGE64)
    exp = 1023 + rng.choice(
        [0, 0, 1, -1, 2, 27, 52, 53, 54, -52, -53, 500, -500, -1010]
    )
    mant = rng.getrandbits(52)
    if rng.random() < 0.4:
        mant &= ~((1 << rng.randrange(52)) - 1)
    return rng.getrandbits(1) << 63 | exp << 52 | mant


def _f32(rng: random.Random) -> int:
    if rng.random() < 0.15:
        return rng.choice(EDGE32)
    exp = 127 + rng.choice([0, 0, 1, -1, 2, 12, 23, 24, 25, -23, -24, 60, -60, -120])
    mant = rng.getrandbits(23)
    if rng.random() < 0.4:
        mant &= ~((1 << rng.randrange(23)) - 1)
    return rng.getrandbits(1) << 31 | exp << 23 | mant


def tables(p: Program, rng: random.Random) -> None:
    """Operand tables: d1 d2 d3 of doubles, s1 s2 s3 of singles in registers."""
    d = EDGE64
    s = [BOX | v for v in EDGE32] + UNBOXED
    p.table("d1", [(v,) for v in d] + [(_f64(rng),) for _ in range(250)])
    p.table("s1", [(v,) for v in s] + [(BOX | _f32(rng),) for _ in range(250)])
    p.table("d2", [(a, b) for a in d for b in d[::2]]
            + [(_f64(rng), _f64(rng)) for _ in range(700)])  # fmt: skip
    p.table("s2", [(a, b) for a in s for b in s[::2]]
            + [(BOX | _f32(rng), BOX | _f32(rng)) for _ in range(700)])  # fmt: skip
    p.table("d3", [tuple(rng.choice(d) for _ in range(3)) for _ in range(900)]
            + [_triple64(rng) for _ in range(900)])  # fmt: skip
    p.table("s3", [tuple(rng.choice(s) for _ in range(3)) for _ in range(900)]
            + [_triple32(rng) for _ in range(900)])  # fmt: skip


def _triple64(rng: random.Random) -> tuple[int, int, int]:
    """Half of them with an addend close to minus the product: deep cancellation."""
    a, b, c = _f64(rng), _f64(rng), _f64(rng)
    if rng.random() < 0.5:
        product = -struct.unpack("<d", struct.pack("<Q", a))[0]
        product *= struct.unpack("<d", struct.pack("<Q", b))[0]
        c = struct.unpack("<Q", struct.pack("<d", product))[0]
        c ^= rng.choice([0, 1, 3])
    return a, b, c


def _triple32(rng: random.Random) -> tuple[int, int, int]:
    a, b, c = _f32(rng), _f32(rng), _f32(rng)
    if rng.random() < 0.5:
        product = -struct.unpack("<f", struct.pack("<I", a))[0]
        product *= struct.unpack("<f", struct.pack("<I", b))[0]
        try:
            c = struct.unpack("<I", struct.pack("<f", product))[0]
        except OverflowError:
            c = 0xFF800000
    return BOX | a, BOX | b, BOX | c


LOADS = [
    "    ld t0, 0(s0)\n    fmv.d.x fa0, t0\n",
    "    ld t1, 8(s0)\n    fmv.d.x fa1, t1\n",
    "    ld t2, 16(s0)\n    fmv.d.x fa2, t2\n",
]


def rounding(p: Program, op: str, table: str, insn: str, put: str = "putf fa3") -> None:
    """One block for each dynamic and each static rounding mode."""
    width = p.tables[table][1]
    load = "".join(LOADS[:width])
    for i, mode in enumerate(MODES):
        body = f"{load}    li t5, {i << 5}\n    fscsr t5\n    {insn}, dyn\n    {put}\n"
        p.loop(f"{op} dyn {mode}", table, body, 2)
    for mode in MODES:
        body = (
            f"{load}    li t5, {1 << 5}\n    fscsr t5\n    {insn}, {mode}\n    {put}\n"
        )
        p.loop(f"{op} {mode}", table, body, 2)


def plain(p: Program, op: str, table: str, insn: str, put: str = "putf fa3") -> None:
    """One block for an operation that does not round."""
    load = "".join(LOADS[: p.tables[table][1]])
    p.loop(op, table, f"{load}    fscsr zero\n    {insn}\n    {put}\n", 2)


PUT_X = "put t2\n    frflags t6\n    put t6"


def conversions(p: Program, w: str, one: str) -> None:
    """Between integers and the format w, and moves."""
    for i in ("w", "wu", "l", "lu"):
        op = f"fcvt.{i}.{w}"
        rounding(p, op, one, f"{op} t2, fa0", PUT_X)
        op = f"fcvt.{w}.{i}"
        if w == "d" and i in ("w", "wu"):
            plain(p, op, "singles", f"{op} fa3, t0")
        else:
            rounding(p, op, "singles", f"{op} fa3, t0")


def one_format(p: Program, w: str) -> None:
    """All of F (w = s) or D (w = d)."""
    one, two, three = (("s1", "s2", "s3"), ("d1", "d2", "d3"))[w == "d"]
    for op in ("fadd", "fsub", "fmul", "fdiv"):
        rounding(p, f"{op}.{w}", two, f"{op}.{w} fa3, fa0, fa1")
    rounding(p, f"fsqrt.{w}", one, f"fsqrt.{w} fa3, fa0")
    for op in ("fmadd", "fmsub", "fnmsub", "fnmadd"):
        rounding(p, f"{op}.{w}", three, f"{op}.{w} fa3, fa0, fa1, fa2")
    for op in ("fsgnj", "fsgnjn", "fsgnjx", "fmin", "fmax"):
        plain(p, f"{op}.{w}", two, f"{op}.{w} fa3, fa0, fa1")
    for op in ("feq", "flt", "fle"):
        plain(p, f"{op}.{w}", two, f"{op}.{w} t2, fa0, fa1", PUT_X)
    plain(p, f"fclass.{w}", one, f"fclass.{w} t2, fa0", PUT_X)
    conversions(p, w, one)


def moves(p: Program) -> None:
    """Between the register files and the formats; aliased operands; rd = x0."""
    plain(p, "fmv.x.w", "s1", "fmv.x.w t2, fa0", PUT_X)
    plain(p, "fmv.w.x", "singles", "fmv.w.x fa3, t0")
    plain(p, "fmv.x.d", "d1", "fmv.x.d t2, fa0", PUT_X)
    plain(p, "fmv.d.x", "singles", "fmv.d.x fa3, t0")
    plain(p, "fcvt.d.s", "s1", "fcvt.d.s fa3, fa0")
    rounding(p, "fcvt.s.d", "d1", "fcvt.s.d fa3, fa0")
    for w, two in (("s", "s2"), ("d", "d2")):
        plain(p, f"fadd.{w} same", two, f"fadd.{w} fa0, fa0, fa1", "putf fa0")
        plain(p, f"fmul.{w} same", two, f"fmul.{w} fa1, fa0, fa1", "putf fa1")
        plain(p, f"fle.{w} zero", two, f"fle.{w} zero, fa0, fa1", "putf fa0")
    body = "".join(LOADS[:2]) + "    fadd.d fa3, fa0, fa1\n    fdiv.d fa4, fa0, fa1\n"
    body += "    fcvt.w.d t2, fa0, rtz\n    frcsr t2\n    put t2\n"
    body += "    fscsr zero\n    put zero"
    p.loop("flags accumulate", "d2", body, 2)


def add_all(p: Program, rng: random.Random) -> None:
    """Every block of this file."""
    tables(p, rng)
    one_format(p, "s")
    one_format(p, "d")
    moves(p)
