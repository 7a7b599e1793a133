"""The rest of the native system calls: the system itself, yield, chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core import __version__
from personae.core.errno import Errno, KernelError
from personae.core.rctl import INFINITY, rlimit_get, rlimit_set
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

GETRANDOM_MAX = 133120
"""Most bytes of one call (getrandom(2) of illumos)."""
GRND_KNOWN = 3
VERSION = f"personae-{__version__}".encode()


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


def sys_uname(lwp: Lwp, buf: int) -> int:
    """uname(buf): sysname, nodename, release, version, machine."""
    fields = (b"SunOS", lwp.proc.zone.hostname.encode(), b"5.11", VERSION, b"riscv64")
    data = b"".join(f[: abi.UTS_FIELD - 1].ljust(abi.UTS_FIELD, b"\0") for f in fields)
    _as(lwp).copyout(buf, data)
    return 0


def sys_yield(lwp: Lwp) -> int:
    """yield(): others first."""
    lwp.kernel.yield_cpu(lwp)
    return 0


def sys_getrandom(lwp: Lwp, buf: int, n: int, flags: int) -> int:
    """getrandom(buf, n, flags), from the seeded generator of the machine."""
    if s32(flags) & ~GRND_KNOWN:
        raise KernelError(Errno.EINVAL, f"getrandom flags {s32(flags):#x}")
    if n > GETRANDOM_MAX:
        raise KernelError(Errno.EINVAL, f"getrandom of {n} bytes")
    _as(lwp).copyout(buf, lwp.kernel.random_bytes(n))
    return n


# ---- resource limits ----

RLIMITS = ("CPU", "FSIZE", "DATA", "STACK", "CORE", "NOFILE", "AS")
"""By their numbers (sys/resource.h); the last is RLIMIT_VMEM."""
RLIM_INFINITY = (1 << 64) - 3


def _limit_name(which: int) -> str:
    which = s32(which)
    if not 0 <= which < len(RLIMITS):
        raise KernelError(Errno.EINVAL, f"resource {which}")
    return RLIMITS[which]


def sys_getrlimit(lwp: Lwp, which: int, rlp: int) -> int:
    """getrlimit(resource, rlp)."""
    values = rlimit_get(lwp.proc, _limit_name(which))
    _as(lwp).store(rlp, "<QQ", *(min(v, RLIM_INFINITY) for v in values))
    return 0


def sys_setrlimit(lwp: Lwp, which: int, rlp: int) -> int:
    """setrlimit(resource, rlp)."""
    name = _limit_name(which)
    values = _as(lwp).load(rlp, "<QQ")
    soft, hard = (INFINITY if v >= RLIM_INFINITY else v for v in values)
    rlimit_set(lwp.proc, name, soft, hard, lwp.cred)
    return 0
