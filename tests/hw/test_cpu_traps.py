"""What hw_run reports: traps, their values, the budget, counters, the log."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest

from personae.hw import (
    CYCLE,
    FCSR,
    HW_R,
    HW_W,
    HW_X,
    ID,
    INSN_LEN,
    INSTRET,
    PC,
    TACCESS,
    TVAL,
    Access,
    Machine,
    Stat,
    Trap,
)

RWX = HW_R | HW_W | HW_X
CODE, DATA, BIG = 0x10000, 0x40000, 1 << 40
A0, A1, A2, A3, T0, T1, RA = 10, 11, 12, 13, 5, 6, 1
ECALL, EBREAK, C_NOP, FENCE_I = 0x73, 0x100073, 0x0001, 0x100F


def i_type(op: int, f3: int, rd: int, rs1: int, imm: int) -> int:
    return op | rd << 7 | f3 << 12 | rs1 << 15 | (imm & 0xFFF) << 20


def addi(rd: int, rs1: int, imm: int) -> int:
    return i_type(0x13, 0, rd, rs1, imm)


def load(f3: int, rd: int, rs1: int, imm: int = 0) -> int:
    return i_type(0x03, f3, rd, rs1, imm)


def store(f3: int, rs2: int, rs1: int, imm: int = 0) -> int:
    low, high = imm & 31, (imm >> 5) & 0x7F
    return 0x23 | low << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | high << 25


def branch(f3: int, rs1: int, rs2: int, off: int) -> int:
    bits = (off >> 11 & 1) << 7 | (off >> 1 & 15) << 8
    bits |= (off >> 5 & 63) << 25 | (off >> 12 & 1) << 31
    return 0x63 | f3 << 12 | rs1 << 15 | rs2 << 20 | bits


def jal(rd: int, off: int) -> int:
    bits = (off >> 12 & 255) << 12 | (off >> 11 & 1) << 20
    bits |= (off >> 1 & 1023) << 21 | (off >> 20 & 1) << 31
    return 0x6F | rd << 7 | bits


def csrr(rd: int, csr: int) -> int:
    return i_type(0x73, 2, rd, 0, csr)


def amo(f5: int, f3: int, rd: int, rs1: int, rs2: int = 0) -> int:
    return 0x2F | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f5 << 27


def code(*insns: int) -> bytes:
    """Instructions as bytes: two for a compressed one, else four."""
    return b"".join(
        struct.pack("<I" if insn & 3 == 3 else "<H", insn) for insn in insns
    )


@dataclass
class Cpu:
    """A machine with code and data mapped and one context at CODE."""

    m: Machine
    space: int
    ctx: int

    @property
    def r(self) -> memoryview:
        return self.m.ctx_view(self.ctx)

    def run(self, budget: int = BIG) -> Trap:
        return Trap(self.m.run(0, self.ctx, self.space, budget))

    def put(self, va: int, data: bytes) -> None:
        assert self.m.copyout(self.space, va, data) == len(data)

    def state(self) -> list[int]:
        """Everything the program can see of its registers, and its counters."""
        return list(self.r[:69])


def cpu(*insns: int, at: int = CODE) -> Cpu:
    m = Machine(16 << 20)
    c = Cpu(m, m.as_create(0), m.ctx_alloc())
    assert m.map_zero(c.space, CODE, 0x4000, RWX) == 0
    assert m.map_zero(c.space, DATA, 0x2000, HW_R | HW_W) == 0
    c.put(at, code(*insns))
    c.r[PC] = at
    return c


ILLEGAL = {
    "all zero": 0x0000,
    "all ones": 0xFFFFFFFF,
    "c.addi4spn 0": 0x0004,
    "c quadrant 0, 100": 0x8000,
    "c.addiw x0": 0x2001 | 1 << 2,
    "c.addi16sp 0": 0x6101,
    "c.lui 0": 0x6501,
    "c reserved arithmetic 10": 0x9C41,
    "c reserved arithmetic 11": 0x9C61,
    "c.lwsp x0": 0x4002,
    "c.ldsp x0": 0x6002,
    "c.jr x0": 0x8002,
    "wfi": 0x10500073,
    "mret": 0x30200073,
    "sret": 0x10200073,
    "sfence.vma": 0x12000073,
    "ecall with rd": 0x73 | 1 << 7,
    "csrr mstatus": csrr(A0, 0x300),
    "csrr hpmcounter3": csrr(A0, 0xC03),
    "csrw cycle": i_type(0x73, 1, 0, A0, 0xC00),
    "csrs time": i_type(0x73, 2, 0, A0, 0xC01),
    "system funct3 4": i_type(0x73, 4, A0, A0, 0),
    "load funct3 7": load(7, A0, A1),
    "store funct3 4": store(4, A0, A1),
    "branch funct3 2": branch(2, A0, A1, 8),
    "jalr funct3 1": i_type(0x67, 1, A0, A1, 0),
    "fence funct3 2": i_type(0x0F, 2, 0, 0, 0),
    "slli 64": i_type(0x13, 1, A0, A0, 0x400),
    "slliw 32": i_type(0x1B, 1, A0, A0, 32),
    "op funct7 2": 0x33 | 2 << 25,
    "op funct7 0x20 sll": 0x33 | 1 << 12 | 0x20 << 25,
    "op-32 slt": 0x3B | 2 << 12,
    "lr with rs2": amo(2, 2, A0, A1, 1),
    "amo.b": amo(0, 0, A0, A1),
    "amo funct5 5": amo(5, 2, A0, A1),
    "fadd.s rm 5": 0x53 | 5 << 12,
    "fadd.d rm 6": 0x53 | 6 << 12 | 1 << 25,
    "fadd.q": 0x53 | 3 << 25,
    "fadd.h": 0x53 | 2 << 25,
    "fmadd.q": 0x43 | 3 << 25,
    "fsqrt rs2": 0x53 | 1 << 20 | 0x0B << 27,
    "fcvt.s.s": 0x53 | 0x08 << 27,
    "fcvt.w rs2 4": 0x53 | 4 << 20 | 0x18 << 27,
    "fclass funct3 2": 0x53 | 2 << 12 | 0x1C << 27,
    "flq": 0x07 | 4 << 12,
    "vector": 0x57,
}


@pytest.mark.parametrize("bits", ILLEGAL.values(), ids=ILLEGAL.keys())
def test_illegal(bits: int) -> None:
    """Reserved, privileged and unknown encodings trap with their bits, not retired."""
    c = cpu(addi(A0, 0, 5), bits)
    assert (Trap.ILLEGAL, CODE + 4, bits, 1) == (
        c.run(), c.r[PC], c.r[TVAL], c.r[INSTRET])  # fmt: skip


@pytest.mark.parametrize("frm", [5, 6, 7])
def test_dynamic_rounding_with_an_invalid_frm_is_illegal(frm: int) -> None:
    """Rounding with frm 5..7 traps; what does not round works."""
    fadd_d = 0x53 | 7 << 12 | 1 << 25
    fsgnj_d = 0x53 | 0x11 << 25
    c = cpu(fsgnj_d, fadd_d)
    c.r[FCSR] = frm << 5
    assert (Trap.ILLEGAL, CODE + 4, fadd_d) == (c.run(), c.r[PC], c.r[TVAL])


@pytest.mark.parametrize(
    ("insn", "va", "trap", "tval", "access"),
    [
        (load(3, A1, A0), 0x9000, Trap.UNMAPPED, 0x9000, Access.LOAD),
        (load(0, A1, A0), 1 << 38, Trap.UNMAPPED, 1 << 38, Access.LOAD),
        (load(3, A1, A0), 2**64 - 8, Trap.UNMAPPED, 2**64 - 8, Access.LOAD),
        (load(3, A1, A0), DATA + 0x1FFD, Trap.UNMAPPED, DATA + 0x2000, Access.LOAD),
        (load(3, A1, A0), DATA - 3, Trap.UNMAPPED, DATA - 3, Access.LOAD),
        (store(3, A1, A0), DATA + 0x1FFD, Trap.UNMAPPED, DATA + 0x2000, Access.STORE),
        (store(2, A1, A0), 0x9000, Trap.UNMAPPED, 0x9000, Access.STORE),
        (store(2, A1, A0), 0x50000, Trap.PROT, 0x50000, Access.STORE),
        (amo(0, 3, A1, A0, A1), 0x50008, Trap.PROT, 0x50008, Access.STORE),
        (amo(0, 3, A1, A0), DATA + 4, Trap.AMO_MISALIGNED, DATA + 4, Access.STORE),
        (amo(3, 2, A1, A0), DATA + 2, Trap.AMO_MISALIGNED, DATA + 2, Access.STORE),
        (amo(2, 2, A1, A0), DATA + 1, Trap.AMO_MISALIGNED, DATA + 1, Access.LOAD),
        (i_type(0x67, 0, RA, A0, 0), 0x9000, Trap.UNMAPPED, 0x9000, Access.FETCH),
        (i_type(0x67, 0, RA, A0, 0), DATA, Trap.PROT, DATA, Access.FETCH),
        (i_type(0x67, 0, RA, A0, 0), 1 << 38, Trap.UNMAPPED, 1 << 38, Access.FETCH),
        (i_type(0x67, 0, RA, A0, 0), 2**64 - 2, Trap.UNMAPPED, 2**64 - 2, Access.FETCH),
    ],
)
def test_faults(insn: int, va: int, trap: Trap, tval: int, access: Access) -> None:
    """Address, access and pc of faults; the faulting instruction has no effect."""
    c = cpu(addi(A2, A2, 1), insn, ECALL)
    assert c.m.map_zero(c.space, 0x50000, 0x1000, HW_R) == 0
    c.r[A0], c.r[A1] = va, 0x77
    fetch = access == Access.FETCH
    want = (trap, tval, access, va if fetch else CODE + 4, 2 if fetch else 1, 0x77)
    got = (c.run(), c.r[TVAL], c.r[TACCESS], c.r[PC], c.r[INSTRET], c.r[A1])
    assert want == got


def test_a_store_that_crosses_into_nothing_writes_nothing() -> None:
    """Both pages are checked before the first byte is written."""
    c = cpu(store(3, A1, A0), ECALL)
    c.r[A0], c.r[A1] = DATA + 0x1FFC, 2**64 - 1
    assert c.run() == Trap.UNMAPPED
    assert c.m.copyin(c.space, DATA + 0x1FF8, 8) == bytes(8)


def test_fetch_across_a_page_end() -> None:
    """The second half's page is what faults; once mapped the instruction runs."""
    end = CODE + 0x4000
    c = cpu()
    c.put(end - 2, code(addi(A0, A0, 7))[:2])
    c.r[PC] = end - 2
    assert (Trap.UNMAPPED, end, Access.FETCH, end - 2, 0) == (
        c.run(), c.r[TVAL], c.r[TACCESS], c.r[PC], c.r[INSTRET])  # fmt: skip
    assert c.m.map_zero(c.space, end, 0x1000, RWX) == 0
    c.put(end, code(addi(A0, A0, 7))[2:] + code(ECALL))
    assert (Trap.ECALL, 7, end + 2, 2) == (c.run(), c.r[A0], c.r[PC], c.r[INSTRET])


