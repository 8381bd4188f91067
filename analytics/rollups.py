"""The roll-up: recomputes the hours and days whose calls changed, from calls and archive together.

Why it is exact. A change of a call and its row in rollup_queue commit together. The roll-up of a
line takes queue rows away and writes the numbers in one transaction, with the numbers computed by
a later statement, which sees every change whose queue row was taken. So wherever no queue row is
visible the stored numbers are those of the calls, and queries.py computes the other buckets live.
Locking a line's row keeps two roll-ups, or a roll-up and a change of timezone, apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from analytics.counting import (
    DAY_DURATIONS,
    day_counts,
    days_of_hours,
    hour_counts,
    lines,
    not_sealed,
)

# A skip scan over the index: as many probes as there are lines in the queue.
QUEUED_LINES = """
WITH RECURSIVE lines AS (
    (SELECT phone_id FROM rollup_queue ORDER BY phone_id LIMIT 1)
    UNION ALL
    SELECT (SELECT q.phone_id FROM rollup_queue q
            WHERE q.phone_id > lines.phone_id ORDER BY q.phone_id LIMIT 1)
    FROM lines WHERE lines.phone_id IS NOT NULL
)
SELECT phone_id FROM lines WHERE phone_id IS NOT NULL
"""

LOCK_LINES = """
SELECT id FROM phone_numbers WHERE id = ANY(%(lines)s) FOR NO KEY UPDATE SKIP LOCKED
"""

COUNT_LINES = "SELECT count(*) FROM phone_numbers WHERE id = ANY(%(lines)s)"

DELETE_ORPHANS = """
DELETE FROM rollup_queue
WHERE phone_id = ANY(%(lines)s) AND phone_id NOT IN (SELECT id FROM phone_numbers)
"""

TAKE = """
WITH oldest AS (
    SELECT DISTINCT phone_id, bucket FROM rollup_queue WHERE phone_id = ANY(%(lines)s)
    ORDER BY phone_id, bucket LIMIT %(limit)s
), taken AS (
    DELETE FROM rollup_queue q USING oldest
    WHERE q.phone_id = oldest.phone_id AND q.bucket = oldest.bucket
)
SELECT phone_id, bucket FROM oldest
"""

TAKEN = "unnest(%(lines)s::text[], %(buckets)s::timestamptz[]) AS taken (phone_id, bucket)"

WRITE_HOURS = f"""
WITH hours AS (
    SELECT * FROM {TAKEN} WHERE {not_sealed("bucket", line="taken.phone_id")}
), counted AS ({hour_counts(hours="hours")}
), emptied AS (
    DELETE FROM call_analytics a USING counted c
    WHERE a.phone_id = c.phone_id AND a.date_bucket = c.bucket AND c.total_calls = 0
), written AS (
    INSERT INTO call_analytics (phone_id, date_bucket, total_calls, answered_calls,
        successful_calls, live_calls, measured_calls, total_duration, unique_callers)
    SELECT phone_id, bucket, total_calls, answered_calls, successful_calls, live_calls,
        measured_calls, total_duration, unique_callers
    FROM counted WHERE total_calls > 0
    ON CONFLICT (date_bucket, phone_id) DO UPDATE SET
        (total_calls, answered_calls, successful_calls, live_calls, measured_calls,
         total_duration, unique_callers) =
        (excluded.total_calls, excluded.answered_calls, excluded.successful_calls,
         excluded.live_calls, excluded.measured_calls, excluded.total_duration,
         excluded.unique_callers)
)
SELECT coalesce(sum(total_calls), 0) FROM counted
"""

WRITE_DAYS = f"""
WITH lines AS ({lines("id = ANY(%(lines)s)")}
), hours AS (
    SELECT * FROM {TAKEN}
), days AS ({days_of_hours(hours="hours", lines="lines")}
), counted AS ({day_counts(days="days")}
), emptied AS (
    DELETE FROM daily_call_stats d USING counted c
    WHERE d.phone_id = c.phone_id AND d.date = c.date AND c.total_calls = 0
)
INSERT INTO daily_call_stats AS d (phone_id, date, total_calls, answered_calls, successful_calls,
    live_calls, measured_calls, total_duration, average_duration, unique_callers, callers_exact)
SELECT phone_id, date, total_calls, answered_calls, successful_calls, live_calls, measured_calls,
    {DAY_DURATIONS}, unique_callers,
    callers_exact
