"""WHO: the lines and how each of them answers."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Lines"
