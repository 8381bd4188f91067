"""Puts our site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AdminConfig):
    default_site = "backoffice.site.BackofficeSite"
