"""What the worker does about the database itself on a schedule."""

import logging

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from monitoring.alerts import forget_old_alerts, run_check
from monitoring.snapshots import forget_old_snapshots, take_snapshot

logger = logging.getLogger(__name__)


# No retry: the next one comes in five minutes.
@app.periodic(cron=settings.SCHEDULE["database_report"])
@app.task(lock="database_report", queueing_lock="database_report")
def database_report(timestamp: int = 0) -> None:
    try:
        take_snapshot()
    except DatabaseError as error:
        # The report says what is wrong with the server, so it must come all the more.
        logger.warning("No snapshot of the server was taken: %s", type(error).__name__)
    run_check()


@app.periodic(cron=settings.SCHEDULE["forget_snapshots"])
@app.task(lock="forget_snapshots", queueing_lock="forget_snapshots")
def forget_snapshots(timestamp: int = 0) -> None:
    forget_old_snapshots()
    forget_old_alerts(now=timezone.now())


@app.periodic(cron=settings.SCHEDULE["retry_stalled_jobs"])
@app.task(lock="retry_stalled_jobs", queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int = 0) -> None:
    """Begin the jobs again whose worker was killed: each holds its lock until then."""
    for job in await context.app.job_manager.get_stalled_jobs():
        await context.app.job_manager.retry_job(job)
