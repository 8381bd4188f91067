"""Exact reads: rolled-up buckets, and those whose calls changed since computed live.

Each answer is one statement, so one snapshot: a bucket is either rolled up or has its queue row
visible, never neither. A first, small statement reads stored rows only, and sees in its own
snapshot whether that was enough. The cost follows the range and the backlog of the queue, not the
history.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from psycopg import IsolationLevel

from analytics.counting import (
    COUNTS,
    day_counts,
    days_of_hours,
    history,
    hour_counts,
    lines,
    not_sealed,
)
from tenancy import current_scope

# Columns of Counts; those of an hour's row have no average and are always exact.
_COLUMNS = (
    "total_calls, answered_calls, successful_calls, live_calls, measured_calls, total_duration"
)
_OF_HOUR = (
    f"{_COLUMNS}, round(total_duration::numeric / nullif(measured_calls, 0), 2)"
    " AS average_duration, unique_callers, true AS callers_exact"
)
_OF_DAY = f"{_COLUMNS}, average_duration, unique_callers, callers_exact"
# The scope's line, or nothing more where row level security shows all of them to staff.
_LINE = "phone_id = %(line)s AND"
_QUEUED = "FROM rollup_queue WHERE {line} bucket >= %(since)s AND bucket < %(until)s"
_QUEUED_OF_LINE = _QUEUED.format(line=_LINE)

# A row that shows whether anything is queued; if not, the stored rows.
STORED_HOURS = f"""
SELECT w.waiting, date_bucket, {_OF_HOUR}
FROM (SELECT EXISTS (SELECT {_QUEUED_OF_LINE}) AS waiting) AS w
LEFT JOIN call_analytics ON NOT waiting
    AND {_LINE} date_bucket >= %(since)s AND date_bucket < %(until)s
ORDER BY date_bucket
"""
STORED_DAYS = f"""
SELECT w.waiting, date, {_OF_DAY}
FROM (SELECT EXISTS (SELECT {_QUEUED_OF_LINE}) AS waiting) AS w
LEFT JOIN daily_call_stats ON NOT waiting AND {_LINE} date BETWEEN %(first)s AND %(last)s
ORDER BY date
"""


def _hours(line: str) -> str:
    """Hours of the lines in [since, until), each with its line."""
    return f"""
WITH queued AS (
    SELECT DISTINCT phone_id, bucket {_QUEUED.format(line=line)}
        AND {not_sealed("bucket", line="rollup_queue.phone_id")}
)
SELECT phone_id, date_bucket AS bucket, {_OF_HOUR} FROM call_analytics a
WHERE {line} date_bucket >= %(since)s AND date_bucket < %(until)s
    AND NOT EXISTS (
        SELECT FROM queued q WHERE q.phone_id = a.phone_id AND q.bucket = a.date_bucket)
UNION ALL
SELECT * FROM ({hour_counts(hours="queued")}) AS live WHERE total_calls > 0
"""


def _days(line: str) -> str:
    """Days of the lines from first to last, each with its line.

    An hour of the queue may touch days on either side of the range; they are left out again.
    """
    return f"""
WITH queued AS (
    SELECT DISTINCT phone_id, bucket {_QUEUED.format(line=line)}
), lines AS ({lines("id IN (SELECT phone_id FROM queued)")}
), days AS (
    SELECT * FROM ({days_of_hours(hours="queued", lines="lines")}) AS touched
    WHERE date BETWEEN %(first)s AND %(last)s
)
SELECT phone_id, date, {_OF_DAY} FROM daily_call_stats s
WHERE {line} date BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM days d WHERE d.phone_id = s.phone_id AND d.date = s.date)
UNION ALL
SELECT * FROM ({day_counts(days="days")}) AS live WHERE total_calls > 0
"""


HOURS = f"SELECT bucket, {_OF_DAY} FROM ({_hours(_LINE)}) AS hours ORDER BY bucket"
DAYS = f"SELECT date, {_OF_DAY} FROM ({_days(_LINE)}) AS days ORDER BY date"

_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in _COLUMNS.split(", "))
HOURS_OF_LINES = f"SELECT bucket, {_SUMS} FROM ({_hours('')}) AS hours GROUP BY bucket ORDER BY 1"
DAYS_OF_LINES = f"SELECT date, {_SUMS} FROM ({_days('')}) AS days GROUP BY date ORDER BY 1"

# Callers of a range are counted over its calls: a sum of days would count a caller once a day.
_LINE_IN_SCOPE = f"WITH line AS MATERIALIZED ({lines('id = %(line)s')})"
_HISTORY = history("%(line)s", sealed="(SELECT sealed FROM line)")
RANGE = f"{_LINE_IN_SCOPE} SELECT NULL AS bucket, {COUNTS} FROM ({_HISTORY}) AS history"

# What a moment on the wall clock of a time zone belongs to. Weeks begin on Monday or, with
# week_offset 1, the day before; weekdays count from Sunday, 0, as business_hours does. Hours count
# from `since`, since those of some clocks begin half an hour or a quarter after UTC's.
GROUPS = {
    "hour": "date_bin('1 hour', created_at, %(since)s)",
    "day": "(created_at AT TIME ZONE %(timezone)s)::date",
    "week": "date_trunc('week', (created_at AT TIME ZONE %(timezone)s)::date"
    " + %(week_offset)s)::date - %(week_offset)s",
    "month": "date_trunc('month', created_at AT TIME ZONE %(timezone)s)::date",
    "hour_of_day": "extract(hour FROM created_at AT TIME ZONE %(timezone)s)::integer",
    "weekday": "extract(dow FROM created_at AT TIME ZONE %(timezone)s)::integer",
}
# Callers of a week are not the sum of those of its days, so the calls of the range are counted.
GROUPED = {
    name: f"""{_LINE_IN_SCOPE}
