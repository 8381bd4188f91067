"""From when on a call is old."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from calls.archival.cutoff import BadCutOff, in_the_past, older_than

NOON = datetime(2026, 11, 23, 12, 30, 15, 250, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "period", "expected"),
    [
        (NOON, "1 year", NOON.replace(year=2025)),
        (NOON, "18 months", NOON.replace(year=2025, month=5)),
        (NOON, "11 months", NOON.replace(year=2025, month=12)),
        (NOON, "90 days", NOON - timedelta(days=90)),
        (NOON, "2 Weeks", NOON - timedelta(days=14)),
        (datetime(2028, 2, 29, tzinfo=UTC), "1 year", datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), "4 years", datetime(2024, 2, 29, tzinfo=UTC)),
        (datetime(2025, 3, 31, tzinfo=UTC), "1 month", datetime(2025, 2, 28, tzinfo=UTC)),
    ],
)
def test_a_period_is_counted_by_the_calendar(
    now: datetime, period: str, expected: datetime
) -> None:
    assert older_than(period, now=now) == expected


def test_the_calendar_is_that_of_utc() -> None:
    still_february = datetime(2028, 3, 1, 8, tzinfo=timezone(timedelta(hours=13)))
    assert older_than("1 year", now=still_february) == datetime(2027, 2, 28, 19, tzinfo=UTC)


@pytest.mark.parametrize("period", ["", "year", "0 days", "1 fortnight", "-1 year", "9999 years"])
def test_a_bad_period_is_refused(period: str) -> None:
    with pytest.raises(BadCutOff):
        older_than(period, now=NOON)


def test_a_cut_off_lies_in_the_past() -> None:
    assert in_the_past(NOON, now=NOON) == NOON
    with pytest.raises(BadCutOff):
        in_the_past(NOON + timedelta(seconds=1), now=NOON)
