"""WHAT IT MEANS: hourly, daily and monthly numbers made from calls."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Statistics"

    def ready(self) -> None:
        from analytics.line_health import metrics as line_health
        from analytics.metrics import ACCEPTED, METRICS
        from analytics.summary import refresh_after_bulk_change
        from calls.bulk_changes import bulk_change_ended
        from monitoring.metrics import register_metrics

        register_metrics(METRICS, accepted=ACCEPTED)
        register_metrics(line_health.METRICS, groups=line_health.GROUPS)
        bulk_change_ended.connect(refresh_after_bulk_change)
