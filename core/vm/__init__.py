"""Virtual memory: address spaces, segments, and the break.

The public face for the rest of the core and for brands.
"""

from personae.core.vm.anon import AnonMap
from personae.core.vm.as_ import As, Mapping, as_dup, as_free
from personae.core.vm.heap import brk
from personae.core.vm.layout import (
    MMAP_MIN_ADDR,
    PAGE,
    STACK_TOP,
    USER_TOP,
    Fault,
    MapFlag,
    Prot,
    RemapFlag,
    page_down,
    page_up,
)
from personae.core.vm.seg import Seg, SegAnon, SegVn, SegZero

__all__ = [
    "MMAP_MIN_ADDR",
    "PAGE",
    "STACK_TOP",
    "USER_TOP",
    "AnonMap",
    "As",
    "Fault",
    "MapFlag",
    "Mapping",
    "Prot",
    "RemapFlag",
    "Seg",
    "SegAnon",
    "SegVn",
    "SegZero",
    "as_dup",
    "as_free",
    "brk",
    "page_down",
    "page_up",
]
