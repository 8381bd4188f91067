"""THE DATABASE'S OWN HEALTH: statements, indexes, tables, sessions, jobs, backups, rights."""

from django.apps import AppConfig
from django.core import checks


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Database"

    def ready(self) -> None:
        from monitoring.checks import check_thresholds

        checks.register(check_thresholds)
