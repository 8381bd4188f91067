"""How calls are counted, in one place: the roll-up and the live part of a read use these texts.

What each number means is in analytics.definitions. Durations are seconds. A withheld or unknown
caller is none of the unique callers. Live calls and the archive count alike. Arguments are SQL,
mostly names of relations and columns.

Every text reads only calls that began in [%(since)s, %(until)s). Both are values, not expressions,
so that the planner prunes the other partitions of the archive.

Hours of a sealed month (see SealedMonth) are never counted again: what was stored of them joins
the calls of a day or range as a whole, at the hour's beginning. A day of a clock that is not whole
hours off UTC gets the hour that it begins or ends in whole or not at all. Callers of such hours
are known by number only, so that their sum is an upper bound.
"""

from calls.duration import measured_sql, successful_sql

CALLERS = (
    "count(DISTINCT caller_number) FILTER (WHERE caller_number NOT IN ('anonymous', 'unknown'))"
)

# Of history(), whose rows are calls or whole sealed hours.
COUNTS = f"""
    coalesce(sum(calls), 0) AS total_calls,
    coalesce(sum(answered), 0) AS answered_calls,
    coalesce(sum(successful), 0) AS successful_calls,
    coalesce(sum(live), 0) AS live_calls,
    coalesce(sum(measured), 0) AS measured_calls,
    coalesce(sum(duration), 0)::bigint AS total_duration,
    round(sum(duration) / nullif(sum(measured), 0), 2) AS average_duration,
    {CALLERS} + coalesce(sum(callers), 0) AS unique_callers,
    coalesce(bool_and(caller_number IS NOT NULL), true) AS callers_exact"""

# As the columns of a day hold them. LEAST ignores NULL, which an average may be.
DAY_DURATIONS = """least(total_duration, 2147483647),
    CASE WHEN average_duration > 999999.99 THEN 999999.99 ELSE average_duration END"""


def lines(where: str) -> str:
    """A row for each line of phone_numbers p: phone_id, timezone and its sealed months."""
    return f"""
SELECT id AS phone_id, timezone, coalesce((SELECT range_agg(tstzrange(m.since, m.until))
    FROM sealed_months m WHERE m.phone_id = p.id), '{{}}') AS sealed
FROM phone_numbers p WHERE {where}"""


def not_sealed(hour: str, *, line: str) -> str:
    """Whether an hour may be counted again."""
    return (
        f"NOT EXISTS (SELECT FROM sealed_months m WHERE m.phone_id = {line}"
        f" AND {hour} >= m.since AND {hour} < m.until)"
    )


def calls_of(line: str, *, also: str = "true") -> str:
    """The calls of a line, live and archived, on a condition."""
    columns = (
        "created_at, 1 AS calls, (status IN ('answered', 'completed'))::int AS answered,"
        f" {successful_sql()}::int AS successful,"
        " (status IN ('ringing', 'answered'))::int AS live,"
        f" {measured_sql()}::int AS measured,"
        f" CASE WHEN {measured_sql()} THEN duration::bigint END AS duration,"
        " caller_number, 0 AS callers"
    )
    where = f"phone_id = {line} AND created_at >= %(since)s AND created_at < %(until)s AND {also}"
    return (
        f"SELECT {columns} FROM calls WHERE {where}"
        f" UNION ALL SELECT {columns} FROM calls_archive WHERE {where}"
    )


def history(line: str, *, sealed: str, since: str = "%(since)s", until: str = "%(until)s") -> str:
    """calls_of() and what is stored of sealed hours, both only from [since, until)."""
    also = f"created_at >= {since} AND created_at < {until} AND NOT created_at <@ {sealed}"
    return f"""{calls_of(line, also=also)}
    UNION ALL SELECT date_bucket, total_calls, answered_calls, successful_calls, live_calls,
        measured_calls, total_duration, NULL, unique_callers
    FROM call_analytics a
    WHERE phone_id = {line} AND NOT isempty({sealed})
        AND date_bucket >= {since} AND date_bucket < {until} AND date_bucket <@ {sealed}"""


def hour_counts(*, hours: str) -> str:
    """A row of counts for each `phone_id`, `bucket` of a relation, rows of zero included."""
    also = "created_at >= h.bucket AND created_at < h.bucket + interval '1 hour'"
    return f"""
SELECT h.phone_id, h.bucket, c.* FROM {hours} AS h
CROSS JOIN LATERAL (SELECT {COUNTS} FROM ({calls_of("h.phone_id", also=also)}) AS calls) AS c"""


def days_of_hours(*, hours: str, lines: str) -> str:
    """The days that the hours `phone_id`, `bucket` of a relation lie in and that may have changed.

    A row is a line of lines() and a `date`. Two days an hour where the line's clock is not a whole
    number of hours off UTC. A sealed hour only changes days that are missing, as all are after a
    change of timezone.
    """
    return f"""
SELECT DISTINCT l.*, v.date FROM {hours} AS h JOIN {lines} AS l USING (phone_id)
CROSS JOIN LATERAL (VALUES ((h.bucket AT TIME ZONE l.timezone)::date),
    (((h.bucket + interval '59 minutes 59.999999 seconds') AT TIME ZONE l.timezone)::date))
    AS v (date)
WHERE NOT (h.bucket <@ l.sealed AND EXISTS (
    SELECT FROM daily_call_stats s WHERE s.phone_id = l.phone_id AND s.date = v.date))"""


def day_counts(*, days: str) -> str:
    """A row of counts for each row of days_of_hours(), rows of zero included.

    Where clocks go back over midnight a day begins before its 00:00 is reached for good: the
    index is asked for two hours more on either side, the exact condition is on the date.
    """
    calls = history(
        "d.phone_id",
        sealed="d.sealed",
        since="(d.date::timestamp AT TIME ZONE d.timezone) - interval '2 hours'",
        until="((d.date + 1)::timestamp AT TIME ZONE d.timezone) + interval '2 hours'",
    )
    return f"""
SELECT d.phone_id, d.date, c.* FROM {days} AS d
CROSS JOIN LATERAL (
    SELECT {COUNTS} FROM ({calls}) AS history
    WHERE (created_at AT TIME ZONE d.timezone)::date = d.date
) AS c"""
