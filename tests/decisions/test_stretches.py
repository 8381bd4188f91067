"""The merged intervals of a span, as a calendar shows them."""

from datetime import datetime, timedelta

import pytest

from decisions.calendar import Calendar, DuplicateRow, Stretch, stretches
from tests.decisions.factories import (
    MONDAY,
    SUNDAY,
    TUESDAY,
    Row,
    closed,
    further,
    key,
    line,
    row,
    special,
    utc,
)

MONDAY_MORNING, NIGHT, EVENING = (
    row(MONDAY, "09:00-12:00", id=key(1)),
    further(MONDAY, "22:00-03:00", 2),
    further(MONDAY, "11:00-17:00", 3),
)


def found(*rows: Row, start: str, end: str) -> list[tuple[datetime, datetime, list[int]]]:
    calendar = Calendar(line(*rows))
    return [
        (stretch.open, stretch.close, [row.id.int for row in stretch.rows])
        for stretch in stretches(calendar, utc(start), utc(end))
    ]


def test_merged_intervals_name_the_rows_behind_them() -> None:
    rows = (NIGHT, MONDAY_MORNING, EVENING)
    assert found(*rows, start="2026-06-01T00:00", end="2026-06-03T00:00") == [
        (utc("2026-06-01T07:00"), utc("2026-06-01T15:00"), [1, 3]),
        (utc("2026-06-01T20:00"), utc("2026-06-02T01:00"), [2]),
    ]


def test_intervals_that_touch_are_one_stretch() -> None:
    rows = (MONDAY_MORNING, further(MONDAY, "12:00-13:00", 4))
    assert found(*rows, start="2026-06-01T00:00", end="2026-06-02T00:00") == [
        (utc("2026-06-01T07:00"), utc("2026-06-01T11:00"), [1, 4])
    ]


def test_stretches_are_cut_off_at_the_span() -> None:
    rows = [row(day, "00:00-00:00", id=key(day + 1)) for day in range(7)]
    assert found(*rows, start="2026-06-01T10:00", end="2026-06-02T10:00") == [
        (utc("2026-06-01T10:00"), utc("2026-06-02T10:00"), [2, 3])
    ]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-06-01T10:00", "2026-06-01T12:00", 0),  # the span begins where it closes
        ("2026-06-01T06:00", "2026-06-01T07:00", 0),  # the span ends where it opens
        ("2026-06-01T09:59:59.999999", "2026-06-01T12:00", 1),
        ("2026-06-01T06:00", "2026-06-01T07:00:00.000001", 1),
        ("2026-06-01T08:00", "2026-06-01T08:00", 0),
        ("2026-06-02T10:00", "2026-05-01T10:00", 0),
    ],
)
def test_span_is_half_open(start: str, end: str, expected: int) -> None:
    assert len(found(MONDAY_MORNING, start=start, end=end)) == expected


def test_tail_of_the_day_before_the_span_is_in_it() -> None:
    assert found(NIGHT, start="2026-06-02T00:00", end="2026-06-03T00:00") == [
        (utc("2026-06-02T00:00"), utc("2026-06-02T01:00"), [2])
    ]


def test_special_day_is_behind_its_own_intervals() -> None:
    holiday = special("2026-06-01", "10:00-11:00", "11:00-12:00", id=key(9))
    assert found(MONDAY_MORNING, holiday, start="2026-06-01T00:00", end="2026-06-02T00:00") == [
        (utc("2026-06-01T08:00"), utc("2026-06-01T10:00"), [9])
    ]


def test_span_may_begin_and_end_with_the_years() -> None:
    calendar = Calendar(line(*(row(day, "00:00-00:00") for day in range(7))))
    first, last = utc("0001-01-01T00:00"), utc("9999-12-31T23:59")
    day = timedelta(days=1)
    for start, end in [(first, first + day), (last - day, last)]:
        [stretch] = stretches(calendar, start, end)
        assert isinstance(stretch, Stretch)
        assert (stretch.open, stretch.close) == (start, end)


def test_two_rows_of_one_day_are_refused() -> None:
    twice: list[list[Row]] = [
        [row(SUNDAY, "09:00-10:00"), closed(SUNDAY)],
        [special("2026-06-01"), special("2026-06-01")],
    ]
    for rows in twice:
        with pytest.raises(DuplicateRow, match="two rows"):
            Calendar(line(*rows, row(TUESDAY, "09:00-10:00")))