FROM counted WHERE total_calls > 0
ON CONFLICT (phone_id, date) DO UPDATE SET
    (total_calls, answered_calls, successful_calls, live_calls, measured_calls, total_duration,
     average_duration, unique_callers, callers_exact) =
    (excluded.total_calls, excluded.answered_calls, excluded.successful_calls, excluded.live_calls,
     excluded.measured_calls, excluded.total_duration, excluded.average_duration,
     excluded.unique_callers, excluded.callers_exact)
-- A day that is partly sealed keeps the callers it knows while its calls are those it knows.
WHERE excluded.callers_exact
    OR (d.total_calls, d.answered_calls, d.successful_calls, d.live_calls, d.measured_calls,
        d.total_duration) IS DISTINCT FROM
    (excluded.total_calls, excluded.answered_calls, excluded.successful_calls,
     excluded.live_calls, excluded.measured_calls, excluded.total_duration)
"""

# Every hour that has calls or numbers; days that lost their last call have an hour with numbers.
REQUEUE = """
INSERT INTO rollup_queue (phone_id, bucket)
SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM calls
WHERE phone_id = %(line)s AND created_at >= %(since)s AND created_at < %(until)s
UNION
SELECT phone_id, date_trunc('hour', created_at, 'UTC') FROM calls_archive
WHERE phone_id = %(line)s AND created_at >= %(since)s AND created_at < %(until)s
UNION
SELECT phone_id, date_bucket FROM call_analytics
WHERE phone_id = %(line)s AND date_bucket >= %(since)s AND date_bucket < %(until)s
UNION
SELECT d.phone_id, (d.date::timestamp + interval '12 hours') AT TIME ZONE p.timezone
FROM daily_call_stats d JOIN phone_numbers p ON p.id = d.phone_id
WHERE d.phone_id = %(line)s
    AND d.date >= (%(since)s::timestamptz AT TIME ZONE p.timezone)::date
    AND d.date <= (%(until)s::timestamptz AT TIME ZONE p.timezone)::date
"""


# A line costs little beside planning, but a change of its timezone waits for the transaction.
LINES_PER_TRANSACTION = 50


@dataclass
class RollUpResult:
    """What a roll-up did."""

    lines: int = 0
    hours: int = 0
    calls: int = 0
    skipped_lines: int = 0


def roll_up(
    *,
    phone_id: str | None = None,
    batch_hours: int = 500,
    on_progress: Callable[[RollUpResult], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> RollUpResult:
    """Empty the queue, of one line or of all; needs an all_tenants scope.

    Each batch of at most batch_hours hours of some lines is a transaction, so that the process may
    be killed at any moment. A line that another roll-up works on is left to it and counted in
    skipped_lines. `stop` is called between batches.
    """
    rolled = RollUpResult()
    queued = [phone_id] if phone_id is not None else _queued_lines()
    for begin in range(0, len(queued), LINES_PER_TRANSACTION):
        some, taken = queued[begin : begin + LINES_PER_TRANSACTION], set[str]()
        while not stop():
            batch = _roll_up_batch(some, batch_hours, rolled)
            taken |= {line for line, _ in batch}
            if on_progress:
                on_progress(rolled)
            if len(batch) < batch_hours:
                break
        rolled.lines += len(taken)
    return rolled


def requeue(*, phone_id: str, since: datetime, until: datetime) -> None:
    """Queue every hour of a line in [since, until) that has calls or numbers."""
    with connection.cursor() as cursor:
        cursor.execute(REQUEUE, {"line": phone_id, "since": since, "until": until})


def _queued_lines() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(QUEUED_LINES)
        return [line for (line,) in cursor.fetchall()]


def _roll_up_batch(
    some: list[str], limit: int, rolled: RollUpResult
) -> list[tuple[str, datetime]]:
    """Roll up queued hours of some lines, line by line from the oldest on; returns which."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_LINES, {"lines": some})
        locked = [line for (line,) in cursor.fetchall()]
        cursor.execute(TAKE, {"lines": locked, "limit": limit})
        batch: list[tuple[str, datetime]] = cursor.fetchall()
        if len(batch) < limit and len(locked) < len(some):  # the last batch of these lines
            cursor.execute(DELETE_ORPHANS, {"lines": some})
            cursor.execute(COUNT_LINES, {"lines": some})
            rolled.skipped_lines += cursor.fetchone()[0] - len(locked)
        if batch:
            buckets = [bucket for _, bucket in batch]
            values: dict[str, Any] = {
                "lines": [line for line, _ in batch],
                "buckets": buckets,
                "since": min(buckets) - timedelta(days=2),
                "until": max(buckets) + timedelta(days=2),
            }
            cursor.execute(WRITE_HOURS, values)
            rolled.calls += int(cursor.fetchone()[0])
            cursor.execute(WRITE_DAYS, values)
            rolled.hours += len(batch)
        return batch
