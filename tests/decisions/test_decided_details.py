"""What the contract decides where nothing was said, sentence by sentence (its section 8)."""

from datetime import datetime, timedelta

import pytest

from decisions.decision import RULE_TYPES, decide
from decisions.hours import HoursAtMoment
from decisions.line_settings import LineSettings
from tests.decisions.factories import (
    FRIDAY,
    MONDAY,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    Row,
    answer,
    closed,
    further,
    hours,
    key,
    line,
    row,
    rule,
    special,
    utc,
)

EVERY_DAY = [row(day, "00:00-00:00") for day in range(7)]


def length(found: HoursAtMoment) -> timedelta:
    assert found.since
    assert found.until
    return found.until - found.since


# 1


@pytest.mark.parametrize(
    ("at", "expected"),
    [("2026-03-29T12:00+02:00", 23), ("2026-10-25T12:00+01:00", 25), ("2026-07-05T12:00Z", 24)],
)
def test_equal_times_last_to_the_same_wall_time(at: str, expected: int) -> None:
    found = hours(line(row(SUNDAY, "00:00-00:00")), at)
    assert length(found) == timedelta(hours=expected)


def test_special_days_alone_close_all_other_days() -> None:
    settings = line(special("2026-12-24", "09:00-12:00"))
    assert hours(settings, "2026-12-24T10:00+01:00").is_open is True
    found = hours(settings, "2026-12-22T10:00+01:00")
    assert (found.is_open, found.reason, found.decided_by) == (False, "no_hours_that_day", None)
    assert found.until == utc("2026-12-24T08:00")


# 2

OPENS = utc("2026-12-24T08:00")
CLOSES = utc("2026-12-24T11:00")
FAR = timedelta(days=400)
TICK = timedelta(microseconds=1)


def test_horizon_is_400_times_24_hours_with_both_ends() -> None:
    """Across changes of clocks: the wall times differ by an hour."""
    settings = line(special("2026-12-24", "09:00-12:00"))

    def at(moment: datetime) -> HoursAtMoment:
        return decide(settings, at=moment, facts={}).hours

    assert at(OPENS - FAR).until == OPENS
    assert at(OPENS - FAR - TICK).until is None
    assert at(CLOSES + FAR).since == CLOSES
    assert at(CLOSES + FAR + TICK).since is None


def test_horizon_holds_for_an_open_line() -> None:
    """400 days round the clock begin and end with closed days; exactly, and a microsecond less."""
    opens, closes = utc("2026-01-01T00:00"), utc("2027-02-05T00:00")
    assert closes - opens == FAR
    settings = line(
        *(row(day, "00:00-00:00", "UTC") for day in range(7)),
        *(special(f"2025-12-{day}", is_closed=True) for day in (30, 31)),
        *(special(f"2027-02-0{day}", is_closed=True) for day in (5, 6)),
        zone="UTC",
    )
    assert decide(settings, at=opens, facts={}).hours.until == closes
    last = decide(settings, at=closes - TICK, facts={}).hours
    assert (last.since, last.until) == (opens, closes)
    later = line(
        *(row(day, "00:00-00:00", "UTC") for day in range(7)),
        special("2025-12-31", is_closed=True),
        zone="UTC",
    )
    assert decide(later, at=opens + FAR, facts={}).hours.since == opens
    assert decide(later, at=opens + FAR + TICK, facts={}).hours.since is None
    assert decide(later, at=opens, facts={}).hours.until is None


def test_since_and_until_pass_over_changes_of_reason_and_row() -> None:
    """Friday's evening to Monday's morning, over a special Sunday; and two rows that touch."""
    settings = line(
        row(FRIDAY, "09:00-13:00"),
        further(FRIDAY, "13:00-17:00"),
        row(MONDAY, "09:00-17:00"),
        special("2026-06-07", is_closed=True),
    )
    for moment, reason in [("06-06T12:00", "no_hours_that_day"), ("06-07T12:00", "special_day")]:
        found = hours(settings, f"2026-{moment}+02:00")
        assert found.reason == reason
        assert found.since == utc("2026-06-05T15:00")
        assert found.until == utc("2026-06-08T07:00")
    for hour in (10, 15):
        assert length(hours(settings, f"2026-06-05T{hour}:00+02:00")) == timedelta(hours=8)


