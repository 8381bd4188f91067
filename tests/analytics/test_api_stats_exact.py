"""What the API says is what counting the raw rows gives, rolled up or not, archived or dropped."""

import random
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from calls.archival.dropping import drop_month, months_before
from tenancy import all_tenants
from tenants.models import PhoneNumber
from tests.api_client import Api, api_of
from tests.factories import archive, make_call

FIRST, LAST = date(2026, 3, 20), date(2026, 4, 12)  # clocks go forward in Berlin on March 29th
RAW = """
SELECT {bucket}, count(*), count(*) FILTER (WHERE status IN ('answered', 'completed')),
    count(*) FILTER (WHERE status = 'completed'),
    count(*) FILTER (WHERE status IN ('ringing', 'answered')), count(length),
    coalesce(sum(length), 0), round(avg(length), 2), count(DISTINCT caller_number)
FROM (SELECT *, CASE WHEN status IN ('completed', 'failed') THEN duration END AS length
      FROM (SELECT phone_id, created_at, status, duration, caller_number FROM calls
            UNION ALL
            SELECT phone_id, created_at, status, duration, caller_number
            FROM calls_archive) AS history) AS history
WHERE phone_id = 'pn_bakery' AND {within}
GROUP BY 1
"""
ON_CLOCK = "(created_at AT TIME ZONE %(clock)s)"
BUCKETS = {
    "day": f"{ON_CLOCK}::date::text",
    "week": f"date_trunc('week', {ON_CLOCK})::date::text",
    "month": f"date_trunc('month', {ON_CLOCK})::date::text",
    "weekday": f"extract(dow FROM {ON_CLOCK})::int::text",
    "hour_of_day": f"extract(hour FROM {ON_CLOCK})::int::text",
    "hour": "to_char(date_trunc('hour', created_at, 'UTC') AT TIME ZONE 'UTC',"
    ' \'YYYY-MM-DD"T"HH24:MI:SS.000000"Z"\')',
}
NAMES = (
    "total_calls",
    "answered_calls",
    "successful_calls",
    "live_calls",
    "measured_calls",
    "total_duration",
    "average_duration",
    "unique_callers",
)


def count(bucket: str, within: str, **values: Any) -> dict[Any, tuple[Any, ...]]:
    with all_tenants("test"), connection.cursor() as cursor:
        cursor.execute(RAW.format(bucket=bucket, within=within), values)
        return {
            name: tuple(n if n is None else float(n) for n in row)
            for name, *row in cursor.fetchall()
        }


