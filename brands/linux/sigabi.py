"""Signals of the riscv64 Linux ABI: numbers, sets, sigaction, siginfo.

Inside, signals have illumos numbers (``personae.core.signal``); a guest sees
Linux numbers only.  Each Linux signal 1..64 has a native peer; the natives
32..41 (SIGWAITING to SIGINFO) have none, and a guest never meets them.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from personae.core.signo import SigInfo

_MAX = 64
_NATIVE_MAX = 74

SIGKILL = 9
SIGSTOP = 19
SIGCHLD = 17

_TO_NATIVE = {
    7: 10,  # BUS
    10: 16,  # USR1
    12: 17,  # USR2
    16: 7,  # STKFLT has EMT's number: neither is ever generated
    17: 18,  # CHLD
    18: 25,  # CONT
    19: 23,  # STOP
    20: 24,  # TSTP
    21: 26,  # TTIN
    22: 27,  # TTOU
    23: 21,  # URG
    24: 30,  # XCPU
    25: 31,  # XFSZ
    26: 28,  # VTALRM
    27: 29,  # PROF
    28: 20,  # WINCH
    29: 22,  # IO
    30: 19,  # PWR
    31: 12,  # SYS
}

TO_NATIVE: tuple[int, ...] = tuple(
    n + 10 if n >= 32 else _TO_NATIVE.get(n, n) for n in range(_MAX + 1)
)
"""Native number of each Linux signal; 0 stays 0."""

TO_LINUX: tuple[int, ...] = tuple(
    TO_NATIVE.index(n) if n in TO_NATIVE else 0 for n in range(_NATIVE_MAX + 1)
)
"""Linux number of each native signal; 0 for those without a peer."""


def native_sig(sig: int) -> int:
    """Native number of a guest's signal.

    Raises:
        KernelError: EINVAL, it is not 1..64.
    """
    if not 1 <= sig <= _MAX:
        raise KernelError(Errno.EINVAL, f"no signal {sig}")
    return TO_NATIVE[sig]


def linux_status_sig(sig: int) -> int:
    """The number for a wait status; a signal without a peer shows as SIGKILL."""
    return (TO_LINUX[sig] if 0 <= sig <= _NATIVE_MAX else 0) or SIGKILL


def _translate(mask: int, table: tuple[int, ...]) -> int:
    """A set with each signal's number looked up; those without a peer are left out."""
    out = 0
    while mask:
        sig = (mask & -mask).bit_length()
        mask &= mask - 1
        if sig < len(table) and table[sig]:
            out |= 1 << (table[sig] - 1)
    return out


@lru_cache(maxsize=256)
def sigset_to_native(mask: int) -> int:
    """A guest's sigset_t as a native set.

    >>> hex(sigset_to_native(1 << 16))      # SIGCHLD
    '0x20000'
    """
    return _translate(mask, TO_NATIVE)


@lru_cache(maxsize=256)
def sigset_to_linux(mask: int) -> int:
    """A native set as a sigset_t; signals without a peer are left out."""
    return _translate(mask, TO_LINUX)


# ---- sigaction: asm-generic/signal.h; riscv64 has no sa_restorer ----

KSIGACTION = Struct("<QQQ")
"""handler, flags, mask."""

SA_NOCLDSTOP = 0x1
SA_NOCLDWAIT = 0x2
SA_SIGINFO = 0x4
SA_UNSUPPORTED = 0x400
SA_EXPOSE_TAGBITS = 0x800
SA_ONSTACK = 0x08000000
SA_RESTART = 0x10000000
SA_NODEFER = 0x40000000
SA_RESETHAND = 0x80000000
SA_KNOWN = (
    SA_NOCLDSTOP
    | SA_NOCLDWAIT
    | SA_SIGINFO
    | SA_ONSTACK
    | SA_RESTART
    | SA_NODEFER
    | SA_RESETHAND
)

_SA_PAIRS = (
    (SA_NOCLDSTOP, 0x20000),
    (SA_NOCLDWAIT, 0x10000),
    (SA_SIGINFO, 0x8),
    (SA_ONSTACK, 0x1),
    (SA_RESTART, 0x4),
    (SA_NODEFER, 0x10),
    (SA_RESETHAND, 0x2),
)
"""Linux bit, illumos bit (sys/signal.h)."""


