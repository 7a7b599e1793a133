"""The kit's own guest programs, assembled from what a brand says of its calls.

They tell what they saw by their exit status (``Status``), because that needs no
more of a brand than ``exit``.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from personae.core.conform.declare import names
from personae.core.conform.riscv import DATA, DATA_SIZE, REGS, TEXT, Asm, program

if TYPE_CHECKING:
    from personae.core.brand import Brand
    from personae.core.conform.declare import Call, Calls

LEAF = "/conform/leaf"
"""Where the program is that the others execute."""
SAVED, ARGV, ENVP, PATH, BUFFER = 0, 16, 32, 40, 128
"""Offsets in the data: a saved register, argument and environment vector, path."""
_CONDITION = re.compile(r"(\w+) (==|!=|<) 0")


class Status(IntEnum):
    """Exit statuses of the guests, and what they mean."""

    GOOD = 0
    CHILD = 17
    FORK_FAILED = 33
    CHILD_REGS = 41
    PARENT_REGS = 42
    NO_PID = 43
    WAIT_FAILED = 44
    EXEC_FAILED = 45


class Guests:
    """The programs for one brand.

    Attributes:
        calls: The calls it has, by role.
    """

    def __init__(self, brand: Brand) -> None:
        self.said: Calls = brand.conformance.calls
        self.calls = self.said.found(brand.sysent)
        self.numbers = names(brand.sysent)

    # ---- pieces ----

    def call(self, asm: Asm, call: Call, code: int = 0) -> None:
        """Make a system call."""
        words = {
            "code": code,
            "buffer": DATA + BUFFER,
            "path": DATA + PATH,
            "argv": DATA + ARGV,
            "envp": DATA + ENVP,
        }
        for i, arg in enumerate(call[1:]):
            asm.li(f"a{i}", words[arg] if isinstance(arg, str) else arg)
        asm.li("a7", self.numbers[str(call[0])])
        asm.ecall()

    def exit(self, asm: Asm, status: int) -> None:
        """End the process."""
        self.call(asm, self.calls["exit"], status)
        asm.words.append(0)  # an illegal instruction, should it come back

    def branch_if(self, asm: Asm, condition: str, label: str) -> None:
        """Branch if a condition of ``Calls`` holds."""
        m = _CONDITION.fullmatch(condition)
        if m is None or m[1] not in REGS:
            raise ValueError(f"conformance: no condition: {condition!r}")
        asm.branch(m[2], m[1], "zero", label)

    def _kept(self, call: Call) -> list[str]:
        """Registers that the call must leave alone, and that hold no argument."""
        args = {f"a{i}" for i in range(len(call) - 1)}
        skip = {"zero", "sp", "a7", *self.said.results, *args}
        return [r for r in REGS if r not in skip]

    def fill(self, asm: Asm, call: Call) -> None:
        """Put a value of its own into each register that the call must keep."""
        asm.li("a0", DATA)
        asm.sd("sp", SAVED, "a0")
        for reg in self._kept(call):
            asm.li(reg, _mark(reg))
        for f in range(32):
            asm.li("a0", 0x2000000 + f)
            asm.fmv_d_x(f, "a0")

    def verify(self, asm: Asm, call: Call, bad: str) -> None:
        """Branch if a register is not what ``fill`` and the arguments made it."""
        asm.li("a0", DATA)
        asm.ld("a0", SAVED, "a0")
        asm.branch("!=", "a0", "sp", bad)
        for reg in self._kept(call):
            asm.li("a0", _mark(reg))
            asm.branch("!=", "a0", reg, bad)
        for i, arg in enumerate(call[1:]):
            if isinstance(arg, int) and f"a{i}" not in self.said.results:
                asm.li("a0", arg)
                asm.branch("!=", "a0", f"a{i}", bad)
        for f in range(32):
            asm.fmv_x_d("a0", f)
            asm.addi("a0", "a0", -f)
            asm.li("t0", 0x2000000)
            asm.branch("!=", "a0", "t0", bad)

    # ---- programs ----

    def leaf(self) -> bytes:
        """Ends with ``CHILD``."""
        asm = Asm()
        self.exit(asm, Status.CHILD)
        return program(asm.code())

    def forker(self, role: str = "fork") -> bytes:
        """Forks once; both sides look at their registers, the parent waits."""
        asm = Asm()
        call = self.calls[role]
        self.fill(asm, call)
        self.call(asm, call)
        self.branch_if(asm, self.said.error, "failed")
        self.branch_if(asm, self.said.child, "child")
        asm.branch("==", "a0", "zero", "no pid")
        self.verify(asm, call, "parent regs")
        self._wait(asm)
        self.exit(asm, Status.GOOD)
        asm.label("child")
        self.verify(asm, call, "child regs")
        self.exit(asm, Status.CHILD)
        for label, status in (
            ("failed", Status.FORK_FAILED),
            ("no pid", Status.NO_PID),
            ("parent regs", Status.PARENT_REGS),
            ("child regs", Status.CHILD_REGS),
            ("wait failed", Status.WAIT_FAILED),
        ):
            asm.label(label)
            self.exit(asm, status)
        return program(asm.code(), _data())

    def execer(self) -> bytes:
        """Forks; the child executes ``LEAF``, the parent waits."""
        asm = Asm()
        self.call(asm, self.calls["fork"])
        self.branch_if(asm, self.said.error, "failed")
        self.branch_if(asm, self.said.child, "child")
        self._wait(asm)
        self.exit(asm, Status.GOOD)
        asm.label("child")
        self.call(asm, self.calls["exec"])
        self.exit(asm, Status.EXEC_FAILED)
        asm.label("failed")
        self.exit(asm, Status.FORK_FAILED)
        asm.label("wait failed")
        self.exit(asm, Status.WAIT_FAILED)
        return program(asm.code(), _data())

    def orphan(self, turns: int = 20000, waits: bool = False) -> bytes:
        """Forks; the parent ends at once, or waits; the child goes on for a while."""
        asm = Asm()
        self.call(asm, self.calls["fork"])
        self.branch_if(asm, self.said.error, "failed")
        self.branch_if(asm, self.said.child, "child")
        if waits:
            self._wait(asm)
        self.exit(asm, Status.GOOD)
        asm.label("child")
        asm.li("s1", turns)
        asm.label("turn")
        asm.addi("s1", "s1", -1)
        asm.branch("!=", "s1", "zero", "turn")
        self.exit(asm, Status.CHILD)
        asm.label("failed")
        self.exit(asm, Status.FORK_FAILED)
        asm.label("wait failed")
        self.exit(asm, Status.WAIT_FAILED)
        return program(asm.code(), _data())

    def hostile(self, number: int, turns: int, seed: int) -> bytes:
        """Makes one call many times, with arguments that mean harm.

        The arguments are drawn from a table of bad and not so bad values; one of
        eight is a random number.
        """
        asm = Asm()
        values = _hostile_values()
        table = DATA + BUFFER + 256
        asm.li("s2", table)
        asm.li("s1", turns)
        asm.li("s0", seed & 0x7FFFFFFF | 1)
        asm.label("turn")
        asm.branch("==", "s1", "zero", "done")
        asm.addi("s1", "s1", -1)
        for i in range(6):
            _xorshift(asm)
            asm.andi("t0", "s0", (len(values) - 1) << 3)
            asm.add("t0", "t0", "s2")
            asm.ld(f"a{i}", 0, "t0")
            asm.srli("t0", "s0", 20)
            asm.andi("t0", "t0", 7)
            asm.branch("!=", "t0", "zero", f"keep{i}")
            asm.addi(f"a{i}", "s0", 0)
            asm.label(f"keep{i}")
        asm.li("a7", number)
        asm.ecall()
        asm.jump("turn")
        asm.label("done")
        self.exit(asm, Status.GOOD)
        data = _data().ljust(BUFFER + 256, b"\0")
        return program(asm.code(), data + struct.pack(f"<{len(values)}Q", *values))

    def _wait(self, asm: Asm) -> None:
        self.call(asm, self.calls["wait"])
        self.branch_if(asm, self.said.error, "wait failed")


def _mark(reg: str) -> int:
    return 0x1000000 + REGS[reg] * 0x1001


def _xorshift(asm: Asm) -> None:
    """s0 = the next of Marsaglia's 64-bit xorshift (13, 7, 17)."""
    for shift, n in ((asm.slli, 13), (asm.srli, 7), (asm.slli, 17)):
        shift("t0", "s0", n)
        asm.xor("s0", "s0", "t0")


def _data() -> bytes:
    data = bytearray(BUFFER)
    struct.pack_into("<QQ", data, ARGV, DATA + PATH, 0)
    data[PATH : PATH + len(LEAF)] = LEAF.encode()
    return bytes(data)


def _hostile_values() -> list[int]:
    """Thirty-two arguments: small numbers, ends of ranges, good and bad addresses."""
    top = 1 << 64
    return [
        *(0, 1, 2, 3, 7, 16, 64, 4096),
        *(top - 1, top - 2, top - 100, 1 << 31, (1 << 31) - 1, 1 << 63, (1 << 63) - 1),
        *(1 << 32, (1 << 38) - 8, (1 << 38), 0x5000, 8, 1 << 62),
        *(DATA + BUFFER, DATA + BUFFER + 1, DATA + PATH, DATA + ARGV),
        *(DATA + DATA_SIZE - 4, DATA + DATA_SIZE, TEXT + 0x100, TEXT, DATA),
        *(0o666, 0x10000),
    ]
