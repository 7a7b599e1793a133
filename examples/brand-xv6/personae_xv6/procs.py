"""System calls about processes, memory and time: kernel/sysproc.c, kernel/proc.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.copyio import copyin_strings, space_of, store
from personae.core.errno import Errno, KernelError
from personae.core.exec import exec_common
from personae.core.exit import proc_exit
from personae.core.fork import fork1
from personae.core.policy import zone_visible
from personae.core.proc import ProcFlag, ProcStat
from personae.core.signal import psignal
from personae.core.signo import CldCode, Sig
from personae.core.sync import Sleep
from personae.core.syscall import NORETURN, NoReturnType, s32
from personae.core.vm.heap import brk
from personae.core.vm.layout import PAGE, page_up
from personae.core.wait import IdType, WaitFlag, waitid
from personae_xv6.files import path_of

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

MAXARG = 32
"""Entries of exec's argv, the null pointer included."""
TICK_NS = 100_000_000
"""A tick of the clock: a tenth of a second."""
SBRK_LAZY = 2
"""Second argument of sbrk in later versions: give no memory before it is touched."""
M32 = 0xFFFFFFFF


def sys_fork(lwp: Lwp) -> int:
    """fork(): the child's id, and 0 in the child."""
    return fork1(lwp).pid


def sys_exit(lwp: Lwp, status: int) -> NoReturnType:
    """exit(status): 32 bits of it reach the parent."""
    proc_exit(lwp, CldCode.EXITED, status & M32)
    return NORETURN


def sys_wait(lwp: Lwp, addr: int) -> int:
    """wait(int *status): if the status can't be stored the child stays."""
    got = waitid(lwp, IdType.ALL, 0, WaitFlag.WEXITED | WaitFlag.WNOWAIT)
    if got is None:
        raise KernelError(Errno.ECHILD, "no child has exited")
    if addr:
        status = got.status if got.code == CldCode.EXITED else -1
        store(lwp, addr, "<I", status & M32)
    waitid(lwp, IdType.PID, got.pid, WaitFlag.WEXITED)
    return got.pid


def sys_kill(lwp: Lwp, pid: int) -> int:
    """kill(pid): it ends with status -1; a zombie can be killed to no effect."""
    target = lwp.kernel.prfind(s32(pid))
    if (
        target is None
        or target.stat is ProcStat.SIDL
        or target.flag & ProcFlag.SSYS
        or not zone_visible(lwp.proc, target)
    ):
        raise KernelError(Errno.ESRCH, f"no process {s32(pid)}")
    if target.stat is not ProcStat.SZOMB:
        psignal(target, Sig.SIGKILL)
    return 0


def sys_getpid(lwp: Lwp) -> int:
    """getpid()."""
    return lwp.proc.pid


def sys_exec(lwp: Lwp, path: int, argv: int) -> NoReturnType:
    """exec(path, argv): up to 31 arguments of a page each."""
    name = path_of(lwp, path)
    exec_common(lwp, name, copyin_strings(lwp, argv, MAXARG - 1, PAGE), [])
    return NORETURN


def sys_sbrk(lwp: Lwp, n: int, how: int) -> int:
    """sbrk(n): the old size; a smaller one may cut off the stack and the program."""
    proc, as_ = lwp.proc, space_of(lwp)
    old = proc.brkbase + proc.brksize
    new = old + s32(n)
    if new < 0:
        return old
    if new < proc.brkbase:
        first = page_up(new)
        if first < page_up(old):
            as_.unmap(first, page_up(old) - first)
        proc.brkbase, proc.brksize = new, 0
        return old
    brk(proc, new)
    if how & M32 != SBRK_LAZY:
        try:
            for page in range(page_up(old), new, PAGE):
                as_.copyout(page, b"\0")
        except KernelError:
            brk(proc, old)
            raise
    return old


def ticks(lwp: Lwp) -> int:
    """Ticks since the machine began."""
    return lwp.kernel.now_ns // TICK_NS


def sys_sleep(lwp: Lwp, n: int) -> int:
    """sleep(n), later called pause: until n ticks have begun."""
    until: int = lwp.sysstate if lwp.sysstate is not None else ticks(lwp) + s32(n)
    if ticks(lwp) >= until:
        return 0
    lwp.sysstate = until
    raise Sleep(deadline=lwp.kernel.cycles(until * TICK_NS))


def sys_uptime(lwp: Lwp) -> int:
    """uptime(): ticks."""
    return ticks(lwp) & M32