SELECT {group} AS bucket, {COUNTS} FROM ({_HISTORY}) AS history GROUP BY bucket ORDER BY bucket
"""
    for name, group in GROUPS.items()
}


@dataclass(frozen=True)
class Counts:
    """Calls and seconds of one bucket, as analytics.definitions has them.

    average_duration is None where no length is known, unique_callers where calls of a sealed month
    have to be added to others, since their callers were dropped with them.
    """

    total_calls: int
    answered_calls: int
    successful_calls: int
    live_calls: int
    measured_calls: int
    total_duration: int
    average_duration: Decimal | None
    unique_callers: int | None


@dataclass(frozen=True)
class Sums:
    """Calls and seconds of one bucket over several lines."""

    total_calls: int = 0
    answered_calls: int = 0
    successful_calls: int = 0
    live_calls: int = 0
    measured_calls: int = 0
    total_duration: int = 0


def hourly(*, since: datetime, until: datetime) -> dict[datetime, Counts]:
    """The hours, UTC, of the scope's line that have calls, in [since, until), oldest first."""
    values = {"since": since, "until": until}
    stored = _stored(STORED_HOURS, values)
    return dict(_buckets(HOURS, values) if stored is None else stored)


def daily(*, first: date, last: date) -> dict[date, Counts]:
    """The days, on the line's own clock, that have calls, first and last included."""
    values = _around(first, last)
    stored = _stored(STORED_DAYS, values)
    return dict(_buckets(DAYS, values) if stored is None else stored)


def total(*, since: datetime, until: datetime) -> Counts:
    """The whole range [since, until) as one bucket; unique_callers are those of the range."""
    ((_, counts),) = _buckets(RANGE, {"since": since, "until": until})
    return counts


def grouped(
    *, group_by: str, timezone: str, since: datetime, until: datetime, week_offset: int = 0
) -> dict[Any, Counts]:
    """The calls of [since, until) by one of GROUPS, on the clock of `timezone`; none are left out.

    week_offset: by how many days weeks begin before Monday. Unlike hourly() and daily() it costs
    what the range holds.
    """
    values = {"since": since, "until": until, "timezone": timezone, "week_offset": week_offset}
    return dict(_buckets(GROUPED[group_by], values))


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Reads of the block see one moment, so that buckets add up to their total.

    Inside a transaction, whose isolation cannot be changed, it does nothing.
    """
    if connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    before = driver.isolation_level
    driver.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with transaction.atomic():
            yield
    finally:
        if not driver.closed:
            driver.isolation_level = before


def daily_sums(*, first: date, last: date) -> dict[date, Sums]:
    """The days of the lines in scope together, first and last included.

    Each call counts on the day of its own line's clock; days without calls are left out. Exact
    like daily(), at the cost of a row for each line and day that has calls, and a count for each
    that is queued.
    """
    with connection.cursor() as cursor:
        cursor.execute(DAYS_OF_LINES, _around(first, last))
        return {day: Sums(*sums) for day, *sums in cursor.fetchall()}


def midnight(day: date, timezone: str) -> datetime:
    """When a day begins on the clock of a time zone, UTC."""
    return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)


def _around(first: date, last: date) -> dict[str, Any]:
    """Values of a text of days; every clock's first and last lie in [since, until)."""
    return {
        "first": first,
        "last": last,
        "since": datetime.combine(first - timedelta(days=2), time.min, UTC),
        "until": datetime.combine(last + timedelta(days=3), time.min, UTC),
    }


def _stored(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, Counts]] | None:
    """What is stored; None when part of it is queued for the roll-up."""
    (waiting, *first), *others = _rows(sql, values)
    if waiting:
        return None
    rows = [first, *(row[1:] for row in others)]
    return [_bucket(*row) for row in rows if row[0] is not None]


def _buckets(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, Counts]]:
    return [_bucket(*row) for row in _rows(sql, values)]


def _rows(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "line": current_scope().phone_id})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _bucket(bucket: Any, *columns: Any) -> tuple[Any, Counts]:
    *counts, callers, are_exact = columns
    return bucket, Counts(*[*counts, callers if are_exact else None])
