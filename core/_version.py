"""The one literal of the version."""

__version__ = "0.1.0"
