"""The undo log of a multi-step operation of the kernel.

cfork() in fork.c unwinds by hand: each failure label repeats, backwards, what
the steps before it acquired.  Here a step states its undo at the moment it
acquires, so unwinding is the log read backwards and there is nothing to keep
in step.

    with Transaction("fork1", probe) as txn:
        txn.call("pool_barrier", pool_barrier_enter, pool_barrier_exit, p)
        cp = txn.do("proc_alloc", proc_alloc, proc_free, p)
        txn.run(STEPS, what)    # a row of steps that is always the same
        ...
        txn.commit()            # no failure beyond this point (fork.c:405)

Every step is a probe (``personae_fork_step``): tracing sees it, the fault
plugin fails it by raising ``KernelError``, and a test asks a finished
transaction for its ``steps`` and fails each in turn.

Must not know: processes, brands, hardware.
"""

from __future__ import annotations

from enum import Enum, auto
from operator import length_hint
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from personae.core.errno import Panic

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self, TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")

T = TypeVar("T")


class TxnState(Enum):
    """Where a transaction is in its life."""

    OPEN = auto()
    COMMITTED = auto()
    UNWOUND = auto()


_OPEN = TxnState.OPEN


class Steps:
    """Steps that are taken one after the other, all with the same argument.

    Args:
        *rows: Name, acquire and undo of each; the undo may be None.

    Attributes:
        rows: What it was made of.
        names: Their names, in order.
        acquires: Their first halves.
    """

    __slots__ = ("acquires", "names", "rows", "size")

    def __init__(
        self,
        *rows: tuple[str, Callable[[Any], object], Callable[[Any], object] | None],
    ) -> None:
        self.rows = rows
        self.names = dict.fromkeys(name for name, _, _ in rows)
        self.acquires = tuple(acquire for _, acquire, _ in rows)
        self.size = len(rows)
        if len(self.names) != len(rows):
            raise ValueError(f"steps of one name: {[name for name, _, _ in rows]}")


class Transaction:
    """One step is one acquire and one undo; undos run last in, first out.

    Args:
        op: Name of the whole, e.g. ``"fork1"``.
        probe: Called before each step with (op, step); may raise ``KernelError``.
            None when nobody listens.
    """

    __slots__ = ("_begun", "_steps", "_undo", "op", "probe", "state")

    def __init__(
        self, op: str, probe: Callable[[str, str], None] | None = None
    ) -> None:
        self.op = op
        self.probe = probe
        self.state = _OPEN
        self._steps: dict[str, None] = {}
        self._begun = 0
        """How many steps: as many as there are names, or one came twice."""
        self._undo: list[tuple[str, Callable[..., object] | None, tuple[Any, ...]]] = []
        """What is owed; no callable: the arguments are a row of steps and theirs."""

    def began(self) -> tuple[str, ...]:
        """The same as ``steps``, to keep."""
        return tuple(self._steps)

    @property
    def steps(self) -> list[str]:
        """Names of the steps begun so far, in their order."""
        return list(self._steps)

    def do(
        self,
        step: str,
        acquire: Callable[[Unpack[Ts]], T],
        undo: Callable[[T], object] | None = None,
        *args: Unpack[Ts],
    ) -> T:
        """Run ``acquire(*args)``; if it returns, owe ``undo`` of its result.

        Args:
            step: Its name, unique in the transaction.
            acquire: All or nothing: if it raises it has changed nothing.
            undo: Gives back what was acquired; must not fail.
            *args: What ``acquire`` takes.

        Returns:
            What ``acquire`` returned.
        """
        # ``point``, written out: a fork has fifty steps.
        steps = self._steps
        if step in steps or self.state is not _OPEN:
            self.refuse(step)
        steps[step] = None
        self._begun += 1
        if self.probe is not None:
            self.probe(self.op, step)
        got = acquire(*args)
        if undo is not None:
            self._undo.append((step, undo, (got,)))
        return got

    def call(
        self,
        step: str,
        acquire: Callable[[Unpack[Ts]], T],
        undo: Callable[[Unpack[Ts]], object] | None,
        *args: Unpack[Ts],
    ) -> T:
        """Run ``acquire(*args)``; if it returns, owe ``undo(*args)``.

        As ``do``, for an undo that needs what the acquire needed and not its result.
        """
        steps = self._steps
        if step in steps or self.state is not _OPEN:
            self.refuse(step)
        steps[step] = None
        self._begun += 1
        if self.probe is not None:
            self.probe(self.op, step)
        got = acquire(*args)
        if undo is not None:
            self._undo.append((step, undo, args))
        return got

    def run(self, steps: Steps, arg: object) -> None:
        """Take a row of steps, as ``call`` does one; where nobody listens, at once."""
        if self.probe is not None:
            for name, acquire, undo in steps.rows:
                self.call(name, acquire, undo, arg)
            return
        if self.state is not _OPEN:
            self.refuse("")
        self._steps.update(steps.names)
        self._begun += steps.size
        left = iter(steps.acquires)
        try:
            for acquire in left:
                acquire(arg)
        except BaseException:
            self._fell(steps, length_hint(left), arg)
            raise
        self._undo.append(("", None, (steps.rows, arg)))

    def announce(self, names: dict[str, None]) -> None:
        """Announce several steps at once; only where nobody listens (``probe``)."""
        if self.state is not _OPEN:
            self.refuse("")
        self._steps.update(names)
        self._begun += len(names)

    def _fell(self, steps: Steps, left: int, arg: object) -> None:
        """A step of a row has failed, ``left`` before the end."""
        for name in list(steps.names)[len(steps.names) - left :]:
            del self._steps[name]
        self._begun -= left
        self._undo.append(("", None, (steps.rows[: -left - 1], arg)))

    def point(self, step: str) -> None:
        """Announce a step whose work the caller does itself."""
        if step in self._steps or self.state is not _OPEN:
            self.refuse(step)
        self._steps[step] = None
        self._begun += 1
        if self.probe is not None:
            self.probe(self.op, step)

    def refuse(self, step: str) -> NoReturn:
        """A step that may not be: its name is taken, or the end has come."""
        raise Panic(f"{self.op}: step {step!r} twice, or after the end")

    def owe(
        self, step: str, undo: Callable[[Unpack[Ts]], object], *args: Unpack[Ts]
    ) -> None:
        """Add an undo for work that was done under ``step``."""
        self._undo.append((step, undo, args))

    def commit(self) -> None:
        """Forget the undos: from here on the operation can't fail."""
        if self._begun != len(self._steps):
            self.refuse(", ".join(self._steps))
        self._undo.clear()
        self.state = TxnState.COMMITTED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        et: type[BaseException] | None,
        ev: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.state is TxnState.COMMITTED:
            return
        self.state = TxnState.UNWOUND
        broken: list[str] = []
        cause = ev
        while self._undo:
            step, undo, args = self._undo.pop()
            if undo is None:  # a row
                rows, arg = args
                self._undo += [(n, back, (arg,)) for n, _, back in rows if back]
                continue
            try:
                undo(*args)
            except Exception as exc:  # the rest must still be undone
                broken.append(f"{step}: {exc!r}")
                cause = exc
        if broken:
            raise Panic(
                f"{self.op} could not be unwound: {'; '.join(broken)}"
            ) from cause
        if et is None:
            raise Panic(f"{self.op}: left without commit()")
