"""Random code: traps are a function of the program, not of what is decoded."""

from __future__ import annotations

import random
import struct

import pytest

from personae.hw import CYCLE, PC, Machine, Stat, Trap

CODE, DATA, RWX, RW = 0x10000, 0x40000, 14, 6
OPS = (0x13, 0x1B, 0x33, 0x3B, 0x03, 0x23, 0x63, 0x6F, 0x37, 0x17, 0x2F, 0x53, 0x73)


def random_insn(rng: random.Random) -> bytes:
    """A compressed or a four-byte instruction, mostly valid."""
    kind = rng.random()
    if kind < 0.45:
        half = rng.getrandbits(16)
        return struct.pack("<H", half & ~3 | rng.choice([0, 1, 1, 2]))
    bits = rng.getrandbits(32) & ~0x7F | rng.choice(OPS)
    if bits & 0x7F in (0x33, 0x3B):
        bits &= 0x41FFFFFF
    if bits & 0x7F in (0x63, 0x6F):
        # short, so that jumps stay in the code and loops happen
        bits &= 0x81F07FFF if bits & 0x7F == 0x63 else 0x00600FFF
    if bits & 0x7F in (0x03, 0x23):
        bits = bits & ~(31 << 15) | 8 << 15
    return struct.pack("<I", bits & 0xFFFFFFFF)


def machine(seed: int) -> tuple[Machine, int, int]:
    """Two pages of random code, data around where x8 points."""
    rng = random.Random(seed)
    blob = b""
    while len(blob) < 0x2000:
        blob += random_insn(rng)
    m = Machine(8 << 20)
    space, ctx = m.as_create(0), m.ctx_alloc()
    assert m.map_zero(space, CODE, 0x2000, RWX) == 0
    assert m.map_zero(space, DATA, 0x4000, RW) == 0
    assert m.copyout(space, CODE, blob[:0x2000]) == 0x2000
    regs = m.ctx_view(ctx)
    for i in range(1, 32):
        regs[i] = rng.choice([DATA + 0x2000, CODE + 0x800, rng.getrandbits(64), 3])
    regs[8] = DATA + 0x1000
    # a third of the programs write into their own page
    regs[9] = rng.choice([DATA + 0x1800, DATA + 0x1FF8, CODE + 0x40])
    regs[PC] = CODE + rng.choice([0, 0xFE0, 0xFFA])
    return m, space, ctx


def trace(seed: int, budget: int, fresh: bool) -> list[tuple[int, list[int]]]:
    """Up to 40 runs; traps are stepped over, so that more than the first is seen."""
    m, space, ctx = machine(seed)
    out = []
    for _ in range(40):
        trap = m.run(0, ctx, space, budget)
        regs = m.ctx_view(ctx)
        out.append((trap, list(regs[:72])))
        if trap != Trap.BUDGET:
            regs[PC] = CODE + (regs[PC] + 2 - CODE) % 0x1F00
        if fresh:
            image = Machine.load(m.save())
            assert image is not None
            m = image
    return out


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_cold_machines_trap_where_warm_ones_do(first: int) -> None:
    """Restored after each run or not, with small and large budgets."""
    for seed in range(first, first + 10):
        for budget in (1, 9, 300):
            assert trace(seed, budget, False) == trace(seed, budget, True)


def test_small_budgets_end_where_large_ones_do() -> None:
    """The first trap that is not BUDGET is the same with every budget."""
    compared = 0
    for seed in range(100):
        ends = []
        for budget in (3000, 1, 7):
            m, space, ctx = machine(seed)
            regs = m.ctx_view(ctx)
            while (trap := m.run(0, ctx, space, budget)) == Trap.BUDGET:
                if regs[CYCLE] >= 3000:
                    break
            ends.append((trap, list(regs[:72])))
            decoded = m.stat(Stat.DECODES)
        assert decoded > 0
        if ends[0][0] != Trap.BUDGET:
            compared += 1
            assert ends[0] == ends[1] == ends[2]
    assert compared > 50
