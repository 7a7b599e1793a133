"""Plugins: registration through pluggy, calls through flat vectors.

pluggy checks names and arguments when something registers; the calls
themselves do not go through it, because one call of its costs a microsecond
and a fork has fifty of them.  ``bind`` turns the one implementation of an
operation into a plain callable, ``Observers`` turns the implementations of a
broadcast hook into a tuple.
"""

from __future__ import annotations

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


def _adapter(impl: Any, argnames: tuple[str, ...]) -> Callable[..., Any]:
    """The function of one implementation, taking all arguments of the spec."""
    fn: Callable[..., Any] = impl.function
    if tuple(impl.argnames) == argnames:
        return fn
    picks = tuple(argnames.index(a) for a in impl.argnames)

    def call(*args: Any) -> Any:
        return fn(*[args[i] for i in picks])

    return call


def checked_manager(spec: type, plugin: object, name: str) -> pluggy.PluginManager:
    """A plugin manager that holds ``plugin`` alone, every hook of it known.

    Raises:
        PluginError: An unknown hook, a wrong argument, or a class where an
            instance or module is needed.
    """
    if isinstance(plugin, type):
        raise PluginError(
            f"{name}: {plugin.__name__} is a class; register an instance of it"
        )
    pm = pluggy.PluginManager(PROJECT)
    pm.add_hookspecs(spec)
    try:
        pm.register(plugin, name)
        pm.check_pending()
    except pluggy.PluginValidationError as e:
        raise PluginError(f"{name}: {e}") from e
    return pm


class Vector:
    """Operations of one brand or class, each bound to its one implementation.

    An operation that the plugin leaves out is taken from ``defaults``.

    Args:
        spec: The spec class (``BrandSpec`` ...).
        plugin: Implements some of it with ``@hookimpl`` methods.
        name: Whose it is, for messages.
        defaults: The null object that implements all of it.
    """

    def __init__(
        self, spec: type, plugin: object, name: str, defaults: object | None = None
    ) -> None:
        pm = checked_manager(spec, plugin, name)
        base = None
        if defaults is not None and defaults is not plugin:
            base = checked_manager(spec, defaults, f"defaults of {name}")
        self.implemented: list[str] = []
        for hook in spec_names(spec):
            argnames = tuple(getattr(pm.hook, hook).spec.argnames)
            impls = getattr(pm.hook, hook).get_hookimpls()
            if impls:
                self.implemented.append(hook)
            elif base is not None:
                impls = getattr(base.hook, hook).get_hookimpls()
            if len(impls) != 1:
                raise PluginError(f"{name}: operation {hook} is not implemented")
            setattr(self, hook, _adapter(impls[0], argnames))

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
            setattr(self, hook, tuple(_adapter(i, args) for i in impls))
        self.of_calls = bool(
            self.personae_syscall_entry or self.personae_syscall_return
        )
        """Whether anybody watches system calls."""
