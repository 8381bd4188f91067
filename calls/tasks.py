"""The scheduled jobs of calls; jobs/tasks.py says how jobs behave.

The commands of the same names are for cron.
"""

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from api.idempotency_keys import forget_idempotency_keys
from api.rate_limit import prune_request_counts
from calls.archival import cutoff, ledger, moving
from calls.decision_retention import prune_decisions
from calls.intake import stuck
from calls.intake.webhooks import retention
from calls.reviews.queue import prune_reviews
from jobs.retry import RETRY


@app.periodic(cron=settings.SCHEDULE["end_stuck_calls"])
@app.task(lock="end_stuck_calls", queueing_lock="end_stuck_calls", retry=RETRY)
def end_stuck_calls(timestamp: int = 0) -> None:
    stuck.end_stuck_calls(now=timezone.now())


@app.periodic(cron=settings.SCHEDULE["prune_events"])
@app.task(lock="prune_events", queueing_lock="prune_events", retry=RETRY)
def prune_events(timestamp: int = 0) -> None:
    retention.prune_events(now=timezone.now())
    forget_idempotency_keys(now=timezone.now())
    prune_decisions(now=timezone.now())
    prune_reviews()
    prune_request_counts()


@app.periodic(cron=settings.SCHEDULE["archive_calls"])
@app.task(lock="archive_calls", queueing_lock="archive_calls", retry=RETRY)
def archive_calls(timestamp: int = 0) -> None:
    cut_off = cutoff.older_than(settings.ARCHIVE_OLDER_THAN, now=timezone.now())
    moving.archive_calls(cut_off=cut_off, started_by=ledger.whoami())
