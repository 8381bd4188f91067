"""Wall times and instants of all years, and what the engine relies on in the IANA database."""

import struct
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from decisions.calendar import Calendar
from decisions.decision import decide, prepare
from decisions.zones import (
    DAY,
    MAX_OFFSET,
    SECOND,
    UnknownTimezone,
    Zone,
    to_datetime,
    to_instant,
    weekday,
)
from tests.decisions.factories import closed, further, line, row, rule, special

ZONES = sorted(zoneinfo.available_timezones())
TICK = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


def changes(name: str) -> list[tuple[int, int, int]]:
    """Seconds since 1970, and the offsets in seconds before and after, from the zone's own file.

    RFC 9636: a header of 44 bytes and its data in 32 bits, then the same in 64 bits.
    """
    places = [Path(place, name) for place in zoneinfo.TZPATH]
    found = next((place for place in places if place.is_file()), None)
    data = found.read_bytes() if found else files("tzdata").joinpath("zoneinfo", name).read_bytes()
    isut, isstd, leaps, times, types, letters = struct.unpack(">20x6l", data[:44])
    start = 44 + times * 5 + types * 6 + letters + leaps * 8 + isstd + isut
    isut, isstd, leaps, times, types, letters = struct.unpack_from(">20x6l", data, start)
    instants = struct.unpack_from(f">{times}q", data, start + 44)
    kinds = struct.unpack_from(f"{times}B", data, start + 44 + times * 8)
    first = start + 44 + times * 9
    offsets = [struct.unpack_from(">l", data, first + 6 * kind)[0] for kind in range(types)]
    before = [offsets[0], *(offsets[kind] for kind in kinds)]
    return [
        (instant, old, offsets[kind])
        for instant, old, kind in zip(instants, before, kinds, strict=False)
        if old != offsets[kind]
    ]


def test_no_zone_changes_its_clocks_twice_within_three_days_or_by_more_than_one() -> None:
    """Zone.steady_offset relies on it; a release of the database may break it."""
    assert len(ZONES) > 400
    for name in ZONES:
        found = changes(name)
        assert all(later[0] - earlier[0] > 3 * 86_400 for earlier, later in pairwise(found)), name
        assert all(abs(after - before) <= 86_400 for _, before, after in found), name
        offsets = [offset for _, *both in found for offset in both]
        assert all(abs(offset) * SECOND < MAX_OFFSET for offset in offsets), name


