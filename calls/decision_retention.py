"""Deletes what was decided for calls that never came to be."""

from datetime import datetime, timedelta

from django.db import connection

from tenancy import all_tenants

# For a SID that neither the provider nor a file or the line's pipeline made a call of.
KEEP = timedelta(days=30)
PRUNE = """
DELETE FROM call_decisions AS d WHERE d.created_at < %(before)s AND NOT EXISTS (
    SELECT FROM calls AS c
    WHERE c.phone_id = d.phone_id
        AND c.call_sid IN (d.call_sid, app.claimed_sid(d.call_sid, d.phone_id))
)
"""


def prune_decisions(*, now: datetime) -> int:
    """Delete the decisions older than KEEP that belong to no call; returns how many.

    Those of an archived call are in its row.
    """
    with all_tenants("retention of decisions"), connection.cursor() as cursor:
        cursor.execute(PRUNE, {"before": now - KEEP})
        deleted: int = cursor.rowcount
    return deleted
