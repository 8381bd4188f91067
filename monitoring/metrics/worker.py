"""The worker, its jobs, and what waits for them."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from monitoring.metrics.base import Metric
from monitoring.server import Server


class JobMetric(Metric):
    group = "jobs"
    shows_good = True


class Workers(JobMetric):
    name = "workers"
    label = "Workers"
    help = "Seconds since the last sign of life of any worker, which gives one every ten seconds."
    sql = """
        SELECT 'worker' AS subject, CASE WHEN count(*) = 0 THEN 'warning' END AS level,
            coalesce(min(extract(epoch FROM clock_timestamp() - last_heartbeat)), 0) AS value,
            count(*) AS known, CASE WHEN count(*) = 0 THEN 'no worker runs' END AS says
        FROM procrastinate_workers
    """
    says = "{known} workers, the last sign of life {value:.0f} s ago"
    fix = "Start one: manage.py procrastinate worker (or let cron run the commands)"
    unit = "s"
    warning, critical = 60, 600
    needs_table = "procrastinate_workers"


class WaitingJobs(JobMetric):
    name = "waiting_jobs"
    label = "Jobs that wait"
    help = "Seconds by which the oldest job that should run by now is late."
    sql = """
        SELECT 'queue' AS subject, count(*) AS jobs,
            coalesce(max(extract(epoch FROM clock_timestamp() - due)), 0) AS value
        FROM (SELECT coalesce(scheduled_at, (
                    SELECT min(at) FROM procrastinate_events WHERE job_id = j.id)) AS due
              FROM procrastinate_jobs j WHERE status = 'todo') AS waiting
        WHERE due <= clock_timestamp()
    """
    says = "{jobs} jobs wait, the oldest for {value:.0f} s"
    fix = "See that a worker runs, and what it does now; a second one may run beside it"
    unit = "s"
    warning, critical = 300, 3600
    needs_table = "procrastinate_jobs"


class LongJobs(JobMetric):
    name = "long_jobs"
    label = "Long jobs"
    help = (
        "Seconds that jobs have been running. One whose worker died keeps its lock until retried."
    )
    sql = """
        SELECT task_name || ' ' || j.id AS subject,
            extract(epoch FROM clock_timestamp() - (
                SELECT max(at) FROM procrastinate_events
                WHERE job_id = j.id AND type = 'started')) AS value,
            CASE WHEN w.id IS NULL THEN 'critical' END AS level,
            CASE WHEN w.id IS NULL THEN ', and its worker is gone' ELSE '' END AS gone
        FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w
            ON w.id = worker_id AND last_heartbeat > clock_timestamp() - interval '60 seconds'
        WHERE status = 'doing'
    """
    says = "job {subject} has run for {value:.0f} s{gone}"
    fix = (
        "If its worker is gone the job retry_stalled_jobs begins it again within ten minutes; it"
        " needs a worker that runs"
    )
    unit = "s"
    warning, critical = 3600, 21_600
    needs_table = "procrastinate_jobs"
    shows_good = False


class FailedJobs(JobMetric):
    name = "failed_jobs"
    label = "Failed jobs"
    help = "Jobs that failed in the last day, after every retry."
    sql = """
        SELECT task_name AS subject, count(*) AS value, max(last) AS last
        FROM (SELECT task_name, (
                SELECT max(at) FROM procrastinate_events WHERE job_id = j.id) AS last
              FROM procrastinate_jobs j WHERE status = 'failed') AS failed
        WHERE last > clock_timestamp() - interval '1 day'
        GROUP BY task_name ORDER BY 2 DESC
    """
    says = "{subject} failed {value} times in a day, last at {last:%Y-%m-%d %H:%M %Z}"
    fix = "Read the worker's log at that time; run the command of the same name by hand"
    unit = "failures"
    warning, critical = 1, 10
    needs_table = "procrastinate_jobs"
    shows_good = False


class RollUpBacklog(JobMetric):
    name = "rollup_backlog"
    label = "Hours that wait for the roll-up"
    help = "Rows of rollup_queue, counted up to 100,000; reads compute what waits live."
    sql = """
        SELECT 'rollup_queue' AS subject, count(*) AS value
        FROM (SELECT FROM rollup_queue LIMIT 100000) AS queued
    """
    says = "{value:,} rows wait in {subject}"
    fix = "See that the job roll_up_calls runs every minute; by hand: manage.py roll_up_calls"
    unit = "rows"
    warning, critical = 10_000, 100_000
    needs_table = "rollup_queue"


class SummaryAge(JobMetric):
    name = "summary_age"
    label = "Age of the 30-day summary"
    help = "Minutes since phone_performance_summary was refreshed."
    sql = """
        SELECT 'phone_performance_summary' AS subject,
            extract(epoch FROM clock_timestamp() - max(started_at)) / 60 AS value
        FROM summary_refreshes HAVING max(started_at) IS NOT NULL
    """
    empty = "it was never refreshed; the worker does that every 15 minutes"
    says = "{subject} is {value:.0f} minutes old"
    fix = "By hand: manage.py refresh_summary, and see that its job runs"
    unit = "minutes"
    warning, critical = 60, 1440
    needs_table = "summary_refreshes"


class StatisticsVerified(JobMetric):
    name = "statistics_verified"
    label = "Truth check of the statistics"
    help = "Differences that the last verify_stats found, and its age."
    sql = """
        SELECT 'verify_stats' AS subject, difference_count AS value, finished_at,
            CASE WHEN difference_count = 0 AND finished_at < clock_timestamp() - interval '3 days'
                THEN 'warning' END AS level
        FROM stats_verifications ORDER BY id DESC LIMIT 1
    """
    empty = "verify_stats never ran; the worker runs it every night"
    says = "{value} differences at {finished_at:%Y-%m-%d %H:%M %Z}"
    fix = "manage.py verify_stats shows them, roll_up_calls --rebuild repairs them"
    unit = "differences"
    warning, critical = 1, 1
    needs_table = "stats_verifications"


class ArchiveBacklog(JobMetric):
    name = "archive_backlog"
    label = "Calls that wait for the archive"
    help = "Days by which the oldest call that may be archived is past ARCHIVE_OLDER_THAN."
    sql = """
        SELECT 'calls' AS subject, coalesce((
            SELECT extract(epoch FROM cut_off - created_at) / 86400 FROM calls
            WHERE created_at < cut_off AND status IN ('completed', 'failed') AND NOT legal_hold
            ORDER BY created_at LIMIT 1), 0) AS value
        FROM (SELECT clock_timestamp() - %(older_than)s::interval AS cut_off) AS asked
    """
    says = "the oldest of {subject} has waited {value:.1f} days for the archive"
    fix = "See the archive's ledger in the admin; by hand: manage.py archive_calls"
    unit = "days"
    warning, critical = 2, 14
    needs_table = "calls"

    def parameters(self, server: Server) -> Mapping[str, Any]:
        return {"older_than": settings.ARCHIVE_OLDER_THAN}


class ArchiveRuns(JobMetric):
    name = "archive_runs"
    label = "Runs of the archiver"
    help = "The last run of each kind, if it failed or was interrupted."
    sql = """
        SELECT kind AS subject, id AS value, state, coalesce(ended_at, heartbeat_at) AS ended_at,
            CASE WHEN state IN ('failed', 'interrupted') THEN 'warning' ELSE 'ok' END AS level
        FROM (SELECT DISTINCT ON (kind) * FROM archive_runs ORDER BY kind, id DESC) AS latest
    """
    says = "{subject}, run {value}: {state} at {ended_at:%Y-%m-%d %H:%M %Z}"
    fix = "Its row in the admin says why; what was committed stands, so run it again"
    needs_table = "archive_runs"
    shows_good = False


class InboxBacklog(JobMetric):
    name = "inbox_backlog"
    label = "Events that wait for their call"
    help = "Events of the last day that have waited for more than an hour."
    sql = """
        SELECT 'call_events' AS subject, count(*) AS value FROM call_events
        WHERE verdict = 'waiting'
        AND received_at BETWEEN clock_timestamp() - interval '1 day'
            AND clock_timestamp() - interval '1 hour'
    """
    says = "{value:,} events wait for their call"
    fix = "manage.py reconcile_calls fetches missing calls, replay_events applies what waits"
    unit = "events"
    warning, critical = 10, 1000
    needs_table = "call_events"


METRICS: list[type[Metric]] = [
    Workers,
    WaitingJobs,
    LongJobs,
    FailedJobs,
    RollUpBacklog,
    SummaryAge,
    StatisticsVerified,
    ArchiveBacklog,
    ArchiveRuns,
    InboxBacklog,
]
