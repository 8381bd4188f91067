"""The scheduled jobs that watch the database."""

import logging

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from database.errors import optional_step
from monitoring.alerts import forget_old_alerts, run_check
from monitoring.snapshots import forget_old_snapshots, take_snapshot

logger = logging.getLogger(__name__)


# No retry: the next one comes in five minutes.
@app.periodic(cron=settings.SCHEDULE["database_report"])
@app.task(lock="database_report", queueing_lock="database_report")
def database_report(timestamp: int = 0) -> None:
    # The report shows what is wrong with the server, so it must still run.
    with optional_step(logger, "Server snapshot failed"):
        take_snapshot()
    run_check()


@app.periodic(cron=settings.SCHEDULE["forget_snapshots"])
@app.task(lock="forget_snapshots", queueing_lock="forget_snapshots")
def forget_snapshots(timestamp: int = 0) -> None:
    forget_old_snapshots()
    forget_old_alerts(now=timezone.now())
