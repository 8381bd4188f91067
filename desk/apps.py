"""THE SUPPORT DESK: what staff work with, made of lines, calls and their numbers."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "desk"
    verbose_name = "Desk"

    def ready(self) -> None:
        from desk.roles import make_roles

        post_migrate.connect(make_roles, sender=self, dispatch_uid="desk.roles.make_roles")
