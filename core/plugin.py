"""Plugins: registration with checks, calls through flat vectors.

Everything is checked when something registers: names and arguments of hooks, marks
that mean nothing here, classes in place of instances.  What is refused is told
with the plugin, the hook and the line.  pluggy's marks are what an implementation
carries; the calls themselves do not go through pluggy, because one of its calls costs
a microsecond and a fork has fifty of them.  ``Vector`` turns the one implementation
of an operation into a plain callable; ``observers.Observers`` turns those of a
broadcast hook into a tuple.
"""

from __future__ import annotations

import inspect
from functools import cache
from inspect import CO_VARARGS, CO_VARKEYWORDS
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from personae.core.config.errors import did_you_mean
from personae.core.hookdoc import hook_docs
from personae.core.hookspecs import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_IMPL = f"{PROJECT}_impl"


class PluginError(Exception):
    """A plugin does not fit the hook points; the text names it and the hook."""


@cache
def spec_args(spec: type) -> dict[str, tuple[str, ...]]:
    """The hooks of a spec class with their arguments, in the order of the class."""
    return {n: d.args for n, d in hook_docs().items() if d.spec == spec.__name__}


def place_of(fn: Callable[..., Any]) -> str:
    """File and line of a function, for messages.

    >>> place_of(place_of).partition(":")[0]
    'plugin.py'
    """
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None:
        return "no source"
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def impls_of(plugin: object) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """The marked functions of a plugin by the hook they implement, with their marks."""
    found: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
    for attribute in dir(plugin):
        if attribute.startswith("__"):
            continue
        fn = getattr(plugin, attribute, None)
        if fn is None or not inspect.isroutine(fn):
            continue
        marks = getattr(fn, _IMPL, None)
        if isinstance(marks, dict):
            found[marks.get("specname") or attribute] = (fn, marks)
    return found


def argnames(fn: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the positional arguments of a function or bound method."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(
        p.name for p in inspect.signature(fn).parameters.values() if p.kind in kinds
    )


def adapter(
    fn: Callable[..., Any], takes: tuple[str, ...], given: tuple[str, ...]
) -> Callable[..., Any]:
    """One implementation as a function of all arguments of the spec.

    What takes all of them is called as it is; what leaves out the last ones, where it
    can be widened, too.  Anything else costs a call more.
    """
    if takes == given:
        return fn
    if takes == given[: len(takes)]:
        wide = widened(fn, given[len(takes) :])
        if wide is not None:
            return wide
    names = ", ".join(given)
    source = f"lambda fn: lambda {names}: fn({', '.join(takes)})"
    made: Callable[..., Any] = eval(source, {})(fn)
    return made


def widened(fn: Callable[..., Any], more: tuple[str, ...]) -> Callable[..., Any] | None:
    """The same function with arguments behind its own, which it does not look at.

    An operation is called at each system call, and a call between would double its
    cost.  The arguments take the places behind the function's own in its frame, so
    there must be nothing else there: no other local variable, no cell.

    Returns:
        None if it has such, or is no plain function or method.
    """
    function = fn.__func__ if isinstance(fn, MethodType) else fn
    if not isinstance(function, FunctionType) or hasattr(fn, "__wrapped__"):
        return None
    code = function.__code__
    varargs = code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    if code.co_nlocals != code.co_argcount or varargs or function.__defaults__:
        return None
    if code.co_cellvars or code.co_freevars:
        return None
    wide = code.replace(
        co_argcount=code.co_argcount + len(more),
        co_nlocals=code.co_nlocals + len(more),
        co_varnames=code.co_varnames + more,
    )
    made = FunctionType(wide, function.__globals__, function.__name__)
    return MethodType(made, fn.__self__) if isinstance(fn, MethodType) else made


def refuse_class(plugin: object, name: str) -> None:
    """A class has no ``self`` to call its hooks with.

    Raises:
        PluginError: ``plugin`` is one.
    """
    if isinstance(plugin, type):
        raise PluginError(
            f"{name}: {plugin.__name__} is a class; register an instance of it: "
            f"{plugin.__name__}()"
        )


def checked_impls(
    spec: type, plugin: object, name: str
) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """The hooks of ``spec`` that ``plugin`` implements, each taking all arguments.

    Returns:
        By hook: the function, and the marks it was given.

    Raises:
        PluginError: An unknown hook, a wrong argument, a mark that is not honoured,
            or a class where an instance or module is needed.
    """
    refuse_class(plugin, name)
    known = spec_args(spec)
    found: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
    for hook, (fn, marks) in impls_of(plugin).items():
        where = f"{name}: {hook} ({place_of(fn)})"
        if hook not in known:
            if marks.get("optionalhook"):
                continue
            hint = did_you_mean(hook, list(known))
            hint = hint if hint.startswith("did") else "'personae hooks' lists them"
            raise PluginError(f"{where}: there is no such hook ({hint})")
        if marks.get("wrapper") or marks.get("hookwrapper"):
            raise PluginError(
                f"{where}: a wrapper; hooks are called directly here, so call what "
                "you wrap yourself"
            )
        takes = argnames(fn)
        for arg in takes:
            if arg not in known[hook]:
                raise PluginError(
                    f"{where}: there is no argument {arg!r}; it may take "
                    f"{', '.join(known[hook]) or 'none'}"
                )
        found[hook] = (adapter(fn, takes, known[hook]), marks)
    return found


@cache
def _defaults(spec: type, kind: type) -> dict[str, Callable[..., Any]]:
    """The operations of a null object, which has no state: one for everybody."""
    got = checked_impls(spec, kind(), f"defaults {kind.__name__}")
    return {hook: fn for hook, (fn, _) in got.items()}


class Vector:
    """Operations of one brand or class, each bound to its one implementation.

    An operation that the plugin leaves out is taken from ``defaults``.

    Args:
        spec: The spec class (``BrandSpec`` ...).
        plugin: Implements some of it with ``@hookimpl`` methods.
        name: Whose it is, for messages.
        defaults: Class of the null object that implements the rest.

    Attributes:
        owner: ``name``.
        implemented: What the plugin implements itself.
        codes: Its functions by their code, to find whose a failure is.
    """

    def __init__(
        self, spec: type, plugin: object, name: str, defaults: type | None = None
    ) -> None:
        own = checked_impls(spec, plugin, name)
        rest = {} if defaults is None else _defaults(spec, defaults)
        self.owner = name
        self.implemented = [hook for hook in spec_args(spec) if hook in own]
        self.codes: dict[CodeType, str] = {
            code: hook
            for hook, (fn, _) in impls_of(plugin).items()
            for f in (inspect.unwrap(fn), own[hook][0])
            if (code := getattr(f, "__code__", None)) is not None
        }
        absent = [h for h in spec_args(spec) if h not in own and h not in rest]
        if absent:
            first, more = absent[0], ", ".join(absent[1:])
            raise PluginError(
                f"{name}: operation {first} is not implemented{more and ', nor '}{more}"
                f" and there is no default; 'personae hooks {first}' says what it does"
            )
        for hook in spec_args(spec):
            setattr(self, hook, own[hook][0] if hook in own else rest[hook])

    if TYPE_CHECKING:  # a class that has one looks every attribute up the slow way

        def __getattr__(self, name: str) -> Callable[..., Any]: ...
