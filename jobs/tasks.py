"""What the worker does to its own jobs on a schedule.

Here and in the tasks of other rooms: a task has a lock, so that it never overlaps itself, and a
queueing lock, so that at most one run waits. A worker that was stopped meanwhile catches up once.
retry_stalled_jobs has no lock: if its worker was killed, its next run is what frees the first.
"""

import logging

from django.conf import settings
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from jobs.retry import RETRY

logger = logging.getLogger(__name__)


@app.periodic(cron=settings.SCHEDULE["forget_jobs"])
@app.task(lock="forget_jobs", queueing_lock="forget_jobs", retry=RETRY, pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int = 0) -> None:
    """Delete the jobs that ended, well or not, more than JOB_RETENTION_DAYS ago."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=24 * settings.JOB_RETENTION_DAYS,
        include_failed=True,
        include_cancelled=True,
        include_aborted=True,
    )


@app.periodic(cron=settings.SCHEDULE["retry_stalled_jobs"])
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int = 0) -> None:
    """Retry the jobs whose worker was killed: each holds its lock until then."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        try:
            await manager.retry_job(job)
        except ConnectorException as error:
            # Another run was faster, or the next run of this job waits already.
            logger.info("Stalled job %s is not retried: %s", job.id, type(error).__name__)
