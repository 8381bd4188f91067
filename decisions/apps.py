"""WHAT TO DO NOW: opening hours, rules and what they decide."""

from django.apps import AppConfig


class DecisionsConfig(AppConfig):
    name = "decisions"
    verbose_name = "Decisions"
