"""Types of arguments for argparse; each raises ArgumentTypeError and says what to write."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from database.storable import is_storable

# A day less on both sides than Python has: it must be a time in UTC too, whatever the offset.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def moment(text: str) -> datetime:
    """A time in ISO 8601; without an offset it is UTC."""
    return on_clock(local_moment(text), ZoneInfo("UTC"))


def local_moment(text: str) -> datetime:
    """A time in ISO 8601; one without an offset is naive, for on_clock."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a time: write one such as 2026-01-31 or 2026-01-31T12:00+01:00"
        ) from None
    if not EARLIEST <= parsed.replace(tzinfo=UTC) < LATEST:
        raise ArgumentTypeError(f"{text!r} is outside the years 1 to 9999 of UTC")
    return parsed


def on_clock(given: datetime, zone: ZoneInfo) -> datetime:
    """A naive time as the first of that clock; another one as it is."""
    return given if given.tzinfo else given.replace(tzinfo=zone)


def with_clock(when: datetime) -> str:
    """For output: 2025-01-31 00:00:00 Europe/Berlin."""
    return f"{when:%Y-%m-%d %H:%M:%S} {when.tzinfo}"


def whole_number(minimum: int, maximum: int = 2**31 - 1) -> Callable[[str], int]:
    """A whole number from `minimum` to `maximum`, both included."""
    wanted = f"from {minimum} to {maximum}" if maximum < 2**31 - 1 else f"of at least {minimum}"

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
            raise ArgumentTypeError(f"{text!r} is not a whole number {wanted}")
        return int(text)

    return read


positive = whole_number(1)


def not_empty(text: str) -> str:
    """A text that has more than spaces; those around it are dropped."""
    if not text.strip():
        raise ArgumentTypeError("the value is empty")
    return storable(text.strip())


def storable(text: str) -> str:
    """A text that PostgreSQL can hold."""
    if not is_storable(text):
        raise ArgumentTypeError("the value has bytes that are not UTF-8; write it in UTF-8")
    return text


def time_zone(text: str) -> ZoneInfo:
    """An IANA time zone."""
    if text not in available_timezones():
        raise ArgumentTypeError(
            f"{text!r} is not an IANA time zone: write one such as Europe/Berlin"
        )
    return ZoneInfo(text)


def path(text: str) -> Path:
    """A path; an empty text would be the current directory."""
    return Path(not_empty(text))
