"""The plugins of a machine: broadcast hooks, and system calls that are wrapped.

For each observer hook there is a tuple of callables, rebuilt when plugins come and
go; the kernel walks it.  Plugins are called in the order of their names, whatever
order they were installed or registered in; ``tryfirst`` and ``trylast`` go before and
after all others.

A plugin that fails is contained: what it raised is reported with plugin, hook and
line, and the policy decides whether it stays.  The guests do not feel it, so a run
with a broken observer is the run without it.

Must not know: what any plugin does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from personae.core.blame import HookPanic, raised_at
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookdoc import hook_docs
from personae.core.hookspecs import ObserverSpec
from personae.core.override import Override, chain, overrides_of
from personae.core.plugin import PluginError, checked_impls, refuse_class, spec_args
from personae.core.sync import Sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from personae.core.brand import Brand
    from personae.core.syscall import Sysent

Policy = Literal["disable", "keep", "panic"]
POLICIES: tuple[str, ...] = get_args(Policy)


@dataclass(frozen=True)
class Failure:
    """What a plugin did that it may not do.

    Attributes:
        plugin: Its name.
        hook: In which hook, or ``syscall NAME``.
        place: File and line that raised.
        error: What was raised.
        disabled: Whether the plugin was switched off for it.
    """

    plugin: str
    hook: str
    place: str
    error: str
    disabled: bool

    def __str__(self) -> str:
        end = "; it is switched off" if self.disabled else ""
        return f"plugin {self.plugin}: {self.hook} ({self.place}): {self.error}{end}"


class _Registered:
    """One plugin with its checked hooks."""

    __slots__ = ("hooks", "name", "overrides", "plugin")

    def __init__(self, name: str, plugin: object) -> None:
        self.name = name
        self.plugin = plugin
        self.hooks = checked_impls(ObserverSpec, plugin, f"plugin {name}")
        self.overrides: list[Override] = overrides_of(plugin, f"plugin {name}")


class Observers:
    """The plugins of one machine.

    ``obs.personae_proc_create`` is a tuple of callables; it is empty when nobody
    listens.

    Args:
        plugins: Names and plugins to begin with.
        policy: What becomes of a plugin that fails: ``disable`` switches it off,
            ``keep`` goes on calling it, ``panic`` ends the run.

    Attributes:
        failures: What plugins did wrong so far.
        notify: Told each failure as text.
        wrapped: Rows of system calls that plugins wrap: function, arguments.
        of_calls: Whether anybody watches or wraps system calls.
    """

    def __init__(
        self,
        plugins: Iterable[tuple[str, object]] = (),
        policy: str = "disable",
    ) -> None:
        if policy not in POLICIES:
            raise PluginError(
                f"policy {policy!r}: it is one of {', '.join(POLICIES)}, for plugins "
                "that fail"
            )
        self.policy = policy
        self.failures: list[Failure] = []
        self.notify: Callable[[str], None] | None = None
        self.wrapped: dict[Sysent, tuple[Callable[..., Any], int]] = {}
        self._brands: Mapping[str, Brand] | None = None
        self._plugins: dict[str, _Registered] = {}
        self.rebuild()
        for name, plugin in plugins:
            self.register(plugin, name)

    if TYPE_CHECKING:  # a class that has one looks every attribute up the slow way

        def __getattr__(self, name: str) -> tuple[Callable[..., Any], ...]: ...

    # ---- who is there ----

    def names(self) -> list[str]:
        """Names of the registered plugins, sorted."""
        return sorted(self._plugins)

    def get(self, name: str) -> object | None:
        """The plugin of that name, if it is registered."""
        entry = self._plugins.get(name)
        return None if entry is None else entry.plugin

    def name_of(self, plugin: object) -> str | None:
        """The name under which a plugin is registered, if it is."""
        for name, entry in self._plugins.items():
            if entry.plugin is plugin:
                return name
        return None

    def attach(self, brands: Mapping[str, Brand]) -> None:
        """The brands of the machine: whose system calls can be wrapped."""
        self._brands = brands
        self.rebuild()

    # ---- coming and going ----

    def register(self, plugin: object, name: str | None = None) -> str:
        """Add a plugin; the machine may run, between two steps.

        Returns:
            The name it is registered under.

        Raises:
            PluginError: It has a hook that does not exist, or a wrong argument; it
                wraps a system call that is not there; its name is taken.
        """
        label = name or getattr(plugin, "__name__", None) or type(plugin).__name__
        refuse_class(plugin, f"plugin {label}")
        was = self.name_of(plugin)
        if was is not None:
            raise PluginError(f"plugin {label}: it is registered already, as {was!r}")
        if label in self._plugins:
            if name is not None:
                raise PluginError(
                    f"plugin {name}: the name is taken; unregister the other one, or "
                    "give another name"
                )
            label = next(
                f"{label}-{n}"
                for n in range(2, 1 << 31)
                if f"{label}-{n}" not in self._plugins
            )
        entry = _Registered(label, plugin)
        self._plugins[label] = entry
        try:
            self.rebuild()
        except PluginError:
            del self._plugins[label]
            self.rebuild()
            raise
        return label

    def unregister(self, plugin: object) -> None:
        """Remove a plugin, given itself or its name; hooks in progress still finish.

        Raises:
            PluginError: It is not registered.
        """
        name = plugin if isinstance(plugin, str) else self.name_of(plugin)
        if name is None or name not in self._plugins:
            known = ", ".join(self.names()) or "none"
            raise PluginError(
                f"plugin {plugin!r} is not registered; there are: {known}"
            )
        del self._plugins[name]
        self.rebuild()

    def rebuild(self) -> None:
        """Make the flat tuples anew."""
        order = sorted(self._plugins.values(), key=lambda e: e.name)
        docs = hook_docs()
        for hook in spec_args(ObserverSpec):
            who = [
                (_rank(marks), self._guarded(fn, e.name, hook, docs[hook].fallible))
                for e in order
                if hook in e.hooks
                for fn, marks in (e.hooks[hook],)
            ]
            who.sort(key=lambda one: one[0])
            setattr(self, hook, tuple(fn for _, fn in who))
        self._rebuild_wrapped(order)
        self.of_calls = bool(
            self.personae_syscall_entry or self.personae_syscall_return or self.wrapped
        )

    def _rebuild_wrapped(self, order: list[_Registered]) -> None:
        """The first plugin is the outermost wrapper, so build from the last one."""
        wrapped: dict[Sysent, tuple[Callable[..., Any], int]] = {}
        for entry in reversed(order):
            for one in entry.overrides:
                if self._brands is not None:
                    guarded = self._guarded_call(one.fn, entry.name, one.name)
                    chain(wrapped, one, guarded, self._brands)
        self.wrapped = wrapped

    # ---- calling ----

    def _guarded(
        self, fn: Callable[..., Any], name: str, hook: str, fallible: bool
    ) -> Callable[..., None]:
        """A hook whose failures end here."""

        def call(*args: Any) -> None:
            try:
                fn(*args)
            except Panic:
                raise
            except Exception as e:
                if fallible and isinstance(e, KernelError):
                    raise
                self._failed(name, hook, e)

        return call

    def _guarded_call(
        self, fn: Callable[..., Any], name: str, call_name: str
    ) -> Callable[..., Any]:
        """A wrapper of a system call: what it may not raise makes the call fail."""

        def call(*args: Any) -> Any:
            try:
                return fn(*args)
            except (KernelError, Sleep, Panic):
                raise
            except Exception as e:
                self._failed(name, f"syscall {call_name}", e)
                raise KernelError(Errno.EIO, f"plugin {name} has failed") from e

        return call

    def _failed(self, name: str, hook: str, error: Exception) -> None:
        """Report a failure, and do what the policy says."""
        disable = self.policy == "disable" and name in self._plugins
        what = f"{type(error).__name__}: {error}" if str(error) else repr(error)
        failure = Failure(name, hook, raised_at(error), what, disable)
        self.failures.append(failure)
        if self.policy == "panic":
            raise HookPanic(str(failure)) from error
        if disable:
            self.unregister(name)
        if self.notify is not None:
            self.notify(str(failure))


def _rank(marks: Mapping[str, Any]) -> int:
    """Where an implementation goes: before, among, after the others."""
    return -bool(marks.get("tryfirst")) + bool(marks.get("trylast"))
