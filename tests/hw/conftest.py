"""Fixtures of the hardware tests."""

import pytest

from personae.hw import Machine


@pytest.fixture
def hw() -> Machine:
    return Machine(64 << 20, 2)
