"""Refresh the 30-day performance of every line."""

from typing import Any

from django.core.management.base import BaseCommand

from analytics.summary import refresh_summary
from tenancy import all_tenants


class Command(BaseCommand):
    help = (
        "Refresh phone_performance_summary, the last 30 days of every line. Readers see the"
        " old numbers until it is done. Does nothing when another refresh is running."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with all_tenants("refresh_summary"):
            as_of = refresh_summary()
        if as_of is None:
            self.stdout.write("Skipped: another refresh is running.")
        else:
            self.stdout.write(f"Summary refreshed as of {as_of:%Y-%m-%d %H:%M:%S} UTC.")
