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
