"""Instants and the wall times of a zone, as integers, which have no first or last year.

- An instant: microseconds since 0001-01-01T00:00Z.
- A wall time: microseconds since 0001-01-01T00:00 on the zone's own clock.
- A day: days since 0001-01-01, a Monday.

Python's datetime ends with the year 9999, where it is already the year 10000 east of Greenwich.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
MICROSECOND = timedelta(microseconds=1)
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
FIRST_WALL_TIME = FIRST_INSTANT.replace(tzinfo=None)
MAX_INSTANT = (datetime.max.replace(tzinfo=UTC) - FIRST_INSTANT) // MICROSECOND
# Two days from either end of datetime's years. No zone changes its clocks beyond them.
LOWEST, HIGHEST = 2 * DAY, MAX_INSTANT - 2 * DAY
MAX_DAY = date.max.toordinal() - 1
MAX_OFFSET = 16 * 60 * MINUTE  # no clock has ever been further from UTC


class UnknownTimezone(ValueError):
    """The time zone is not in the IANA database: write a name such as Europe/Berlin."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Unknown time zone {name!r}: write a name such as Europe/Berlin.")


class Zone:
    """A time zone of the database that zoneinfo reads. Raises UnknownTimezone.

    No zone has ever changed its clocks twice within three days, or by more than one day.
    """

    __slots__ = ("_info", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self._info = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UnknownTimezone(name) from error

    def wall_time(self, instant: int) -> int:
        return instant + self._offset(instant)

    def day(self, instant: int) -> int:
        return self.wall_time(instant) // DAY

    def opening(self, wall: int) -> int:
        """The instant of an opening: the earlier one if the wall time is shown twice."""
        before, after = self._offsets(wall)
        return self._end_of_gap(wall, before, after) if before < after else wall - before

    def closing(self, wall: int) -> int:
        """The instant of a closing: the later one if the wall time is shown twice."""
        before, after = self._offsets(wall)
        return self._end_of_gap(wall, before, after) if before < after else wall - after

    def steady_offset(self, day: int) -> int | None:
        """The offset from UTC if no clock changes on this day and the next; None if one may.

        A change by up to a day shows in the offset at the end of the day after.
        """
        if not 0 <= day <= MAX_DAY - 3:
            return None
        offset = self._info.utcoffset(datetime.fromordinal(day + 1))
        if offset != self._info.utcoffset(datetime.fromordinal(day + 4)):
            return None
        return _microseconds(offset)

    def _offset(self, instant: int) -> int:
        within = FIRST_INSTANT + timedelta(0, 0, min(max(instant, LOWEST), HIGHEST))
        return _microseconds(within.astimezone(self._info).utcoffset())

    def _offsets(self, wall: int) -> tuple[int, int]:
        """Before and after a change of clocks that skips or repeats the wall time; else equal."""
        within = FIRST_WALL_TIME + timedelta(0, 0, min(max(wall, LOWEST), HIGHEST))
        before = _microseconds(self._info.utcoffset(within))
        return before, _microseconds(self._info.utcoffset(within.replace(fold=1)))

    def _end_of_gap(self, wall: int, before: int, after: int) -> int:
        """The transition that skips the wall time. Transitions are at whole seconds of UTC."""
        seconds = range((wall - after) // SECOND, -(-(wall - before) // SECOND) + 1)
        at_second = partial(self._is_after, before)
        return seconds[bisect_left(seconds, True, key=at_second)] * SECOND

    def _is_after(self, before: int, second: int) -> bool:
        return self._offset(second * SECOND) != before


def _microseconds(offset: timedelta | None) -> int:
    assert offset is not None
    return (offset.days * 86_400 + offset.seconds) * SECOND


def to_instant(moment: datetime) -> int:
    """Raises ValueError for a datetime without a time zone."""
    if moment.utcoffset() is None:
        raise ValueError("The moment has no time zone: write one such as 2026-12-24T11:00Z.")
    return (moment - FIRST_INSTANT) // MICROSECOND


def to_datetime(instant: int) -> datetime | None:
    """In UTC; None outside the years 1 to 9999."""
    if 0 <= instant <= MAX_INSTANT:
        return FIRST_INSTANT + timedelta(0, 0, instant)
    return None


def to_day(day: date) -> int:
    return day.toordinal() - 1


def weekday(day: int) -> int:
    """0 is Sunday."""
    return (day + 1) % 7


def since_midnight(clock: time) -> int:
    """Microseconds on the clock's face."""
    return (clock.hour * 60 + clock.minute) * MINUTE + clock.second * SECOND + clock.microsecond
