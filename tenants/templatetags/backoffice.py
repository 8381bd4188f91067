"""The rows of a list, written once: Unfold computes all headers again for each of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import items_for_result
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers

register = template.Library()


@register.inclusion_tag("backoffice/results.html")
def results(changes: Any) -> dict[str, Any]:
    """changes: the change list that the page shows."""
    headers = list(result_headers(changes))
    labels = [conditional_escape(capfirst(header["text"])) for header in headers]
    if labels and "action-toggle" in labels[0]:
        labels[0] = mark_safe("Select")
    return {
        "cl": changes,
        "result_headers": headers,
        "rows": [list(_cells(changes, row, labels)) for row in changes.result_list],
    }


def _cells(changes: Any, row: Any, labels: Iterable[SafeString]) -> Iterator[SafeString]:
    """Django's cells, each with the name of its column, which a narrow page shows beside it."""
    cells = items_for_result(changes, row, None)
    for label, cell in zip(labels, cells, strict=True):
        # Django begins each with <td or <th and escapes what is in it.
        yield mark_safe(f'{cell[:3]} data-label="{label}"{cell[3:]}')  # noqa: S308
