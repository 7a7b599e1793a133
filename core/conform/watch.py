"""A brand whose operations are watched while the kernel calls them.

``Watched`` gives a copy of a brand for a machine of its own.  Each operation is noted,
and what the catalogue (``hookspecs.BrandSpec``) asks of it is checked on the spot:
who may fail, that no lock is kept, what is freed when.  FORK-74..82 in terms of calls.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from personae.core.errno import KernelError
from personae.core.hookdoc import hook_docs
from personae.core.hookspecs import BrandSpec
from personae.core.plugin import spec_args
from personae.core.sync import Sleep

if TYPE_CHECKING:
    from personae.core.brand import Brand
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

PLAIN = (type(None), int, str, bytes, float, tuple, frozenset, bool)
"""Values that two processes may share: nobody can change them."""
PER_CALL = ("b_sysret", "b_syserr", "b_nosys", "b_sendsig")
"""Operations of system calls and signals, which are no part of a process' life."""


def may_fail(hook: str) -> bool:
    """Whether the catalogue lets an operation fail."""
    return hook_docs()[hook].fallible


class Watched:
    """The watched copy of a brand.

    Attributes:
        brand: The copy, for ``Machine(brands=...)``.
        calls: The operations called since ``clear``, in order, with the objects.
        problems: What was wrong, one line each.
    """

    def __init__(self, brand: Brand) -> None:
        self.brand = copy.copy(brand)
        self.brand.ops = copy.copy(brand.ops)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.problems: list[str] = []
        self._installed: dict[int, Any] = {}
        for hook in spec_args(BrandSpec):
            setattr(self.brand.ops, hook, self._wrap(hook, getattr(brand.ops, hook)))

    def clear(self) -> None:
        """Forget the calls so far."""
        self.calls.clear()

    def names(self) -> list[str]:
        """The calls of a process' life, by name."""
        return [hook for hook, _ in self.calls if hook not in PER_CALL]

    def said(self, text: str) -> None:
        """Note a problem, once."""
        if text not in self.problems:
            self.problems.append(text)

    def _wrap(self, hook: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        fallible = may_fail(hook)
        before = getattr(self, f"_before_{hook}", None)
        after = getattr(self, f"_after_{hook}", None)

        def call(*args: Any) -> Any:
            self.calls.append((hook, args))
            locks = getattr(getattr(args[0], "kernel", None), "locks", None)
            held = [m.name for m in locks.held] if locks is not None else []
            if before is not None:
                before(*args)
            try:
                rv = fn(*args)
            except Exception as e:
                if not fallible or not isinstance(e, (KernelError, Sleep)):
                    self.said(f"{hook} raised {type(e).__name__}: {e}")
                raise
            if locks is not None and [m.name for m in locks.held] != held:
                now = ", ".join(m.name for m in locks.held) or "none"
                self.said(f"{hook} changed the locks held: now {now}")
            if after is not None:
                after(*args, rv)
            return rv

        return call

    # ---- what each has to leave behind ----

    def _after_b_copy_procdata(self, child: Proc, parent: Proc, rv: object) -> None:
        data = child.brand_data
        if data is parent.brand_data and not isinstance(data, PLAIN):
            kind = type(data).__name__
            self.said(f"b_copy_procdata: child and parent share one {kind}")

    def _after_b_clearbrand(self, proc: Proc, rv: object) -> None:
        if proc.brand_data is not None:
            self.said("b_clearbrand left the brand data of a process")

    def _after_b_initlwp(self, lwp: Lwp, data: object, rv: object) -> None:
        self._installed[id(lwp)] = lwp.brand_lwp

    def _before_b_freelwp(self, lwp: Lwp) -> None:
        had = self._installed.pop(id(lwp), None)
        if had is not None and lwp.brand_lwp is None:
            self.said("b_freelwp: the data of the lwp was gone before")
        freed = sum(h == "b_freelwp" and a[0] is lwp for h, a in self.calls)
        if freed > 1:
            self.said("b_freelwp was called twice for one lwp")

    def _after_b_freelwp(self, lwp: Lwp, rv: object) -> None:
        if lwp.brand_lwp is not None:
            self.said("b_freelwp left the brand data of a lwp")


def process_of(hook: str, args: tuple[Any, ...]) -> Proc | None:
    """The process whose life a call belongs to; None for a zone's."""
    subject = args[1] if hook == "b_forklwp" else args[0]
    return getattr(subject, "proc", subject) if hook != "b_wait_filter" else None


def of_children(watched: Watched) -> list[str]:
    """The calls for children alone: not for the process that was started from outside.

    That one is known by its exec, the first there is.
    """
    calls = [(h, process_of(h, a)) for h, a in watched.calls if h not in PER_CALL]
    first = next((p for h, p in calls if h == "b_elfexec"), None)
    return [h for h, p in calls if p is not None and p is not first]


def balance(names: list[str], committed: bool) -> list[str]:
    """What is wrong with the calls for one child, up to its end.

    Args:
        names: All of them.
        committed: Whether its fork succeeded; it has been reaped then.
    """
    seen = Counter(names)
    wrong = []
    taken = seen["b_setbrand"] + seen["b_copy_procdata"]
    if seen["b_clearbrand"] != bool(taken):
        wrong.append(f"b_clearbrand {seen['b_clearbrand']} times")
    if seen["b_lwpdata_alloc"] != seen["b_initlwp"] + seen["b_lwpdata_free"]:
        wrong.append(
            f"b_lwpdata_alloc {seen['b_lwpdata_alloc']} times, b_initlwp "
            f"{seen['b_initlwp']} and b_lwpdata_free {seen['b_lwpdata_free']}"
        )
    if seen["b_freelwp"] != seen["b_initlwp"]:
        wrong.append(
            f"b_initlwp {seen['b_initlwp']} times, b_freelwp {seen['b_freelwp']}"
        )
    if seen["b_lwp_setrval"] != committed:
        wrong.append(f"b_lwp_setrval {seen['b_lwp_setrval']} times")
    return wrong


ORDER = (
    "b_setbrand",
    "b_copy_procdata",
    "b_lwpdata_alloc",
    "b_initlwp",
    "b_initlwp_post",
    "b_forklwp",
    "b_lwp_setrval",
)
"""The order of a fork that succeeds, for a process of one lwp (FORK-74)."""
