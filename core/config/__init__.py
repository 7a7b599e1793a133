"""The configuration of a machine: TOML in, validated plain data out.

``load`` reads a file; what it returns is described by the classes of
``schema``.  Every error of a file is reported at once, each with its line.
"""

from personae.core.config.errors import ConfigError, Problem, Where
from personae.core.config.load import load, loads
from personae.core.config.schema import Config

__all__ = ["Config", "ConfigError", "Problem", "Where", "load", "loads"]
