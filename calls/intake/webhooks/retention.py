"""Deletes old events of the inbox."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from tenancy import all_tenants

# By idx_call_events_received; one transaction per batch, so that intake never waits.
PRUNE = """
DELETE FROM call_events WHERE id IN (
    SELECT id FROM call_events WHERE received_at < %(before)s
    ORDER BY received_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
"""
PRUNE_REFUSED = "DELETE FROM refused_callbacks WHERE hour < %(before)s"


def prune_events(*, now: datetime, keep: timedelta | None = None, batch: int = 5000) -> int:
    """Delete the events older than `keep` (INBOX_RETENTION_DAYS); returns how many.

    Those that were never applied are deleted too, since they hold personal data. So are the counts
    of refused callbacks of that time.
    """
    before = now - (keep or timedelta(days=settings.INBOX_RETENTION_DAYS))
    deleted = 0
    with all_tenants("retention of the inbox"), connection.cursor() as cursor:
        cursor.execute(PRUNE_REFUSED, {"before": before})
        while True:
            cursor.execute(PRUNE, {"before": before, "batch": batch})
            count: int = cursor.rowcount
            deleted += count
            if count < batch:
                return deleted
