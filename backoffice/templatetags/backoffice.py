"""The rows of a list, and the panels above them."""

from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import results as rows_of_cells
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers

from backoffice.list_panels import PANELS

register = template.Library()


@register.inclusion_tag("backoffice/results.html")
def results(changes: Any) -> dict[str, Any]:
    """Django's cells with Unfold's headers: Unfold's own cells take three times as long.

    changes: the change list that the page shows.
    """
    headers = list(result_headers(changes))
    labels = [
        "Select" if name == "action_checkbox" else capfirst(str(header["text"]))
        for name, header in zip(changes.list_display, headers, strict=True)
    ]
    rows = [
        [_labelled(cell, label) for cell, label in zip(cells, labels, strict=True)]
        for cells in rows_of_cells(changes)
    ]
    return {"cl": changes, "result_headers": headers, "rows": rows}


def _labelled(cell: str, label: str) -> SafeString:
    """A narrow page shows the label beside the cell."""
    tag, rest = cell.split(" ", 1)
    return format_html('{} data-label="{}" {}', mark_safe(tag), label, mark_safe(rest))  # noqa: S308


@register.simple_tag(takes_context=True)
def list_panels(context: dict[str, Any], changes: Any) -> SafeString:
    """changes: the change list that the page shows."""
    request = context["request"]
    return format_html_join(
        "",
        "{}",
        (
            (render_to_string(name, panel(request, changes), request=request),)
            for name, panel in PANELS
        ),
    )
