"""Checks the stored statistics against a recount of the calls.

Queued hours and days are left out, since reads compute them live. So are sealed months and the
days that touch them, whose calls are no longer in the database.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from analytics.counting import CALLERS, COUNTS, DAY_DURATIONS, calls_of, lines
from analytics.models import StatsVerification
from analytics.summary import refresh_summary
from calls.duration import measured_sql, successful_sql
from tenants.models import PhoneNumber

_LINE = f"WITH line AS MATERIALIZED ({lines('id = %(line)s')})"
_CALLS = calls_of("%(line)s", also="NOT created_at <@ (SELECT sealed FROM line)")

# stored and counted are rows of the same columns, as JSON; a missing row is null.
HOURS = f"""{_LINE}, counted AS (
    SELECT date_trunc('hour', created_at, 'UTC') AS bucket, {COUNTS}
    FROM ({_CALLS}) AS history GROUP BY 1
), stored AS (
    SELECT * FROM call_analytics
    WHERE phone_id = %(line)s AND NOT date_bucket <@ (SELECT sealed FROM line)
)
SELECT to_char(coalesce(date_bucket, bucket) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
    s.row, c.row
FROM (SELECT date_bucket, jsonb_build_array(total_calls, answered_calls, successful_calls,
        live_calls, measured_calls, total_duration, unique_callers) AS row FROM stored) AS s
FULL JOIN (SELECT bucket, jsonb_build_array(total_calls, answered_calls, successful_calls,
        live_calls, measured_calls, total_duration, unique_callers) AS row
    FROM counted) AS c ON date_bucket = bucket
WHERE s.row IS DISTINCT FROM c.row AND NOT EXISTS (
    SELECT 1 FROM rollup_queue q
    WHERE q.phone_id = %(line)s AND q.bucket = coalesce(date_bucket, c.bucket))
ORDER BY 1
"""

DAYS = f"""{_LINE}, counted AS (
    SELECT (created_at AT TIME ZONE timezone)::date AS date, {COUNTS}
    FROM ({_CALLS}) AS history, line GROUP BY 1
), stored AS (
    SELECT * FROM daily_call_stats WHERE phone_id = %(line)s
), queued AS (
    SELECT DISTINCT (instant AT TIME ZONE timezone)::date AS date
    FROM rollup_queue q CROSS JOIN line
    CROSS JOIN LATERAL (VALUES (q.bucket), (q.bucket + interval '59 minutes 59.999999 seconds'))
        AS v (instant)
    WHERE q.phone_id = %(line)s
)
SELECT coalesce(s.date, c.date)::text, s.row, c.row
FROM (SELECT date, jsonb_build_array(total_calls, answered_calls, successful_calls,
        live_calls, measured_calls, total_duration, average_duration, unique_callers) AS row
    FROM stored) AS s
FULL JOIN (SELECT date, jsonb_build_array(total_calls, answered_calls, successful_calls,
        live_calls, measured_calls, {DAY_DURATIONS}, unique_callers) AS row
    FROM counted) AS c ON s.date = c.date
WHERE s.row IS DISTINCT FROM c.row AND coalesce(s.date, c.date) NOT IN (SELECT date FROM queued)
    AND NOT (
        SELECT sealed && tstzrange(day::timestamp AT TIME ZONE timezone,
            (day + 1)::timestamp AT TIME ZONE timezone)
        FROM line, LATERAL (VALUES (coalesce(s.date, c.date))) AS v (day))
ORDER BY 1
"""

# Only calls that existed when the summary was made, and only if none changed since.
COUNTED = "phone_id, created_at, updated_at, duration, caller_number, status, provider_status"
SUMMARY = f"""
WITH counted AS (
    SELECT count(*) AS total_calls, round(avg(duration) FILTER (WHERE {measured_sql()}), 4)
            AS avg_duration,
        {CALLERS} AS unique_callers,
        round(count(*) FILTER (WHERE {successful_sql()}) * 100.0 / nullif(count(*), 0), 4)
            AS success_rate,
        coalesce(max(updated_at) >= %(as_of)s, false) AS changed
    FROM (
        SELECT {COUNTED} FROM calls UNION ALL SELECT {COUNTED} FROM calls_archive
    ) AS calls
    WHERE phone_id = %(line)s AND created_at >= %(as_of)s - interval '30 days'
), stored AS (
    SELECT total_calls, round(avg_duration, 4) AS avg_duration, unique_callers,
        round(success_rate, 4) AS success_rate
    FROM phone_performance_summary WHERE phone_id = %(line)s
)
SELECT '30 days', s.row, c.row
FROM (SELECT jsonb_build_array(total_calls, avg_duration, unique_callers, success_rate) AS row,
        changed FROM counted WHERE total_calls > 0) AS c
FULL JOIN (SELECT jsonb_build_array(total_calls, avg_duration, unique_callers, success_rate) AS row
        FROM stored) AS s ON true
WHERE s.row IS DISTINCT FROM c.row AND NOT coalesce(c.changed, false) AND NOT EXISTS (
    SELECT 1 FROM rollup_queue q WHERE q.phone_id = %(line)s)
"""

ALWAYS = {"since": "-infinity", "until": "infinity"}
MAX_STORED_DIFFERENCES = 1_000
# The columns of the arrays above.
_COUNTS = ("calls", "answered", "completed", "live", "measured", "seconds")
COLUMNS = {
    "hour": (*_COUNTS, "callers"),
    "day": (*_COUNTS, "average", "callers"),
    "summary": ("calls", "average", "callers", "completed percent"),
}


@dataclass(frozen=True)
class Difference:
    """One bucket whose stored numbers are not those of its calls."""

    phone_id: str
    kind: str
    bucket: str
    stored: list[Any] | None
    counted: list[Any] | None

    def __str__(self) -> str:
        """Each wrong number; a row that only one side has is shown in full."""
        return f"{self.phone_id} {self.kind} {self.bucket}: {self._describe()}"

    def _describe(self) -> str:
        names = COLUMNS[self.kind]
        if self.stored is None or self.counted is None:
            row = zip(names, self.counted or self.stored or (), strict=True)
            numbers = ", ".join(f"{name} {number}" for name, number in row)
            return f"{'counted' if self.stored is None else 'stored'} only: {numbers}"
        return ", ".join(
            f"{name} stored {stored} but counted {counted}"
            for name, stored, counted in zip(names, self.stored, self.counted, strict=True)
            if stored != counted
        )


def verify_stats(
    *, sample: int | None = None, on_line: Callable[[], None] = lambda: None
) -> list[Difference]:
    """Recount every line, or `sample` of them at random; needs an all_tenants scope.

    The summary is refreshed first, since it can be compared only with the calls it was made of.
    The outcome is stored for the admin.
    """
    began = datetime.now(UTC)
    lines = list(PhoneNumber.objects.order_by("pk").values_list("pk", flat=True))
    is_sample = sample is not None and sample < len(lines)
    if sample is not None and is_sample:
        lines = sorted(random.sample(lines, sample))
    as_of = refresh_summary()
    differences: list[Difference] = []
    for line in lines:
        differences += _compare(line, as_of)
        on_line()
    StatsVerification.objects.create(
        started_at=began,
        finished_at=datetime.now(UTC),
        lines=len(lines),
        is_sample=is_sample,
        difference_count=len(differences),
        differences=[asdict(difference) for difference in differences[:MAX_STORED_DIFFERENCES]],
    )
    return differences


def _compare(line: str, as_of: datetime | None) -> Iterator[Difference]:
    texts = {"hour": HOURS, "day": DAYS}
    if as_of is not None:
        texts["summary"] = SUMMARY
    for kind, sql in texts.items():
        with connection.cursor() as cursor:
            cursor.execute(sql, {"line": line, "as_of": as_of, **ALWAYS})
            for bucket, stored, counted in cursor.fetchall():
                rows = [row if row is None else json.loads(row) for row in (stored, counted)]
                yield Difference(line, kind, bucket, *rows)
