"""Running signal handlers: the rt_sigframe of riscv64 and the way back.

The frame is arch/riscv/kernel/signal.c's ``struct rt_sigframe``: a siginfo, then
a ucontext whose mcontext holds pc, x1..x31, f0..f31 and fcsr.  The handler
returns to two instructions on a page that each program gets at exec, as the
vDSO does it on Linux; unwinders know these instructions.
"""

from __future__ import annotations

from array import array
from contextlib import suppress
from struct import Struct, pack
from typing import TYPE_CHECKING

from personae.brands.linux.pids import pid_to_guest
from personae.brands.linux.sigabi import (
    SIGINFO_SIZE,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    TO_LINUX,
    pack_siginfo,
    sigset_to_linux,
    sigset_to_native,
)
from personae.core.errno import Errno, KernelError
from personae.core.regs import A0, A1, A2, F0, FCSR, PC, RA, SP
from personae.core.signal import trapsig
from personae.core.signo import CANTMASK, SaFlag, SiCode, Sig
from personae.core.syscall import NORETURN, NoReturnType

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.signo import SigAction, SigInfo

TRAMPOLINE = pack("<II", 0x08B00893, 0x00000073)
"""li a7, 139 (rt_sigreturn); ecall."""

UCONTEXT = Struct("<QQQi4xQQ128x32Q32QI268x")
"""flags link stack(sp flags size) sigmask; pc x1..x31; f0..f31 fcsr, reserved."""

FRAME_SIZE = SIGINFO_SIZE + UCONTEXT.size
_MINSIGSTKSZ = 2048

_EXT = Struct("<III")
"""The reserved word and the header of extensions, at the end of the ucontext."""

# slots of lwp.regs


def on_altstack(lwp: Lwp, sp: int) -> bool:
    """Whether ``sp`` is on the alternate stack (on_sig_stack)."""
    base, size, flags = lwp.sigaltstack
    if flags & (SS_AUTODISARM | SS_DISABLE):
        return False
    return base < sp <= base + size


def altstack_flags(lwp: Lwp, sp: int) -> int:
    """ss_flags as sigaltstack(2) reports them (sas_ss_flags)."""
    _, size, flags = lwp.sigaltstack
    keep = flags & SS_AUTODISARM
    if not size:
        return SS_DISABLE | keep
    return (SS_ONSTACK if on_altstack(lwp, sp) else 0) | keep


def _frame_top(lwp: Lwp, act: SigAction) -> int:
    """Where the frame ends (get_sigframe)."""
    sp: int = lwp.regs[SP]
    base, size, _ = lwp.sigaltstack
    if on_altstack(lwp, sp):
        if not on_altstack(lwp, (sp - FRAME_SIZE) & ~15):
            raise KernelError(Errno.EFAULT, "the alternate stack overflows")
        return sp
    if act.flags & SaFlag.SA_ONSTACK and size:
        return base + size
    return sp


def sendsig(
    lwp: Lwp, sig: int, info: SigInfo, act: SigAction, mask: int, tramp: int
) -> None:
    """Make ``lwp`` run a handler (setup_rt_frame).

    Args:
        lwp: Who runs it.
        sig: Native number.
        info: What happened.
        act: The disposition.
        mask: Native set to put back at the end.
        tramp: Address of the trampoline.

    Raises:
        KernelError: EFAULT, the stack cannot take the frame.
    """
    regs = lwp.regs
    at = (_frame_top(lwp, act) - FRAME_SIZE) & 0xFFFF_FFFF_FFFF_FFF0
    base, size, _ = lwp.sigaltstack
    words = regs.tolist()
    frame = pack_siginfo(info, pid_to_guest(lwp.proc.zone, info.pid))
    frame += UCONTEXT.pack(
        0,
        0,
        base,
        _signed(altstack_flags(lwp, words[SP])),
        size,
        sigset_to_linux(mask),
        words[PC],
        *words[1:32],
        *words[F0 : F0 + 32],
        words[FCSR] & 0xFF,
    )
    as_ = lwp.proc.as_
    assert as_ is not None
    as_.copyout(at, frame)
    if lwp.sigaltstack[2] & SS_AUTODISARM:
        lwp.sigaltstack = (0, 0, SS_DISABLE)
    regs[RA] = tramp
    regs[SP] = at
    regs[A0] = TO_LINUX[sig]
    regs[A1] = at
    regs[A2] = at + SIGINFO_SIZE
    regs[PC] = act.handler & 0xFFFF_FFFF_FFFF_FFFE


def _signed(flags: int) -> int:
    return flags - (1 << 32) if flags & SS_AUTODISARM else flags


def sys_rt_sigreturn(lwp: Lwp) -> NoReturnType:
    """Take the registers out of the frame at sp; a broken frame is SIGSEGV."""
    regs = lwp.regs
    at: int = regs[SP]
    as_ = lwp.proc.as_
    assert as_ is not None
    try:
        raw = as_.copyin(at + SIGINFO_SIZE, UCONTEXT.size)
    except KernelError:
        raw = b""
    if not raw or _EXT.unpack_from(raw, UCONTEXT.size - 12) != (0, 0, 0):
        trapsig(lwp, Sig.SIGSEGV, SiCode.KERNEL, 0)
        return NORETURN
    _, _, ss_sp, ss_flags, ss_size, mask, pc, *rest = UCONTEXT.unpack(raw)
    lwp.sigmask = sigset_to_native(mask) & ~CANTMASK
    lwp.ast = True
    regs[PC] = pc & 0xFFFF_FFFF_FFFF_FFFE
    regs[1:32] = memoryview(array("Q", rest[:31]))
    regs[F0 : F0 + 32] = memoryview(array("Q", rest[31:63]))
    regs[FCSR] = rest[63] & 0xFF
    with suppress(KernelError):  # restore_altstack ignores it too
        set_altstack(lwp, ss_sp, ss_flags, ss_size, rest[1])
    return NORETURN


def set_altstack(lwp: Lwp, base: int, flags: int, size: int, sp: int) -> None:
    """sigaltstack(2), the setting half (do_sigaltstack).

    Raises:
        KernelError: EPERM on the stack now; EINVAL bad flags; ENOMEM too small.
    """
    flags &= 0xFFFFFFFF
    if on_altstack(lwp, sp):
        raise KernelError(Errno.EPERM, "running on the alternate stack")
    mode = flags & ~SS_AUTODISARM
    if mode not in (0, SS_ONSTACK, SS_DISABLE):
        raise KernelError(Errno.EINVAL, "ss_flags")
    if mode == SS_DISABLE:
        base, size = 0, 0
        kind = SS_DISABLE
    else:
        if size < _MINSIGSTKSZ:
            raise KernelError(Errno.ENOMEM, "alternate stack too small")
        kind = 0
    lwp.sigaltstack = (base, size, kind | (flags & SS_AUTODISARM))
