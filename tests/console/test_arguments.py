"""The types of arguments that management commands share."""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.arguments import (
    local_moment,
    moment,
    not_empty,
    on_clock,
    positive,
    storable,
    time_zone,
    whole_number,
    with_clock,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-31", datetime(2025, 1, 31, tzinfo=UTC)),
        (" 2025-01-31T10:00 ", datetime(2025, 1, 31, 10, tzinfo=UTC)),
        ("2025-01-31T10:00+01:00", datetime(2025, 1, 31, 10, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_time_without_offset_is_utc(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-01-31", "2025-01-31 00:00:00 Europe/Berlin"),
        ("2025-01-31T10:00Z", "2025-01-31 10:00:00 UTC"),
        ("2025-01-31T10:00+02:00", "2025-01-31 10:00:00 UTC+02:00"),
    ],
)
def test_time_without_offset_is_on_the_lines_clock(text: str, shown: str) -> None:
    assert with_clock(on_clock(local_moment(text), ZoneInfo("Europe/Berlin"))) == shown


def test_a_day_begins_at_the_first_of_two_midnights() -> None:
    havana = on_clock(local_moment("2026-11-01"), ZoneInfo("America/Havana"))
    assert havana.astimezone(UTC) == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+14:00", "0001-01-01", "9999-12-31T23:00-02:00"]
)
def test_a_time_that_utc_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="outside the years 1 to 9999"):
        moment(text)


@pytest.mark.parametrize("read", [not_empty, storable])
def test_bytes_that_are_not_utf_8_are_refused(read: Callable[[str], Any]) -> None:
    with pytest.raises(ArgumentTypeError, match="not UTF-8"):
        read(os.fsdecode(b"CA\xff"))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((moment, text) for text in ("", "tomorrow", "2025-02-30", "12:00")),
        *((positive, text) for text in ("", "0", "-1", "1.5", "²", "2147483648")),
        *((whole_number(1, 400), text) for text in ("0", "401")),
        *((time_zone, text) for text in ("", "Berlin", "EST5", "../etc/passwd")),
    ],
)
def test_nonsense_is_refused_with_an_example(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"{text!r} is not a".replace(".", r"\.")):
        read(text)
