"""Find the plugins that are installed, by entry point ``personae.plugins``.

An entry point names one of these:

* a ``PluginPoint``: how to make the plugin, and the class of its options, which is
  the schema of its table ``[plugin.NAME]``;
* a function that takes the whole configuration and answers the plugin;
* the plugin itself: a module, or an instance with ``@hookimpl`` methods.

A class is refused: its hooks would have no ``self``.  Plugins are taken in the order
of their names, whatever order they were installed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from personae.core.blame import raised_at
from personae.core.config.errors import ConfigError, did_you_mean
from personae.core.hookspecs import API_VERSION
from personae.core.plugin import PluginError, impls_of

if TYPE_CHECKING:
    from personae.core.config.schema import Config

GROUP = "personae.plugins"


@dataclass(frozen=True)
class PluginPoint:
    """What an entry point of a plugin names.

    Args:
        make: Called with the configuration and the options.
        options: A dataclass: the keys of ``[plugin.NAME]``, with their types and the
            marks of ``personae.core.config.markers``; None for a plugin without.
        api: The API version that it was written for.
    """

    make: Callable[[Config, Any], object]
    options: type | None = None
    api: int = API_VERSION


def package_of(point: EntryPoint) -> str:
    """Name and version of the distribution that an entry point is of."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "no package"


def sorted_points(group: str) -> list[EntryPoint]:
    """The entry points of a group by name, whatever order they are found in."""
    return sorted(entry_points(group=group), key=lambda p: (p.name, p.value))


def refuse_doubles(points: Sequence[EntryPoint], what: str) -> None:
    """Two packages can't provide the same name.

    Raises:
        PluginError: Two do; the text names both.
    """
    for one, other in pairwise(points):
        if one.name == other.name:
            raise PluginError(
                f"two packages provide {what} {one.name!r}: {package_of(one)} "
                f"({one.value}) and {package_of(other)} ({other.value}); uninstall one"
            )


def plugin_points() -> list[EntryPoint]:
    """Entry points of the installed plugins, by name."""
    return sorted_points(GROUP)


def load_point(point: EntryPoint) -> object:
    """What a plugin's entry point names.

    Raises:
        PluginError: It can't be imported, or is nothing that can be a plugin.
    """
    where = where_of(point)
    try:
        found: object = point.load()
    except Exception as e:  # whatever a plugin's import does, the user is told
        raise PluginError(
            f"{where} can't be loaded: {type(e).__name__}: {e}; its package has to "
            "be mended, or leave it out with -p no:" + point.name
        ) from e
    if isinstance(found, type):
        raise PluginError(
            f"{where} names the class {found.__name__}; let it name a PluginPoint, a "
            "function that takes the configuration, a module or an instance"
        )
    if isinstance(found, PluginPoint):
        if found.api != API_VERSION:
            raise PluginError(
                f"{where}: written for API version {found.api}, this is {API_VERSION}; "
                "update its package, or personae"
            )
        if found.options is not None and not is_dataclass(found.options):
            raise PluginError(
                f"{where}: its options are {found.options!r}, and have to be a "
                "dataclass"
            )
    elif not impls_of(found) and not callable(found):
        raise PluginError(
            f"{where} is of type {type(found).__name__}, without any @hookimpl "
            "function; let it name a PluginPoint, a function, a module or an instance"
        )
    return found


def where_of(point: EntryPoint) -> str:
    """How a plugin is named in messages."""
    return f"plugin {point.name} ({point.value}, {package_of(point)})"


def options_of(point: EntryPoint) -> type | None:
    """The class of a plugin's options; None if it does not say, or can't be loaded."""
    try:
        found = load_point(point)
    except PluginError:  # told when somebody wants to use it
        return None
    return found.options if isinstance(found, PluginPoint) else None


def load_plugin(name: str, config: Config) -> object:
    """Make the plugin of that name.

    Raises:
        PluginError: It is not installed, or does not load; the text says which.
        ConfigError: Its table in the file is wrong.
    """
    points = plugin_points()
    refuse_doubles(points, "plugin")
    point = next((p for p in points if p.name == name), None)
    if point is None:
        hint = did_you_mean(name, [p.name for p in points])
        raise PluginError(f"no plugin {name!r} is installed ({hint})")
    found = load_point(point)
    try:
        if isinstance(found, PluginPoint):
            return found.make(config, read_options(found, name, config))
        if impls_of(found):
            return found
        plugin: object = found(config)  # type: ignore[operator]
    except (PluginError, ConfigError):
        raise
    except Exception as e:  # whatever a plugin does, the user is told
        raise PluginError(
            f"{where_of(point)} can't be made: {type(e).__name__}: {e} "
            f"({raised_at(e)}); mend its package, or leave it out with -p no:{name}"
        ) from e
    if plugin is None:
        text = (
            f"{where_of(point)}: its function answers None; it has to return a plugin"
        )
        raise PluginError(text)
    return plugin


def read_options(point: PluginPoint, name: str, config: Config) -> Any:
    """The options of a plugin out of its table ``[plugin.NAME]``.

    Raises:
        ConfigError: They are wrong; every error with its line.
    """
    if point.options is None:
        return None
    from personae.core.config.walker import Walk

    walk = Walk(lambda path: config.locate(*path), lambda _path: "")
    table = config.plugin_tables.get(name, {})
    options = walk.table(point.options, table, ("plugin", name))
    if walk.problems:
        raise ConfigError(walk.problems)
    return options


def wanted(config: Config, picks: Sequence[str] = ()) -> list[str]:
    """Names of the plugins to load, sorted.

    Args:
        config: The file: ``plugins.enable`` without ``plugins.disable``, and the
            plugin ``faults`` if there is a ``[[fault]]``.
        picks: ``-p`` of the command line: NAME loads it as well, no:NAME does not.
    """
    names = set(config.plugins.enable)
    if config.faults:
        names.add("faults")
    names -= set(config.plugins.disable)
    for pick in picks:
        if pick.startswith("no:"):
            names.discard(pick.removeprefix("no:"))
        else:
            names.add(pick)
    return sorted(names)
