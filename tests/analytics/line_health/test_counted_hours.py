"""Which hours count: open ones, on no special day or public holiday, on the line's clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analytics.line_health.counted_hours import CountedHours, hour_of
from analytics.line_health.line_hours import holidays_of
from decisions.line_settings import LineSettings
from tests.decisions.factories import BERLIN, MONDAY, further, row, special


def of(**rows: object) -> CountedHours:
    return CountedHours(LineSettings(timezone=BERLIN, **rows))  # type: ignore[arg-type]


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


def parts(counted: CountedHours, start: str, end: str) -> dict[int, float]:
    """Of each hour of the local day, over all days between."""
    found: dict[int, float] = {}
    for hour in counted.between(berlin(start), berlin(end)).values():
        found[hour.slot % 24] = found.get(hour.slot % 24, 0) + hour.open
    return found


def test_open_hours_count_by_their_part() -> None:
    counted = of(
        business_hours=(row(MONDAY, "08:30-12:00"),),
        business_hours_intervals=(further(MONDAY, "12:45-14:00"),),
    )
    found = parts(counted, "2026-11-30", "2026-12-07")
    assert found == {8: 0.5, 9: 1, 10: 1, 11: 1, 12: 0.25, 13: 1}
    assert parts(counted, "2026-11-30T09:15", "2026-11-30T10:30") == {9: 0.75, 10: 0.5}


def test_a_line_without_hours_counts_as_open() -> None:
    assert sum(parts(of(), "2026-11-30", "2026-12-07").values()) == 7 * 24


def test_a_special_day_counts_neither_itself_nor_past_midnight() -> None:
    counted = of(
        business_hours=tuple(row(day, "18:00-02:00") for day in range(7)),
        special_days=(special("2026-12-01", "20:00-03:00"),),
    )
    # The evening of Monday until midnight; nothing of Tuesday's until Wednesday's opens.
    found = counted.between(berlin("2026-11-30T12:00"), berlin("2026-12-02T19:00"))
    moments = [
        datetime.fromordinal(hour.day + 1).day * 100 + hour.slot % 24 for hour in found.values()
    ]
    assert moments == [3018, 3019, 3020, 3021, 3022, 3023, 218]
    assert not counted.counts(berlin("2026-12-02T02:30"))
    assert counted.counts(berlin("2026-12-02T18:00"))


def test_public_holidays_of_the_numbers_country_do_not_count() -> None:
    settings = LineSettings(timezone=BERLIN)
    german, american = (
        CountedHours(settings, holidays_of(number)) for number in ("+4930123456", "+14155550123")
    )
    unity, thanksgiving = berlin("2026-10-03T12:00"), berlin("2026-11-26T12:00")
    assert (german.counts(unity), german.counts(thanksgiving)) == (False, True)
    assert (american.counts(unity), american.counts(thanksgiving)) == (True, False)


def test_hours_of_the_night_of_a_change_of_clocks() -> None:
    """The hour that is shown twice has two hours of calls; both belong to its slot."""
    counted = of(business_hours=(row(0, "00:00-06:00"),))
    assert parts(counted, "2026-10-25", "2026-10-26") == {0: 1, 1: 1, 2: 2, 3: 1, 4: 1, 5: 1}
    assert parts(counted, "2026-03-29", "2026-03-30") == {0: 1, 1: 1, 3: 1, 4: 1, 5: 1}


def test_calls_are_those_of_the_hour() -> None:
    at = datetime(2026, 11, 30, 9, 20, tzinfo=UTC)
    found = of().between(at, datetime(2026, 11, 30, 11, tzinfo=UTC), {hour_of(at): 3})
    assert [hour.calls for hour in found.values()] == [3, 0]
