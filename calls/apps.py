"""WHAT HAPPENED: calls, their metadata and the archive."""

from django.apps import AppConfig
from django.core import checks


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Calls"

    def ready(self) -> None:
        from calls.archival.checks import check_archive_columns
        from calls.metrics import ACCEPTED, METRICS
        from monitoring.metrics import register_metrics

        register_metrics(METRICS, accepted=ACCEPTED)
        checks.register(check_archive_columns, checks.Tags.models)
