"""Ends calls whose end was never reported."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from calls.models import TIMED_OUT
from tenancy import all_tenants

# idx_active_calls holds the live calls alone. An answered call took place, so it was completed;
# one that only rang failed. Calls that an event is changing right now are left to that event.
END_STUCK = """
UPDATE calls SET provider_status = %(timed_out)s,
    status = CASE status WHEN 'answered' THEN 'completed' ELSE 'failed' END
WHERE id IN (
    SELECT id FROM calls WHERE status IN ('ringing', 'answered') AND created_at < %(before)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
RETURNING status
"""


def end_stuck_calls(
    *, now: datetime, after: timedelta | None = None, batch: int = 1000
) -> Counter[str]:
    """End the calls that began more than `after` (STUCK_CALL_SECONDS) ago and are still live.

    Returns how many became completed and failed. Their provider_status is timed-out; a later event
    of the provider overrules it.
    """
    before = now - (after or timedelta(seconds=settings.STUCK_CALL_SECONDS))
    ended: Counter[str] = Counter()
    with all_tenants("ending stuck calls"), connection.cursor() as cursor:
        while True:
            cursor.execute(END_STUCK, {"before": before, "batch": batch, "timed_out": TIMED_OUT})
            rows = cursor.fetchall()
            ended.update(status for (status,) in rows)
            if len(rows) < batch:
                return ended
