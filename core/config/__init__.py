"""The configuration of a machine: TOML in, validated plain data out.

``load`` reads a file; what it returns is described by the classes of
``schema``.  Every error of a file is reported at once, each with its line.
The names are imported on first use: ``personae run`` needs only ``units``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.core.config.errors import ConfigError, Problem, Where
    from personae.core.config.reading import load, loads
    from personae.core.config.rules import Known
    from personae.core.config.schema import Config

__all__ = ["Config", "ConfigError", "Known", "Problem", "Where", "load", "loads"]

_HOMES = {
    "Config": "schema",
    "ConfigError": "errors",
    "Known": "rules",
    "Problem": "errors",
    "Where": "errors",
    "load": "reading",
    "loads": "reading",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
        return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
