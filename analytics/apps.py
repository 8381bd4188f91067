"""WHAT IT MEANS: hourly, daily and monthly numbers made from calls."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Statistics"

    def ready(self) -> None:
        from analytics.metrics import ACCEPTED, METRICS
        from monitoring.metrics import register_metrics

        register_metrics(METRICS, accepted=ACCEPTED)