@pytest.mark.parametrize(
    ("insn", "trap", "length"),
    [(ECALL, Trap.ECALL, 4), (EBREAK, Trap.EBREAK, 4), (0x9002, Trap.EBREAK, 2)],
)
def test_calls_are_retired_with_pc_at_them(insn: int, trap: Trap, length: int) -> None:
    """ecall, ebreak and c.ebreak."""
    c = cpu(C_NOP, insn)
    assert (trap, CODE + 2, length, 2, 2) == (
        c.run(), c.r[PC], c.r[INSN_LEN], c.r[INSTRET], c.r[CYCLE])  # fmt: skip


def test_odd_pc_is_misaligned() -> None:
    """Only the kernel can make one; jalr clears the bit."""
    c = cpu(ECALL)
    c.r[PC] = CODE + 1
    assert (c.run(), c.r[TVAL]) == (Trap.MISALIGNED, CODE + 1)


def test_log() -> None:
    """One record at entry, one at an ecall, and no run without room for them."""
    c = cpu(addi(A0, 0, 3), ECALL)
    c.r[ID] = 9
    c.r[17] = 64
    assert c.run() == Trap.ECALL
    entry = struct.pack("<II4Q", 1, 0, 9, CODE, 0, 0)
    call = struct.pack("<II10Q", 2, 0, 9, CODE + 4, 64, 3, 0, 0, 0, 0, 0, 2)
    assert c.m.log_take() == entry + call
    c.r[PC] = CODE
    while (trap := c.run()) == Trap.ECALL:
        c.r[PC] = CODE
    before = c.state()
    assert (Trap.LOGFULL, Trap.LOGFULL, before) == (trap, c.run(), c.state())
    c.m.log_take()
    assert c.run() == Trap.ECALL


