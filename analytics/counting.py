"""How calls are counted, in one place: the roll-up and the live part of a read use these texts.

answered: answered or completed. successful: completed. Durations are seconds. Live calls and the
archive count alike. Every text has the parameter `line`, the id of a line, unless another
expression is given for it; arguments are SQL.
"""

LINE = "%(line)s"

COUNTS = """
    count(*) AS total_calls,
    count(*) FILTER (WHERE status IN ('answered', 'completed')) AS answered_calls,
    count(*) FILTER (WHERE status = 'completed') AS successful_calls,
    coalesce(sum(duration), 0) AS total_duration,
    round(avg(duration), 2) AS average_duration,
    count(DISTINCT caller_number) AS unique_callers"""


def history(*, since: str, until: str, line: str = LINE) -> str:
    """The calls of the line, live and archived, that began in [since, until)."""
    columns = "created_at, status, duration, caller_number"
    where = f"phone_id = {line} AND created_at >= {since} AND created_at < {until}"
    return (
        f"SELECT {columns} FROM calls WHERE {where}"
        f" UNION ALL SELECT {columns} FROM calls_archive WHERE {where}"
    )


def hour_counts(*, hours: str, line: str = LINE) -> str:
    """A row of counts for each `bucket` of the relation `hours` (h), rows of zero included."""
    calls = history(since="h.bucket", until="h.bucket + interval '1 hour'", line=line)
    return f"""
SELECT h.bucket, c.* FROM {hours} AS h
CROSS JOIN LATERAL (SELECT {COUNTS} FROM ({calls}) AS history) AS c"""


def days_of_hours(*, hours: str, timezone: str, also: str = "") -> str:
    """The days, `date`, that the hours `bucket` of the relation (h) lie in.

    Two each where the line's clock is not a whole number of hours off UTC. also: more columns of
    the relation, each with a comma behind it.
    """
    return f"""
SELECT DISTINCT {also}(instant AT TIME ZONE {timezone})::date AS date FROM {hours} AS h
CROSS JOIN LATERAL (VALUES (h.bucket), (h.bucket + interval '59 minutes 59.999999 seconds'))
    AS v (instant)"""


def day_counts(*, days: str, timezone: str, line: str = LINE) -> str:
    """A row of counts for each `date` of the relation `days` (d), rows of zero included.

    Where clocks go back over midnight a day begins before its 00:00 is reached for good: the
    index is asked for two hours more on either side, the exact condition is on the date.
    """
    calls = history(
        since=f"(d.date::timestamp AT TIME ZONE {timezone}) - interval '2 hours'",
        until=f"((d.date + 1)::timestamp AT TIME ZONE {timezone}) + interval '2 hours'",
        line=line,
    )
    return f"""
SELECT d.date, c.* FROM {days} AS d
CROSS JOIN LATERAL (
    SELECT {COUNTS} FROM ({calls}) AS history
    WHERE (created_at AT TIME ZONE {timezone})::date = d.date
) AS c"""
