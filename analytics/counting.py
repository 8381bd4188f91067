"""How calls are counted, in one place: the roll-up and the live part of a read use these texts.

answered: answered or completed. successful: completed. Durations are seconds. Live calls and the
archive count alike. Every text has the parameter `line`, the id of a line; arguments are SQL.

Hours of a sealed month (see SealedMonth) are never counted again: what was stored of them joins
the calls of a day or range as a whole, at the hour's beginning. A day of a clock that is not whole
hours off UTC gets the hour that it begins or ends in whole or not at all. Callers of such hours
are known by number only, so that a sum of them is merely the most that there can be.
"""

# Of history(), whose rows are calls or whole sealed hours.
COUNTS = """
    coalesce(sum(calls), 0) AS total_calls,
    coalesce(sum(answered), 0) AS answered_calls,
    coalesce(sum(successful), 0) AS successful_calls,
    coalesce(sum(duration), 0)::bigint AS total_duration,
    round(sum(duration) / nullif(sum(calls), 0), 2) AS average_duration,
    count(DISTINCT caller_number) + coalesce(sum(callers), 0) AS unique_callers,
    coalesce(bool_and(caller_number IS NOT NULL), true) AS callers_exact"""

# The sealed months of the line, a multirange; evaluated once a statement.
SEALED = """coalesce((SELECT range_agg(tstzrange(since, until)) FROM sealed_months
        WHERE phone_id = %(line)s), '{}')"""


def is_sealed(moment: str) -> str:
    """The line's calls of that moment left the archive."""
    return f"{moment} <@ {SEALED}"


def calls_of(*, since: str, until: str) -> str:
    """The calls of the line, live and archived, that began in [since, until) and still count."""
    columns = (
        "created_at, 1 AS calls, (status IN ('answered', 'completed'))::int AS answered,"
        " (status = 'completed')::int AS successful, duration::bigint, caller_number, 0 AS callers"
    )
    where = (
        f"phone_id = %(line)s AND created_at >= {since} AND created_at < {until}"
        f" AND NOT {is_sealed('created_at')}"
    )
    return (
        f"SELECT {columns} FROM calls WHERE {where}"
        f" UNION ALL SELECT {columns} FROM calls_archive WHERE {where}"
    )


def history(*, since: str, until: str) -> str:
    """calls_of(), and what is stored of the sealed hours that began in [since, until)."""
    return f"""{calls_of(since=since, until=until)}
    UNION ALL SELECT date_bucket, total_calls, answered_calls, successful_calls, total_duration,
        NULL, unique_callers
    FROM call_analytics JOIN sealed_months USING (phone_id)
    WHERE phone_id = %(line)s AND date_bucket >= sealed_months.since
        AND date_bucket < sealed_months.until
        AND date_bucket >= {since} AND date_bucket < {until}"""


def hour_counts(*, hours: str) -> str:
    """A row of counts for each `bucket` of the relation `hours`, rows of zero included.

    Sealed hours are left out: what is stored of them stands.
    """
    calls = calls_of(since="h.bucket", until="h.bucket + interval '1 hour'")
    return f"""
SELECT h.bucket, c.* FROM {hours} AS h
CROSS JOIN LATERAL (SELECT {COUNTS} FROM ({calls}) AS history) AS c
WHERE NOT {is_sealed("h.bucket")}"""


def days_of_hours(*, hours: str, timezone: str) -> str:
    """The days, `date`, that the hours `bucket` of the relation lie in and that may have changed.

    Two each where the line's clock is not a whole number of hours off UTC. A sealed hour only
    changes days that are missing, as all are after a change of timezone.
    """
    return f"""
SELECT DISTINCT v.date FROM {hours} AS h
CROSS JOIN LATERAL (VALUES ((h.bucket AT TIME ZONE {timezone})::date),
    (((h.bucket + interval '59 minutes 59.999999 seconds') AT TIME ZONE {timezone})::date))
    AS v (date)
WHERE NOT ({is_sealed("h.bucket")} AND EXISTS (
    SELECT FROM daily_call_stats s WHERE s.phone_id = %(line)s AND s.date = v.date))"""


def day_counts(*, days: str, timezone: str) -> str:
    """A row of counts for each `date` of the relation `days`, rows of zero included.

    Where clocks go back over midnight a day begins before its 00:00 is reached for good: the
    index is asked for two hours more on either side, the exact condition is on the date.
    """
    calls = history(
        since=f"(d.date::timestamp AT TIME ZONE {timezone}) - interval '2 hours'",
        until=f"((d.date + 1)::timestamp AT TIME ZONE {timezone}) + interval '2 hours'",
    )
    return f"""
SELECT d.date, c.* FROM {days} AS d
CROSS JOIN LATERAL (
    SELECT {COUNTS} FROM ({calls}) AS history
    WHERE (created_at AT TIME ZONE {timezone})::date = d.date
) AS c"""
