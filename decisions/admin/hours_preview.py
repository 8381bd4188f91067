"""On the page of a line's opening hours: what they would have changed, before they are saved."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from decisions.admin import rights
from decisions.admin.settings_preview import preview_response
from tenancy import tenant
from tenants.week_form import week_document


def may_preview_hours(request: HttpRequest) -> bool:
    return request.user.has_perms((*rights.PREVIEW, "tenants.change_businesshours"))


@require_POST
def hours_preview_view(
    request: HttpRequest, model_admin: "admin.ModelAdmin[Any]", object_id: str
) -> HttpResponse:
    """Of the form as filled in."""
    line = model_admin.get_object(request, unquote(object_id))
    if line is None:
        raise Http404
    if not model_admin.has_view_permission(request, line) or not may_preview_hours(request):
        raise PermissionDenied
    with tenant(line.pk):
        today = timezone.localdate(timezone=ZoneInfo(line.timezone))
        return preview_response(
            request,
            line,
            week_document(line, request.POST, today),
            context={
                **model_admin.admin_site.each_context(request),
                "title": f"What {line.business_name} would have decided otherwise",
                "opts": model_admin.opts,
                "original": line,
            },
        )
