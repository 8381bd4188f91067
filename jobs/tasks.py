"""What the worker does to its own jobs on a schedule.

Here and in the tasks of other rooms: a task has a lock, so that it never overlaps itself, and a
queueing lock, so that at most one run waits. A worker that was stopped meanwhile catches up once.
"""

from django.conf import settings
from procrastinate import JobContext
from procrastinate.contrib.django import app

from jobs.retry import RETRY


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
@app.task(lock="retry_stalled_jobs", queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int = 0) -> None:
    """Retry the jobs whose worker was killed: each holds its lock until then."""
    for job in await context.app.job_manager.get_stalled_jobs():
        await context.app.job_manager.retry_job(job)
