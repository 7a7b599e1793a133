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
from typing import Any

from personae.hw import _hw

ffi, lib = _hw.ffi, _hw.lib

PAGE = 4096
STACK_TOP = 0x3F_FFFF_0000
STACK_SIZE = 8 << 20
MMAP_BASE = 0x20_0000_0000
A0, A1, A2, A7, SP, PC, INSTRET = 10, 11, 12, 17, 2, 32, 66
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
        self.m: Any = ffi.gc(lib.hw_create(self.mem_bytes, 1), lib.hw_destroy)
        if self.m == ffi.NULL:
            raise MemoryError("hw_create")
        self.space: int = lib.hw_as_create(self.m, 0)
        self.ctx: int = lib.hw_ctx_alloc(self.m)
        at = lib.hw_ctx_at(self.m, self.ctx)
        self.regs = memoryview(ffi.buffer(at)).cast("B").cast("Q")
        self.brk = 0
        self.mmap_at = MMAP_BASE
        self._log = bytearray(1 << 20)

    # -- memory --

    def map_zero(self, va: int, size: int, prot: int = 14) -> None:
        """Map zeroed pages; prot is of HW_R | HW_W | HW_X."""
        if lib.hw_map_zero(self.m, self.space, va, size, prot) != 0:
            raise GuestError(f"cannot map {va:#x}")

    def write(self, va: int, data: bytes) -> None:
        """Copy data into the guest."""
        if lib.hw_copyout(self.m, self.space, va, data, len(data)) != len(data):
            raise GuestError(f"cannot write {va:#x}")

    def read(self, va: int, size: int) -> bytes:
        """Copy data out of the guest."""
        buf = bytearray(size)
        got = lib.hw_copyin(self.m, self.space, va, ffi.from_buffer(buf), size)
        if got != size:
            raise GuestError(f"cannot read {va:#x}")
        return bytes(buf)

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
        self.map_zero(STACK_TOP - STACK_SIZE, STACK_SIZE, 6)
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
            trap = lib.hw_run(self.m, 0, self.ctx, self.space, budget)
            self.run_seconds += time.perf_counter() - began
            if trap == lib.HW_TRAP_ECALL:
                self.regs[PC] += 4
                self.regs[A0] = self._syscall(self.regs[A7]) & (2**64 - 1)
            elif trap == lib.HW_TRAP_LOGFULL:
                lib.hw_log_take(self.m, ffi.from_buffer(self._log), len(self._log))
            elif trap != lib.HW_TRAP_BUDGET:
                where = f"pc {self.regs[PC]:#x} tval {self.regs[69]:#x}"
                raise GuestError(f"trap {trap} at {where}")
        return self.exit_code

    def _syscall(self, nr: int) -> int:
        a0, a1, a2 = self.regs[A0], self.regs[A1], self.regs[A2]
        if nr == 64:  # write
            self.out += self.read(a1, a2)
            return int(a2)
        if nr in (93, 94):  # exit, exit_group
            self.exit_code = a0 & 0xFF
            return 0
        if nr == 214:  # brk
            if a0 > self.brk:
                self.map_zero(self.brk, _up(a0) - self.brk, 6)
                self.brk = _up(a0)
            return max(int(a0), self.brk) if a0 == 0 else int(a0)
        if nr == 222:  # mmap, anonymous only
            at, self.mmap_at = self.mmap_at, self.mmap_at + _up(a1)
            self.map_zero(at, _up(a1), 6)
            return at
        if nr == 113:  # clock_gettime
            ns = time.perf_counter_ns()
            self.write(a1, struct.pack("<QQ", ns // 10**9, ns % 10**9))
            return 0
        if nr == 278:  # getrandom
            self.write(a0, bytes(a1))
            return int(a1)
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
