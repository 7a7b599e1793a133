"""A machine at its fork, for each brand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.invariants.stage import BRANDS, Stage


@pytest.fixture(params=BRANDS)
def brand(request: pytest.FixtureRequest) -> str:
    """Each brand in turn."""
    name: str = request.param
    return name


@pytest.fixture
def stage(brand: str) -> Stage:
    """A guest of the brand that is about to fork."""
    return Stage(brand)


@pytest.fixture
def native() -> Stage:
    """A native guest that is about to fork."""
    return Stage("native")


@pytest.fixture
def linux() -> Stage:
    """A Linux guest that is about to fork."""
    return Stage("linux")


@pytest.fixture(params=["fork", "vfork"])
def at(brand: str, request: pytest.FixtureRequest) -> Callable[..., Stage]:
    """Makes a stage with a guest that forks or vforks, with machine options."""

    def make(**machine: object) -> Stage:
        return Stage(brand, request.param, **machine)

    return make
