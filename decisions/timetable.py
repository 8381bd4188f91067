"""The opening hours of some days of a line: open and closed spans, overlaps, the rows behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from decisions.calendar import Calendar, Interval, RowKey, by_opening, key_of, stretches
from decisions.hours import Reason, hours_at
from decisions.line_settings import SpecialDay
from decisions.zones import DAY, to_datetime, to_day, to_instant


@dataclass(frozen=True)
class Span:
    """[begin, end) as instants, and the rows behind it."""

    begin: datetime
    end: datetime
    rows: tuple[RowKey, ...]


@dataclass(frozen=True)
class Gap:
    """Closed in [begin, end). Reason and row are those of the moment at which it begins."""

    begin: datetime
    end: datetime
    reason: Reason
    decided_by: RowKey | None


@dataclass(frozen=True)
class DayOfLine:
    """A date of the line: `intervals`, one for each row, are those that open on it, uncut."""

    date: date
    special_day: SpecialDay | None
    intervals: tuple[Span, ...]


@dataclass(frozen=True)
class Timetable:
    """`open` and `gaps` fill the span from the first midnight to the last without a break.

    Where no hours are set, both are empty.
    """

    begin: datetime
    end: datetime
    days: tuple[DayOfLine, ...]
    open: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    overlaps: tuple[Span, ...]


def timetable(calendar: Calendar, first: date, days: int) -> Timetable:
    """Of `days` dates of the line from `first` on.

    Raises ValueError where the dates leave the years 1 to 9999.
    """
    begin, end = _midnight(calendar, to_day(first)), _midnight(calendar, to_day(first) + days)
    opened = tuple(
        Span(stretch.open, stretch.close, stretch.rows)
        for stretch in stretches(calendar, begin, end)
    )
    intervals = _intervals(calendar, to_instant(begin), to_instant(end))
    return Timetable(
        begin=begin,
        end=end,
        days=tuple(_days(calendar, first, days, intervals)),
        open=opened,
        gaps=tuple(_gaps(calendar, begin, end, opened)) if calendar.is_set else (),
        overlaps=tuple(_overlaps(intervals)),
    )


def _midnight(calendar: Calendar, day: int) -> datetime:
    moment = to_datetime(calendar.zone.opening(day * DAY))
    if moment is None:
        raise ValueError("The dates must be of the years 1 to 9999.")
    return moment


def _intervals(calendar: Calendar, begin: int, end: int) -> list[Interval]:
    days = range(calendar.first_day(begin), calendar.last_day(end) + 1)
    found = [interval for day in days for interval in calendar.beginning_on(day)]
    return sorted(
        (each for each in found if each.close > begin and each.open < end), key=by_opening
    )


def _span(begin: int, end: int, *intervals: Interval) -> Span:
    begins, ends = to_datetime(begin), to_datetime(end)
    assert begins is not None
    assert ends is not None
    rows = dict.fromkeys(key_of(interval.row) for interval in intervals)
    return Span(begins, ends, tuple(rows))


def _days(
    calendar: Calendar, first: date, days: int, intervals: list[Interval]
) -> Iterator[DayOfLine]:
    opening: dict[int, list[Interval]] = {}
    for interval in intervals:
        opening.setdefault(calendar.zone.day(interval.open), []).append(interval)
    for number in range(days):
        day = to_day(first) + number
        yield DayOfLine(
            date=first + timedelta(number),
            special_day=calendar.special_days.get(day),
            intervals=tuple(_span(each.open, each.close, each) for each in opening.get(day, ())),
        )


def _gaps(
    calendar: Calendar, begin: datetime, end: datetime, opened: tuple[Span, ...]
) -> Iterator[Gap]:
    ends = [begin, *(span.end for span in opened)]
    begins = [*(span.begin for span in opened), end]
    for closed, opens in zip(ends, begins, strict=True):
        if closed < opens:
            why = hours_at(calendar, closed)
            yield Gap(closed, opens, why.reason, why.decided_by)


def _overlaps(intervals: list[Interval]) -> Iterator[Span]:
    """Of each two rows' intervals that overlap, the time for which they do."""
    for number, one in enumerate(intervals):
        for other in islice(intervals, number + 1, None):
            if other.open >= one.close:
                break
            yield _span(other.open, min(one.close, other.close), one, other)
