"""The page of a line's opening hours: the grid of its week, its special days, public holidays."""

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backoffice.refusals import explain
from tenancy import tenant
from tenants.hours_rows import planned_rows, rows_of, store
from tenants.models import PhoneNumber, VoiceSettings
from tenants.week_form import WeekForm

if TYPE_CHECKING:
    from tenants.admin import PhoneNumberAdmin

LACKS_WEEK = (
    "This line has special days and no weekly hours: it is closed on all other days. Set the hours"
    " of the week, too."
)


def opening_hours_view(
    model_admin: "PhoneNumberAdmin", request: HttpRequest, object_id: str
) -> HttpResponse:
    """GET shows the form, or text to those who may only view; POST saves all of it, or nothing.

    A POST with `_holidays` shows the form as typed, with the holidays of another region.
    """
    line = model_admin.viewable_row(request, object_id, rights=["tenants.view_businesshours"])
    may = request.user.has_perm
    may_change = {
        "week": may("tenants.change_businesshours"),
        "special": may("tenants.view_specialday") and may("tenants.change_specialday"),
    }
    page = reverse("admin:tenants_phonenumber_hours", args=[quote(line.pk)])
    with tenant(line.pk), transaction.atomic():
        if request.method == "POST":
            if not any(may_change.values()):
                raise PermissionDenied
            line = PhoneNumber.objects.select_for_update().get()  # one person at a time
        form = _form(line, request)
        if request.method == "POST" and "_holidays" not in request.POST:
            wanted = form.hours(**may_change)
            if wanted is not None and _save(form, wanted):
                model_admin.log_change(request, line, "Changed the opening hours.")
                messages.success(request, "Opening hours saved.")
                if wanted.lacks_week:
                    messages.warning(request, LACKS_WEEK)
                return redirect(page)
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"Opening hours of {line.business_name}",
            "opts": model_admin.opts,
            "original": line,
            "line": line,
            "form": form,
            "may_change_week": may_change["week"],
            "may_view_special": may("tenants.view_specialday"),
            "may_change_special": may_change["special"],
            "may_change": any(may_change.values()),
            "lacks_week": LACKS_WEEK if form.before.lacks_week else "",
            **model_admin.around_hours(line, request),
        }
        response = TemplateResponse(request, model_admin.hours_template, context)
        return response.render()


def _form(line: PhoneNumber, request: HttpRequest) -> WeekForm:
    data: Any = request.POST.copy() if request.method == "POST" else None
    if data is not None and "_holidays" in data:
        for name in ("offered", "holiday", "all_holidays"):
            data.pop(name, None)
    voice = VoiceSettings.objects.values_list("language", flat=True).first()
    today: date = timezone.localdate(timezone=ZoneInfo(line.timezone))
    return WeekForm(line, rows_of(line), today, language=voice or "en-US", data=data)


def _save(form: WeekForm, wanted: Any) -> bool:
    try:
        store(form.stored, planned_rows(form.line, form.stored, wanted))
    except IntegrityError as error:
        form.errors.append(f"Nothing was saved. {explain(error, PhoneNumber)}")
        return False
    return True
