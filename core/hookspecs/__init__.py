"""The catalogue of hook points.

Two kinds, never mixed:

* **Operations** (``BrandSpec``, ``ClassSpec``, ``ContractSpec``): one
  implementation, chosen by the object the kernel works on.  Each brand and each
  scheduling class is checked by itself and bound once into a vector; the kernel
  calls the vector.
* **Observers** (``ObserverSpec``): broadcast to every registered plugin.  Nobody
  listening costs one attribute test.

Each spec has four fields in its docstring, which ``personae hooks`` prints and
``core.hookdoc`` reads: *When* it runs, which *Locks* are held, whether it *May
fail* and what comes of that, and its *Source*: the place in fork.c, or the header or
manual page that it comes from.  An implementation may take fewer arguments than
the spec names.
"""

from __future__ import annotations

from personae.core.hookspecs.brand import BrandSpec
from personae.core.hookspecs.contract import ContractSpec
from personae.core.hookspecs.marks import API_VERSION, PROJECT, hookimpl, hookspec
from personae.core.hookspecs.observer import ObserverSpec
from personae.core.hookspecs.sched import ClassSpec

__all__ = [
    "API_VERSION",
    "PROJECT",
    "SPECS",
    "BrandSpec",
    "ClassSpec",
    "ContractSpec",
    "ObserverSpec",
    "hookimpl",
    "hookspec",
]

SPECS: tuple[type, ...] = (BrandSpec, ClassSpec, ContractSpec, ObserverSpec)
"""All of them, in the order in which they are printed."""
