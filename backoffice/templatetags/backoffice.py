"""The rows of a list."""

from typing import Any

from django import template
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers

from backoffice.cells import written

register = template.Library()


@register.inclusion_tag("backoffice/results.html")
def results(changes: Any) -> dict[str, Any]:
    """changes: the change list that the page shows."""
    headers = list(result_headers(changes))
    labels = [capfirst(str(header["text"])) for header in headers]
    if changes.list_display[0] == "action_checkbox":
        labels[0] = "Select"
    return {
        "cl": changes,
        "result_headers": headers,
        "rows": list(written(changes, labels)),
    }
