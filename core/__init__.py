"""The kernel: generic fork machinery, zones and brands.  The public face.

    from personae.core import Machine

These are the everyday names; ``core.api`` lists them and those of the modules below.
They are loaded on first use, so that a command that needs none of them starts quickly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from personae.core._version import __version__

if __name__ != "personae.core":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.core, not {__name__}")

if TYPE_CHECKING:
    from personae.core.brand import Brand, DefaultOps
    from personae.core.conform import Calls, Conformance
    from personae.core.copyio import copyin, copyinstr, copyout
    from personae.core.errno import Errno, KernelError, Panic
    from personae.core.execrules import ExecRules
    from personae.core.hookspecs import API_VERSION, hookimpl, hookspec
    from personae.core.machine import Deadlock, Machine, MachineError, TimeLimit
    from personae.core.override import calls_of
    from personae.core.plugin import PluginError
    from personae.core.progstart import psabi_start
    from personae.core.savefile import SaveError
    from personae.core.signo import CldCode, Sig
    from personae.core.sync import CondVar, Sleep
    from personae.core.syscall import NORETURN, load_sysent, s32, s64
    from personae.core.zonerun import Completed, ZoneHandle

__all__ = [
    "API_VERSION",
    "NORETURN",
    "Brand",
    "Calls",
    "CldCode",
    "Completed",
    "CondVar",
    "Conformance",
    "Deadlock",
    "DefaultOps",
    "Errno",
    "ExecRules",
    "KernelError",
    "Machine",
    "MachineError",
    "Panic",
    "PluginError",
    "SaveError",
    "Sig",
    "Sleep",
    "TimeLimit",
    "ZoneHandle",
    "__version__",
    "calls_of",
    "copyin",
    "copyinstr",
    "copyout",
    "hookimpl",
    "hookspec",
    "load_sysent",
    "psabi_start",
    "s32",
    "s64",
]

_HOMES = {
    "brand": ("Brand", "DefaultOps"),
    "conform": ("Calls", "Conformance"),
    "copyio": ("copyin", "copyinstr", "copyout"),
    "errno": ("Errno", "KernelError", "Panic"),
    "execrules": ("ExecRules",),
    "hookspecs": ("API_VERSION", "hookimpl", "hookspec"),
    "machine": ("Deadlock", "Machine", "MachineError", "TimeLimit"),
    "override": ("calls_of",),
    "plugin": ("PluginError",),
    "progstart": ("psabi_start",),
    "savefile": ("SaveError",),
    "signo": ("CldCode", "Sig"),
    "sync": ("CondVar", "Sleep"),
    "syscall": ("NORETURN", "load_sysent", "s32", "s64"),
    "zonerun": ("Completed", "ZoneHandle"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
