"""Faults: make chosen system calls and chosen steps of a fork fail.

The grammar of ``when`` is that of ``strace --inject``: ``3`` the third time,
``3+`` from then on, ``3+2`` every second time from then on.  A step is named as the
transaction names it (``rctl_set_dup``, ``seg_dup:0:zero``), alone or with its operation
(``vfork:pid_allocate``).

    faults = Faults()
    machine.plugins.register(faults)
    with faults.inject(point="fork1:pid_allocate", error="EAGAIN"):
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from personae.core.config.units import When, parse_when
from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from personae.core.config.schema import Config
    from personae.core.lwp import Lwp


@dataclass
class Fault:
    """One rule.

    Attributes:
        error: What the call or step fails with.
        point: A step of a fork, ``step`` or ``operation:step``.
        syscalls: Names of system calls.
        zone: Only in this zone.
        process: Only in processes of this command name.
        when: Which of its occurrences.
        seen: Occurrences so far.
        hits: How often it failed something.
    """

    error: Errno
    point: str | None = None
    syscalls: tuple[str, ...] = ()
    zone: str | None = None
    process: str | None = None
    when: When = field(default_factory=When)
    seen: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        """Count an occurrence; whether this one fails."""
        self.seen += 1
        if not self.when.matches(self.seen):
            return False
        self.hits += 1
        return True


class Faults:
    """The plugin: a list of rules, of which the first that matches counts."""

    def __init__(self, rules: list[Fault] | None = None) -> None:
        self.rules = rules or []
        self.steps: list[str] = []
        """Every step seen, as ``operation:step``; ``clear_steps`` empties it."""

    @contextmanager
    def inject(
        self,
        *,
        error: str,
        point: str | None = None,
        syscall: str | tuple[str, ...] = (),
        zone: str | None = None,
        process: str | None = None,
        when: int | str = 1,
    ) -> Iterator[Fault]:
        """Add a rule for the time of a ``with`` block.

        Raises:
            ValueError: The error name or ``when`` is wrong, or nothing is named.
        """
        if error not in Errno.__members__:
            raise ValueError(f"no error {error!r}, such as EAGAIN or ENOMEM")
        calls = (syscall,) if isinstance(syscall, str) else tuple(syscall)
        if point is None and not calls:
            raise ValueError("a fault needs a point or a system call")
        rule = Fault(Errno[error], point, calls, zone, process, parse_when(when))
        self.rules.append(rule)
        try:
            yield rule
        finally:
            self.rules.remove(rule)

    def clear_steps(self) -> None:
        """Forget the steps seen so far."""
        self.steps.clear()

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        """Fail the step if a rule says so."""
        full = f"{op}:{step}"
        self.steps.append(full)
        for rule in self.rules:
            if rule.point in (step, full) and rule.strikes():
                raise KernelError(rule.error, f"injected at {full}")

    @hookimpl
    def personae_syscall_entry(self, lwp: Lwp, number: int) -> None:
        """Fail the call if a rule says so."""
        if not any(r.syscalls for r in self.rules):
            return
        proc = lwp.proc
        ent = proc.brand.sysent.get(number)
        name = ent.name if ent is not None else str(number)
        comm = proc.user.u_comm.decode(errors="replace")
        for rule in self.rules:
            if name not in rule.syscalls:
                continue
            if rule.zone not in (None, proc.zone.name):
                continue
            if rule.process not in (None, comm):
                continue
            if rule.strikes():
                raise KernelError(rule.error, f"injected into {name}")


def from_config(config: Config) -> Faults:
    """The plugin with the ``[[fault]]`` rules of a file (entry point ``faults``)."""
    return Faults(
        [
            Fault(Errno[f.error], f.point, f.syscall, f.zone, f.process, f.when)
            for f in config.faults
        ]
    )
