"""A static riscv64 Linux program on the bare hardware layer, for benchmarks and tests.

No kernel: a loader for static ELF files and the few system calls a small C
program makes at start, while it prints and at its end.  What is not served is an
error, never a silent success.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

from personae.hw import INSTRET, PC, TVAL, Machine, Trap

PAGE = 4096
STACK_TOP = 0x3F_FFFF_0000
STACK_SIZE = 8 << 20
MMAP_BASE = 0x20_0000_0000
SP, A0, A1, A2, A7 = 2, 10, 11, 12, 17
RW, RWX = 6, 14
ENOSYS, EINVAL, ENOTTY, ENOENT = 38, 22, 25, 2


class GuestError(Exception):
    """The program did something that is not served here."""


def _up(n: int) -> int:
    return (n + PAGE - 1) & ~(PAGE - 1)


@dataclass
class Guest:
    """One machine with one address space and one context."""

    mem_bytes: int = 256 << 20
    out: bytearray = field(default_factory=bytearray)
    exit_code: int | None = None
    run_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.m = Machine(self.mem_bytes)
        self.space = self.m.as_create(0)
        self.ctx = self.m.ctx_alloc()
        self.regs = self.m.ctx_view(self.ctx)
        self.brk = 0
        self.mmap_at = MMAP_BASE

    @property
    def instret(self) -> int:
        """Instructions the program has retired."""
        return self.regs[INSTRET]

    # -- memory --

    def map_zero(self, va: int, size: int, prot: int = RWX) -> None:
        """Map zeroed pages; prot is of HW_R | HW_W | HW_X."""
        if self.m.map_zero(self.space, va, size, prot) != 0:
            raise GuestError(f"cannot map {va:#x}")

    def write(self, va: int, data: bytes) -> None:
        """Copy data into the guest."""
        if self.m.copyout(self.space, va, data) != len(data):
            raise GuestError(f"cannot write {va:#x}")

    def read(self, va: int, size: int) -> bytes:
        """Copy data out of the guest."""
        data = self.m.copyin(self.space, va, size)
        if len(data) != size:
            raise GuestError(f"cannot read {va:#x}")
        return data

    # -- programs --

    def load_elf(self, path: Path, argv: list[str]) -> None:
        """Map a static executable and build its first stack."""
        image = path.read_bytes()
        entry, phoff = struct.unpack_from("<QQ", image, 24)
        phentsize, phnum = struct.unpack_from("<HH", image, 54)
        phdr_va = 0
        for i in range(phnum):
            kind, _, off, va, _, filesz, memsz, _ = struct.unpack_from(
                "<IIQQQQQQ", image, phoff + i * phentsize
            )
            if kind != 1:
                continue
            start = va & ~(PAGE - 1)
            self.map_zero(start, _up(va + memsz) - start)
            self.write(va, image[off : off + filesz])
            self.brk = max(self.brk, _up(va + memsz))
            if off <= phoff < off + filesz:
                phdr_va = va + phoff - off
        auxv = [(3, phdr_va), (4, phentsize), (5, phnum), (6, PAGE), (9, entry)]
        self._stack(argv, auxv)
        self.regs[PC] = entry

    def _stack(self, argv: list[str], auxv: list[tuple[int, int]]) -> None:
        self.map_zero(STACK_TOP - STACK_SIZE, STACK_SIZE, RW)
        strings = b"\x2a" * 16 + b"".join(a.encode() + b"\0" for a in argv)
        base = (STACK_TOP - len(strings)) & ~15
        self.write(base, strings)
        words, at = [len(argv)], base + 16
        for a in argv:
            words.append(at)
            at += len(a.encode()) + 1
        words += [0, 0]
        for key, value in [*auxv, (23, 0), (25, base), (0, 0)]:
            words += [key, value]
        sp = (base - 8 * len(words)) & ~15
        self.write(sp, struct.pack(f"<{len(words)}Q", *words))
        self.regs[SP] = sp

    def run(self, budget: int = 1 << 62) -> int:
        """Run to the end of the program; return its exit code."""
        while self.exit_code is None:
            began = time.perf_counter()
            trap = self.m.run(0, self.ctx, self.space, budget)
            self.run_seconds += time.perf_counter() - began
            if trap == Trap.ECALL:
                self.regs[PC] += 4
                self.regs[A0] = self._syscall(self.regs[A7]) & (2**64 - 1)
            elif trap == Trap.LOGFULL:
                self.m.log_take()
            elif trap != Trap.BUDGET:
                where = f"pc {self.regs[PC]:#x} tval {self.regs[TVAL]:#x}"
                raise GuestError(f"trap {trap} at {where}")
        return self.exit_code

    def _syscall(self, nr: int) -> int:
        a0, a1, a2 = self.regs[A0], self.regs[A1], self.regs[A2]
        if nr == 64:  # write
            self.out += self.read(a1, a2)
            return a2
        if nr in (93, 94):  # exit, exit_group
            self.exit_code = a0 & 0xFF
            return 0
        if nr == 214:  # brk
            if a0 > self.brk:
                self.map_zero(self.brk, _up(a0) - self.brk, RW)
                self.brk = _up(a0)
            return a0 or self.brk
        if nr == 222:  # mmap, anonymous only
            at, self.mmap_at = self.mmap_at, self.mmap_at + _up(a1)
            self.map_zero(at, _up(a1), RW)
            return at
        if nr == 113:  # clock_gettime
            ns = time.perf_counter_ns()
            self.write(a1, struct.pack("<QQ", ns // 10**9, ns % 10**9))
            return 0
        if nr == 278:  # getrandom
            self.write(a0, bytes(a1))
            return a1
        return self._trivial(nr)

    @staticmethod
    def _trivial(nr: int) -> int:
        if nr in (96, 99, 226, 215):  # set_tid_address, robust list, mprotect, munmap
            return 1 if nr == 96 else 0
        if nr in (78, 79, 80):  # readlinkat, newfstatat, fstat
            return -ENOENT
        if nr == 29:  # ioctl
            return -ENOTTY
        if nr == 261:  # prlimit64
            return -EINVAL
        return -ENOSYS


def run_elf(path: Path, *args: str) -> Guest:
    """Load and run one program to its end."""
    guest = Guest()
    guest.load_elf(path, [path.name, *args])
    guest.run()
    return guest
