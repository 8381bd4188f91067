"""Exact reads over every line of the scope, as reading.py's are of one line.

Each function is one statement. Inside one line row level security leaves that line alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from analytics.counting import day_counts, days_of_hours, hour_counts

# Ringing calls are few, and idx_active_calls has them.
HOURS = f"""
WITH queued AS (
    SELECT DISTINCT phone_id, bucket FROM rollup_queue
    WHERE bucket >= %(since)s AND bucket < %(until)s
), hours AS (
    SELECT total_calls, answered_calls, successful_calls, total_duration
    FROM call_analytics a
    WHERE date_bucket >= %(since)s AND date_bucket < %(until)s
        AND NOT EXISTS (
            SELECT 1 FROM queued q WHERE q.phone_id = a.phone_id AND q.bucket = a.date_bucket)
    UNION ALL
    SELECT total_calls, answered_calls, successful_calls, total_duration
    FROM ({hour_counts(hours="queued", line="h.phone_id")}) AS live
)
SELECT coalesce(sum(total_calls), 0)::bigint, coalesce(sum(answered_calls), 0)::bigint,
    coalesce(sum(successful_calls), 0)::bigint, coalesce(sum(total_duration), 0)::bigint,
    (SELECT count(*) FROM calls WHERE status = 'ringing'
        AND created_at >= %(since)s AND created_at < %(until)s)
FROM hours
"""

# As in reading.DAYS, of every line at once.
DAYS = f"""
WITH queued AS (
    SELECT DISTINCT q.phone_id, q.bucket, p.timezone
    FROM rollup_queue q JOIN phone_numbers p ON p.id = q.phone_id
    WHERE bucket >= %(first)s::date::timestamp AT TIME ZONE 'UTC' - interval '2 days'
        AND bucket < %(last)s::date::timestamp AT TIME ZONE 'UTC' + interval '3 days'
), days AS (
    SELECT * FROM ({
    days_of_hours(hours="queued", timezone="h.timezone", also="h.phone_id, h.timezone, ")
}) AS touched
    WHERE touched.date BETWEEN %(first)s AND %(last)s
), known AS (
    SELECT date, total_calls, answered_calls, successful_calls, total_duration
    FROM daily_call_stats s
    WHERE date BETWEEN %(first)s AND %(last)s
        AND NOT EXISTS (SELECT 1 FROM days d WHERE d.phone_id = s.phone_id AND d.date = s.date)
    UNION ALL
    SELECT date, total_calls, answered_calls, successful_calls, total_duration
    FROM ({day_counts(days="days", timezone="d.timezone", line="d.phone_id")}) AS live
    WHERE total_calls > 0
)
SELECT date, sum(total_calls)::bigint, sum(answered_calls)::bigint,
    sum(successful_calls)::bigint, sum(total_duration)::bigint, 0
FROM known GROUP BY date ORDER BY date
"""

# Lines that had calls in these 24 hours a week ago and none in the last 24.
QUIET = """
SELECT p.id, p.business_name, sum(a.total_calls)::bigint AS before
FROM call_analytics a JOIN phone_numbers p ON p.id = a.phone_id
WHERE a.date_bucket >= %(now)s::timestamptz - interval '8 days'
    AND a.date_bucket < %(now)s::timestamptz - interval '7 days'
    AND NOT EXISTS (
        SELECT 1 FROM calls c
        WHERE c.phone_id = p.id AND c.created_at >= %(now)s::timestamptz - interval '24 hours')
GROUP BY p.id, p.business_name
HAVING sum(a.total_calls) >= %(least)s
ORDER BY before DESC, p.id
"""


@dataclass(frozen=True)
class Totals:
    """Calls and seconds of every line together."""

    total_calls: int = 0
    answered_calls: int = 0
    successful_calls: int = 0
    total_duration: int = 0
    ringing_calls: int = 0

    @property
    def failed_calls(self) -> int:
        return self.total_calls - self.answered_calls - self.ringing_calls


@dataclass(frozen=True)
class QuietLine:
    """A line that nobody calls any more."""

    phone_id: str
    business_name: str
    calls_a_week_ago: int


def hours_together(*, since: datetime, until: datetime) -> Totals:
    """The calls that began in [since, until), both of which are full hours."""
    [row] = _rows(HOURS, {"since": since, "until": until})
    return Totals(*row)


def days_together(*, first: date, last: date) -> dict[date, Totals]:
    """By day, on each line's own clock; days without calls are left out."""
    return {day: Totals(*row) for day, *row in _rows(DAYS, {"first": first, "last": last})}


def quiet_lines(*, now: datetime, least: int) -> list[QuietLine]:
    """Lines without a call for 24 hours that had `least` in the same hours a week before."""
    return [QuietLine(*row) for row in _rows(QUIET, {"now": now, "least": least})]


def _rows(sql: str, parameters: dict[str, Any]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        yield from cursor.fetchall()
