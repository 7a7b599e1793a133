"""Single system calls of a brand, wrapped or replaced by a plugin.

    linux = calls_of("linux")

    class NoTmp:
        @linux.syscall("openat")
        def openat(self, call, lwp, dirfd, path, flags, mode):
            if copyinstr(lwp, path).startswith(b"/tmp/"):
                raise KernelError(Errno.EACCES, "no files in /tmp")
            return call(lwp, dirfd, path, flags, mode)

    machine.plugins.register(NoTmp())

``call`` is what the row did before; who does not call it replaces the row.  The
function obeys the rules of a handler: it answers a result or raises KernelError or
Sleep, and after a wait it is entered again from its start.  The rows themselves stay
as they are and wrappers are found by row, so a machine can be saved while a lwp
sleeps in a wrapped call, and wrappers can come and go between two steps.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from personae.core.config.errors import did_you_mean
from personae.core.errno import Errno, KernelError
from personae.core.plugin import PluginError, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from personae.core.brand import Brand
    from personae.core.lwp import Lwp
    from personae.core.syscall import Sysent

F = TypeVar("F", bound="Callable[..., Any]")

_MARK = "personae_syscalls"


@dataclass(frozen=True)
class CallsOf:
    """The system calls of one brand, by its name."""

    brand: str

    def syscall(self, name: str) -> Callable[[F], F]:
        """Mark a function as the wrapper of a call.

        It is called with what it wraps, the lwp, and the arguments of the call.
        """

        def mark(fn: F) -> F:
            setattr(fn, _MARK, (*getattr(fn, _MARK, ()), (self.brand, name)))
            return fn

        return mark


def calls_of(brand: str) -> CallsOf:
    """What wraps system calls of the brand of that name."""
    return CallsOf(brand)


@dataclass(frozen=True)
class Override:
    """One wrapper.

    Attributes:
        brand: Whose call.
        name: Which call.
        fn: The function.
        label: Whose wrapper and where, for messages.
    """

    brand: str
    name: str
    fn: Callable[..., Any]
    label: str


def overrides_of(plugin: object, label: str) -> list[Override]:
    """The wrappers of a plugin, in the order of their names."""
    found = []
    for attribute in sorted(dir(plugin)):
        fn = None if attribute.startswith("__") else getattr(plugin, attribute, None)
        if inspect.isroutine(fn):
            for brand, name in getattr(fn, _MARK, ()):
                where = f"{label}: {attribute} ({place_of(fn)})"
                found.append(Override(brand, name, fn, where))
    return found


def chain(
    wrapped: dict[Sysent, tuple[Callable[..., Any], int]],
    one: Override,
    guarded: Callable[..., Any],
    brands: Mapping[str, Brand],
) -> None:
    """Put a wrapper around what a row does now.

    Args:
        wrapped: Function and number of arguments by row; changed.
        one: The wrapper.
        guarded: Its function.
        brands: The brands of the machine.

    Raises:
        PluginError: There is no such brand or call, or the number of arguments differs.
    """
    ent = _row(one, brands)
    inner, nargs = wrapped.get(ent) or (ent.fn or _absent, ent.nargs)
    takes = _takes(one.fn)
    if takes is not None and ent.fn is not None and takes != ent.nargs:
        raise PluginError(
            f"{one.label}: after call and lwp it has to take as many arguments as "
            f"{one.name} of brand {one.brand}, which are {ent.nargs}; it takes {takes}"
        )
    if ent.fn is None:
        nargs = max(nargs, 6 if takes is None else min(takes, 6))
    wrapped[ent] = (partial(guarded, inner), nargs)


def _row(one: Override, brands: Mapping[str, Brand]) -> Sysent:
    brand = brands.get(one.brand)
    if brand is None:
        hint = did_you_mean(one.brand, sorted(brands))
        raise PluginError(
            f"{one.label}: this machine has no brand {one.brand!r} ({hint})"
        )
    for ent in brand.sysent.values():
        if ent.name == one.name:
            return ent
    names = sorted(ent.name for ent in brand.sysent.values())
    hint = did_you_mean(one.name, names)
    hint = hint if hint.startswith("did") else f"'personae syscalls {one.brand}' lists"
    raise PluginError(
        f"{one.label}: brand {one.brand} has no system call {one.name!r} ({hint})"
    )


def _takes(fn: Callable[..., Any]) -> int | None:
    """How many arguments besides call and lwp; None for any number."""
    kinds = [p.kind for p in inspect.signature(fn).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return len(kinds) - 2


def _absent(lwp: Lwp, *args: int) -> int:
    """What a row of level absent does."""
    del lwp, args
    raise KernelError(Errno.ENOSYS, "the brand does not have it")
