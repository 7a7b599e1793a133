"""The kernel: generic fork machinery, zones and brands.  The public face."""

from personae.core._version import __version__

if __name__ != "personae.core":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.core, not {__name__}")

__all__ = ["__version__"]
