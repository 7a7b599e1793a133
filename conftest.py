"""What all tests share."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; ``-m "not slow"`` leaves the long tests out."""
    config.addinivalue_line("markers", "slow: takes more than five seconds")
    alone = "alone: measures the host's time, so nothing may run beside it"
    config.addinivalue_line("markers", alone)
    # The plugin of personae declares this one; with -p no:personae nobody would.
    config.addinivalue_line("markers", "invariant: see the plugin pytest_personae")
