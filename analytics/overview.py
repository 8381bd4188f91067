"""Totals over all lines in scope, at this moment.

Each function is one statement. Inside one line row level security leaves that line alone.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.queries import HOURS_OF_LINES, Sums

# Ringing calls are few and found by idx_active_calls.
TOTAL_OF_HOURS = f"""
SELECT coalesce(sum(total_calls), 0)::bigint, coalesce(sum(answered_calls), 0)::bigint,
    coalesce(sum(successful_calls), 0)::bigint, coalesce(sum(total_duration), 0)::bigint,
    (SELECT count(*) FROM calls WHERE status = 'ringing'
        AND created_at >= %(since)s AND created_at < %(until)s)
FROM ({HOURS_OF_LINES}) AS hours
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
HAVING sum(a.total_calls) >= %(min_calls)s
ORDER BY before DESC, p.id
"""


@dataclass(frozen=True)
class Totals(Sums):
    """Calls and seconds of all lines in scope."""

    ringing_calls: int = 0

    @property
    def failed_calls(self) -> int:
        return self.total_calls - self.answered_calls - self.ringing_calls


@dataclass(frozen=True)
class QuietLine:
    """A line without calls in the last day, unlike a week ago."""

    phone_id: str
    business_name: str
    calls_a_week_ago: int


def total_of_hours(*, since: datetime, until: datetime) -> Totals:
    """The calls that began in [since, until), both of which are full hours."""
    with connection.cursor() as cursor:
        cursor.execute(TOTAL_OF_HOURS, {"since": since, "until": until})
        return Totals(*cursor.fetchone())


def quiet_lines(*, now: datetime, min_calls: int) -> list[QuietLine]:
    """Lines without a call for 24 hours that had `min_calls` in the same hours a week before."""
    with connection.cursor() as cursor:
        cursor.execute(QUIET, {"now": now, "min_calls": min_calls})
        return [QuietLine(*row) for row in cursor.fetchall()]
