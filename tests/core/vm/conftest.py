"""The fixtures of the tests of memory."""

import pytest

from tests.core.vm.world import World


@pytest.fixture
def world():
    w = World()
    yield w
    w.finish()


@pytest.fixture
def make_world():
    """For tests that need more than one."""
    return World
