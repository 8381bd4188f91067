"""The scheduled jobs of statistics; jobs/tasks.py says how jobs behave."""

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.line_health import learning, watching
from analytics.rollups import roll_up
from analytics.summary import refresh_summary
from analytics.verification import verify_stats
from jobs.retry import RETRY
from tenancy import all_tenants


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
    """Differences are stored for the admin; the job fails if there are any."""
    with all_tenants("job verify_stats"):
        differences = verify_stats()
    if differences:
        raise AssertionError(f"{len(differences)} differences; see the verifications in the admin")


@app.periodic(cron=settings.SCHEDULE["learn_usual_calls"])
@app.task(lock="learn_usual_calls", queueing_lock="learn_usual_calls", retry=RETRY)
def learn_usual_calls(timestamp: int = 0) -> None:
    with all_tenants("job learn_usual_calls"):
        learning.learn_usual_calls(now=timezone.now())


# No retry: the next one comes in five minutes.
@app.periodic(cron=settings.SCHEDULE["check_lines"])
@app.task(lock="check_lines", queueing_lock="check_lines")
def check_lines(timestamp: int = 0) -> None:
    with all_tenants("job check_lines"):
        watching.check_lines(now=timezone.now())
