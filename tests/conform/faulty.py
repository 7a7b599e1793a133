"""A small brand that is right, and the ways to make it wrong.

``brand()`` is right: seven calls, data of its own for processes and lwps.
``brand(fault=NAME)`` has one fault of ``FAULTS``, planted on purpose.
"""

from __future__ import annotations

import random
from typing import Any

from personae.core import Brand, DefaultOps, Errno, KernelError, hookimpl
from personae.core.conform import Call, Calls, Conformance
from personae.core.exec import StartState, exec_common
from personae.core.exit import proc_exit
from personae.core.fork import ForkKind, cfork
from personae.core.signo import CldCode
from personae.core.syscall import NORETURN, Level, Sysent
from personae.core.wait import IdType, waitid

A0, A1, S3, T0 = 10, 11, 19, 5
MASK = (1 << 64) - 1
WEXITED = 1

FAULTS = {
    "leaks-procdata": "b_copy_procdata keeps a record that b_clearbrand leaves",
    "leaks-child": "b_copy_procdata puts the child on a list of the zone's for good",
    "fails-after-commit": "b_lwp_setrval raises",
    "wrong-child-register": "the child of a fork returns its parent's pid",
    "clobbers-child": "the child of a fork has another s3",
    "clobbers-parent": "fork changes s3 of the parent",
    "forgets-freelwp": "b_freelwp leaves the data of the lwp",
    "frees-twice": "b_proc_exit calls b_freelwp itself",
    "frees-early": "b_lwpexit drops what b_freelwp is to drop",
    "shares-procdata": "child and parent have one and the same block",
    "keeps-lock": "b_forklwp leaves a lock held",
    "swallows-error": "fork answers 1 where it failed",
    "lock-to-user": "a handler returns to the program with a lock held",
    "host-random": "a call answers with the host's randomness",
    "host-state": "a call answers with a count kept outside the machine",
    "hash-order": "a call answers with the first of a set of strings",
    "unpicklable": "a process keeps a function",
    "handler-breaks": "a handler indexes a list with what the guest gave",
    "forgets-clearbrand": "b_clearbrand does nothing",
}


class ProcData:
    """What the brand keeps of a process."""

    def __init__(self) -> None:
        self.forks = 0
        self.odd: Any = None


class LwpData:
    """What it keeps of a lwp."""


class Ops(DefaultOps):
    """The operations, with one fault or none."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.count = 0

    @hookimpl
    def b_init_brand_data(self, zone: Any) -> None:
        zone.brand_data = []

    @hookimpl
    def b_setbrand(self, proc: Any) -> None:
        proc.brand_data = ProcData()

    @hookimpl
    def b_copy_procdata(self, child: Any, parent: Any) -> None:
        if self.fault == "shares-procdata":
            child.brand_data = parent.brand_data
            return
        child.brand_data = ProcData()
        child.brand_data.forks = parent.brand_data.forks
        if self.fault == "leaks-procdata":
            child.zone.brand_data.append(child.brand_data)
        elif self.fault == "leaks-child":
            child.zone.brand_data.append(child)
        elif self.fault == "unpicklable":
            child.brand_data.odd = lambda: child

    @hookimpl
    def b_clearbrand(self, proc: Any) -> None:
        if self.fault != "forgets-clearbrand":
            proc.brand_data = None

    @hookimpl
    def b_lwpdata_alloc(self) -> LwpData:
        return LwpData()

    @hookimpl
    def b_forklwp(self, src: Any, dst: Any) -> None:
        if self.fault == "keeps-lock":
            src.kernel.nlwps_lock.enter()

    @hookimpl
    def b_lwpexit(self, lwp: Any) -> None:
        if self.fault == "frees-early":
            lwp.brand_lwp = None

    @hookimpl
    def b_freelwp(self, lwp: Any) -> None:
        if self.fault != "forgets-freelwp":
            lwp.brand_lwp = None

    @hookimpl
    def b_proc_exit(self, proc: Any) -> None:
        if self.fault == "frees-twice":
            for lwp in proc.lwps:
                proc.brand.ops.b_freelwp(lwp)

    @hookimpl
    def b_lwp_setrval(self, lwp: Any, v1: int) -> None:
        if self.fault == "fails-after-commit":
            raise KernelError(Errno.EAGAIN, "too late")
        lwp.regs[A0] = v1 if self.fault == "wrong-child-register" else 0
        if self.fault == "clobbers-child":
            lwp.regs[S3] += 1

    @hookimpl
    def b_elfexec(self, image: Any, info: Any) -> StartState:
        return StartState(sp=info.sp & ~15, pc=info.start)

    @hookimpl
    def b_sysret(self, lwp: Any, v1: int) -> None:
        lwp.regs[A0] = v1 & MASK

    @hookimpl
    def b_syserr(self, lwp: Any, errno: Errno) -> None:
        lwp.regs[A0] = MASK

    @hookimpl
    def b_sendsig(self, lwp: Any) -> None:
        raise KernelError(Errno.EFAULT, "no handlers here")


def sys_fork(lwp: Any) -> int:
    fault = lwp.proc.brand.plugin.fault
    try:
        pid = cfork(lwp, ForkKind.FORK1).pid
    except KernelError:
        if fault != "swallows-error":
            raise
        return 1
    if fault == "clobbers-parent":
        lwp.regs[S3] += 1
    lwp.proc.brand_data.forks += 1
    return pid


def sys_exit(lwp: Any, status: int) -> Any:
    proc_exit(lwp, CldCode.EXITED, status & 0xFF)
    return NORETURN


def sys_wait(lwp: Any, status: int) -> int:
    got = waitid(lwp, IdType.ALL, 0, WEXITED)
    assert got is not None
    if status:
        lwp.proc.as_.copyout(status, got.status.to_bytes(4, "little", signed=True))
    return got.pid


def sys_exec(lwp: Any, path: int, argv: int) -> Any:
    (first,) = lwp.proc.as_.load(argv, "<Q")
    args = [lwp.proc.as_.copyinstr(first)] if first else []
    exec_common(lwp, lwp.proc.as_.copyinstr(path), args, [])
    return NORETURN


def sys_getpid(lwp: Any) -> int:
    if lwp.proc.brand.plugin.fault == "lock-to-user":
        lwp.kernel.nlwps_lock.enter()
    return lwp.proc.pid


def sys_number(lwp: Any, n: int) -> int:
    """One of four numbers."""
    ops = lwp.proc.brand.plugin
    if ops.fault == "host-random":
        return random.SystemRandom().randrange(1 << 30)
    if ops.fault == "host-state":
        ops.count += 1
        return ops.count
    if ops.fault == "hash-order":
        return ord(next(iter({"a", "b", "c", "d", "e", "f", "g", "h"})))
    if ops.fault == "handler-breaks":
        return [7, 8, 9, 10][n]
    return [7, 8, 9, 10][n & 3]


HANDLERS = (sys_fork, sys_exit, sys_wait, sys_exec, sys_getpid, sys_number)


def brand(fault: str = "", calls: Calls | None = None) -> Brand:
    """The brand, with a fault planted or none."""
    assert not fault or fault in FAULTS
    table = {}
    for n, fn in enumerate(HANDLERS, 1):
        nargs = fn.__code__.co_argcount - 1
        name = fn.__name__.removeprefix("sys_")
        table[n] = Sysent(n, name, fn, nargs, Level.FULL, "")
    said = Conformance(calls=calls or Calls())
    return Brand("faulty", Ops(fault), table, conformance=said)


NO_SUCH: Call = ("frok",)
HASHES = brand("hash-order")
LIAR = brand("wrong-child-register")
