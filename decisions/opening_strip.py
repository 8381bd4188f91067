"""The opening hours of the days ahead as bars, a day each on the line's clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from decisions.calendar import Calendar, stretches
from decisions.hours_in_words import number_of
from tenants.rules.phrases import DAYS

DAYS_SHOWN = 14
DAY = timedelta(days=1)
WIDTH = 1440  # of a bar: a minute of the clock each


@dataclass(frozen=True)
class OpenPart:
    """Open from one minute of the day's clock to another, and whether it goes beyond the day."""

    x: int
    width: int
    is_tail: bool
    text: str


@dataclass(frozen=True)
class Day:
    """`special` is the label of a special day; `now` is a minute of today's clock."""

    date: date
    parts: tuple[OpenPart, ...]
    special: str | None
    now: int | None

    @property
    def name(self) -> str:
        return DAYS[number_of(self.date)][:3]

    @property
    def hours(self) -> str:
        return ", ".join(part.text for part in self.parts) or "closed"


def strip(
    calendar: Calendar, settings: Mapping[str, Any], *, now: datetime, days: int = DAYS_SHOWN
) -> list[Day]:
    """From the line's today on. `settings` is the document that the calendar was made of."""
    zone = ZoneInfo(settings["timezone"])
    here = now.astimezone(zone)
    labels = {row["date"]: row["label"] or "Special day" for row in settings["special_days"]}
    return [
        Day(
            day,
            parts=tuple(_parts(calendar, day, zone)),
            special=labels.get(day.isoformat()),
            now=_minute(here) if day == here.date() else None,
        )
        for day in (here.date() + number * DAY for number in range(days))
    ]


def _parts(calendar: Calendar, day: date, zone: ZoneInfo) -> Iterator[OpenPart]:
    """A minute before and after the day tell whether hours go beyond it."""
    start, end = _midnight(day, zone), _midnight(day + DAY, zone)
    around = timedelta(minutes=1)
    for stretch in stretches(calendar, start - around, end + around):
        opens, closes = max(stretch.open, start), min(stretch.close, end)
        if opens >= closes:
            continue
        first = _minute(opens.astimezone(zone))
        last = WIDTH if closes == end else _minute(closes.astimezone(zone))
        is_tail, goes_on = stretch.open < start, stretch.close > end
        if opens == start and closes == end:
            text = "all day"
        elif is_tail:
            text = f"until {closes.astimezone(zone):%H:%M}"
        else:
            text = f"{opens.astimezone(zone):%H:%M}-{_closing(calendar, closes, zone, goes_on)}"
        # An hour that the clocks repeat has one place on the bar.
        yield OpenPart(first, max(last - first, 1), is_tail, text)


def _closing(calendar: Calendar, closes: datetime, zone: ZoneInfo, goes_on: bool) -> str:
    """17:00; midnight; 02:00 next day."""
    if goes_on:
        [rest] = stretches(calendar, closes, closes + DAY)[:1]
        if rest.close == closes + DAY:
            return "midnight and on"
        return f"{rest.close.astimezone(zone):%H:%M} next day"
    here = closes.astimezone(zone)
    return "midnight" if here.time() == time.min else f"{here:%H:%M}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In UTC: Python never finds times equal that another zone shows twice.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
