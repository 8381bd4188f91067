"""The isolation machinery: installs the guard and registers its checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class TenancyConfig(AppConfig):
    name = "tenancy"

    def ready(self) -> None:
        from tenancy import catalog, checks, guard, sharing

        connection_created.connect(guard.install, dispatch_uid="tenancy.guard")
        for receiver in (sharing.grant_shared_tables, sharing.shut_out_foreign_roles):
            post_migrate.connect(receiver, dispatch_uid=receiver.__qualname__)
        register(checks.check_models, "tenancy")
        register(checks.check_settings, "tenancy")
        register(catalog.check_server, "tenancy", Tags.database)
