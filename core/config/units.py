"""Sizes, durations, CPU sets and dates as people write them.

Each function takes a value as it stands in TOML or on a command line and
returns plain numbers; on nonsense it raises ValueError with a message that
says what was meant.  Shared by the configuration and the command line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SIZE_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
TIME_UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
SIZE_PATTERN = r"[0-9]+(\.[0-9]+)?[KMGTkmgt]?"
CPUSET_PATTERN = r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*"
WHEN_PATTERN = r"[0-9]+(\.\.[0-9]+)?(\+[0-9]*)?"
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTkmgt]?)")
_LOOSE_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGTkmgt]?)i?[Bb]?")
_TIME_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h|d)")
_WHEN = re.compile(r"([0-9]+)(?:\.\.([0-9]+))?(?:(\+)([0-9]*))?")
MAX_CPU = 1023


def parse_size(value: object) -> int:
    """Bytes of a size: an integer, or a string with K, M, G or T.

    >>> parse_size("64M"), parse_size("1.5K"), parse_size(4096)
    (67108864, 1536, 4096)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"a size cannot be negative, got {value}")
        return value
    if not isinstance(value, str):
        raise ValueError(f'expected a size such as "64M", got {kind(value)}')
    found = _SIZE.fullmatch(value)
    if not found:
        loose = _LOOSE_SIZE.fullmatch(value.strip())
        hint = f'; did you mean "{loose[1]}{loose[2].upper()}"?' if loose else ""
        raise ValueError(
            f'bad size {value!r}: a number with K, M, G or T, as in "64M"{hint}'
        )
    size, remainder = scaled(found[1], SIZE_UNITS[found[2].upper()])
    if remainder:
        raise ValueError(f"bad size {value!r}: not a whole number of bytes")
    return size


def scaled(number: str, unit: int) -> tuple[int, int]:
    """A decimal number times a unit, exactly: the whole part and what is left.

    >>> scaled("1.5", 1024), scaled("0.0001", 1024)
    ((1536, 0), (0, 1024))
    """
    whole, _, decimals = number.partition(".")
    scale: int = 10 ** len(decimals)
    return divmod(int(whole + decimals) * unit, scale)


def parse_duration(value: object) -> int:
    """Nanoseconds of a duration such as ``5s``, ``250ms`` or ``1m30s``.

    >>> parse_duration("1m30s"), parse_duration("2.5us")
    (90000000000, 2500)
    """
    if not isinstance(value, str):
        raise ValueError(f'expected a duration such as "5s", got {kind(value)}')
    parts = list(_TIME_PART.finditer(value))
    if not parts or "".join(part[0] for part in parts) != value:
        hint = f'; did you mean "{value}s"?' if re.fullmatch(r"[0-9.]+", value) else ""
        raise ValueError(
            f"bad duration {value!r}: numbers with ns, us, ms, s, m, h or d{hint}"
        )
    return sum(scaled(part[1], TIME_UNITS[part[2]])[0] for part in parts)


def parse_cpuset(value: object) -> tuple[int, ...]:
    """The CPUs of a set such as ``"0-1,3"``, in ascending order.

    >>> parse_cpuset("0-1,3")
    (0, 1, 3)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(CPUSET_PATTERN, value):
        raise ValueError(f'expected CPUs such as "0-3" or "0,2", got {value!r}')
    cpus: set[int] = set()
    for part in value.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if low > high:
            raise ValueError(f"bad CPU range {part!r}: the first is above the last")
        if high > MAX_CPU:
            raise ValueError(f"bad CPU number {high}: at most {MAX_CPU}")
        cpus.update(range(low, high + 1))
    return tuple(sorted(cpus))


def parse_ncpus(value: object) -> tuple[int, int]:
    """The least and the most CPUs of a dedicated-cpu resource: ``2`` or ``"1-4"``.

    >>> parse_ncpus("1-4")
    (1, 4)
    """
    found = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", str(value))
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not found:
        raise ValueError(f'expected a count or a range such as "1-4", got {value!r}')
    low, high = int(found[1]), int(found[2] or found[1])
    if not 1 <= low <= high:
        raise ValueError(f"bad CPU count {value!r}: at least 1, lower end first")
    return low, high


def parse_epoch(value: object) -> int:
    """Nanoseconds since 1970 of an RFC 3339 date with an offset.

    >>> parse_epoch("1970-01-02T00:00:00Z")
    86400000000000
    """
    from datetime import datetime, timezone

    moment = value
    if isinstance(value, str):
        try:  # 3.10's fromisoformat does not know the Z
            moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value))
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise ValueError(
            f'expected a date such as "2026-01-01T00:00:00Z", got {value!r}'
        )
    if moment.tzinfo is None:
        raise ValueError(f"{value!s} names no time zone: end it with Z for UTC")
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    if since.days < 0:
        raise ValueError(f"{value!s} is before 1970")
    seconds = since.days * 86400 + since.seconds
    return seconds * 10**9 + since.microseconds * 1000


class When(NamedTuple):
    """Which occurrences a fault hits, in the words of ``strace --inject``."""

    first: int = 1
    last: int | None = None
    step: int = 1

    def matches(self, number: int) -> bool:
        """Whether the occurrence of this number, counted from 1, is hit.

        >>> [n for n in range(1, 9) if When(3, None, 2).matches(n)]
        [3, 5, 7]
        """
        if number < self.first or (self.last is not None and number > self.last):
            return False
        return (number - self.first) % self.step == 0


def parse_when(value: object) -> When:
    """Read ``3``, ``"3+"``, ``"3+2"``, ``"3..7"`` or ``"3..7+2"``; strace(1).

    >>> parse_when("3+2")
    When(first=3, last=None, step=2)
    >>> parse_when(3)
    When(first=3, last=3, step=1)
    """
    found = _WHEN.fullmatch(str(value))
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not found:
        raise ValueError(
            f'expected 3, "3+", "3+2", "3..7" or "3..7+2" (strace), got {value!r}'
        )
    first, step = int(found[1]), int(found[4] or 1)
    last = int(found[2]) if found[2] else None if found[3] else first
    if first < 1 or step < 1 or (last is not None and last < first):
        raise ValueError(f"bad occurrence {value!r}: counted from 1, first before last")
    return When(first, last, step)


def kind(value: object) -> str:
    """A value's TOML type, with its article, for messages.

    >>> kind(True), kind([]), kind({})
    ('a boolean', 'an array', 'a table')
    """
    for types, name in (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
    ):
        if isinstance(value, types):
            return name
    return "a date or time"