def sa_flags_to_native(flags: int) -> int:
    """sa_flags for the kernel; what it doesn't know is dropped, as Linux does."""
    out = 0
    for lin, nat in _SA_PAIRS:
        if flags & lin:
            out |= nat
    return out


def sa_flags_to_linux(flags: int) -> int:
    """sa_flags as the guest gave them."""
    out = 0
    for lin, nat in _SA_PAIRS:
        if flags & nat:
            out |= lin
    return out


SS_ONSTACK = 1
SS_DISABLE = 2
SS_AUTODISARM = 1 << 31
STACK_T = Struct("<Qi4xQ")
"""stack_t: sp flags size."""

MINSIGSTKSZ = 2048
"""What sigaltstack(2) asks for at least (asm-generic/signal.h)."""

SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2

# ---- siginfo_t: asm-generic/siginfo.h, 128 bytes ----

SIGINFO_SIZE = 128
_HEAD = Struct("<iii4x")
_KILL = Struct("<iII")

_CHLD = Struct("<iIi4xqq")
_FAULT = Struct("<Q")
_TIMER = Struct("<iiQ")


SI_USER = 0
SI_KERNEL = 0x80
SI_QUEUE = -1
SI_TIMER = -2
SI_TKILL = -6

_CODE_TO_LINUX = {
    0: SI_USER,
    -1: SI_TKILL,  # SI_LWP
    -2: SI_QUEUE,
    -3: SI_TIMER,
    -4: -4,  # SI_ASYNCIO
    -5: -3,  # SI_MESGQ
    2049: SI_KERNEL,  # SI_RCTL
    2050: SI_KERNEL,  # SI_DTRACE
    32767: SI_USER,  # SI_NOINFO
}
"""Codes of senders; the small positive ones (CLD_, SEGV_, ...) are the same."""

_CODE_TO_NATIVE = {SI_USER: 0, SI_QUEUE: -2, SI_TIMER: -3, -3: -5, -4: -4, SI_TKILL: -1}

_FAULTS = frozenset((4, 5, 7, 8, 11))
"""Linux numbers of ILL TRAP BUS FPE SEGV."""


def code_to_native(code: int) -> int:
    """si_code of a signal that a guest queues (rt_sigqueueinfo)."""
    return _CODE_TO_NATIVE.get(code, code)


def pack_siginfo(info: SigInfo, pid: int) -> bytes:
    """The siginfo_t of a signal.

    Args:
        info: What happened, with native numbers.
        pid: ``info.pid`` as the guest sees it.
    """
    sig = TO_LINUX[info.signo] if 0 <= info.signo <= _NATIVE_MAX else 0
    code = _CODE_TO_LINUX.get(info.code, info.code)
    uid = info.uid & 0xFFFFFFFF
    if sig == SIGCHLD and code > 0 and code != SI_KERNEL:
        status = info.status
        if code != 1:  # all but CLD_EXITED name a signal
            status = linux_status_sig(status)
        body = _CHLD.pack(pid, uid, s32_of(status), *_ticks(info))
    elif sig in _FAULTS and code > 0 and code != SI_KERNEL:
        body = _FAULT.pack(info.addr & 0xFFFFFFFFFFFFFFFF)
    elif code == SI_TIMER:
        ident, overrun = s32_of(info.status), s32_of(info.utime)
        body = _TIMER.pack(ident, overrun, info.value & 0xFFFFFFFFFFFFFFFF)
    elif code < 0:
        body = _KILL.pack(pid, uid, 0)[:8] + _FAULT.pack(info.value & (1 << 64) - 1)
    else:
        body = _KILL.pack(pid, uid, 0)
    return (_HEAD.pack(sig, 0, code) + body).ljust(SIGINFO_SIZE, b"\0")


def _ticks(info: SigInfo) -> tuple[int, int]:
    """si_utime and si_stime."""
    return info.utime, info.stime


def s32_of(x: int) -> int:
    """Wrap to a C int."""
    return ((x & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def si_pid_uid_value(raw: bytes) -> tuple[int, int, int, int]:
    """(code, pid, uid, value) out of a siginfo_t that a guest made."""
    _, _, code = _HEAD.unpack_from(raw)
    pid, uid, _ = _KILL.unpack_from(raw, 16)
    (value,) = _FAULT.unpack_from(raw, 24)
    return code, pid, uid & 0xFFFFFFFF, value
