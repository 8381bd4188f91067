"""The worker, its jobs, and their backlogs."""

from monitoring.metrics.base import Metric


class JobMetric(Metric):
    group = "jobs"
    lists_ok = True


class Workers(JobMetric):
    name = "workers"
    label = "Workers"
    help = "Seconds since the last heartbeat of any worker; each sends one every ten seconds."
    sql = """
        SELECT 'worker' AS subject, CASE WHEN count(*) = 0 THEN 'warning' END AS level,
            coalesce(min(extract(epoch FROM clock_timestamp() - last_heartbeat)), 0) AS value,
            count(*) AS known, CASE WHEN count(*) = 0 THEN 'no worker is running' END AS summary
        FROM procrastinate_workers
    """
    summary = "workers: {known}; last heartbeat {value:.0f} s ago"
    fix = "Start one: manage.py procrastinate worker (or run the commands from cron)"
    unit = "s"
    warning, critical = 60, 600
    needs_table = "procrastinate_workers"


class WaitingJobs(JobMetric):
    name = "waiting_jobs"
    label = "Waiting jobs"
    help = "Seconds by which the oldest due job is late."
    sql = """
        SELECT 'queue' AS subject, count(*) AS jobs,
            coalesce(max(extract(epoch FROM clock_timestamp() - due)), 0) AS value
        FROM (SELECT coalesce(scheduled_at, (
                    SELECT min(at) FROM procrastinate_events WHERE job_id = j.id)) AS due
              FROM procrastinate_jobs j WHERE status = 'todo') AS waiting
        WHERE due <= clock_timestamp()
    """
    summary = "jobs waiting: {jobs}; the oldest for {value:.0f} s"
    fix = "Check that a worker is running and what it is doing; a second worker can run beside it"
    unit = "s"
    warning, critical = 300, 3600
    needs_table = "procrastinate_jobs"


class LongJobs(JobMetric):
    name = "long_jobs"
    label = "Long jobs"
    help = (
        "Seconds that jobs have been running. A job whose worker died keeps its lock until it is"
        " retried."
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
    summary = "job {subject} has been running for {value:.0f} s{gone}"
    fix = (
        "If its worker is gone, the job retry_stalled_jobs retries it within ten minutes, once a"
        " worker is running"
    )
    unit = "s"
    warning, critical = 3600, 21_600
    needs_table = "procrastinate_jobs"
    lists_ok = False


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
    summary = "{subject}: failures in a day: {value}; the last at {last:%Y-%m-%d %H:%M %Z}"
    fix = "Read the worker's log at that time; run the command of the same name by hand"
    unit = "failures"
    warning, critical = 1, 10
    needs_table = "procrastinate_jobs"
    lists_ok = False


METRICS: list[type[Metric]] = [
    Workers,
    WaitingJobs,
    LongJobs,
    FailedJobs,
]
