"""What monitoring reports of the archive and the inbox, and accepts of the indexes of calls."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from monitoring.accepted import DOCUMENT
from monitoring.metrics.base import Metric
from monitoring.metrics.worker import JobMetric
from monitoring.server import Server


class ArchiveBacklog(JobMetric):
    """A run that left nothing took whatever could be archived by then.

    If it was over all lines and its cut-off that of the setting; a day's difference, which is
    less than a warning, is allowed for the clocks and calendars of the two.
    """

    name = "archive_backlog"
    label = "Archive backlog"
    help = (
        "Days for which a call could have been archived: since it passed ARCHIVE_OLDER_THAN, was"
        " changed or imported last, or a run over all lines with that cut-off left nothing,"
        " whichever was latest. Of the 10,000 oldest calls."
    )
    sql = """
        SELECT 'calls' AS subject, coalesce(max(extract(epoch FROM clock_timestamp()
            - greatest(created_at + older_than, updated_at, nothing_left_at)) / 86400), 0) AS value
        FROM (SELECT created_at, updated_at, older_than, nothing_left_at FROM calls, LATERAL (
                SELECT %(older_than)s::interval AS older_than) AS setting, LATERAL (
                SELECT max(ended_at) AS nothing_left_at FROM archive_runs
                WHERE kind = 'archive' AND state = 'done' AND remaining = 0 AND phone_id IS NULL
                    AND cut_off >= started_at - older_than - interval '1 day'
            ) AS runs
            WHERE created_at < clock_timestamp() - older_than
            AND status IN ('completed', 'failed') AND NOT legal_hold
            ORDER BY created_at LIMIT 10000) AS due
    """
    summary = "a call that could be archived has been waiting for {value:.1f} days"
    fix = "See the archive runs in the admin; by hand: manage.py archive_calls"
    unit = "days"
    warning, critical = 2, 14
    needs_table = "calls"

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"older_than": settings.ARCHIVE_OLDER_THAN}


class ArchiveRuns(JobMetric):
    name = "archive_runs"
    label = "Archive runs"
    help = (
        "The last run of each kind, over all lines and of each line, if it failed or was"
        " interrupted. An archive run over all lines takes the place of earlier ones of a line."
    )
    sql = """
        SELECT kind || coalesce(' of ' || phone_id, '') AS subject, id AS value, state,
            coalesce(ended_at, heartbeat_at) AS ended_at,
            CASE WHEN state IN ('failed', 'interrupted') THEN 'warning' ELSE 'ok' END AS level
        FROM (SELECT DISTINCT ON (kind, phone_id) * FROM archive_runs
            ORDER BY kind, phone_id, id DESC) AS latest
        WHERE phone_id IS NULL OR kind <> 'archive' OR id > coalesce((SELECT max(id)
            FROM archive_runs WHERE kind = 'archive' AND phone_id IS NULL), 0)
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
    summary = "events waiting for their call: {value:,}"
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
