"""Find the brands that are installed, by entry point ``personae.brands``.

The kernel never imports a brand; this is where they come in.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from personae.core.brand import Brand
from personae.core.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "personae.brands"


def brand_points() -> list[EntryPoint]:
    """Entry points of the installed brands, by name."""
    return sorted(entry_points(group=GROUP), key=lambda p: p.name)


def load_brands(names: Iterable[str] | None = None) -> list[Brand]:
    """Load the installed brands.

    Args:
        names: Only these.

    Raises:
        PluginError: One can't be loaded; the text names it, its entry point and the
            reason.
    """
    wanted = None if names is None else set(names)
    return [load_brand(p) for p in brand_points() if wanted is None or p.name in wanted]


def load_brand(point: EntryPoint) -> Brand:
    """Load the brand of one entry point."""
    where = f"brand {point.name} ({point.value})"
    try:
        brand = point.load()
    except Exception as e:  # whatever a plugin's import does, the user is told
        raise PluginError(f"{where} can't be loaded: {type(e).__name__}: {e}") from e
    if not isinstance(brand, Brand):
        raise PluginError(
            f"{where} is a {type(brand).__name__}, and has to be an instance of "
            "personae.core.brand.Brand"
        )
    if brand.name != point.name:
        raise PluginError(
            f"{where} calls itself {brand.name}; both names have to be equal"
        )
    return brand
