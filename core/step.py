"""One instruction of a program, exactly: for watched pages, tracepoints and PRSTEP.

``hw_run`` finishes a basic block, so a budget of 1 is not one instruction.  Here an
instruction that does not depend on its place is executed out of line: alone on a
scratch page below every mapping, with an ebreak behind it.  Those that do depend on it
(jumps, branches, auipc) are few and are done here.

Must not know: who wants the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.core.errno import KernelError
from personae.core.regs import CYCLE, INSTRET, PC, RES_ADDR
from personae.core.vm import hat
from personae.core.vm.layout import USER_TOP
from personae.core.vm.poke import peek
from personae.core.vm.watch import WFlag

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

BUDGET, ECALL, EBREAK, ILLEGAL, NOMEM = 0, 1, 2, 3, 8
SCRATCH = 0x1000
"""Nothing can be mapped there (MMAP_MIN_ADDR), unless the brand's rules allow it."""
STOPS = (0x9002, 0x00100073, 0x73)
"""ebreak, short and wide, and ecall."""
C_EBREAK = b"\x02\x90"
LRSC = 32
"""Instructions that a sequence from lr to sc may have, and more (unprivileged, 8.3)."""

_R, _W = int(WFlag.WA_READ), int(WFlag.WA_WRITE)
_M64 = (1 << 64) - 1


class Access(NamedTuple):
    """Bytes that an instruction reads, writes or is."""

    addr: int
    size: int
    kinds: int


def fetch(as_: As, pc: int) -> int:
    """The instruction at ``pc``, 2 or 4 bytes.  Raises KernelError: EFAULT ENOMEM."""
    low = int.from_bytes(peek(as_, pc, 2), "little")
    if low & 3 != 3:
        return low
    return low | int.from_bytes(peek(as_, pc + 2, 2), "little") << 16


def length(insn: int) -> int:
    """Its length in bytes."""
    return 4 if insn & 3 == 3 else 2


