"""Each step of fork and vfork fails in turn, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.hookspecs import hookimpl
from personae.core.ledger import ledger, ledger_diff

FIRST = {
    "flags": Errno.EINVAL,
    "agent": Errno.ENOTSUP,
    "secpolicy_basic_fork": Errno.EPERM,
    "holdlwps": Errno.EINTR,
}
"""What the first steps answer; all later ones EAGAIN (FORK-120)."""
COPY_FROM, COPY_TO = "sprlock", "sprunlock"
"""Between these ENOMEM stays ENOMEM (fork.c:239)."""
LINUX = {Errno.ENOTSUP: 38}
"""Numbers that differ in Linux, of those that a fork can give (FORK-93: ENOSYS)."""


FORK_NUMBERS = {"native": 142, "linux": 220}
LWP_CREATE = 159


class FailStep:
    """Fails one step, once; compares the kernel before and after the failed call."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.target: tuple[str, str] | None = None
        self.hits = 0
        self.before: dict[str, Any] = {}
        self.left: list[str] = []

    @hookimpl
    def personae_syscall_entry(self, lwp: Any, number: int) -> None:
        if number == self.number and self.hits == 0:
            self.before = ledger(lwp.kernel)

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        if (op, step) == self.target and self.hits == 0:
            self.hits += 1
            raise KernelError(Errno.ENOMEM, "injected")

    @hookimpl
    def personae_syscall_return(self, lwp: Any, number: int, errno: int) -> None:
        if number == self.number and errno:
            self.left = ledger_diff(self.before, ledger(lwp.kernel))


class Steps:
    """The names of the steps of one kind of operation."""

    def __init__(self, op: str) -> None:
        self.op = op
        self.steps: list[str] = []

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        if op == self.op:
            self.steps.append(step)


def expected(steps: tuple[str, ...], step: str) -> Errno:
    """The errno of a fork that fails with ENOMEM at ``step``."""
    if step in FIRST:
        return FIRST[step]
    if COPY_FROM in steps:
        at = steps.index(step)
        if steps.index(COPY_FROM) <= at <= steps.index(COPY_TO):
            return Errno.ENOMEM
    return Errno.EAGAIN


@pytest.mark.invariant(103, 105, 119, 120)
@pytest.mark.parametrize("kind", ["fork", "vfork"])
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_every_step(
    brand: str,
    kind: str,
    boot: Callable[..., Any],
    guest_file: Callable[[str, str], Path],
) -> None:
    """The errno is the right one, the counts are as before, the next fork works."""
    z = boot(brand, {"forkstep": guest_file(brand, "forkstep")})
    op = "fork1" if kind == "fork" else "vfork"
    z.run(["/forkstep", kind, "1"])
    steps = z.machine.kernel.last_fork_steps
    assert len(steps) > 20
    fail = FailStep(FORK_NUMBERS[brand])
    z.machine.plugins.register(fail)
    before = ledger(z.machine.kernel)
    for step in steps:
        fail.target, fail.hits, fail.left = (op, step), 0, ["no failure was seen"]
        r = z.run(["/forkstep", kind])
        errno = expected(steps, step)
        number = LINUX.get(errno, int(errno)) if brand == "linux" else int(errno)
        want = f"{kind} 1: errno {number}\n{kind} 2: child exited with 42\n"
        assert (step, want, 1) == (step, r.stdout.decode(), fail.hits)
        assert (step, []) == (step, fail.left)
        assert (step, []) == (step, ledger_diff(before, ledger(z.machine.kernel)))


MANY = Path(__file__).parent / "data" / "forkall.c"
MANY_LINES = {
    "forkall": "child had 3 lwps",
    "fork1": "child had 1 lwps",
    "lwp_create": "lwp 4",
}


@pytest.mark.invariant(105, 119, 120, brand="native")
@pytest.mark.parametrize("what", MANY_LINES)
def test_every_step_with_many_lwps(
    what: str,
    boot: Callable[..., Any],
    build_case: Callable[[str, Path], Path],
) -> None:
    """As above, in a process with three lwps; the held ones go on each time."""
    z = boot("native", {"many": build_case("native", MANY)}, cpus=2)
    seen = Steps(what)
    z.machine.plugins.register(seen)
    r = z.run(["/many", what, "1"])
    z.machine.plugins.unregister(seen)
    good = MANY_LINES[what]
    assert f"{what} 1: {good}\n" == r.stdout.decode()
    assert len(seen.steps) > 5
    fail = FailStep(FORK_NUMBERS["native"] if what != "lwp_create" else LWP_CREATE)
    z.machine.plugins.register(fail)
    before = ledger(z.machine.kernel)
    for step in seen.steps:
        if what == "lwp_create" and step.endswith((":2", ":3")):
            continue  # the two sleepers; the third is the one that fails
        fail.target, fail.hits, fail.left = (what, step), 0, ["no failure was seen"]
        r = z.run(["/many", what])
        if what == "lwp_create":
            errno = Errno.ENOMEM
        else:
            errno = expected(tuple(seen.steps), step)
        want = f"{what} 1: errno {int(errno)}\n{what} 2: {good}\n"
        assert (step, want) == (step, r.stdout.decode())
        assert (step, []) == (step, fail.left)
        assert (step, []) == (step, ledger_diff(before, ledger(z.machine.kernel)))
