"""The annotations that schema fields carry: how a value is read and bounded.

``Annotated[int, Size()]`` says both what Python value comes out and what may
stand in the file.  A ``Reader`` turns the raw TOML value into the field's
value; a ``Check`` looks at a value of the right type.  Both raise ValueError
with what was meant, and both describe themselves as JSON Schema, so that the
validator and the editor's schema cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from personae.core.config import units
from personae.core.config.errors import did_you_mean


class Reader:
    """Turns a raw value into the field's value."""

    def read(self, value: object, folder: str) -> object:
        """Return the value; ``folder`` is where relative paths start."""
        raise NotImplementedError

    def schema(self) -> dict[str, object]:
        """Describe the accepted raw values."""
        raise NotImplementedError


class Check:
    """Bounds a value that already has the right type."""

    def check(self, value: object) -> None:
        """Raise ValueError when the value is out of bounds."""
        raise NotImplementedError

    def schema(self) -> dict[str, object]:
        """Describe the bound."""
        raise NotImplementedError


@dataclass(frozen=True)
class Range(Check):
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float | None = None

    @override
    def check(self, value: object) -> None:
        assert isinstance(value, (int, float))
        if not value >= self.low:  # "not": NaN is below everything
            raise ValueError(f"must be at least {self.low}, got {value}")
        if self.high is not None and value > self.high:
            raise ValueError(f"must be at most {self.high}, got {value}")

    @override
    def schema(self) -> dict[str, object]:
        top = {} if self.high is None else {"maximum": self.high}
        return {"minimum": self.low, **top}


@dataclass(frozen=True)
class Pattern(Check):
    """A string that matches ``pattern`` as a whole; ``meant`` says it in words."""

    pattern: str
    meant: str

    @override
    def check(self, value: object) -> None:
        assert isinstance(value, str)
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"bad value {value!r}: {self.meant}")

    @override
    def schema(self) -> dict[str, object]:
        return {"pattern": f"^({self.pattern})$"}


@dataclass(frozen=True)
class OneOf(Check):
    """A string out of a list too long for a Literal."""

    words: tuple[str, ...]
    what: str

    @override
    def check(self, value: object) -> None:
        assert isinstance(value, str)
        if value not in self.words:
            close = did_you_mean(value, self.words)
            hint = f" ({close})" if close.startswith("did") else ""
            raise ValueError(f"unknown {self.what} {value!r}{hint}")

    @override
    def schema(self) -> dict[str, object]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Names(Check):
    """The keys of a table of named things."""

    pattern: str
    meant: str

    @override
    def check(self, value: object) -> None:
        assert isinstance(value, str)
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"bad name {value!r}: {self.meant}")

    @override
    def schema(self) -> dict[str, object]:
        return {"propertyNames": {"pattern": f"^({self.pattern})$"}}


@dataclass(frozen=True)
class Size(Reader):
    """Bytes, or a string with K, M, G or T; at least ``low``."""

    low: int = 0

    @override
    def read(self, value: object, folder: str) -> object:
        size = units.parse_size(value)
        if size < self.low:
            raise ValueError(f"must be at least {self.low} bytes, got {size}")
        return size

    @override
    def schema(self) -> dict[str, object]:
        text = {"type": "string", "pattern": f"^{units.SIZE_PATTERN}$"}
        return {"anyOf": [{"type": "integer", "minimum": self.low}, text]}


@dataclass(frozen=True)
class CpuSet(Reader):
    """CPU numbers such as ``"0-1,3"``."""

    @override
    def read(self, value: object, folder: str) -> object:
        return units.parse_cpuset(value)

    @override
    def schema(self) -> dict[str, object]:
        text = {"type": "string", "pattern": f"^{units.CPUSET_PATTERN}$"}
        return {"anyOf": [{"type": "integer", "minimum": 0}, text]}


@dataclass(frozen=True)
class Ncpus(Reader):
    """A CPU count or a range such as ``"1-4"``."""

    @override
    def read(self, value: object, folder: str) -> object:
        return units.parse_ncpus(value)

    @override
    def schema(self) -> dict[str, object]:
        text = {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"}
        return {"anyOf": [{"type": "integer", "minimum": 1}, text]}


@dataclass(frozen=True)
class Epoch(Reader):
    """A date with an offset, as nanoseconds since 1970."""

    @override
    def read(self, value: object, folder: str) -> object:
        return units.parse_epoch(value)

    @override
    def schema(self) -> dict[str, object]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Occurrence(Reader):
    """The ``when=`` of strace's fault injection."""

    @override
    def read(self, value: object, folder: str) -> object:
        return units.parse_when(value)

    @override
    def schema(self) -> dict[str, object]:
        text = {"type": "string", "pattern": f"^{units.WHEN_PATTERN}$"}
        return {"anyOf": [{"type": "integer", "minimum": 1}, text]}


@dataclass(frozen=True)
class OneOrMany(Reader):
    """A string, or an array of strings; comes out as a tuple."""

    what: str

    @override
    def read(self, value: object, folder: str) -> object:
        words: Sequence[object] = value if isinstance(value, list) else [value]
        for word in words:
            if not isinstance(word, str) or not word:
                got = units.kind(word)
                raise ValueError(
                    f"expected a {self.what} or an array of them, got {got}"
                )
        if not words:
            raise ValueError(f"an empty array names no {self.what}")
        return tuple(words)

    @override
    def schema(self) -> dict[str, object]:
        many = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [{"type": "string"}, many]}


@dataclass(frozen=True)
class HostFile(Reader):
    """A file or folder of the host, relative to the configuration; must exist."""

    what: str
    remedy: str

    @override
    def read(self, value: object, folder: str) -> object:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError(f"expected the path of {self.what}, got {value!r}")
        path = Path(folder, value)
        if not path.exists():
            looked = "" if str(path) == value else f" ({path})"
            raise ValueError(
                f"{value!r}: no such file or folder on the host{looked}; {self.remedy}"
            )
        return str(path)

    @override
    def schema(self) -> dict[str, object]:
        return {"type": "string", "minLength": 1}
