"""On the page of a line's opening hours: what they would have changed, before they are saved."""

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.modeladmin import BackofficeAdmin
from decisions.admin import rights
from decisions.admin.settings_preview import preview_response
from tenancy import tenant
from tenants.week_form import week_document

PREVIEW_HOURS = (*rights.PREVIEW, "tenants.change_businesshours")


def may_preview_hours(request: HttpRequest) -> bool:
    return request.user.has_perms(PREVIEW_HOURS)


@require_POST
def hours_preview_view(
    request: HttpRequest, model_admin: BackofficeAdmin, object_id: str
) -> HttpResponse:
    """Of the form as filled in."""
    line = model_admin.viewable_row(request, object_id, rights=PREVIEW_HOURS)
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
