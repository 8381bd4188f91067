"""Generated lines and calls."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
