"""The kernel: generic fork machinery, zones and brands.  The public face.

    from personae.core import Machine

Names are loaded on first use, so that a command that needs none of them starts
quickly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from personae.core._version import __version__

if __name__ != "personae.core":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.core, not {__name__}")

if TYPE_CHECKING:
    from personae.core.brand import Brand, DefaultOps
    from personae.core.errno import Errno, KernelError, Panic
    from personae.core.hookspecs import API_VERSION, hookimpl, hookspec
    from personae.core.machine import Deadlock, Machine, MachineError, TimeLimit
    from personae.core.plugin import PluginError
    from personae.core.savefile import SaveError
    from personae.core.signo import Sig
    from personae.core.syscall import NORETURN, load_sysent
    from personae.core.zonerun import Completed, ZoneHandle

__all__ = [
    "API_VERSION",
    "NORETURN",
    "Brand",
    "Completed",
    "Deadlock",
    "DefaultOps",
    "Errno",
    "KernelError",
    "Machine",
    "MachineError",
    "Panic",
    "PluginError",
    "SaveError",
    "Sig",
    "TimeLimit",
    "ZoneHandle",
    "__version__",
    "hookimpl",
    "hookspec",
    "load_sysent",
]

_HOMES = {
    "brand": ("Brand", "DefaultOps"),
    "errno": ("Errno", "KernelError", "Panic"),
    "hookspecs": ("API_VERSION", "hookimpl", "hookspec"),
    "machine": ("Deadlock", "Machine", "MachineError", "TimeLimit"),
    "plugin": ("PluginError",),
    "savefile": ("SaveError",),
    "signo": ("Sig",),
    "syscall": ("NORETURN", "load_sysent"),
    "zonerun": ("Completed", "ZoneHandle"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
