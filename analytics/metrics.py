"""What monitoring reports of the statistics."""

from monitoring.accepted import DOCUMENT
from monitoring.metrics.base import Metric
from monitoring.metrics.worker import JobMetric


class RollUpBacklog(JobMetric):
    name = "rollup_backlog"
    label = "Roll-up backlog"
    help = "Rows in rollup_queue, counted up to 100,000; until rolled up, reads compute them live."
    sql = """
        SELECT 'rollup_queue' AS subject, count(*) AS value
        FROM (SELECT FROM rollup_queue LIMIT 100000) AS queued
    """
    summary = "rows waiting in {subject}: {value:,}"
    fix = "Check that the job roll_up_calls runs every minute; by hand: manage.py roll_up_calls"
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
    empty = "it has never been refreshed; the worker refreshes it every 15 minutes"
    summary = "{subject} is {value:.0f} min old"
    fix = "Check that its job runs; by hand: manage.py refresh_summary"
    unit = "minutes"
    warning, critical = 60, 1440
    needs_table = "summary_refreshes"


class StatisticsVerified(JobMetric):
    name = "statistics_verified"
    label = "Statistics verification"
    help = (
        "Differences found by the last run of verify_stats over all lines, and its age; and those"
        " found by samples since."
    )
    sql = """
        SELECT 'verify_stats' || CASE WHEN is_sample THEN ' --sample' ELSE '' END AS subject,
            difference_count AS value, finished_at,
            CASE WHEN difference_count = 0 AND finished_at < clock_timestamp() - interval '3 days'
                THEN 'warning' END AS level
        FROM stats_verifications, LATERAL (
            SELECT coalesce(max(id), 0) AS last FROM stats_verifications WHERE NOT is_sample
        ) AS whole
        WHERE id = last OR (id > last AND difference_count > 0)
        ORDER BY id DESC
    """
    empty = "verify_stats has never run over all lines; the worker runs it every night"
    summary = "{subject}: differences: {value}; verified at {finished_at:%Y-%m-%d %H:%M %Z}"
    fix = "manage.py verify_stats lists them; roll_up_calls --rebuild repairs them"
    unit = "differences"
    warning, critical = 1, 1
    needs_table = "stats_verifications"


METRICS: list[type[Metric]] = [RollUpBacklog, SummaryAge, StatisticsVerified]
ACCEPTED = {
    ("unused_indexes", "idx_analytics_phone_date"): DOCUMENT,
}
