"""PostgreSQL tools that know no business."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models import CharField, TextField


class DatabaseConfig(AppConfig):
    name = "database"

    def ready(self) -> None:
        from database.checks import check_databases
        from database.lookups import Prefix

        TextField.register_lookup(Prefix)
        CharField.register_lookup(Prefix)
        register(check_databases, Tags.database)
