"""WHAT HAPPENED: calls, their metadata and the archive."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Calls"
