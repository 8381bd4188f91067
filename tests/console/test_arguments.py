"""The types of arguments that management commands share."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from console.arguments import moment, positive, time_zone, whole_number


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