def shown(counts: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(counts[name] for name in NAMES)


def check(period: dict[str, Any], bucket: str, within: str, **values: Any) -> None:
    """The buckets that have calls, no others, and the whole."""
    raw = count(bucket, within, **values)
    told = {b["bucket"]: shown(b) for b in period["buckets"] if b["total_calls"]}
    assert told == raw
    [total] = count("NULL", within, **values).values()
    assert shown(period["total"]) == total


@pytest.fixture
def api(line: PhoneNumber, other_line: PhoneNumber) -> Api:
    """Calls of two lines at random, rolled up; most were changed, archived or deleted since."""
    dice = random.Random(6)
    start = datetime(2026, 2, 25, tzinfo=UTC)
    calls = [
        make_call(
            dice.choice([line, line, other_line]),
            created_at=start + timedelta(minutes=dice.randrange(47 * 24 * 60)),
            status=dice.choice(["ringing", "answered", "completed", "completed", "failed"]),
            duration=dice.randrange(600),
            caller_number=f"+1415555{dice.randrange(12):04}",
        )
        for _ in range(120)
    ]
    call_command("roll_up_calls", stdout=StringIO())
    for call in calls[:90]:
        if call.status in ("completed", "failed"):
            archive(call)
    with all_tenants("test"):
        for call in calls[90:105]:
            call.duration += 7
            call.save()
        for call in calls[105:]:
            call.delete()
    return api_of(line)


@pytest.mark.parametrize("clock", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("group_by", ["day", "week", "month", "weekday"])
def test_days_equal_the_raw_rows(api: Api, group_by: str, clock: str, line: PhoneNumber) -> None:
    query = {"first": str(FIRST), "last": str(LAST), "group_by": group_by, "timezone": clock}
    length = LAST - FIRST + timedelta(days=1)
    within = f"{ON_CLOCK}::date BETWEEN %(first)s AND %(last)s"
    for own in ("UTC", clock):
        with all_tenants("test"):
            PhoneNumber.objects.filter(pk=line.pk).update(timezone=own)
        for _ in range(2):
            body = api.get("/stats/daily/", query | {"compare": "previous"}).json()
            check(body, BUCKETS[group_by], within, clock=clock, first=FIRST, last=LAST)
            check(
                body["previous"],
                BUCKETS[group_by],
                within,
                clock=clock,
                first=FIRST - length,
                last=LAST - length,
            )
            call_command("roll_up_calls", stdout=StringIO())


@pytest.mark.parametrize("group_by", ["hour", "hour_of_day"])
def test_hours_equal_the_raw_rows(api: Api, group_by: str) -> None:
    since, until = datetime(2026, 3, 25, 5, tzinfo=UTC), datetime(2026, 4, 8, 20, tzinfo=UTC)
    query = {"since": since.isoformat(), "until": until.isoformat(), "group_by": group_by}
    query |= {"timezone": "Europe/Berlin", "compare": "previous"}
    within = "created_at >= %(since)s AND created_at < %(until)s"
    values = {"clock": "Europe/Berlin"}
    for _ in range(2):
        body = api.get("/stats/hourly/", query).json()
        check(body, BUCKETS[group_by], within, since=since, until=until, **values)
        before = {"since": since - (until - since), "until": since}
        check(body["previous"], BUCKETS[group_by], within, **before, **values)
        call_command("roll_up_calls", stdout=StringIO())


@pytest.mark.parametrize("rolled_up", [True, False])
@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-04-04T11:00+11:00", "2026-04-05T06:00+10:30"),
        ("2026-10-03T00:00+10:30", "2026-10-05T00:00+11:00"),
        ("2026-10-03T00:00+10:30", "2026-10-03T08:00+10:30"),
    ],
)
def test_hours_add_up_across_a_change_by_half_an_hour(
    line: PhoneNumber, since: str, until: str, rolled_up: bool
) -> None:
    """On Lord Howe Island, whose clock is 10:30 or 11 hours ahead of UTC."""
    first, last = datetime.fromisoformat(since), datetime.fromisoformat(until)
    quarters = range(-8, int((last - first) / timedelta(minutes=15)) + 8)
    for n in quarters:
        make_call(line, created_at=first + n * timedelta(minutes=15))
    if rolled_up:
        call_command("roll_up_calls", stdout=StringIO())
    query = {"since": since, "until": until, "timezone": "Australia/Lord_Howe"}
    found = api_of(line).get("/stats/hourly/", query).json()
    counts = [bucket["total_calls"] for bucket in found["buckets"]]
    assert found["total"]["total_calls"] == len(quarters) - 16
    assert sum(counts) == len(quarters) - 16
    assert set(counts[:-1]) == {4}
    assert counts[-1] in (2, 4)


@pytest.mark.parametrize("group_by", ["day", "week", "month", "weekday"])
def test_a_dropped_month_keeps_its_numbers_but_not_the_callers_of_a_range(
    line: PhoneNumber, tmp_path: Path, group_by: str
) -> None:
    """Counted before the drop, and asked for after it."""
    june = datetime(2023, 6, 28, 10, tzinfo=UTC)
    for hours in (0, 1, 30, 50, 80, 100):
        archive(make_call(line, created_at=june + timedelta(hours=hours), duration=hours))
    call_command("roll_up_calls", stdout=StringIO())
    query = {"first": "2023-06-25", "last": "2023-07-08", "group_by": group_by}
    values = {"clock": "UTC", "first": date(2023, 6, 25), "last": date(2023, 7, 8)}
    within = f"{ON_CLOCK}::date BETWEEN %(first)s AND %(last)s"
    api = api_of(line)
    before = api.get("/stats/daily/", query).json()
    check(before, BUCKETS[group_by], within, **values)
    with all_tenants("test"):
        [month] = months_before(datetime(2023, 7, 1, tzinfo=UTC))
    drop_month(month, directory=tmp_path, started_by="test")
    after = api.get("/stats/daily/", query).json()
    for then, now in zip(
        [before["total"], *before["buckets"]], [after["total"], *after["buckets"]], strict=True
    ):
        assert shown(then)[:-1] == shown(now)[:-1]
        assert now["unique_callers"] in (then["unique_callers"], None)
    assert after["total"]["unique_callers"] is None
    if group_by == "day":
        assert after["buckets"] == before["buckets"]