def test_counters() -> None:
    """rdcycle and rdtime are virtual time, rdinstret the lwp's own count."""
    c = cpu(addi(A0, 0, 1), csrr(A1, 0xC00), csrr(A2, 0xC02), csrr(A3, 0xC01), ECALL)
    c.r[CYCLE], c.r[INSTRET] = 1000, 10
    assert c.run() == Trap.ECALL
    seen = [c.r[slot] for slot in (A1, A2, A3, INSTRET, CYCLE)]
    assert seen == [1001, 12, 1003, 15, 1005]


def test_x0_stays_zero() -> None:
    """Whatever writes to it."""
    c = cpu(addi(0, 0, 5), load(3, 0, A0), jal(0, 4), amo(0, 3, 0, A0, A0), ECALL)
    c.r[A0] = DATA
    assert (c.run(), c.r[0]) == (Trap.ECALL, 0)


def test_the_reservation_is_lost_between_runs() -> None:
    """An lwp that was switched away between LR and SC must try again."""
    c = cpu(amo(2, 3, A1, A0), ECALL, amo(3, 3, A2, A0), ECALL)
    c.r[A0] = DATA
    assert c.run() == Trap.ECALL
    c.r[PC] += 4
    assert (c.run(), c.r[A2]) == (Trap.ECALL, 1)


