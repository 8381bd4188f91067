"""What the worker does on a schedule. The same functions stand behind the commands, for cron.

A task has a lock, so that it never overlaps itself, and a queueing lock, so that at most one run
waits: a worker that was away catches up once.
"""

from django.conf import settings
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from analytics.rollups import roll_up
from analytics.summary import refresh_summary
from analytics.verification import verify_stats
from tenants.scoping import all_tenants

# Three more tries, 10, 60 and 360 seconds apart; then the job shows as failed in the admin.
RETRY = RetryStrategy(max_attempts=4, exponential_wait=6)


@app.periodic(cron=settings.SCHEDULE["roll_up_calls"])
@app.task(lock="roll_up_calls", queueing_lock="roll_up_calls", retry=RETRY)
def roll_up_calls(timestamp: int = 0) -> None:
    with all_tenants("job roll_up_calls"):
        roll_up()


@app.periodic(cron=settings.SCHEDULE["refresh_summary"])
@app.task(lock="refresh_summary", queueing_lock="refresh_summary", retry=RETRY)
def refresh_performance_summary(timestamp: int = 0) -> None:
    with all_tenants("job refresh_summary"):
        refresh_summary()


@app.periodic(cron=settings.SCHEDULE["verify_stats"])
@app.task(lock="verify_stats", queueing_lock="verify_stats")
def verify_statistics(timestamp: int = 0) -> None:
    """Differences are kept for the admin; the job fails on them, so that it shows as failed."""
    with all_tenants("job verify_stats"):
        differences = verify_stats()
    if differences:
        raise AssertionError(f"{len(differences)} differences; see the verifications in the admin")
