"""Exact reads: rolled-up buckets, and those whose calls changed since computed live.

Each function is one statement, so one snapshot: a bucket is either rolled up or has its queue row
visible, never neither. The cost follows the range and the backlog of the queue, not the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.counting import (
    COUNTS,
    day_counts,
    days_of_hours,
    history,
    hour_counts,
    is_sealed,
)
from tenants.scoping import current_scope

HOURS = f"""
WITH queued AS (
    SELECT DISTINCT bucket FROM rollup_queue
    WHERE phone_id = %(line)s AND bucket >= %(since)s AND bucket < %(until)s
        AND NOT {is_sealed("bucket")}
)
SELECT date_bucket AS bucket, total_calls, answered_calls, successful_calls, total_duration,
    round(total_duration::numeric / total_calls, 2) AS average_duration, unique_callers,
    true AS callers_exact
FROM call_analytics a
WHERE phone_id = %(line)s AND date_bucket >= %(since)s AND date_bucket < %(until)s
    AND NOT EXISTS (SELECT 1 FROM queued q WHERE q.bucket = a.date_bucket)
UNION ALL
SELECT * FROM ({hour_counts(hours="queued")}) AS live WHERE total_calls > 0
ORDER BY bucket
"""

# An hour of the queue may touch days on either side of the range; they are left out again.
DAYS = f"""
WITH line AS (
    SELECT timezone FROM phone_numbers WHERE id = %(line)s
), queued AS (
    SELECT DISTINCT bucket, timezone FROM rollup_queue, line
    WHERE phone_id = %(line)s
        AND bucket >= %(first)s::date::timestamp AT TIME ZONE 'UTC' - interval '2 days'
        AND bucket < %(last)s::date::timestamp AT TIME ZONE 'UTC' + interval '3 days'
), days AS (
    SELECT touched.date, line.timezone
    FROM ({days_of_hours(hours="queued", timezone="timezone")}) AS touched, line
    WHERE touched.date BETWEEN %(first)s AND %(last)s
)
SELECT date, total_calls, answered_calls, successful_calls, total_duration, average_duration,
    unique_callers, callers_exact
FROM daily_call_stats s
WHERE phone_id = %(line)s AND date BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT 1 FROM days d WHERE d.date = s.date)
UNION ALL
SELECT * FROM ({day_counts(days="days", timezone="d.timezone")}) AS live WHERE total_calls > 0
ORDER BY date
"""

# Callers of a range are counted over its calls: a sum of days would count a caller once a day.
RANGE = f"""
SELECT NULL AS bucket, {COUNTS}
FROM ({history(since="%(since)s", until="%(until)s")}) AS history
"""


@dataclass(frozen=True)
class Counts:
    """Calls and seconds of one bucket.

    average_duration is None without calls, unique_callers where calls of a sealed month have to be
    added to others: who called in them is not in the database any more.
    """

    total_calls: int
    answered_calls: int
    successful_calls: int
    total_duration: int
    average_duration: Decimal | None
    unique_callers: int | None


def hourly(*, since: datetime, until: datetime) -> dict[datetime, Counts]:
    """The hours, UTC, of the scope's line that have calls, in [since, until), oldest first."""
    return dict(_buckets(HOURS, {"since": since, "until": until}))


def daily(*, first: date, last: date) -> dict[date, Counts]:
    """The days, on the line's own clock, that have calls, first and last included."""
    return dict(_buckets(DAYS, {"first": first, "last": last}))


def total(*, since: datetime, until: datetime) -> Counts:
    """The whole range [since, until) as one bucket; unique_callers are those of the range."""
    ((_, counts),) = _buckets(RANGE, {"since": since, "until": until})
    return counts


def _buckets(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, Counts]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**parameters, "line": current_scope().phone_id})
        return [
            (bucket, Counts(*[*counts, callers if is_exact else None]))
            for bucket, *counts, callers, is_exact in cursor.fetchall()
        ]


# What a moment on the wall clock of a time zone belongs to. ISO weeks begin on Monday; weekdays
# count from Sunday, 0, as business_hours does.
GROUPS = {
    "hour": "date_trunc('hour', created_at, 'UTC')",
    "day": "(created_at AT TIME ZONE %(timezone)s)::date",
    "week": "date_trunc('week', created_at AT TIME ZONE %(timezone)s)::date",
    "month": "date_trunc('month', created_at AT TIME ZONE %(timezone)s)::date",
    "hour_of_day": "extract(hour FROM created_at AT TIME ZONE %(timezone)s)::integer",
    "weekday": "extract(dow FROM created_at AT TIME ZONE %(timezone)s)::integer",
}
# Callers of a week are not the sum of those of its days, so the calls of the range are counted.
GROUPED = {
    name: f"""
SELECT {group} AS bucket, {COUNTS}
FROM ({history(since="%(since)s", until="%(until)s")}) AS history
GROUP BY bucket ORDER BY bucket
"""
    for name, group in GROUPS.items()
}


def grouped(
    *, group_by: str, timezone: str, since: datetime, until: datetime
) -> dict[Any, Counts]:
    """The calls of [since, until) by one of GROUPS, on the clock of `timezone`; none are left out.

    Unlike hourly() and daily() it costs what the range holds.
    """
    values = {"since": since, "until": until, "timezone": timezone}
    return dict(_buckets(GROUPED[group_by], values))
