"""Plugins: registration through pluggy, calls through flat vectors.

pluggy checks names and arguments when something registers; the calls
themselves do not go through it, because one call of its costs a microsecond
and a fork has fifty of them.  ``Vector`` turns the one implementation of an
operation into a plain callable, ``Observers`` turns the implementations of a
broadcast hook into a tuple.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pluggy

from personae.core.hookspecs import PROJECT, ObserverSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class PluginError(Exception):
    """A plugin does not fit the hook points; the text names it and the hook."""


def spec_names(spec: type) -> list[str]:
    """Hook names of a spec class, in the order they are written there."""
    marker = f"{PROJECT}_spec"
    return [n for n, f in vars(spec).items() if hasattr(f, marker)]


def _adapter(
    fn: Callable[..., Any], takes: tuple[str, ...], argnames: tuple[str, ...]
) -> Callable[..., Any]:
    """One implementation as a function of all arguments of the spec."""
    if takes == argnames:
        return fn
    picks = tuple(argnames.index(a) for a in takes)

    def call(*args: Any) -> Any:
        return fn(*[args[i] for i in picks])

    def call_without(*args: Any) -> Any:
        del args
        return fn()

    return call if picks else call_without


@cache
def _manager(spec: type) -> pluggy.PluginManager:
    """The manager that checks plugins against a spec; it holds none in between."""
    pm = pluggy.PluginManager(PROJECT)
    pm.add_hookspecs(spec)
    return pm


@cache
def _spec_args(spec: type) -> dict[str, tuple[str, ...]]:
    """The hooks of a spec with their arguments."""
    pm = _manager(spec)
    return {h: tuple(getattr(pm.hook, h).spec.argnames) for h in spec_names(spec)}


def checked_impls(
    spec: type, plugin: object, name: str
) -> dict[str, Callable[..., Any]]:
    """The operations that ``plugin`` implements, each taking all of its arguments.

    Raises:
        PluginError: An unknown hook, a wrong argument, or a class where an
            instance or module is needed.
    """
    if isinstance(plugin, type):
        raise PluginError(
            f"{name}: {plugin.__name__} is a class; register an instance of it"
        )
    pm = _manager(spec)
    try:
        pm.register(plugin, name)
        pm.check_pending()
    except Exception as e:
        _manager.cache_clear()  # it may keep a part of what it refused
        if isinstance(e, pluggy.PluginValidationError):
            raise PluginError(f"{name}: {e}") from e
        raise
    found = {
        hook: _adapter(impl.function, tuple(impl.argnames), argnames)
        for hook, argnames in _spec_args(spec).items()
        for impl in getattr(pm.hook, hook).get_hookimpls()
    }
    pm.unregister(plugin)
    return found


@cache
def _defaults(spec: type, kind: type) -> dict[str, Callable[..., Any]]:
    """The operations of a null object, which has no state: one for everybody."""
    return checked_impls(spec, kind(), f"defaults {kind.__name__}")


class Vector:
    """Operations of one brand or class, each bound to its one implementation.

    An operation that the plugin leaves out is taken from ``defaults``.

    Args:
        spec: The spec class (``BrandSpec`` ...).
        plugin: Implements some of it with ``@hookimpl`` methods.
        name: Whose it is, for messages.
        defaults: Class of the null object that implements the rest.
    """

    def __init__(
        self, spec: type, plugin: object, name: str, defaults: type | None = None
    ) -> None:
        own = checked_impls(spec, plugin, name)
        rest = {} if defaults is None else _defaults(spec, defaults)
        self.implemented = [hook for hook in _spec_args(spec) if hook in own]
        for hook in _spec_args(spec):
            fn = own.get(hook) or rest.get(hook)
            if fn is None:
                raise PluginError(f"{name}: operation {hook} is not implemented")
            setattr(self, hook, fn)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(f"no operation {name}")


class Observers:
    """The broadcast hooks: for each a tuple of callables, rebuilt when plugins change.

    ``obs.personae_proc_create`` is that tuple; it is empty when nobody listens.
    Plugins are called in the order of their names, whatever order they came in.
    """

    def __init__(self, plugins: Iterable[tuple[str, object]] = ()) -> None:
        self.pm = pluggy.PluginManager(PROJECT)
        self.pm.add_hookspecs(ObserverSpec)
        self._names = spec_names(ObserverSpec)
        for name, plugin in plugins:
            self.pm.register(plugin, name)
        self.rebuild()

    def __getattr__(self, name: str) -> tuple[Callable[..., Any], ...]:
        raise AttributeError(f"no hook {name}")

    def register(self, plugin: object, name: str | None = None) -> str:
        """Add a plugin.

        Returns:
            The name it is registered under.

        Raises:
            PluginError: It has a hook that does not exist, or a wrong argument.
        """
        label = name or type(plugin).__name__
        if isinstance(plugin, type):
            raise PluginError(
                f"{label}: a class; register an instance of it ({label}())"
            )
        try:
            got = self.pm.register(plugin, name)
            self.pm.check_pending()
        except (pluggy.PluginValidationError, ValueError) as e:
            if self.pm.is_registered(plugin):
                self.pm.unregister(plugin)
            raise PluginError(f"{label}: {e}") from e
        self.rebuild()
        return got or label

    def unregister(self, plugin: object) -> None:
        """Remove a plugin; hooks in progress still finish."""
        self.pm.unregister(plugin)
        self.rebuild()

    def rebuild(self) -> None:
        """Make the flat tuples anew."""
        for hook in self._names:
            caller = getattr(self.pm.hook, hook)
            args = tuple(caller.spec.argnames)
            impls = sorted(caller.get_hookimpls(), key=lambda i: str(i.plugin_name))
            setattr(
                self,
                hook,
                tuple(_adapter(i.function, tuple(i.argnames), args) for i in impls),
            )
        self.of_calls = bool(
            self.personae_syscall_entry or self.personae_syscall_return
        )
        """Whether anybody watches system calls."""
