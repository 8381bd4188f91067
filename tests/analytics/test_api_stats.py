"""The statistics over the API: exact, zero-filled, on any clock, with the period before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections

from analytics.rollups import roll_up
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.factories import archive, make_call, make_line


@pytest.fixture
def api(line: PhoneNumber, other_line: PhoneNumber) -> Api:
    """Three calls: Sunday 23:30 UTC (Monday in Berlin), Monday, and the Monday after."""
    for owner in (line, other_line):
        for at, caller, status in (
            (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "+14155550001", "completed"),
            (datetime(2026, 3, 2, 10, 0, tzinfo=UTC), "+14155550001", "answered"),
            (datetime(2026, 3, 9, 10, 59, 59, tzinfo=UTC), "+14155550002", "failed"),
        ):
            make_call(owner, created_at=at, caller_number=caller, status=status, duration=30)
    archive(make_call(line, created_at=datetime(2026, 3, 10, tzinfo=UTC), duration=1))
    return api_of(line)


def totals(period: Any) -> dict[str, int]:
    return {b["bucket"]: b["total_calls"] for b in period["buckets"] if b["total_calls"]}


def test_days_on_the_lines_clock(api: Api) -> None:
    body = api.get("/stats/daily/", {"first": "2026-02-27", "last": "2026-03-10"}).json()
    assert len(body["buckets"]) == 12
    assert totals(body) == {"2026-03-01": 1, "2026-03-02": 1, "2026-03-09": 1, "2026-03-10": 1}
    assert body["buckets"][0]["average_duration"] is None
    assert body["total"] == {
        "total_calls": 4,
        "answered_calls": 3,
        "successful_calls": 2,
        "live_calls": 1,
        "measured_calls": 3,
        "total_duration": 61,
        "average_duration": 20.33,
        "unique_callers": 3,
    }
    assert body["timezone"] == "UTC"
    assert datetime.fromisoformat(body["as_of"]) <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("day", {"2026-03-02": 2, "2026-03-09": 1, "2026-03-10": 1}),
        ("week", {"2026-03-02": 2, "2026-03-09": 2}),
        ("month", {"2026-03-01": 4}),
        ("weekday", {"1": 3, "2": 1}),
    ],
)
def test_groups_on_another_clock(api: Api, group_by: str, expected: dict[str, int]) -> None:
    query = {"first": "2026-03-01", "last": "2026-03-12", "group_by": group_by}
    body = api.get("/stats/daily/", query | {"timezone": "Europe/Berlin"}).json()
    assert totals(body) == expected
    assert body["since"] == "2026-02-28T23:00:00.000000Z"


def test_callers_of_a_range_are_counted_once(api: Api) -> None:
    query = {"first": "2026-03-01", "last": "2026-03-08", "group_by": "month"}
    body = api.get("/stats/daily/", query).json()
    assert body["buckets"][0]["unique_callers"] == body["total"]["unique_callers"] == 1


def test_the_period_before(api: Api) -> None:
    query = {"first": "2026-03-09", "last": "2026-03-15", "compare": "previous"}
    body = api.get("/stats/daily/", query).json()
    assert totals(body["previous"]) == {"2026-03-02": 1}
    assert body["previous"]["until"] == body["since"]


def test_hours(api: Api) -> None:
    query = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z"}
    body = api.get("/stats/hourly/", query | {"compare": "previous"}).json()
    assert len(body["buckets"]) == 24
    assert totals(body) == {"2026-03-02T10:00:00.000000Z": 1}
    assert totals(body["previous"]) == {"2026-03-01T23:00:00.000000Z": 1}
    of_day = api.get("/stats/hourly/", query | {"group_by": "hour_of_day"}).json()
    assert len(of_day["buckets"]) == 24
    assert totals(of_day) == {"10": 1}


def test_rolling_up_changes_reject_constant(api: Api) -> None:
    query = {"first": "2026-03-01", "last": "2026-03-12", "compare": "previous"}
    before = api.get("/stats/daily/", query).json()
    with all_tenants("test"):
        assert roll_up().hours
    after = api.get("/stats/daily/", query).json()
    assert before | {"as_of": None} == after | {"as_of": None}


def test_summary_says_as_of_when(api: Api, line: PhoneNumber) -> None:
    body = api.get("/stats/summary/").json()
    assert body == {
        "phone_id": line.pk,
        "total_calls": 0,
        "avg_duration": None,
        "unique_callers": 0,
        "success_rate": None,
        "as_of": None,
    }


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("daily", {}, "first"),
        ("daily", {"first": "2026-03-02", "last": "2026-03-01"}, "last"),
        ("daily", {"first": "2020-01-01", "last": "2026-03-01"}, "last"),
        ("daily", {"first": "0001-01-01", "last": "0001-01-01"}, "first"),
        ("daily", {"first": "today", "last": "2026-03-01"}, "first"),
        ("daily", {"first": "2026-03-01", "last": "2026-03-01", "group_by": "year"}, "group_by"),
        ("daily", {"first": "2026-03-01", "last": "2026-03-01", "timezone": "CET-1"}, "timezone"),
        ("daily", {"first": "2026-03-01", "last": "2026-03-01", "line": "x"}, "line"),
        ("hourly", {"since": "2026-03-01T00:30:00Z", "until": "2026-03-01T02:00:00Z"}, "since"),
        ("hourly", {"since": "2026-03-01T00:00:00", "until": "2026-03-01T02:00:00Z"}, "since"),
        ("hourly", {"since": "2026-03-01", "until": "2026-03-01T02:00:00Z"}, "since"),
        ("hourly", {"since": "2026-03-01T00:00:00Z", "until": "2027-03-01T00:00:00Z"}, "until"),
        ("daily", {"first": "2024-01-01", "last": "2026-03-20", "group_by": "month"}, "last"),
        ("daily", {"first": "2026-03-01", "last": "2026-03-01", "week_start": "x"}, "week_start"),
        ("hourly", {"since": "2026-03-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "until"),
    ],
)
def test_wrong_parameters_are_named(
    line: PhoneNumber, path: str, query: dict[str, str], parameter: str
) -> None:
    response = api_of(line).get(f"/stats/{path}/", query)
    assert response.status_code == 400
    assert parameter in [error["parameter"] for error in response.json()["errors"]]


def test_weeks_begin_on_the_day_that_is_wanted(api: Api) -> None:
    query = {"first": "2026-03-01", "last": "2026-03-12", "group_by": "week"}
    body = api.get("/stats/daily/", query | {"week_start": "sunday"}).json()
    assert [b["bucket"] for b in body["buckets"]] == ["2026-03-01", "2026-03-08"]
    assert totals(body) == {"2026-03-01": 2, "2026-03-08": 2}
    body = api.get("/stats/daily/", query | {"week_start": "monday"}).json()
    assert totals(body) == {"2026-02-23": 1, "2026-03-02": 1, "2026-03-09": 2}


def test_two_years_by_month(api: Api) -> None:
    query = {"first": "2024-03-01", "last": "2026-03-31", "group_by": "month"}
    body = api.get("/stats/daily/", query).json()
    assert len(body["buckets"]) == 25
    assert totals(body) == {"2026-03-01": 4}


def test_hours_of_a_clock_half_an_hour_off(line: PhoneNumber) -> None:
    for minute in (29, 30, 89, 90):
        make_call(line, created_at=datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minute))
    query = {"since": "2026-03-02T06:00:00+05:30", "until": "2026-03-02T08:00:00+05:30"}
    query |= {"timezone": "Asia/Kolkata"}
    expected = {"2026-03-02T00:30:00.000000Z": 2, "2026-03-02T01:30:00.000000Z": 1}
    for _ in range(2):
        body = api_of(line).get("/stats/hourly/", query).json()
        assert totals(body) == expected
        assert body["total"]["total_calls"] == 3
        with all_tenants("test"):
            roll_up()
    of_day = api_of(line).get("/stats/hourly/", query | {"group_by": "hour_of_day"}).json()
    assert totals(of_day) == {"6": 2, "7": 1}
    elsewhere = api_of(line).get("/stats/hourly/", query | {"timezone": "Europe/Berlin"})
    assert {e["parameter"] for e in elsewhere.json()["errors"]} == {"since", "until"}


def test_buckets_add_up_to_their_total_whatever_happens_meanwhile(committed: None) -> None:
    """A call that is committed between the two statements is in neither."""
    line = make_line()
    make_call(line, created_at=datetime(2026, 3, 2, 10, tzinfo=UTC))
    api = api_of(line)
    added: list[Any] = []

    def add() -> None:
        added.append(make_call(line, created_at=datetime(2026, 3, 2, 10, tzinfo=UTC)))
        connections.close_all()

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if "call_analytics" in sql or "daily_call_stats" in sql or "calls_archive" in sql:
            with ThreadPoolExecutor(1) as another:
                another.submit(add).result()
        return result

    query = {"first": "2026-03-01", "last": "2026-03-03", "compare": "previous"}
    with connection.execute_wrapper(between):
        body = api.get("/stats/daily/", query).json()
    assert len(added) >= 2
    assert sum(b["total_calls"] for b in body["buckets"]) == body["total"]["total_calls"] == 1
    # Afterwards the connection reads as before.
    body = api.get("/stats/daily/", query).json()
    assert body["total"]["total_calls"] == 1 + len(added)