# ---- budget and determinism ----

# nested loops over calls into another page, loads and stores, a self-modified addi
FAR = CODE + 0x1FFE


def busy() -> Cpu:
    c = cpu(
        addi(A1, 0, 20),
        jal(RA, FAR - CODE - 4),          # 4: loop
        store(3, A0, T1, 8),
        load(1, A2, T1, 7),
        addi(A1, A1, -1),
        branch(1, A1, 0, 4 - 20),
        ECALL,
    )  # fmt: skip
    far = [
        addi(A0, A0, 3),                  # crosses the page's end
        addi(T0, 0, 3),
        C_NOP,
        addi(T0, T0, -1),                 # loop
        store(2, T0, T1),
        branch(5, T0, 0, -8),
        store(2, A0, T1),
        i_type(0x67, 0, 0, RA, 0),
    ]  # fmt: skip
    c.put(FAR, code(*far))
    c.r[T1] = DATA + 0xFFC
    return c


def test_budget_is_exact_about_state() -> None:
    """Many runs with a small budget end where one run ends, with the same counts."""
    one = busy()
    assert one.run() == Trap.ECALL
    for budget in (1, 2, 3, 7, 50):
        many = busy()
        runs = 1
        while (trap := many.run(budget)) == Trap.BUDGET:
            runs += 1
            many.m.log_take()
        assert (Trap.ECALL, one.state()) == (trap, many.state())
        assert runs > 50 // budget


def test_budget_bounds_a_run() -> None:
    """A run of an endless loop ends soon after its budget, and 0 runs nothing."""
    c = cpu(addi(A0, A0, 1), jal(0, -4))
    assert (c.run(0), c.r[INSTRET]) == (Trap.BUDGET, 0)
    assert c.run(1000) == Trap.BUDGET
    assert c.r[INSTRET] == 1000


def trace(fresh: bool, budget: int) -> list[tuple[int, list[int]]]:
    """Where each run ends; with `fresh` each run has a cold machine."""
    c = busy()
    out = []
    while True:
        trap = c.run(budget)
        out.append((int(trap), c.state()))
        if trap != Trap.BUDGET:
            return out
        if fresh:
            image = Machine.load(c.m.save())
            assert image is not None
            c = Cpu(image, c.space, c.ctx)


