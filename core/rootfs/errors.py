"""The one exception of the root file system tool."""

from __future__ import annotations


class RootfsError(Exception):
    """Fetching or unpacking failed; the text says why and what to do."""
