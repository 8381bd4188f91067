"""Panels that other rooms show above every list of the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

# The context of the panel's template, for a list that is being shown.
PanelContext = Callable[[HttpRequest, ChangeList], dict[str, Any]]

PANELS: list[tuple[str, PanelContext]] = []


def register_list_panel(template: str, context: PanelContext) -> None:
    PANELS.append((template, context))
