"""The opening hours of a line as intervals of instants: rows in, intervals out.

Instants, days and weekdays are the integers of decisions.zones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from decisions.line_settings import (
    BusinessHours,
    FurtherInterval,
    HoursRow,
    LineSettings,
    SpecialDay,
)
from decisions.zones import (
    DAY,
    MAX_OFFSET,
    Zone,
    since_midnight,
    to_datetime,
    to_day,
    to_instant,
    weekday,
)

# Of intervals that opened together, the row of the first table decides.
TABLES = (SpecialDay.table, BusinessHours.table, FurtherInterval.table)
MAX_KEPT_DAYS = 1024  # whose intervals a calendar remembers: more than 400 both ways


class DuplicateRow(ValueError):
    """A line has two rows for one weekday in business_hours, or for one date in special_days."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class RowKey(NamedTuple):
    """Which row of which table."""

    table: str
    id: UUID


class Interval(NamedTuple):
    """[open, close) as instants, and the row behind it."""

    open: int
    close: int
    row: HoursRow


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Open without a break in [open, close). `rows` are those behind it, by opening, each once."""

    open: datetime
    close: datetime
    rows: tuple[RowKey, ...]


class Hours(NamedTuple):
    """Hours of a day: microseconds of wall time since the midnight with which it begins."""

    opens: int
    closes: int
    zone: Zone
    row: HoursRow

    def on(self, day: int) -> Interval:
        midnight = day * DAY
        offset = self.zone.steady_offset(day)
        if offset is not None:
            utc = midnight - offset
            return Interval(utc + self.opens, utc + self.closes, self.row)
        opens = self.zone.opening(midnight + self.opens)
        return Interval(opens, self.zone.closing(midnight + self.closes), self.row)


class Calendar:
    """The opening hours of a line, prepared for many questions; threads may share one.

    Raises UnknownTimezone, and DuplicateRow.
    """

    def __init__(self, settings: LineSettings) -> None:
        weekly, special_days = settings.business_hours, settings.special_days
        names = {settings.timezone, *(row.timezone for row in weekly)}
        self._zones = {name: Zone(name) for name in names}
        self.zone = self._zones[settings.timezone]
        self.weekly = {row.day_of_week: row for row in weekly}
        self.further: dict[int, list[FurtherInterval]] = {}
        for row in sorted(settings.business_hours_intervals, key=_by_time):
            self.further.setdefault(row.day_of_week, []).append(row)
        self.special_days = {to_day(special.date): special for special in special_days}
        if len(self.weekly) < len(weekly) or len(self.special_days) < len(special_days):
            raise DuplicateRow
        self.is_set = bool(self.weekly or self.further or self.special_days)
        self._weekly_hours = [list(self._hours_of(number)) for number in range(7)]
        self._special_hours = {day: self._hours_on(row) for day, row in self.special_days.items()}
        hours = [*chain(*self._weekly_hours, *self._special_hours.values())]
        self._first_open = min((each.opens for each in hours), default=0)
        self._last_close = max((each.closes for each in hours), default=0)
        self._kept: dict[int, tuple[Interval, ...]] = {}

    def beginning_on(self, day: int) -> tuple[Interval, ...]:
        """The intervals that belong to a date: of the line, or of the zone of another row."""
        intervals = self._kept.get(day)
        if intervals is None:
            if len(self._kept) >= MAX_KEPT_DAYS:
                self._kept.clear()
            intervals = self._kept[day] = tuple(self._intervals(day))
        return intervals

    def holding(self, instant: int) -> list[Interval]:
        """The intervals that are open at the instant."""
        return [
            interval
            for day in range(self.first_day(instant), self.last_day(instant) + 1)
            for interval in self.beginning_on(day)
            if interval.open <= instant < interval.close
        ]

    def first_day(self, instant: int) -> int:
        """All that begins on earlier days has closed by this instant."""
        return (instant - self._last_close - MAX_OFFSET) // DAY + 1

    def last_day(self, instant: int) -> int:
        """All that begins on later days opens after this instant."""
        return (instant - self._first_open + MAX_OFFSET) // DAY

    def _intervals(self, day: int) -> Iterator[Interval]:
        weekly = self._weekly_hours[weekday(day)]
        special = self._special_hours.get(day)
        if special is not None:
            weekly = [*special, *(hours for hours in weekly if hours.zone is not self.zone)]
        for hours in weekly:
            interval = hours.on(day)
            if interval.open < interval.close and not self._is_suppressed(hours, interval):
                yield interval

    def _is_suppressed(self, hours: Hours, interval: Interval) -> bool:
        """Whether a row of another zone opens on a special date of the line."""
        if hours.zone is self.zone or not self.special_days:
            return False
        return self.zone.day(interval.open) in self.special_days

    def _hours_of(self, number: int) -> Iterator[Hours]:
        """The weekday's hours where the day is not a special one."""
        row = self.weekly.get(number)
        if row is not None:
            if row.is_closed:
                return
            yield hours_of(row, row.open_time, row.close_time, self._zones[row.timezone])
        for further in self.further.get(number, ()):
            yield hours_of(further, further.open_time, further.close_time, self.zone)

    def _hours_on(self, special: SpecialDay) -> list[Hours]:
        if special.is_closed:
            return []
        return [
            hours_of(special, interval.open_time, interval.close_time, self.zone)
            for interval in special.intervals
        ]


def hours_of(row: HoursRow, open_time: time, close_time: time, zone: Zone) -> Hours:
    opens, closes = since_midnight(open_time), since_midnight(close_time)
    return Hours(opens, closes if opens < closes else closes + DAY, zone, row)


def key_of(row: HoursRow) -> RowKey:
    return RowKey(row.table, row.id)


def by_opening(interval: Interval) -> tuple[int, int, int]:
    """Order by opening; of intervals that opened together the one that decides is the first."""
    return interval.open, TABLES.index(interval.row.table), interval.row.id.int


def stretches(calendar: Calendar, start: datetime, end: datetime) -> list[Stretch]:
    """The merged intervals within [start, end), cut off there, in order.

    The work is in proportion to the days between. Raises ValueError for a time without a zone.
    """
    first, last = to_instant(start), to_instant(end)
    if first >= last:
        return []
    days = range(calendar.first_day(first), calendar.last_day(last) + 1)
    found = [interval for day in days for interval in calendar.beginning_on(day)]
    merged: list[list[Interval]] = []
    closes = first
    for interval in sorted(found, key=by_opening):
        if interval.close <= first or interval.open >= last:
            continue
        if not merged or interval.open > closes:
            merged.append([])
        merged[-1].append(interval)
        closes = max(closes, interval.close)
    return [_stretch(intervals, first, last) for intervals in merged]


def _stretch(intervals: list[Interval], first: int, last: int) -> Stretch:
    opens = to_datetime(max(first, intervals[0].open))
    closes = to_datetime(min(last, max(interval.close for interval in intervals)))
    assert opens is not None
    assert closes is not None
    rows = tuple(dict.fromkeys(key_of(interval.row) for interval in intervals))
    return Stretch(open=opens, close=closes, rows=rows)


def _by_time(row: FurtherInterval) -> tuple[time, time, int]:
    return row.open_time, row.close_time, row.id.int
