"""Totals over all lines in scope, at this moment.

Each function reads one moment where its range is whole hours. Inside one line row level security
leaves that line alone.
"""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from analytics.counting import COUNTS, calls_of
from analytics.queries import HOURS_OF_LINES, Sums

HOUR = timedelta(hours=1)

# Ringing calls are few and found by idx_active_calls.
TOTAL = """
SELECT coalesce(sum(total_calls), 0)::bigint, coalesce(sum(answered_calls), 0)::bigint,
    coalesce(sum(successful_calls), 0)::bigint, coalesce(sum(live_calls), 0)::bigint,
    coalesce(sum(measured_calls), 0)::bigint, coalesce(sum(total_duration), 0)::bigint,
    (SELECT count(*) FROM calls WHERE status = 'ringing'
        AND created_at >= %(since)s AND created_at < %(until)s)
FROM ({buckets}) AS buckets
"""
TOTAL_OF_HOURS = TOTAL.format(buckets=HOURS_OF_LINES)
# The calls themselves, of every line in scope.
TOTAL_OF_CALLS = TOTAL.format(
    buckets=f"SELECT {COUNTS} FROM ({calls_of('phone_id')}) AS calls_in_scope"
)

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


def total_of_range(*, since: datetime, until: datetime) -> Totals:
    """The calls that began in [since, until).

    From the statistics of its whole hours; the calls of the rest are counted, as at midnight of a
    clock that is half an hour off UTC.
    """
    first, last = _hour(since + HOUR - timedelta(microseconds=1)), _hour(until)
    if first >= last:
        parts = [_counted(since, until)]
    else:
        parts = [_counted(since, first), _of_hours(first, last), _counted(last, until)]
    return Totals(*map(sum, zip(*map(astuple, parts), strict=True)))


def _hour(moment: datetime) -> datetime:
    """When its hour began, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _of_hours(since: datetime, until: datetime) -> Totals:
    return _totals(TOTAL_OF_HOURS, since, until)


def _counted(since: datetime, until: datetime) -> Totals:
    return _totals(TOTAL_OF_CALLS, since, until) if since < until else Totals()


def _totals(sql: str, since: datetime, until: datetime) -> Totals:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": since, "until": until})
        return Totals(*cursor.fetchone())


def quiet_lines(*, now: datetime, min_calls: int) -> list[QuietLine]:
    """Lines without a call for 24 hours that had `min_calls` in the same hours a week before."""
    with connection.cursor() as cursor:
        cursor.execute(QUIET, {"now": now, "min_calls": min_calls})
        return [QuietLine(*row) for row in cursor.fetchall()]
