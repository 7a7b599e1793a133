"""The hardware under the kernel: frames, Sv39 tables and RV64GC harts, in C.

This module is the typed face of ``include/hw.h``, which says what each call means.
Numbers go in and numbers come out; an error is a negative ``Err``, never an
exception.  It knows nothing of processes, files or brands.
"""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import TYPE_CHECKING

from personae.hw import _hw
from personae.hw._hw import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from personae.hw._entry import Entry
    from personae.hw._hw import CData

if __name__ != "personae.hw":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.hw, not {__name__}")

__all__ = [
    "CYCLE",
    "F0",
    "FCSR",
    "HW_R",
    "HW_W",
    "HW_X",
    "ID",
    "INSN_LEN",
    "INSTRET",
    "MAP_PRIVATE",
    "MAP_SHARED",
    "PAGE_SHIFT",
    "PAGE_SIZE",
    "PC",
    "TACCESS",
    "TVAL",
    "VA_TOP",
    "X0",
    "Access",
    "Err",
    "Machine",
    "Slice",
    "Stat",
    "Trap",
]

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
VA_TOP = 1 << 38

HW_R, HW_W, HW_X = 2, 4, 8
MAP_PRIVATE, MAP_SHARED = 0, 1

# slots of a context's view: the order of struct hw_ctx
X0, PC, FCSR, F0 = 0, 32, 33, 34
INSTRET, CYCLE, ID, TVAL, TACCESS, INSN_LEN = 66, 67, 68, 69, 70, 71
CTX_BYTES = 80 * 8

# slots of a slice's view: struct hw_slice behind its machine
S_HART, S_CTX, S_AS, S_END, S_COST, S_ECALLS = range(6)
SLICE_BYTES = 7 * 8


class Err(IntEnum):
    """``enum hw_err``."""

    OK = 0
    ENOMEM = -1
    EFAULT = -2
    EINVAL = -3
    E2BIG = -4


class Access(IntEnum):
    """``enum hw_access``."""

    LOAD = 0
    STORE = 1
    FETCH = 2


class Trap(IntEnum):
    """``enum hw_trap``: why ``run`` came back, or a copy stopped."""

    BUDGET = 0
    ECALL = 1
    EBREAK = 2
    ILLEGAL = 3
    MISALIGNED = 4
    ASK = 5
    PROT = 6
    UNMAPPED = 7
    NOMEM = 8
    AMO_MISALIGNED = 9
    LOGFULL = 10


class Stat(IntEnum):
    """``enum hw_stat``."""

    FRAMES_TOTAL = 0
    FRAMES_USED = 1
    FRAMES_PEAK = 2
    TABLES = 3
    SPACES = 4
    CTXS = 5
    ZEROFILLS = 6
    COWS = 7
    REOWNS = 8
    UNSHARES = 9
    TLB_FILLS = 10
    DECODES = 11


_new_raw = ffi.new_allocator(should_clear_after_alloc=False)
_SCRATCH = 4096


def _entry_type() -> type[Entry]:
    """The type ``Entry``, of the second module in cffi's shared object."""
    name = "personae.hw._entry"
    loader = ExtensionFileLoader(name, _hw.__file__)
    spec = spec_from_loader(name, loader)
    assert spec is not None
    try:
        module = module_from_spec(spec)
    except ImportError as e:
        raise ImportError(
            f"{_hw.__file__} is older than {__file__}; build it again: "
            "python setup.py build_ext --inplace"
        ) from e
    loader.exec_module(module)
    entry: type[Entry] = module.Entry
    return entry


_Entry = _entry_type()


def _address(p: CData) -> int:
    return int(ffi.cast("uintptr_t", p))


def _keep(machine: CData, ctx: CData) -> None:
    """Destructor of a context's pointer: it only kept the machine alive."""


class Slice:
    """What one hart runs and until when (``struct hw_slice``).

    Attributes:
        view: Its six words, in the order of the ``S_`` slots.
        go: go(result) runs until a trap or the end of the slice.  First, unless it is
            None, ``result`` goes to a0 and the pc past the ecall.  Returns the number
            of a system call, or -1 - Trap.
    """

    def __init__(self, machine: CData, hart: int) -> None:
        self._machine = machine
        self._s = ffi.new("struct hw_slice *", {"m": machine, "hart": hart})
        self.view = memoryview(ffi.buffer(self._s, SLICE_BYTES))[8:].cast("Q")
        entry = _Entry(_address(machine), _address(self._s), (machine, self._s))
        self.go: Callable[[int | None], int] = entry.go


