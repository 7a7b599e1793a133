"""Sizes, durations, CPU sets, dates and occurrences."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from personae.core.config import units
from personae.core.config.units import When


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (0, 0),
        (4096, 4096),
        (512, "512"),
        (1 << 10, "1K"),
        (64 << 20, "64M"),
        (64 << 20, "64m"),
        (2 << 30, "2G"),
        (1 << 40, "1T"),
        (1536, "1.5K"),
    ],
)
def test_size(expected: int, text: object) -> None:
    assert expected == units.parse_size(text)


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ('did you mean "64M"?', "64MB"),
        ('did you mean "64M"?', "64 MiB"),
        ("bad size 'lots'", "lots"),
        ("bad size ''", ""),
        ("bad size '-1M'", "-1M"),
        ("bad size '0x10'", "0x10"),
        ("not a whole number of bytes", "0.0001K"),
        ("cannot be negative", -1),
        ("expected a size", 1.5),
        ("expected a size", True),
        ("expected a size", None),
    ],
)
def test_bad_size(message: str, value: object) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        units.parse_size(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (5 * 10**9, "5s"),
        (250 * 10**6, "250ms"),
        (1_500_000_000, "1.5s"),
        (90 * 10**9, "1m30s"),
        (7, "7ns"),
        (86400 * 10**9, "1d"),
        (0, "0s"),
    ],
)
def test_duration(expected: int, text: str) -> None:
    assert expected == units.parse_duration(text)


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ('did you mean "5s"?', "5"),
        ("bad duration ''", ""),
        ("bad duration '5 s'", "5 s"),
        ("bad duration '-5s'", "-5s"),
        ("bad duration 'soon'", "soon"),
        ("expected a duration", 5),
    ],
)
def test_bad_duration(message: str, value: object) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        units.parse_duration(value)
    assert message in str(caught.value)


def test_cpuset() -> None:
    assert units.parse_cpuset("5,0-2,1") == (0, 1, 2, 5)
    assert units.parse_cpuset(3) == (3,)


@pytest.mark.parametrize("value", ["", "1-", "a", "3-1", "0-9999999999", True, -1, []])
def test_bad_cpuset(value: object) -> None:
    with pytest.raises(ValueError, match="CPU"):
        units.parse_cpuset(value)


def test_ncpus() -> None:
    assert units.parse_ncpus(2) == (2, 2)
    assert units.parse_ncpus("1-4") == (1, 4)


@pytest.mark.parametrize("value", [0, "4-1", "1.5", True, None, 1.5])
def test_bad_ncpus(value: object) -> None:
    with pytest.raises(ValueError, match="count"):
        units.parse_ncpus(value)


def test_epoch() -> None:
    day = 86400 * 10**9
    assert day == units.parse_epoch("1970-01-02T00:00:00Z")
    assert day == units.parse_epoch("1970-01-02T02:00:00+02:00")
    tz = timezone(timedelta(hours=1))
    assert day + 1000 == units.parse_epoch(datetime(1970, 1, 2, 1, 0, 0, 1, tz))


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("names no time zone", "2026-01-01T00:00:00"),
        ("names no time zone", "2026-01-01"),
        ("expected a date", "yesterday"),
        ("expected a date", 12),
        ("before 1970", "1969-12-31T00:00:00Z"),
    ],
)
def test_bad_epoch(message: str, value: object) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        units.parse_epoch(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (When(3, 3, 1), 3),
        (When(3, 3, 1), "3"),
        (When(3, None, 1), "3+"),
        (When(3, None, 2), "3+2"),
        (When(3, 7, 1), "3..7"),
        (When(3, 7, 2), "3..7+2"),
    ],
)
def test_when(expected: When, value: object) -> None:
    assert expected == units.parse_when(value)


def test_when_matches() -> None:
    """``3..7+2``: the 3rd, 5th and 7th."""
    hits = [n for n in range(1, 12) if units.parse_when("3..7+2").matches(n)]
    assert hits == [3, 5, 7]


@pytest.mark.parametrize(
    "value", [0, "0+", "7..3", "3+0", "x", "", True, 1.5, "3..", "+2"]
)
def test_bad_when(value: object) -> None:
    with pytest.raises(ValueError, match=r"occurrence|expected 3"):
        units.parse_when(value)
