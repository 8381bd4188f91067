"""The nightly job that learns what is usual at each line, from its hourly statistics."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from analytics.line_health.counted_hours import hour_of
from analytics.line_health.line_hours import hours_of_line
from analytics.line_health.usual import ENOUGH_CALLS, MAX_WEEKS, WEEKS, learn
from decisions.stored_settings import settings_of_lines

LINES_AT_ONCE = 100

# A quiet line keeps its baseline: there is nothing to learn from a cut.
LINES = """
SELECT id, number FROM phone_numbers AS p
WHERE id > %(after)s AND NOT EXISTS (
    SELECT FROM quiet_lines AS q WHERE q.phone_id = p.id AND q.state = 'quiet')
ORDER BY id LIMIT %(limit)s
"""
# The first hour that ever had a call is not history: the line began with it.
FIRST_HOURS = """
SELECT line, (SELECT date_bucket FROM call_analytics WHERE phone_id = line
    ORDER BY date_bucket LIMIT 1)
FROM unnest(%(lines)s::text[]) AS line
"""
HISTORY = """
SELECT phone_id, date_bucket, total_calls FROM call_analytics
WHERE phone_id = ANY (%(lines)s) AND date_bucket >= %(since)s AND date_bucket < %(until)s
"""
WRITE = """
WITH learned AS (
    SELECT * FROM jsonb_to_recordset(%(learned)s) AS l (phone_id text, rates float8[],
        calls_a_week float8, day_spread float8, week_spread float8, burst float8)
    JOIN phone_numbers AS p ON p.id = l.phone_id
), forgotten AS (
    DELETE FROM usual_calls WHERE phone_id = ANY (%(lines)s)
        AND phone_id NOT IN (SELECT phone_id FROM learned)
)
INSERT INTO usual_calls (phone_id, rates, calls_a_week, day_spread, week_spread, burst, learned_at)
SELECT phone_id, rates, calls_a_week, day_spread, week_spread, burst, %(now)s FROM learned
ON CONFLICT (phone_id) DO UPDATE SET rates = excluded.rates,
    calls_a_week = excluded.calls_a_week, day_spread = excluded.day_spread,
    week_spread = excluded.week_spread, burst = excluded.burst, learned_at = excluded.learned_at
"""

Calls = dict[str, Counter[int]]  # by line and number of the hour


def learn_usual_calls(*, now: datetime, on_lines: Callable[[int], None] = lambda _: None) -> int:
    """Learn the baseline of every line; returns how many have one. In an all_tenants scope.

    Each batch of lines is one statement, so that the process may be killed at any moment.
    """
    found, numbers = 0, _lines("")
    while numbers:
        found += _learn(numbers, now)
        on_lines(len(numbers))
        numbers = _lines([*numbers][-1])
    return found


def _lines(after: str) -> dict[str, str]:
    """The next lines and their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(LINES, {"after": after, "limit": LINES_AT_ONCE})
        return dict(cursor.fetchall())


def _learn(numbers: Mapping[str, str], now: datetime) -> int:
    lines = list(numbers)
    until = now.replace(minute=0, second=0, microsecond=0)
    since = until - timedelta(weeks=WEEKS)
    calls = _history(lines, since, until)
    few = [line for line in lines if calls[line].total() < ENOUGH_CALLS]
    longer = until - timedelta(weeks=MAX_WEEKS)
    for line, earlier in _history(few, longer, since).items():
        calls[line] += earlier
    begins = dict.fromkeys(lines, since) | dict.fromkeys(few, longer)
    with connection.cursor() as cursor:
        cursor.execute(FIRST_HOURS, {"lines": lines})
        for line, first in cursor.fetchall():
            begins[line] = max(begins[line], first + timedelta(hours=1)) if first else until
    learned = []
    for line, stored in settings_of_lines(lines).items():
        if counted := hours_of_line(line, numbers[line], stored):
            hours = counted.between(begins[line], until, calls[line])
            if usual := learn(list(hours.values())):
                learned.append({"phone_id": line, **asdict(usual)})
    values: dict[str, Any] = {"learned": Jsonb(learned), "lines": lines, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
    return len(learned)


def _history(lines: Iterable[str], since: datetime, until: datetime) -> Calls:
    calls: Calls = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, {"lines": list(lines), "since": since, "until": until})
        for line, hour, number in cursor.fetchall():
            calls[line][hour_of(hour)] = number
    return calls
