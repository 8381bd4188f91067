"""The saved views above a list."""

from typing import Any

from django import template

from desk.saved_views import filters_alone, views_of

register = template.Library()


@register.inclusion_tag("desk/saved_views.html", takes_context=True)
def saved_views(context: dict[str, Any], changes: Any) -> dict[str, Any]:
    """changes: the change list that the page shows."""
    request = context["request"]
    here = filters_alone(request.GET.urlencode())
    views = list(views_of(changes.model, request.user))
    return {
        "list": changes.model._meta.label_lower,
        "views": [
            {
                "view": view,
                "is_here": view.query == here,
                "is_own": view.owner_id == request.user.pk,
            }
            for view in views
        ],
        "query": here,
        "may_share": request.user.has_perm("desk.share_savedview"),
        "csrf_token": context.get("csrf_token"),
    }
