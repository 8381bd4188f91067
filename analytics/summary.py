"""Refreshing phone_performance_summary, and its age."""

from datetime import datetime
from time import sleep

from django.db import connection

from analytics.models import SummaryRefresh
from tenancy import all_tenants

REFRESH = "SELECT app.refresh_phone_performance_summary()"
PAUSE = 0.5  # seconds, while another refresh is running


def refresh_summary() -> datetime | None:
    """Refresh the summary without blocking its readers; needs an all_tenants scope.

    Returns when it started, or None when another refresh is running.
    """
    with connection.cursor() as cursor:
        cursor.execute(REFRESH)
        started: datetime | None = cursor.fetchone()[0]
        return started


def refresh_after_bulk_change(**_: object) -> None:
    """Receiver of bulk_change_ended, so that nobody reads numbers of before an import.

    Waits for a refresh that is running: it may have begun before the change.
    """
    with all_tenants("summary after a bulk change of calls"):
        while refresh_summary() is None:
            sleep(PAUSE)


def summary_as_of() -> datetime | None:
    """When the summary was last refreshed; None before the first refresh."""
    return SummaryRefresh.objects.order_by("-id").values_list("started_at", flat=True).first()