def test_state_goes_on_through_rows_of_other_zones() -> None:
    """Monday 09:00 to 18:00, of which 12:00-16:00 are Tuesday's hours on Kiritimati."""
    settings = line(
        row(MONDAY, "09:00-12:00", "UTC"),
        further(MONDAY, "15:00-18:00"),
        row(TUESDAY, "02:00-06:00", "Pacific/Kiritimati"),
        zone="UTC",
    )
    for hour in (9, 11, 12, 14, 15, 16, 17):
        found = hours(settings, f"2026-06-01T{hour:02}:30Z")
        assert (found.since, found.until) == (utc("2026-06-01T09:00"), utc("2026-06-01T18:00"))


# 3


def test_closed_special_day_ignores_its_intervals() -> None:
    settings = line(*EVERY_DAY, special("2026-06-03", "09:00-12:00", is_closed=True))
    found = hours(settings, "2026-06-03T10:00+02:00")
    assert (found.is_open, found.reason) == (False, "special_day")


def test_special_day_without_intervals_is_closed_all_day() -> None:
    found = hours(line(*EVERY_DAY, special("2026-06-03")), "2026-06-03T10:00+02:00")
    assert (found.is_open, found.reason) == (False, "special_day")
    assert length(found) == timedelta(hours=24)


# 4


def test_further_interval_without_a_row_counts_by_itself() -> None:
    found = hours(line(further(MONDAY, "09:00-12:00", 5)), "2026-06-01T10:00+02:00")
    assert (found.is_open, found.reason) == (True, "weekly")
    assert found.decided_by == ("business_hours_intervals", key(5))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland"])
def test_closed_row_silences_the_intervals_of_its_number(zone: str) -> None:
    settings = line(closed(MONDAY, zone), further(MONDAY, "09:00-12:00"))
    found = hours(settings, "2026-06-01T10:00+02:00")
    assert (found.is_open, found.reason) == (False, "closed_day")


# 5

NUUK = "America/Nuuk"


def nuuk(*rows: Row) -> LineSettings:
    return line(row(SATURDAY, "23:30-02:00", NUUK), *rows, zone=NUUK)


def test_row_in_a_gap_is_of_the_date_of_its_weekday() -> None:
    """It opens at Sunday 00:00 and is Saturday's."""
    at = "2026-03-29T00:30-01:00"
    assert hours(nuuk(), at).since == utc("2026-03-29T01:00")
    assert hours(nuuk(special("2026-03-28", is_closed=True)), at).is_open is False
    assert hours(nuuk(special("2026-03-29", is_closed=True)), at).is_open is True


def test_row_of_another_zone_is_of_the_date_on_which_it_opens() -> None:
    """The same hours and clocks by another name: then the instant of opening decides."""
    other = "America/Godthab"
    rows: list[Row] = [row(SATURDAY, "23:30-02:00", other), special("2026-03-29", is_closed=True)]
    assert hours(line(*rows, zone=NUUK), "2026-03-29T00:30-01:00").is_open is False


def test_special_day_never_suppresses_another() -> None:
    """Saturday's own hours, too, open at Sunday 00:00."""
    settings = nuuk(special("2026-03-28", "23:30-02:00"), special("2026-03-29", is_closed=True))
    found = hours(settings, "2026-03-29T00:30-01:00")
    assert (found.is_open, found.reason) == (True, "special_day")
    assert found.decided_by
    assert found.decided_by.id == settings.special_days[0].id


# 6


def test_skipped_date_collapses_or_leaves_its_tail() -> None:
    apia = "Pacific/Apia"
    by_day = line(row(FRIDAY, "09:00-17:00", apia), zone=apia)
    by_night = line(row(FRIDAY, "20:00-02:00", apia), zone=apia)
    at = "2011-12-31T01:59:59.999999+14:00"
    assert hours(by_day, at).is_open is False
    assert hours(by_day, "2011-12-31T10:00+14:00").is_open is False
    found = hours(by_night, at)
    assert (found.since, found.until) == (utc("2011-12-30T10:00"), utc("2011-12-30T12:00"))


# 7


def test_while_closed_the_lines_own_calendar_gives_the_reason() -> None:
    """Monday's row of Auckland opens on the line's Sunday; on its Monday it is still Monday's."""
    settings = line(row(MONDAY, "09:00-10:00", "Pacific/Auckland"), closed(TUESDAY))
    sunday, monday, tuesday = (hours(settings, f"2026-06-0{day}T12:00+02:00") for day in (7, 8, 9))
    assert (sunday.reason, sunday.decided_by) == ("no_hours_that_day", None)
    assert (monday.reason, monday.decided_by) == (
        "weekly",
        ("business_hours", settings.business_hours[0].id),
    )
    assert tuesday.reason == "closed_day"


