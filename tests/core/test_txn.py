"""The transaction: every step failed in turn leaves no trace."""

# The bodies of ``raises`` are transactions: several statements, one of which fails.
# ruff: noqa: PT012
from __future__ import annotations

from collections.abc import Callable

import pytest

from personae.core.errno import Errno, KernelError, Panic
from personae.core.txn import Steps, Transaction, TxnState

STEPS = ["holdlwps", "pool_barrier", "getproc", "as_dup", "forklwp:1", "contract"]


class World:
    """Things that are taken and given back, in order."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def take(self, name: str) -> str:
        self.held.append(name)
        return name

    def drop(self, name: str) -> None:
        assert self.held.pop() == name


def operate(world: World, probe: object = None) -> Transaction:
    with Transaction("op", probe) as txn:  # type: ignore[arg-type]
        for step in STEPS:
            txn.do(step, lambda step=step: world.take(step), world.drop)  # type: ignore[misc]
        txn.commit()
    return txn


def test_commit_keeps_everything() -> None:
    world = World()
    txn = operate(world)
    assert (txn.state, world.held, txn.steps) == (TxnState.COMMITTED, STEPS, STEPS)


@pytest.mark.parametrize("bad", STEPS)
def test_a_step_that_fails_undoes_those_before_it(bad: str) -> None:
    world = World()

    def probe(op: str, step: str) -> None:
        if step == bad:
            raise KernelError(Errno.EAGAIN, step)

    with pytest.raises(KernelError) as e:
        operate(world, probe)
    assert (world.held, e.value.why) == ([], bad)


def test_an_acquire_that_raises_owes_nothing() -> None:
    world = World()

    def broken() -> None:
        raise KernelError(Errno.ENOMEM)

    with pytest.raises(KernelError), Transaction("op") as txn:
        txn.do("a", lambda: world.take("a"), world.drop)
        txn.do("b", broken, lambda _: world.drop("b"))
    assert world.held == []


def test_owed_undos_run_in_reverse_order() -> None:
    order: list[int] = []
    with pytest.raises(KernelError), Transaction("op") as txn:
        txn.point("one")
        txn.owe("one", lambda: order.append(1))
        txn.do("two", lambda: None, lambda _: order.append(2))
        raise KernelError(Errno.EINTR)
    assert order == [2, 1]


def test_a_broken_undo_is_a_panic_and_the_rest_still_runs() -> None:
    world = World()

    def broken(_: object) -> None:
        raise ValueError("stuck")

    with (
        pytest.raises(Panic, match="could not be unwound: b: ValueError"),
        Transaction("op") as txn,
    ):
        txn.do("a", lambda: world.take("a"), world.drop)
        txn.do("b", lambda: 0, broken)
        raise KernelError(Errno.EAGAIN)
    assert world.held == []


def test_forgetting_to_commit_is_a_panic() -> None:
    world = World()
    with pytest.raises(Panic, match="without commit"), Transaction("op") as txn:
        txn.do("a", lambda: world.take("a"), world.drop)
    assert world.held == []


def test_a_step_twice_is_a_panic() -> None:
    with pytest.raises(Panic, match="twice"), Transaction("op") as txn:
        txn.do("a", lambda: 1)
        txn.do("a", lambda: 2)


def test_no_step_after_commit() -> None:
    with Transaction("op") as txn:
        txn.commit()
        with pytest.raises(Panic, match="after the end"):
            txn.do("late", lambda: 1)


def test_call_gives_the_undo_what_the_acquire_got() -> None:
    seen: list[tuple[str, int, int]] = []

    def take(a: int, b: int) -> int:
        seen.append(("take", a, b))
        return a + b

    def drop(a: int, b: int) -> None:
        seen.append(("drop", a, b))

    with pytest.raises(KernelError), Transaction("op") as txn:
        assert txn.call("both", take, drop, 1, 2) == 3
        assert txn.call("acquire alone", take, None, 3, 4) == 7
        txn.owe("owed", drop, 5, 6)
        raise KernelError(Errno.EAGAIN)
    assert seen == [("take", 1, 2), ("take", 3, 4), ("drop", 5, 6), ("drop", 1, 2)]
    assert txn.steps == ["both", "acquire alone"]


def test_do_takes_arguments_and_undoes_the_result() -> None:
    dropped: list[int] = []
    with pytest.raises(KernelError), Transaction("op") as txn:
        assert txn.do("a", pow, dropped.append, 2, 3) == 8
        raise KernelError(Errno.EAGAIN)
    assert dropped == [8]


def test_call_of_a_name_that_is_taken() -> None:
    with pytest.raises(Panic, match="step 'a' twice"), Transaction("op") as txn:
        txn.call("a", abs, None, 1)
        txn.call("a", abs, None, 2)


def row(world: World, bad: str = "") -> Steps:
    def take(name: str) -> Callable[[list[str]], None]:
        def acquire(log: list[str]) -> None:
            if name == bad:
                raise KernelError(Errno.ENOMEM, name)
            log.append(name)
            if name != "getproc":  # it has no undo
                world.take(name)

        return acquire

    def drop(name: str) -> Callable[[list[str]], None] | None:
        return None if name == "getproc" else lambda log: world.drop(name)

    return Steps(*((name, take(name), drop(name)) for name in STEPS))


@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize("bad", [*STEPS, "after"])
def test_a_row_is_its_steps(bad: str, probed: bool) -> None:
    """A step of a row that fails undoes those before it, and is the last one begun."""
    world, log = World(), list[str]()
    probe = (lambda op, step: None) if probed else None
    with pytest.raises(KernelError), Transaction("op", probe) as txn:
        txn.call("before", world.take, world.drop, "before")
        txn.run(row(world, bad), log)
        txn.point("after")
        raise KernelError(Errno.EAGAIN)
    whole = ["before", *STEPS, "after"]
    n = whole.index(bad)
    assert txn.steps == whole[: n + 1]
    assert log == whole[1:n]
    assert world.held == []


def test_a_row_after_the_end_or_with_a_name_that_is_taken() -> None:
    with pytest.raises(ValueError, match="one name"):
        Steps(("a", abs, None), ("a", abs, None))
    with pytest.raises(Panic, match="twice"), Transaction("op") as txn:
        txn.point("b")
        txn.run(Steps(("a", abs, None), ("b", abs, None)), 1)
        txn.commit()
    with Transaction("op") as txn:
        txn.commit()
        with pytest.raises(Panic, match="after the end"):
            txn.run(Steps(("a", abs, None)), 1)
