"""A machine as bytes and back: pickling with a short list of what may come in.

The kernel is plain data, so pickle carries it; brands and system-call rows are
written by name and found again among the brands of the loading program, and
the hardware is its own image.  Loading resolves classes of personae and of the
given brands only, so that a file can't name any other code.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from personae import hw
from personae.core.brand import Brand
from personae.core.classes import class_packages
from personae.core.contracts import contract_packages
from personae.core.syscall import Sysent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.kernel import Kernel

MAGIC = b"personae machine 1\n"
PLAIN = {
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "bytearray"),
    ("builtins", "object"),
    ("builtins", "int"),
    ("collections", "deque"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("copyreg", "_reconstructor"),
    ("_codecs", "encode"),
}


class SaveError(Exception):
    """A file is no machine, or not one that can be loaded here; the text says why."""


def _by_value(member: Enum) -> tuple[type, tuple[Any, ...]]:
    return type(member), (member.value,)


class _Reducers(dict[type, Any]):
    """How enum members are written: by value.  Some Pythons would name getattr."""

    def __missing__(self, cls: type) -> Any:
        if not issubclass(cls, Enum):
            raise KeyError(cls)
        self[cls] = _by_value
        return _by_value


class _Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, kernel: Kernel) -> None:
        super().__init__(out, protocol=4)
        self.dispatch_table = _Reducers(copyreg.dispatch_table)
        self._rows = {
            id(ent): ("sysent", b.name, ent.number)
            for b in kernel.brands.brands.values()
            for ent in b.sysent.values()
        }

    def persistent_id(self, obj: Any) -> Any:
        """Name what is found again by name."""
        if isinstance(obj, Brand):
            return ("brand", obj.name)
        if isinstance(obj, Sysent):
            return self._rows[id(obj)]
        if isinstance(obj, hw.Machine):
            return ("hw",)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(
        self, data: io.BytesIO, machine: hw.Machine, brands: Iterable[Brand]
    ) -> None:
        super().__init__(data)
        self._hw = machine
        self._brands = {b.name: b for b in brands}
        self._classes_known = False
        self._packages = {"personae"} | {
            type(b.plugin).__module__.partition(".")[0] for b in self._brands.values()
        }

    def persistent_load(self, pid: Any) -> Any:
        """Find again what was named."""
        if pid[0] == "hw":
            return self._hw
        brand = self._brands.get(pid[1])
        if brand is None:
            raise SaveError(
                f"the machine has zones of brand {pid[1]!r}, which is not installed "
                "here"
            )
        return brand if pid[0] == "brand" else brand.sysent[pid[2]]

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a class of personae or of a plugin's package, nothing else.

        The plugins are the given brands and the installed scheduling classes.
        """
        if (module, name) in PLAIN:
            return super().find_class(module, name)
        if self._ours(module):
            got = super().find_class(module, name)
            if self._ours(getattr(got, "__module__", "")):
                return got
        raise SaveError(f"the file names {module}.{name}, which is no kernel state")

    def _ours(self, module: str) -> bool:
        """Whether a module is personae's, a brand's or a scheduling class'."""
        package = module.partition(".")[0]
        if package not in self._packages and not self._classes_known:
            self._classes_known = True
            self._packages |= class_packages() | contract_packages()
        return package in self._packages


def dump(kernel: Kernel, level: int = 1) -> bytes:
    """The machine as bytes.

    Args:
        kernel: A kernel in which no lwp runs at this moment.
        level: zlib level; 0 is quick, for snapshots in memory.
    """
    out = io.BytesIO()
    _Pickler(out, kernel).dump(kernel)
    state, image = out.getvalue(), kernel.hw.save()
    return MAGIC + zlib.compress(
        len(state).to_bytes(8, "little") + state + image, level
    )


def load(data: bytes, brands: Iterable[Brand]) -> Kernel:
    """The machine that ``dump`` wrote.

    Raises:
        SaveError: It is none, it is damaged, or it needs a brand that is not here.
    """
    if not data.startswith(MAGIC):
        raise SaveError("not a saved machine (or of another version of personae)")
    try:
        raw = zlib.decompress(data[len(MAGIC) :])
    except zlib.error as e:
        raise SaveError(f"damaged: {e}") from e
    n = int.from_bytes(raw[:8], "little")
    machine = hw.Machine.load(raw[8 + n :])
    if machine is None:
        raise SaveError("damaged: the hardware image does not check")
    try:
        kernel: Kernel = _Unpickler(io.BytesIO(raw[8 : 8 + n]), machine, brands).load()
    except (pickle.UnpicklingError, AttributeError, EOFError, IndexError) as e:
        raise SaveError(f"damaged: {e}") from e
    kernel.rebind()
    return kernel