def test_while_closed_the_first_further_interval_gives_the_reason() -> None:
    """By opening, closing and id."""
    settings = line(
        further(MONDAY, "09:00-12:00", 1),
        further(MONDAY, "13:00-15:00", 0),
        further(MONDAY, "09:00-11:00", 3),
        further(MONDAY, "09:00-11:00", 2),
    )
    assert hours(settings, "2026-06-01T20:00+02:00").decided_by == (
        "business_hours_intervals",
        key(2),
    )


# 8


@pytest.mark.parametrize(
    ("conditions", "at", "expected"),
    [
        ({"date": {"to": "2026-06-01"}}, "2026-06-02T01:00+02:00", "false"),
        ({"date": {"from": "2026-06-02"}}, "2026-06-02T01:00+02:00", "true"),
        ({"date": {"from": "2026-06-02", "to": "2026-06-01"}}, "2026-06-02T01:00+02:00", "false"),
        ({"date": {"from": "2026-06-02", "to": "2026-06-01"}}, "2026-06-01T01:00+02:00", "false"),
        ({"time_of_day": {"from": "02:00", "to": "02:30"}}, "2026-10-25T02:15+02:00", "true"),
        ({"time_of_day": {"from": "02:00", "to": "02:30"}}, "2026-10-25T02:15+01:00", "true"),
        ({"time_of_day": {"from": "02:30", "to": "02:00"}}, "2026-10-25T02:15+01:00", "false"),
        ({"time_of_day": {"from": "22:00", "to": "06:00"}}, "2026-06-02T22:00+02:00", "true"),
        ({"time_of_day": {"from": "22:00", "to": "06:00"}}, "2026-06-02T06:00+02:00", "false"),
        ({"time_of_day": {"from": "06:00", "to": "06:00"}}, "2026-06-02T05:59+02:00", "true"),
    ],
)
def test_date_and_time_are_of_the_moment_alone(
    conditions: dict[str, dict[str, str]], at: str, expected: str
) -> None:
    [traced] = answer(line(rule(conditions)), at).trace
    assert traced.conditions.truth == expected


# 10


@pytest.mark.parametrize(
    ("conditions", "facts", "expected"),
    [
        (
            {"any": [{"urgency": "high", "sentiment": "negative"}, {"intent": ["book"]}]},
            {"urgency": "low"},
            ["intent"],
        ),
        (
            {"any": [{"urgency": "high", "sentiment": "negative"}, {"intent": ["book"]}]},
            {},
            ["intent", "sentiment", "urgency"],
        ),
        (
            {"keywords": ["a"], "caller_prefix": ["+1"], "not": {"keywords": ["b"]}},
            {},
            ["caller", "said"],
        ),
        (
            {"not": {"urgency": "high", "sentiment": "negative"}},
            {"urgency": "high"},
            ["sentiment"],
        ),
        ({"any": [{"urgency": "high"}, {}], "intent": ["a"]}, {}, ["intent"]),
    ],
)
def test_unknown_rule_waits_for_the_facts_behind_it(
    conditions: dict[str, object], facts: dict[str, str], expected: list[str]
) -> None:
    found = answer(line(rule(conditions)), "2026-06-01T10:00Z", **facts)
    [pending] = found.decisions["routing"].pending
    assert [*pending.waits_for] == expected


# 11


def test_no_rule_takes_the_place_of_one_that_is_not_applicable() -> None:
    unknown, first, second, later = (
        rule({"urgency": "high"}, "hours", priority=4),
        rule({}, "hours", priority=3),
        rule({}, "hours", priority=2),
        rule({"urgency": "high"}, "hours", priority=1),
    )
    rules = [second, later, unknown, first]
    while_open = answer(line(*EVERY_DAY, *rules), "2026-06-01T10:00Z")
    assert [each.result for each in while_open.trace] == [
        "pending", "not_applicable", "not_reached", "not_reached",
    ]  # fmt: skip
    assert while_open.decisions["hours"].winner is None
    while_closed = answer(line(closed(MONDAY), *rules), "2026-06-01T10:00Z")
    assert [each.result for each in while_closed.trace] == [
        "pending", "won", "not_reached", "not_reached",
    ]  # fmt: skip
    assert while_closed.decisions["hours"].winner == first.id
    for found in (while_open, while_closed):
        assert [each.id for each in found.decisions["hours"].pending] == [unknown.id]


def test_all_types_are_in_an_answer_without_rules() -> None:
    found = answer(line(closed(THURSDAY)), "2026-06-01T10:00Z")
    assert [*found.decisions] == [*RULE_TYPES] == ["greeting", "routing", "transfer", "hours"]
    assert all(not each.winner and not each.pending for each in found.decisions.values())
