"""THE DATABASE'S OWN HEALTH: statements, indexes, tables, sessions, jobs, backups, rights."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Database"
