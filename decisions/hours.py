"""Whether a line is open at a moment, since when, until when, and which row says so."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal

from decisions.calendar import Calendar, Interval, RowKey, by_opening, key_of
from decisions.line_settings import SpecialDay
from decisions.zones import DAY, to_datetime, to_instant, weekday

HORIZON = 400 * DAY  # how far since and until look, both ends included

Reason = Literal["weekly", "special_day", "closed_day", "no_hours_that_day", "not_set"]


@dataclass(frozen=True, kw_only=True, slots=True)
class HoursAtMoment:
    """is_open is None, and all else as well, if no hours are set.

    `since` and `until` are None if the state changes more than 400 days away, or in a year that
    a datetime cannot express.
    """

    is_open: bool | None
    since: datetime | None = None
    until: datetime | None = None
    reason: Reason
    decided_by: RowKey | None = None


def hours_at(calendar: Calendar, moment: datetime) -> HoursAtMoment:
    """Raises ValueError for a moment without a time zone."""
    at = to_instant(moment)
    if not calendar.is_set:
        return HoursAtMoment(is_open=None, reason="not_set")
    holding = calendar.holding(at)
    if holding:
        since, until = _opened(calendar, at), _closes(calendar, at)
    else:
        since, until = _closed(calendar, at), _opens(calendar, at)
    reason, row = _why_open(holding) if holding else _why_closed(calendar, at)
    return HoursAtMoment(
        is_open=bool(holding),
        since=None if since is None else to_datetime(since),
        until=None if until is None else to_datetime(until),
        reason=reason,
        decided_by=row,
    )


def _why_open(holding: list[Interval]) -> tuple[Reason, RowKey | None]:
    """The last to open decides."""
    opened = max(interval.open for interval in holding)
    row = min((each for each in holding if each.open == opened), key=by_opening).row
    return ("special_day" if row.table == SpecialDay.table else "weekly"), key_of(row)


def _why_closed(calendar: Calendar, at: int) -> tuple[Reason, RowKey | None]:
    """The line's date and weekday at the moment decide."""
    day = calendar.zone.day(at)
    if special := calendar.special_days.get(day):
        return "special_day", key_of(special)
    if row := calendar.weekly.get(weekday(day)):
        return ("closed_day" if row.is_closed else "weekly"), key_of(row)
    if further := calendar.further.get(weekday(day)):
        return "weekly", key_of(further[0])
    return "no_hours_that_day", None


def _opened(calendar: Calendar, at: int) -> int | None:
    """When a line opened that is open: day by day back, while intervals overlap or touch."""
    start, day = at, calendar.last_day(at)
    earlier: list[Interval] = []
    while day >= calendar.first_day(start - 1):
        earlier.extend(calendar.beginning_on(day))
        for interval in sorted(earlier, key=attrgetter("close"), reverse=True):
            if interval.open < start <= interval.close:
                start = interval.open
        if start < at - HORIZON:
            return None
        earlier = [interval for interval in earlier if interval.close < start]
        day -= 1
    return start


def _closes(calendar: Calendar, at: int) -> int | None:
    """When a line closes that is open: day by day ahead, while intervals overlap or touch."""
    end, day = at, calendar.first_day(at)
    later: list[Interval] = []
    while day <= calendar.last_day(end):
        later.extend(calendar.beginning_on(day))
        for interval in sorted(later, key=attrgetter("open")):
            if interval.open <= end < interval.close:
                end = interval.close
        if end > at + HORIZON:
            return None
        later = [interval for interval in later if interval.open > end]
        day += 1
    return end


def _closed(calendar: Calendar, at: int) -> int | None:
    """When a line closed that is closed."""
    latest = limit = at - HORIZON - 1
    day = calendar.last_day(at)
    while day >= calendar.first_day(latest):
        for interval in calendar.beginning_on(day):
            if latest < interval.close <= at:
                latest = interval.close
        day -= 1
    return latest if latest > limit else None


def _opens(calendar: Calendar, at: int) -> int | None:
    """When a line opens that is closed."""
    earliest = limit = at + HORIZON + 1
    day = calendar.first_day(at)
    while day <= calendar.last_day(earliest):
        for interval in calendar.beginning_on(day):
            if at < interval.open < earliest:
                earliest = interval.open
        day += 1
    return earliest if earliest < limit else None
