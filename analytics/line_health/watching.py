"""The job that finds the lines at which calls are missing."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import floor
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from analytics.line_health.counted_hours import HOUR, CountedHours, hour_of
from analytics.line_health.line_hours import hours_of_line
from analytics.line_health.models import LineCheck
from analytics.line_health.silence import WATCHED_AT, State, judge
from analytics.line_health.usual import SLOTS, Usual
from decisions.stored_settings import settings_of_lines
from decisions.zones import DAY, UnknownTimezone, Zone, to_instant, weekday

BEFORE = timedelta(days=7)  # what silence.judge() takes as evidence of the level
LINES_AT_ONCE = 500
CHECKS_KEPT_FOR = timedelta(days=2)

# By idx_calls_phone_created; a line whose calls are all in the archive has its last hour.
LINES = """
SELECT u.phone_id, p.number, p.timezone, coalesce(c.created_at, a.date_bucket),
    coalesce(q.state = 'quiet' AND q.last_call_at = coalesce(c.created_at, a.date_bucket), false),
    u.rates, u.calls_a_week, u.day_spread, u.week_spread, u.burst
FROM usual_calls AS u JOIN phone_numbers AS p ON p.id = u.phone_id
LEFT JOIN LATERAL (SELECT created_at FROM calls
    WHERE phone_id = u.phone_id AND created_at <= %(now)s
    ORDER BY created_at DESC, id DESC LIMIT 1) AS c ON true
LEFT JOIN LATERAL (SELECT date_bucket FROM call_analytics
    WHERE phone_id = u.phone_id AND c.created_at IS NULL AND date_bucket <= %(now)s
    ORDER BY date_bucket DESC LIMIT 1) AS a ON true
LEFT JOIN quiet_lines AS q ON q.phone_id = u.phone_id
WHERE coalesce(c.created_at, a.date_bucket) IS NOT NULL
"""
HISTORY = """
SELECT line, date_bucket, total_calls
FROM unnest(%(lines)s::text[], %(lasts)s::timestamptz[]) AS l (line, last)
JOIN call_analytics ON phone_id = line AND date_bucket > last - %(before)s AND date_bucket <= last
"""
# Proof that calls arrive and are lost on our side. Without a signature anybody may have sent the
# request, so it proves nothing. Of the inbox only the latest events are looked at.
REFUSED = """
SELECT line, count, cause
FROM unnest(%(lines)s::text[], %(lasts)s::timestamptz[]) AS l (line, last)
CROSS JOIN LATERAL (
    SELECT sum(count)::bigint AS count, (array_agg(cause ORDER BY at DESC))[1] AS cause
    FROM (
        SELECT r.count, r.last_at AS at, r.detail AS cause FROM refused_callbacks AS r
        WHERE r.phone_id = line AND r.last_at > last AND r.hour > last - interval '1 hour'
            AND r.cause IN ('wrong_url', 'account_token', 'wrong_token')
        UNION ALL
        SELECT 1, e.received_at, coalesce(e.reason, e.outcome) FROM (
            SELECT received_at, reason, outcome FROM call_events
            WHERE phone_id = line ORDER BY id DESC LIMIT 20) AS e
        WHERE e.received_at > last AND e.outcome IN ('malformed', 'unknown_status', 'conflict')
    ) AS found
) AS lost
WHERE count > 0
"""
WRITE = """
WITH found AS (
    SELECT f.* FROM jsonb_to_recordset(%(found)s) AS f (phone_id text, state text,
        last_call_at timestamptz, expected float8, surprise float8, alarm_at float8,
        refused bigint, cause text)
    JOIN phone_numbers AS p ON p.id = f.phone_id
), over AS (
    DELETE FROM quiet_lines WHERE phone_id NOT IN (SELECT phone_id FROM found)
)
INSERT INTO quiet_lines AS q (phone_id, state, last_call_at, expected, surprise, alarm_at, refused,
    cause, noticed_at)
SELECT phone_id, state, last_call_at, expected, surprise, alarm_at, refused, cause, %(now)s
FROM found
ON CONFLICT (phone_id) DO UPDATE SET state = excluded.state,
    last_call_at = excluded.last_call_at, expected = excluded.expected,
    surprise = excluded.surprise, alarm_at = excluded.alarm_at, refused = excluded.refused,
    cause = excluded.cause, noticed_at = CASE WHEN q.last_call_at = excluded.last_call_at
        THEN q.noticed_at ELSE excluded.noticed_at END