@pytest.mark.parametrize("name", [*ZONES[::12], "America/Juneau", "Pacific/Kwajalein"])
def test_wall_times_beside_every_change_of_clocks(name: str) -> None:
    """By the offsets of the file: skipped ones, repeated ones, and those just beside."""
    zone = Zone(name)
    epoch = to_instant(datetime(1970, 1, 1, tzinfo=UTC))
    for seconds, before, after in changes(name):
        change = epoch + seconds * SECOND
        old, new = before * SECOND, after * SECOND
        low, high = sorted([change + old, change + new])
        for wall in (low, (low + high) // 2, high - 1):
            if old < new:
                assert zone.opening(wall) == zone.closing(wall) == change
            else:
                assert (zone.opening(wall), zone.closing(wall)) == (wall - old, wall - new)
            assert zone.steady_offset(wall // DAY) is None
            assert zone.steady_offset(wall // DAY - 1) is None
        assert zone.opening(low - 1) == zone.closing(low - 1) == low - 1 - old
        assert zone.opening(high) == zone.closing(high) == high - new
        assert zone.wall_time(change - 1) == change - 1 + old
        assert zone.wall_time(change) == change + new


@pytest.mark.parametrize("name", ZONES[::40])
def test_steady_offset_is_that_of_each_wall_time(name: str) -> None:
    zone = Zone(name)
    first = to_instant(datetime(2024, 1, 1, tzinfo=UTC)) // DAY
    for day in range(first, first + 800):
        offset = zone.steady_offset(day)
        if offset is not None:
            for wall in range(day * DAY, (day + 2) * DAY, DAY // 8):
                assert zone.opening(wall) == zone.closing(wall) == wall - offset


@pytest.mark.parametrize(
    "name",
    ["", "Europe/Berlim", "Europe", "../etc/passwd", "/etc/passwd", "Europe/Berlin\0", "x" * 5000],
)
def test_unknown_zone_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(UnknownTimezone, match="Unknown time zone") as caught:
        prepare(line(zone=name))
    assert caught.value.name == name
    with pytest.raises(UnknownTimezone):
        prepare(line(closed(1, name)))


def test_moment_without_a_time_zone_is_refused() -> None:
    for settings in (line(), line(row(1, "09:00-17:00"))):
        with pytest.raises(ValueError, match="has no time zone"):
            decide(settings, at=datetime(2026, 6, 1), facts={})  # noqa: DTZ001


@pytest.mark.parametrize("name", [*ZONES[::60], "Pacific/Apia", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    "moment",
    [
        *(FIRST, FIRST + TICK, FIRST + timedelta(days=401), LAST, LAST - timedelta(days=3)),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=23, minutes=59))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=23, minutes=59))),
    ],
)
def test_first_and_last_years_have_answers(name: str, moment: datetime) -> None:
    week = [row(day, "09:00-17:00", name) for day in range(6)]
    night = [further(day, "20:00-08:00") for day in range(7)]
    ends = [special("0001-01-01", "00:00-00:00"), special("9999-12-31", "00:00-00:00")]
    for settings in (line(*week, *night, *ends, zone=name), line(*ends, zone=name)):
        found = decide(settings, at=moment, facts={}).hours
        assert found.is_open is not None
        assert found.since is None or found.since <= moment
        assert found.until is None or found.until > moment


def test_year_10000_of_the_line_is_a_date_as_any() -> None:
    """In Berlin it is Saturday, 10000-01-01; the next change cannot be written."""
    settings = line(
        row(6, "00:00-06:00"),
        rule({"day_of_week": [6], "date": {"from": "9999-12-31"}}),
        rule({"date": {"to": "9999-12-31"}}),
    )
    found = decide(settings, at=LAST, facts={})
    assert found.hours.is_open is True
    assert found.hours.since == LAST.replace(hour=23, minute=0, second=0, microsecond=0)
    assert found.hours.until is None
    assert [traced.conditions.truth for traced in found.trace] == ["true", "false"]


def test_day_before_the_year_1_of_the_line_is_a_date_as_any() -> None:
    settings = line(
        row(0, "12:00-12:00", "America/New_York"),
        rule({"day_of_week": [0], "date": {"to": "0001-01-01"}}),
        rule({"date": {"from": "0001-01-01"}}),
        zone="America/New_York",
    )
    found = decide(settings, at=FIRST, facts={})
    assert (found.hours.is_open, found.hours.since) == (True, None)
    assert found.hours.until == datetime(1, 1, 1, 16, 56, 2, tzinfo=UTC)  # local mean time
    assert [traced.conditions.truth for traced in found.trace] == ["true", "false"]


def test_weekdays_and_instants_are_those_of_datetime() -> None:
    for text in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T12:00:00Z"):
        moment = datetime.fromisoformat(text)
        instant = to_instant(moment)
        assert to_datetime(instant) == moment
        assert weekday(instant // DAY) == moment.isoweekday() % 7
    assert to_datetime(-1) is None
    assert to_datetime(to_instant(LAST) + 1) is None


def test_microseconds_of_opening_and_closing_count() -> None:
    calendar = Calendar(line(row(1, "09:00:00.000001-09:00:00.000003")))
    opens = to_instant(datetime(2026, 6, 1, 7, tzinfo=UTC)) + 1
    assert [bool(calendar.holding(opens + tick)) for tick in (-1, 0, 1, 2)] == [
        *(False, True, True, False)
    ]
