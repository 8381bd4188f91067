"""Types of arguments for argparse; each raises ArgumentTypeError and says what to write."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones


def moment(text: str) -> datetime:
    """A time in ISO 8601; without an offset it is UTC."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a time: write one such as 2026-01-31 or 2026-01-31T12:00+01:00"
        ) from None
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    try:
        parsed.astimezone(UTC)
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is outside the years 1 to 9999 of UTC") from None
    return parsed


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
    return text.strip()


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
