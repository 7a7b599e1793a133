"""The suites that every brand gets: each step of its forks fails once.

The steps are those that the transaction of ``cfork`` names, the brand's own operations
among them.  A fork that fails must be told to the program, and leave nothing: not in
the ledger, not in what the brand keeps for itself.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from personae.core.conform.generic import lacks
from personae.core.conform.guests import Status
from personae.core.conform.stage import Exits
from personae.core.conform.watch import ORDER, Watched, balance, may_fail, of_children
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.ledger import ledger, ledger_diff
from personae.core.proc import Proc

if TYPE_CHECKING:
    from personae.core.brand import Brand
    from personae.core.conform.stage import Stage
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.zonerun import ZoneHandle

CONTAINERS = (list, dict, set, tuple)


class FailStep:
    """An observer that fails one step of a fork, once.

    Attributes:
        target: The step, or None.
        hit: Whether it has come to pass.
        before: The ledger where the fork began.
        left: What was different when its call returned.
    """

    def __init__(self) -> None:
        self.target: str | None = None
        self.steps: list[str] = []
        self.hit = False
        self.before: dict[str, Any] = {}
        self.left: list[str] = []

    @hookimpl
    def personae_syscall_entry(self, lwp: Lwp, number: int) -> None:
        """Write down the books before each call until the step has failed."""
        if self.target is not None and not self.hit:
            self.before = ledger(lwp.kernel)

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        """Fail it."""
        if op == "newproc":
            return  # the start of the guest itself
        self.steps.append(step)
        if step == self.target and not self.hit:
            self.hit = True
            raise KernelError(Errno.EAGAIN, f"injected at {op}:{step}")

    @hookimpl
    def personae_syscall_return(self, lwp: Lwp, number: int, errno: int) -> None:
        """Compare the books."""
        if self.hit and self.before:
            self.left = ledger_diff(self.before, ledger(lwp.kernel))
            self.before = {}


class Trial:
    """One zone, watched, in which forks are made to fail."""

    def __init__(self, stage: Stage, role: str) -> None:
        self.stage = stage
        self.role = role
        self.watched = Watched(stage.brand)
        self.zone: ZoneHandle = stage.zone(self.watched.brand)
        self.kernel: Kernel = self.zone.machine.kernel
        self.fail = FailStep()
        self.exits = Exits()
        for plugin in (self.fail, self.exits):
            self.zone.machine.plugins.register(plugin)
        self.elf = stage.guests.forker(role)
        self.wrong: dict[str, list[str]] = {}

    def run(self, target: str | None = None) -> list[int]:
        """Fork once, with a step that fails or none; the statuses of all ends."""
        self.fail.target, self.fail.hit, self.fail.left = target, False, []
        self.fail.steps.clear()
        self.watched.clear()
        self.exits.take()
        self.stage.run(self.zone, self.elf)
        self.stage.settle(self.zone)
        return self.exits.take()

    def note(self, what: str, step: str, detail: str) -> None:
        """Something is wrong after a step has failed."""
        self.wrong.setdefault(what, []).append(f"{step}: {detail}")

    def enumerate(self) -> list[str]:
        """Fail each step in turn; answers the steps."""
        self.run()
        steps = list(self.fail.steps)
        size = brand_state(self.watched.brand, self.kernel)
        for step in steps:
            got = self.run(step)
            if got != [Status.FORK_FAILED]:
                self.note("told", step, f"the guest's end was {got}")
            if self.fail.left:
                self.note("ledger", step, "; ".join(self.fail.left))
            now = brand_state(self.watched.brand, self.kernel)
            if now != size:
                self.note("brand", step, _growth(size, now))
                size = now
            after = self.run()
            if sorted(after) != [Status.GOOD, Status.CHILD]:
                self.note("next", step, f"the next fork ended with {after}")
        return steps


WRONG = {
    "told": ("a fork that fails at any step is told to the program", "FORK-120"),
    "ledger": ("a fork that fails leaves the ledger as it was", "FORK-114, FORK-119"),
    "brand": ("a fork that fails leaves nothing in the brand's own state", "FORK-114"),
    "next": ("the fork after a failed one succeeds", "FORK-119"),
}


def every_step(stage: Stage) -> None:
    """Fail each step of each kind of fork, once."""
    if lacks(stage, "fork", "exit", "wait"):
        return
    for role in ("fork", "vfork"):
        if role not in stage.guests.calls:
            continue
        trial = Trial(stage, role)
        before = own_objects(stage.brand)
        steps = trial.enumerate()
        stage.check(len(steps) > 10, f"{role} names its steps", "txn", repr(steps))
        for key, (what, cite) in WRONG.items():
            lines = trial.wrong.get(key, [])
            stage.check(not lines, f"{role}: {what}", cite, "\n".join(lines[:5]))
        trial.watched.clear()
        stray = _stray(trial.kernel)
        what = f"{role}: nothing holds on to a child that was discarded"
        stage.check(not stray, what, "FORK-114", "\n".join(stray))
        grown = _growth(before, own_objects(stage.brand))
        what = f"{role}: no objects of the brand's pile up"
        stage.check(not grown, what, "FORK-114", grown)
        problems = [p for p in trial.watched.problems if "raised" not in p]
        what = f"{role}: each operation cleans up behind itself when a fork fails"
        stage.check(not problems, what, "FORK-79, FORK-114", "\n".join(problems))


def hook_order(stage: Stage) -> None:
    """Which operations of the brand are called, how often, in which order."""
    if lacks(stage, "fork", "exit", "wait"):
        return
    trial = Trial(stage, "fork")
    try:
        _order_and_balance(stage, trial)
    except Panic as e:
        trial.watched.said(f"Panic: {e}")
        stage.machines.remove(trial.zone.machine)
    problems = trial.watched.problems
    what = "no operation fails that must not, keeps a lock, or forgets its data"
    stage.check(not problems, what, "FORK-76, FORK-79, FORK-117", "\n".join(problems))


def _order_and_balance(stage: Stage, trial: Trial) -> None:
    trial.run()
    child = [h for h in of_children(trial.watched) if h in ORDER]
    stage.equal(
        child, list(ORDER), "the order of a fork's operations", "FORK-74, FORK-77"
    )
    wrong = balance(of_children(trial.watched), True)
    what = "from fork to reap each operation is called once"
    stage.check(not wrong, what, "FORK-74, FORK-79", "\n".join(wrong))
    steps = list(trial.fail.steps)
    lines = []
    for step in steps:
        trial.run(step)
        lines += [f"{step}: {w}" for w in balance(of_children(trial.watched), False)]
    what = "what a failed fork has called is called back"
    stage.check(not lines, what, "FORK-78, FORK-79", "\n".join(lines[:5]))


def brand_fails(stage: Stage) -> None:
    """The brand's own fallible operations fail after they have done their work."""
    if lacks(stage, "fork", "exit", "wait"):
        return
    for hook in ("b_copy_procdata", "b_lwpdata_alloc"):
        assert may_fail(hook)
        trial = Trial(stage, "fork")
        trial.run()
        size = brand_state(trial.watched.brand, trial.kernel)
        ops = trial.watched.brand.ops
        good = getattr(ops, hook)
        setattr(ops, hook, _failing(good, hook, trial.fail))
        before = ledger(trial.kernel)
        got = trial.run()
        setattr(ops, hook, good)
        stage.equal(
            got, [Status.FORK_FAILED], f"{hook} fails: fork fails with it", "FORK-114"
        )
        left = ledger_diff(before, ledger(trial.kernel))
        what = f"{hook} fails: the ledger is as it was"
        stage.check(not left, what, "FORK-114", "\n".join(left))
        grown = _growth(size, brand_state(trial.watched.brand, trial.kernel))
        what = f"{hook} fails: nothing is left in the brand's state"
        stage.check(not grown, what, "FORK-114", grown)