"""


class Line(NamedTuple):
    """A line with a baseline; whether this silence of it is an alarm already."""

    phone_id: str
    number: str
    timezone: str
    last: datetime
    is_quiet: bool
    usual: Usual


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A row of quiet_lines."""

    phone_id: str
    state: State
    last_call_at: str
    expected: float
    surprise: float
    alarm_at: float
    refused: int
    cause: str


def check_lines(*, now: datetime) -> LineCheck:
    """Find the lines at which calls are missing; in an all_tenants scope.

    All is computed anew from the calls and written at once, so that a run may be killed at any
    moment, and a second one changes nothing.
    """
    lines = _lines(now)
    possible = [line for line in lines if _most_expected(line, now) >= WATCHED_AT]
    found: list[Missing] = []
    for begin in range(0, len(possible), LINES_AT_ONCE):
        found += _judge(possible[begin : begin + LINES_AT_ONCE], now)
    quiet = sum(missing.state is State.QUIET for missing in found)
    values: dict[str, Any] = {"found": Jsonb([asdict(each) for each in found]), "now": now}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(WRITE, values)
        LineCheck.objects.filter(finished_at__lt=now - CHECKS_KEPT_FOR).delete()
        return LineCheck.objects.create(
            finished_at=now, lines=len(lines), watched=len(found) - quiet, quiet=quiet
        )


def _lines(now: datetime) -> list[Line]:
    with connection.cursor() as cursor:
        cursor.execute(LINES, {"now": now})
        return [
            Line(phone_id, number, zone, last, is_quiet, Usual(tuple(rates), *spreads))
            for phone_id, number, zone, last, is_quiet, rates, *spreads in cursor.fetchall()
        ]


def _most_expected(line: Line, now: datetime) -> float:
    """The calls that were expected since the last if every hour that has any counted whole.

    Closed hours have none. It reads the wall clock at both ends, and is an hour off where clocks
    changed between.
    """
    rates = line.usual.rates
    if (now - line.last) / timedelta(hours=1) * max(rates) < WATCHED_AT:
        return 0.0
    until = [0.0, *accumulate(rates)]
    try:
        zone = Zone(line.timezone)
    except UnknownTimezone:
        return 0.0  # learn_usual_calls logs it

    def usual_until(moment: datetime) -> float:
        day, clock = divmod(zone.wall_time(to_instant(moment)), DAY)
        week = (day + 1) // 7  # from Sunday on
        slot, part = divmod(weekday(day) * 24 + clock / HOUR, 1)
        return week * until[SLOTS] + until[floor(slot)] + part * rates[floor(slot)]

    return usual_until(now) - usual_until(line.last)


def _judge(lines: list[Line], now: datetime) -> list[Missing]:
    names, lasts = [line.phone_id for line in lines], [line.last for line in lines]
    values: dict[str, Any] = {"lines": names, "lasts": lasts, "before": BEFORE}
    calls: dict[str, Counter[int]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, values)
        for name, hour, number in cursor.fetchall():
            calls[name][hour_of(hour)] = number
        cursor.execute(REFUSED, values)
        refused = {name: (count, cause) for name, count, cause in cursor.fetchall()}
    settings = settings_of_lines(names)
    found = []
    for line in lines:
        name = line.phone_id
        if name not in settings:
            continue  # deleted a moment ago
        counted = hours_of_line(name, line.number, settings[name])
        lost = refused.get(name, (0, ""))
        if counted and (missing := _missing(line, counted, calls[name], lost, now)):
            found.append(missing)
    return found


def _missing(
    line: Line,
    counted: CountedHours,
    calls: Mapping[int, int],
    lost: tuple[int, str],
    now: datetime,
) -> Missing | None:
    silence = judge(
        line.usual,
        before=list(counted.between(line.last - BEFORE, line.last, calls).values()),
        since=list(counted.between(line.last, now).values()),
    )
    if silence.state is State.NORMAL:
        return None
    refused, cause = lost
    state = State.QUIET if refused else silence.state
    if not line.is_quiet and not counted.counts(now):
        state = State.WATCHED  # no alarm begins while nobody is expected to call
    return Missing(
        phone_id=line.phone_id,
        state=state,
        last_call_at=line.last.isoformat(),
        expected=silence.expected,
        surprise=silence.surprise,
        alarm_at=silence.alarm_at,
        refused=refused,
        cause=cause,
    )
