"""Signal frames of the native brand, and contexts: getcontext and setcontext.

The layout is in ``abi``.  The frame is made on the alternate stack if the action
asks for it and the lwp is not on it already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core.errno import Errno, KernelError
from personae.core.signo import CANTMASK, SaFlag

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.signo import SigAction, SigInfo

STACK_ALIGN = ~15


def on_altstack(lwp: Lwp, sp: int) -> bool:
    """Whether ``sp`` lies in the alternate stack of the lwp."""
    base, size, flags = lwp.sigaltstack
    return not flags & abi.SS_DISABLE and base <= sp - 1 < base + size


def pack_ucontext(lwp: Lwp, mask: int) -> bytes:
    """The registers of the lwp, its stack and the mask to go back to."""
    regs = lwp.regs
    sp, size, flags = lwp.sigaltstack
    if on_altstack(lwp, regs[abi.REG_SP]):
        flags |= abi.SS_ONSTACK
    lo, hi = mask & (1 << 64) - 1, mask >> 64
    return b"".join(
        (
            abi.UC_HEAD.pack(0, 0, lo, hi, sp, size, flags),
            abi.UC_REGS.pack(regs[abi.REG_PC], *regs[1:32]),
            abi.UC_FPREGS.pack(*regs[34:66], regs[abi.REG_FCSR] & 0xFF),
        )
    ).ljust(abi.UCONTEXT_SIZE, b"\0")


def getcontext(lwp: Lwp) -> bytes:
    """The context that a call of it stores: to go on after the call, which gives 0."""
    regs = lwp.regs
    keep = regs[abi.REG_PC], regs[abi.REG_T0], regs[abi.REG_A0], regs[abi.REG_A1]
    regs[abi.REG_PC] = keep[0] + 4
    regs[abi.REG_T0] = regs[abi.REG_A0] = regs[abi.REG_A1] = 0
    out = pack_ucontext(lwp, lwp.sigmask)
    regs[abi.REG_PC], regs[abi.REG_T0], regs[abi.REG_A0], regs[abi.REG_A1] = keep
    return out


def sendsig(
    lwp: Lwp, sig: int, info: SigInfo | None, act: SigAction, mask: int
) -> None:
    """Build the frame and point the lwp at the handler.

    Raises:
        KernelError: EFAULT, the stack is no memory.
    """
    regs = lwp.regs
    sp = regs[abi.REG_SP]
    if act.flags & SaFlag.SA_ONSTACK and not on_altstack(lwp, sp):
        base, size, flags = lwp.sigaltstack
        if not flags & abi.SS_DISABLE:
            sp = base + size
    frame = pack_ucontext(lwp, mask)
    has_info = info is not None and bool(act.flags & SaFlag.SA_SIGINFO)
    if info is not None and has_info:
        frame += abi.pack_siginfo(info, lwp.proc.zone.id)
    if sp < len(frame) + 16:
        raise KernelError(Errno.EFAULT, "no room for a signal frame")
    sp = sp - len(frame) & STACK_ALIGN
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    as_.copyout(sp, frame)
    regs[abi.REG_SP] = sp
    regs[abi.REG_A0] = sig
    regs[abi.REG_A1] = sp + abi.UCONTEXT_SIZE if has_info else 0
    regs[abi.REG_A2] = sp
    regs[abi.REG_RA] = 0
    regs[abi.REG_PC] = act.handler


def setcontext(lwp: Lwp, data: bytes) -> None:
    """Make the lwp what a ucontext says: registers, mask, alternate stack."""
    head = abi.UC_HEAD.unpack_from(data)
    general = abi.UC_REGS.unpack_from(data, abi.UC_HEAD.size)
    fp = abi.UC_FPREGS.unpack_from(data, abi.UC_HEAD.size + abi.UC_REGS.size)
    regs = lwp.regs
    regs[abi.REG_PC] = general[0] & ~1
    for i in range(1, 32):
        regs[i] = general[i]
    for i in range(32):
        regs[abi.REG_F0 + i] = fp[i]
    regs[abi.REG_FCSR] = fp[32] & 0xFF
    lwp.sigmask = (head[2] | head[3] << 64) & abi.SIGSET_MASK & ~CANTMASK
    lwp.ast = True
    flags = head[6] & ~abi.SS_ONSTACK
    if flags in (0, abi.SS_DISABLE):
        lwp.sigaltstack = (head[4], head[5], flags)
