"""Every handler against arguments that mean harm, without a guest that passes them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personae.brands.linux import BRAND
from personae.brands.native import BRAND as NATIVE
from personae.core.errno import KernelError
from personae.core.lwp import TState
from personae.core.machine import Machine
from personae.core.proc import ProcStat
from personae.core.sync import Sleep
from personae.core.syscall import NoReturnType, Sysent

GUESTS = Path(__file__).parents[3] / "brands" / "linux" / "guests"
CALLS = 150
"""Argument sets for each handler."""

TOP = 1 << 38
AT_FDCWD = (1 << 64) - 100
NONBLOCK = 0o4000
OPENED = (
    (b"/tmp/file", 2),
    (b"/tmp", 0),
    (b"/dev/zero", 2),
    (b"/proc/self/maps", 0),
    (b"/proc", 0),
    (b"/dev/ptmx", 2),
)
"""What the victim has open as 3 and on, with the flags; then a pipe."""
STACK = TOP - 65536
BAD = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    63,
    64,
    65,
    255,
    1024,
    4095,
    4096,
    65536,
    0x7FFFF000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0xFFFFFFFFFFFFFF9C,
    1 << 32,
    TOP - 4096,
    TOP - 1,
    TOP,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 4096,
    (1 << 64) - 1,
    STACK,
    STACK + 1,
    STACK + 4092,
    0x2AAAAA8000,
)
GOOD = (*range(13), STACK, STACK + 256, STACK + 4096, 0x100, 4096, AT_FDCWD)
"""What gets further into a handler."""


class Victim:
    """A machine and a process of it that never runs."""

    def __init__(self) -> None:
        self.machine = Machine(brands=[NATIVE, BRAND], memory="64M")
        self.zone = self.machine.add_zone("victim")
        self.zone.put("/true", (GUESTS / "true.elf").read_bytes())
        self.zone.put("/tmp/file", b"text" * 5000)
        self.jobs: list[Any] = []
        self.lwp = self.fresh()

    def fresh(self) -> Any:
        """A new process, put on the CPU by hand."""
        job = self.zone.start(["/true"])
        self.jobs.append(job)
        lwp = job.proc.lwps[0]
        kernel = self.machine.kernel
        kernel.disp.stop(lwp, lwp.whystop)
        lwp.state = TState.TS_ONPROC
        kernel.current = lwp
        paths = b"/tmp/file\0".ljust(64, b"\0") + bytes(range(256)) * 16
        lwp.proc.as_.copyout(STACK, paths)
        for path, flags in OPENED:
            lwp.proc.as_.copyout(STACK, path + b"\0")
            BRAND.sysent[56].fn(lwp, AT_FDCWD, STACK, flags, 0)
        BRAND.sysent[59].fn(lwp, STACK + 128, NONBLOCK)
        lwp.proc.as_.copyout(STACK, paths)
        assert len(lwp.proc.fds.files) == 3 + len(OPENED) + 2
        return lwp

    def call(self, ent: Sysent, args: tuple[int, ...]) -> None:
        """Enter a handler as the kernel does; only its two ways out are allowed."""
        lwp = self.lwp
        if lwp.proc.stat is not ProcStat.SRUN or lwp.state is not TState.TS_ONPROC:
            lwp = self.lwp = self.fresh()
        lwp.sysent, lwp.sysstate = ent, None
        assert ent.fn is not None
        try:
            got = ent.fn(lwp, *args)
        except (KernelError, Sleep):
            pass
        else:
            assert isinstance(got, (int, NoReturnType)), ent.name
        lwp.sysent = lwp.sysstate = None
        lwp.sigoldmask = None
        assert not self.machine.kernel.locks.held, ent.name


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    v = Victim()
    yield v
    v.machine.kernel.current = None


ENTRIES = [e for e in BRAND.sysent.values() if e.fn is not None]


@pytest.mark.parametrize("ent", ENTRIES, ids=[e.name for e in ENTRIES])
def test_hostile_arguments(ent: Sysent, victim: Victim) -> None:
    """Nothing but an errno, a wait or a result comes out of a handler."""
    rnd = random.Random(ent.number)
    for _ in range(CALLS):
        pools = rnd.choices((BAD, GOOD), k=ent.nargs)
        args = tuple(rnd.choice(pool) for pool in pools)
        victim.call(ent, args)
