"""What monitoring reports of the archive and the inbox, and accepts of the indexes of calls."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from monitoring.accepted import DOCUMENT
from monitoring.metrics.base import Metric
from monitoring.metrics.worker import JobMetric
from monitoring.server import Server


class ArchiveBacklog(JobMetric):
    name = "archive_backlog"
    label = "Archive backlog"
    help = "Days by which the oldest call due for archiving is past ARCHIVE_OLDER_THAN."
    sql = """
        SELECT 'calls' AS subject, coalesce((
            SELECT extract(epoch FROM cut_off - created_at) / 86400 FROM calls
            WHERE created_at < cut_off AND status IN ('completed', 'failed') AND NOT legal_hold
            ORDER BY created_at LIMIT 1), 0) AS value
        FROM (SELECT clock_timestamp() - %(older_than)s::interval AS cut_off) AS limits
    """
    summary = "the oldest due call has been waiting {value:.1f} days for the archive"
    fix = "See the archive runs in the admin; by hand: manage.py archive_calls"
    unit = "days"
    warning, critical = 2, 14
    needs_table = "calls"

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"older_than": settings.ARCHIVE_OLDER_THAN}


class ArchiveRuns(JobMetric):
    name = "archive_runs"
    label = "Archive runs"
    help = "The last run of each kind, if it failed or was interrupted."
    sql = """
        SELECT kind AS subject, id AS value, state, coalesce(ended_at, heartbeat_at) AS ended_at,
            CASE WHEN state IN ('failed', 'interrupted') THEN 'warning' ELSE 'ok' END AS level
        FROM (SELECT DISTINCT ON (kind) * FROM archive_runs ORDER BY kind, id DESC) AS latest
    """
    summary = "{subject}, run {value}: {state} at {ended_at:%Y-%m-%d %H:%M %Z}"
    fix = "Its row in the admin has the error; what it committed stands, so run it again"
    needs_table = "archive_runs"
    lists_ok = False


class InboxBacklog(JobMetric):
    name = "inbox_backlog"
    label = "Events waiting for their call"
    help = "Events of the last day that have waited for more than an hour."
    sql = """
        SELECT 'call_events' AS subject, count(*) AS value FROM call_events
        WHERE outcome = 'waiting'
        AND received_at BETWEEN clock_timestamp() - interval '1 day'
            AND clock_timestamp() - interval '1 hour'
    """
    summary = "{value:,} events are waiting for their call"
    fix = "manage.py reconcile_calls fetches missing calls; replay_events applies waiting events"
    unit = "events"
    warning, critical = 10, 1000
    needs_table = "call_events"


METRICS: list[type[Metric]] = [ArchiveBacklog, ArchiveRuns, InboxBacklog]
ACCEPTED = {
    # Prefixes of idx_calls_phone_status_date and others.
    ("redundant_indexes", "idx_calls_phone_id"): DOCUMENT,
    ("redundant_indexes", "idx_calls_status"): DOCUMENT,
    ("redundant_indexes", "idx_calls_caller_number"): DOCUMENT,
    # Other indexes serve the same queries.
    ("unused_indexes", "idx_calls_phone_id"): DOCUMENT,
    ("unused_indexes", "idx_calls_created_at"): DOCUMENT,
    ("unused_indexes", "idx_calls_status"): DOCUMENT,
    ("unused_indexes", "idx_calls_caller_number"): DOCUMENT,
    ("unused_indexes", "idx_calls_phone_status_date"): DOCUMENT,
    ("unused_indexes", "idx_active_calls"): DOCUMENT,
    ("unused_indexes", "idx_calls_created_brin"): DOCUMENT,
    ("unused_indexes", "idx_call_metadata_jsonb"): DOCUMENT,
    ("unused_indexes", "idx_call_tags"): DOCUMENT,
}