@pytest.mark.parametrize("budget", [1, 5, 17, 40])
def test_restored_machines_trap_where_the_others_do(budget: int) -> None:
    """Traps do not depend on what has been decoded before."""
    assert trace(False, budget) == trace(True, budget)


# ---- code that changes ----


def test_an_instruction_that_rewrites_the_next() -> None:
    """Stores are seen by the very next fetch, with and without fence.i."""
    for between in (C_NOP, FENCE_I):
        tail = 6 if between == C_NOP else 8
        c = cpu(store(2, A1, A0), between, addi(A2, 0, 1), ECALL)
        c.r[A0], c.r[A1] = CODE + tail, addi(A2, 0, 2)
        assert (c.run(), c.r[A2], c.r[INSTRET]) == (Trap.ECALL, 2, 4)
    c = cpu(store(2, A1, A0), addi(A2, 0, 1), ECALL)
    c.r[A0], c.r[A1] = CODE + 4, addi(A2, 0, 2)
    assert (c.run(), c.r[A2], c.r[INSTRET]) == (Trap.ECALL, 2, 3)


def test_code_rewritten_in_a_loop() -> None:
    """Decoded, changed and decoded again; other pages and AMOs write code too."""
    c = cpu(
        addi(A3, 0, 10),
        addi(A2, A2, 0),                  # 4: its immediate grows each round
        amo(0, 2, 0, A0, A1),
        addi(A3, A3, -1),
        branch(1, A3, 0, -12),
        ECALL,
    )  # fmt: skip
    c.r[A0], c.r[A1] = CODE + 4, 1 << 20
    assert (Trap.ECALL, sum(range(10)), 42) == (c.run(), c.r[A2], c.r[INSTRET])
    assert c.m.stat(Stat.DECODES) > 20


def test_a_store_to_code_does_not_look_at_the_budget() -> None:
    """Only transfers of control do, so cold and warm machines agree."""
    c = cpu(store(2, A1, A0), store(2, A1, A0), addi(A2, 0, 1), ECALL)
    c.r[A0], c.r[A1] = CODE + 0x100, 0
    assert (c.run(1), c.r[INSTRET]) == (Trap.ECALL, 4)


def test_kernel_writes_are_seen() -> None:
    """copyout into decoded code."""
    c = cpu(addi(A2, A2, 1), ECALL)
    assert (c.run(), c.r[A2]) == (Trap.ECALL, 1)
    c.put(CODE, code(addi(A2, A2, 100)))
    c.r[PC] = CODE
    assert (c.run(), c.r[A2]) == (Trap.ECALL, 101)


def test_a_clone_that_rewrites_its_code_leaves_the_others() -> None:
    """The store breaks copy-on-write of the page it runs in."""
    c = cpu(store(2, A1, A0), addi(A2, 0, 1), ECALL)
    c.r[A0], c.r[A1] = CODE + 8, ECALL
    assert c.run() == Trap.ECALL
    child = Cpu(c.m, c.m.as_clone(c.space, 0), c.m.ctx_alloc())
    child.r[A0], child.r[A1], child.r[PC] = CODE + 4, addi(A2, 0, 2), CODE
    assert (child.run(), child.r[A2]) == (Trap.ECALL, 2)
    c.r[PC] = CODE
    assert (c.run(), c.r[A2]) == (Trap.ECALL, 1)


def test_pages_that_come_and_go() -> None:
    """Unmapped and mapped again, other code at the same address is run."""
    c = cpu(addi(A2, 0, 1), ECALL)
    for value in (1, 2, 3):
        c.put(CODE, code(addi(A2, 0, value)))
        c.put(CODE + 4, code(ECALL))
        c.r[PC] = CODE
        assert (Trap.ECALL, value) == (c.run(), c.r[A2])
        c.m.unmap(c.space, CODE, 0x4000)
        c.r[PC] = CODE
        assert c.run() == Trap.UNMAPPED
        assert c.m.map_zero(c.space, CODE, 0x4000, RWX) == 0
