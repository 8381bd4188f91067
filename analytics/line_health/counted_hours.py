"""The hours of a line in which a missing call means something: open, and on no special day.

How many calls a special day brings nobody knows, so the whole date and its hours past midnight
are left out. So are public holidays, which not every line enters. A line without hours counts as
open. Hours are those of UTC, as in the statistics.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from analytics.line_health.usual import Hour
from decisions.calendar import Calendar
from decisions.line_settings import LineSettings, SpecialDay
from decisions.zones import DAY, MINUTE, to_instant, weekday

HOUR = 60 * MINUTE
Holidays = Callable[[int], frozenset[int]]


class CountedHours:
    """Of the settings of one line; raises UnknownTimezone, and DuplicateRow.

    holidays gives the public holidays of a year, as days of decisions.zones.
    """

    def __init__(self, settings: LineSettings, holidays: Holidays = lambda _: frozenset()) -> None:
        self._calendar = Calendar(settings)
        self._zone = self._calendar.zone
        self._holidays = holidays

    def between(
        self, start: datetime, end: datetime, calls: Mapping[int, int] | None = None
    ) -> dict[int, Hour]:
        """The hours of [start, end), in order; they and their calls by number, see hour_of()."""
        calls = calls or {}
        parts: dict[int, int] = {}
        for opens, closes in self._spans(to_instant(start), to_instant(end)):
            for hour in range(opens // HOUR, -(-closes // HOUR)):
                part = min(closes, (hour + 1) * HOUR) - max(opens, hour * HOUR)
                parts[hour] = parts.get(hour, 0) + part
        return {hour: self._hour(hour, part, calls.get(hour, 0)) for hour, part in parts.items()}

    def counts(self, moment: datetime) -> bool:
        """Whether the moment is one of them."""
        instant = to_instant(moment)
        return any(True for _ in self._spans(instant, instant + 1))

    def _hour(self, hour: int, part: int, calls: int) -> Hour:
        day, clock = divmod(self._zone.wall_time(hour * HOUR), DAY)
        return Hour(day, weekday(day) * 24 + clock // HOUR, part / HOUR, calls)

    def _spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Merged, in order, without special days."""
        first, last = self._zone.day(start), self._zone.day(end)
        days = {*self._calendar.special_days}
        for year in range(_year(first), _year(last) + 1):
            days |= self._holidays(year)
        closed = [
            (self._zone.opening(day * DAY), self._zone.opening((day + 1) * DAY))
            for day in sorted(days)
            if first <= day <= last
        ]
        for opens, closes in self._opening(start, end):
            for begins, ends in closed:
                if begins < closes and ends > opens:
                    if opens < begins:
                        yield opens, begins
                    opens = ends
            if opens < closes:
                yield opens, closes

    def _opening(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What the week's hours open, merged, in order."""
        if not self._calendar.is_set:
            yield start, end
            return
        days = range(self._calendar.first_day(start), self._calendar.last_day(end) + 1)
        found = sorted(
            (max(start, interval.open), min(end, interval.close))
            for day in days
            for interval in self._calendar.beginning_on(day)
            if interval.row.table != SpecialDay.table
        )
        until = start
        begins = start
        for opens, closes in found:
            if opens > until:
                if begins < until:
                    yield begins, until
                begins = opens
            until = max(until, closes)
        if begins < until:
            yield begins, until


def _year(day: int) -> int:
    return date.fromordinal(day + 1).year


def hour_of(moment: datetime) -> int:
    """The number of the UTC hour of a moment."""
    return to_instant(moment) // HOUR
