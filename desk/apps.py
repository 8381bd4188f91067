"""THE SUPPORT DESK: what staff work with, made of lines, calls and their numbers."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "desk"
    verbose_name = "Desk"
