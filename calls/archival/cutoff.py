"""The time before which calls are old: calendar arithmetic in UTC."""

import calendar
import re
from datetime import UTC, datetime, timedelta

_PERIOD = re.compile(r"(\d{1,4}) ?(day|week|month|year)s?", re.IGNORECASE)


class BadCutOff(ValueError):
    """The text does not name a time in the past; the message says what to write."""


def older_than(period: str, *, now: datetime) -> datetime:
    """The moment `period` ("1 year", "18 months", "90 days") before now, as the calendar counts.

    A day that the earlier month lacks becomes its last one, as in PostgreSQL's `now - interval`:
    one year before 29 February is 28 February. Raises BadCutOff.
    """
    match = _PERIOD.fullmatch(period.strip())
    if match is None or int(match[1]) == 0:
        raise BadCutOff(f'"{period}" is not a period: expected one such as "1 year" or "90 days"')
    count, unit, now = int(match[1]), match[2].lower(), now.astimezone(UTC)
    try:
        if unit in {"day", "week"}:
            return now - timedelta(**{f"{unit}s": count})
        months = now.year * 12 + now.month - 1 - count * (12 if unit == "year" else 1)
        year, month = months // 12, months % 12 + 1
        day = min(now.day, calendar.monthrange(year, month)[1])
        return now.replace(year=year, month=month, day=day)
    except (ValueError, OverflowError):
        raise BadCutOff(f'"{period}" is longer ago than the calendar goes back') from None


def in_the_past(cut_off: datetime, *, now: datetime) -> datetime:
    """The same moment. Raises BadCutOff for one in the future."""
    if cut_off > now:
        raise BadCutOff(f"{cut_off.isoformat()} is in the future")
    return cut_off