def _failing(good: Any, hook: str, fail: FailStep) -> Any:
    def call(*args: Any) -> Any:
        if fail.steps:  # only inside a fork: the first process has it too
            raise KernelError(Errno.ENOMEM, f"{hook} fails")
        return good(*args)

    return call


# ---- looking ----


def brand_state(brand: Brand, kernel: Kernel) -> Counter[str]:
    """How much a brand keeps: objects by type, and how much is in containers.

    Counted is what can be reached from the brand's operations and from the data it put
    into zones, processes and lwps, without what belongs to the kernel.
    """
    todo: list[Any] = [vars(brand.plugin)] if hasattr(brand.plugin, "__dict__") else []
    todo += [z.brand_data for z in kernel.zones.values() if z.brand is brand]
    for p in kernel.practive:
        if p.brand is brand:
            todo.append(p.brand_data)
            todo += [t.brand_lwp for t in p.lwps]
    seen: dict[int, Any] = {}
    out: Counter[str] = Counter()
    while todo:
        x = todo.pop()
        if id(x) in seen or not _owned(x):
            continue
        seen[id(x)] = x
        kind = type(x).__name__
        out[kind] += 1
        if isinstance(x, dict):
            todo += [*x.keys(), *x.values()]
        elif isinstance(x, CONTAINERS) or hasattr(x, "__iter__"):
            todo += list(x)
        else:
            todo += _fields(x)
        if hasattr(x, "__len__"):
            out[f"in {kind}"] += len(x)
    return out


def _owned(x: object) -> bool:
    """Whether a brand may own it: a container or an object of no kernel class."""
    if isinstance(x, CONTAINERS):
        return True
    module = type(x).__module__
    if isinstance(x, (type, str, bytes, int, float)) or callable(x):
        return False
    return not module.startswith(("personae.core", "personae.hw", "builtins"))


def _fields(x: object) -> list[Any]:
    out = list(vars(x).values()) if hasattr(x, "__dict__") else []
    for cls in type(x).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        out += [getattr(x, n) for n in names if hasattr(x, n)]
    return out


def own_objects(brand: Brand) -> Counter[str]:
    """Live objects of classes that the brand's package defines, and its globals."""
    home = type(brand.plugin).__module__
    package = home.rpartition(".")[0] or home
    mine = (home, f"{package}.") if package != home else (home,)
    gc.collect()
    out: Counter[str] = Counter()
    for x in gc.get_objects():
        if type(x).__module__.startswith(mine):
            out[type(x).__name__] += 1
    for name, module in list(sys.modules.items()):
        if name == home or name.startswith(mine[-1]):
            for key, value in vars(module).items():
                if isinstance(value, (list, dict, set)) and not key.startswith("__"):
                    out[f"{name}.{key}"] = len(value)
    return out


def _growth(before: Counter[str], after: Counter[str]) -> str:
    more = {k: n - before[k] for k, n in sorted(after.items()) if n > before[k]}
    return ", ".join(f"{n} {k} more" for k, n in more.items())


def _stray(kernel: Kernel) -> list[str]:
    """Processes of a kernel that are on no list and yet alive."""
    gc.collect()
    known = {id(p) for p in kernel.practive}
    return [
        f"{p!r} is held by {_holders(p)}"
        for p in gc.get_objects()
        if type(p) is Proc and p.kernel is kernel and id(p) not in known
    ]


def _holders(p: Proc) -> str:
    kinds = {type(r).__name__ for r in gc.get_referrers(p)} - {"frame", "generator"}
    return ", ".join(sorted(kinds)) or "nobody"
