"""What the transaction, the probes and the lock checks cost of a fork.

Usage: python bench/fork_cost.py [-n FORKS] [-r ROUNDS]

Two machines stand at the fork of the same program.  One forks as it is, with no
plugin listening.  In the other a transaction only calls its steps (no log, no names,
no probe) and locks are not checked.  Rounds of the two alternate, the median of the
ratios is printed; the goal is less than 15 %.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections.abc import Callable
from importlib.resources import files
from time import perf_counter
from typing import Any

from personae.core import fork
from personae.core.exit import freeproc, proc_exit
from personae.core.hookspecs import hookimpl
from personae.core.kernel import Kernel
from personae.core.lwp import Lwp, TState
from personae.core.machine import Machine
from personae.core.signo import CldCode
from personae.core.txn import Steps, Transaction, TxnState

GOAL = 15.0
SYS_CLONE = 220


class NullTransaction(Transaction):
    """Steps without their bookkeeping; a failure could not be undone."""

    __slots__ = ()

    def __init__(self, op: str, probe: object = None) -> None:
        self.op = op
        self.probe = None
        self.state = TxnState.COMMITTED
        self._steps = {}

    def do(
        self, step: str, acquire: Callable[..., Any], undo: object = None, *args: Any
    ) -> Any:
        """Only the step."""
        return acquire(*args)

    def call(
        self, step: str, acquire: Callable[..., Any], undo: object, *args: Any
    ) -> Any:
        """Only the step."""
        return acquire(*args)

    def announce(self, names: object) -> None:
        """Nothing."""

    def run(self, steps: Steps, arg: object) -> None:
        """Only the steps."""
        for acquire in steps.acquires:
            acquire(arg)

    def point(self, step: str) -> None:
        """Nothing."""

    def owe(self, step: str, undo: object, *args: Any) -> None:
        """Nothing."""

    def commit(self) -> None:
        """Nothing."""


class AtFork(BaseException):
    """The guest has entered its fork."""


class Stopper:
    """Stops the machine there."""

    @hookimpl
    def personae_syscall_entry(self, number: int) -> None:
        """The entry of a call."""
        if number == SYS_CLONE:
            raise AtFork


def at_fork(**options: Any) -> Lwp:
    """A lwp of a Linux program that is about to fork."""
    machine = Machine(memory=64 << 20, **options)
    zone = machine.add_zone("z", brand="linux")
    elf = files("personae.brands.linux") / "guests" / "forkstep.elf"
    zone.put("/bin/prog", elf.read_bytes())
    job = zone.start(["/bin/prog", "fork", "1"])
    stopper = Stopper()
    machine.plugins.register(stopper)
    with contextlib.suppress(AtFork):
        machine.run_until([job.proc], door=job)
    machine.plugins.unregister(stopper)
    return job.proc.lwps[0]


def make_current(k: Kernel, lwp: Lwp) -> None:
    """As the dispatcher would."""
    k.disp.forget(lwp)
    lwp.state = TState.TS_ONPROC
    lwp.cpu, k.current = k.cpus[0], lwp


def seconds(lwp: Lwp, forks: int, transaction: type[Transaction]) -> float:
    """Seconds that these forks take; the end of the children is not counted."""
    k = lwp.kernel
    fork.Transaction = transaction  # type: ignore[misc]
    total = 0.0
    try:
        for _ in range(forks):
            make_current(k, lwp)
            began = perf_counter()
            child = fork.fork1(lwp)
            total += perf_counter() - began
            make_current(k, child.lwps[0])
            proc_exit(child.lwps[0], CldCode.EXITED, 0)
            freeproc(child)
    finally:
        fork.Transaction = Transaction  # type: ignore[misc]
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", "--forks", type=int, default=300)
    parser.add_argument("-r", "--rounds", type=int, default=15)
    args = parser.parse_args()
    on, off = at_fork(), at_fork(lock_checking=False)
    seconds(on, 50, Transaction)
    seconds(off, 50, NullTransaction)
    with_it, without = [], []
    for _ in range(args.rounds):
        with_it.append(seconds(on, args.forks, Transaction))
        without.append(seconds(off, args.forks, NullTransaction))
    shares = [100 * (1 - b / a) for a, b in zip(with_it, without, strict=True)]
    share = statistics.median(shares)
    us = [min(t) / args.forks * 1e6 for t in (with_it, without)]
    print(f"fork1: {us[0]:.1f} us, without them {us[1]:.1f} us (best rounds)")
    print(f"transaction, probes, lock checks: {share:.1f} % of a fork (median)")
    print(f"goal: below {GOAL:.0f} %: {'met' if share < GOAL else 'not met'}")


if __name__ == "__main__":
    main()
