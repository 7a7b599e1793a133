"""Find the brands that are installed, by entry point ``personae.brands``.

The kernel never imports a brand; this is where they come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.brand import Brand
from personae.core.plugin import PluginError
from personae.core.points import package_of, refuse_doubles, sorted_points

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

GROUP = "personae.brands"


def brand_points() -> list[EntryPoint]:
    """Entry points of the installed brands, by name."""
    return sorted_points(GROUP)


def load_brands(names: Iterable[str] | None = None) -> list[Brand]:
    """Load the installed brands.

    Args:
        names: Only these.

    Raises:
        PluginError: One can't be loaded; the text names it, its entry point and the
            reason.
    """
    wanted = None if names is None else set(names)
    points = [p for p in brand_points() if wanted is None or p.name in wanted]
    refuse_doubles(points, "brand")
    return [load_brand(p) for p in points]


def load_brand(point: EntryPoint) -> Brand:
    """Load the brand of one entry point."""
    where = f"brand {point.name} ({point.value}, {package_of(point)})"
    try:
        brand = point.load()
    except Exception as e:  # whatever a plugin's import does, the user is told
        raise PluginError(
            f"{where} can't be loaded: {type(e).__name__}: {e}; mend its package, or "
            "uninstall it"
        ) from e
    if not isinstance(brand, Brand):
        what = f"of type {type(brand).__name__}"
        if isinstance(brand, type):
            what = f"the class {brand.__name__}"
        raise PluginError(
            f"{where} is {what}, and has to be an instance of personae.core.Brand"
        )
    if brand.name != point.name:
        raise PluginError(
            f"{where} calls itself {brand.name}; both names have to be equal"
        )
    return brand
