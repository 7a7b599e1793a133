"""hw.h, hw.cdef, _hw.pyi and hw/__init__.py say the same."""

import re
from enum import IntEnum
from pathlib import Path

import pytest

import personae.hw
from personae.hw import Access, Err, Machine, Stat, Trap
from personae.hw._hw import lib

HERE = Path(personae.hw.__file__).parent


def declarations(text: str) -> list[str]:
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return [" ".join(d.split()) for d in re.split(r";|}", text) if d.strip()]


@pytest.mark.skipif(not (HERE / "hw.cdef").exists(), reason="installed without sources")
def test_the_cdef_is_the_header() -> None:
    header = (HERE / "include" / "hw.h").read_text(encoding="utf-8")
    cdef = (HERE / "hw.cdef").read_text(encoding="utf-8")
    assert declarations(header) == declarations(cdef)


@pytest.mark.skipif(not (HERE / "_hw.pyi").exists(), reason="no stub")
def test_the_stub_has_every_function() -> None:
    stub = (HERE / "_hw.pyi").read_text(encoding="utf-8")
    functions = {n for n in dir(lib) if callable(getattr(lib, n))}
    assert functions == set(re.findall(r"def (hw_\w+)", stub))


@pytest.mark.parametrize(
    ("enum", "prefix"),
    [
        (Err, "HW_"),
        (Access, "HW_"),
        (Trap, "HW_TRAP_"),
        (Stat, "HW_STAT_"),
    ],
)
def test_enums_have_the_values_of_the_header(enum: type[IntEnum], prefix: str) -> None:
    assert {e.name: getattr(lib, prefix + e.name) for e in enum} == {
        e.name: e.value for e in enum
    }


def test_constants_have_the_values_of_the_header() -> None:
    ours = personae.hw
    assert (lib.HW_R, lib.HW_W, lib.HW_X) == (ours.HW_R, ours.HW_W, ours.HW_X)
    assert lib.HW_PAGE_SIZE == ours.PAGE_SIZE
    assert lib.HW_MAP_SHARED == ours.MAP_SHARED
    assert 1 << lib.HW_VA_BITS == ours.VA_TOP


def test_a_context_view_shows_and_sets_registers(hw: Machine) -> None:
    ctx = hw.ctx_alloc()
    view = hw.ctx_view(ctx)
    view[personae.hw.PC] = 0x1000
    view[10] = (1 << 64) - 1
    again = hw.ctx_view(ctx)
    assert [len(again), again[32], again[10]] == [80, 0x1000, (1 << 64) - 1]


def test_a_context_is_zero_when_it_is_given_out_again(hw: Machine) -> None:
    first = hw.ctx_alloc()
    second = hw.ctx_alloc()
    hw.ctx_view(first)[5] = 7
    hw.ctx_free(first)
    assert hw.stat(Stat.CTXS) == 1
    with pytest.raises(ValueError, match="no context"):
        hw.ctx_view(first)
    assert hw.ctx_alloc() == first != second
    assert hw.ctx_view(first)[5] == 0


def test_many_contexts_stay_where_they_are(hw: Machine) -> None:
    views = {}
    for _ in range(100):
        ctx = hw.ctx_alloc()
        views[ctx] = hw.ctx_view(ctx)
        views[ctx][personae.hw.ID] = ctx
    assert {c: hw.ctx_view(c)[68] for c in views} == {c: c for c in views}


def test_a_view_outlives_the_machine_object() -> None:
    hw = Machine(1 << 20)
    view = hw.ctx_view(hw.ctx_alloc())
    view[1] = 5
    del hw
    assert view[1] == 5


def test_the_log_keeps_whole_records_in_order(hw: Machine) -> None:
    records = [bytes([i % 256]) * (i % 50) for i in range(50_000)]
    for rec in records:
        hw.log(rec)
    assert hw.log_len() == sum(map(len, records)) > 1 << 20
    assert hw.log_take() == b"".join(records)
    assert hw.log_take() == b""


def test_a_machine_needs_memory_and_a_hart() -> None:
    for mem, harts in ((0, 1), (4096, 1), (1 << 20, 0), (1 << 20, 1000)):
        with pytest.raises(MemoryError):
            Machine(mem, harts)


def test_a_result_goes_to_a0_and_past_the_ecall(hw: Machine) -> None:
    """``go`` ends a call, runs on, and names the next call or the trap."""
    space = hw.as_create(0)
    code = bytes.fromhex("7300000093089005730000009308800573001000")
    assert hw.map_zero(space, 0x1000, 4096, 14) == 0
    assert hw.copyout(space, 0x1000, code) == len(code)
    ctx = hw.ctx_alloc()
    regs = hw.ctx_view(ctx)
    regs[personae.hw.PC], regs[17] = 0x1000, 7
    part = hw.slice(0)
    part.view[personae.hw.S_CTX], part.view[personae.hw.S_AS] = ctx, space
    part.view[personae.hw.S_END] = 1000
    assert part.go(None) == 7
    assert (part.go(-2), regs[10], regs[personae.hw.PC]) == (89, 2**64 - 2, 0x1008)
    assert (part.go(2**64 + 5), regs[10]) == (-1 - Trap.EBREAK, 5)
    assert part.view[personae.hw.S_ECALLS] == 2
    part.view[personae.hw.S_END] = 0
    assert part.go(None) == -1 - Trap.BUDGET
    hw.ctx_free(ctx)
    with pytest.raises(SystemError, match="no context"):
        part.go(None)


@pytest.mark.parametrize(
    ("call", "args", "error"),
    [
        ("as_clone", (1,), TypeError),
        ("as_clone", (1, "a"), TypeError),
        ("as_clone", (1 << 32, 0), OverflowError),
        ("as_destroy", (-1,), OverflowError),
        ("ctx_free", (1 << 40,), OverflowError),
        ("copyin", (1, 0, -1), OverflowError),
        ("copyin", (1 << 32, 0, 1), OverflowError),
        ("copyout", (1, 0), TypeError),
        ("copyout", (1, 0, "text"), TypeError),
        ("copyout", (1 << 32, 0, b""), OverflowError),
    ],
)
def test_wrong_arguments_are_refused(
    hw: Machine, call: str, args: tuple[object, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        getattr(hw, call)(*args)


def test_an_entry_keeps_its_machine() -> None:
    """A call outlives the object that it was taken from."""
    alloc = Machine(1 << 20).ctx_alloc
    assert alloc() == 1
    assert alloc() == 2


def test_the_log_is_folded_whole(hw: Machine) -> None:
    got: list[bytes] = []
    assert hw.log_fold(lambda v: got.append(bytes(v))) == 0
    hw.log(b"x" * 100)
    hw.log(b"y" * 10)
    assert hw.log_fold(lambda v: got.append(bytes(v))) == 110
    hw.log(b"z")
    assert hw.log_fold(lambda v: got.append(bytes(v))) == 1
    assert got == [b"x" * 100 + b"y" * 10, b"z"]
    assert hw.log_len() == 0
