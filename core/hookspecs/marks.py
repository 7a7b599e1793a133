"""The marks of hook points and of their implementations, and the version of both."""

from __future__ import annotations

import pluggy

PROJECT = "personae"
API_VERSION = 1
"""Version of the operation vectors; a brand built for another is refused."""

hookspec = pluggy.HookspecMarker(PROJECT)
"""Marks a method of a spec class as a hook point."""
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function or method as the implementation of the hook of its name."""
