"""Lines with a history of calls, as the jobs of the worker find them."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.line_health.learning import learn_usual_calls
from analytics.line_health.models import LineCheck, QuietLine
from analytics.line_health.watching import check_lines
from analytics.rollups import roll_up
from tenancy import all_tenants
from tenants.models import PhoneNumber

# A call every half hour while the line is usually called.
CALLS = """
INSERT INTO calls (phone_id, caller_number, call_sid, status, created_at)
SELECT %(line)s, '+14155559999', %(line)s || ' ' || at, 'completed', at
FROM generate_series(%(since)s::timestamptz, %(until)s, interval '30 minutes') AS at
WHERE extract(hour FROM at) BETWEEN 9 AND 16 AND extract(isodow FROM at) < 6
"""


def call_often(line: PhoneNumber, *, until: datetime, weeks: int = 8) -> None:
    """Sixteen calls a day from Monday to Friday, 09:00 to 16:30 UTC; the last at `until`."""
    values: dict[str, Any] = {
        "line": line.pk,
        "since": until - timedelta(weeks=weeks),
        "until": until,
    }
    with all_tenants("test data"), connection.cursor() as cursor:
        cursor.execute(CALLS, values)
        roll_up()


def learn(now: datetime) -> int:
    with all_tenants("test"):
        return learn_usual_calls(now=now)


def check(now: datetime) -> LineCheck:
    with all_tenants("test"):
        return check_lines(now=now)


def missing() -> dict[str, tuple[str, float]]:
    """State and expected calls by line."""
    with all_tenants("test"):
        rows = QuietLine.objects.all()
        return {row.phone_id: (row.state, round(row.expected, 1)) for row in rows}
