"""THE SUPPORT DESK: what staff work with, made of lines, calls and their numbers."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeskConfig(AppConfig):
    name = "desk"
    verbose_name = "Desk"

    def ready(self) -> None:
        from backoffice.list_panels import register_list_panel
        from desk.roles import make_roles
        from desk.saved_views import panel

        post_migrate.connect(make_roles, sender=self, dispatch_uid="desk.roles.make_roles")
        register_list_panel("desk/saved_views.html", panel)
