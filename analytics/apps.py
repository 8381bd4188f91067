"""WHAT IT MEANS: hourly, daily and monthly numbers made from calls."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Statistics"