def _sext(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def data_access(insn: int, x: memoryview) -> Access | None:
    """What data the instruction touches; None if none."""
    got = _wide_access(insn, x) if insn & 3 == 3 else _short_access(insn, x)
    return None if got is None else got._replace(addr=got.addr & _M64)


def _wide_access(insn: int, x: memoryview) -> Access | None:
    op, base = insn & 0x7F, x[insn >> 15 & 31]
    size = 1 << (insn >> 12 & 3)
    if op in (0x03, 0x07):
        return Access(base + _sext(insn >> 20, 12), size, _R)
    if op in (0x23, 0x27):
        off = (insn >> 25) << 5 | insn >> 7 & 31
        return Access(base + _sext(off, 12), size, _W)
    if op == 0x2F:
        return Access(base, size, _W if insn >> 27 == 3 else _R | _W)
    return None


def _short_access(i: int, x: memoryview) -> Access | None:
    """Loads and stores of quadrants 0 and 2 (unprivileged, "C" extension)."""
    f3, quadrant = i >> 13, i & 3
    if f3 & 3 == 0 or quadrant == 1:
        return None
    wide, kind = f3 & 3 != 2, _W if f3 & 4 else _R
    size = 8 if wide else 4
    if quadrant == 0:
        off = (i >> 10 & 7) << 3
        off |= (i >> 5 & 3) << 6 if wide else (i >> 6 & 1) << 2 | (i >> 5 & 1) << 6
        return Access(x[8 + (i >> 7 & 7)] + off, size, kind)
    if kind == _R:
        off = (i >> 12 & 1) << 5
        off |= (
            (i >> 5 & 3) << 3 | (i >> 2 & 7) << 6
            if wide
            else ((i >> 4 & 7) << 2 | (i >> 2 & 3) << 6)
        )
    elif wide:
        off = (i >> 10 & 7) << 3 | (i >> 7 & 7) << 6
    else:
        off = (i >> 9 & 15) << 2 | (i >> 7 & 3) << 6
    return Access(x[2] + off, size, kind)


# ---- instructions that depend on where they stand ----


def _taken(f3: int, a: int, b: int) -> bool:
    less = _sext(a, 64) < _sext(b, 64) if f3 in (4, 5) else a < b
    yes = less if f3 & 4 else a == b
    return yes != bool(f3 & 1)


def _jump_wide(insn: int, x: memoryview, pc: int) -> int | None:
    """Do a jump, branch or auipc; the next pc.  None: it is another instruction."""
    op, rd = insn & 0x7F, insn >> 7 & 31
    f3, rs1, rs2 = insn >> 12 & 7, x[insn >> 15 & 31], x[insn >> 20 & 31]
    link = (pc + 4) & _M64
    if op == 0x17:
        link, to = (pc + _sext(insn & 0xFFFFF000, 32)) & _M64, pc + 4
    elif op == 0x6F:
        off = (insn >> 31) << 20 | (insn >> 12 & 0xFF) << 12
        off |= (insn >> 20 & 1) << 11 | (insn >> 21 & 0x3FF) << 1
        to = pc + _sext(off, 21)
    elif op == 0x67 and f3 == 0:
        to = (rs1 + _sext(insn >> 20, 12)) & ~1
    elif op == 0x63 and f3 not in (2, 3):
        off = (insn >> 31) << 12 | (insn >> 7 & 1) << 11
        off |= (insn >> 25 & 0x3F) << 5 | (insn >> 8 & 15) << 1
        return pc + (_sext(off, 13) if _taken(f3, rs1, rs2) else 4)
    else:
        return None
    if rd:
        x[rd] = link
    return to


def _jump_short(i: int, x: memoryview, pc: int) -> int | None:
    f3, quadrant = i >> 13, i & 3
    if quadrant == 1 and f3 == 5:
        off = (i >> 12 & 1) << 11 | (i >> 8 & 1) << 10 | (i >> 9 & 3) << 8
        off |= (i >> 6 & 1) << 7 | (i >> 7 & 1) << 6 | (i >> 2 & 1) << 5
        off |= (i >> 11 & 1) << 4 | (i >> 3 & 7) << 1
        return pc + _sext(off, 12)
    if quadrant == 1 and f3 in (6, 7):
        off = (i >> 12 & 1) << 8 | (i >> 5 & 3) << 6 | (i >> 2 & 1) << 5
        off |= (i >> 10 & 3) << 3 | (i >> 3 & 3) << 1
        yes = (x[8 + (i >> 7 & 7)] == 0) == (f3 == 6)
        return pc + (_sext(off, 9) if yes else 2)
    rs1 = i >> 7 & 31
    if quadrant == 2 and f3 == 4 and not i >> 2 & 31 and rs1:
        to = x[rs1] & ~1
        if i >> 12 & 1:
            x[1] = (pc + 2) & _M64
        return to
    return None


# ---- the step ----


def step(k: Kernel, lwp: Lwp, insn: int | None = None) -> int:
    """Execute one instruction of ``lwp``, which runs on a CPU, with its space open.

    Args:
        k: The kernel.
        lwp: The lwp.
        insn: The instruction, if another one stands in memory (a tracepoint).

    Returns:
        BUDGET, it is done; else the trap it ended in, pc at the instruction.  A ``lr``
        goes on to the end of its sequence, which could never succeed in pieces.
    """
    space = lwp.proc.as_
    if space is None or lwp.cpu is None:
        return NOMEM
    watch = space.watch if space.watch is not None and space.watch.shut else None
    try:
        if watch is not None:
            watch.open(space)
            watch.parked = True
        return _step(k, lwp, space, insn)
    except KernelError:
        return NOMEM
    finally:
        if watch is not None:
            rearm(space)


def rearm(space: As) -> None:
    """Shut the watched pages again; without a frame for a table it is tried later."""
    if space.watch is not None:
        try:
            space.watch.arm(space)
        except KernelError:
            space.kernel.notice(f"{space!r}: watched pages stay open")


def _step(k: Kernel, lwp: Lwp, space: As, insn: int | None) -> int:
    regs, pc = lwp.regs, lwp.regs[PC]
    if insn is None:
        insn = fetch(space, pc)
    if insn in STOPS:
        return ECALL if insn == 0x73 else EBREAK
    if insn & 0x7F == 0x2F and insn >> 27 == 2:
        return _load_reserved(k, lwp, space, insn)
    if insn & 0x7F == 0x2F and insn >> 27 == 3:
        return _store_conditional(k, lwp, space, insn)
    to = (_jump_wide if insn & 3 == 3 else _jump_short)(insn, regs, pc)
    if to is None:
        return _out_of_line(k, lwp, space, insn)
    regs[PC] = to & _M64
    regs[INSTRET] += 1
    regs[CYCLE] += 1
    return BUDGET


def _load_reserved(k: Kernel, lwp: Lwp, space: As, insn: int) -> int:
    """A ``lr``, and what follows up to its ``sc``: in pieces they never succeed."""
    regs = lwp.regs
    held = regs[insn >> 15 & 31] | 1
    trap = _out_of_line(k, lwp, space, insn & 0x000FFF80 | 0x03)
    for _ in range(LRSC):
        if trap != BUDGET:
            break
        insn = fetch(space, regs[PC])
        if insn & 0x7F == 0x2F and insn >> 27 == 3:
            regs[RES_ADDR] = held
            return _store_conditional(k, lwp, space, insn)
        if data_access(insn, regs) is not None or insn in STOPS:
            break
        trap = _step(k, lwp, space, insn)
    return trap


def _store_conditional(k: Kernel, lwp: Lwp, space: As, insn: int) -> int:
    """A ``sc`` whose page was closed: it stores if its ``lr`` was in the same run.

    The hart's reservation ends with the run, so it is made as a plain store.
    """
    regs, rd = lwp.regs, insn >> 7 & 31
    held = regs[RES_ADDR]
    if held & 1 and (held ^ 1 ^ regs[insn >> 15 & 31]) & 0xFFF == 0:
        trap = _out_of_line(k, lwp, space, insn & 0x01FFF000 | 0x23)
        if trap == BUDGET and rd:
            regs[rd] = 0
        return trap
    if rd:
        regs[rd] = 1
    regs[PC] += 4
    regs[INSTRET] += 1
    regs[CYCLE] += 1
    return BUDGET


def _out_of_line(k: Kernel, lwp: Lwp, space: As, insn: int) -> int:
    regs, n = lwp.regs, length(insn)
    pc, instret, cycle = regs[PC], regs[INSTRET], regs[CYCLE]
    pfn = hat.frame_alloc(k, space.acct)
    if pfn == 0:
        return NOMEM
    k.hw.frame_write(pfn, 0, insn.to_bytes(n, "little") + C_EBREAK)
    try:
        at = SCRATCH if space.lowest > SCRATCH else space.gap(4096, USER_TOP)
        hat.map_frames(space, at, [pfn], 5, shared=True)
        regs[PC] = at
        cpu = 0 if lwp.cpu is None else lwp.cpu.id
        trap = k.hw.run(cpu, lwp.ctx, space.hwid, 2)
        if regs[PC] == at + n:
            regs[INSTRET], regs[CYCLE] = instret + 1, cycle + 1
            pc, trap = pc + n, BUDGET
        regs[PC] = pc
        hat.unmap(space, at, 4096)
    finally:
        hat.frame_rele(k, pfn)
    return trap
