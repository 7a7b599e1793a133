"""A Python check, as a brand declares it."""

from __future__ import annotations

from personae.core.conform import Stage


def areas(stage: Stage) -> None:
    """One check that holds, one that does not."""
    done = stage.run(stage.zone(), stage.guests.leaf())
    stage.equal(done.returncode, 17, "a leaf ends", "exit(2)")
    stage.equal(2, 3, "two is three", "counting")
