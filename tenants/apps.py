"""WHO: lines, their settings, and the tenancy machinery."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Lines"

    def ready(self) -> None:
        from tenants.scoping import guard, sharing

        connection_created.connect(guard.install, dispatch_uid="tenants.scoping.guard")
        post_migrate.connect(sharing.grant_shared_tables, dispatch_uid="tenants.scoping.sharing")
