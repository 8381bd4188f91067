"""The nights in which clocks change, minute by minute, beside the brute-force reading."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from decisions.calendar import Calendar
from decisions.hours import hours_at
from decisions.settings_document import line_settings
from tests.decisions import brute_force
from tests.decisions.brute_force import pieces, weekday

ZONES = [
    *("Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Chisinau"),
    *("Atlantic/Azores", "America/Nuuk", "America/Scoresbysund", "America/St_Johns"),
    *("America/Halifax", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "America/Anchorage", "America/Adak", "America/Havana"),
    *("America/Port-au-Prince", "America/Santiago", "Pacific/Easter", "Africa/Casablanca"),
    *("Africa/Cairo", "Asia/Beirut", "Asia/Jerusalem", "Asia/Gaza", "Antarctica/Troll"),
    *("Australia/Lord_Howe", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland"),
    *("Pacific/Chatham", "Pacific/Norfolk"),
]
# Rules for years to come, a minute that is not whole, and days left out or lived twice.
OTHER_YEARS = [
    *(("Europe/Berlin", 2099), ("America/New_York", 2400), ("Australia/Lord_Howe", 2038)),
    *(("America/Nuuk", 2037), ("Europe/Amsterdam", 1937), ("Asia/Manila", 1844)),
    *(("America/Juneau", 1867), ("Pacific/Kwajalein", 1969), ("Pacific/Kwajalein", 1993)),
    *(("Pacific/Apia", 2011), ("Africa/Monrovia", 1972)),
]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def nights(zone: str, year: int) -> list[datetime]:
    changes = [piece.start for piece in pieces(zone, year)[1:]]
    return [change for change in changes if change.year == year]


def weeks_around(zone: str, change: datetime) -> Iterator[dict[str, Any]]:
    """Hours that begin or end at wall times that the night skips or repeats, or just beside."""
    [before] = [piece for piece in pieces(zone, change.year) if piece.end == change]
    wall = change.replace(tzinfo=None) + before.offset
    from_evening = interval(1, wall - 5 * HOUR, wall + 15 * MINUTE)
    later = interval(2, wall + 50 * MINUTE, wall + 3 * HOUR)
    yield week(zone, from_evening, [later])
    short = [
        interval(3, wall - 40 * MINUTE, wall - 20 * MINUTE),
        interval(4, wall + 10 * MINUTE, wall + 20 * MINUTE),
    ]
    yield week(zone, interval(5, wall - 6 * HOUR, wall - 50 * MINUTE), [*short, later])
    in_utc = interval(6, wall - 3 * HOUR, wall - 10 * MINUTE)
    special = (change + 12 * HOUR).date().isoformat()
    closed = {"id": key(7), "date": special, "label": "", "is_closed": True, "intervals": []}
    yield week("UTC", in_utc, short) | {"timezone": zone, "special_days": [closed]}


def week(zone: str, row: dict[str, Any], further: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "timezone": zone,
        "business_hours": [row | {"timezone": zone, "is_closed": False}],
        "business_hours_intervals": further,
        "special_days": [],
        "conversation_rules": [],
    }


def interval(number: int, opens: datetime, closes: datetime) -> dict[str, Any]:
    return {
        "id": key(number),
        "day_of_week": weekday(opens.date()),
        "open_time": opens.time().isoformat(),
        "close_time": closes.time().isoformat(),
    }


def key(number: int) -> str:
    return str(UUID(int=number))


@pytest.mark.parametrize("zone", ZONES)
def test_both_nights_minute_by_minute(zone: str) -> None:
    assert len(nights(zone, 2025)) == 2
    for change in nights(zone, 2025):
        assert len(states_of(zone, change)) > 5


@pytest.mark.parametrize(("zone", "year"), OTHER_YEARS)
def test_nights_of_other_years_minute_by_minute(zone: str, year: int) -> None:
    assert nights(zone, year)
    for change in nights(zone, year):
        assert len(states_of(zone, change)) > 2


def states_of(zone: str, change: datetime) -> set[tuple[bool | None, datetime | None]]:
    weeks = weeks_around(zone, change)
    return {state for document in weeks for state in states_around(document, change)}


def states_around(
    document: dict[str, Any], change: datetime
) -> Iterator[tuple[bool | None, datetime | None]]:
    """Is open and since when, at each minute of six hours, compared with brute force."""
    day = change.date()
    openings = brute_force.openings(document, day - 10 * DAY, day + 10 * DAY)
    calendar = Calendar(line_settings(document))
    for minute in range(-180, 180):
        at = change + minute * MINUTE
        found = hours_at(calendar, at)
        row = found.decided_by
        assert brute_force.hours_at(document, openings, at) == {
            "is_open": found.is_open,
            "since": brute_force.written(found.since),
            "until": brute_force.written(found.until),
            "reason": found.reason,
            "decided_by": row and {"table": row.table, "id": str(row.id)},
        }, at
        yield found.is_open, found.since


def test_nights_are_of_many_zones_and_kinds() -> None:
    """Half an hour to two hours, both ways, at midnight and later."""
    found = [
        (after.offset - before.offset, (after.start + after.offset).hour)
        for zone in ZONES
        for before, after in zip(pieces(zone, 2025), pieces(zone, 2025)[1:], strict=False)
        if after.start.year == 2025
    ]
    steps = {step for step, _ in found}
    assert {timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)} <= steps
    assert {-step for step in steps} == steps
    assert {0, 23, 1, 2, 3} <= {hour for _, hour in found}


def test_apia_leaves_out_a_friday() -> None:
    """Minute by minute around Friday, 2011-12-30."""
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    further = [
        {"id": key(n), "day_of_week": day, "open_time": opens, "close_time": closes}
        for n, (day, opens, closes) in enumerate(
            [
                *((day, "20:00:00", "02:00:00") for day in range(7)),
                *((day, "09:00:00", "12:30:00") for day in range(7)),
                *((day, "00:00:00", "00:00:00") for day in (4, 5)),
            ]
        )
    ]
    document = week("Pacific/Apia", further[0], further[1:])
    assert len({*states_around(document, change)}) > 1
