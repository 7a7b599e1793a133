"""Registers of a lwp: the slots of ``lwp.regs``, by the names of the RISC-V psABI.

``lwp.regs[A0]`` is an unsigned 64-bit number; a negative value is stored with
``u64(x)``.
"""

from __future__ import annotations

RA, SP, GP, TP = 1, 2, 3, 4
T0, T1, T2, S0, S1 = 5, 6, 7, 8, 9
A0, A1, A2, A3, A4, A5, A6, A7 = range(10, 18)
"""Arguments of a system call are in A0 to A5, its number is in A7."""
PC = 32
"""Program counter; during a system call it is at the ecall."""
F0 = 34
"""The 32 floating-point registers, as bits."""
FCSR = 33
"""Floating-point control and status."""

INSTRET = 66
"""Instructions that the lwp has retired, ever."""
CYCLE = 67
"""Virtual time in cycles, while it runs."""
IDENT = 68
"""Its name in the event log."""
TVAL, TACCESS = 69, 70
"""Of the last trap: the address, or the instruction's bits; and which access."""
RES_ADDR = 72
"""The reservation of an LR; 0 for none."""

MASK = (1 << 64) - 1


def u64(x: int) -> int:
    """A number as a register holds it.

    >>> hex(u64(-1))
    '0xffffffffffffffff'
    """
    return x & MASK
