"""How many calls of a period ended how, counted over the calls themselves.

Exact at every moment, live and archived, like analytics.queries.total(), and likewise at the cost
of what the period holds. Of calls that retention removed nobody knows how they ended.
"""

from datetime import datetime

from django.db import connection

from analytics.counting import lines
from calls.outcomes import OUTCOME, CallOutcome, facts_sql
from tenancy import current_scope


def _calls(table: str) -> str:
    outcome = OUTCOME.format(call="c", facts="facts")
    return f"""SELECT {outcome}, 1
    FROM {table} AS c CROSS JOIN LATERAL {facts_sql(table, "c")} AS facts
    WHERE c.phone_id = %(line)s AND c.created_at >= %(since)s AND c.created_at < %(until)s
        AND NOT c.created_at <@ (SELECT sealed FROM line)"""


OUTCOMES = f"""
WITH line AS MATERIALIZED ({lines("id = %(line)s")})
SELECT outcome, sum(calls)::bigint FROM (
    {_calls("calls")}
    UNION ALL {_calls("calls_archive")}
    UNION ALL SELECT '{CallOutcome.NOT_KNOWN}', total_calls FROM call_analytics
    WHERE phone_id = %(line)s AND date_bucket >= %(since)s AND date_bucket < %(until)s
        AND date_bucket <@ (SELECT sealed FROM line)
) AS ended (outcome, calls)
GROUP BY outcome
"""


def count_outcomes(*, since: datetime, until: datetime) -> dict[str, int]:
    """The calls of the scope's line that began in [since, until), for every outcome."""
    values = {"line": current_scope().phone_id, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(OUTCOMES, values)
        return dict.fromkeys(CallOutcome.values, 0) | dict(cursor.fetchall())
