"""The admin toolkit, with our admin site instead of Django's."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"


class SiteConfig(AdminConfig):
    default_site = "backoffice.site.BackofficeSite"