class Machine:
    """One hardware machine.

    Most attributes are the C functions of ``hw.h`` with the machine bound, so that a
    call costs no Python frame; their arguments are positional.
    """

    def __init__(self, mem_bytes: int, nharts: int = 1) -> None:
        """Make a machine of ``mem_bytes`` of memory that costs what it uses."""
        self._bind(lib.hw_create(mem_bytes, nharts))

    def _bind(self, m: CData) -> None:
        if m == ffi.NULL:
            raise MemoryError("no host memory for the machine")
        self._m = m = ffi.gc(m, lib.hw_destroy)
        self._views: dict[int, memoryview] = {}
        self._slices: dict[int, Slice] = {}
        self._scratch = ffi.new("char[]", _SCRATCH)
        self._scratch_buf = ffi.buffer(self._scratch, _SCRATCH)
        self.stat: Callable[[int], int] = partial(lib.hw_stat, m)
        """stat(Stat.X) -> count"""
        self.run: Callable[[int, int, int, int], int] = partial(lib.hw_run, m)
        """run(hart, ctx, as_, budget) -> Trap"""
        self.fault_addr: Callable[[], int] = partial(lib.hw_fault_addr, m)
        self.fault_trap: Callable[[], int] = partial(lib.hw_fault_trap, m)
        self.log_len: Callable[[], int] = partial(lib.hw_log_len, m)
        self._log_room, self._log_buf = 0, ffi.NULL
        self._bind_entry(m)
        self._bind_frames(m)
        self._bind_spaces(m)

    def _bind_entry(self, m: CData) -> None:
        """The hot ones, which do not go through cffi (entry/entry.c)."""
        entry = _Entry(_address(m), 0, m)
        self.ctx_alloc = entry.ctx_alloc
        self.ctx_free = entry.ctx_free
        self._ctx_live = entry.ctx_live
        self.as_clone = entry.as_clone
        """as_clone(as_, acct) -> as_, 0: no memory"""
        self.as_destroy = entry.as_destroy
        self.copyin = entry.copyin
        """copyin(as_, va, n) -> bytes; fewer: see ``fault_addr`` and ``fault_trap``"""
        self.copyout = entry.copyout
        """copyout(as_, va, data) -> bytes done, fewer as in ``copyin``"""

    def _bind_frames(self, m: CData) -> None:
        self.acct_create: Callable[[int], int] = partial(lib.hw_acct_create, m)
        """acct_create(limit_frames) -> account, 0: none left"""
        self.acct_destroy: Callable[[int], None] = partial(lib.hw_acct_destroy, m)
        self.acct_limit: Callable[[int, int], None] = partial(lib.hw_acct_limit, m)
        """acct_limit(acct, limit_frames)"""
        self.acct_used: Callable[[int], int] = partial(lib.hw_acct_used, m)
        self.frame_alloc: Callable[[int], int] = partial(lib.hw_frame_alloc, m)
        """frame_alloc(acct) -> pfn, 0: none"""
        self.frame_hold: Callable[[int], None] = partial(lib.hw_frame_hold, m)
        self.frame_rele: Callable[[int], None] = partial(lib.hw_frame_rele, m)
        self.frame_refs: Callable[[int], int] = partial(lib.hw_frame_refs, m)

    def _bind_spaces(self, m: CData) -> None:
        self.as_create: Callable[[int], int] = partial(lib.hw_as_create, m)
        """as_create(acct) -> as_, 0: no memory"""
        self.map_zero: Callable[[int, int, int, int], int] = partial(lib.hw_map_zero, m)
        """map_zero(as_, va, len, prot) -> Err"""
        self.map_ask: Callable[[int, int, int, int, int], int] = partial(
            lib.hw_map_ask, m
        )
        """map_ask(as_, va, len, prot, flags) -> Err"""
        self.unmap: Callable[[int, int, int], int] = partial(lib.hw_unmap, m)
        """unmap(as_, va, len) -> Err"""
        self.protect: Callable[[int, int, int, int], int] = partial(lib.hw_protect, m)
        """protect(as_, va, len, prot) -> Err"""
        self.move: Callable[[int, int, int, int], int] = partial(lib.hw_move, m)
        """move(as_, from, to, len) -> Err"""
        self.pte: Callable[[int, int], int] = partial(lib.hw_pte, m)
        """pte(as_, va) -> entry, 0: none"""
        self.pte_frame: Callable[[int, int], int] = partial(lib.hw_pte_frame, m)
        """pte_frame(as_, va) -> pfn, 0: none"""
        self.as_root: Callable[[int], int] = partial(lib.hw_as_root, m)
        self.as_resident: Callable[[int], int] = partial(lib.hw_as_resident, m)

    # ---- the machine as a whole ----

    @classmethod
    def _wrap(cls, m: CData) -> Machine:
        self = cls.__new__(cls)
        self._bind(m)
        return self

    def clone(self) -> Machine:
        """Return an independent copy."""
        return self._wrap(lib.hw_clone(self._m))

    def save(self) -> bytes:
        """Return the machine as bytes for ``load``."""
        n = lib.hw_save_size(self._m)
        p = _new_raw("uint8_t[]", n)
        lib.hw_save(self._m, p, n)
        return ffi.buffer(p, n)[:]

    @classmethod
    def load(cls, image: bytes) -> Machine | None:
        """Make the machine that was saved; None: ``image`` is not one."""
        m = lib.hw_load(image, len(image))
        return None if m == ffi.NULL else cls._wrap(m)

    def __reduce__(self) -> tuple[Callable[[bytes], Machine | None], tuple[bytes]]:
        """Pickle as the saved image."""
        return (type(self).load, (self.save(),))

    # ---- memory ----

    def frame_read(self, pfn: int, off: int, n: int) -> bytes:
        """Return n bytes of a frame; b"" if there is no such range."""
        got = lib.hw_frame_read(self._m, pfn, off, self._scratch, n)
        return self._scratch_buf[:n] if got == 0 else b""

    def frame_write(self, pfn: int, off: int, data: bytes) -> int:
        """Store ``data`` into a frame -> Err."""
        return lib.hw_frame_write(self._m, pfn, off, data, len(data))

    def map_frames(
        self, as_: int, va: int, pfns: Sequence[int], prot: int, flags: int
    ) -> int:
        """Map and hold one frame a page; pfn 0: a page to ask the kernel for -> Err."""
        return lib.hw_map_frames(self._m, as_, va, len(pfns), pfns, prot, flags)

    def copyinstr(self, as_: int, va: int, limit: int) -> bytes | int:
        """Return the string at va without its NUL, or Err.EFAULT or Err.E2BIG.

        The NUL has to be among the first ``limit`` bytes.
        """
        p = self._scratch if limit <= _SCRATCH else _new_raw("char[]", limit)
        got = lib.hw_copyinstr(self._m, as_, va, p, limit)
        return ffi.buffer(p, got)[:] if got >= 0 else got

    # ---- contexts and log ----

    def ctx_view(self, ctx: int) -> memoryview:
        """Return the 80 slots of a context; the view keeps the machine alive."""
        if not self._ctx_live(ctx):
            raise ValueError(f"no context {ctx}")
        view = self._views.get(ctx)
        if view is None:  # a context keeps its place, whoever has it
            p = ffi.gc(lib.hw_ctx_at(self._m, ctx), partial(_keep, self._m))
            view = memoryview(ffi.buffer(p, CTX_BYTES)).cast("Q")
            self._views[ctx] = view
        return view

    def slice(self, hart: int) -> Slice:
        """Return the slice of a hart, the same each time."""
        got = self._slices.get(hart)
        if got is None:
            got = self._slices[hart] = Slice(self._m, hart)
        return got

    def log(self, rec: bytes) -> None:
        """Append a record to the event log."""
        lib.hw_log(self._m, rec, len(rec))

    def log_fold(self, update: Callable[[memoryview], None]) -> int:
        """Move all of the event log out, to ``update`` unless it is empty -> bytes."""
        n = self.log_len()
        if n == 0:
            return 0
        if n > self._log_room:  # kept: memory that is new each time costs faults
            self._log_room, self._log_buf = n, _new_raw("uint8_t[]", n)
        lib.hw_log_take(self._m, self._log_buf, n)
        update(memoryview(ffi.buffer(self._log_buf, n)))
        return n

    def log_take(self) -> bytes:
        """Move all of the event log out."""
        n = lib.hw_log_len(self._m)
        p = _new_raw("uint8_t[]", n)
        return ffi.buffer(p, lib.hw_log_take(self._m, p, n))[:]
