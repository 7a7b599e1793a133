"""Find the scheduling classes that are installed, by entry point ``personae.classes``.

TS and SYS are the kernel's own (``core.cls``).  An entry point names a callable
that makes the plugin of a class: each machine gets its own, since the plugin holds
the lists of the class.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from personae.core.cls import KERNEL_CLASSES, SchedClass
from personae.core.clsparms import ClassInfo
from personae.core.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "personae.classes"


def class_points() -> list[EntryPoint]:
    """Entry points of the installed classes, by name."""
    return sorted(entry_points(group=GROUP), key=lambda p: p.name)


def class_packages() -> set[str]:
    """Top-level packages that classes come from, which saved machines may name."""
    return {p.module.partition(".")[0] for p in class_points()}


def load_classes(names: Iterable[str] | None = None) -> list[SchedClass]:
    """Make the installed classes, for one machine.

    Args:
        names: Only these.

    Raises:
        PluginError: One can't be made; the text names it, its entry point and the
            reason.
    """
    wanted = None if names is None else set(names)
    return [load_class(p) for p in class_points() if wanted is None or p.name in wanted]


def load_class(point: EntryPoint) -> SchedClass:
    """Make the class of one entry point."""
    where = f"scheduling class {point.name} ({point.value})"
    if point.name in KERNEL_CLASSES:
        raise PluginError(f"{where}: the name is a class of the kernel's own")
    try:
        make: Any = point.load()
        plugin: object = make()
    except Exception as e:  # whatever a plugin's import does, the user is told
        raise PluginError(f"{where} can't be loaded: {type(e).__name__}: {e}") from e
    cls = SchedClass(point.name, plugin)
    info = cls.ops.cl_getclinfo()
    if not isinstance(info, ClassInfo) or info.name not in ("", point.name):
        raise PluginError(f"{where} calls itself {info!r}; both names have to be equal")
    return cls
