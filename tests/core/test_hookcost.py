"""What a hook costs: no frame between the kernel and an operation, and the figures."""

from __future__ import annotations

from typing import Any

import pytest

from bench.hooks import measure, verdicts
from personae.core.brands import load_brands
from personae.core.hookspecs import BrandSpec
from personae.core.plugin import adapter, spec_args, widened


@pytest.mark.parametrize("brand", load_brands(), ids=lambda b: b.name)
def test_operations_are_called_as_they_are(brand: Any) -> None:
    """No adapter stands between: the vector holds the brand's own functions."""
    between = [
        hook
        for hook in spec_args(BrandSpec)
        if getattr(brand.ops, hook).__name__ == "<lambda>"
    ]
    assert between == []


@pytest.mark.alone
def test_the_promised_figures() -> None:
    """The least of a few runs; a busy machine gets more of them."""
    found: list[tuple[str, float, float]] = []
    for _ in range(25):
        found = verdicts(measure(60))
        if all(figure <= goal for _, figure, goal in found):
            return
    pytest.fail(str(found))


class Impl:
    """Implementations that take less than they are given."""

    def first(self, a: int) -> tuple[object, int]:
        return self, a

    def none(self) -> object:
        return self

    def with_local(self, a: int) -> list[int]:
        out = [a]
        return out

    def with_cell(self, a: int) -> list[int]:
        return [a for _ in range(2)] if a else [b + a for b in (1,)]

    def with_default(self, a: int, b: int = 5) -> int:
        return a + b

    def second(self, b: int) -> int:
        return b


def test_arguments_that_are_left_out() -> None:
    given = ("a", "b", "c")
    impl = Impl()
    assert adapter(impl.first, ("a",), given)(1, 2, 3) == (impl, 1)
    assert adapter(impl.none, (), given)(1, 2, 3) is impl
    assert adapter(impl.second, ("b",), given)(1, 2, 3) == 2
    assert adapter(impl.with_local, ("a",), given)(1, 2, 3) == [1]
    assert adapter(impl.with_cell, ("a",), given)(1, 2, 3) == [1, 1]
    assert adapter(impl.with_default, ("a", "b"), given)(1, 2, 3) == 3
    assert adapter(len, ("b",), given)(1, "xy", 3) == 2
    with pytest.raises(TypeError):
        adapter(impl.first, ("a",), given)(1, 2)


def test_what_can_be_widened() -> None:
    impl = Impl()
    assert widened(impl.first, ("b",)) is not None
    assert widened(impl.none, ("a", "b")) is not None
    for fn in (impl.with_local, impl.with_default, len):
        assert widened(fn, ("b",)) is None
