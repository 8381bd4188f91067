"""To whom calls were transferred, and whether anybody answered there of late."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from calls.legs import RESULTS
from database.prepared import Statement

# A target fails when nobody has answered this many dials in a row, within the span.
MIN_FAILURES = 5
SPAN = timedelta(days=90)
ANSWERED = [status for status, result in RESULTS.items() if result == "answered"]
# Not those that the caller ended, by hanging up before anybody could answer.
UNANSWERED = [
    status for status, result in RESULTS.items() if result in ("busy", "no answer", "failed")
]

# The legs of the line and its archived calls of the span, by index. A dial that is not decided yet
# does not count.
FAILING = Statement(
    """
WITH dials AS (
    SELECT l."to", l.status, coalesce(l.started_at, c.created_at) AS at, l.leg_sid
    FROM call_legs AS l JOIN calls AS c ON c.call_sid = l.call_sid
    WHERE l.phone_id = %(line)s AND c.phone_id = %(line)s
        AND c.created_at >= %(since)s::timestamptz
    UNION ALL
    SELECT l."to", l.status, coalesce(l.started_at, a.created_at), l.leg_sid
    FROM calls_archive AS a CROSS JOIN LATERAL jsonb_to_recordset(a.legs)
        AS l ("to" text, status text, started_at timestamptz, leg_sid text)
    WHERE a.phone_id = %(line)s AND a.created_at >= %(since)s::timestamptz
), decided AS (
    SELECT app.one_number("to") AS target, at, bool_or(status = ANY (%(answered)s::text[]))
        OVER (PARTITION BY app.one_number("to") ORDER BY at DESC, leg_sid DESC) AS was_answered
    FROM dials
    WHERE "to" IS NOT NULL AND status = ANY (%(answered)s::text[] || %(unanswered)s::text[])
)
SELECT target, count(*), min(at), max(at) FROM decided WHERE NOT was_answered
GROUP BY target HAVING count(*) >= %(failures)s ORDER BY target
""",
    line="text",
    since="timestamptz",
    answered="text[]",
    unanswered="text[]",
    failures="integer",
)


@dataclass(frozen=True)
class FailingTarget:
    """Nobody answered the last `dials` of them, the first at `since`, the last at `latest`.

    `to` is an E.164 number in its one form (tenants.numbers.one_form), or an address.
    """

    to: str
    dials: int
    since: datetime
    latest: datetime


def failing_targets(
    line: str, *, now: datetime, min_failures: int = MIN_FAILURES
) -> list[FailingTarget]:
    """The targets of a line's calls, live and archived, of which the last dials all failed.

    Those of the last 90 days count. Busy, no answer and failed are failures; a dial that was
    canceled, or is not over yet, is neither a failure nor an answer. Needs a scope with the line.
    """
    rows = FAILING.fetch_all(
        {
            "line": line,
            "since": now - SPAN,
            "answered": ANSWERED,
            "unanswered": UNANSWERED,
            "failures": min_failures,
        }
    )
    return [FailingTarget(*row) for row in rows]
